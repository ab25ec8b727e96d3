"""Teams, absences, and the rules by which leads are given: what the settings show and change."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from crm.models import Absence, AssignmentRule, Role, Team, User
from crm.models.users import AbsenceQuerySet
from crm.web.page import Request


def team(pk: int) -> Team:
    return get_object_or_404(Team, pk=pk)


def days_away() -> AbsenceQuerySet:
    return Absence.objects.select_related("user", "stand_in")


def day_away(request: Request, pk: int) -> Absence:
    """To be changed by whose it is and by those who lead."""
    row = get_object_or_404(days_away(), pk=pk)
    if row.user_id != request.user.pk and not request.user.is_leading:
        raise PermissionDenied(_("Absences of colleagues are noted by themselves and by those who lead."))
    return row


def assignment_rules() -> QuerySet[AssignmentRule]:
    return AssignmentRule.objects.select_related("team", "user")


def assignment_rule(pk: int) -> AssignmentRule:
    return get_object_or_404(assignment_rules(), pk=pk)


def sdrs() -> QuerySet[User]:
    """Those who get leads by turns, or may."""
    return User.objects.active().filter(role=Role.SDR).select_related("team").order_by("name", "id")


def sdr(pk: int) -> User:
    return get_object_or_404(sdrs(), pk=pk)
