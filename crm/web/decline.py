"""A good no: the reason, the words that say it kindly, what we offer instead and until when it is quiet. And later: was it right?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import leads, letters, outbox, verdicts, wording
from crm.models import Alternative, DeclineReason, Lead, User
from crm.models.users import Language
from crm.web import access, nudge, query
from crm.web.forms import KringForm
from crm.web.lead_acts import ReasonedForm, act, has_address, shows_and_acts, why_field
from crm.web.page import Request, render_page

TEMPLATE = "crm/decline.html"


class DeclineForm(ReasonedForm):
    reason = forms.ChoiceField(label=gettext_lazy("Why not"))
    alternative: forms.ModelChoiceField[Alternative] = forms.ModelChoiceField(
        label=gettext_lazy("What we offer instead"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("Nothing in particular"),
    )
    message = forms.CharField(
        label=gettext_lazy("A friendly message to them"),
        max_length=wording.MOST_BODY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 9}),
        help_text=gettext_lazy("Sent by e-mail. Change it as you like, or leave it empty and nothing is sent."),
    )
    suggested = forms.CharField(
        required=False, max_length=wording.MOST_BODY, widget=forms.HiddenInput, label=gettext_lazy("The ready message")
    )
    come_back_on = forms.DateField(
        label=gettext_lazy("Come back on"),
        required=False,
        help_text=gettext_lazy(
            "Only when they would be glad to hear from us then. Until that day all of us leave them alone."
        ),
    )
    note = forms.CharField(
        label=gettext_lazy("In our own words"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For ourselves: what did we learn from it?"),
    )
    why = why_field(gettext_lazy("Both sides say yes. Why decline all the same?"))

    def __init__(self, *args: Any, reasons: list[DeclineReason], has_address: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["reason"].choices = [
            ("", _("Choose a reason")),
            *((reason.code, reason.label) for reason in reasons),
        ]
        fields["alternative"].queryset = access.alternatives().filter(is_active=True)
        if not has_address:
            del fields["message"], fields["suggested"]


class LookBackForm(KringForm):
    same = forms.TypedChoiceField(
        label=gettext_lazy("Would we decide the same today?"),
        choices=[("yes", gettext_lazy("Yes, the same")), ("no", gettext_lazy("No, differently"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    line = forms.CharField(
        label=gettext_lazy("In one line"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("What would you tell a new colleague about it?"),
    )


@shows_and_acts
def decline(request: Request, pk: int) -> HttpResponse:
    """With `suggest` in the post nothing is done but to show the form, or the preview, again: with the ready message where nobody changed it."""
    lead = access.lead(request, pk, write=True)
    reasons = list(access.decline_reasons().filter(is_active=True))
    how: dict[str, Any] = {"reasons": reasons, "has_address": has_address(lead)}
    language = leads.language(lead)
    form = DeclineForm(request.POST or None, **how)
    about = {
        "language": Language(language).label if language in Language.values else language,
        "code": language,
        "subject": letters.subject(language),
        "address": _address(lead),
    }
    if request.method == "POST" and "suggest" in request.POST:
        form = DeclineForm(initial=_with_message(request, lead, reasons), **how)
    if (result := leads.result(lead)) and result.both_yes:
        form.ask_reason()
    about["preview"] = form["message"].value() if "message" in form.fields else ""
    if request.method == "POST" and "suggest" in request.POST:
        context = {"lead": lead, "form": form, "nav": "leads", "title": _("A good no"), "button": _("Decline"), **about}
        return render_page(request, TEMPLATE, context, parts={"act": "act", "letter-preview": "preview"})

    def do() -> str:
        given = dict(form.cleaned_data)
        given.pop("suggested", None)
        verdicts.decline(lead=lead, by=request.user, at=timezone.now(), **given)
        if given.get("message", "").strip():
            nudge.mail()
            return _("Declined, and your message is on its way.")
        return _("Declined. It is quiet from now on.")

    return act(request, lead, form, do, title=_("A good no"), button=_("Decline"), template=TEMPLATE, **about)


@shows_and_acts
def look_back(request: Request, pk: int) -> HttpResponse:
    """One line of evaluation, months later."""
    lead = access.lead(request, pk, write=True)
    start = {} if lead.would_decide_same is None else {"same": "yes" if lead.would_decide_same else "no"}
    form = LookBackForm(request.POST or None, initial=start | {"line": lead.evaluation})

    def do() -> str:
        verdicts.evaluate_no(
            lead=lead,
            would_decide_same=form.cleaned_data["same"],
            line=form.cleaned_data["line"],
            by=request.user,
            at=timezone.now(),
        )
        return _("Thank you. It counts among our noes from now on.")

    return act(request, lead, form, do, title=_("Looking back on our no"), button=_("Keep"))


def _with_message(request: Request, lead: Lead, reasons: list[DeclineReason]) -> dict[str, Any]:
    """The form as it was typed, with the ready message of its reason and alternative where nobody has written one of their own."""
    typed: dict[str, Any] = request.POST.dict()
    written, suggested = (typed.get(name, "").replace("\r\n", "\n").strip() for name in ("message", "suggested"))
    reason = next((each for each in reasons if each.code == typed.get("reason")), None)
    if reason is not None and written in ("", suggested) and "edited" not in typed:
        typed["message"] = typed["suggested"] = _letter(reason, lead, request.user, typed.get("alternative", ""))
    return typed


def _letter(reason: DeclineReason, lead: Lead, sender: User, alternative: str) -> str:
    pk = query.number(alternative)
    offered = access.alternatives().filter(is_active=True, pk=pk).first() if pk is not None else None
    return wording.kind_no(
        reason,
        to=lead.person,
        sender=sender,
        language=leads.language(lead),
        alternative=offered,
        organisation=str(lead.organisation or ""),
    )


def _address(lead: Lead) -> str:
    address = outbox.address_of(lead.person) if lead.person else None
    return address.address if address else ""
