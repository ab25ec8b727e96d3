"""May we contact them now: never against their wish, not sooner than is kind, and at a decent hour where they live."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from crm import pacing, permission
from crm.models import (
    Attempt,
    ConversationKind,
    Direction,
    Event,
    EventKind,
    OutgoingMail,
    PacingPolicy,
    Person,
    Register,
    RegisterEntry,
    Scope,
    User,
)
from crm.pacing import Allowed, Never, TooSoon, hours
from crm.refusal import Refused
from tests import make

pytestmark = pytest.mark.django_db
BRUSSELS = ZoneInfo("Europe/Brussels")
NEW_YORK = ZoneInfo("America/New_York")
MONDAY = make.AT
"""Monday 23 November 2026, half past ten in Brussels."""


def here(day: str, hour: str = "10:30", zone: ZoneInfo = BRUSSELS) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=zone)


def until(answer: pacing.Answer) -> datetime:
    assert isinstance(answer, TooSoon), answer
    return answer.until


def call(person: Person, at: datetime, by: User | None = None, **more: Any) -> pacing.Answer:
    return pacing.may_contact(person, ConversationKind.CALL, at, by=by, **more)


def attempt(person: Person, at: datetime, by: User | None = None, **fields: Any) -> Attempt:
    return Attempt.objects.create(person=person, at=at, by=by, **{"outcome": "no_answer"} | fields)


def wrote(person: Person, at: datetime, by: User) -> None:
    make.conversation(person, by=by, at=at, kind=ConversationKind.EMAIL, direction=Direction.INCOMING)


def informed(person: Person, at: datetime, by: User) -> None:
    sent = make.conversation(person, by=by, at=at, kind=ConversationKind.EMAIL, direction=Direction.OUTGOING)
    type(sent).objects.filter(pk=sent.pk).update(is_information=True)


def test_nothing_stands_in_the_way_of_whom_we_never_disturbed() -> None:
    assert call(make.person(), MONDAY) == Allowed()


# ---- They asked to be contacted later ------------------------------------------------------------------------------


def test_contact_me_after_holds_until_that_day_begins_where_they_live_and_then_until_a_decent_hour() -> None:
    person = make.person()
    Person.objects.filter(pk=person.pk).update(not_before=date(2026, 12, 1), not_before_why="After her holiday")
    answer = call(person, MONDAY)
    assert until(answer) == here("2026-12-01", "08:00")
    assert isinstance(answer, TooSoon)
    assert answer.why == "They asked to be contacted later: After her holiday."
    assert until(pacing.may_contact(person, ConversationKind.EMAIL, MONDAY)) == here("2026-12-01", "00:00")
    assert call(person, here("2026-12-01")) == Allowed()


def test_a_not_before_of_one_promise_concerns_that_promise_alone(sdr: User) -> None:
    person = make.person()
    make.promise(person, by=sdr, side="theirs", due_on=date(2026, 12, 20), not_before=date(2026, 12, 10))  # type: ignore[arg-type]
    assert call(person, MONDAY, sdr) == Allowed()


# ---- After information, after tries --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "again"),
    [
        ("2026-11-23", "2026-11-26"),
        ("2026-11-26", "2026-12-01"),  # a weekend between
        ("2026-11-28", "2026-12-03"),  # sent on a Saturday
        ("2026-12-22", "2026-12-28"),  # Christmas, and a weekend
        ("2026-12-30", "2027-01-05"),  # new year
        ("2026-07-20", "2026-07-24"),  # 21 July, the Belgian national day
    ],
)
def test_who_was_sent_information_gets_three_working_days_to_read_it(sdr: User, sent: str, again: str) -> None:
    person = make.person()
    informed(person, here(sent), sdr)
    day_after = here(sent, "13:00")
    assert until(pacing.may_contact(person, ConversationKind.EMAIL, day_after, by=sdr)) == here(again, "00:00")
    assert call(person, here(again, "09:00"), sdr) == Allowed()


def test_working_days_are_those_of_their_country(sdr: User) -> None:
    dutch = make.person(organisation=make.organisation(country="NL"))
    informed(dutch, here("2026-07-20"), sdr)
    assert until(call(dutch, here("2026-07-20", "13:00"))) == here("2026-07-23", "08:00")
    informed(dutch, here("2026-04-24"), sdr)  # A Friday; Monday 27 April is the King's day, and no feast in Belgium.
    assert until(call(dutch, here("2026-04-24", "13:00"))) == here("2026-04-30", "08:00")


def test_a_mail_of_information_counts_from_when_it_was_sent(sdr: User) -> None:
    person = make.person()
    mail = OutgoingMail.objects.create(
        to="a@b.example",
        subject="Read",
        body="it",
        person=person,
        created_at=MONDAY,
        try_at=MONDAY,
        is_information=True,
    )
    assert call(person, MONDAY + timedelta(hours=1)) == Allowed()
    OutgoingMail.objects.filter(pk=mail.pk).update(sent_at=MONDAY)
    assert until(call(person, MONDAY + timedelta(hours=1))) == here("2026-11-26", "08:00")


@pytest.mark.parametrize(
    ("tries", "again"),
    [(1, "2026-11-25"), (2, "2026-11-27"), (3, "2026-12-02"), (4, "2026-12-11"), (5, "2026-12-11"), (9, "2026-12-11")],
)
def test_each_try_without_an_answer_makes_us_wait_longer_and_the_last_number_holds_for_all_further(
    tries: int, again: str
) -> None:
    person = make.person()
    for number in range(tries):
        attempt(person, MONDAY - timedelta(days=number))
    answer = call(person, MONDAY + timedelta(hours=1))
    assert until(answer) == here(again, "08:00")
    assert isinstance(answer, TooSoon)
    assert ("once" if tries == 1 else f"{tries} times") in answer.why


def test_their_reply_begins_the_count_anew(sdr: User) -> None:
    person = make.person()
    for days in (9, 8, 7):
        attempt(person, MONDAY - timedelta(days=days))
    wrote(person, MONDAY - timedelta(days=1), sdr)
    assert call(person, MONDAY) == Allowed()
    attempt(person, MONDAY)
    assert until(call(person, MONDAY + timedelta(hours=1))) == here("2026-11-25", "08:00")


def test_a_form_they_filled_in_is_a_reply(sdr: User) -> None:
    lead = make.lead(at=MONDAY)
    assert lead.person is not None
    attempt(lead.person, MONDAY - timedelta(days=1))
    informed(lead.person, MONDAY - timedelta(days=1), sdr)
    assert call(lead.person, MONDAY + timedelta(hours=1)) == Allowed()
    assert until(call(lead.person, MONDAY - timedelta(hours=1))) > MONDAY


def test_an_answer_of_a_machine_is_no_reply(sdr: User) -> None:
    person = make.person()
    attempt(person, MONDAY - timedelta(hours=2))
    away = make.conversation(person, by=sdr, at=MONDAY - timedelta(hours=1), direction=Direction.INCOMING)
    type(away).objects.filter(pk=away.pk).update(is_automatic=True)
    assert isinstance(call(person, MONDAY), TooSoon)


def test_a_call_that_was_logged_without_an_answer_is_a_try(sdr: User) -> None:
    person = make.person()
    spoken = make.conversation(person, by=sdr, at=MONDAY, direction=Direction.OUTGOING)
    assert until(call(person, MONDAY + timedelta(hours=1), sdr)) == here("2026-11-25", "08:00")
    attempt(person, MONDAY, sdr, outcome="voicemail", conversation=spoken)
    answer = call(person, MONDAY + timedelta(hours=1), sdr)
    assert isinstance(answer, TooSoon)
    assert "once" in answer.why, "the attempt and its conversation are one try"


def test_a_wrong_number_disturbed_somebody_else(sdr: User) -> None:
    person = make.person()
    attempt(person, MONDAY, sdr, outcome="wrong")
    attempt(person, MONDAY, sdr, outcome="spoke")
    assert call(person, MONDAY + timedelta(hours=1), sdr) == Allowed()


# ---- One colleague at a time ---------------------------------------------------------------------------------------


def test_they_hear_from_one_of_us_at_a_time(sdr: User, account_manager: User) -> None:
    person = make.person()
    make.conversation(person, by=sdr, at=MONDAY)
    later = MONDAY + timedelta(hours=3)
    answer = call(person, later, account_manager)
    assert until(answer) == MONDAY + timedelta(days=2)
    assert isinstance(answer, TooSoon)
    assert sdr.name in answer.why
    assert call(person, later, sdr) == Allowed(), "nobody is their own colleague"
    assert call(person, later) == Allowed(), "Kring itself is nobody's colleague"
    assert call(person, MONDAY + timedelta(days=2), account_manager) == Allowed()


def test_a_try_of_a_colleague_counts_too(sdr: User, account_manager: User) -> None:
    person = make.person()
    attempt(person, MONDAY, sdr)
    answer = call(person, MONDAY + timedelta(hours=1), account_manager)
    assert isinstance(answer, TooSoon)
    assert sdr.name in answer.why


def test_unless_they_wrote_since(sdr: User, account_manager: User) -> None:
    person = make.person()
    make.conversation(person, by=sdr, at=MONDAY)
    wrote(person, MONDAY + timedelta(hours=1), sdr)
    assert call(person, MONDAY + timedelta(hours=3), account_manager) == Allowed()


def test_who_spoke_with_them_since_goes_on(sdr: User, account_manager: User) -> None:
    person = make.person()
    make.conversation(person, by=sdr, at=MONDAY)
    make.conversation(person, by=account_manager, at=MONDAY + timedelta(hours=1))
    assert call(person, MONDAY + timedelta(hours=3), account_manager) == Allowed()
    assert isinstance(call(person, MONDAY + timedelta(hours=3), sdr), TooSoon)


# ---- A decent hour where they live ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "again"),
    [
        (here("2026-11-23", "20:00"), here("2026-11-24", "08:00")),
        (here("2026-11-23", "07:59"), here("2026-11-23", "08:00")),
        (here("2026-11-21", "21:00"), here("2026-11-23", "08:00")),  # Saturday evening; Sunday is quiet
        (here("2026-11-22", "11:00"), here("2026-11-23", "08:00")),  # Sunday
        (here("2026-12-24", "20:30"), here("2026-12-26", "08:00")),  # Christmas day
        (here("2026-12-31", "22:00"), here("2027-01-02", "08:00")),  # new year
        (here("2026-07-21", "10:00"), here("2026-07-22", "08:00")),  # the Belgian national day
        (here("2026-03-28", "21:00"), here("2026-03-30", "08:00")),  # the night in which the clock jumps
        (here("2026-03-29", "10:00"), here("2026-03-30", "08:00")),
        (here("2026-10-24", "21:00"), here("2026-10-26", "08:00")),  # the night with an hour twice
    ],
)
def test_no_call_at_night_on_sundays_and_on_holidays(at: datetime, again: datetime) -> None:
    person = make.person()
    assert until(call(person, at)) == again
    assert call(person, again) == Allowed()
    assert pacing.may_contact(person, ConversationKind.EMAIL, at) == Allowed(), "a mail may go at any hour"


def test_the_clock_may_jump_in_their_night() -> None:
    person = make.person()
    PacingPolicy.objects.create(pk=1, quiet_until=time(2, 30), keeps_holidays=False)
    assert until(call(person, here("2026-03-29", "01:00"))) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert until(call(person, here("2026-10-25", "01:00"))) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert until(call(person, datetime(2026, 10, 25, 1, 10, tzinfo=UTC))) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_chat_disturbs_at_night_and_not_on_sunday() -> None:
    person = make.person()
    assert isinstance(pacing.may_contact(person, ConversationKind.CHAT, here("2026-11-23", "23:00")), TooSoon)
    assert pacing.may_contact(person, ConversationKind.CHAT, here("2026-11-22")) == Allowed()


def test_holidays_are_those_of_their_country() -> None:
    belgian, dutch = make.person(), make.person()
    Person.objects.filter(pk=dutch.pk).update(country="NL")
    kings_day, national_day = here("2026-04-27"), here("2026-07-21")
    assert call(belgian, kings_day) == Allowed()
    assert isinstance(call(dutch, kings_day), TooSoon)
    assert isinstance(call(belgian, national_day), TooSoon)
    assert call(dutch, national_day) == Allowed()


def test_somebody_in_new_york_is_asleep_when_we_begin() -> None:
    person = make.person()
    Person.objects.filter(pk=person.pk).update(time_zone="America/New_York", country="US")
    answer = call(person, MONDAY)
    assert until(answer) == here("2026-11-23", "08:00", NEW_YORK) == here("2026-11-23", "14:00")
    assert isinstance(answer, TooSoon)
    assert answer.why == "It is 04:30 where they live; we let people be from 20:00 to 08:00."
    assert call(person, here("2026-11-24", "01:30")) == Allowed(), "our night is their evening"
    assert until(call(person, here("2026-11-26", "16:00"))) == here("2026-11-27", "08:00", NEW_YORK), "Thanksgiving"


def test_of_a_wide_country_it_is_day_when_it_is_day_in_all_of_it() -> None:
    person = make.person()
    Person.objects.filter(pk=person.pk).update(country="US")
    again = until(call(person, MONDAY))
    assert again == here("2026-11-23", "08:00", ZoneInfo("Pacific/Honolulu"))
    assert again < here("2026-11-23", "20:00", NEW_YORK)


def test_in_a_country_where_it_is_always_night_somewhere_its_middle_counts() -> None:
    policy = PacingPolicy(quiet_from=time(11), quiet_until=time(9), keeps_holidays=False)
    where = hours.place(country="RU")
    found = hours.next_decent(MONDAY, where, "call", policy)
    assert found.astimezone(where.zone).time() == time(9)
    assert not hours.why_quiet(found, hours.place(time_zone=where.zone.key), "call", policy)


@pytest.mark.parametrize(
    ("known", "zone", "country"),
    [
        ({}, "Europe/Brussels", "BE"),
        ({"number": "+31201234567"}, "Europe/Amsterdam", "NL"),
        ({"number": "+31201234567", "country": "FR"}, "Europe/Paris", "FR"),
        ({"country": "fr", "time_zone": "Indian/Reunion"}, "Indian/Reunion", "FR"),
        ({"country": "XX"}, "Europe/Brussels", "XX"),
        ({"time_zone": "no/such"}, "Europe/Brussels", "BE"),
        ({"time_zone": "../../etc/passwd"}, "Europe/Brussels", "BE"),
    ],
)
def test_where_they_live_is_the_nearest_we_know(known: dict[str, str], zone: str, country: str) -> None:
    found = hours.place(**known)
    assert (found.zone.key, found.country) == (zone, country)


def test_their_own_country_comes_before_their_work_and_that_before_their_number() -> None:
    person = make.person(phone="+33140205050")
    friday = here("2026-04-03")  # Good Friday, a holiday in Germany and not in Belgium, France or the Netherlands.
    assert call(person, friday) == Allowed()
    organisation = make.organisation(country="DE")
    working = make.person(phone="+33140205050", organisation=organisation)
    assert isinstance(call(working, friday), TooSoon)
    Person.objects.filter(pk=working.pk).update(country="BE")
    assert call(working, friday) == Allowed()


@given(
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    zone=st.sampled_from(
        ["Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "Asia/Beirut",
         "America/Sao_Paulo", "Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca"]
    ),
    country=st.sampled_from(["BE", "NL", "US", "IL", "XX", ""]),
    begin=st.times(),
    end=st.times(),
    keeps=st.booleans(),
    channel=st.sampled_from(list(ConversationKind)),
)  # fmt: skip
def test_a_decent_hour_is_found_whatever_the_clock_does_that_night(
    moment: datetime, zone: str, country: str, begin: time, end: time, keeps: bool, channel: ConversationKind
) -> None:
    if begin == end:
        return
    policy = PacingPolicy(quiet_from=begin, quiet_until=end, keeps_holidays=keeps)
    where = hours.Place((ZoneInfo(zone),), country)
    at = moment.replace(tzinfo=UTC)
    found = hours.next_decent(at, where, channel, policy)
    assert found >= at
    assert found - at < timedelta(days=12)
    assert hours.next_decent(found, where, channel, policy) == found
    assert bool(hours.why_quiet(at, where, channel, policy)) == (found != at)


# ---- All rules together --------------------------------------------------------------------------------------------


def test_the_longest_wait_decides_and_is_said_first(sdr: User, account_manager: User) -> None:
    person = make.person()
    informed(person, MONDAY - timedelta(days=1), sdr)
    Person.objects.filter(pk=person.pk).update(not_before=date(2026, 12, 4))
    answer = call(person, MONDAY, account_manager)
    assert until(answer) == here("2026-12-04", "08:00")
    assert isinstance(answer, TooSoon)
    said = ["They asked to be contacted later", "We sent them information", "was in touch with them"]
    assert [answer.why.index(words) for words in said] == sorted(answer.why.index(words) for words in said)


@pytest.mark.parametrize("channel", list(ConversationKind))
@pytest.mark.parametrize("hour", ["00:00", "07:59", "10:30", "20:00", "23:59"])
@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24", "2026-12-31", "2026-07-20"])
def test_until_lies_ahead_and_then_the_way_is_free(
    sdr: User, account_manager: User, channel: ConversationKind, hour: str, day: str
) -> None:
    person = make.person()
    at = here(day, hour)
    informed(person, at - timedelta(hours=30), sdr)
    attempt(person, at - timedelta(hours=3), sdr)
    answer = pacing.may_contact(person, channel, at, by=account_manager)
    assert until(answer) > at
    assert pacing.may_contact(person, channel, until(answer), by=account_manager) == Allowed()
    assert until(pacing.may_contact(person, channel, until(answer) - timedelta(seconds=1), by=account_manager))


def test_what_happens_later_does_not_count_yet(sdr: User, account_manager: User) -> None:
    person = make.person()
    attempt(person, MONDAY + timedelta(hours=1), sdr)
    informed(person, MONDAY + timedelta(hours=1), sdr)
    assert call(person, MONDAY, account_manager) == Allowed()


def test_the_numbers_are_those_of_the_administrator(sdr: User, account_manager: User, admin_user: User) -> None:
    person = make.person()
    attempt(person, MONDAY, sdr)
    permission.change_pacing(
        information_days=0, attempt_days=[0, 1], colleague_days=0, quiet_from=time(22), quiet_until=time(7),
        keeps_holidays=False, by=admin_user, at=MONDAY,
    )  # fmt: skip
    assert call(person, MONDAY + timedelta(minutes=1), account_manager) == Allowed()
    attempt(person, MONDAY, sdr)
    assert until(call(person, MONDAY + timedelta(minutes=1))) == here("2026-11-24", "07:00")
    event = Event.objects.get(kind=EventKind.PACING_CHANGED)
    assert (event.old or {})["attempt_days"] == [2, 4, 7, 14]
    assert (event.new or {})["attempt_days"] == [0, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempt_days": []},
        {"attempt_days": [1] * 11},
        {"attempt_days": [61]},
        {"information_days": -1},
        {"colleague_days": 61},
        {"quiet_until": time(20)},
    ],
)
def test_numbers_that_make_no_sense_are_refused(admin_user: User, wrong: dict[str, Any]) -> None:
    sound: dict[str, Any] = {
        "information_days": 3, "attempt_days": [2], "colleague_days": 2, "quiet_from": time(20),
        "quiet_until": time(8), "keeps_holidays": True,
    }  # fmt: skip
    with pytest.raises(Refused):
        permission.change_pacing(**sound | wrong, by=admin_user, at=MONDAY)
    assert not PacingPolicy.objects.exists()


def test_the_same_numbers_again_change_nothing(admin_user: User) -> None:
    policy = PacingPolicy.current()
    permission.change_pacing(
        information_days=3, attempt_days=[2, 4, 7, 14], colleague_days=2, quiet_from=policy.quiet_from,
        quiet_until=policy.quiet_until, keeps_holidays=True, by=admin_user, at=MONDAY,
    )  # fmt: skip
    assert not Event.objects.filter(kind=EventKind.PACING_CHANGED).exists()


# ---- Many at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", list(ConversationKind))
def test_two_hundred_people_cost_as_many_questions_as_one(sdr: User, channel: ConversationKind) -> None:
    people = [make.person(phone=f"+3215{200000 + number}") for number in range(200)]
    for person in people[::2]:
        attempt(person, MONDAY - timedelta(hours=1), sdr)
    with CaptureQueriesContext(connection) as one:
        pacing.judge(people[:1], channel, MONDAY, by=sdr)
    with CaptureQueriesContext(connection) as many:
        answers = pacing.judge(people, channel, MONDAY, by=sdr)
    assert len(many) == len(one) <= 8
    assert set(answers) == {person.pk for person in people}
    assert {type(answers[person.pk]) for person in people[::2]} == {TooSoon}
    assert {type(answers[person.pk]) for person in people[1::2]} == {Allowed}


def test_nobody_at_all_is_judged_too() -> None:
    assert pacing.judge([], ConversationKind.CALL, MONDAY) == {}


# ---- The gate ------------------------------------------------------------------------------------------------------


def test_too_early_is_refused_until_somebody_gives_a_reason_which_is_kept(sdr: User, account_manager: User) -> None:
    person = make.person()
    attempt(person, MONDAY, sdr)
    at = MONDAY + timedelta(hours=1)
    with pytest.raises(permission.TooEarly) as early:
        permission.obtain(person=person, channel="call", by=account_manager, at=at, override="  ")
    assert early.value.until == here("2026-11-25", "10:30")
    permission.obtain(person=person, channel="call", by=account_manager, at=at, override="She asked me to")
    event = Event.objects.get(kind=EventKind.PACING_OVERRIDDEN)
    assert event.new == {"channel": "call", "why": "She asked me to"}
    assert (event.person, event.by) == (person, account_manager)


def test_no_reason_opens_what_they_forbade(sdr: User) -> None:
    person = make.person(phone="+3215123456")
    register = Register.objects.create(name="Do not call me", loaded_at=MONDAY, scope=Scope.CALL)
    RegisterEntry.objects.create(register=register, value="+3215123456")
    assert isinstance(call(person, MONDAY), Never)
    with pytest.raises(Refused) as refused:
        permission.obtain(person=person, channel="call", by=sdr, at=MONDAY, override="But I want to")
    assert not isinstance(refused.value, permission.TooEarly)
    assert not Event.objects.filter(kind=EventKind.PACING_OVERRIDDEN).exists()


def test_what_is_allowed_leaves_no_trace(sdr: User) -> None:
    person = make.person()
    permission.obtain(person=person, channel="call", by=sdr, at=MONDAY, override="Not needed")
    assert not Event.objects.filter(kind=EventKind.PACING_OVERRIDDEN).exists()
