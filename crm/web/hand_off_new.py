"""Hand a lead off: the account managers in the order of who fits, each with the reasons, and a line of one's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import fitting, handoffs
from crm.refusal import Refused
from crm.web import access, fits, mentioning, nudge, query
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page

PARTS = ("act",)


class HandOffForm(KringForm):
    to = forms.TypedChoiceField(label=gettext_lazy("Account manager"), coerce=int, widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Your line"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What the account manager should know before the first word."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mentioning.offer(self, "note")


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request, pk: int) -> HttpResponse:
    """`to` proposes somebody; without it the one who fits best is proposed."""
    lead = access.lead(request, pk, write=True)
    now = timezone.now()
    lines = fits.of(lead, now)
    best = fitting.suggested([line.fit for line in lines])
    proposed = query.number(request.GET.get("to")) or (best.user.pk if best else None)
    form = HandOffForm(request.POST if request.method == "POST" else None, initial={"to": proposed})
    form.fields["to"].choices = [(line.fit.user.pk, str(line.fit.user)) for line in lines]  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        to = next(line.fit.user for line in lines if line.fit.user.pk == form.cleaned_data["to"])
        try:
            offered = handoffs.submit(lead=lead, to=to, note=form.cleaned_data["note"], by=request.user, at=now)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            due = offered.answer_due_at.astimezone(request.user.zone)
            messages.success(
                request,
                _("Handed off to %(name)s, who answers by %(moment)s.")
                % {"name": to, "moment": date_format(due, _("l j F, H:i"))},
            )
            mentioning.say_who_is_told(request, form.cleaned_data["note"])
            nudge.mail()
            return redirect_or_part(request, reverse("crm:lead", args=[pk]), "crm/hand_off_new.html", dict, parts=())
    context = {"lead": lead, "form": form, "fits": lines, "chosen": str(form["to"].value() or ""), "nav": "leads"}
    return render_page(request, "crm/hand_off_new.html", context, parts=PARTS)
