"""The page of one lead: what they asked, what they read, what was said, and whether we fit each other."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm import leads, reading, timeline, verdicts
from crm.models import EventKind, HandOffState, Lead, LeadStatus
from crm.refusal import Refused
from crm.web import access, asking, fits, meetings, scorecard_card, verdict_card
from crm.web.page import Request, announce, redirect_or_part, render_page, wanted_part
from qualification.models import Scorecard

PARTS = ("scorecard", "timeline")


class CriterionForm(forms.Form):
    """Only reads what was posted; the page writes its own few fields for each question, by its kind."""

    value = forms.CharField(max_length=500, required=False)
    evidence = forms.CharField(max_length=500, required=False)


@require_safe
def lead(request: Request, pk: int) -> HttpResponse:
    """`scorecard` proposes another definition of a customer, as long as none is begun."""
    row = access.lead(request, pk)
    part = wanted_part(request, PARTS)
    context = {"lead": row, **_scorecard(request, row)} if part == "scorecard" else _page(request, row)
    return render_page(request, "crm/lead.html", context, parts=PARTS)


@require_POST
def criterion(request: Request, pk: int, criterion_pk: int) -> HttpResponse:
    """One question is answered; both sides are computed again."""
    row = access.lead(request, pk, write=True)
    question = access.criterion(criterion_pk)
    if row.assessment is None and not access.scorecards().filter(pk=question.scorecard_id).exists():
        raise Http404  # An old definition of a customer begins nothing any more.
    form = CriterionForm(request.POST)
    try:
        if "value" not in request.POST or not form.is_valid():
            raise Refused(_("Choose an answer, and say in at most 500 letters how you know."))
        leads.answer_criterion(
            lead=row,
            criterion=question,
            value=form.cleaned_data["value"],
            evidence=form.cleaned_data["evidence"],
            by=request.user,
            at=timezone.now(),
        )
    except Refused as refusal:
        typed = {
            "pk": question.pk,
            "sentence": str(refusal),
            "value": request.POST.get("value"),
            "evidence": request.POST.get("evidence", ""),
        }
        if wanted_part(request, PARTS):
            context = {"lead": row, **_scorecard(request, row, question.scorecard)}
        else:
            context = _page(request, row, question.scorecard)
        again = scorecard_card.of(context["sheet"], typed)
        return render_page(request, "crm/lead.html", {**context, **again}, parts=PARTS)

    def fresh() -> dict[str, Any]:
        now = access.lead(request, pk)
        return {"lead": now, **_scorecard(request, now)}

    to = reverse("crm:lead", args=[pk]) + f"#criterion-{question.pk}"
    return announce(redirect_or_part(request, to, "crm/lead.html", fresh, parts=PARTS), "criterionAnswered")


def _scorecard(request: Request, lead: Lead, scorecard: Scorecard | None = None) -> dict[str, Any]:
    """What the card *Do we fit each other?* shows."""
    others: list[Scorecard] = []
    if lead.assessment is None:
        others = list(access.scorecards())
        asked = request.GET.get("scorecard", "")
        scorecard = scorecard or next((card for card in others if str(card.pk) == asked), None)
        scorecard = scorecard or next(iter(others), None)
        others = [card for card in others if card != scorecard]
    sheet = leads.sheet(lead, scorecard)
    may_write = access.may_write(request.user, lead.owner)
    missing = verdicts.missing(sheet) if sheet else []
    return {
        "sheet": sheet,
        "missing": missing,
        "verdict": verdict_card.of(lead, missing),
        "other_scorecards": others,
        **scorecard_card.of(sheet),
        "may_write": may_write,
        "may_score": may_write and lead.is_in_hand,
        "can": {status.value: lead.may_move_to(status) for status in LeadStatus},
        "waiting_hand_off": lead.hand_offs.waiting().select_related("to_user").first()
        if lead.status == LeadStatus.HANDED_OFF
        else None,
    }


def _page(request: Request, lead: Lead, scorecard: Scorecard | None = None) -> dict[str, Any]:
    person = lead.person
    rejected = None
    if lead.status == LeadStatus.WORKING:
        last = lead.hand_offs.select_related("to_user").order_by("-submitted_at").first()
        rejected = last if last and last.state == HandOffState.REJECTED else None
    return {
        "lead": lead,
        "now": timezone.now(),
        "email": person.email_addresses.first() if person else None,
        "phone": person.phone_numbers.first() if person else None,
        "reading": reading.of(person, latest=1),
        "asking": asking.of(lead, request.user),
        "entries": timeline.of(reader=request.user, lead=lead, before=timeline.moment(request.GET.get("before"))),
        "promises": person.promises.open().for_list() if person else [],
        "rejected": rejected,
        "returned": access.history(lead).filter(kind=EventKind.LEAD_RETURNED).first()
        if lead.status == LeadStatus.NEW and lead.owner_id is None
        else None,
        "meetings": meetings.of(lead, at=timezone.now(), may_write=access.may_write(request.user, lead.owner))
        if person
        else None,
        "asked": access.open_question(lead) if lead.status == LeadStatus.HANDED_OFF else None,
        "fits": fits.of(lead, timezone.now()) if lead.status in (LeadStatus.WORKING, LeadStatus.QUALIFIED) else None,
        "may_hand_off": lead.status == LeadStatus.QUALIFIED and access.may_write(request.user, lead.owner),
        "unsent": lead.mails.filter(sent_at__isnull=True).exclude(failure="").order_by("-created_at").first(),
        **_scorecard(request, lead, scorecard),
    }
