"""When somebody is away: one's own days, and for those who lead the days of everybody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm import absences
from crm.models import User
from crm.models.users import AbsenceQuerySet
from crm.refusal import Refused
from crm.web import access, keyset
from crm.web.forms import KringForm
from crm.web.page import Request, render_page


class AbsenceForm(KringForm):
    starts_on = forms.DateField(label=gettext_lazy("First day"))
    ends_on = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("It counts too. Empty: only the first day."),
    )
    stand_in = forms.TypedChoiceField(
        label=gettext_lazy("Stand-in"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy("Gets what is sent to you by name."),
    )
    why = forms.CharField(
        label=gettext_lazy("Why"), max_length=200, required=False, help_text=gettext_lazy("Colleagues can read it.")
    )

    def __init__(self, *args: Any, colleagues: dict[int, User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("nobody")), *((pk, str(user)) for pk, user in colleagues.items())]
        self.fields["stand_in"].choices = choices  # type: ignore[attr-defined]


class TeamAbsenceForm(AbsenceForm):
    user = forms.TypedChoiceField(label=gettext_lazy("Who"), coerce=int)
    field_order = ("user", "starts_on", "ends_on", "stand_in", "why")

    def __init__(self, *args: Any, colleagues: dict[int, User], **kwargs: Any) -> None:
        super().__init__(*args, colleagues=colleagues, **kwargs)
        choices = [("", _("Choose somebody")), *((pk, str(user)) for pk, user in colleagues.items())]
        self.fields["user"].choices = choices  # type: ignore[attr-defined]
        self.fields["stand_in"].help_text = _("Gets what is sent to them by name.")


@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: Request) -> HttpResponse:
    colleagues = {user.pk: user for user in access.users() if user.pk != request.user.pk}
    form = AbsenceForm(request.POST or None, colleagues=colleagues)
    if request.method == "POST" and form.is_valid() and _note(request, form, request.user, colleagues):
        return redirect("crm:absences")
    return _page(request, form, access.days_away().filter(user=request.user), is_mine=True)


@require_http_methods(["GET", "HEAD", "POST"])
@access.leading_only
def everybodys(request: Request) -> HttpResponse:
    colleagues = {user.pk: user for user in access.users()}
    form = TeamAbsenceForm(request.POST or None, colleagues=colleagues)
    if request.method == "POST" and form.is_valid():
        user = colleagues[form.cleaned_data["user"]]
        if _note(request, form, user, colleagues):
            return redirect("crm:team-absences")
    return _page(request, form, access.days_away(), is_mine=False)


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    row = access.day_away(request, pk)
    absences.remove(absence=row, by=request.user, at=timezone.now())
    messages.success(request, _("Removed. New leads find the way to %(name)s again.") % {"name": row.user})
    return redirect("crm:team-absences" if "everybody" in request.POST else "crm:absences")


def _note(request: Request, form: AbsenceForm, user: User, colleagues: dict[int, User]) -> bool:
    said = form.cleaned_data
    try:
        absences.note(
            user=user,
            starts_on=said["starts_on"],
            ends_on=said["ends_on"] or said["starts_on"],
            stand_in=colleagues[said["stand_in"]] if said["stand_in"] else None,
            why=said["why"],
            by=request.user,
            at=timezone.now(),
        )
    except Refused as refusal:
        form.refuse(refusal)
        return False
    messages.success(request, _("Noted. Nobody gives %(name)s new leads on these days.") % {"name": user})
    return True


def _page(request: Request, form: AbsenceForm, rows: AbsenceQuerySet, *, is_mine: bool) -> HttpResponse:
    today = timezone.localdate()
    context = {
        "form": form,
        "page": keyset.page(rows.upcoming(today), order=("starts_on", "id"), at=request.GET),
        "today": today,
        "is_mine": is_mine,
    }
    return render_page(request, "crm/absences.html", context, parts=("days",))
