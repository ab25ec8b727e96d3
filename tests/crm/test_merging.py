"""Two rows become one, and two again: nothing is lost on the way, and nothing is left behind."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, connections, models, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm import conversations, duplicates, imports, locks, merging, people, tasks
from crm.merging import relations
from crm.models import (
    Acquaintance,
    Advocate,
    Attempt,
    Channel,
    Conversation,
    Deal,
    DoNotContact,
    EmailAddress,
    Event,
    EventKind,
    FollowUp,
    ImportRun,
    Lead,
    Merge,
    Mergeable,
    Organisation,
    OutgoingMail,
    Person,
    PhoneNumber,
    Position,
    PossibleDuplicate,
    Referral,
    Role,
    Touch,
    User,
)
from crm.models.merges import UNDO_WITHIN
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)


def dump() -> dict[str, list[str]]:
    """Every row of every table but what happened, what it touched, and the merges themselves."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in ("crm_event", "crm_touched", "crm_merge") and table.startswith("crm_"):
                cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t ORDER BY 1')
                found[table] = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT id, person_id, organisation_id FROM crm_event ORDER BY id")
        found["links of events"] = [str(row) for row in cursor.fetchall()]
    return found


def unchanged_after_undo(merge: Callable[[], Merge], by: User) -> Merge:
    """Merge and undo: each table is exactly what it was."""
    before = dump()
    done = merge()
    assert dump() != before
    merging.undo(merge=done, by=by, at=LATER)
    after = dump()
    links = after.pop("links of events")
    assert links[: len(before["links of events"])] == before.pop("links of events")
    assert after == before
    return done


def still_points_at(model: type[models.Model], kind: str, pk: int) -> list[str]:
    """Every column of every table that still names this key, found without the code under test."""
    found = []
    for other in apps.get_models(include_auto_created=True):
        for field in other._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model is model:
                found += [f"{other._meta.label}.{field.name}"] * other._base_manager.filter(**{field.name: pk}).count()
        names = {field.name for field in other._meta.concrete_fields}
        if {"subject_kind", "subject_id"} <= names and other is not Event:
            found += [other._meta.label] * other._base_manager.filter(subject_kind=kind, subject_id=pk).count()
    return found


def full_person(name: str, by: User, company: Organisation, friend: Person) -> Person:
    """Somebody at whom every noun points."""
    person = make.person(name, phone=f"+32470{make.user().pk:06d}", organisation=company, by=by)
    lead = make.lead(person=person, owner=by)
    deal = make.won_deal(by, person=person, organisation=company)
    talk = make.conversation(person, by=by, lead=lead)
    make.promise(person, by=by, due_on=date(2026, 12, 1), lead=lead)
    Advocate.objects.create(person=person, since=AT)
    Referral.objects.create(referrer=person, introduced=friend, introduced_at=AT, state="introduced", asked_at=AT)
    Referral.objects.create(referrer=friend, introduced=person, introduced_at=AT, state="met", asked_at=AT)
    Acquaintance.objects.create(person=person, other=friend, at=AT)
    Attempt.objects.create(person=person, at=AT, by=by)
    Touch.objects.create(person=person, content=make.content(), at=AT)
    DoNotContact.objects.create(scope="call", person=person, reason="asked", source="mail", since=AT.date(), made_at=AT)
    OutgoingMail.objects.create(to="a@b.example", subject="Hi", person=person, created_at=AT, try_at=AT)
    host = make.user(role=Role.ACCOUNT_MANAGER)
    make.appointment(host, person=person)
    make.booking_link(host, person=person)
    FollowUp.objects.create(
        rule="keep_in_touch",
        subject_kind="person",
        subject_id=person.pk,
        person=person,
        owner=by,
        due_at=AT,
        show_at=AT,
        created_at=AT,
        deal=deal,
    )
    make.half_hour(make.user(), person)
    friend.introduced_by = person
    friend.save(update_fields=["introduced_by"])
    Person.objects.filter(pk=person.pk).update(note=f"note of {name}", tags=[name, "both"], interests=["chess"])
    assert talk.people.get() == person
    person.refresh_from_db()
    return person


@pytest.fixture
def by(sdr: User) -> User:
    return sdr


@pytest.fixture
def two(by: User) -> tuple[Person, Person]:
    company, friend = make.organisation("Firm", domain="firm.example"), make.person("Friend")
    one = full_person("Jan Peeters", by, company, friend)
    return one, full_person("Jan Peters", by, company, friend)


def test_nothing_points_at_the_one_that_went(two: tuple[Person, Person], by: User) -> None:
    keep, gone = two
    pointed = set(still_points_at(Person, "person", gone.pk))
    every = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.related_model is Person
    }
    assert every - pointed == {"crm.Acquaintance.other"}, "each link is tried"
    done = merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    assert still_points_at(Person, "person", gone.pk) == []
    assert not Person.objects.filter(pk=gone.pk).exists()
    assert Lead.objects.filter(person=keep).count() == 2
    assert keep.conversations.count() == 2
    assert Deal.objects.filter(person=keep).count() == 2
    assert (done.gone_id, done.kept_id, done.gone_name) == (gone.pk, keep.pk, "Jan Peters")


def test_merge_then_undo_leaves_every_table_as_it_was(two: tuple[Person, Person], by: User) -> None:
    keep, gone = two
    duplicates.find_all(at=AT)
    unchanged_after_undo(lambda: merging.merge(keep=keep, gone=gone, by=by, at=LATER), by)
    unchanged_after_undo(lambda: merging.merge(keep=gone, gone=keep, by=by, at=LATER), by)


def test_organisations_merge_and_part_as_well(by: User) -> None:
    worker = make.person("Els Maes")
    keep = make.organisation("Acme", domain="acme.example", kvk_number="01234567")
    gone = make.organisation("Acme BV", domain="acme.nl", vat_number="BE0428759497", city="Gent")
    for company in (keep, gone):
        make.deal(by, organisation=company)
        people.add_position(person=worker, organisation=company, title=f"at {company}", by=by, at=AT)
        make.conversation(worker, by=by, organisation=company, at=AT)
    duplicates.find_all(at=AT)
    lead = make.lead(organisation="Acme BV", email="x@acme.nl", name="Xavier")
    assert lead.organisation == gone
    Organisation.objects.filter(pk=gone.pk).update(customer_since=AT - timedelta(days=900))
    unchanged_after_undo(lambda: merging.merge(keep=keep, gone=gone, by=by, at=LATER), by)
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    assert still_points_at(Organisation, "organisation", gone.pk) == []
    keep.refresh_from_db()
    assert (keep.city, keep.kvk_number, keep.vat_number, keep.domain) == (
        "Gent",
        "01234567",
        "BE0428759497",
        "acme.example",
    )
    assert keep.customer_since == AT - timedelta(days=900)
    assert keep.last_contact_at == AT
    assert Position.objects.filter(person=worker, organisation=keep).count() == 1
    assert people.organisation_at("acme.nl") == keep


def test_fields_are_picked_and_otherwise_filled(by: User) -> None:
    keep = make.person("Jan Peeters", tier="B", note="First.", tags=["Gent", "vip"], language="nl")
    gone = make.person("Johan van der Peeters", tier="A", note="Second.", tags=["VIP", "wine"], external_id="f-1")
    Person.objects.filter(pk=gone.pk).update(country="BE", not_before=date(2027, 1, 1), not_before_why="holiday")
    done = merging.merge(keep=keep, gone=gone, choices={"tier": "gone", "given_name": "gone"}, by=by, at=LATER)
    keep.refresh_from_db()
    assert (keep.given_name, keep.particle, keep.family_name) == ("Johan", "van der", "Peeters")
    assert (keep.tier, keep.language, keep.country, keep.note) == ("A", "nl", "BE", "First.\n\nSecond.")
    assert keep.tags == ["Gent", "vip", "wine"]
    assert (keep.not_before, keep.not_before_why, keep.external_id) == (date(2027, 1, 1), "holiday", "f-1")
    assert done.changed["tier"] == ["B", "A"]
    assert "language" not in done.changed


def test_a_particle_goes_with_its_family_name(by: User) -> None:
    keep, gone = make.person("Jan Maes"), make.person("Jan van der Berg")
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    keep.refresh_from_db()
    assert str(keep) == "Jan Maes"


def test_a_choice_that_is_none_is_a_mistake_of_the_caller(by: User) -> None:
    keep, gone = make.person(), make.person()
    for choices in ({"id": "gone"}, {"tier": "both"}, {"last_contact_at": "gone"}):
        with pytest.raises(TypeError):
            merging.merge(keep=keep, gone=gone, choices=choices, by=by, at=LATER)


def test_what_both_have_is_there_once(by: User) -> None:
    keep, gone = (
        make.person("Jan", email="jan@a.example", phone="+3215123456"),
        make.person("Jan P", email="jan@a.example"),
    )
    people.add_email(person=gone, address="other@a.example", by=by, at=AT)
    people.add_phone(person=gone, number="+3215123456", by=by, at=AT)
    talk = conversations.log(people=[keep, gone], kind="call", by=by, at=AT)
    Acquaintance.objects.create(person=keep, other=gone, at=AT)
    for person in (keep, gone):
        DoNotContact.objects.create(scope="mail", person=person, reason="asked", source="mail", since=AT, made_at=AT)
    unchanged_after_undo(lambda: merging.merge(keep=keep, gone=gone, by=by, at=LATER), by)
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    assert list(keep.email_addresses.values_list("address", "is_preferred")) == [
        ("jan@a.example", True),
        ("other@a.example", False),
    ]
    assert keep.phone_numbers.count() == 1
    assert talk.people.get() == keep
    assert not Acquaintance.objects.exists()
    assert DoNotContact.objects.standing().get().person == keep


def test_what_is_known_of_a_friend_of_both_is_there_once_whoever_was_named_first(by: User) -> None:
    keep, friend, gone = make.person(), make.person(), make.person()
    Acquaintance.objects.create(person=friend, other=keep, how="choir", at=AT)
    Acquaintance.objects.create(person=gone, other=friend, how="school", at=AT)
    unchanged_after_undo(lambda: merging.merge(keep=keep, gone=gone, by=by, at=LATER), by)
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    assert Acquaintance.objects.get().how == "choir"


def test_nobody_introduces_or_recommends_themselves(by: User) -> None:
    keep, gone, third = make.person(), make.person(), make.person()
    Person.objects.filter(pk=keep.pk).update(introduced_by=gone)
    Person.objects.filter(pk=gone.pk).update(introduced_by=third)
    asked = Referral.objects.create(referrer=keep, introduced=gone, state="asked", asked_at=AT)
    Referral.objects.create(referrer=gone, introduced=keep, introduced_at=AT, state="met", asked_at=AT)
    unchanged_after_undo(lambda: merging.merge(keep=keep, gone=gone, by=by, at=LATER), by)
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    keep.refresh_from_db()
    assert keep.introduced_by == third
    assert [(row.pk, row.introduced) for row in Referral.objects.all()] == [(asked.pk, None)]


def test_a_wish_of_either_side_holds_for_the_one_that_stays(by: User) -> None:
    keep, gone = make.person(), make.person()
    DoNotContact.objects.create(scope="call", person=gone, reason="asked", source="mail", since=AT, made_at=AT)
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    assert DoNotContact.objects.standing().get().person == keep


def test_last_contact_is_that_of_both(by: User) -> None:
    keep, gone = make.person(), make.person()
    make.conversation(keep, by=by, at=AT - timedelta(days=9))
    newest = make.conversation(gone, by=by, at=AT)
    done = merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    keep.refresh_from_db()
    assert (keep.last_contact_at, keep.last_contact) == (AT, newest)
    back = merging.undo(merge=done, by=by, at=LATER)
    assert (back.back.last_contact_at, back.kept.last_contact_at) == (AT, AT - timedelta(days=9))


def test_a_second_open_follow_up_of_one_rule_goes(two: tuple[Person, Person], by: User) -> None:
    keep, gone = two
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    assert FollowUp.objects.open().filter(rule="keep_in_touch", subject_kind="person").get().subject_id == keep.pk


def test_what_happened_moves_its_links_and_keeps_its_subject(by: User) -> None:
    keep, gone = make.person("Jan Peeters", by=by), make.person("Jan Peters", by=by)
    born = gone.events.get(kind=EventKind.PERSON_MADE)
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    born.refresh_from_db()
    assert (born.person_id, born.subject_id) == (keep.pk, gone.pk)
    assert (keep.events.get(kind=EventKind.PERSON_MERGED).new or {})["name"] == "Jan Peters"


# ---- Chains, and the way back ------------------------------------------------------------------------------------------


def test_a_into_b_into_c_leads_to_c_and_back_in_order(by: User) -> None:
    a, b, c = make.person("A", email="a@a.example"), make.person("B"), make.person("C")
    lead = make.lead(person=a)
    before = dump()
    first = merging.merge(keep=b, gone=a, by=by, at=AT)
    middle = dump()
    second = merging.merge(keep=c, gone=b, by=by, at=AT)
    lead.refresh_from_db()
    assert lead.person == c
    assert Merge.objects.stayed(Mergeable.PERSON, a.pk) == c.pk
    assert Merge.objects.stayed(Mergeable.PERSON, b.pk) == c.pk
    assert Merge.objects.stayed(Mergeable.PERSON, c.pk) is None
    with pytest.raises(Refused, match="Undo the later merge first"):
        merging.undo(merge=first, by=by, at=LATER)
    merging.undo(merge=second, by=by, at=LATER)
    assert {**dump(), "links of events": []} == {**middle, "links of events": []}
    merging.undo(merge=first, by=by, at=LATER)
    assert {**dump(), "links of events": []} == {**before, "links of events": []}
    assert Merge.objects.stayed(Mergeable.PERSON, a.pk) is None


def test_undone_for_thirty_days_to_the_second_and_once(by: User) -> None:
    keep, gone = make.person(), make.person()
    done = merging.merge(keep=keep, gone=gone, by=by, at=AT)
    with pytest.raises(Refused, match="thirty days"):
        merging.undo(merge=done, by=by, at=AT + UNDO_WITHIN + timedelta(seconds=1))
    merging.undo(merge=done, by=by, at=AT + UNDO_WITHIN)
    with pytest.raises(Refused, match="already"):
        merging.undo(merge=done, by=by, at=AT + UNDO_WITHIN)
    again = merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    assert Merge.objects.standing().get() == again


def test_what_is_new_since_the_merge_stays_and_what_was_changed_since_keeps_its_value(by: User) -> None:
    keep, gone = make.person("Jan Peeters", tier=""), make.person("Jan Peters", tier="A", language="nl")
    old = make.lead(person=gone)
    done = merging.merge(keep=keep, gone=gone, by=by, at=AT)
    keep.refresh_from_db()
    new = make.lead(person=keep)
    people.change(person=keep, tier="C", by=by, at=AT)
    undone = merging.undo(merge=done, by=by, at=LATER)
    old.refresh_from_db()
    assert (old.person_id, new.person_id) == (gone.pk, keep.pk)
    assert undone.unchanged == ["tier"]
    assert isinstance(undone.kept, Person)
    assert isinstance(undone.back, Person)
    assert (undone.kept.tier, undone.kept.language, undone.back.tier) == ("C", "", "A")


def test_what_moved_on_to_somebody_else_since_is_left_there(by: User) -> None:
    keep, gone, third = make.person(), make.person(), make.person()
    lead = make.lead(person=gone)
    done = merging.merge(keep=keep, gone=gone, by=by, at=AT)
    Lead.objects.filter(pk=lead.pk).update(person=third)
    merging.undo(merge=done, by=by, at=LATER)
    lead.refresh_from_db()
    assert lead.person == third


def test_undo_says_what_is_in_the_way(by: User) -> None:
    keep, gone = make.organisation("Acme", domain="a.example"), make.organisation("Beta", domain="b.example")
    done = merging.merge(keep=keep, gone=gone, by=by, at=AT)
    Organisation.objects.create(name="Gamma", domain="b.example")
    with pytest.raises(Refused, match=r"Gamma has “b\.example” now"):
        merging.undo(merge=done, by=by, at=LATER)
    assert Merge.objects.standing().get() == done
    Organisation.objects.filter(name="Gamma").delete()
    Organisation.objects.filter(pk=keep.pk).delete()
    with pytest.raises(Refused, match="not here any more"):
        merging.undo(merge=done, by=by, at=LATER)


def test_undo_finds_the_row_that_a_dropped_one_pointed_at_under_its_new_name(by: User) -> None:
    firm, firm_too = make.organisation("Firm"), make.organisation("Firm too")
    keep, gone = (
        make.person(organisation=firm, title="CEO"),
        make.person(organisation=firm, title="CFO", owner=make.user()),
    )
    done = merging.merge(keep=keep, gone=gone, by=by, at=AT)
    merging.merge(keep=firm_too, gone=firm, by=by, at=AT)
    assert gone.owner is not None
    gone.owner.delete()
    back = merging.undo(merge=done, by=by, at=LATER).back
    assert isinstance(back, Person)
    assert back.positions.get().organisation == firm_too
    assert back.owner is None


def test_not_the_same_as_one_is_not_the_same_as_the_other(by: User) -> None:
    third = make.person("Third", email="x@x.example")
    keep, gone = make.person("Keep", email="x@x.example"), make.person("Gone", email="x@x.example")
    (pair,) = duplicates.waiting_for(gone).filter(first_id=third.pk)
    duplicates.dismiss(pair=pair, by=by, at=AT)
    unchanged_after_undo(lambda: merging.merge(keep=keep, gone=gone, by=by, at=LATER), by)
    merging.merge(keep=keep, gone=gone, by=by, at=LATER)
    duplicates.find_all(at=LATER)
    assert not PossibleDuplicate.objects.waiting().exists()
    said = PossibleDuplicate.objects.get(first_id=third.pk, second_id=keep.pk)
    assert (said.dismissed_by, said.dismissed_at) == (by, AT)


def test_refused_in_words(by: User) -> None:
    person, other = make.person(), make.person()
    with pytest.raises(Refused, match="not the same row"):
        merging.merge(keep=person, gone=person, by=by, at=AT)
    with pytest.raises(Refused, match="not the same row"):
        merging.merge(keep=person, gone=make.organisation(), by=by, at=AT)
    Person.objects.filter(pk=other.pk).delete()
    with pytest.raises(Refused, match="meanwhile"):
        merging.merge(keep=person, gone=other, by=by, at=AT)


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_merge_can_be_taken_back(db: None, data: st.DataObject) -> None:
    """Whatever the two share and say, merge and undo leaves every table as it was."""
    with transaction.atomic():
        by = make.user()
        firms = [make.organisation(f"Firm {number} {by.pk}") for number in range(2)]
        persons = [make.person(email=f"p{number}.{by.pk}@x.example") for number in range(3)]
        keep, gone, third = persons
        pick = data.draw
        for person in persons:
            Person.objects.filter(pk=person.pk).update(
                tier=pick(st.sampled_from(["", "A", "B"])),
                language=pick(st.sampled_from(["", "nl", "en"])),
                tags=pick(st.lists(st.sampled_from(["x", "X", "y"]), max_size=2)),
                note=pick(st.sampled_from(["", "one", "two"])),
                not_before=pick(st.sampled_from([None, date(2027, 1, 1), date(2027, 2, 2)])),
                introduced_by=pick(st.sampled_from([None, *[one for one in persons if one != person]])),
            )
            for number in pick(st.sets(st.sampled_from(["+3215123456", "+3215123457"]))):
                PhoneNumber.objects.create(person=person, number=number, is_preferred=pick(st.booleans()))
            for firm in pick(st.sets(st.sampled_from(firms))):
                Position.objects.create(person=person, organisation=firm, is_main=pick(st.booleans()))
            if pick(st.booleans()):
                EmailAddress.objects.create(
                    person=person, address=f"s{by.pk}@x.example", is_confirmed=pick(st.booleans())
                )
        for pair in pick(st.sets(st.sampled_from([(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]))):
            Acquaintance.objects.create(person=persons[pair[0]], other=persons[pair[1]], at=AT)
        for _ in range(pick(st.integers(0, 3))):
            who = pick(st.lists(st.sampled_from(persons), min_size=1, unique=True))
            conversations.log(people=who, kind="call", by=by, at=AT, when=AT - timedelta(days=pick(st.integers(0, 9))))
        duplicates.find_all(at=AT)
        choices = {
            name: pick(st.sampled_from(["keep", "gone"]))
            for name in pick(st.sets(st.sampled_from(["tier", "given_name", "language"])))
        }
        unchanged_after_undo(lambda: merging.merge(keep=keep, gone=gone, choices=choices, by=by, at=LATER), by)
        transaction.set_rollback(True)


# ---- Files that still say the old -------------------------------------------------------------------------------------

PEOPLE_MAP = (
    'kind = "people"\nexternal_id = "id"\n[columns]\ngiven_name = "given"\nfamily_name = "family"\nemail = "mail"\n'
)
ORGANISATIONS_MAP = (
    'kind = "organisations"\nexternal_id = "id"\n[columns]\nname = "name"\ndomain = "domain"\nkvk_number = "kvk"\n'
)


def taken_in(content: str, map_text: str, by: User) -> ImportRun:
    run = imports.upload(file=io.BytesIO(content.encode()), file_name="x.csv", map_text=map_text, by=by, at=LATER)
    return imports.run(run_id=run.pk, at=LATER)


def test_a_file_with_the_old_id_finds_who_stayed(by: User) -> None:
    a, b, c = make.person("A", external_id="a"), make.person("B", external_id="b"), make.person("C Claes")
    merging.merge(keep=b, gone=a, by=by, at=AT)
    merging.merge(keep=c, gone=b, by=by, at=AT)
    run = taken_in("id,given,family,mail\na,Old,Name,a@old.example\nb,Carla,Claes,b@new.example\n", PEOPLE_MAP, by)
    assert (run.rows_made, run.rows_changed, run.rows_same, run.rows_refused, run.failure) == (0, 1, 1, 0, "")
    c.refresh_from_db()
    assert (str(c), c.external_id) == ("Carla Claes", "b")
    assert Person.objects.count() == 1
    taken_in("id,given,family,mail\na,Carla,Maes,c@new.example\n", PEOPLE_MAP, by)
    c.refresh_from_db()
    assert (str(c), c.external_id) == ("Carla Maes", "b")
    assert c.email_addresses.filter(address="c@new.example").exists()


def test_a_file_with_the_old_domain_or_number_finds_the_organisation_that_stayed(by: User) -> None:
    keep = make.organisation("Acme", domain="acme.example", external_id="k")
    gone = make.organisation("Acme Nederland", domain="acme.nl", kvk_number="01234567")
    merging.merge(keep=keep, gone=gone, by=by, at=AT)
    for row in ("n1,Acme,acme.nl,\n", "n2,Acme,,01234567\n"):
        run = taken_in("id,name,domain,kvk\n" + row, ORGANISATIONS_MAP, by)
        assert (run.rows_made, run.rows_refused, run.failure) == (0, 0, "")
    keep.refresh_from_db()
    assert (keep.domain, keep.external_id, keep.kvk_number) == ("acme.example", "k", "01234567")
    assert Organisation.objects.count() == 1


def test_what_a_file_brings_is_looked_at(by: User) -> None:
    known = make.person("Jan Peeters", email="jan@firm.example")
    taken_in("id,given,family,mail\n1,Jan,Peters,jp@firm.example\n", PEOPLE_MAP, by)
    pair = duplicates.waiting_for(known).get()
    assert pair.reasons == ["name"]


def test_what_was_written_at_the_moment_of_a_merge_is_gathered_at_night(by: User) -> None:
    a, b, c = make.person(), make.person(), make.person()
    merging.merge(keep=b, gone=a, by=by, at=AT)
    merging.merge(keep=c, gone=b, by=by, at=AT)
    late = Event.objects.create(
        kind=EventKind.PERSON_CHANGED, at=AT, subject_kind="person", subject_id=a.pk, person_id=a.pk
    )
    lead = make.lead()
    own = Event.objects.filter(lead=lead).values_list("person_id", flat=True).first()
    tasks.find_duplicates()
    late.refresh_from_db()
    assert (late.person_id, late.subject_id) == (c.pk, a.pk)
    assert Event.objects.filter(lead=lead).values_list("person_id", flat=True).first() == own


# ---- At the same moment ------------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each says when all begin together, on connections of their own; a refusal is an answer."""
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            ready.wait(10)
            return act()
        except (Refused, IntegrityError, Person.DoesNotExist) as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def committed(transactional_db: None) -> Iterator[User]:
    return make.user("Sofie", role=Role.MANAGER)  # type: ignore[return-value]


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_that_share_a_row_nothing_is_lost(committed: User) -> None:
    for _ in range(5):
        a, b, c = make.person(), make.person(), make.person()
        leads = [make.lead(person=person).pk for person in (a, b, c)]
        answers = at_once(
            lambda a=a, b=b: merging.merge(keep=b, gone=a, by=committed, at=AT),  # type: ignore[misc]
            lambda b=b, c=c: merging.merge(keep=c, gone=b, by=committed, at=AT),  # type: ignore[misc]
        )
        left = set(Lead.objects.filter(pk__in=leads).values_list("person_id", flat=True))
        assert left <= set(Person.objects.values_list("pk", flat=True))
        # Both came through (a into b into c), or the one that found b gone was told so and a is untouched.
        assert left == ({c.pk} if all(isinstance(one, Merge) for one in answers) else {a.pk, c.pk})
        assert sum(isinstance(one, Refused) for one in answers) <= 1


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_into_each_other_one_is_told(committed: User) -> None:
    for _ in range(5):
        a, b = make.person(), make.person()
        answers = at_once(
            lambda a=a, b=b: merging.merge(keep=b, gone=a, by=committed, at=AT),  # type: ignore[misc]
            lambda a=a, b=b: merging.merge(keep=a, gone=b, by=committed, at=AT),  # type: ignore[misc]
        )
        assert {type(one) for one in answers} == {Merge, Refused}
        assert Person.objects.filter(pk__in=(a.pk, b.pk)).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_adds_to_the_one_that_goes_is_refused_or_found_at_the_one_that_stays(committed: User) -> None:
    for round_ in range(5):
        keep, gone = make.person(), make.person()
        address = f"new{round_}@new.example"
        merged, talk, mail = at_once(
            lambda keep=keep, gone=gone: merging.merge(keep=keep, gone=gone, by=committed, at=AT),  # type: ignore[misc]
            lambda gone=gone: conversations.log(people=[gone], kind="call", by=committed, at=AT),  # type: ignore[misc]
            lambda gone=gone, address=address: people.add_email(person=gone, address=address, by=committed, at=AT),  # type: ignore[misc]
        )
        assert isinstance(merged, Merge)
        keep.refresh_from_db()
        assert keep.conversations.count() == isinstance(talk, Conversation)
        assert keep.last_contact_id == (talk.pk if isinstance(talk, Conversation) else None)
        assert keep.email_addresses.filter(address=address).count() == isinstance(mail, EmailAddress)
        assert still_points_at(Person, "person", gone.pk) == []


@pytest.mark.django_db(transaction=True)
def test_a_row_that_was_written_before_and_committed_after_the_merge_is_refused(committed: User) -> None:
    keep, gone = make.person(), make.person()
    written, merged = threading.Event(), threading.Event()

    def write() -> object:
        with transaction.atomic():
            lead = Lead.objects.create(channel="form", person=gone, received_at=AT)
            written.set()
            merged.wait(10)
        return lead

    def merge() -> object:
        written.wait(10)
        try:
            return merging.merge(keep=keep, gone=gone, by=committed, at=AT)
        finally:
            merged.set()

    lead, done = at_once(write, merge)
    assert isinstance(done, Merge)
    assert isinstance(lead, IntegrityError)
    assert not Lead.objects.filter(person=gone.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_merged_while_a_file_is_taken_in(committed: User) -> None:
    keep, gone = make.person(), make.person()
    held, tried = threading.Event(), threading.Event()

    def take_in() -> None:
        with transaction.atomic():
            locks.hold("imports")
            held.set()
            tried.wait(10)

    def merge() -> object:
        held.wait(10)
        try:
            return merging.merge(keep=keep, gone=gone, by=committed, at=AT)
        finally:
            tried.set()

    _file, answer = at_once(take_in, merge)
    assert isinstance(answer, Refused)
    assert isinstance(merging.merge(keep=keep, gone=gone, by=committed, at=AT), Merge)


def test_each_link_of_the_nouns_is_walked() -> None:
    found = {link.label for link in relations.links(Person, "person")}
    assert {
        "crm.Lead.person",
        "crm.Conversation_people.person",
        "crm.Person.introduced_by",
        "crm.FollowUp.subject_id",
    } <= found
    assert json.dumps(sorted(found))
    assert list(relations.links(Person, "person"))[-1].label == "crm.Event.person", "what happened moves last"


def test_what_will_move_is_said_in_numbers(two: tuple[Person, Person], by: User) -> None:
    said = dict(merging.counts(two[1], "person"))
    assert said["conversation"] == 1
    assert said["lead"] == 1
    make.lead(person=two[1], channel=Channel.BY_HAND)
    assert dict(merging.counts(two[1], "person"))["leads"] == 2
