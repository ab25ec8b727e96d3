"""Whoever asks to be left in peace is left in peace: by person, number and address, by our list and by registers, until somebody lifts it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from crm import do_not_contact, pacing
from crm.channels.register_file import Entry
from crm.models import ConversationKind, DoNotContact, Event, EventKind, Person, Register, RegisterEntry, Scope, User
from crm.notation import parse_phone
from crm.pacing import Allowed, Never
from crm.refusal import Refused
from tests import make

pytestmark = pytest.mark.django_db
AT = make.AT
NUMBER, OTHER = "+3215123456", "+3215123457"
READABLE = "+32 15 12 34 56"


def answer(person: Person, channel: str = "call", at: datetime = AT, **more: Any) -> pacing.Answer:
    return pacing.may_contact(person, channel, at, **more)


def never(person: Person, channel: str = "call", **more: Any) -> str:
    found = answer(person, channel, **more)
    assert isinstance(found, Never), found
    return found.why


# ---- A wish and what it covers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        (Scope.CALL, {"call"}),
        (Scope.MAIL, {"email"}),
        (Scope.CONTACT, {"call", "email", "video", "visit", "chat", "event"}),
    ],
)
def test_a_wish_covers_its_channel_and_contact_every_one(sdr: User, scope: Scope, refused: set[str]) -> None:
    person = make.person(phone=NUMBER)
    make.wish(person=person, scope=scope, by=sdr)
    assert {kind for kind in ConversationKind.values if isinstance(answer(person, kind), Never)} == refused


def test_the_sentence_says_what_why_since_when_how_we_know_and_who_noted_it(sdr: User) -> None:
    person = make.person()
    make.wish(
        person=person, scope=Scope.CALL, by=sdr, reason="Calls wake the baby.", source="told Sofie by phone",
        since=date(2026, 5, 3),
    )  # fmt: skip
    assert never(person) == (
        "They asked us not to call: Calls wake the baby. Since 3 May 2026, known from: told Sofie by phone, "
        "noted by Sofie Peeters."
    )


def test_a_barred_number_is_not_called_whoever_has_it_and_another_of_theirs_may_be(sdr: User) -> None:
    person, colleague = make.person(phone=NUMBER), make.person(phone=NUMBER)
    make.wish(number="015/12.34.56", scope=Scope.CALL, by=sdr)
    assert READABLE in never(person)
    assert READABLE in never(colleague, number=NUMBER)
    person.phone_numbers.create(number=OTHER)
    assert answer(person) == Allowed(), "not every number they have is barred"
    assert answer(person, number=OTHER) == Allowed()
    assert READABLE in never(person, number=NUMBER)
    assert answer(person, "email") == Allowed()


def test_a_barred_address_is_not_mailed_whoever_has_it(sdr: User) -> None:
    person = make.person(email="ann@a.example")
    make.wish(address="Ann@A.example", scope=Scope.MAIL, by=sdr)
    assert "ann@a.example" in never(person, "email")
    assert "ann@a.example" in never(person, "email", address="ANN@a.example")
    assert answer(person, "call") == Allowed()
    person.email_addresses.create(address="ann@b.example")
    assert answer(person, "email") == Allowed()
    assert "ann@a.example" in never(person, "email", address="ann@a.example")


def test_a_wish_about_one_person_says_nothing_about_another(sdr: User) -> None:
    make.wish(person=make.person(phone=NUMBER), by=sdr)
    assert answer(make.person(phone=NUMBER)) == Allowed()


def test_somebody_without_a_number_is_barred_by_their_own_wish_only(sdr: User) -> None:
    make.wish(number=NUMBER, scope=Scope.CALL, by=sdr)
    assert answer(make.person()) == Allowed()


def test_many_are_judged_each_by_their_own(sdr: User) -> None:
    barred, listed, free = make.person(), make.person(phone=NUMBER), make.person(phone=OTHER)
    make.wish(person=barred, by=sdr)
    make.register(NUMBER)
    answers = pacing.judge([barred, listed, free], ConversationKind.CALL, AT)
    assert [type(answers[person.pk]) for person in (barred, listed, free)] == [Never, Never, Allowed]


def test_a_wish_is_noted_once_and_stands_in_the_timeline(sdr: User) -> None:
    person = make.person(phone=NUMBER)
    first = make.wish(number=NUMBER, scope=Scope.CALL, by=sdr)
    assert make.wish(number="+32 15 12 34 56", scope=Scope.CALL, by=sdr, reason="Again") == first
    event = Event.objects.get(kind=EventKind.CONTACT_BARRED)
    assert (event.person, event.by) == (person, sdr)
    assert (event.new or {})["thing"] == NUMBER


def test_since_is_today_where_the_writer_is_unless_they_say_otherwise(sdr: User) -> None:
    late = datetime.fromisoformat("2026-11-23T23:30:00+00:00")
    assert make.wish(person=make.person(), by=sdr, at=late).since == date(2026, 11, 24)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"number": NUMBER, "address": "a@b.example"},
        {"number": "12"},
        {"address": "nobody"},
        {"number": NUMBER, "scope": "mail"},
        {"address": "a@b.example", "scope": "call"},
        {"number": NUMBER, "scope": "wave"},
        {"number": NUMBER, "reason": "  "},
        {"number": NUMBER, "source": ""},
        {"number": NUMBER, "since": date(2026, 11, 24)},
    ],
)
def test_what_makes_no_sense_is_refused(sdr: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        do_not_contact.bar(**{"scope": Scope.CALL, "reason": "Enough", "source": "phone"} | wrong, by=sdr, at=AT)
    assert not DoNotContact.objects.exists()


# ---- Lifting -------------------------------------------------------------------------------------------------------


def test_lifting_keeps_the_row_with_who_and_why_and_opens_the_way(sdr: User, manager: User) -> None:
    person = make.person()
    wish = make.wish(person=person, by=sdr)
    later = AT + timedelta(days=3)
    do_not_contact.lift(wish=wish, by=manager, at=later, why="She called and asked us to")
    wish.refresh_from_db()
    assert (wish.lifted_at, wish.lifted_by, wish.lifted_why) == (later, manager, "She called and asked us to")
    assert answer(person) == Allowed()
    event = Event.objects.get(kind=EventKind.CONTACT_ALLOWED)
    assert (event.person, event.by, (event.new or {})["why"]) == (person, manager, "She called and asked us to")
    assert (event.old or {})["reason"] == wish.reason


def test_lifting_asks_why(sdr: User) -> None:
    wish = make.wish(person=make.person(), by=sdr)
    with pytest.raises(Refused):
        do_not_contact.lift(wish=wish, by=sdr, at=AT, why="  ")
    wish.refresh_from_db()
    assert wish.lifted_at is None


def test_lifting_twice_is_lifting_once_and_a_new_wish_stands_by_itself(sdr: User, manager: User) -> None:
    person = make.person()
    wish = make.wish(person=person, by=sdr)
    do_not_contact.lift(wish=wish, by=manager, at=AT, why="Asked")
    assert do_not_contact.lift(wish=wish, by=sdr, at=AT, why="Again").lifted_by == manager
    assert Event.objects.filter(kind=EventKind.CONTACT_ALLOWED).count() == 1
    assert make.wish(person=person, by=sdr) != wish
    assert isinstance(answer(person), Never)


# ---- Registers -----------------------------------------------------------------------------------------------------


def test_a_register_bars_the_numbers_it_holds_in_any_notation() -> None:
    person = make.person(phone=NUMBER)
    register = make.register("015 12 34 56", "0031 20 123 45 67", name="Do not call me")
    assert set(register.entries.values_list("value", flat=True)) == {NUMBER, "+31201234567"}
    assert never(person) == f"{READABLE} stands in the register “Do not call me”, loaded on 23 November 2026."
    assert answer(person, "email") == Allowed()


def test_a_register_of_addresses_bars_mail_and_one_of_contact_both() -> None:
    person = make.person(email="ann@a.example", phone=NUMBER)
    make.register("Ann@a.example", scope=Scope.MAIL)
    assert isinstance(answer(person, "email"), Never)
    assert answer(person, "call") == Allowed()
    other = make.person(email="bob@b.example", phone=OTHER)
    make.register("bob@b.example", OTHER, scope=Scope.CONTACT)
    assert isinstance(answer(other, "email"), Never)
    assert isinstance(answer(other, "call"), Never)


def test_loading_again_replaces_all_entries_each_once_and_says_how_many() -> None:
    first = make.register(NUMBER, OTHER, name="Do not call me")
    again = make.register(OTHER, "+32 15 12 34 57", "+31201234567", name="Do not call me", at=AT + timedelta(days=1))
    assert again.pk == first.pk
    assert set(again.entries.values_list("value", flat=True)) == {OTHER, "+31201234567"}
    assert (again.entries_count, again.loaded_at) == (2, AT + timedelta(days=1))
    assert Event.objects.filter(kind=EventKind.REGISTER_LOADED).count() == 2


def test_refused_lines_are_counted_and_the_first_twenty_told() -> None:
    rows = [Entry(1, NUMBER), *(Entry(line, f"nobody {line}") for line in range(2, 50)), Entry(50, "", "It is empty.")]
    loaded = do_not_contact.load_register(
        name="R", scope=Scope.CALL, source="", allowed_days=31, rows=rows, by=None, at=AT
    )
    assert (loaded.register.entries_count, loaded.refused, len(loaded.problems)) == (1, 49, 20)
    assert loaded.problems[0].line == 2
    assert "nobody 2" in loaded.problems[0].problem


def test_numbers_without_a_country_code_are_of_the_country_that_is_named() -> None:
    register = make.register("020 123 45 67", country="NL")
    assert register.entries.get().value == "+31201234567"


def test_a_file_of_which_nothing_can_be_read_empties_nothing() -> None:
    make.register(NUMBER, name="R")
    with pytest.raises(Refused, match="Line 1"):
        make.register("nobody", name="R")
    assert RegisterEntry.objects.get().value == NUMBER
    with pytest.raises(Refused):
        do_not_contact.load_register(name="R", scope=Scope.CALL, source="", allowed_days=31, rows=[], by=None, at=AT)
    assert RegisterEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_that_breaks_off_changes_nothing() -> None:
    make.register(NUMBER, name="R")

    def broken() -> Any:
        yield Entry(1, OTHER)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        do_not_contact.load_register(
            name="R", scope=Scope.CALL, source="", allowed_days=31, rows=broken(), by=None, at=AT
        )
    assert RegisterEntry.objects.get().value == NUMBER


@pytest.mark.parametrize("wrong", [{"name": "  "}, {"scope": "wave"}])
def test_a_register_without_sense_is_refused(wrong: dict[str, str]) -> None:
    sound: dict[str, Any] = {"name": "R", "scope": Scope.CALL, "source": "", "allowed_days": 31}
    with pytest.raises(Refused):
        do_not_contact.load_register(**sound | wrong, rows=[Entry(1, NUMBER)], by=None, at=AT)
    assert not Register.objects.exists()


def test_a_register_that_is_older_than_it_may_be_is_named_and_still_bars() -> None:
    person = make.person(phone=NUMBER)
    make.register(NUMBER, name="Old", allowed_days=31)
    make.register(OTHER, name="Patient", allowed_days=60)
    assert pacing.old_registers(AT + timedelta(days=31)) == []
    at = AT + timedelta(days=32)
    assert [register.name for register in pacing.old_registers(at)] == ["Old"]
    assert isinstance(answer(person, at=at), Never)


def test_removing_a_register_asks_why_and_leaves_an_event(manager: User) -> None:
    person = make.person(phone=NUMBER)
    register = make.register(NUMBER, name="Wrong file")
    with pytest.raises(Refused):
        do_not_contact.remove_register(register=register, by=manager, at=AT, why=" ")
    assert isinstance(answer(person), Never)
    do_not_contact.remove_register(register=register, by=manager, at=AT, why="The wrong country")
    assert answer(person) == Allowed()
    event = Event.objects.get(kind=EventKind.CONTACT_ALLOWED)
    assert event.old == {"register": "Wrong file", "entries": 1}
    do_not_contact.remove_register(register=register, by=manager, at=AT, why="Twice")
    assert Event.objects.filter(kind=EventKind.CONTACT_ALLOWED).count() == 1


def test_loading_takes_as_many_statements_for_one_line_as_for_thousands() -> None:
    with CaptureQueriesContext(connection) as one:
        make.register(NUMBER)
    with CaptureQueriesContext(connection) as many:
        register = make.register(*(f"+3215{number}" for number in range(200000, 203000)))
    assert len(one) == len(many)
    assert register.entries_count == 3000


@given(
    st.sampled_from(["+31", "0031", "+32", "0032", "00 32 ", "+31 ", "0", "04", "06", "02 "]),
    st.text("0123456789", min_size=6, max_size=10) | st.text("0123456789 .-/", min_size=7, max_size=12),
    st.sampled_from(["BE", "NL", "FR", ""]),
)
def test_the_short_way_reads_a_number_as_the_long_way_does(begin: str, rest: str, country: str) -> None:
    try:
        expected = parse_phone(begin + rest, country or None)
    except Refused:
        expected = ""
    try:
        found = do_not_contact._value(begin + rest, Scope.CALL, country)
    except Refused:
        found = ""
    assert found == expected
