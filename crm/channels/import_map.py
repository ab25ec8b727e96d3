"""The map of an import: a TOML text in, checked values out. It says which kind of rows a file holds and which column is which field.

Everything is checked before a file is touched, and all that is wrong is said at once, in sentences.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from django.utils.translation import gettext as _

PERSON_WAYS = ("email", "email_2", "email_3", "phone", "phone_2", "phone_3")

FIELDS: Mapping[str, tuple[str, ...]] = {
    "leads": (
        *(
            "received_at",
            "person_name",
            "email",
            "phone",
            "organisation",
            "domain",
            "content",
            "origin",
            "owner",
            "status",
        ),
        *("decline_reason", "nurture_until", "message"),
    ),
    "deals": (
        *(
            "lead",
            "name",
            "organisation",
            "sdr",
            "owner",
            "stage",
            "amount",
            "currency",
            "created_at",
            "won_at",
            "lost_at",
        ),
        *("closed_at", "lost_reason", "buyer_date", "seller_date", "product"),
    ),
    "people": (
        *("name", "given_name", "particle", "family_name", *PERSON_WAYS, "organisation", "domain", "title", "language"),
        *("interests", "tier", "note", "owner"),
    ),
    "organisations": ("name", "domain", "kvk_number", "vat_number", "sector", "city", "country", "owner"),
}
"""What a file of each kind may fill."""

NEEDS_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "leads": (),
    "deals": (),
    "people": ("name", "given_name", "family_name"),
    "organisations": ("name",),
}


class MapError(Exception):
    """The map cannot be used. `problems` are translated sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class ImportMap:
    """A checked map. `columns` is field → column; `values` is field → {value in the file → value for Kring}.

    Without `formats`, dates are read as ISO 8601. Times without an offset are times in `time_zone`; `country` is that of phone numbers without
    a country code (`None`: the organisation's own).
    """

    kind: str
    external_id: str
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    time_zone: str | None = None
    country: str | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that the file must have, the identifying one first."""
        return tuple(dict.fromkeys((self.external_id, *self.columns.values())))

    def zone(self, default: str) -> ZoneInfo:
        return ZoneInfo(self.time_zone or default)


def parse(text: str) -> ImportMap:
    """Read a map. Raises `MapError` with everything that is wrong with it."""
    try:
        raw = tomllib.loads(text)
    except RecursionError as error:
        raise MapError([_("The map is nested too deeply.")]) from error
    except tomllib.TOMLDecodeError as error:
        raise MapError([_("The map is not valid TOML: %(error)s.") % {"error": error}]) from error
    problems: list[str] = []
    _no_others(raw, ("kind", "external_id", "columns", "values", "dates", "country"), "", problems)

    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in FIELDS:
        raise MapError([*problems, _("“kind” must be one of %(kinds)s.") % {"kinds": ", ".join(FIELDS)}])
    external_id = raw.get("external_id")
    if not isinstance(external_id, str) or not external_id.strip():
        problems.append(_("“external_id” must name the column that identifies a row for ever."))
        external_id = ""

    columns = _texts(raw.get("columns", {}), "columns", problems)
    for name in columns:
        _known(kind, name, "columns", problems)
        if not columns[name].strip():
            problems.append(_("[columns] %(field)s names no column.") % {"field": name})
    needed = NEEDS_ONE_OF[kind]
    if needed and not any(name in columns for name in needed):
        problems.append(_("[columns] must have %(fields)s.") % {"fields": _(" or ").join(needed)})

    values: dict[str, dict[str, str]] = {}
    table = raw.get("values", {})
    if not isinstance(table, dict):
        problems.append(_("[values] must hold tables, such as [values.origin]."))
        table = {}
    for name, pairs in table.items():
        if _known(kind, name, "values", problems) and name not in columns:
            problems.append(_("[values.%(field)s] translates a field that [columns] does not fill.") % {"field": name})
        values[name] = _texts(pairs, f"values.{name}", problems)

    formats, time_zone = _dates(raw.get("dates", {}), problems)
    country = raw.get("country")
    if country is not None and str(country) not in phonenumbers.SUPPORTED_REGIONS:
        problems.append(_("“country” must be a country in two capitals, such as BE."))
    if problems:
        raise MapError(problems)
    return ImportMap(
        kind,
        external_id.strip(),
        {name: column.strip() for name, column in columns.items()},
        values,
        formats,
        time_zone,
        country,
    )


def _no_others(table: Mapping[str, Any], known: tuple[str, ...], where: str, problems: list[str]) -> None:
    for name in table:
        if name not in known:
            said = {"name": f"{where}{name}", "known": ", ".join(known)}
            problems.append(_("The map has an unknown entry “%(name)s”; known are %(known)s.") % said)


def _known(kind: str, name: str, table: str, problems: list[str]) -> bool:
    if name in FIELDS[kind]:
        return True
    said = {"table": table, "field": name, "kind": kind, "known": ", ".join(FIELDS[kind])}
    problems.append(_("[%(table)s] %(field)s is no field of %(kind)s; known are %(known)s.") % said)
    return False


def _texts(table: Any, name: str, problems: list[str]) -> dict[str, str]:
    if not isinstance(table, dict):
        problems.append(_("[%(table)s] must be a table of texts.") % {"table": name})
        return {}
    wrong = [key for key, value in table.items() if not isinstance(value, str)]
    for key in wrong:
        problems.append(_("[%(table)s] %(key)s must be a text in quotes.") % {"table": name, "key": key})
    return {key: value for key, value in table.items() if key not in wrong}


def _dates(table: Any, problems: list[str]) -> tuple[tuple[str, ...], str | None]:
    if not isinstance(table, dict):
        problems.append(_("[%(table)s] must be a table.") % {"table": "dates"})
        return (), None
    _no_others(table, ("formats", "timezone"), "dates.", problems)
    formats = table.get("formats", [])
    if not isinstance(formats, list) or not all(isinstance(form, str) for form in formats):
        problems.append(_('[dates] formats must be a list of texts such as "%%Y-%%m-%%d".') % {})
        formats = []
    for form in formats:
        if not _reads_a_day(form):
            problems.append(
                _("[dates] “%(format)s” is no date format with a year, a month and a day, such as %%d-%%m-%%Y.")
                % {"format": form}
            )
    zone = table.get("timezone")
    if zone is not None and str(zone) not in available_timezones():
        problems.append(_("[dates] “%(zone)s” is no time zone. Use a name such as Europe/Brussels.") % {"zone": zone})
        zone = None
    return tuple(formats), zone


def _reads_a_day(form: str) -> bool:
    example = datetime(2024, 12, 31, 13, 14, 15, tzinfo=UTC)
    try:
        return datetime.strptime(example.strftime(form), form).date() == example.date()  # noqa: DTZ007 - the day alone counts
    except ValueError:
        return False
