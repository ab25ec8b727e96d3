"""Find people, organisations, leads, deals and referrals by what somebody remembers of them: part of a name, with a slip of the pen or without its
accents, an address, a telephone number in any notation, a number from a file. Reads only.

First come those whose name holds every word that was typed; only when they are too few, those whose name is near to it. Both are answered by
trigram indexes on the plain text (capitals without accents). Among names that answer equally well, those of the one who searches come first, then
those of their team, then the ones spoken to last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import phonenumbers
from django.conf import settings
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import Case, F, Model, Q, QuerySet, TextField, Value, When

from crm.models import Channel, Deal, EmailAddress, Lead, Organisation, Person, PhoneNumber, Referral, User
from crm.models.plain import Plain
from crm.notation import parse_vat
from crm.refusal import Refused

SHOWN = 8
"""Results of each kind."""
ABOUT = 50
"""People and organisations whose leads and deals are looked for, too."""
NEAR = (0.7, 0.5)
"""How near a word must come (share of its three-letter pieces), asked again more generously while few are found. The last is low enough for a letter
that is missing, wrong or too many in a word of five."""
MOST_WORDS = 6
LONGEST_WORD = 16
LONGEST = 254
RANKED = 400
"""Rows that hold all words and are put in order. Who types words that more rows hold than that has to type another."""

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Found:
    """What was found, best first."""

    text: str
    people: list[Person] = field(default_factory=list)
    organisations: list[Organisation] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.number)

    @property
    def number(self) -> int:
        found: tuple[Sized, ...] = (self.people, self.organisations, self.leads, self.deals, self.referrals)
        return sum(len(rows) for rows in found)


def find(text: str, *, user: User | None = None) -> Found:
    """Everything that answers to `text`, at most eight of each kind, what is nearest to `user` first. Nothing answers to nothing."""
    text = clean(text)
    words = plain_words(text)
    if not words:
        return Found(text)
    circle = _circle(user)
    with transaction.atomic():
        people = _merged(_by_phone(text), _by_email(text), _held(Person.objects.all(), words, circle))
        organisations = _merged(_by_own_number(text), _held(Organisation.objects.all(), words, circle))
        deals = _held(Deal.objects.all(), words, circle)
        if len(people) + len(organisations) + len(deals) < SHOWN:
            people = _merged(people, _near(Person.objects.all(), words, circle))
            organisations = _merged(organisations, _near(Organisation.objects.all(), words, circle))
            deals = _merged(deals, _near(Deal.objects.all(), words, circle))
    whom = Q(person__in=people) | Q(organisation__in=organisations)
    numbered = Q(channel__in=Channel.values, external_id=text)
    return Found(
        text,
        _in_order(Person.objects.for_list(), people),
        _in_order(Organisation.objects.select_related("owner"), organisations),
        _merged_rows(
            Lead.objects.for_list().filter(numbered)[:SHOWN],
            Lead.objects.for_list().filter(whom).order_by("-received_at", "-pk")[:SHOWN],
        ),
        _merged_rows(
            _in_order(Deal.objects.for_list(), deals),
            Deal.objects.for_list().filter(whom).order_by("-opened_at", "-pk")[:SHOWN],
        ),
        list(_referrals(words, people).order_by("-asked_at", "-pk")[:SHOWN]),
    )


def people_like(text: str, *, user: User | None = None, most: int = SHOWN) -> list[Person]:
    """The people alone that answer to `text`, in the order of `find`."""
    words = plain_words(clean(text))
    if not words:
        return []
    circle = _circle(user)
    with transaction.atomic():
        keys = _merged(_by_phone(text), _by_email(text), _held(Person.objects.all(), words, circle))
        if len(keys) < most:
            keys = _merged(keys, _near(Person.objects.all(), words, circle))
    return _in_order(Person.objects.for_list(), keys[:most])


def _referrals(words: list[str], people: list[int]) -> QuerySet[Referral]:
    """By who gave or received them, or by whom they have in mind."""
    named = Q()
    for word in words:
        named &= Q(plain_whom__contains=word)
    rows = Referral.objects.for_list().annotate(plain_whom=Plain("whom"))
    return rows.filter(Q(referrer__in=people) | Q(introduced__in=people) | (named & ~Q(whom="")))


Circle = dict[int, int]
"""How near an owner is to who searches: 0 for themselves, 1 for a team mate. Everybody else is 2."""


def _circle(user: User | None) -> Circle:
    if user is None:
        return {}
    mates = User.objects.filter(team=user.team_id).values_list("pk", flat=True) if user.team_id else []
    return dict.fromkeys(mates, 1) | {user.pk: 0}


def people_named(rows: QuerySet[Person], text: str) -> QuerySet[Person]:
    """Those of `rows` whose name holds every word of `text`; when nobody's does, those whose name is near to it. No text: all."""
    return _narrowed(rows, text)


def organisations_named(rows: QuerySet[Organisation], text: str) -> QuerySet[Organisation]:
    """As `people_named`, for organisations."""
    return _narrowed(rows, text)


def clean(text: str) -> str:
    """What was typed, without what a database cannot hold and no name has."""
    return " ".join(text.replace("\x00", " ").split())[:LONGEST]


def plain_words(text: str) -> list[str]:
    """The words of a text as they are compared: capitals, no accents, no quotation marks or commas."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT kring_plain(%s)", [text])
        (plain,) = cursor.fetchone()
    return [word for word in re.split(r"[\s,;\"“”«»()]+", plain) if word][:MOST_WORDS]


# ---- By name -------------------------------------------------------------------------------------------------------


def _narrowed(rows: QuerySet[M], text: str) -> QuerySet[M]:
    words = plain_words(clean(text))
    if not words:
        return rows
    held = rows.filter(_holds(words))
    if held.exists():
        return held
    with transaction.atomic():
        return rows.filter(pk__in=_near(rows, words, {}))


def _held(rows: QuerySet[Any], words: list[str], circle: Circle) -> list[int]:
    """Keys of the rows whose name holds all these words, best first."""
    if all(len(word) < 3 for word in words):
        # So few letters are in so many names that ranking them all would take longer than typing one more.
        return _nearest(rows.filter(_holds(words)), circle)
    whole = " ".join(words)
    columns = ("pk", "plain_name", "last_contact_at", "owner")
    found = list(rows.filter(_holds(words)).values_list(*columns)[:RANKED])
    if len(found) == RANKED:
        found += rows.filter(plain_name=whole).values_list(*columns)[:SHOWN]

    def rank(row: tuple[int, str, datetime | None, int | None]) -> tuple[bool, bool, bool, int, float, int, int]:
        key, name, last_contact_at, owner = row
        at_starts = all(f" {word}" in f" {name}" for word in words)
        lately = -last_contact_at.timestamp() if last_contact_at else 0
        mine = circle.get(owner or 0, 2)
        return name != whole, not name.startswith(whole), not at_starts, mine, lately, len(name), key

    return list(dict.fromkeys(row[0] for row in sorted(found, key=rank)))[:ABOUT]


def _nearest(rows: QuerySet[Any], circle: Circle) -> list[int]:
    """A few of these rows, those of who searches before any other."""
    own = [owner for owner, distance in circle.items() if distance == 0]
    mine = list(rows.filter(owner__in=own).values_list("pk", flat=True)[:SHOWN]) if own else []
    return mine if len(mine) == SHOWN else _merged(mine, list(rows.values_list("pk", flat=True)[:SHOWN]))


def _holds(words: Iterable[str]) -> Q:
    every = Q()
    for word in words:
        every &= Q(plain_name__contains=word) if len(word) > 2 else _at_word_starts([word])
    return every


def _at_word_starts(words: Iterable[str]) -> Q:
    every = Q()
    for word in words:
        every &= Q(plain_name__startswith=word) | Q(plain_name__contains=f" {word}")
    return every


def _near(rows: QuerySet[Any], words: list[str], circle: Circle) -> list[int]:
    """Keys of the rows whose name has something near to each longer word, nearest first. Needs an open transaction."""
    # Numbers and addresses are copied, not remembered: a slip in one is somebody else.
    longer = [word for word in words if len(word) > 3 and re.sub(r"['’-]", "", word).isalpha()]
    if not longer:
        return []
    candidates = rows.order_by()
    nearness: Any = Value(0.0)
    for word in longer:
        swapped = Q()
        for slip in (word, *_swaps(word)):
            swapped |= Q(plain_name__contains=slip)
        similarity = TrigramWordSimilarity(Value(word, output_field=TextField()), F("plain_name"))  # type: ignore[arg-type]
        candidates = candidates.filter(Q(plain_name__trigram_word_similar=word) | swapped)
        nearness = nearness + Case(When(swapped, then=Value(1.0)), default=similarity)
    distances = [When(owner=owner, then=Value(distance)) for owner, distance in circle.items()]
    by_circle = [Case(*distances, default=Value(2))] if distances else []
    ranked = rows.filter(pk__in=candidates.values("pk")[:RANKED]).order_by(nearness.desc(), *by_circle, "pk")
    keys: list[int] = []
    for threshold in NEAR:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(threshold)])
        keys += [key for key in ranked.values_list("pk", flat=True)[:ABOUT] if key not in keys]
        if len(keys) >= SHOWN:
            break
    return keys


def _swaps(word: str) -> list[str]:
    """The word with two neighbours put back in their places, for each two: the slip of the pen that costs the most three-letter pieces."""
    both = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(min(len(word), LONGEST_WORD) - 1))
    return [swapped for swapped in both if swapped != word]


# ---- By number and address -----------------------------------------------------------------------------------------


def _by_phone(text: str) -> list[int]:
    """People with this telephone number, or with one that holds these digits (three or more)."""
    if not re.fullmatch(r"\+?[\d\s()./-]+", text):
        return []
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    if len(digits) < 3:
        return []
    numbers = Q(number__contains=digits)
    try:
        parsed = phonenumbers.parse(text, settings.COUNTRY)
        numbers |= Q(number=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    except phonenumbers.NumberParseException:
        pass
    return list(PhoneNumber.objects.filter(numbers).order_by().values_list("person", flat=True)[:SHOWN])


def _by_email(text: str) -> list[int]:
    """People with an address that holds this text."""
    if " " in text or len(text) < 3:
        return []
    rows = EmailAddress.objects.filter(address__icontains=text).order_by()
    return list(rows.values_list("person", flat=True)[:SHOWN])


def _by_own_number(text: str) -> list[int]:
    """Organisations with this domain, KvK number or VAT number, the latter with or without its dots and spaces."""
    own = Q(domain=text.lower().removeprefix("www.")) if "." in text else Q()
    if re.fullmatch(r"\d{8}", text):
        own |= Q(kvk_number=text)
    if re.search(r"\d{4}", text) and (vat := _vat(text)):
        own |= Q(vat_number=vat)
    return list(Organisation.objects.filter(own).values_list("pk", flat=True)[:SHOWN]) if own else []


def _vat(text: str) -> str:
    try:
        return parse_vat(text)
    except Refused:
        return ""


# ---- In order ------------------------------------------------------------------------------------------------------


def _merged(*lists: list[int]) -> list[int]:
    return list(dict.fromkeys(key for keys in lists for key in keys))[:ABOUT]


def _in_order(rows: QuerySet[M], keys: list[int]) -> list[M]:
    found = {row.pk: row for row in rows.filter(pk__in=keys[:SHOWN])}
    return [found[key] for key in keys[:SHOWN] if key in found]


def _merged_rows(*groups: Iterable[M]) -> list[M]:
    return list({row.pk: row for rows in groups for row in rows}.values())[:SHOWN]
