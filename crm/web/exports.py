"""A list as a file: what its filters show, as far as it is yours to take along, and without the numbers and addresses of whom we leave in peace."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm import views
from crm.models import Person, Scope
from crm.models.views import ListScreen
from crm.pacing import wishes
from crm.reports import harmless
from crm.web import access, keyset
from crm.web.lists import Asked
from crm.web.lists.columns import Column
from crm.web.page import Request, render_page
from crm.web.saved_views import listing_of

MOST = 20_000
"""Rows of one file."""

CHUNK = 500
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""The byte order mark, by which Excel knows that the letters are UTF-8."""


@require_http_methods(["GET", "HEAD", "POST"])
def download(request: Request, screen: str) -> HttpResponseBase:
    """GET says what the file would hold and what stays out; POST writes down that it was taken, and gives it."""
    listing = listing_of(screen)
    query = QueryDict(request.POST.get("query", "")) if request.method == "POST" else request.GET
    asked = listing.ask(query, user=request.user, at=timezone.now())
    taken = _taken(request, asked)
    total, rows = keyset.bounded_count(asked.selected, MOST), keyset.bounded_count(taken, MOST)
    if request.method != "POST":
        context = {
            "listing": listing,
            "asked": asked,
            "rows": rows,
            "others": max(int(total) - _count(access.writable(request.user, asked.selected)), 0),
            "in_peace": _count(_mine_in_peace(request, asked)),
            "most": MOST,
            "nav": "people",
        }
        return render_page(request, "crm/lists/download.html", context)
    if rows.more:
        messages.error(request, _too_many())
        return redirect(f"{request.path}?{asked.query}")
    chosen = set(request.POST.getlist("column"))
    columns = [listing.columns[0], *(column for column in listing.columns[1:] if column.key in chosen)]
    keys = asked.in_order(taken, MOST)
    views.downloaded(
        screen=listing.screen,
        query=asked.query,
        columns=[column.key for column in columns],
        rows=len(keys),
        left_out=max(int(total) - len(keys), 0),
        by=request.user,
        at=timezone.now(),
    )
    mark = MARK if request.POST.get("mark") == "yes" else ""
    return StreamingHttpResponse(
        _lines(asked, columns, keys, mark, translation.get_language()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="kring-{screen}-{asked.viewer.today:%Y%m%d}.csv"'},
    )


def _taken(request: Request, asked: Asked) -> Any:
    """Of what the filters keep: what they may write, without whoever asked not to be contacted at all."""
    rows = access.writable(request.user, asked.selected)
    return rows.not_barred(Scope.CONTACT) if asked.listing.screen == ListScreen.PEOPLE else rows


def _mine_in_peace(request: Request, asked: Asked) -> Any:
    rows = access.writable(request.user, asked.selected)
    return rows.barred(Scope.CONTACT) if asked.listing.screen == ListScreen.PEOPLE else rows.none()


def _count(rows: Any) -> int:
    return int(keyset.bounded_count(rows, MOST))


def _too_many() -> str:
    return _("That is more than %(most)d rows. Narrow the list with a filter, and take it along in parts.") % {
        "most": MOST
    }


@dataclass(frozen=True)
class Peace:
    """What of these people is held back: for whom all of it, which single numbers and addresses, and why, in words that do not give them away."""

    call: dict[int, str] = field(default_factory=dict)
    mail: dict[int, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    def why(self, person: Person) -> str:
        points = [point.number for point in person.phone_numbers.all()]
        points += [point.address for point in person.email_addresses.all()]
        whole = [self.call.get(person.pk, ""), self.mail.get(person.pk, "")]
        return " ".join(dict.fromkeys(filter(None, [*whole, *(self.held.get(point, "") for point in points)])))


def _peace(people: Sequence[Person]) -> Peace:
    keys = [person.pk for person in people]
    numbers = [point.number for person in people for point in person.phone_numbers.all()]
    addresses = [point.address for person in people for point in person.email_addresses.all()]
    call, held_numbers = wishes.standing(keys, numbers, [Scope.CONTACT, Scope.CALL], named=False)
    mail, held_addresses = wishes.standing(keys, addresses, [Scope.CONTACT, Scope.MAIL], named=False)
    return Peace(call, mail, held_numbers | held_addresses)


def _cell(column: Column, row: Any, peace: Peace) -> str:
    if column.key == "phone":
        free = [] if row.pk in peace.call else row.phone_numbers.all()
        return ", ".join(point.readable for point in free if point.number not in peace.held)
    if column.key == "email":
        free = [] if row.pk in peace.mail else row.email_addresses.all()
        return ", ".join(point.address for point in free if point.address not in peace.held)
    return column.text(row)


def _lines(
    asked: Asked, columns: Sequence[Column], keys: Sequence[int], mark: str, language: str | None
) -> Iterator[str]:
    """The file, some hundred rows at a time, in the language of whoever asked: it is read after the request has ended."""
    writer = csv.writer(_Echo())
    is_people = asked.listing.screen == ListScreen.PEOPLE
    with translation.override(language):
        heads = [str(column.label) for column in columns] + ([_("Left in peace")] if is_people else [])
        head = mark + writer.writerow([harmless(text) for text in heads])
    yield head
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        with translation.override(language):
            found = {row.pk: row for row in asked.prepared(asked.listing.rows().filter(pk__in=chunk), list(columns))}
            rows = [found[key] for key in chunk if key in found]
            peace = _peace(rows) if is_people else Peace()
            lines = []
            for row in rows:
                cells = [_cell(column, row, peace) for column in columns] + ([peace.why(row)] if is_people else [])
                lines.append(writer.writerow([harmless(text) for text in cells]))
        yield "".join(lines)


class _Echo:
    """What a CSV writer writes to when each line is to be sent at once."""

    def write(self, line: str) -> str:
        return line
