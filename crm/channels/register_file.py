"""Read a file of telephone numbers or addresses, such as a national do-not-call-me register: CSV or plain text, with or without a first row of
names. The column that holds most of what is wanted is the one that is read.

Row by row and in little memory. A row that holds nothing of the kind is given too, with the reason, so that nobody has to guess what was left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import BinaryIO

import phonenumbers
from django.utils.translation import gettext as _

from crm.channels import csv_file

SAMPLE = 200
"""So many rows decide which column it is."""

LONGEST = 400
"""Characters of a number or an address with what may stand around it; to look closer at more would take somebody's file minutes."""

ADDRESS = re.compile(r"\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*")
NUMBER = re.compile(r"[\s+0-9().\-/\u00a0]*")


@dataclass(frozen=True)
class Entry:
    """What stands on a line: a number or an address as it is written there, or, with a `problem`, what cannot be one."""

    line: int
    text: str
    problem: str = ""


def read(stream: BinaryIO, *, numbers: bool = True, addresses: bool = True, country: str = "BE") -> Iterator[Entry]:
    """Each entry of the file in its order. Raises `csv_file.Unreadable`, with a sentence, for what is no text at all, and when no column holds
    anything of what is wanted. `country` is that of numbers without a country code."""
    sheet = csv_file.examine(stream)
    # Whatever was taken for a first row of names may be a number, and whatever stands above it, too.
    rows = csv_file.rows(stream, replace(sheet, header_line=0))
    first = list(islice(rows, SAMPLE))
    place = _column(first, len(sheet.header), numbers, addresses, country)
    if place is None:
        raise csv_file.Unreadable(_nothing(numbers, addresses))
    for row in chain(first, rows):
        if isinstance(row, csv_file.BadRow):
            yield Entry(row.line, row.value, row.reason)
            continue
        text = row.cells[place].strip()
        if row.line == sheet.header_line and not _worth(text, numbers, addresses, country):
            continue
        yield Entry(row.line, text, "" if text else _("This row is empty in the column of the others."))


def _column(
    rows: list[csv_file.Row | csv_file.BadRow], width: int, numbers: bool, addresses: bool, country: str
) -> int | None:
    found = [row.cells for row in rows if isinstance(row, csv_file.Row)]
    worths = [sum(_worth(cells[place], numbers, addresses, country) for cells in found) for place in range(width)]
    best = max(worths, default=0)
    return worths.index(best) if best else None


def _worth(text: str, numbers: bool, addresses: bool, country: str) -> int:
    """How much a cell looks like what is wanted. A customer number may be a possible telephone number; a valid one that is written as one counts
    for more."""
    if len(text) > LONGEST:
        return 0
    if addresses and ADDRESS.fullmatch(text):
        return 4
    if not numbers or not NUMBER.fullmatch(text):
        return 0
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return 0
    if not phonenumbers.is_possible_number(number):
        return 0
    return 1 + phonenumbers.is_valid_number(number) + 2 * text.strip().startswith(("+", "0", "(0"))


def _nothing(numbers: bool, addresses: bool) -> str:
    if numbers and addresses:
        return _("No column of this file holds telephone numbers or e-mail addresses.")
    return (
        _("No column of this file holds telephone numbers.")
        if numbers
        else _("No column of this file holds e-mail addresses.")
    )
