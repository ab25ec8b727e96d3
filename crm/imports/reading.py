"""Rows of a file as values for Kring: each cell checked and converted, every bad one named with line, column, value and reason.

No row is written here. Conversions of equal cells are remembered, so that a column of few different dates costs little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any, BinaryIO

from babel import Locale
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum.eu import vat

from crm import notation
from crm.channels import csv_file
from crm.channels.csv_file import Sheet
from crm.channels.import_map import ImportMap
from crm.free_mail import FREE_MAIL_DOMAINS, company_domain
from crm.models import DealState, DeclineReason, Language, LeadStatus, LostReason, Stage, Tier
from crm.models.organisations import validate_kvk, validate_vat
from crm.refusal import Refused

REMEMBERED = 100_000
"""So many conversions are remembered before memory is made free."""

LARGEST_AMOUNT = Decimal("999999999999.99")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_SIGNS = re.compile(r"[\s\u00a0\u202f'€$£¥]|R\$|EUR|USD|GBP|BRL", re.IGNORECASE)
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Problem:
    """One value that was refused, and its row with it."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Taken:
    """A row as it would be taken: its line, its identity, a value for each staged column, and (when asked for) each converted cell."""

    line: int
    external_id: str
    values: dict[str, Any]
    cells: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stages:
    """Where a deal of the file may stand, by name in lower case. Earlier pipelines win a name that two share."""

    first: int
    last: int
    by_name: Mapping[str, int] = field(default_factory=dict)


def stages_of(rows: list[Stage]) -> Stages:
    """The places in the order of their pipelines. `rows` must not be empty."""
    first_pipeline = [stage for stage in rows if stage.pipeline_id == rows[0].pipeline_id]
    names: dict[str, int] = {}
    for stage in rows:
        names.setdefault(stage.name.strip().casefold(), stage.pk)
    return Stages(first_pipeline[0].pk, first_pipeline[-1].pk, names)


def missing(plan: ImportMap, sheet: Sheet) -> list[str]:
    """Sentences about mapped columns that the file does not have, or has twice."""
    found: dict[str, int] = {}
    for name in sheet.header:
        found[name.casefold()] = found.get(name.casefold(), 0) + 1
    sentences = []
    for column in plan.wanted:
        times = found.get(column.casefold(), 0)
        said = {"column": column, "found": ", ".join(sheet.header)[:500]}
        if times == 0:
            sentences.append(_("The file has no column “%(column)s”. Its columns are: %(found)s.") % said)
        elif times > 1 and sheet.header.count(column) != 1:
            sentences.append(_("The file has the column “%(column)s” twice.") % said)
    return sentences


class Reader:
    """Reads the rows of one file with one map. Iterate over `rows`; what is refused stands in `problems`."""

    def __init__(
        self, plan: ImportMap, sheet: Sheet, *, stages: Stages | None = None, keeps_cells: bool = False
    ) -> None:
        self.plan = plan
        self.sheet = sheet
        self.problems: list[Problem] = []
        self.refused_rows = 0
        self.read_rows = 0
        self._keeps_cells = keeps_cells
        self._seen: dict[str, int] = {}
        self._known: dict[tuple[str, str], Any] = {}
        self._kind = _KINDS[plan.kind]
        self._converters = self._kind.converters(plan, stages)
        self._at = {name: self._index(column) for name, column in plan.columns.items()}
        self._id_at = self._index(plan.external_id)

    def _index(self, column: str) -> int:
        if column in self.sheet.header:
            return self.sheet.header.index(column)
        return [name.casefold() for name in self.sheet.header].index(column.casefold())

    def rows(self, stream: BinaryIO) -> Iterator[Taken]:
        for row in csv_file.rows(stream, self.sheet):
            self.read_rows += 1
            if isinstance(row, csv_file.BadRow):
                self._refuse([Problem(row.line, row.column, row.value, row.reason)])
                continue
            taken = self._take(row.line, row.cells)
            if taken is not None:
                yield taken

    def _refuse(self, problems: list[Problem]) -> None:
        self.problems += problems
        self.refused_rows += 1

    def _take(self, line: int, cells: list[str]) -> Taken | None:
        wrong: list[Problem] = []
        external_id = cells[self._id_at].strip()
        if reason := self._wrong_id(external_id):
            wrong.append(Problem(line, self.plan.external_id, external_id, reason))
        values: dict[str, Any] = {}
        for name, at in self._at.items():
            cell = cells[at].strip()
            try:
                values[name] = self._convert(name, cell)
            except Refused as refusal:
                wrong.append(Problem(line, self.plan.columns[name], cell, str(refusal)))
        converted = dict(values) if self._keeps_cells else {}
        if not wrong:
            for name, reason in self._kind.finish(values, self.plan):
                column = self.plan.columns.get(name, name)
                cell = cells[self._at[name]].strip() if name in self._at else ""
                wrong.append(Problem(line, column, cell, reason))
        if wrong:
            self._refuse(wrong)
            return None
        self._seen[external_id] = line
        return Taken(line, external_id, values, converted)

    def _wrong_id(self, external_id: str) -> str:
        if not external_id:
            return _("The row has no id in this column, so it could not be recognised again.")
        if len(external_id) > self._kind.longest_id:
            return _too_long(self._kind.longest_id)
        if earlier := self._seen.get(external_id):
            return _("Line %(line)d has the same id already.") % {"line": earlier}
        return ""

    def _convert(self, name: str, cell: str) -> Any:
        key = (name, cell)
        if key in self._known:
            return self._known[key]
        translated = self.plan.values.get(name, {}).get(cell, cell).strip()
        value = self._converters[name](translated) if translated else None
        if len(cell) <= 200:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = value
        return value


# ── One cell ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _too_long(most: int) -> str:
    return _("This is longer than %(most)d characters.") % {"most": most}


def _text(most: int) -> Callable[[str], str]:
    def convert(cell: str) -> str:
        if len(cell) > most:
            raise Refused(_too_long(most))
        return cell

    return convert


def _whole_text(cell: str) -> str:
    return cell


def _moment(plan: ImportMap) -> Callable[[str], datetime]:
    zone = plan.zone(settings.TIME_ZONE)

    def convert(cell: str) -> datetime:
        moment = _read_date(cell, plan.formats)
        if not 1900 <= moment.year <= 2200:
            raise Refused(_("This date lies outside the years 1900 to 2200."))
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    return convert


def _day(plan: ImportMap) -> Callable[[str], date]:
    to_moment = _moment(plan)
    return lambda cell: to_moment(cell).date()


def _read_date(cell: str, formats: tuple[str, ...]) -> datetime:
    for form in formats:
        try:
            return datetime.strptime(cell, form)  # noqa: DTZ007 - a moment without an offset gets the map's zone
        except ValueError:
            continue
    if formats:
        raise Refused(_("This is not a date in the form %(formats)s.") % {"formats": _(" or ").join(formats)})
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        raise Refused(_("This is not a date such as 2026-01-31. Say its form in [dates] of the map.")) from None


def amount(cell: str) -> Decimal:
    """Money as people write it: 1234.5, 1.234,50, 1,234.50, € 1 200. A single sign before exactly three digits separates thousands."""
    text = _SIGNS.sub("", cell)
    commas, points = text.count(","), text.count(".")
    if commas and points:
        thousands, decimal = (",", ".") if text.rfind(".") > text.rfind(",") else (".", ",")
        text = text.replace(thousands, "").replace(decimal, ".")
    elif commas or points:
        sign = "," if commas else "."
        whole, _sign, rest = text.rpartition(sign)
        is_thousands = text.count(sign) > 1 or (len(rest) == 3 and whole.lstrip("-") not in {"", "0"})
        text = text.replace(sign, "" if is_thousands else ".")
    try:
        if not _PLAIN.fullmatch(text):
            raise InvalidOperation
        value = Decimal(text).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise Refused(_("This is not an amount such as 1250.00.")) from None
    if value < 0:
        raise Refused(_("An amount cannot be negative."))
    if value > LARGEST_AMOUNT:
        raise Refused(_("This amount is too large."))
    return value


def _currency(cell: str) -> str:
    code = {"€": "EUR", "$": "USD", "£": "GBP", "R$": "BRL"}.get(cell, cell.upper())
    if not re.fullmatch("[A-Z]{3}", code):
        raise Refused(_("This is not a currency such as EUR."))
    return code


def domain(cell: str) -> str | None:
    """The company's domain from a domain or a web address; `None` for a free-mail domain, which is nobody's."""
    bare = (
        re.sub(r"^[a-z]+://", "", cell.lower())
        .partition("/")[0]
        .partition(":")[0]
        .rpartition("@")[2]
        .removeprefix("www.")
        .rstrip(".")
    )
    try:
        bare = bare.encode("idna").decode()
    except UnicodeError:
        bare = ""
    if not _DOMAIN.fullmatch(bare):
        raise Refused(_("This is not a domain such as example.be."))
    return None if bare in FREE_MAIL_DOMAINS else bare


def _choice(choices: Any, refusal: str) -> Callable[[str], str]:
    """A value of the choices, or its name as the screens show it."""
    known = {str(value).casefold(): str(value) for value, _label in choices.choices}
    known |= {str(label).casefold(): str(value) for value, label in choices.choices}

    def convert(cell: str) -> str:
        if cell.casefold() not in known:
            raise Refused(refusal % {"known": ", ".join(choices.values)})
        return known[cell.casefold()]

    return convert


def _decline_reason(refusal: str) -> Callable[[str], str]:
    """The code of a reason in the list, by its code or by its name in either language. The list is read now: while rows are being copied, the
    connection answers nothing else."""
    known: dict[str, str] = {}
    codes: list[str] = []
    for code, *labels in DeclineReason.objects.values_list("code", "label_en", "label_nl"):
        codes.append(code)
        known.update(dict.fromkeys((word.casefold() for word in (code, *labels)), code))

    def convert(cell: str) -> str:
        if cell.casefold() not in known:
            raise Refused(refusal % {"known": ", ".join(codes)})
        return known[cell.casefold()]

    return convert


def _language(cell: str) -> str:
    code = re.split("[-_]", cell.lower())[0]
    known = {"english": "en", "engels": "en", "dutch": "nl", "nederlands": "nl"}
    code = known.get(code, code)
    if code not in Language.values:
        raise Refused(_("Kring writes in %(known)s only.") % {"known": ", ".join(Language.values)})
    return code


@cache
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in ("en", "nl"):
        names |= {
            str(name).casefold(): code
            for code, name in Locale(language).territories.items()
            if re.fullmatch("[A-Z]{2}", code)
        }
    return names


def _country(cell: str) -> str:
    known = _countries()
    code = known.get(cell.casefold(), cell.upper())
    if code not in known.values():
        raise Refused(_("This is not a country such as BE."))
    return code


def _kvk(cell: str) -> str:
    number = re.sub(r"[\s.]", "", cell)
    return _valid(validate_kvk, number)


def _vat(cell: str) -> str:
    _valid(validate_vat, cell)
    return str(vat.compact(cell))


def _valid(check: Callable[[str], Any], value: str) -> str:
    try:
        check(value)
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from None
    return value


def _email(cell: str) -> str:
    return notation.parse_email(_text(254)(cell))


def _phone(plan: ImportMap) -> Callable[[str], str]:
    return lambda cell: notation.parse_phone(cell, plan.country)


def _words(cell: str) -> list[str]:
    words = list(dict.fromkeys(part.strip() for part in re.split("[,;]", cell) if part.strip()))
    if any(len(word) > 50 for word in words):
        raise Refused(_too_long(50))
    return words


def _full_name(cell: str) -> notation.Name:
    name = notation.parse_name(cell)
    if len(name.given) > 100 or len(name.family) > 100 or len(name.particle) > 30:
        raise Refused(_too_long(100))
    return name


# ── One row, by kind ─────────────────────────────────────────────────────────────────────────────────────────────────

Converters = dict[str, Callable[[str], Any]]
Wrong = Iterator[tuple[str, str]]


class Leads:
    longest_id = 200

    @staticmethod
    def converters(plan: ImportMap, stages: Stages | None) -> Converters:
        return {
            "received_at": _moment(plan),
            "person_name": _full_name,
            "email": _email,
            "phone": _phone(plan),
            "organisation": _text(200),
            "domain": domain,
            "content": _text(100),
            "origin": _text(50),
            "owner": _text(100),
            "status": _choice(LeadStatus, _("This is no status of a lead; known are %(known)s.")),
            "decline_reason": _decline_reason(_("This is no reason to decline; known are %(known)s.")),
            "nurture_until": _day(plan),
            "message": _whole_text,
        }

    @staticmethod
    def finish(values: dict[str, Any], plan: ImportMap) -> Wrong:
        _split_name(values, values.pop("person_name", None))
        email = values.get("email")
        if email and not values.get("given_name") and not values.get("family_name"):
            values["given_name"] = email.partition("@")[0][:100]
        values["mail_domain"] = company_domain(email) or None if email else None
        status = values.get("status")
        if status in (LeadStatus.HANDED_OFF, LeadStatus.ACCEPTED):
            yield "status", _("A lead is handed off and accepted in Kring, or by importing its deal.")
        if status == LeadStatus.DECLINED and not values.get("decline_reason"):
            yield "status", _("A declined lead needs a reason. Map “decline_reason”.")
        if status == LeadStatus.NURTURE and not values.get("nurture_until"):
            yield "status", _("A lead to nurture needs a date. Map “nurture_until”.")


class Deals:
    longest_id = 100

    @staticmethod
    def converters(plan: ImportMap, stages: Stages | None) -> Converters:
        places = stages or Stages(0, 0)

        def place(cell: str) -> tuple[str, int | None]:
            name = cell.casefold()
            if name in places.by_name:
                return DealState.OPEN, places.by_name[name]
            if name in (DealState.WON, str(DealState.WON.label).casefold()):
                return DealState.WON, None
            if name in (DealState.LOST, str(DealState.LOST.label).casefold()):
                return DealState.LOST, None
            known = ", ".join((*places.by_name, DealState.WON, DealState.LOST))
            raise Refused(_("There is no stage of this name; known are %(known)s.") % {"known": known})

        def lost_reason(cell: str) -> tuple[str, str]:
            """A reason we know, or "something else" with their words kept."""
            try:
                return _choice(LostReason, "")(cell), ""
            except Refused:
                return LostReason.OTHER, cell

        return {
            "lead": _text(200),
            "name": _text(200),
            "organisation": _text(200),
            "sdr": _text(100),
            "owner": _text(100),
            "stage": place,
            "amount": amount,
            "currency": _currency,
            "created_at": _moment(plan),
            "won_at": _moment(plan),
            "lost_at": _moment(plan),
            "closed_at": _moment(plan),
            "lost_reason": lost_reason,
            "buyer_date": _day(plan),
            "seller_date": _day(plan),
            "product": _text(150),
        }

    @staticmethod
    def finish(values: dict[str, Any], plan: ImportMap) -> Wrong:
        """`state` is what the row says about the deal's end: open, won, lost, or `None` when it says nothing."""
        state, values["stage_id"] = values.pop("stage", None) or (None, None)
        won_at, lost_at, closed_at = (values.pop(name, None) for name in ("won_at", "lost_at", "closed_at"))
        values["lost_reason"], values["lost_note"] = values.get("lost_reason") or (None, None)
        if won_at and lost_at:
            yield "lost_at", _("A deal cannot be both won and lost.")
        if state == DealState.WON and lost_at:
            yield "lost_at", _("The row says that the deal is won, and gives a date on which it was lost.")
        if state == DealState.LOST and won_at:
            yield "won_at", _("The row says that the deal is lost, and gives a date on which it was won.")
        if won_at:
            state = DealState.WON
        elif lost_at:
            state = DealState.LOST
        elif closed_at and state is None:
            state = DealState.LOST if values["lost_reason"] else DealState.WON
        elif closed_at and state == DealState.OPEN and not values.get("seller_date"):
            # Other programs keep the day on which they hope to close an open deal in this column.
            values["seller_date"] = closed_at.date()
        values["state"] = state
        values["ended_at"] = (won_at or lost_at or closed_at) if state in (DealState.WON, DealState.LOST) else None


class People:
    longest_id = 100

    @staticmethod
    def converters(plan: ImportMap, stages: Stages | None) -> Converters:
        ways: Converters = {f"email{n}": _email for n in ("", "_2", "_3")}
        ways |= {f"phone{n}": _phone(plan) for n in ("", "_2", "_3")}
        return ways | {
            "name": _full_name,
            "given_name": _text(100),
            "particle": _text(30),
            "family_name": _text(100),
            "organisation": _text(200),
            "domain": domain,
            "title": _text(150),
            "language": _language,
            "interests": _words,
            "tier": _choice(Tier, _("This is no tier; known are %(known)s.")),
            "note": _whole_text,
            "owner": _text(100),
        }

    @staticmethod
    def finish(values: dict[str, Any], plan: ImportMap) -> Wrong:
        _split_name(values, values.pop("name", None))
        if not values.get("given_name") and not values.get("family_name"):
            name = next(name for name in ("name", "family_name", "given_name") if name in plan.columns)
            yield name, _("The name is missing.")
        for way, plural in (("email", "emails"), ("phone", "phones")):
            found = [values.pop(f"{way}{n}", None) for n in ("", "_2", "_3")]
            values[plural] = list(dict.fromkeys(value for value in found if value))
        values["email"] = next(iter(values["emails"]), None)
        values["mail_domain"] = next(filter(None, map(company_domain, values["emails"])), None)


class Organisations:
    longest_id = 100

    @staticmethod
    def converters(plan: ImportMap, stages: Stages | None) -> Converters:
        return {
            "name": _text(200),
            "domain": domain,
            "kvk_number": _kvk,
            "vat_number": _vat,
            "sector": _text(100),
            "city": _text(100),
            "country": _country,
            "owner": _text(100),
        }

    @staticmethod
    def finish(values: dict[str, Any], plan: ImportMap) -> Wrong:
        if not values.get("name"):
            yield "name", _("The name is missing.")


def _split_name(values: dict[str, Any], name: notation.Name | None) -> None:
    """Parts that have columns of their own win over the full name."""
    if name is not None and not values.get("given_name") and not values.get("family_name"):
        values["given_name"], values["particle"], values["family_name"] = (
            name.given or None,
            name.particle or None,
            name.family or None,
        )


_KINDS: dict[str, Any] = {"leads": Leads, "deals": Deals, "people": People, "organisations": Organisations}
