"""Hand-offs: the one-page brief for the account manager, who accepts it (then it is a deal) or rejects it with a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from crm import clock, handoffs, leads, reading
from crm.models import HandOff, HandOffState, Role
from crm.models.leads import HandOffQuerySet
from crm.refusal import Refused
from crm.web import access, keyset, nudge
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page

PARTS = ("answer",)
WHOSE = {
    "me": gettext_lazy("Offered to me"),
    "team": gettext_lazy("Offered to my team"),
    "given": gettext_lazy("Given by me"),
    "all": gettext_lazy("All that wait"),
}

answering = access.roles(
    Role.ACCOUNT_MANAGER,
    Role.MANAGER,
    Role.ADMIN,
    refusal=gettext_lazy("A hand-off is answered by an account manager or a manager."),
)


class AcceptForm(KringForm):
    """An open deal always has a dated next step; what the buyer said is taken along when we know it."""

    next_step = forms.CharField(
        label=gettext_lazy("Next step"),
        max_length=200,
        help_text=gettext_lazy("Agreed with them, or the first thing you will do."),
    )
    next_step_on = forms.DateField(label=gettext_lazy("On"))
    name = forms.CharField(label=gettext_lazy("Name of the deal"), max_length=200)
    buyer_amount = forms.DecimalField(
        label=gettext_lazy("Amount the buyer named"), min_value=0, max_digits=14, decimal_places=2, required=False
    )
    buyer_date = forms.DateField(label=gettext_lazy("Date the buyer named"), required=False)


class RejectForm(KringForm):
    reason = forms.CharField(
        label=gettext_lazy("Why not"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The SDR reads this and takes the lead up again. Say what would have made it a yes."),
    )


@require_safe
def hand_offs(request: Request) -> HttpResponse:
    """What waits for an answer, the most urgent first. `whose`: me, team, given, all."""
    user = request.user
    whose = request.GET.get("whose", "")
    if whose not in WHOSE:
        whose = "given" if user.role == Role.SDR else "all" if user.is_leading else "team"
    rows = access.hand_offs().waiting()
    if whose == "me":
        rows = rows.filter(to_user=user)
    elif whose == "team":
        rows = rows.filter(Q(to_user=user) | Q(to_user__team__isnull=False, to_user__team=user.team_id))
    elif whose == "given":
        rows = rows.filter(from_user=user)
    page = keyset.page(rows.for_page(), order=("answer_due_at", "id"), at=request.GET)
    context = {
        "page": page,
        "whose": whose,
        "choices": WHOSE.items(),
        "now": timezone.now(),
        "given": _given(request, whose),
    }
    return render_page(request, "crm/hand_offs.html", context, parts=("hand-offs",))


@require_safe
def hand_off(request: Request, pk: int) -> HttpResponse:
    return render_page(request, "crm/hand_off.html", _page(request, access.hand_off(request, pk)), parts=PARTS)


@require_POST
@answering
def accept(request: Request, pk: int) -> HttpResponse:
    row = access.hand_off(request, pk, write=True)
    form = AcceptForm(request.POST, prefix="accept")
    if form.is_valid():
        try:
            deal = handoffs.accept(hand_off=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            if answered := _answered_meanwhile(request, pk, refusal):
                return answered
            form.refuse(refusal)
        else:
            messages.success(request, _("Accepted. It is your deal now."))
            nudge.follow_ups([("hand_off", pk), ("lead", row.lead_id), ("deal", deal.pk)])
            return redirect_or_part(request, reverse("crm:deal", args=[deal.pk]), "crm/hand_off.html", dict, parts=())
    return render_page(request, "crm/hand_off.html", _page(request, row, accept=form), parts=PARTS)


@require_POST
@answering
def reject(request: Request, pk: int) -> HttpResponse:
    row = access.hand_off(request, pk, write=True)
    form = RejectForm(request.POST, prefix="reject")
    if form.is_valid():
        try:
            handoffs.reject(hand_off=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            if answered := _answered_meanwhile(request, pk, refusal):
                return answered
            form.refuse(refusal)
        else:
            messages.success(request, _("%(name)s takes it up again and reads why.") % {"name": row.from_user})
            nudge.follow_ups([("hand_off", pk), ("lead", row.lead_id)])
            return redirect_or_part(request, "crm:hand-offs", "crm/hand_off.html", dict, parts=())
    return render_page(request, "crm/hand_off.html", _page(request, row, reject=form), parts=PARTS)


def _answered_meanwhile(request: Request, pk: int, refusal: Refused) -> HttpResponse | None:
    """Somebody was first: the page says who and when, under the sentence that refused."""
    if access.hand_off(request, pk).state == HandOffState.SUBMITTED:
        return None
    messages.error(request, str(refusal))
    return redirect_or_part(request, reverse("crm:hand-off", args=[pk]), "crm/hand_off.html", dict, parts=())


def _page(request: Request, row: HandOff, **forms_: KringForm) -> dict[str, Any]:
    lead, now = row.lead, timezone.now()
    person = lead.person
    next_working_day = clock.add_working_days(now.astimezone(request.user.zone).date(), 1, request.user.calendar)
    return {
        "hand_off": row,
        "lead": lead,
        "now": now,
        "sheet": leads.sheet(lead),
        "reading": reading.of(person, latest=8),
        "email": person.email_addresses.first() if person else None,
        "phone": person.phone_numbers.first() if person else None,
        "conversations": lead.conversations.open_to(request.user).select_related("by").order_by("-at", "-id")[:5],
        "promises": person.promises.open().for_list() if person else [],
        "accept": AcceptForm(
            prefix="accept",
            initial={"name": str(lead.organisation or lead), "next_step_on": next_working_day},
        ),
        "reject": RejectForm(prefix="reject"),
        "may_answer": row.state == HandOffState.SUBMITTED
        and request.user.role != Role.SDR
        and access.may_write(request.user, row.to_user),
        **forms_,
    }


def _given(request: Request, whose: str) -> HandOffQuerySet | None:
    """To whoever gives: what was answered lately."""
    if whose != "given":
        return None
    answered = access.hand_offs().filter(from_user=request.user, answered_at__isnull=False)
    return answered.for_page().order_by("-answered_at", "-id")[:10]
