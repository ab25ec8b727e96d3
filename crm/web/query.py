"""Read what an address or a small form asks for. What makes no sense counts as not asked, so a mistyped address still shows a page."""

from __future__ import annotations

from datetime import date
from urllib.parse import SplitResult, urlsplit

from django.http import HttpRequest
from django.utils.dateparse import parse_date

from crm.web.page import Request

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Years with which can be reckoned: what lies at the end of the calendar has no day after it."""


def number(text: str | None) -> int | None:
    """The number of a row, as the database can hold it."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def day(text: str | None) -> date | None:
    """A day such as 2026-11-23."""
    try:
        found = parse_date(text or "")
    except ValueError:
        return None
    return found if found and FIRST_YEAR <= found.year <= LAST_YEAR else None


def typed(request: Request, name: str, longest: int) -> str:
    """One line that was typed into a small form, without what a database cannot hold."""
    return " ".join(request.POST.get(name, "").replace("\x00", " ").split())[:longest]


def page_of_browser(request: HttpRequest) -> SplitResult:
    """The address that the browser shows while htmx asks for a part of it; an empty one when it tells none, or something that is none."""
    try:
        return urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return urlsplit("")
