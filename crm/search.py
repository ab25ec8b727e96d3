"""Find people, organisations, leads and deals by what somebody remembers of them: part of a name, with a slip of the pen or without its accents,
an address, a telephone number in any notation, a number from a file. Reads only.

First come those whose name holds every word that was typed; only when they are too few, those whose name is near to it. Both are answered by
trigram indexes on the plain text (capitals without accents).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import phonenumbers
from django.conf import settings
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import Case, F, Model, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Length

from crm.models import Channel, Deal, Lead, Organisation, Person, PhoneNumber
from crm.models.plain import Plain

SHOWN = 8
"""Results of each kind."""
ABOUT = 50
"""People and organisations whose leads and deals are looked for, too."""
NEAR = (0.7, 0.5)
"""How near a word must come (share of its three-letter pieces), asked again more generously while few are found. The last is low enough for a letter
that is missing, wrong or too many in a word of five."""
MOST_WORDS = 6
LONGEST_WORD = 16
LONGEST = 200
RANKED = 1000
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

    def __bool__(self) -> bool:
        return bool(self.people or self.organisations or self.leads or self.deals)

    @property
    def number(self) -> int:
        return len(self.people) + len(self.organisations) + len(self.leads) + len(self.deals)


def find(text: str) -> Found:
    """Everything that answers to `text`, at most eight of each kind. Nothing answers to nothing."""
    text = clean(text)
    words = plain_words(text)
    if not words:
        return Found(text)
    with transaction.atomic():
        people = _merged(_by_phone(text), _by_email(text), _named(Person.objects.all(), "full_name", words))
        organisations = _merged(_by_own_number(text), _named(Organisation.objects.all(), "name", words))
        deals = _named(Deal.objects.all(), "name", words)
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
    )


def people_named(rows: QuerySet[Person], text: str) -> QuerySet[Person]:
    """Those of `rows` whose name holds every word of `text`; when nobody's does, those whose name is near to it. No text: all."""
    return _narrowed(rows, "full_name", text)


def organisations_named(rows: QuerySet[Organisation], text: str) -> QuerySet[Organisation]:
    """As `people_named`, for organisations."""
    return _narrowed(rows, "name", text)


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


def _narrowed(rows: QuerySet[M], column: str, text: str) -> QuerySet[M]:
    words = plain_words(clean(text))
    if not words:
        return rows
    held: QuerySet[M] = rows.alias(plain=Plain(column)).filter(_holds(words))  # type: ignore[assignment]
    if held.exists():
        return held
    with transaction.atomic():
        return rows.filter(pk__in=_near(rows, column, words))


def _named(rows: QuerySet[Any], column: str, words: list[str]) -> list[int]:
    """Keys of the rows that answer to these words, best first."""
    if all(len(word) < 3 for word in words):
        # So few letters are in so many names that ranking them all would take longer than typing one more.
        return list(rows.alias(plain=Plain(column)).filter(_holds(words)).values_list("pk", flat=True)[:SHOWN])
    whole = " ".join(words)
    rank = Case(
        When(plain=whole, then=0),
        When(plain__startswith=whole, then=1),
        When(_at_word_starts(words), then=2),
        default=3,
    )
    text = rows.annotate(plain=Plain(column))
    candidates = text.filter(_holds(words)).order_by().values("pk")[:RANKED]
    keys = list(text.filter(plain=whole).values_list("pk", flat=True)[:SHOWN])
    keys += list(
        text.filter(pk__in=candidates)
        .exclude(pk__in=keys)
        .order_by(rank, F("last_contact_at").desc(nulls_last=True), Length("plain"), "pk")
        .values_list("pk", flat=True)[:ABOUT]
    )
    if len(keys) < SHOWN:
        keys += [key for key in _near(rows, column, words) if key not in keys]
    return keys


def _holds(words: Iterable[str]) -> Q:
    every = Q()
    for word in words:
        every &= Q(plain__contains=word) if len(word) > 2 else _at_word_starts([word])
    return every


def _at_word_starts(words: Iterable[str]) -> Q:
    every = Q()
    for word in words:
        every &= Q(plain__startswith=word) | Q(plain__contains=f" {word}")
    return every


def _near(rows: QuerySet[Any], column: str, words: list[str]) -> list[int]:
    """Keys of the rows whose name has something near to each longer word, nearest first. Needs an open transaction."""
    longer = [word for word in words if len(word) > 3 and not word.isdecimal()]
    if not longer:
        return []
    text = rows.annotate(plain=Plain(column))
    candidates = text.order_by()
    nearness: Any = Value(0.0)
    for word in longer:
        swapped = Q()
        for slip in (word, *_swaps(word)):
            swapped |= Q(plain__contains=slip)
        similarity = TrigramWordSimilarity(Value(word, output_field=TextField()), F("plain"))  # type: ignore[arg-type]
        candidates = candidates.filter(Q(plain__trigram_word_similar=word) | swapped)
        nearness = nearness + Case(When(swapped, then=Value(1.0)), default=similarity)
    ranked = text.filter(pk__in=candidates.values("pk")[:RANKED]).order_by(nearness.desc(), "pk")
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
    return list(PhoneNumber.objects.filter(numbers).order_by("pk").values_list("person", flat=True)[:SHOWN])


def _by_email(text: str) -> list[int]:
    """People with an address that holds this text."""
    if " " in text or len(text) < 3:
        return []
    rows = Person.objects.filter(email_addresses__address__icontains=text).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:SHOWN])


def _by_own_number(text: str) -> list[int]:
    """Organisations with this KvK number or domain."""
    own = Q(domain=text.lower().removeprefix("www.")) if "." in text else Q()
    if re.fullmatch(r"\d{8}", text):
        own = Q(kvk_number=text)
    return list(Organisation.objects.filter(own).values_list("pk", flat=True)[:SHOWN]) if own else []


# ---- In order ------------------------------------------------------------------------------------------------------


def _merged(*lists: list[int]) -> list[int]:
    return list(dict.fromkeys(key for keys in lists for key in keys))[:ABOUT]


def _in_order(rows: QuerySet[M], keys: list[int]) -> list[M]:
    found = {row.pk: row for row in rows.filter(pk__in=keys[:SHOWN])}
    return [found[key] for key in keys[:SHOWN] if key in found]


def _merged_rows(*groups: Iterable[M]) -> list[M]:
    return list({row.pk: row for rows in groups for row in rows}.values())[:SHOWN]
