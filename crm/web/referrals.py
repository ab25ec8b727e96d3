"""One referral: ask for it, note the promise, be introduced, and thank. Each act is offered only in the state in which it makes sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise as Words
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import advocacy
from crm.models import REFERRAL_MOVES, Deal, Person, Referral, ReferralState, Role, User
from crm.refusal import Refused
from crm.web import access, query
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page

OFFERED = 20
"""How many won deals the page offers when nobody is chosen yet."""

ACTS: dict[str, tuple[Callable[..., Referral], Words]] = {
    "met": (advocacy.meet, gettext_lazy("Good. Now it is a matter of fitting each other.")),
    "refuse": (advocacy.refuse, gettext_lazy("A good answer too. We do not ask again for now.")),
    "lapse": (advocacy.lapse, gettext_lazy("Noted. It came to nothing, and that is fine.")),
    "lose": (advocacy.lose, gettext_lazy("Noted. Thank them all the same, and tell them how it went.")),
    "thank": (advocacy.thank, gettext_lazy("Thanked. Who hears how it went, introduces again.")),
}
"""The acts that need no words: what is in the address, the verb, and what is said afterwards."""

WAY = (
    ReferralState.ASKED,
    ReferralState.PROMISED,
    ReferralState.INTRODUCED,
    ReferralState.MET,
    ReferralState.WON,
    ReferralState.THANKED,
)


class AskForm(KringForm):
    person: forms.ModelChoiceField[Person] = forms.ModelChoiceField(
        label=gettext_lazy("Whom did you ask?"), queryset=None
    )
    whom = forms.CharField(
        label=gettext_lazy("Whom do they have in mind?"),
        help_text=gettext_lazy("A name, or “her brother, who runs the depot”. Leave it empty if you do not know yet."),
        required=False,
        max_length=200,
    )

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people  # type: ignore[attr-defined]


class PromiseForm(KringForm):
    whom = forms.CharField(label=gettext_lazy("Whom will they introduce?"), required=False, max_length=200)
    due_on = forms.DateField(
        label=gettext_lazy("By when?"),
        help_text=gettext_lazy("Without a date we ask after a fortnight."),
        required=False,
    )
    not_before = forms.DateField(
        label=gettext_lazy("Not before"),
        help_text=gettext_lazy("“After her holiday”: until then Kring keeps quiet."),
        required=False,
    )


class IntroduceForm(KringForm):
    name = forms.CharField(label=gettext_lazy("Whom did they introduce?"), max_length=200)
    email = forms.EmailField(label=gettext_lazy("E-mail address"), required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), required=False, max_length=40)
    organisation = forms.CharField(label=gettext_lazy("Organisation"), required=False, max_length=200)
    message = forms.CharField(
        label=gettext_lazy("What did they say about each other?"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    sdr: forms.ModelChoiceField[User] = forms.ModelChoiceField(
        label=gettext_lazy("Who takes the lead?"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("Whoever is free"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sdr"].queryset = access.users().filter(role=Role.SDR)  # type: ignore[attr-defined]


# ---- Ask -----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: Request) -> HttpResponse:
    """For the buyer of a won deal, or for a person who knows us; without either, the won deals after which nobody was asked."""
    asked = request.POST if request.method == "POST" else request.GET
    deal: Deal | None = None
    person: Person | None = None
    if pk := query.number(asked.get("deal")):
        deal = access.deal(request, pk, write=True)
        person = deal.person
    elif pk := query.number(asked.get("person")):
        person = access.person(request, pk, write=True)
    if deal is None and person is None:
        return render_page(request, "crm/referral_ask.html", {"offered": _offered(request)})
    people = access.people_around(person, deal.organisation if deal else None)
    form = AskForm(request.POST or None, people=people, initial={"person": person})
    if request.method == "POST" and form.is_valid():
        try:
            referral = advocacy.ask(**form.cleaned_data, deal=deal, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Asked. Note here what they answer."))
            return redirect("crm:referral", referral.pk)
    open_now = access.referrals().for_list().filter(referrer=person, state__in=("asked", "promised")).first()
    context = {"deal": deal, "person": person, "form": form, "open_now": open_now}
    return render_page(request, "crm/referral_ask.html", context)


def _offered(request: Request) -> Any:
    waiting = access.referrals().filter(state__in=("asked", "promised")).order_by().values("referrer")
    rows = access.deals().won().filter(person__isnull=False, referrals=None).exclude(person__in=waiting)
    return access.writable(request.user, rows).for_list().order_by("-won_at", "-pk")[:OFFERED]


@require_POST
def name_advocate(request: Request, pk: int) -> HttpResponse:
    """From a person's page: they recommend us, and this shows it."""
    person = access.person(request, pk, write=True)
    evidence = request.POST.get("evidence", "").replace("\x00", "").strip()[:300]
    advocacy.name_advocate(person=person, evidence=evidence, by=request.user, at=timezone.now())
    messages.success(request, _("%(name)s is an advocate of ours.") % {"name": person})
    return redirect("crm:person", pk)


# ---- Its page ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Station:
    """One station on the way: `done`, `now`, `ahead` or `ended` (where another end was reached), and when it was reached, if that is known."""

    label: str
    place: str
    at: datetime | None


@require_safe
def referral(request: Request, pk: int) -> HttpResponse:
    row = access.referral(request, pk)
    return render_page(request, "crm/referral.html", _page(request, row), parts=("referral",))


@require_POST
def promise(request: Request, pk: int) -> HttpResponse:
    row = access.referral(request, pk, write=True)
    form = PromiseForm(request.POST, prefix="promise")
    if form.is_valid():
        try:
            advocacy.promise(referral=row, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _done(request, pk, _("Promised. Kring will remember it, and not ask too soon."))
    return render_page(request, "crm/referral.html", _page(request, row, promise_form=form), parts=("referral",))


@require_POST
def introduce(request: Request, pk: int) -> HttpResponse:
    row = access.referral(request, pk, write=True)
    form = IntroduceForm(request.POST, prefix="introduce")
    if form.is_valid():
        try:
            lead = advocacy.introduce(referral=row, **form.cleaned_data, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            said = _("%(name)s is a lead now, with thanks to %(referrer)s.")
            return _done(request, pk, said % {"name": lead.person, "referrer": row.referrer})
    return render_page(request, "crm/referral.html", _page(request, row, introduce_form=form), parts=("referral",))


@require_POST
def act(request: Request, pk: int, act: str) -> HttpResponse:
    if act not in ACTS:
        raise Http404
    row = access.referral(request, pk, write=True)
    verb, said = ACTS[act]
    try:
        verb(referral=row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _answer(request, pk)
    return _done(request, pk, str(said))


def _done(request: Request, pk: int, said: str) -> HttpResponse:
    messages.success(request, said)
    return _answer(request, pk)


def _answer(request: Request, pk: int) -> HttpResponse:
    return redirect_or_part(
        request,
        reverse("crm:referral", args=[pk]),
        "crm/referral.html",
        lambda: _page(request, access.referral(request, pk)),
        parts=("referral",),
    )


def _page(
    request: Request,
    row: Referral,
    promise_form: PromiseForm | None = None,
    introduce_form: IntroduceForm | None = None,
) -> dict[str, Any]:
    may_write = access.may_write(request.user, row.owner)
    today = timezone.localdate()
    moves = REFERRAL_MOVES[row.state] if may_write else frozenset()
    may_promise = ReferralState.PROMISED in moves or (may_write and row.state == ReferralState.PROMISED)
    start = {"whom": row.whom, "due_on": row.due_on, "not_before": row.not_before}
    name = {"name": row.whom} if row.whom else {}
    return {
        "referral": row,
        "may_write": may_write,
        "moves": moves,
        "stations": _stations(row),
        "is_late": row.is_late(today),
        "is_resting": bool(row.state == ReferralState.PROMISED and row.not_before and row.not_before > today),
        "is_promise_open": promise_form is not None,
        "promise_form": (promise_form or PromiseForm(prefix="promise", initial=start)) if may_promise else promise_form,
        "is_introduce_open": introduce_form is not None,
        "introduce_form": (introduce_form or IntroduceForm(prefix="introduce", initial=name))
        if ReferralState.INTRODUCED in moves and row.lead_id is None
        else introduce_form,
        "today": today,
    }


def _stations(row: Referral) -> list[Station]:
    """The way from asked to thanked, with the end that was reached instead where there is one."""
    way: list[str] = list(WAY)
    if row.state == ReferralState.REFUSED:
        way = [ReferralState.ASKED, ReferralState.REFUSED]
    elif row.state == ReferralState.LAPSED:
        way = [ReferralState.ASKED, ReferralState.PROMISED, ReferralState.LAPSED]
    elif row.state == ReferralState.LOST or (row.state == ReferralState.THANKED and not _is_won(row)):
        way[way.index(ReferralState.WON)] = ReferralState.LOST
    here = way.index(row.state)
    reached = {
        ReferralState.ASKED: row.asked_at,
        ReferralState.PROMISED: row.promised_at,
        ReferralState.INTRODUCED: row.introduced_at,
        ReferralState.THANKED: row.thanked_at,
    }
    last = len(way) - 1
    return [
        Station(
            str(ReferralState(state).label),
            "done" if place < here or (place == here == last) else "now" if place == here else "ahead",
            reached.get(ReferralState(state)) if place <= here else None,
        )
        for place, state in enumerate(way)
    ]


def _is_won(row: Referral) -> bool:
    deal = getattr(row.lead, "deal", None) if row.lead else None
    return deal is not None and deal.state == "won"
