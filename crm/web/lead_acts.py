"""How an act on a lead is shown and done, in a dialog on its page or by itself: the form, the refusal with what was typed, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm.models import Lead
from crm.refusal import Refused
from crm.verdicts import AgainstAdvice
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page

PARTS = ("act",)
shows_and_acts = require_http_methods(["GET", "HEAD", "POST"])


class ReasonedForm(KringForm):
    """A form with a field that stays hidden until a refusal asks for the reason that overcomes it."""

    reason_field = "why"
    overcome: type[Refused] = AgainstAdvice

    def ask_reason(self) -> None:
        """Show the field for the reason."""
        field = self.fields[self.reason_field]
        field.widget = forms.TextInput(attrs={"maxlength": 300})
        field.widget.is_required = (
            True  # Without it the verb refuses, in words of its own; so nobody reads "optional" beside it.
        )
        # The one that is bound already is made anew from the field.
        self._bound_fields_cache.pop(self.reason_field, None)  # type: ignore[attr-defined]


def why_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=300,
        widget=forms.HiddenInput,
        help_text=gettext_lazy("Your reason stands on the timeline, so that all of us learn from it."),
    )


def act(
    request: Request,
    lead: Lead,
    form: KringForm,
    do: Callable[[], str],
    *,
    title: str,
    button: str,
    template: str = "crm/lead_act.html",
    **more: Any,
) -> HttpResponse:
    """Show the form, or do what it says: `do` calls the verb and returns what is then true, in a sentence."""
    if request.method == "POST" and form.is_valid():
        try:
            sentence = do()
        except Refused as refusal:
            if isinstance(form, ReasonedForm) and isinstance(refusal, form.overcome):
                form.ask_reason()
            form.refuse(refusal)
        else:
            messages.success(request, sentence)
            return redirect_or_part(request, page(lead.pk), template, dict, parts=())
    context = {"lead": lead, "form": form, "nav": "leads", "title": title, "button": button, **more}
    return render_page(request, template, context, parts=PARTS)


def at_once(request: Request, pk: int, do: Callable[[], object], sentence: str) -> HttpResponse:
    """An act without a form: done or refused, and back to the lead."""
    try:
        do()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, sentence)
    return redirect_or_part(request, page(pk), "crm/lead.html", dict, parts=())


def page(pk: int) -> str:
    """The page of the lead."""
    return reverse("crm:lead", args=[pk])


def has_address(lead: Lead) -> bool:
    return lead.person is not None and lead.person.email_addresses.exists()
