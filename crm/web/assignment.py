"""Who gets a new lead: the rules in order, what they would do with the last leads, and how much each SDR takes on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import assignment
from crm.assignment.editing import MOST_CAPACITY
from crm.models import AssignmentRule, Language
from crm.refusal import Refused
from crm.web import access, origins, query
from crm.web.forms import KringForm
from crm.web.page import Request, redirect_or_part, render_page

PARTS = ("rules",)


class RuleForm(KringForm):
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    sector = forms.CharField(label=gettext_lazy("Sector"), max_length=100, required=False)
    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=2,
        required=False,
        help_text=gettext_lazy("Two letters, such as BE or NL."),
    )
    origin = forms.CharField(label=gettext_lazy("Origin"), max_length=50, required=False)
    to = forms.ChoiceField(label=gettext_lazy("Goes to"))
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teams = {f"team-{team.pk}": team for team in access.teams()}
        self.people = {f"user-{user.pk}": user for user in access.sdrs()}
        self.fields["language"].choices = [("", _("any")), *Language.choices]  # type: ignore[attr-defined]
        self.fields["to"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a team or an SDR")),
            (_("By turns in a team"), [(key, str(team)) for key, team in self.teams.items()]),
            (_("Always the same SDR"), [(key, str(user)) for key, user in self.people.items()]),
        ]
        self.fields["origin"].widget.attrs |= {"list": "origins", "autocomplete": "off"}

    @property
    def says(self) -> dict[str, Any]:
        said = dict(self.cleaned_data)
        to = said.pop("to")
        return said | {"team": self.teams.get(to), "user": self.people.get(to)}


class ShareForm(forms.Form):
    """Only reads what was posted; the page writes its own row for each SDR."""

    takes_leads = forms.BooleanField(required=False)
    lead_capacity = forms.IntegerField(min_value=0, max_value=MOST_CAPACITY)


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    at = timezone.now()
    everybody = assignment.candidates(at)
    sdrs = [
        {"row": found, "share": assignment.daily_share(found.user)}
        for user in access.sdrs()
        if (found := everybody.get(user.pk)) is not None
    ]
    context = {**_rules(request), "sdrs": sdrs, "most": MOST_CAPACITY}
    return render_page(request, "crm/assignment.html", context, parts=PARTS)


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def new(request: Request) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@access.admin_only
def edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, access.assignment_rule(pk))


@require_POST
@access.admin_only
def move(request: Request, pk: int) -> HttpResponse:
    """`to` is the place, counted from 0, at which the rule is tried from now on."""
    rule = access.assignment_rule(pk)
    to = query.number(request.POST.get("to"))
    if to is not None:
        assignment.move_rule(rule=rule, to=to, by=request.user, at=timezone.now())
    return redirect_or_part(request, "crm:assignment", "crm/assignment.html", lambda: _rules(request), PARTS)


@require_POST
@access.admin_only
def remove(request: Request, pk: int) -> HttpResponse:
    assignment.remove_rule(rule=access.assignment_rule(pk), by=request.user, at=timezone.now())
    messages.success(request, _("The rule is removed. What it gave stays where it is."))
    return redirect("crm:assignment")


@require_POST
@access.leading_only
def share(request: Request, pk: int) -> HttpResponse:
    """How much one SDR takes on."""
    user = access.sdr(pk)
    form = ShareForm(request.POST)
    if form.is_valid():
        assignment.set_share(user=user, **form.cleaned_data, by=request.user, at=timezone.now())
        messages.success(request, _("Saved for %(name)s.") % {"name": user})
    else:
        messages.error(request, _("Choose a number of leads between 0 and %(most)d.") % {"most": MOST_CAPACITY})
    return redirect("crm:assignment")


def _rules(request: Request) -> dict[str, Any]:
    preview = assignment.preview()
    rules = [
        {"row": row, "conditions": _conditions(row), "number": preview.by_rule.get(row.pk)}
        for row in access.assignment_rules()
    ]
    return {"rules": rules, "preview": preview, "may_edit": request.user.is_staff, "nav": "settings"}


def _conditions(rule: AssignmentRule) -> list[str]:
    said = []
    if rule.language:
        said.append(_("speaks %(language)s") % {"language": rule.get_language_display()})
    if rule.sector:
        said.append(_("sector %(sector)s") % {"sector": rule.sector})
    if rule.country:
        said.append(_("from %(country)s") % {"country": rule.country})
    if rule.origin:
        said.append(_("origin %(origin)s") % {"origin": origins.words(rule.origin)})
    return said


def _edit(request: Request, rule: AssignmentRule | None) -> HttpResponse:
    initial: dict[str, Any] = {}
    if rule is not None:
        initial = {name: getattr(rule, name) for name in ("language", "sector", "country", "origin", "is_active")}
        initial["to"] = f"team-{rule.team_id}" if rule.team_id else f"user-{rule.user_id}"
    form = RuleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            assignment.save_rule(rule=rule, **form.says, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The rule is saved."))
            return redirect("crm:assignment")
    context = {"form": form, "rule": rule, "origins": access.leads().origins(), "nav": "settings"}
    return render_page(request, "crm/assignment_rule.html", context)
