"""Enter a lead by hand: somebody called, or came by."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import capture
from crm.models import Channel, Organisation, Person
from crm.refusal import Refused
from crm.web import access, query
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page


class NewLeadForm(KringForm):
    """Who they are and what they asked. A known person is not asked for again."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=150)
    organisation = forms.CharField(label=gettext_lazy("Organisation"), max_length=200, required=False)
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        required=False,
        help_text=gettext_lazy("By this address Kring recognises who wrote or called before."),
    )
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=40, required=False)
    message = forms.CharField(
        label=gettext_lazy("What they asked"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("In their own words, as far as you remember them."),
    )
    origin = forms.CharField(
        label=gettext_lazy("How they found us"),
        max_length=50,
        required=False,
        help_text=gettext_lazy("Such as phone, event or search. Leave it empty when you did not ask."),
    )
    message_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, person: Person | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["origin"].widget.attrs |= {"list": "origins", "autocomplete": "off"}
        if person:
            for name in ("name", "organisation", "email", "phone"):
                del self.fields[name]


@require_http_methods(["GET", "HEAD", "POST"])
def lead_new(request: Request) -> HttpResponse:
    """`person` names somebody whom we know already. The same page sent twice is one lead."""
    known = query.number(request.GET.get("person"))
    person = None if known is None else access.person(request, known)
    form = NewLeadForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        said = {**form.cleaned_data, "external_id": str(form.cleaned_data["message_id"])}
        del said["message_id"]
        try:
            received = capture.receive(
                capture.Arrival(
                    channel=Channel.BY_HAND,
                    owner=request.user,
                    person=person,
                    company=_main_organisation(person),
                    **said,
                ),
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The lead is in. Have you spoken already? Then log the conversation."))
            to = reverse("crm:lead", args=[received.lead.pk])
            return redirect_or_part(request, to, "crm/lead_new.html", dict, parts=())
    context = {"form": form, "person": person, "origins": access.leads().origins()}
    return render_page(request, "crm/lead_new.html", context)


def _main_organisation(person: Person | None) -> Organisation | None:
    main = person.positions.current().select_related("organisation").first() if person else None
    return main.organisation if main else None
