"""Hand-offs that wait for an answer, and to whoever gives them what was answered lately. The brief of one is `crm.web.hand_off`."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm.models import Role
from crm.models.hand_offs import HandOffQuerySet
from crm.web import access, keyset
from crm.web.page import Request, render_page

WHOSE = {
    "me": gettext_lazy("Offered to me"),
    "team": gettext_lazy("Offered to my team"),
    "given": gettext_lazy("Given by me"),
    "all": gettext_lazy("All that wait"),
}


@require_safe
def hand_offs(request: Request) -> HttpResponse:
    """What waits for an answer, the most urgent first. `whose`: me, team, given, all."""
    user = request.user
    whose = request.GET.get("whose", "")
    if whose not in WHOSE:
        whose = "given" if user.role == Role.SDR else "all" if user.is_leading else "team"
    rows = access.hand_offs().waiting()
    if whose == "me":
        rows = rows.filter(to_user=user)
    elif whose == "team":
        rows = rows.filter(Q(to_user=user) | Q(to_user__team__isnull=False, to_user__team=user.team_id))
    elif whose == "given":
        rows = rows.filter(from_user=user)
    page = keyset.page(rows.for_page(), order=("answer_due_at", "id"), at=request.GET)
    context = {
        "page": page,
        "whose": whose,
        "choices": WHOSE.items(),
        "now": timezone.now(),
        "given": _given(request, whose),
    }
    return render_page(request, "crm/hand_offs.html", context, parts=("hand-offs",))


def _given(request: Request, whose: str) -> HandOffQuerySet | None:
    """To whoever gives: what was answered lately."""
    if whose != "given":
        return None
    answered = access.hand_offs().filter(from_user=request.user, answered_at__isnull=False)
    return answered.for_page().order_by("-answered_at", "-id")[:10]
