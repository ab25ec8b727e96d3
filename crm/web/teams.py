"""Teams: when each works, how long it lets people wait, where its office is and who is on it. Administrators change them; managers look."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import dates, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import teams
from crm.models import Team, User
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm, within_reason
from crm.web.page import Request, render_page
from crm.web.preferences import ZONES

MOST_LETTERS = 4000


class TeamForm(KringForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    members = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Who is on it"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Members may change what their mates own. Whoever comes from another team leaves it."),
    )
    working_days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Working days"),
        choices=lambda: list(dates.WEEKDAYS.items()),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one day.")},
    )
    work_start = forms.TimeField(label=gettext_lazy("Working day starts"))
    work_end = forms.TimeField(label=gettext_lazy("Working day ends"))
    time_zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=64)
    country = forms.CharField(
        label=gettext_lazy("Country of its holidays"),
        min_length=2,
        max_length=2,
        help_text=gettext_lazy("Two letters, such as BE or NL. On its public holidays no clock runs."),
    )
    closed_days = forms.CharField(
        label=gettext_lazy("Days closed besides"),
        required=False,
        max_length=MOST_LETTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One on each line, such as 2026-12-24."),
    )
    first_answer_minutes = forms.IntegerField(
        label=gettext_lazy("Working minutes to the first answer"),
        min_value=1,
        max_value=2400,
        help_text=gettext_lazy("Who answers within an hour speaks far more often to somebody who decides. Usual: 60."),
    )
    hand_off_hours = forms.IntegerField(
        label=gettext_lazy("Working hours to answer a hand-off"),
        min_value=1,
        max_value=200,
        help_text=gettext_lazy("Then those who lead are told. Usual: 4."),
    )
    untouched_days = forms.IntegerField(
        label=gettext_lazy("Days until an untouched lead returns"),
        min_value=1,
        max_value=90,
        help_text=gettext_lazy("Then it belongs to nobody again, and those who lead are told. Usual: 7."),
    )
    office_address = forms.CharField(label=gettext_lazy("Address of the office"), max_length=200, required=False)
    office_postcode = forms.CharField(
        label=gettext_lazy("Postcode of the office"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("From here the kilometres of a visit are counted."),
    )

    def __init__(self, *args: Any, colleagues: dict[int, User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget.attrs |= {"list": "time-zones", "autocomplete": "off"}
        self.fields["members"].choices = [  # type: ignore[attr-defined]
            (pk, f"{user} ({user.team})" if user.team else str(user)) for pk, user in colleagues.items()
        ]

    def clean_closed_days(self) -> list[date]:
        day = forms.DateField(validators=[within_reason])
        found: list[date] = []
        for line in str(self.cleaned_data["closed_days"]).splitlines():
            if not line.strip():
                continue
            try:
                found.append(day.clean(line.strip()))
            except ValidationError:
                raise ValidationError(
                    _("“%(line)s” is no day. Write each day on a line of its own, such as 2026-12-24."),
                    params={"line": line.strip()[:40]},
                ) from None
        return found

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The fields as the screen shows them, a card for each."""
        cards = (
            (_("The team"), ("name", "members")),
            (
                _("When it works"),
                ("working_days", "work_start", "work_end", "time_zone", "country", "closed_days"),
            ),
            (_("How long people wait"), ("first_answer_minutes", "hand_off_hours", "untouched_days")),
            (_("The office"), ("office_address", "office_postcode")),
        )
        return [{"title": title, "fields": [self[name] for name in names]} for title, names in cards]


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    today = timezone.localdate()
    rows = access.teams().annotate(number=Count("members", filter=Q(members__is_active=True)))
    context = {
        "teams": [
            {
                "row": row,
                "days": ", ".join(str(dates.WEEKDAYS_ABBR[day]) for day in sorted(row.working_days)),
                "closed": [day for day in sorted(row.closed_days) if day >= today][:3],
            }
            for row in rows
        ],
        "nav": "settings",
    }
    return render_page(request, "crm/teams.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def new(request: Request) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, access.team(pk))


@require_POST
@access.admin_only
def remove(request: Request, pk: int) -> HttpResponse:
    team = access.team(pk)
    try:
        teams.remove(team=team, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("crm:team", pk)
    messages.success(request, _("Team %(name)s is removed.") % {"name": team})
    return redirect("crm:teams")


def _edit(request: Request, team: Team | None) -> HttpResponse:
    colleagues = {user.pk: user for user in access.users()}
    form = TeamForm(request.POST or None, initial=_shown(team, colleagues), colleagues=colleagues)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        members = [colleagues[pk] for pk in said.pop("members")]
        try:
            saved = teams.save(
                says=teams.Says(**said), members=members, team=team, by=request.user, at=timezone.now()
            )  # fmt: skip
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Team %(name)s is saved.") % {"name": saved})
            return redirect("crm:teams")
    return render_page(request, "crm/team.html", {"form": form, "team": team, "zones": ZONES, "nav": "settings"})


def _shown(team: Team | None, colleagues: dict[int, User]) -> dict[str, Any]:
    row = team or Team()
    names = set(TeamForm.base_fields) - {"members", "closed_days"}
    return {name: getattr(row, name) for name in names} | {
        "closed_days": "\n".join(day.isoformat() for day in sorted(row.closed_days)),
        "members": [pk for pk, user in colleagues.items() if team and user.team_id == team.pk],
    }
