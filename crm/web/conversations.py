"""Log a conversation in a few seconds, with what was promised on both sides and the next step that was agreed, and look at one again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import logbook, prospecting, search, timeline
from crm.models import Conversation, ConversationKind, EventKind, ProspectingItem
from crm.refusal import Refused
from crm.web import access, mail_message, mentioning
from crm.web.conversation_about import KIND_ICONS, About, Present
from crm.web.conversation_form import ConversationForm
from crm.web.page import Request, page_of, render_page

CHOICES = 20
"""People who are offered when none was named."""


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    """Pressing *Find* (or typing, with JavaScript) looks for more people and saves nothing."""
    about = About(request)
    if not about:
        return _choose(request)
    if about.attempt is not None and about.attempt.conversation_id:
        messages.info(request, _("This call is logged already. Here it is."))
        return redirect("crm:conversation", about.attempt.conversation_id)
    if about.appointment is not None and about.appointment.conversation_id:
        messages.info(request, _("This appointment is logged already. Here it is."))
        return redirect("crm:conversation", about.appointment.conversation_id)
    around = about.people()
    present = Present(request, around)
    start = about.start(request.GET.get("kind"))
    if present.is_looking:
        form = ConversationForm(people=present.people, initial=present.typed())
    else:
        form = ConversationForm(request.POST or None, people=present.people, initial=start)
    if form.is_bound and form.is_valid():
        try:
            said = logbook.write(
                **form.said(),
                lead=about.lead,
                deal=about.deal,
                organisation=about.organisation,
                attempt=about.attempt,
                appointment=about.appointment,
                follow_up=about.follow_up,
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Logged. It stands on the timeline."))
            mentioning.say_who_is_told(request, form.cleaned_data["summary"])
            if about.item is not None:
                _mark_done(request, about.item, said)
            return redirect("crm:today" if about.follow_up or about.item else about.page)
    return render_page(
        request,
        "crm/conversation_new.html",
        {
            "form": form,
            "about": about,
            "present": present,
            "promises": about.promises(around),
            "icons": KIND_ICONS,
            "nav": "deals" if about.deal else "leads" if about.lead else "people",
        },
        parts=("who",),
    )


def _mark_done(request: Request, item: ProspectingItem, said: Conversation) -> None:
    """What was said stays logged when the thing cannot be marked: it was left out, or the talk was with somebody else."""
    try:
        prospecting.done(item=item, conversation=said, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.warning(request, str(refusal))


def _choose(request: Request) -> HttpResponse:
    """Nobody is named yet: the people of this name; without a name, those of ours with whom we spoke last."""
    named = search.clean(request.GET.get("named", ""))
    rows = access.people().for_list()
    if named:
        found = search.people_named(rows, named)[:CHOICES]
    else:
        found = rows.filter(owner=request.user, last_contact_at__isnull=False).order_by("-last_contact_at", "-id")[:8]
    return render_page(
        request, "crm/conversation_choose.html", {"found": found, "named": named, "nav": "people"}, parts=("choices",)
    )


@require_safe
def conversation(request: Request, pk: int) -> HttpResponse:
    """What was said, for those to whom it is open; for others that it was."""
    row = access.conversation(request, pk)
    is_open = row.is_open_to(request.user)
    changes = access.history(row).filter(kind=EventKind.CONVERSATION_CHANGED) if is_open else []
    return render_page(
        request,
        "crm/conversation.html",
        {
            "conversation": row,
            "is_open": is_open,
            "people": row.people.all(),
            "promises": access.promises().filter(conversation=row).for_list() if is_open else [],
            "changes": [timeline.entry(event) for event in changes],
            "icon": KIND_ICONS[ConversationKind(row.kind)],
            "may_write": is_open and access.may_write(request.user, row.by),
            "is_own": row.by == request.user,
            "mail": mail_message.of(request, row),
            "nav": "people",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: Request, pk: int) -> HttpResponse:
    """The page asks; the form on it acts."""
    row = access.conversation(request, pk, write=True)
    there = page_of(row.people.first(), row.deal, row.lead, row.organisation)
    if request.method == "POST":
        try:
            logbook.delete(conversation=row, by=request.user, at=timezone.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("crm:conversation", pk)
        messages.success(request, _("Removed. Last contact is what the other conversations say."))
        return redirect(there)
    return render_page(
        request,
        "crm/conversation_delete.html",
        {"conversation": row, "people": row.people.all(), "nav": "people"},
    )


@require_POST
def keep_private(request: Request, pk: int) -> HttpResponse:
    row = access.conversation(request, pk, write=True)
    try:
        logbook.keep_private(conversation=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Only you read what was said. Colleagues see that there was contact."))
    return redirect("crm:conversation", pk)


@require_POST
def show(request: Request, pk: int) -> HttpResponse:
    row = access.conversation(request, pk, write=True)
    try:
        logbook.show(conversation=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your colleagues can read it, too."))
    return redirect("crm:conversation", pk)
