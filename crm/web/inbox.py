"""The inbox: leads by response clock, the late ones first; and every list of leads that a number on the dashboard opens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, Q
from django.http import HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm.clock import day_start, organisation_calendar
from crm.models import IN_HAND, LeadStatus, Role, User
from crm.models.leads import STEPS, LeadQuerySet
from crm.web import access, keyset, origins, query
from crm.web.page import Request, render_page

IN_HAND_WORD = "in_hand"
NOT_RECORDED = "-"
MINE_AND_NOBODYS = "mine"
BY_CLOCK = (keyset.Key("clock_due_at", nulls_last=True, field=DateTimeField(null=True)), "-received_at", "-id")
BY_RECEIVED = ("-received_at", "-id")
NARROWING = ("origin", "content", "team", "received_from", "received_to", "reached")
"""Filters that look at the whole, as a number on the dashboard does: with one of them, no owner means anyone."""
MOST_CONTENTS = 200
REACHED = {
    "qualified": gettext_lazy("who were qualified"),
    "handed_off": gettext_lazy("who were handed off"),
    "deals": gettext_lazy("who became a deal"),
    "won": gettext_lazy("who were won"),
    "advocates": gettext_lazy("who recommend us"),
}


@require_safe
def inbox(request: Request) -> HttpResponse:
    """`status` (one, `in_hand` or `all`), `owner` (a number, `me`, `nobody`, `anyone`, `mine`), `origin`, `content` (`-`: not recorded), `team`,
    `received_from`, `received_to` (first and last day), `reached` (a step of the funnel), `sort` (`received`). What makes no sense is left out."""
    chosen = _chosen(request)
    rows = _selected(request.user, chosen)
    by_clock = chosen["status"] in (IN_HAND_WORD, *IN_HAND) and chosen["sort"] != "received"
    context: dict[str, Any] = {
        "page": keyset.page(rows.for_list(), order=BY_CLOCK if by_clock else BY_RECEIVED, at=request.GET),
        "count": keyset.bounded_count(rows, limit=1000),
        "by_clock": by_clock,
        "chosen": chosen,
        "narrowed": any(chosen[name] for name in NARROWING)
        or chosen["status"] != IN_HAND_WORD
        or chosen["owner"] != _own_view(request.user),
        "now": timezone.now(),
        "has_refused": request.user.is_leading and access.submissions().to_review().exists(),
        "asked": access.hand_offs().asked().filter(from_user=request.user).for_page(),
        **_offered(chosen),
    }
    context["also"] = _also(chosen, context)
    return render_page(request, "crm/inbox.html", context, parts=("leads",))


def _own_view(user: User) -> str:
    return "anyone" if user.is_leading or user.role == Role.ACCOUNT_MANAGER else MINE_AND_NOBODYS


def _chosen(request: Request) -> dict[str, Any]:
    """What the address asks for, as values that can be shown again; nonsense counts as not asked."""
    asked = request.GET
    status = asked.get("status", "")
    owner = asked.get("owner", "")
    narrowed = any(asked.get(name) for name in NARROWING)
    known_owner = owner in ("me", "nobody", "anyone", MINE_AND_NOBODYS) or query.number(owner) is not None
    return {
        "status": status if status in (*LeadStatus.values, IN_HAND_WORD, "all") else IN_HAND_WORD,
        "owner": owner if known_owner else "anyone" if narrowed else _own_view(request.user),
        "origin": asked.get("origin", "")[:50].replace("\x00", ""),
        "content": NOT_RECORDED if asked.get("content") == NOT_RECORDED else query.number(asked.get("content")),
        "team": query.number(asked.get("team")),
        "received_from": query.day(asked.get("received_from")),
        "received_to": query.day(asked.get("received_to")),
        "reached": asked.get("reached", "") if asked.get("reached") in STEPS else "",
        "sort": "received" if asked.get("sort") == "received" else "",
    }


def _selected(user: User, chosen: dict[str, Any]) -> LeadQuerySet:
    rows = access.leads()
    if chosen["status"] == IN_HAND_WORD:
        rows = rows.in_hand()
    elif chosen["status"] != "all":
        rows = rows.filter(status=chosen["status"])
    match chosen["owner"]:
        case "anyone":
            pass
        case "me":
            rows = rows.filter(owner=user)
        case "nobody":
            rows = rows.filter(owner__isnull=True)
        case "mine":
            rows = rows.filter(Q(owner=user) | Q(owner__isnull=True))
        case number:
            rows = rows.filter(owner_id=int(number))
    if chosen["origin"]:
        rows = rows.filter(origin="" if chosen["origin"] == NOT_RECORDED else chosen["origin"])
    if chosen["content"] == NOT_RECORDED:
        rows = rows.filter(content__isnull=True)
    elif chosen["content"]:
        rows = rows.filter(content_id=chosen["content"])
    if chosen["team"]:
        rows = rows.filter(owner__team_id=chosen["team"])
    # The days of the organisation, as in every report: a number and the list behind it agree for every reader.
    zone = organisation_calendar().zone
    if chosen["received_from"]:
        rows = rows.filter(received_at__gte=day_start(chosen["received_from"], zone))
    if chosen["received_to"]:
        rows = rows.filter(received_at__lt=day_start(chosen["received_to"] + timedelta(days=1), zone))
    return rows.reached(chosen["reached"]) if chosen["reached"] else rows


def _offered(chosen: dict[str, Any]) -> dict[str, Any]:
    """What the filters offer. A value that is chosen is always among them."""
    contents = list(access.contents().order_by("title", "id")[:MOST_CONTENTS])
    if chosen["content"] not in (None, NOT_RECORDED) and chosen["content"] not in {content.pk for content in contents}:
        contents = [*access.contents().filter(pk=chosen["content"]), *contents]
    teams = list(access.teams())
    owners = access.users().values_list("pk", "name")
    return {
        "statuses": [(IN_HAND_WORD, _("in hand")), *LeadStatus.choices, ("all", _("all"))],
        "teams": teams,
        "contents": contents,
        "owner_options": _options(owners, chosen["owner"]),
        "origin_options": _options(
            ((origin, origins.words(origin)) for origin in access.leads().origins()), chosen["origin"]
        ),
        "team_options": _options(((team.pk, team.name) for team in teams), chosen["team"]),
        "content_options": _options(
            ((content.pk, Truncator(content.title).chars(60)) for content in contents), chosen["content"]
        ),
    }


def _options(choices: Iterable[tuple[Any, str]], chosen: Any) -> SafeString:
    """The options of a long list, which a template would take its time over."""
    marked = ((value, " selected" if str(value) == str(chosen) else "", label) for value, label in choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', marked)


def _also(chosen: dict[str, Any], offered: dict[str, Any]) -> list[str]:
    """The conditions that stand folded away, in words."""
    said = []
    if chosen["content"] == NOT_RECORDED:
        said.append(_("who came through nothing we know of"))
    elif chosen["content"]:
        said += [
            _("who came through “%(content)s”") % {"content": content}
            for content in offered["contents"]
            if content.pk == chosen["content"]
        ]
    if chosen["team"]:
        said += [_("of team %(team)s") % {"team": team} for team in offered["teams"] if team.pk == chosen["team"]]
    if chosen["reached"]:
        said.append(str(REACHED[chosen["reached"]]))
    if chosen["received_from"]:
        said.append(_("received from %(day)s on") % {"day": date_format(chosen["received_from"], "j F Y")})
    if chosen["received_to"]:
        said.append(_("received up to %(day)s") % {"day": date_format(chosen["received_to"], "j F Y")})
    return said
