"""Mailboxes that Kring reads: connect one, see how it goes, change it, pause it, let it go."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import correspondence, enquiries, mailboxes
from crm.channels.imap import Trouble
from crm.mailboxes import NotConnected
from crm.models import Mailbox, MessageState
from crm.refusal import Refused
from crm.web import access, keyset, limits, nudge
from crm.web.mailbox_forms import PRESETS, ChangeForm, ConnectForm, FoldersForm
from crm.web.page import Request, redirect_or_part, render_page

TRIES, WITHIN = 30, 600
"""So often somebody may have servers asked in so many seconds; else Kring would be a way to knock on doors elsewhere."""


@require_safe
def index(request: Request) -> HttpResponse:
    rows = access.mailboxes(request.user)
    context = {
        "own": [_shown(box) for box in rows if box.owner_id],
        "shared": [_shown(box) for box in rows if not box.owner_id],
        "forwarding": mailboxes.forwarding_address(user=request.user),
        "takes_mail_in": bool(settings.MAIL_IN_DOMAIN),
    }
    return render_page(request, "crm/mailboxes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    is_shared = "shared" in request.GET
    if is_shared and not request.user.is_leading:
        raise PermissionDenied(_("Shared mailboxes are connected by managers and administrators."))
    at = timezone.now()
    chosen = request.GET.get("at", "")
    preset = PRESETS.get(chosen)
    if preset is None:
        return render_page(request, "crm/mailbox_choose.html", {"presets": PRESETS, "is_shared": is_shared})
    initial = {} if is_shared else {"address": request.user.email}
    today = at.astimezone(request.user.zone).date()
    form = ConnectForm(request.POST or None, preset=preset, today=today, initial=initial)
    context: dict[str, Any] = {"form": form, "preset": preset, "is_shared": is_shared, "is_own": chosen == "own"}
    if request.method == "POST" and form.is_valid():
        try:
            _must_not_knock(request)
            box = mailboxes.connect(
                owner=None if is_shared else request.user,
                address=form.cleaned_data["address"],
                password=form.cleaned_data["password"],
                reads_since=form.cleaned_data["reads_since"],
                **form.servers,
                by=request.user,
                at=at,
            )
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            nudge.mailbox(box.pk)
            messages.success(request, _("%(address)s is connected. Kring reads it now.") % {"address": box.address})
            return redirect("crm:mailbox", box.pk)
    return render_page(request, "crm/mailbox_new.html", context)


@require_safe
def mailbox(request: Request, pk: int) -> HttpResponse:
    return render_page(request, "crm/mailbox.html", _context(request, access.mailbox(request, pk)), parts=("wrong",))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    box = access.mailbox(request, pk)
    form = ChangeForm(request.POST or None, mailbox=box)
    if request.method == "POST" and form.is_valid():
        try:
            if form.cleaned_data["password"]:
                _must_not_knock(request)
            mailboxes.change(
                mailbox=box,
                password=form.cleaned_data["password"],
                reads_since=form.cleaned_data["reads_since"],
                **form.servers,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            _refuse(form, refusal)
            box = access.mailbox(request, pk)  # The page must not show what was refused.
        else:
            nudge.mailbox(box.pk)
            messages.success(request, _("The mailbox is changed."))
            return redirect("crm:mailbox", pk)
    return render_page(request, "crm/mailbox_edit.html", {"form": form, "mailbox": box})


@require_http_methods(["GET", "HEAD", "POST"])
def folders(request: Request, pk: int) -> HttpResponse:
    """The server is asked which folders there are now; those that are read and gone are shown as such."""
    box = access.mailbox(request, pk)
    said = ""
    try:
        found = mailboxes.folders(box)
    except NotConnected as refusal:
        found, said = [], str(refusal)
    names: list[tuple[str, Any]] = [
        (folder.name, _("%(folder)s (what was sent)") % {"folder": folder.name} if folder.is_sent else folder.name)
        for folder in found
    ]
    there = {folder.name for folder in found}
    gone = _("%(folder)s (not there any more)") if found else "%(folder)s"
    names += [(name, gone % {"folder": name}) for name in box.folders if name not in there]
    form = FoldersForm(request.POST or None, names=names, initial={"folders": box.folders})
    if request.method == "POST" and form.is_valid():
        try:
            mailboxes.choose_folders(mailbox=box, names=form.cleaned_data["folders"])
        except Refused as refusal:
            form.refuse(refusal)
        else:
            nudge.mailbox(box.pk)
            messages.success(request, _("These folders are read from now on."))
            return redirect("crm:mailbox", pk)
    return render_page(request, "crm/mailbox_folders.html", {"form": form, "mailbox": box, "said": said})


@require_POST
def pause(request: Request, pk: int) -> HttpResponse:
    mailboxes.pause(mailbox=access.mailbox(request, pk), by=request.user, at=timezone.now())
    messages.success(request, _("Paused. What comes meanwhile is read when you go on."))
    return redirect("crm:mailbox", pk)


@require_POST
def resume(request: Request, pk: int) -> HttpResponse:
    mailboxes.resume(mailbox=access.mailbox(request, pk), by=request.user, at=timezone.now())
    nudge.mailbox(pk)
    messages.success(request, _("Kring reads this mailbox again."))
    return redirect("crm:mailbox", pk)


@require_POST
def look(request: Request, pk: int) -> HttpResponse:
    mailboxes.look_now(mailbox=access.mailbox(request, pk))
    nudge.mailbox(pk)
    messages.success(request, _("Kring looks now. Come back in a moment."))
    return redirect("crm:mailbox", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: Request, pk: int) -> HttpResponse:
    box = access.mailbox(request, pk)
    if request.method != "POST":
        return render_page(request, "crm/mailbox_disconnect.html", {"mailbox": box})
    mailboxes.disconnect(mailbox=box, by=request.user, at=timezone.now())
    messages.success(
        request,
        _("%(address)s is disconnected and its password forgotten. Its conversations stay.") % {"address": box.address},
    )
    return redirect("crm:mailboxes")


@require_POST
def message_again(request: Request, pk: int, message_pk: int) -> HttpResponse:
    box = access.mailbox(request, pk)
    message = access.message_of(box, message_pk)
    try:
        enquiries.try_again(message=message, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    except Exception:  # What made it fail before may make it fail again, whatever it is; its bytes are still kept.
        messages.error(request, _("It still cannot be read. Its bytes are kept."))
    else:
        messages.success(request, _("Read and taken in."))
    return _back(request, box)


@require_POST
def message_drop(request: Request, pk: int, message_pk: int) -> HttpResponse:
    box = access.mailbox(request, pk)
    correspondence.drop(message=access.message_of(box, message_pk))
    messages.success(request, _("Its bytes are gone."))
    return _back(request, box)


@require_POST
def renew_forwarding(request: Request) -> HttpResponse:
    mailboxes.renew_forwarding(user=request.user)
    messages.success(request, _("You have a new address for forwarding. Mail to the one before is refused."))
    return redirect("crm:mailboxes")


def _back(request: Request, box: Mailbox) -> HttpResponse:
    there = reverse("crm:mailbox", args=[box.pk])
    return redirect_or_part(request, there, "crm/mailbox.html", lambda: _context(request, box), parts=("wrong",))


def _context(request: Request, box: Mailbox) -> dict[str, Any]:
    settled = access.messages_of(box)
    wrong = settled.filter(state__in=(MessageState.REFUSED, MessageState.FAILED))
    return {
        "mailbox": box,
        "shown": _shown(box),
        "counts": {
            state: keyset.bounded_count(settled.filter(state=state))
            for state in (MessageState.TAKEN, MessageState.UNKNOWN, MessageState.EXCLUDED)
        },
        "page": keyset.page(wrong, order=("-taken_at", "-id"), at=request.GET, size=20),
        "failed": MessageState.FAILED,
    }


def _shown(box: Mailbox) -> dict[str, Any]:
    """A mailbox with what is wrong with it in words."""
    code, _colon, said = box.failure.partition(": ")
    known = code in Trouble.values
    return {"row": box, "trouble": Trouble(code).label if known else box.failure, "said": said if known else ""}


def _must_not_knock(request: Request) -> None:
    if not limits.may(request, f"mailbox-{request.user.pk}", most=TRIES, seconds=WITHIN):
        raise Refused(_("You tried many times. Wait ten minutes, and try again."))


def _refuse(form: Any, refusal: Refused) -> None:
    form.refuse(refusal)
    if isinstance(refusal, NotConnected) and refusal.said:
        form.add_error(None, _("The server said: %(said)s") % {"said": refusal.said})
