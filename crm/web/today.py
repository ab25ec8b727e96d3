"""Today: what to do next, in order, each with its why; promises, hand-offs and one's own deals beside it. A finite list, for one user's own day.

The page looks again by itself (`now`), and says nothing when nothing that it shows has changed.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import IntegerField
from django.http import HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from crm import day
from crm.clock import next_working_day
from crm.models import FollowUp
from crm.models.follow_ups import FollowUpQuerySet
from crm.web import access, agenda, half_hour, keyset, query, today_rows, today_side
from crm.web.counting import in_words
from crm.web.keyset import Key
from crm.web.page import Request, render_page

JUDGED = 500
"""The first so many of a list are asked of the guard; those far behind them count as waiting."""

HELD = 3
"""Shown at the end of the first page, of those that are held back and would stand there."""

ORDER = (
    Key("place", field=IntegerField(), nullable=False),
    Key("points", descending=True, field=IntegerField(), nullable=False),
    "show_at",
    "id",
)
"""The order of `FollowUpQuerySet.ranked`, as pages know it."""

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|data-spent="\d+"|(?<=data-clock>)[^<]*')
"""Another one each time, and nothing that is seen: tokens, and the clock of the half hour, which runs by itself."""


@require_safe
def today(request: Request) -> HttpResponse:
    return render_page(request, "crm/today.html", content(request), parts=("today",))


@require_safe
def now(request: Request) -> HttpResponse:
    """The page as it is now, for a browser that shows it already: 204 when it is what `seen` stands for."""
    asked_for = request.GET.get("seen", "")
    context = content(request)
    part = render_to_string("crm/today.html#today", context, request)
    seen = hashlib.sha256(TOKEN.sub("", part).encode()).hexdigest()[:32]
    if request.htmx and asked_for == seen:
        return HttpResponse(status=204)
    return render_page(request, "crm/today.html", context | {"seen": seen}, parts=("today",))


def content(request: Request) -> dict[str, Any]:
    """Everything the page shows, read at one moment."""
    at, user = timezone.now(), request.user
    local = timezone.localtime(at)
    asked = _asked(request)
    request.GET = asked  # type: ignore[assignment]  # Links among pages keep what the page was asked for.
    end = datetime.combine(local.date(), time.max, tzinfo=local.tzinfo)
    # Shown all day, also before work begins.
    mine = day.outside_half_hour(access.follow_ups().filter(owner=user).due(end), user, local.date())
    ranked = list(mine.ranked(end).only("person", "rule", "rank")[:JUDGED])
    held = day.held_back(ranked, at, by=user)
    people, free = day.waiting(mine, held)
    things = free + len(held)
    room = day.room(user, at)
    everything = asked.get("all") == "1"
    page = keyset.page(mine.with_places(end), order=ORDER, at=asked) if everything else _first(ranked, held, room)
    if everything:
        held |= day.held_back([row for row in page if row not in ranked], at, by=user)
    rows = today_rows.lines(request, _detailed(mine, page), held, at)
    tomorrow = next_working_day(local.date() + timedelta(days=1), user.calendar)
    monday = next_working_day(local.date() + timedelta(days=7 - local.weekday()), user.calendar)
    return {
        "at": at,
        "day": date_format(local, _("l j F")),
        "week": local.isocalendar().week,
        "greeting": greeting(local.hour),
        "sentence": waiting(people, free),
        "page": page,
        "rows": rows,
        "things": things,
        "everything": everything,
        "rest": max(0, things - len(rows)),
        "room": room,
        "calm": calm(room, things, tomorrow),
        "is_new": not things and not room.done and not access.follow_ups().filter(owner=user).exists(),
        "tomorrow": tomorrow,
        # On the last working day of a week the two are the same morning; then the second choice is a week later.
        "next_week": monday if monday != tomorrow else next_working_day(tomorrow + timedelta(days=7), user.calendar),
        "is_next_week": monday != tomorrow,
        "soonest": local.date() + timedelta(days=1),
        "here": reverse("crm:today") + (f"?{asked.urlencode()}" if asked else ""),
        "hand_offs": today_side.hand_offs(request),
        "agenda": agenda.coming(request, at),
        **half_hour.card(request, at),
        **today_side.promises(request, local.date()),
        **today_side.pipeline(request, local.date()),
    }


def _asked(request: Request) -> QueryDict:
    """The query of the page: the request's own, or that of the page on which an act was done or which looks again."""
    if not request.htmx or request.htmx.target != "today" or (request.method == "GET" and "seen" not in request.GET):
        return request.GET
    return QueryDict(query.page_of_browser(request).query)


def _first(ranked: list[FollowUp], held: dict[int, day.Held], room: day.Room) -> keyset.Page[FollowUp]:
    """What fits the day, and those held back that would have stood among them."""
    shown = day.chosen((row for row in ranked if row.pk not in held), room)
    last = ranked.index(shown[-1]) if shown else len(ranked)
    return keyset.Page([*shown, *[row for row in ranked[:last] if row.pk in held][:HELD]])


def _detailed(mine: FollowUpQuerySet, page: keyset.Page[FollowUp]) -> list[FollowUp]:
    """The rows of the page, in its order, with all that their lines say."""
    found = {row.pk: row for row in today_rows.with_details(mine.filter(pk__in=[row.pk for row in page]))}
    return [found[row.pk] for row in page if row.pk in found]


def calm(room: day.Room, things: int, tomorrow: date) -> str:
    """What waits on a day off, or when the day is full, and until when it may."""
    if room.is_off and things:
        values = {"day": date_format(room.back_on, _("l j F"))} if room.back_on else {}
        if not values:
            return _("You are off today. It can all wait until you are back.")
        return _("You are off today. It can all wait until %(day)s.") % values
    if not room.is_off and room.done >= room.fits and things:
        number = in_words(room.done).capitalize()
        return ngettext(
            "%(number)s thing done today, and that is enough. The rest can wait until %(day)s.",
            "%(number)s things done today, and that is enough. The rest can wait until %(day)s.",
            room.done,
        ) % {"number": number, "day": date_format(tomorrow, "l")}
    return ""


def greeting(hour: int) -> str:
    if hour < 12:
        return _("Good morning.")
    return _("Good afternoon.") if hour < 18 else _("Good evening.")


def waiting(people: int, things: int) -> str:
    """The true count, as one sentence: people before things, and calm when there is nothing."""
    if people:
        number = in_words(people).capitalize()
        return ngettext(
            "%(number)s person is waiting to hear from you.", "%(number)s people are waiting to hear from you.", people
        ) % {"number": number}
    if things:
        number = in_words(things).capitalize()
        return ngettext("%(number)s thing is waiting for you.", "%(number)s things are waiting for you.", things) % {
            "number": number
        }
    return _("Nobody is waiting to hear from you.")
