"""Whether what comes into a shared mailbox makes leads: said on its page, by those who lead."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import mailboxes
from crm.models import Team
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page


class LeadsForm(KringForm):
    makes_leads = forms.BooleanField(
        label=gettext_lazy("Make leads of enquiries"),
        required=False,
        help_text=gettext_lazy(
            "Mail that a person wrote to begin with, while no lead and no deal with them is open. Newsletters, automatic mail and answers stay mail."
        ),
    )
    origin = forms.CharField(
        label=gettext_lazy("Origin of its leads"),
        max_length=50,
        required=False,
        widget=forms.TextInput(attrs={"list": "origins", "autocomplete": "off"}),
    )
    team: forms.ModelChoiceField[Team] = forms.ModelChoiceField(
        label=gettext_lazy("Team that gets its leads"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("By the rules of assignment"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = access.teams()  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def leads(request: Request, pk: int) -> HttpResponse:
    box = access.mailbox(request, pk)
    initial = {"makes_leads": box.makes_leads, "origin": box.lead_origin, "team": box.lead_team_id}
    form = LeadsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            mailboxes.make_leads(mailbox=box, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            if form.cleaned_data["makes_leads"]:
                messages.success(
                    request, _("From now on enquiries to %(address)s are leads.") % {"address": box.address}
                )
            else:
                messages.success(request, _("Mail to %(address)s makes no leads.") % {"address": box.address})
            return redirect("crm:mailbox", pk)
    context = {"form": form, "mailbox": box, "origins": access.leads().origins()}
    return render_page(request, "crm/mailbox_leads.html", context)
