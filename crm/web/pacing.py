"""How fast we may come back to somebody: the numbers of the guard, each explained. For administrators."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import permission
from crm.models import PacingPolicy
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page


class PacingForm(KringForm):
    information_days = forms.IntegerField(
        label=gettext_lazy("After we sent information"),
        help_text=gettext_lazy("Working days. Who asked for something to read reads it first. Usual: 3."),
        min_value=0,
        max_value=permission.LONGEST_WAIT,
    )
    attempt_days = forms.CharField(
        label=gettext_lazy("After tries without an answer"),
        help_text=gettext_lazy(
            "Working days after the first try, the second, and so on, with commas between; the last number holds for all that follow. "
            "Usual: 2, 4, 7, 14."
        ),
        max_length=100,
    )
    colleague_days = forms.IntegerField(
        label=gettext_lazy("Between two colleagues"),
        help_text=gettext_lazy("Days in which somebody hears from one of us only, unless they wrote. Usual: 2."),
        min_value=0,
        max_value=permission.LONGEST_WAIT,
    )
    quiet_from = forms.TimeField(
        label=gettext_lazy("Quiet from"),
        help_text=gettext_lazy("In their own time zone, for calls, video calls and chat. Usual: 20:00."),
    )
    quiet_until = forms.TimeField(label=gettext_lazy("Quiet until"), help_text=gettext_lazy("Usual: 08:00."))
    keeps_holidays = forms.BooleanField(
        label=gettext_lazy("No calls on Sundays and public holidays of their country"), required=False
    )

    def clean_attempt_days(self) -> list[int]:
        words = [
            word.strip() for word in self.cleaned_data["attempt_days"].replace(";", ",").split(",") if word.strip()
        ]
        if not words or not all(word.isascii() and word.isdecimal() and len(word) < 4 for word in words):
            raise ValidationError(_("Give whole numbers of days with commas between, such as 2, 4, 7, 14."))
        return [int(word) for word in words]


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def pacing(request: Request) -> HttpResponse:
    policy = PacingPolicy.current()
    form = PacingForm(request.POST or None, initial=_shown(policy))
    if request.method == "POST" and form.is_valid():
        try:
            permission.change_pacing(by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved. The guard keeps to these numbers from now on."))
            return redirect("crm:pacing")
    return render_page(request, "crm/pacing.html", {"form": form, "policy": policy})


def _shown(policy: PacingPolicy) -> dict[str, Any]:
    shown = {name: getattr(policy, name) for name in PacingForm.base_fields}
    return {**shown, "attempt_days": ", ".join(map(str, policy.attempt_days))}
