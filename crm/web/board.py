"""The board: open deals by stage, with what their buyers and their sellers say. A card moves by drag, by menu and by plain form alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.models import Deal, Pipeline, Role, Stage, User
from crm.models.deals import DealQuerySet
from crm.web import access, query
from crm.web.page import Request, render_page

CARDS = 25
"""How many cards a column shows; the others are one click away, in the list."""

WHOSE = ("me", "team", "all")


@dataclass(frozen=True)
class Card:
    """One deal as its card says it; the words are made here once, since a board has a hundred cards."""

    deal: Deal
    href: str
    who: str
    owner: str
    is_movable: bool

    @classmethod
    def of(cls, deal: Deal, user: User) -> Card:
        return cls(
            deal=deal,
            href=reverse("crm:deal", args=[deal.pk]),
            who=" · ".join(str(row) for row in (deal.organisation, deal.person) if row),
            owner=deal.owner.name if deal.owner else "",
            is_movable=access.may_write(user, deal.owner),
        )


@dataclass
class Column:
    """One stage: some cards, and the count and sums (one for each currency) of all that stand in it. `moves` leads to the other stages."""

    stage: Stage
    cards: list[Card] = field(default_factory=list)
    totals: list[dict[str, Any]] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(total["number"] for total in self.totals)

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.cards))


def whose(user: User, asked: str | None) -> str:
    """Whose deals to show: as asked, else an account manager's own and everybody's for the others."""
    if asked in WHOSE and not (asked == "team" and user.team_id is None):
        return asked
    return "me" if user.role == Role.ACCOUNT_MANAGER else "all"


def of(user: User, owner: str, rows: DealQuerySet) -> DealQuerySet:
    """The rows that are the user's (for an SDR: that they qualified), their team's, or everybody's."""
    if owner == "me":
        return rows.filter(sdr=user) if user.role == Role.SDR else rows.filter(owner=user)
    if owner == "team":
        return rows.filter(owner__team=user.team_id)
    return rows


@require_safe
def board(request: Request) -> HttpResponse:
    return render_page(request, "crm/board.html", context(request.user, request.GET), parts=("board",))


def context(user: User, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the board shows of the pipeline and to whom it belongs, as `asked` says."""
    pipelines = list(access.pipelines())
    wanted = query.number(asked.get("pipeline"))
    pipeline = next((row for row in pipelines if row.pk == wanted), pipelines[0] if pipelines else None)
    owner = whose(user, asked.get("owner"))
    rows = of(user, owner, access.deals().open())
    columns = _columns(user, pipeline, rows) if pipeline else []
    return {
        "pipelines": pipelines,
        "pipeline": pipeline,
        "owner": owner,
        "columns": columns,
        "count": sum(column.count for column in columns),
        "today": timezone.localdate(),
    }


def _columns(user: User, pipeline: Pipeline, rows: DealQuerySet) -> list[Column]:
    """Three queries, whatever the number of stages and cards: the first cards of each stage, the cards, and the sums."""
    soonest = rows.filter(stage=OuterRef("pk")).order_by("next_step_on", "pk").values("pk")[:CARDS]
    stages = list(pipeline.stages.annotate(card_ids=ArraySubquery(soonest)))
    found = {
        deal.pk: deal for deal in access.deals().for_list().filter(pk__in=[pk for s in stages for pk in s.card_ids])
    }
    columns = {
        stage.pk: Column(
            stage=stage,
            cards=[Card.of(found[pk], user) for pk in stage.card_ids if pk in found],
            moves=[
                (str(other.pk), _("To %(stage)s") % {"stage": other.name}) for other in stages if other.pk != stage.pk
            ],
        )
        for stage in stages
    }
    for total in rows.filter(stage__in=columns).totals("stage"):
        columns[total["stage"]].totals.append(total)
    return list(columns.values())
