"""The rules of the follow-ups: what each looks for, how it fares, and its numbers for everybody and for each team. Administrators change them;
managers look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import DatabaseError
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise as Words
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from crm import follow_ups, rule_settings
from crm.models import Rule, RuleRun, RuleSetting, Team
from crm.refusal import Refused
from crm.rules import RULES, FollowUpRule
from crm.web import access, query
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page

COLUMNS: tuple[tuple[tuple[Words, tuple[Rule, ...]], ...], ...] = (
    (
        (gettext_lazy("What comes in"), (Rule.FIRST_ANSWER, Rule.UNTOUCHED, Rule.HAND_OFF, Rule.OPEN_QUESTION)),
        (gettext_lazy("Promises"), (Rule.OUR_PROMISE, Rule.THEIR_PROMISE, Rule.REFERRAL_PROMISE)),
        (gettext_lazy("Not now, and later"), (Rule.COME_BACK, Rule.NURTURE)),
        (gettext_lazy("Our records"), (Rule.LAWFUL_BASIS,)),
    ),
    (
        (
            gettext_lazy("Deals"),
            (Rule.NEXT_STEP, Rule.NO_NEXT_STEP, Rule.BUYERS_DATE, Rule.SILENCE, Rule.APPOINTMENT),
        ),
        (
            gettext_lazy("Customers and their circle"),
            (
                Rule.KEEP_IN_TOUCH,
                Rule.CHECK_IN,
                Rule.RE_ORDER,
                Rule.JOURNEY,
                Rule.ASK_REFERRAL,
                Rule.THANK_REFERRER,
                Rule.TELL_REFERRER,
            ),
        ),
    ),
)
"""The rules in groups, in the two columns of the page."""

TEAMS_CLOCK = (Rule.FIRST_ANSWER, Rule.UNTOUCHED, Rule.HAND_OFF)
"""Rules that count by a clock which is set with the team."""

PARTS = ("effect",)


@dataclass(frozen=True)
class Row:
    """A rule as the list shows it."""

    rule: FollowUpRule
    run: RuleRun | None
    open: int
    is_on: bool
    numbers: list[dict[str, Any]]
    teams: list[str]


class RuleForm(KringForm):
    """Whether a rule is at work, and its numbers, for everybody or for one team."""

    is_on = forms.BooleanField(label=gettext_lazy("This rule is at work"), required=False)

    def __init__(self, *args: Any, rule: FollowUpRule, everybodys: Mapping[str, int] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in rule.numbers:
            hints = [_("In %(unit)s. Usual: %(default)s.") % {"unit": number.unit, "default": number.default}]
            if everybodys is not None:
                hints.append(_("For everybody: %(number)s.") % {"number": everybodys[number.key]})
            if number.source:
                hints.append(str(number.source))
            self.fields[number.key] = forms.IntegerField(
                label=str(number.label), min_value=number.least, max_value=number.most, help_text=" ".join(hints)
            )

    @property
    def numbers(self) -> dict[str, int]:
        return {key: value for key, value in self.cleaned_data.items() if key != "is_on"}

    @property
    def number_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name != "is_on"]


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    runs = {Rule(run.rule): run for run in access.rule_runs()}
    counts = dict(access.follow_ups().open().order_by().values_list("rule").annotate(number=Count("pk")))
    kept: dict[str, list[RuleSetting]] = defaultdict(list)
    for setting in access.rule_settings():
        kept[setting.rule].append(setting)
    columns = [
        [
            (title, [_row(RULES[rule], runs.get(rule), counts.get(rule, 0), kept[rule]) for rule in rules])
            for title, rules in column
        ]
        for column in COLUMNS
    ]
    context = {"columns": columns, "failing": [run for run in runs.values() if run.failing_since], "nav": "settings"}
    return render_page(request, "crm/rules.html", context)


@require_safe
@access.leading_only
def rule(request: Request, rule: str) -> HttpResponse:
    """`team` in the address names the team; everybody without one."""
    chosen, team = _rule(rule), _team(request)
    return render_page(request, "crm/rule.html", _content(request, chosen, team, _form(chosen, team)))


@require_POST
@access.admin_only
def reset(request: Request, rule: str) -> HttpResponse:
    chosen, team = _rule(rule), _team(request)
    try:
        rule_settings.reset(rule=chosen.key, team=team, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Back to what is usual. The follow-ups come along in a moment."))
    return redirect(_address(chosen, team))


@require_POST
@access.admin_only
def change(request: Request, rule: str) -> HttpResponse:
    """`preview` in what is posted asks what it would do, and changes nothing."""
    chosen, team, at = _rule(rule), _team(request), timezone.now()
    form = _form(chosen, team, request.POST)
    effect: dict[str, Any] = {}
    if form.is_valid():
        says = {"rule": chosen.key, "team": team, "is_on": form.cleaned_data["is_on"], "numbers": form.numbers}
        try:
            if "preview" not in request.POST:
                rule_settings.change(**says, by=request.user, at=at)
                messages.success(request, _("Saved. The follow-ups come along in a moment."))
                return redirect_or_part(request, _address(chosen, team), "crm/rule.html", dict, ())
            effect["effect"] = follow_ups.preview(rule=chosen.key, trial=rule_settings.trial(**says), at=at)
        except Refused as refusal:
            form.refuse(refusal)
        except (DatabaseError, ValueError, TypeError) as error:
            effect["trouble"] = str(error)
    return render_page(request, "crm/rule.html", _content(request, chosen, team, form) | effect, PARTS)


def _rule(key: str) -> FollowUpRule:
    if key not in Rule.values:
        raise Http404
    return RULES[Rule(key)]


def _team(request: Request) -> Team | None:
    pk = query.number(request.GET.get("team"))
    return access.team(pk) if pk is not None else None


def _address(chosen: FollowUpRule, team: Team | None) -> str:
    return reverse("crm:rule", args=[chosen.key.value]) + (f"?team={team.pk}" if team else "")


def _form(chosen: FollowUpRule, team: Team | None, data: Any = None) -> RuleForm:
    """The numbers that hold for the team, or for everybody."""
    kept = {row.team_id: row for row in access.rule_settings().filter(rule=chosen.key)}
    own, everybody = kept.get(team.pk if team else None), kept.get(None)
    source = own or everybody
    above = rule_settings.above(chosen.key, team)
    initial = {"is_on": source.is_on if source else True, **above, **(own.numbers if own else {})}
    return RuleForm(data, initial=initial, rule=chosen, everybodys=above if team else None)


def _row(rule: FollowUpRule, run: RuleRun | None, number: int, kept: list[RuleSetting]) -> Row:
    everybody = next((row for row in kept if row.team_id is None), None)
    own = everybody.numbers if everybody else {}
    numbers = [
        {
            "label": number.label,
            "value": own.get(number.key, number.default),
            "unit": number.unit,
            "is_own": number.key in own,
        }
        for number in rule.numbers
    ]
    is_on = everybody.is_on if everybody else True
    return Row(rule, run, number, is_on, numbers, [str(row.team) for row in kept if row.team_id])


def _content(request: Request, chosen: FollowUpRule, team: Team | None, form: RuleForm) -> dict[str, Any]:
    own = {row.team_id for row in access.rule_settings().filter(rule=chosen.key)}
    run = access.rule_runs().filter(rule=chosen.key).first()
    return {
        "rule": chosen,
        "team": team,
        "teams": [{"row": row, "has_own": row.pk in own} for row in access.teams()],
        "has_own": (team.pk if team else None) in own,
        "form": form,
        "team_query": f"?team={team.pk}" if team else "",
        "run": run,
        "failing": [run] if run and run.failing_since else [],
        "open": access.follow_ups().open().filter(rule=chosen.key).count(),
        "teams_clock": chosen.key in TEAMS_CLOCK,
        "may_edit": request.user.is_staff,
        "nav": "settings",
    }
