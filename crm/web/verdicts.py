"""What can be done with a lead: take it, give it to somebody, answer it, and the ways out of it. GET shows the form of an act, POST does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from crm import handoffs, leads, letters, verdicts
from crm.models import Lead, ReadyReason
from crm.permission import TooEarly
from crm.refusal import Refused
from crm.web import access, nudge
from crm.web.forms import KringForm
from crm.web.page import Request, announce, redirect_or_part, render_page

PARTS = ("act",)
shows_and_acts = require_http_methods(["GET", "HEAD", "POST"])


class AssignForm(KringForm):
    to = forms.TypedChoiceField(label=gettext_lazy("Who takes it on"), coerce=int)


class AnswerForm(KringForm):
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

    def ask_reason(self) -> None:
        """Show the field for the reason, now that the guard asks for one."""
        self.fields["override"].widget = forms.TextInput()


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


class DeclineForm(KringForm):
    reason = forms.ChoiceField(
        label=gettext_lazy("Why not"), choices=[("", gettext_lazy("Choose a reason")), *ReadyReason.choices]
    )
    note = forms.CharField(
        label=gettext_lazy("In our own words"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For ourselves: what did we learn from it?"),
    )
    message = forms.CharField(
        label=gettext_lazy("A friendly message to them"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("Sent by e-mail. Change it as you like, or leave it empty and nothing is sent."),
    )
    come_back_on = forms.DateField(
        label=gettext_lazy("Come back on"),
        required=False,
        help_text=gettext_lazy("Only when they would be glad to hear from us then."),
    )


class HandOffForm(KringForm):
    to = forms.TypedChoiceField(label=gettext_lazy("Account manager"), coerce=int, widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Your line"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What the account manager should know before the first word."),
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
        nudge.follow_ups([("lead", pk)])
    row = {f"lead-{pk}": "row"}
    return announce(
        redirect_or_part(
            request,
            _page(pk),
            "crm/inbox.html",
            lambda: {"lead": access.leads().for_list().get(pk=pk), "now": timezone.now()},
            parts=row,
        ),
        "leadTaken",
    )


@require_POST
def qualify(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    return _at_once(
        request,
        pk,
        lambda: verdicts.qualify(lead=lead, by=request.user, at=timezone.now()),
        _("Qualified: both say yes. Now hand it off."),
    )


@require_POST
def reopen(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    return _at_once(
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
    form.fields["to"].choices = [(user.pk, str(user)) for user in colleagues.values()]  # type: ignore[attr-defined]

    def act() -> str:
        to = colleagues[form.cleaned_data["to"]]
        leads.assign(lead=lead, to=to, by=request.user, at=timezone.now())
        return _("%(lead)s is with %(name)s now.") % {"lead": lead, "name": to}

    return _act(request, lead, form, act, title=_("Give this lead to somebody"), button=_("Give it"))


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

    def act() -> str:
        leads.answer(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        nudge.mail()
        return _("Your answer is on its way.")

    empty = "" if _has_address(lead) else _("We have no e-mail address of this person. Call, and log the conversation.")
    title = _("Write to %(lead)s") % {"lead": lead}
    return _act(request, lead, form, act, title=title, button=_("Send"), empty=empty)


@shows_and_acts
def nurture(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    form = NurtureForm(request.POST or None)

    def act() -> str:
        verdicts.nurture(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        return _("It rests now, and comes back to you by itself.")

    return _act(request, lead, form, act, title=_("Nurture until…"), button=_("Let it rest"))


@shows_and_acts
def decline(request: Request, pk: int) -> HttpResponse:
    """With `suggest` in the post nothing is done but to show the form again with the ready message for the chosen reason."""
    lead = access.lead(request, pk, write=True)
    form = DeclineForm(request.POST or None)
    if not _has_address(lead):
        del form.fields["message"]
    about: dict[str, Any] = {"title": _("A good no"), "button": _("Decline"), "suggests": "message" in form.fields}
    if request.method == "POST" and "suggest" in request.POST:
        return render_page(request, "crm/lead_act.html", _shown(lead, _with_message(request, lead), about), parts=PARTS)

    def act() -> str:
        verdicts.decline(lead=lead, by=request.user, at=timezone.now(), **form.cleaned_data)
        if form.cleaned_data.get("message", "").strip():
            nudge.mail()
            return _("Declined, and your message is on its way.")
        return _("Declined. It is quiet from now on.")

    return _act(request, lead, form, act, **about)


@shows_and_acts
def hand_off(request: Request, pk: int) -> HttpResponse:
    lead = access.lead(request, pk, write=True)
    language = leads.language(lead)
    waiting = Count("deals", filter=Q(deals__state="open"), distinct=True)
    managers = sorted(
        access.account_managers().annotate(open_deals=waiting),
        key=lambda user: (user.language != language, user.open_deals, user.name),
    )
    form = HandOffForm(request.POST or None)
    form.fields["to"].choices = [(user.pk, _described(user)) for user in managers]  # type: ignore[attr-defined]

    def act() -> str:
        to = next(user for user in managers if user.pk == form.cleaned_data["to"])
        offered = handoffs.submit(lead=lead, to=to, note=form.cleaned_data["note"], by=request.user, at=timezone.now())
        nudge.follow_ups([("hand_off", offered.pk)])
        return _("Handed off to %(name)s, who answers within half a working day.") % {"name": to}

    empty = "" if managers else _("There is no account manager yet. An administrator adds one in the settings.")
    return _act(request, lead, form, act, title=_("Hand off"), button=_("Hand off"), empty=empty)


def _act(
    request: Request, lead: Lead, form: KringForm, act: Callable[[], str], *, title: str, button: str, **more: Any
) -> HttpResponse:
    """Show the form, or do what it says: `act` calls the verb and returns what is then true, in a sentence."""
    if request.method == "POST" and form.is_valid():
        try:
            sentence = act()
        except Refused as refusal:
            if isinstance(refusal, TooEarly) and isinstance(form, AnswerForm):
                form.ask_reason()
            form.refuse(refusal)
        else:
            messages.success(request, sentence)
            nudge.follow_ups([("lead", lead.pk)])
            return redirect_or_part(request, _page(lead.pk), "crm/lead_act.html", dict, parts=())
    context = _shown(lead, form, {"title": title, "button": button, **more})
    return render_page(request, "crm/lead_act.html", context, parts=PARTS)


def _at_once(request: Request, pk: int, act: Callable[[], object], sentence: str) -> HttpResponse:
    """An act without a form: done or refused, and back to the lead."""
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, sentence)
        nudge.follow_ups([("lead", pk)])
    return redirect_or_part(request, _page(pk), "crm/lead.html", dict, parts=())


def _shown(lead: Lead, form: KringForm, about: dict[str, Any]) -> dict[str, Any]:
    return {"lead": lead, "form": form, "nav": "leads", **about}


def _has_address(lead: Lead) -> bool:
    return lead.person is not None and lead.person.email_addresses.exists()


def _page(pk: int) -> str:
    return reverse("crm:lead", args=[pk])


def _with_message(request: Request, lead: Lead) -> DeclineForm:
    """The form as it was typed, with the ready message of its reason where nobody has written one of their own."""
    typed = request.POST.dict()
    letter: dict[str, Any] = {"to": lead.person, "sender": request.user, "language": leads.language(lead)}
    reason = typed.get("reason", "")
    if reason in ReadyReason.values and letters.is_ready_text(typed.get("message", ""), **letter):
        typed["message"] = letters.kind_no(reason, **letter)
    return DeclineForm(initial=typed)


def _described(user: Any) -> str:
    """An account manager as the hand-off form offers them."""
    open_deals = ngettext("%(count)d open deal", "%(count)d open deals", user.open_deals) % {"count": user.open_deals}
    return format_html('{} <span class="why">{} · {}</span>', user.name, user.get_language_display(), open_deals)
