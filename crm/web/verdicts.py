"""What can be done with a lead: take it, give it to somebody, answer it, and the ways out of it. GET shows the form of an act, POST does it."""

from __future__ import annotations

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm import leads, letters, verdicts
from crm.clock import next_working_day
from crm.models import User
from crm.permission import TooEarly
from crm.refusal import Refused
from crm.web import access, nudge
from crm.web.forms import KringForm
from crm.web.lead_acts import ReasonedForm, act, at_once, has_address, page, shows_and_acts, why_field
from crm.web.page import Request, announce, redirect_or_part


class AssignForm(KringForm):
    to = forms.TypedChoiceField(label=gettext_lazy("Who takes it on"), coerce=int)


class AnswerForm(ReasonedForm):
    reason_field, overcome = "override", TooEarly
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=200)
    message = forms.CharField(
        label=gettext_lazy("Your answer"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 10})
    )
    override = forms.CharField(
        label=gettext_lazy("Why write all the same?"),
        required=False,
        max_length=300,
        widget=forms.HiddenInput,
        help_text=gettext_lazy("Your reason stands on their timeline."),
    )


class NurtureForm(KringForm):
    until = forms.DateField(
        label=gettext_lazy("Let it rest until"),
        help_text=gettext_lazy("On that day it comes back to you as a follow-up. Until then nobody is bothered."),
    )
    note = forms.CharField(
        label=gettext_lazy("Why then"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What should have happened by that day, in their words."),
    )


class QualifyForm(ReasonedForm):
    why = why_field(gettext_lazy("Why qualify all the same?"))


class DistanceForm(KringForm):
    km = forms.IntegerField(
        label=gettext_lazy("Kilometres there"),
        required=False,
        min_value=0,
        max_value=leads.FARTHEST,
        help_text=gettext_lazy("One way, from the office of the team. Empty: not known."),
    )


class AskFirstForm(KringForm):
    question = forms.CharField(
        label=gettext_lazy("What do we need to know?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("The question as you will ask it. It comes back to you as a follow-up."),
    )
    on = forms.DateField(label=gettext_lazy("Ask it on"))


class AnsweredForm(KringForm):
    answer = forms.CharField(
        label=gettext_lazy("What did they say?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("In their own words. Then answer the scorecard with what you know now."),
    )


@require_POST
def take(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    try:
        lead = leads.take(lead=lead, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(lead)s is yours now.") % {"lead": lead})
    row = {f"lead-{pk}": "row"}
    return announce(
        redirect_or_part(
            request,
            page(pk),
            "crm/inbox.html",
            lambda: {"lead": access.leads().for_list().get(pk=pk), "now": timezone.now()},
            parts=row,
        ),
        "leadTaken",
    )


@shows_and_acts
def qualify(request: Request, pk: int) -> HttpResponse:
    """Both yes: at once. Against the advice: with a reason, after the page has said what is missing."""
    lead = access.lead(request, pk, write=True)
    form = QualifyForm(request.POST if request.method == "POST" else None)
    advice = leads.result(lead)
    if advice is not None and not advice.both_yes:
        form.ask_reason()

    def do() -> str:
        verdicts.qualify(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        return (
            _("Qualified. Now hand it off.")
            if form.cleaned_data["why"]
            else _("Qualified: both say yes. Now hand it off.")
        )

    sheet = leads.sheet(lead)
    lacks = verdicts.missing(sheet) if sheet and lead.assessment_id else []
    return act(request, lead, form, do, title=_("Qualify"), button=_("Qualify"), lacks=lacks)


@shows_and_acts
def ask_first(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    start = {"question": lead.open_question, "on": lead.open_question_on or _tomorrow(request)}
    form = AskFirstForm(request.POST or None, initial=start)

    def do() -> str:
        verdicts.ask_first(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        return _("The question waits for its day, and comes to you as a follow-up.")

    return act(request, lead, form, do, title=_("Need to know more"), button=_("Keep the question"))


@shows_and_acts
def question_answered(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    form = AnsweredForm(request.POST or None)

    def do() -> str:
        verdicts.question_answered(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        return _("Noted. What does it change on the scorecard?")

    title = lead.open_question or _("There is no open question")
    empty = "" if lead.open_question else _("Nothing is asked of them at this moment.")
    return act(request, lead, form, do, title=title, button=_("Note the answer"), empty=empty)


@require_POST
def judge_anew(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    return at_once(
        request,
        pk,
        lambda: verdicts.judge_anew(lead=lead, by=request.user, at=timezone.now()),
        _("Judged anew from here. The earlier assessment is kept below the scorecard."),
    )


@shows_and_acts
def distance(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    form = DistanceForm(request.POST if request.method == "POST" else None, initial={"km": lead.distance_km})

    def do() -> str:
        leads.note_distance(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        return _("Noted. It counts when we look at what a no saved.")

    return act(request, lead, form, do, title=_("How far is it?"), button=_("Keep"))


@require_POST
def reopen(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    return at_once(
        request,
        pk,
        lambda: verdicts.reopen(lead=lead, by=request.user, at=timezone.now()),
        _("Taken up again. It is yours."),
    )


@shows_and_acts
def assign(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    form = AssignForm(request.POST or None, initial={"to": lead.owner_id})
    colleagues = {user.pk: user for user in access.users()}
    away = {row.user_id: row.ends_on for row in access.days_away().on(timezone.localdate())}
    form.fields["to"].choices = [(user.pk, _with_days_away(user, away)) for user in colleagues.values()]  # type: ignore[attr-defined]

    def do() -> str:
        to = colleagues[form.cleaned_data["to"]]
        leads.assign(lead=lead, to=to, by=request.user, at=timezone.now())
        nudge.mail()
        return _("%(lead)s is with %(name)s now.") % {"lead": lead, "name": to}

    return act(request, lead, form, do, title=_("Give this lead to somebody"), button=_("Give it"))


def _with_days_away(user: User, away: dict[int, date]) -> str:
    if user.pk not in away:
        return str(user)
    return _("%(name)s (away until %(day)s)") % {"name": user, "day": date_format(away[user.pk], "l j F")}


@shows_and_acts
def answer(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    language = leads.language(lead)
    form = AnswerForm(
        request.POST or None,
        initial={
            "subject": letters.subject(language),
            "message": letters.answer(to=lead.person, sender=request.user, language=language),
        },
    )

    def do() -> str:
        leads.answer(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        nudge.mail()
        return _("Your answer is on its way.")

    empty = "" if has_address(lead) else _("We have no e-mail address of this person. Call, and log the conversation.")
    title = _("Write to %(lead)s") % {"lead": lead}
    return act(request, lead, form, do, title=title, button=_("Send"), empty=empty)


@shows_and_acts
def nurture(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    form = NurtureForm(request.POST or None)

    def do() -> str:
        verdicts.nurture(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        return _("It rests now, and comes back to you by itself.")

    return act(request, lead, form, do, title=_("Nurture until…"), button=_("Let it rest"))


def _tomorrow(request: Request) -> date:
    return next_working_day(timezone.localdate() + timedelta(days=1), request.user.calendar)
