"""The brief of a hand-off on one page, made by itself, and beside it the answer: accept, give back with a reason, or ask back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm import brief, clock
from crm.models import HandOff, HandOffQuestion, HandOffState, RejectReason, Role, User
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

PARTS = ("answer",)


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
    kind = forms.ChoiceField(
        label=gettext_lazy("Why not"), choices=[("", gettext_lazy("Choose a reason")), *RejectReason.choices]
    )
    reason = forms.CharField(
        label=gettext_lazy("In your own words"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The SDR reads this and takes the lead up again. Say what would have made it a yes."),
    )


class AskForm(KringForm):
    question = forms.CharField(
        label=gettext_lazy("What do you need to know first?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The clock stands still until the SDR has answered."),
    )


class TellForm(KringForm):
    answer = forms.CharField(
        label=gettext_lazy("Your answer"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


@require_safe
def hand_off(request: Request, pk: int) -> HttpResponse:
    return render_page(request, "crm/hand_off.html", context_of(request, access.hand_off(request, pk)), parts=PARTS)


def context_of(request: Request, row: HandOff, **forms_: KringForm) -> dict[str, Any]:
    """What the page shows; a form that was typed into takes the place of its empty one."""
    now, user, lead = timezone.now(), request.user, row.lead
    waits = row.state == HandOffState.SUBMITTED
    next_working_day = clock.add_working_days(now.astimezone(user.zone).date(), 1, user.calendar)
    made = brief.of(row, reader=user, at=now)
    agreed = made.next_step.appointment if made.next_step else None
    return {
        "hand_off": row,
        "lead": lead,
        "now": now,
        "brief": made,
        "asked": made.open_question,
        "accept": AcceptForm(
            prefix="accept",
            initial={
                "name": str(lead.organisation or lead),
                "next_step": agreed.subject if agreed else "",
                "next_step_on": agreed.starts_at.astimezone(user.zone).date() if agreed else next_working_day,
            },
        ),
        "reject": RejectForm(prefix="reject"),
        "ask": AskForm(prefix="ask"),
        "tell": TellForm(prefix="tell"),
        "may_answer": waits and user.role != Role.SDR and access.may_write(user, row.to_user),
        # Nobody answers what they asked themselves, though they may be of the same team.
        "may_tell": waits and access.may_write(user, row.from_user) and not _is_by(made.open_question, user),
        "may_redirect": waits and user.is_leading,
        "nav": "leads",
        **forms_,
    }


def _is_by(question: HandOffQuestion | None, user: User) -> bool:
    return question is not None and question.by_id == user.pk
