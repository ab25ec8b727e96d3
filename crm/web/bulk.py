"""Change many rows of a list together: choose what, see what it would do and whom it leaves out, do it, take it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from crm import bulk
from crm.bulk import Act, Change, LeftOut
from crm.models import BulkAct, ConversationKind, Tier
from crm.refusal import Refused
from crm.web import access, keyset, query
from crm.web.forms import KringForm
from crm.web.lists import Asked, Listing
from crm.web.page import Request, back_to, render_page
from crm.web.saved_views import listing_of

SHOWN = 20
"""Names that a preview spells out; the others are a number."""

FIELDS: dict[Act, tuple[str, ...]] = {
    Act.OWNER: ("owner",),
    Act.TAG: ("tags",),
    Act.UNTAG: ("tags",),
    Act.TIER: ("tier",),
    Act.FOLLOW_UP: ("note", "due_on", "channel", "owner"),
}


class ChangeForm(KringForm):
    """The fields of one act; the others are not there."""

    note = forms.CharField(label=gettext_lazy("What is to be done?"), max_length=300)
    due_on = forms.DateField(label=gettext_lazy("When?"))
    channel = forms.ChoiceField(label=gettext_lazy("How?"), choices=ConversationKind.choices)
    owner: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=gettext_lazy("Owner"), queryset=None, required=False, empty_label=gettext_lazy("nobody")
    )
    tags = forms.CharField(
        label=gettext_lazy("Tags"), help_text=gettext_lazy("With a comma between them."), max_length=1000
    )
    tier = forms.ChoiceField(
        label=gettext_lazy("Tier"), choices=[("", gettext_lazy("none")), *Tier.choices], required=False
    )

    def __init__(self, *args: Any, act: Act, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.act = act
        owner: Any = self.fields["owner"]
        owner.queryset = access.users()
        if act == Act.FOLLOW_UP:
            owner.label, owner.required, owner.empty_label = _("Who does it?"), True, None
        self.fields = {name: self.fields[name] for name in FIELDS[act]}

    @property
    def change(self) -> Change:
        values = dict(self.cleaned_data)
        if "tags" in values:
            values["tags"] = bulk.words(values["tags"])
        return Change(self.act, **values)


@require_POST
def choose(request: Request, screen: str) -> HttpResponse:
    """The fields of the act and, when they are filled in, what it would do. Nothing is changed here."""
    listing, asked, act = _asked(request, screen)
    keys = _keys(request, asked)
    if act is None or not keys:
        messages.info(request, _("Tick at least one row first, and choose what is to be done."))
        return redirect(asked.address)
    is_filled = "filled" in request.POST
    start = {"owner": request.user.pk, "due_on": timezone.localdate() + timedelta(days=1)}
    form = ChangeForm(request.POST if is_filled else None, act=act, initial=start)
    context: dict[str, Any] = {"listing": listing, "asked": asked, "act": act, "form": form, "nav": "people"}
    if len(keys) > bulk.MOST:
        messages.error(request, _too_many())
        return redirect(asked.address)
    if is_filled and form.is_valid():
        try:
            context |= _preview(request, listing, keys, form.change)
        except Refused as refusal:
            form.refuse(refusal)
    context |= {"keys": ",".join(map(str, keys)), "number": len(keys)}
    return render_page(request, "crm/lists/together.html", context)


@require_POST
def do(request: Request, screen: str) -> HttpResponse:
    listing, asked, act = _asked(request, screen)
    form = ChangeForm(request.POST, act=act) if act else None
    if form is None or not form.is_valid():
        return choose(request, screen)
    keys = _keys(request, asked)
    if len(keys) > bulk.MOST:
        messages.error(request, _too_many())
        return redirect(asked.address)
    keys = _writable(request, listing, keys)
    try:
        done = bulk.do(screen=listing.screen, keys=keys, change=form.change, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(asked.address)
    if act == Act.FOLLOW_UP:
        words = ngettext("%(count)d follow-up is made.", "%(count)d follow-ups are made.", done.number)
    else:
        words = ngettext("%(count)d is changed.", "%(count)d are changed.", done.number)
    words %= {"count": done.number}
    messages.success(request, _with_undo(request, done, words, asked.address))
    return redirect(asked.address)


@require_POST
def undo(request: Request, pk: int) -> HttpResponse:
    act = access.bulk_act(request, pk)
    try:
        undone = bulk.undo(act=act, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        words = ngettext(
            "%(count)d is as it was before.", "%(count)d are as they were before.", undone.restored
        ) % {"count": undone.restored}  # fmt: skip
        if undone.left:
            left = ngettext(
                "%(count)d was changed meanwhile and stays as it is.",
                "%(count)d were changed meanwhile and stay as they are.",
                undone.left,
            )
            words = f"{words} {left % {'count': undone.left}}"
        messages.success(request, words)
    return redirect(back_to(request, reverse("crm:bulk-acts")))


@require_safe
def acts(request: Request) -> HttpResponse:
    """What was changed together in the last week, and can be taken back."""
    at = timezone.now()
    rows = access.bulk_acts(request).filter(at__gte=at - bulk.UNDO_WITHIN)
    page = keyset.page(rows, order=("-at", "-id"), at=request.GET)
    context = {"page": page, "lines": [(row, Act(row.act).label) for row in page], "nav": "people"}
    return render_page(request, "crm/lists/acts.html", context)


# ---- What is asked -------------------------------------------------------------------------------------------------


def _asked(request: Request, screen: str) -> tuple[Listing, Asked, Act | None]:
    listing = listing_of(screen)
    asked = listing.ask(QueryDict(request.POST.get("query", "")), user=request.user, at=timezone.now())
    act = next((act for act in bulk.ACTS[listing.screen] if act == request.POST.get("act")), None)
    return listing, asked, act


def _keys(request: Request, asked: Asked) -> list[int]:
    """The rows that were ticked, those that a page before this one carried along, or all that match; one more than may be."""
    if request.POST.get("all") == "yes":
        return asked.in_order(asked.selected, bulk.MOST + 1)
    texts = request.POST.getlist("row") or request.POST.get("keys", "").split(",")
    found = (query.number(text.strip()) for text in texts[: bulk.MOST + 1])
    return [key for key in dict.fromkeys(found) if key is not None]


def _writable(request: Request, listing: Listing, keys: Sequence[int]) -> list[int]:
    rows = _plain(listing).filter(pk__in=keys)
    return list(access.writable(request.user, rows).values_list("pk", flat=True))


def _plain(listing: Listing) -> Any:
    return listing.rows().select_related(None).prefetch_related(None)


def _preview(request: Request, listing: Listing, keys: Sequence[int], change: Change) -> dict[str, Any]:
    mine = set(_writable(request, listing, keys))
    others = _plain(listing).filter(pk__in=[key for key in keys if key not in mine]).select_related("owner")
    left_out = [
        LeftOut(str(row), _("%(name)s of another team looks after them.") % {"name": row.owner}, row.pk)
        for row in others
    ]
    plan = bulk.plan(screen=listing.screen, keys=mine, change=change, at=timezone.now())
    left_out += plan.left_out
    names = [plan.names[key] for key in plan.changes]
    return {
        "plan": plan,
        "says": _says(change),
        "names": names[:SHOWN],
        "more_names": max(len(names) - SHOWN, 0),
        "left_out": left_out[:SHOWN],
        "left_out_number": len(left_out),
        "more_left_out": max(len(left_out) - SHOWN, 0),
    }


def _says(change: Change) -> str:
    """What each of them gets, in words."""
    match change.act:
        case Act.OWNER if change.owner:
            return _("They go to %(name)s.") % {"name": change.owner}
        case Act.OWNER:
            return _("Nobody owns them any more.")
        case Act.TAG:
            return _("They get these tags: %(tags)s.") % {"tags": ", ".join(change.tags)}
        case Act.UNTAG:
            return _("They lose these tags: %(tags)s.") % {"tags": ", ".join(change.tags)}
        case Act.TIER:
            return _("Their tier becomes %(tier)s.") % {"tier": change.tier} if change.tier else _("They have no tier.")
    return _("%(name)s gets a follow-up for each: %(note)s") % {"name": change.owner, "note": change.note}


def _too_many() -> str:
    return _("That is more than %(most)d at once. Narrow the list with a filter, and go in two steps.") % {
        "most": bulk.MOST
    }


def _with_undo(request: Request, act: BulkAct, words: str, there: str) -> str:
    return format_html(
        '{} <form method="post" action="{}" class="d-inline"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="next" value="{}"><button class="btn btn-sm" type="submit">{}</button></form>',
        words,
        reverse("crm:bulk-undo", args=[act.pk]),
        get_token(request),
        there,
        _("Undo"),
    )
