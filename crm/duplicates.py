"""Rows that may be one: pairs of people or organisations that look alike, and why. A person decides; what was said to be *not the same* stays so.

Each reason is one statement that pairs rows by something that is equal (an address, a number, a domain and the beginning of a name) and so stays
quick on a hundred thousand people. The same statements look at a few rows on arrival and at all of them at night.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from crm import events, locks
from crm.free_mail import FREE_MAIL_DOMAINS
from crm.models import (
    DuplicateReason,
    EventKind,
    Mergeable,
    Organisation,
    Person,
    PossibleDuplicate,
    User,
)
from crm.models.merges import PossibleDuplicateQuerySet
from crm.notation import PARTICLES

MOST_SHARING = 10
"""What more people than this have in common, such as the number of a switchboard, says nothing about any two of them."""
LIKE = 0.55
"""How much two names at one domain have in common at least, from 0 to 1: *Sofie Peeters* and *Sophie Peeters* do, *Jan* and *Piet Peeters* do
not."""
VERY_LIKE = 0.8
"""The same for two organisations of which nothing else is alike."""

NEAR = 0.4
"""How much the names of two organisations have in common, legal forms included, to be looked at more closely on arrival."""
COMMON = 100
"""With how many organisations a word may begin before it, such as *Bakkerij*, says nothing about any two of them."""

LEGAL_FORMS = """
    AG ASBL BV BVBA COOP CV CVBA EURL GCV GMBH INC KG LIMITED LLC LTD MBH NV OHG PLC SA SARL SAS SASU SCRL SE SL SNC SPRL SRL STICHTING UG VOF VZW
""".split()  # noqa: SIM905 - a page of words reads better than a page of quotes
ARTICLES = ("DE", "HET", "THE", "LE", "LA", "LES", "DIE", "DER", "DAS")
IGNORED: dict[str, Any] = {
    "particles": " (" + "|".join(sorted(word.upper() for word in PARTICLES)) + ")(?= )",
    "forms": "^((" + "|".join((*LEGAL_FORMS, *ARTICLES)) + ") )+|( (" + "|".join(LEGAL_FORMS) + "))+$",
    "free": sorted(FREE_MAIL_DOMAINS),
    "most": MOST_SHARING,
    "like": LIKE,
    "very_like": VERY_LIKE,
    "near": NEAR,
    "common": COMMON,
}

# A person's name without its particles (a first word is none, unless there is no given name), and an organisation's without legal form and article.
PERSON_NAME = "btrim(regexp_replace(CASE WHEN {0}.given_name = '' THEN ' ' ELSE '' END || {0}.plain_name, %(particles)s, '', 'g'))"
ORGANISATION_NAME = """
regexp_replace(btrim(regexp_replace(replace({0}.plain_name, '.', ''), '[^[:alnum:]]+', ' ', 'g')), %(forms)s, '', 'g')
"""
LIKENESS = "similarity(" + PERSON_NAME.format("a") + ", " + PERSON_NAME.format("b") + ")"

# Each statement gives (one, other, likeness); {about} narrows the ones: to those that are looked at, or to all, each pair once.
SAME_EMAIL = f"""
SELECT a.id AS one, b.id AS other, 0.6 + 0.4 * {LIKENESS} AS likeness
FROM crm_emailaddress x JOIN crm_emailaddress y ON y.address = x.address AND y.person_id <> x.person_id
JOIN crm_person a ON a.id = x.person_id JOIN crm_person b ON b.id = y.person_id
WHERE {{about}} AND (SELECT count(*) FROM (SELECT FROM crm_emailaddress z WHERE z.address = x.address LIMIT %(most)s + 1) z) <= %(most)s
"""
SAME_PHONE = f"""
SELECT a.id AS one, b.id AS other, 0.3 + 0.6 * {LIKENESS} AS likeness
FROM crm_phonenumber x JOIN crm_phonenumber y ON y.number = x.number AND y.person_id <> x.person_id
JOIN crm_person a ON a.id = x.person_id JOIN crm_person b ON b.id = y.person_id
WHERE {{about}} AND (SELECT count(*) FROM (SELECT FROM crm_phonenumber z WHERE z.number = x.number LIMIT %(most)s + 1) z) <= %(most)s
"""
PLACES = """
SELECT e.person_id, split_part(e.address, '@', 2) AS domain FROM crm_emailaddress e
WHERE {mail} AND split_part(e.address, '@', 2) <> ALL (%(free)s)
UNION
SELECT p.person_id, o.domain::text FROM crm_position p JOIN crm_organisation o ON o.id = p.organisation_id
WHERE {job} AND p.ended_on IS NULL AND o.domain <> ''
"""
LIKE_NAME_HERE = f"""
SELECT n.one, n.other, 0.9 * n.likeness AS likeness FROM (
    SELECT a.id AS one, b.id AS other, {LIKENESS} AS likeness
    FROM (
        SELECT DISTINCT h.person_id AS one, t.person_id AS other
        FROM ({PLACES.format(mail="e.person_id = ANY (%(ids)s)", job="p.person_id = ANY (%(ids)s)")}) h
        CROSS JOIN LATERAL ({PLACES.format(mail="split_part(e.address, '@', 2) = h.domain", job="o.domain = h.domain")}) t
        WHERE t.person_id <> h.person_id
    ) m JOIN crm_person a ON a.id = m.one JOIN crm_person b ON b.id = m.other
) n WHERE n.likeness >= %(like)s
"""
LIKE_NAME_ANYWHERE = f"""
WITH words AS (
    SELECT p.id, n.name, w.start FROM crm_person p
    CROSS JOIN LATERAL (SELECT {PERSON_NAME.format("p")} AS name OFFSET 0) n
    CROSS JOIN LATERAL (SELECT DISTINCT left(word, 2) AS start FROM regexp_split_to_table(n.name, '[^[:alnum:]]+') word WHERE word <> '') w
), here AS MATERIALIZED (
    SELECT words.id, words.name, words.start, places.domain FROM words
    JOIN ({PLACES.format(mail="true", job="true")}) places ON places.person_id = words.id
)
SELECT a.id AS one, b.id AS other, max(0.9 * similarity(a.name, b.name)) AS likeness
FROM here a JOIN here b ON b.domain = a.domain AND b.start = a.start
WHERE a.id < b.id AND similarity(a.name, b.name) >= %(like)s
GROUP BY a.id, b.id
"""
SAME_NUMBER = """
SELECT a.id AS one, b.id AS other, 0.7 + 0.3 * similarity(a.plain_name, b.plain_name) AS likeness
FROM crm_organisation a JOIN crm_organisation b ON b.{number} = a.{number} AND b.{number} <> '' AND b.id <> a.id
WHERE {{about}} AND a.{number} <> ''
    AND (SELECT count(*) FROM (SELECT FROM crm_organisation z WHERE z.{number} = a.{number} AND z.{number} <> '' LIMIT %(most)s + 1) z) <= %(most)s
"""
# The domains of an organisation: its own, and those of the mail of who works there.
SITES = """
SELECT o.id, o.domain::text AS domain FROM crm_organisation o WHERE o.domain <> ''
UNION
SELECT p.organisation_id, split_part(e.address, '@', 2) FROM crm_position p JOIN crm_emailaddress e ON e.person_id = p.person_id
WHERE p.ended_on IS NULL AND split_part(e.address, '@', 2) <> ALL (%(free)s)
"""
SHARE_A_SITE = (
    f"EXISTS (SELECT FROM ({SITES}) s JOIN ({SITES}) t ON t.domain = s.domain WHERE s.id = a.id AND t.id = b.id)"
)
ALIKE = f"""
similarity(a.name, b.name) >= %(like)s AND (similarity(a.name, b.name) >= %(very_like)s OR {SHARE_A_SITE})
"""
NAMED = "CROSS JOIN LATERAL (SELECT {0}.id, " + ORGANISATION_NAME + " AS name OFFSET 0) {1}"
LIKE_ORGANISATION_HERE = f"""
WITH near AS MATERIALIZED (
    SELECT x.id AS one, y.id AS other FROM crm_organisation x JOIN crm_organisation y ON y.plain_name %% x.plain_name
    WHERE x.id = ANY (%(ids)s) AND y.id <> x.id AND similarity(x.plain_name, y.plain_name) >= %(near)s
)
SELECT a.id AS one, b.id AS other, 0.9 * similarity(a.name, b.name) AS likeness
FROM near JOIN crm_organisation x ON x.id = near.one JOIN crm_organisation y ON y.id = near.other
{NAMED.format("x", "a")} {NAMED.format("y", "b")}
WHERE {ALIKE}
"""
# Each name stands under the beginnings of its words, but for those with which very many begin, and under itself.
LIKE_ORGANISATION_ANYWHERE = f"""
WITH named AS MATERIALIZED (
    SELECT n.id, n.name FROM crm_organisation o {NAMED.format("o", "n")} WHERE n.name <> ''
), words AS MATERIALIZED (
    SELECT id, left(word, 4) AS start FROM named CROSS JOIN LATERAL regexp_split_to_table(name, ' ') word UNION SELECT id, '=' || name FROM named
), rare AS MATERIALIZED (
    SELECT start FROM words GROUP BY start HAVING count(*) BETWEEN 2 AND %(common)s
), near AS MATERIALIZED (
    SELECT DISTINCT x.id AS one, y.id AS other
    FROM rare JOIN words x ON x.start = rare.start JOIN words y ON y.start = rare.start WHERE x.id < y.id
)
SELECT a.id AS one, b.id AS other, 0.9 * similarity(a.name, b.name) AS likeness
FROM near JOIN named a ON a.id = near.one JOIN named b ON b.id = near.other
WHERE {ALIKE}
"""

ABOUT_THESE, ABOUT_ALL = "a.id = ANY (%(ids)s)", "a.id < b.id"
SAME_VAT, SAME_KVK = (
    SAME_NUMBER.format(number="vat_number", about="{about}"),
    SAME_NUMBER.format(number="kvk_number", about="{about}"),
)
HERE: dict[Mergeable, dict[DuplicateReason, str]] = {
    Mergeable.PERSON: {
        DuplicateReason.EMAIL: SAME_EMAIL.format(about=ABOUT_THESE),
        DuplicateReason.PHONE: SAME_PHONE.format(about=ABOUT_THESE),
        DuplicateReason.NAME: LIKE_NAME_HERE,
    },
    Mergeable.ORGANISATION: {
        DuplicateReason.VAT: SAME_VAT.format(about=ABOUT_THESE),
        DuplicateReason.KVK: SAME_KVK.format(about=ABOUT_THESE),
        DuplicateReason.NAME: LIKE_ORGANISATION_HERE,
    },
}
ANYWHERE: dict[Mergeable, dict[DuplicateReason, str]] = {
    Mergeable.PERSON: {
        DuplicateReason.EMAIL: SAME_EMAIL.format(about=ABOUT_ALL),
        DuplicateReason.PHONE: SAME_PHONE.format(about=ABOUT_ALL),
        DuplicateReason.NAME: LIKE_NAME_ANYWHERE,
    },
    Mergeable.ORGANISATION: {
        DuplicateReason.VAT: SAME_VAT.format(about=ABOUT_ALL),
        DuplicateReason.KVK: SAME_KVK.format(about=ABOUT_ALL),
        DuplicateReason.NAME: LIKE_ORGANISATION_ANYWHERE,
    },
}
REMEMBER = """
WITH found AS ({found}), pair AS MATERIALIZED (
    SELECT LEAST(one, other) AS first_id, GREATEST(one, other) AS second_id, array_agg(DISTINCT reason ORDER BY reason) AS reasons,
        LEAST(1.0, max(likeness) + 0.05 * (count(DISTINCT reason) - 1))::double precision AS likeness
    FROM found GROUP BY 1, 2
), gone AS (
    DELETE FROM crm_possibleduplicate d
    WHERE d.kind = %(kind)s AND d.dismissed_at IS NULL AND {about}
        AND NOT EXISTS (SELECT FROM pair WHERE pair.first_id = d.first_id AND pair.second_id = d.second_id)
)
INSERT INTO crm_possibleduplicate AS d (kind, first_id, second_id, reasons, likeness, found_at)
SELECT %(kind)s, first_id, second_id, reasons, likeness, %(at)s FROM pair ORDER BY first_id, second_id
ON CONFLICT (kind, first_id, second_id) DO UPDATE SET reasons = EXCLUDED.reasons, likeness = EXCLUDED.likeness
WHERE d.dismissed_at IS NULL AND (d.reasons, d.likeness) IS DISTINCT FROM (EXCLUDED.reasons, EXCLUDED.likeness)
"""
"""What is found is remembered, and what is not found any more forgotten; a pair that somebody dismissed is left as it is."""


def look(*, people: Iterable[int] = (), organisations: Iterable[int] = (), at: datetime) -> None:
    """The pairs of these rows (primary keys) are what their addresses, numbers and names say now; one statement for each kind."""
    about = "(d.first_id = ANY (%(ids)s) OR d.second_id = ANY (%(ids)s))"
    for kind, keys in ((Mergeable.PERSON, people), (Mergeable.ORGANISATION, organisations)):
        if ids := sorted(set(keys)):
            _remember(kind, HERE[kind], about, at, ids)


@transaction.atomic
def find_all(*, at: datetime) -> None:
    """All pairs are what the rows say now, and those without a reason are gone. Running it again changes nothing."""
    locks.hold("duplicates")
    for kind, reasons in ANYWHERE.items():
        _remember(kind, reasons, "true", at, [])


def _remember(kind: Mergeable, reasons: dict[DuplicateReason, str], about: str, at: datetime, ids: list[int]) -> None:
    found = " UNION ALL ".join(
        f"SELECT one, other, '{reason.value}'::varchar AS reason, likeness FROM ({statement}) {reason.name}"
        for reason, statement in reasons.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER.format(found=found, about=about), {**IGNORED, "kind": kind.value, "ids": ids, "at": at})


@transaction.atomic
def dismiss(*, pair: PossibleDuplicate, by: User, at: datetime) -> None:
    """The two are not the same, for good; saying so twice says it once. Both remember it."""
    said = PossibleDuplicate.objects.waiting().filter(pk=pair.pk).update(dismissed_at=at, dismissed_by=by)
    if not said:
        return
    model, kind = (
        (Person, EventKind.PERSON_CHANGED)
        if pair.kind == Mergeable.PERSON
        else (Organisation, EventKind.ORGANISATION_CHANGED)
    )
    both = list(model._default_manager.filter(pk__in=(pair.first_id, pair.second_id)).order_by("pk"))
    for row, other in zip(both, reversed(both), strict=True):
        if row != other:
            events.record(kind, subject=row, by=by, at=at, new={"not_the_same": str(other)})


def waiting_for(record: Person | Organisation) -> PossibleDuplicateQuerySet:
    """The pairs with this person or organisation about which nobody has decided, the surest first."""
    kind = Mergeable.PERSON if isinstance(record, Person) else Mergeable.ORGANISATION
    return (
        PossibleDuplicate.objects.waiting()
        .filter(Q(first_id=record.pk) | Q(second_id=record.pk), kind=kind)
        .order_by("-likeness", "id")
    )
