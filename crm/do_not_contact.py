"""Leave people in peace: note what they asked of us, lift it when they ask for that, and take in registers of numbers and addresses.

Whatever is noted here is obeyed by the guard (`crm.pacing`) from the next moment on, on every path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.channels.register_file import Entry
from crm.models import DoNotContact, EmailAddress, EventKind, Person, PhoneNumber, Register, Scope, User
from crm.notation import parse_email, parse_phone
from crm.refusal import Refused

SHOWN = 20
"""So many refused lines of a file are told, with their reasons; the others are counted."""

PLAIN = re.compile(r"(?:\+|00)(31[1-9][0-9]{8}|32[1-9][0-9]{7,8})")
NATIONAL = {
    "NL": ("31", re.compile(r"0([1-9][0-9]{8})")),
    "BE": ("32", re.compile(r"0([1-9][0-9]{7}|4[0-9]{8})")),
}
"""Dutch and Belgian numbers of the usual length need no further reading. A register may hold a million of them."""

SEPARATORS = str.maketrans("", "", " .-/\u00a0")


@transaction.atomic
def bar(
    *,
    scope: Scope | str,
    by: User | None,
    at: datetime,
    reason: str,
    source: str,
    person: Person | None = None,
    number: str = "",
    address: str = "",
    since: date | None = None,
) -> DoNotContact:
    """The person, or this one number or address whoever has it, is left in peace from now on. The same wish again is the one that stands.

    Refuses without a reason or without how we know, with a day that is still to come, with none or several of person, number and address, and
    with what makes no sense: not to call an address, not to mail a number.
    """
    number = parse_phone(number) if number.strip() else ""
    address = parse_email(address) if address.strip() else ""
    if (person is not None) + bool(number) + bool(address) != 1:
        raise Refused(_("Say whom: one person, one number or one address."))
    if scope not in Scope.values:
        raise Refused(_("Say what they asked: not to be called, not to be mailed, or not to be contacted at all."))
    if (number and scope == Scope.MAIL) or (address and scope == Scope.CALL):
        raise Refused(_("A number cannot be mailed and an address cannot be called. Choose the other."))
    if not reason.strip():
        raise Refused(_("Say in a few words why, such as “asked to be taken off the list”."))
    if not source.strip():
        raise Refused(_("Say how we know, such as “told Els by phone”."))
    today = at.astimezone(by.zone if by else ZoneInfo(settings.TIME_ZONE)).date()
    if since and since > today:
        raise Refused(_("That day is still to come. Since when do they want to be left in peace?"))
    locks.hold("peace", scope, person.pk if person else "", number, address)
    standing = DoNotContact.objects.standing().filter(scope=scope, person=person, number=number, address=address)
    if wish := standing.first():
        return wish
    wish = DoNotContact.objects.create(
        scope=scope,
        person=person,
        number=number,
        address=address,
        reason=reason.strip()[:300],
        source=source.strip()[:200],
        since=since or today,
        made_at=at,
        by=by,
    )
    events.record(
        EventKind.CONTACT_BARRED,
        subject=wish,
        by=by,
        at=at,
        person=_whose(wish),
        new={**_said(wish), "reason": wish.reason, "source": wish.source, "since": wish.since},
    )
    return wish


@transaction.atomic
def lift(*, wish: DoNotContact, by: User | None, at: datetime, why: str) -> DoNotContact:
    """The wish no longer holds; the row stays, with who lifted it and why. Refuses without a why. Lifting it again changes nothing."""
    if not why.strip():
        raise Refused(_("Say why they may be contacted again, such as “she called and asked us to”."))
    wish = locks.row(DoNotContact.objects.select_related("person"), wish.pk)
    if wish.lifted_at is not None:
        return wish
    wish.lifted_at, wish.lifted_by, wish.lifted_why = at, by, why.strip()[:300]
    wish.save(update_fields=["lifted_at", "lifted_by", "lifted_why"])
    events.record(
        EventKind.CONTACT_ALLOWED,
        subject=wish,
        by=by,
        at=at,
        person=_whose(wish),
        old={**_said(wish), "reason": wish.reason, "since": wish.since},
        new={"why": wish.lifted_why},
    )
    return wish


@dataclass
class Loaded:
    """What a file brought: how many lines were refused, and the first of those, each with its reason."""

    register: Register
    refused: int = 0
    problems: list[Entry] = field(default_factory=list)


@transaction.atomic
def load_register(
    *,
    name: str,
    scope: Scope | str,
    source: str,
    allowed_days: int,
    rows: Iterable[Entry],
    by: User | None,
    at: datetime,
    country: str = "",
) -> Loaded:
    """The register of this name holds what the file holds and nothing else: numbers in E.164, addresses in lower case, each once. A register that
    existed is replaced, all or nothing; until then the old one holds.

    `country` is that of numbers without a country code. Refuses a file in which no line can be read, so that a wrong file empties nothing.
    """
    name = " ".join(name.split())[:100]
    if not name:
        raise Refused(_("Give the register a name."))
    if scope not in Scope.values:
        raise Refused(_("Say what they asked: not to be called, not to be mailed, or not to be contacted at all."))
    locks.hold("register", name)
    loaded = Loaded(Register(name=name))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE register_line (value text NOT NULL) ON COMMIT DROP")
        with cursor.copy("COPY register_line (value) FROM STDIN") as copy:
            for value in _values(rows, Scope(scope), country, loaded):
                copy.write_row((value,))
        cursor.execute("SELECT EXISTS (SELECT FROM register_line)")
        if not cursor.fetchone()[0]:
            raise Refused(_nothing_read(loaded))
        loaded.register, _is_new = Register.objects.update_or_create(
            name=name,
            defaults={
                "scope": scope, "source": source.strip()[:200], "allowed_days": allowed_days, "loaded_at": at, "by": by
            },
        )  # fmt: skip
        cursor.execute("DELETE FROM crm_registerentry WHERE register_id = %s", [loaded.register.pk])
        cursor.execute(
            "INSERT INTO crm_registerentry (register_id, value) SELECT %s, value FROM register_line GROUP BY value",
            [loaded.register.pk],
        )
        loaded.register.entries_count = cursor.rowcount
        cursor.execute("DROP TABLE register_line")
    loaded.register.save(update_fields=["entries_count"])
    events.record(
        EventKind.REGISTER_LOADED,
        subject=loaded.register,
        by=by,
        at=at,
        new={"register": name, "entries": loaded.register.entries_count, "refused": loaded.refused},
    )
    return loaded


@transaction.atomic
def remove_register(*, register: Register, by: User | None, at: datetime, why: str) -> None:
    """The register and all it held are gone, and who stands on no other list may be contacted again. Refuses without a why."""
    if not why.strip():
        raise Refused(_("Say why this register no longer holds."))
    held = Register.objects.select_for_update().filter(pk=register.pk).first()
    if held is None:
        return
    events.record(
        EventKind.CONTACT_ALLOWED,
        subject=held,
        by=by,
        at=at,
        old={"register": held.name, "entries": held.entries_count},
        new={"why": why.strip()[:300]},
    )
    with connection.cursor() as cursor:  # The ORM would read each of a million entries first.
        cursor.execute("DELETE FROM crm_registerentry WHERE register_id = %s", [held.pk])
    held.delete()


def _values(rows: Iterable[Entry], scope: Scope, country: str, loaded: Loaded) -> Iterator[str]:
    for row in rows:
        problem = row.problem
        if not problem:
            try:
                yield _value(row.text, scope, country)
                continue
            except Refused as refusal:
                problem = str(refusal)
        loaded.refused += 1
        if len(loaded.problems) < SHOWN:
            loaded.problems.append(Entry(row.line, row.text[:200], problem))


def _value(text: str, scope: Scope, country: str) -> str:
    if scope == Scope.MAIL or (scope == Scope.CONTACT and "@" in text):
        address = parse_email(text)
        if len(address) > 254:
            raise Refused(_("“%(address)s” is not an e-mail address.") % {"address": text[:60]})
        return address
    bare = text.translate(SEPARATORS)
    if plain := PLAIN.fullmatch(bare):
        return f"+{plain[1]}"
    country = country or settings.COUNTRY
    if country in NATIONAL:
        code, usual = NATIONAL[country]
        if plain := usual.fullmatch(bare):
            return f"+{code}{plain[1]}"
    return parse_phone(text, country)


def _nothing_read(loaded: Loaded) -> str:
    if not loaded.problems:
        return _("This file holds no line.")
    first = loaded.problems[0]
    return _("No line of this file can be read, so nothing has changed. Line %(line)d: %(problem)s") % {
        "line": first.line,
        "problem": first.problem,
    }


def _whose(wish: DoNotContact) -> Person | None:
    """On whose timeline this stands: theirs, or of who has had the number or address longest."""
    if wish.person is not None:
        return wish.person
    numbers = PhoneNumber.objects.filter(number=wish.number).order_by("pk").select_related("person")
    addresses = EmailAddress.objects.filter(address=wish.address).order_by("pk").select_related("person")
    row = numbers.first() if wish.number else addresses.first()
    return row.person if row else None


def _said(wish: DoNotContact) -> dict[str, str]:
    return {"scope": wish.scope, "thing": wish.number or wish.address}
