"""Tags, and what somebody likes to talk about: a few words each, with those that others have offered first."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm import locks
from crm.models import Person, User
from crm.people.changing import change, words
from crm.refusal import Refused

KINDS = ("interests", "tags")
OFFERED = 50
"""Words that are offered, the most used ones."""

MOST = 50
"""Words of one kind that a person may have."""

MOST_USED = {
    "interests": "SELECT unnest(interests) AS word FROM crm_person",
    "tags": "SELECT unnest(tags) AS word FROM crm_person UNION ALL SELECT unnest(tags) FROM crm_organisation",
}


def most_used(kind: str) -> list[str]:
    """The words of this kind that most people have (and organisations, for tags), the most used first. Raises `KeyError` for a kind that is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(word) FROM ({MOST_USED[kind]}) w GROUP BY lower(word) ORDER BY count(*) DESC, 1 LIMIT %s",
            [OFFERED],
        )
        return [word for (word,) in cursor.fetchall()]


@transaction.atomic
def add_word(*, person: Person, kind: str, word: str, by: User | None, at: datetime) -> Person:
    """The person has this word too, once whatever its capitals. Refuses nothing at all, one that is too long, and more than anybody can read."""
    held = locks.row(Person.objects.all(), person.pk)
    if not word.strip():
        raise Refused(_("Write a word or two first."))
    new = words([*getattr(held, kind), *word.split(",")])
    if len(new) > MOST:
        raise Refused(_("That is more than anybody reads. Remove one first."))
    return change(person=held, by=by, at=at, **{kind: new})


@transaction.atomic
def remove_word(*, person: Person, kind: str, word: str, by: User | None, at: datetime) -> Person:
    """The person has this word no more."""
    held = locks.row(Person.objects.all(), person.pk)
    return change(person=held, by=by, at=at, **{kind: [one for one in getattr(held, kind) if one != word]})
