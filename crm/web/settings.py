"""What is set up now, with counts and a way to each: for administrators; managers see the parts that they may use."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings as kring
from django.db.models import Count, Q
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.models import ContentKind, Role
from crm.outbox import MOST_TRIES
from crm.web import access, keyset
from crm.web.page import Request, render_page


@require_safe
@access.leading_only
def settings(request: Request) -> HttpResponse:
    """The whole for administrators; imports, forms, scorecards and pipelines to look at for managers."""
    at = timezone.now()
    context: dict[str, Any] = {
        "is_admin": request.user.role == Role.ADMIN,
        "forms": access.capture_forms().order_by("-is_active", "title"),
        "scorecards": [
            {"row": row, "sides": Counter(criterion.side for criterion in row.criteria.all())}
            for row in access.scorecards().prefetch_related("criteria")
        ],
        "pipelines": access.pipelines().prefetch_related("stages"),
        "imports": access.imports()[:3],
        "failing": access.rule_runs().filter(failing_since__isnull=False),
        "assignment_rules": access.assignment_rules().filter(is_active=True).count(),
        "away_now": access.days_away().on(timezone.localdate(at)).order_by("ends_on", "pk")[:5],
        "left_in_peace": keyset.bounded_count(access.wishes().standing()),
        "registers": [
            {"row": row, "days": row.days_old(at), "is_old": row.is_old(at)}
            for row in access.registers().order_by("loaded_at", "pk")
        ],
    }
    if context["is_admin"]:
        context |= {
            "users": access.users().aggregate(
                number=Count("pk"), **{role: Count("pk", filter=Q(role=role)) for role in Role.values}
            ),
            "teams": access.teams().annotate(number=Count("members", filter=Q(members__is_active=True))),
            "content": [
                {"label": ContentKind(kind).label, "number": number}
                for kind, number in access.contents()
                .values_list("kind")
                .annotate(number=Count("pk"))
                .order_by("-number")
            ],
            "hooks": access.hooks().order_by("-is_active", "name", "id")[:5],
            "mail": access.outgoing_mail()
            .waiting()
            .aggregate(
                waiting=Count("pk", filter=Q(tries__lt=MOST_TRIES)),
                given_up=Count("pk", filter=Q(tries__gte=MOST_TRIES)),
            ),
            "failed_mail": access.outgoing_mail().waiting().exclude(failure="").order_by("-try_at")[:3],
            "mail_by": _sender(),
            "mail_from": kring.DEFAULT_FROM_EMAIL,
        }
    return render_page(request, "crm/settings.html", context)


def _sender() -> str:
    """Which way mail goes: `smtp`, `file` or `console`."""
    name = kring.EMAIL_BACKEND.rpartition(".backends.")[2].partition(".")[0]
    return {"filebased": "file"}.get(name, name)
