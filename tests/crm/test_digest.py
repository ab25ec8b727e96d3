"""The digest: on working mornings at the reader's hour, in their words, when there is something to tell, and never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection

from crm import digest, follow_ups, outbox, prospecting, tasks
from crm.models import (
    Digest,
    FollowUp,
    Notice,
    NoticeKind,
    OutgoingMail,
    PromiseSide,
    ProspectingBlock,
    ProspectingItem,
    Role,
    User,
    Way,
)
from tests import make
from tests.rules import known, refresh

MONDAY = date(2026, 11, 23)
BRUSSELS, AMSTERDAM = ZoneInfo("Europe/Brussels"), ZoneInfo("Europe/Amsterdam")


def at(day: date, hour: int, minute: int = 0, zone: ZoneInfo = BRUSSELS) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)


MORNING = at(MONDAY, 8)


def reader(name: str = "Noor Claes", **fields: Any) -> User:
    """Somebody with a follow-up of their own, made long ago, so that there is something to tell."""
    user = make.user(name, **fields)
    to_do(user, "Send the samples")
    return user


def to_do(user: User, note: str, **fields: Any) -> FollowUp:
    long_ago = datetime(2026, 1, 5, 9, tzinfo=UTC)
    given: dict[str, Any] = {
        "rule": "", "subject_kind": "user", "subject_id": user.pk, "note": note, "owner": user, "due_at": long_ago,
        "show_at": long_ago, "created_at": long_ago,
    }  # fmt: skip
    return FollowUp.objects.create(**given | fields)


def written(user: User | None = None) -> OutgoingMail:
    """The digest that was written; with `user` theirs."""
    rows = OutgoingMail.objects.filter(digest__isnull=False)
    return rows.get(digest__user=user) if user else rows.get()


def body(user: User | None = None) -> str:
    return written(user).body


def named(moment: datetime) -> list[str]:
    return [each.user.name for each in digest.due(at=moment)]


# ---- When ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hour", "minute", "does_come"), [(7, 59, False), (8, 0, True), (10, 59, True), (11, 0, False), (15, 0, False)]
)
def test_it_comes_from_its_hour_until_three_hours_later(hour: int, minute: int, does_come: bool) -> None:
    reader()
    assert digest.send_due(at=at(MONDAY, hour, minute)) == does_come
    if does_come:
        assert written().not_after == at(MONDAY, 11)


@pytest.mark.django_db
def test_a_morning_that_was_stopped_is_not_made_up_for_nor_is_a_day_sent_the_next() -> None:
    reader()
    assert digest.send_due(at=at(MONDAY, 15)) == 0
    assert digest.send_due(at=at(MONDAY + timedelta(days=1), 7)) == 0
    assert digest.send_due(at=at(MONDAY + timedelta(days=1), 8)) == 1
    assert Digest.objects.get().day == MONDAY + timedelta(days=1)
    assert "24 November" in written().subject


@pytest.mark.django_db
def test_everybody_has_their_own_hour_zone_and_working_week() -> None:
    reader("Brussels")
    reader("Early", digest_at=time(6, 30))
    reader("São Paulo", time_zone="America/Sao_Paulo")
    reader("Auckland", time_zone="Pacific/Auckland")
    reader("Part-time", working_days=[2, 3])
    reader("Off", gets_digest=False)
    reader("Left", is_active=False)
    assert named(at(MONDAY, 6, 30)) == ["Early"]
    assert named(at(MONDAY, 8)) == ["Brussels", "Early"]
    assert named(at(MONDAY, 8, zone=ZoneInfo("America/Sao_Paulo"))) == ["São Paulo"]
    # Tuesday morning in Auckland is Monday evening here.
    (far,) = digest.due(at=at(MONDAY, 20))
    assert (far.user.name, far.day) == ("Auckland", date(2026, 11, 24))
    assert "Part-time" in named(at(MONDAY + timedelta(days=2), 8))


@pytest.mark.django_db
def test_a_day_off_brings_none() -> None:
    belgian = make.team(country="BE", closed_days=[date(2026, 11, 26)])
    dutch = make.team(country="NL")
    reader("Belgian", team=belgian)
    reader("Dutch", team=dutch, time_zone="Europe/Amsterdam")
    away = reader("Away")
    make.absence(away, at=at(MONDAY, 7), days=1)
    assert named(at(MONDAY, 8)) == ["Belgian", "Dutch"]
    assert named(at(date(2026, 11, 24), 8)) == ["Belgian", "Dutch"], "the last day of an absence counts, too"
    assert named(at(date(2026, 11, 25), 8)) == ["Belgian", "Dutch", "Away"]
    assert named(at(date(2026, 11, 26), 8)) == ["Dutch", "Away"], "closed"
    assert named(at(date(2026, 11, 28), 8)) == [], "Saturday"
    assert named(at(date(2027, 4, 27), 8, zone=AMSTERDAM)) == ["Belgian", "Away"], "King's Day"
    assert named(at(date(2027, 7, 21), 8)) == ["Dutch"], "the Belgian holiday, which is that of the organisation, too"


@pytest.mark.django_db
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_on_the_day_the_clock_changes_it_comes_at_the_hour_on_the_wall_and_for_three_hours(day: date) -> None:
    every_day = list(range(7))
    reader("Eight", working_days=every_day)
    reader("Night", working_days=every_day, digest_at=time(2, 30))
    assert "Eight" not in named(at(day, 7, 59))
    (eight,) = [each for each in digest.due(at=at(day, 8)) if each.user.name == "Eight"]
    assert eight.until == at(day, 11)
    moments = [datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(-4, 16)]
    due = [moment for moment in moments if "Night" in named(moment)]
    assert len(due) == 6, "three hours, also in the night in which an hour is skipped or repeated"


@pytest.mark.django_db
def test_late_in_the_evening_it_may_come_until_midnight_only() -> None:
    reader(digest_at=time(22))
    (each,) = digest.due(at=at(MONDAY, 23, 59))
    assert each.until == at(MONDAY + timedelta(days=1), 0)
    assert digest.due(at=at(MONDAY + timedelta(days=1), 0)) == []


# ---- Once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_sent_once_a_day() -> None:
    user = reader()
    for minutes in (0, 5, 10, 120):
        digest.send_due(at=MORNING + timedelta(minutes=minutes))
        outbox.send_due(at=MORNING + timedelta(minutes=minutes))
    assert [sent.to for sent in mail.outbox] == [[user.email]]
    # Another hour makes it no other day.
    User.objects.update(digest_at=time(9, 30))
    assert digest.due(at=at(MONDAY, 9, 30)) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_writes_it() -> None:
    for number in range(4):
        reader(f"User {number}")
    start = Barrier(2)

    def work(_number: int) -> int:
        try:
            start.wait()
            return digest.send_due(at=MORNING)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(work, range(2))) == 4
    assert Digest.objects.exclude(mail=None).count() == OutgoingMail.objects.count() == 4


@pytest.mark.django_db
def test_a_worker_that_dies_before_it_has_written_all_leaves_nothing_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def die(*_args: object) -> None:
        raise Killed

    reader()
    monkeypatch.setattr("crm.digest.sending.write", die)
    with pytest.raises(Killed):
        digest.send_due(at=MORNING)
    assert not Digest.objects.exists()
    monkeypatch.undo()
    assert digest.send_due(at=MORNING + timedelta(minutes=5)) == 1


@pytest.mark.django_db
def test_a_worker_that_dies_while_it_sends_does_so_at_most_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_args: object) -> None:
        raise Killed

    reader()
    digest.send_due(at=MORNING)
    monkeypatch.setattr("crm.channels.smtp.send", die)
    with pytest.raises(Killed):
        outbox.send_due(at=MORNING)
    monkeypatch.undo()
    for minutes in (5, 60, 170, 1440):
        moment = MORNING + timedelta(minutes=minutes)
        outbox.send_due(at=moment)
        if minutes < 1440:
            assert digest.send_due(at=moment) == 0
    assert mail.outbox == []


@pytest.mark.django_db
def test_one_that_waited_too_long_is_dropped_and_not_sent() -> None:
    reader()
    digest.send_due(at=at(MONDAY, 10, 55))
    assert outbox.send_due(at=at(MONDAY, 11)) == 0
    row = written()
    assert (row.cancelled_at, mail.outbox) == (at(MONDAY, 11), [])
    assert "too late" in row.failure


@pytest.mark.django_db
def test_what_goes_wrong_for_one_stops_nobody_else_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    odd, fine = reader("Odd"), reader("Fine")
    broken = to_do(odd, "", rule="first_answer", subject_kind="lead", subject_id=1)
    assert digest.send_due(at=MORNING) == 1
    assert Digest.objects.get().user == fine
    assert f"digest of user {odd.pk} was not written" in caplog.text
    broken.delete()
    assert digest.send_due(at=MORNING + timedelta(minutes=5)) == 1


@pytest.mark.django_db
def test_the_task_writes_and_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    reader()
    monkeypatch.setattr("crm.tasks.timezone.now", lambda: MORNING)
    tasks.send_digests()
    tasks.send_digests()
    assert len(mail.outbox) == 1


# ---- What ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_to_tell_is_a_row_and_no_mail() -> None:
    user = make.user()
    Notice.objects.create(user=user, kind=NoticeKind.IMPORT, path="/imports/", at=MORNING)
    assert digest.send_due(at=MORNING) == 0
    assert Digest.objects.get().mail is None
    to_do(user, "Came a minute later")
    assert digest.send_due(at=MORNING + timedelta(minutes=5)) == 0


@pytest.mark.django_db
def test_it_tells_the_day_in_the_order_of_today_with_links(settings: Any) -> None:
    settings.SITE_URL = "https://kring.example"
    friday = at(date(2026, 11, 20), 10)
    noor, joris = make.user("Noor Claes"), make.user("Joris Smet", Role.ACCOUNT_MANAGER)
    lotte, piet = (make.person(name, at=friday, owner=joris) for name in ("Lotte Maes", "Piet Aerts"))
    meeting = make.appointment(joris, at=friday, starts_at=at(MONDAY, 14), person=lotte)
    make.promise(lotte, by=joris, side=PromiseSide.OURS, text="Send the drawings", due_on=MONDAY, at=friday)
    hand_off = make.hand_off(noor, joris, at=friday)
    for number in range(6):
        to_do(joris, f"Errand {number}", person=piet)
    Notice.objects.create(user=joris, kind=NoticeKind.IMPORT, path="/imports/", at=MORNING)
    follow_ups.refresh(at=MORNING)
    digest.send_due(at=MORNING)
    row = written(joris)
    assert row.to == joris.email
    assert row.subject.startswith("Monday 23 November: 3 people are waiting")
    text = row.body
    in_order = [
        "Good morning, Joris.",
        "3 people are waiting to hear from you.",
        "In your agenda",
        "14:00–15:00 Lotte Maes",
        f"https://kring.example/appointments/{meeting.pk}/",
        "Send the drawings",
        "Qualified by Noor Claes",
        f"https://kring.example/hand-offs/{hand_off.pk}/",
        "Piet Aerts: Errand",
        "And 3 more on Today.",
        "that you have not read.",
        "https://kring.example/\n",
        "You get this mail on working days at 08:00",
        "https://kring.example/me/",
    ]
    places = [text.find(words) for words in in_order]
    assert -1 not in places, text
    assert places == sorted(places), text
    assert text.count("Send the drawings") == 1, "what stands among the first is not said again"
    assert text.count(f"/hand-offs/{hand_off.pk}/") == 1


@pytest.mark.django_db
def test_what_is_not_among_the_first_is_told_below_them() -> None:
    joris = reader("Joris Smet", role=Role.ACCOUNT_MANAGER)
    make.promise(make.person("Ilse Maes"), by=joris, text="Introduce us", side=PromiseSide.THEIRS, due_on=MONDAY)
    make.promise(make.person("Tom Ros"), by=joris, text="Not yet", due_on=MONDAY + timedelta(days=1))
    make.hand_off(make.user("Noor Claes"), joris)
    digest.send_due(at=at(MONDAY, 10, 45))
    text = body(joris)
    assert "Ilse Maes promised: Introduce us" in text
    assert "Not yet" not in text
    assert "Hand-offs that wait for you" in text
    assert "from Noor Claes: please answer by" in text


@pytest.mark.django_db
def test_who_may_not_be_contacted_now_is_neither_counted_nor_told() -> None:
    user = reader()
    peace = make.person("Stil Maar")
    make.wish(person=peace, by=user)
    to_do(user, "Ring them", person=peace)
    digest.send_due(at=at(MONDAY, 10, 45))
    assert "Stil Maar" not in body()
    assert "1 thing is waiting for you." in body()


@pytest.mark.django_db
def test_the_half_hour_is_told_with_what_it_proposes() -> None:
    user = make.user("Noor Claes")
    block = ProspectingBlock.objects.create(
        user=user, day=MONDAY, starts_at=time(9, 15), planned_minutes=30, proposed_at=MORNING
    )
    for position, name in enumerate(("Gone Quiet", "Done Already", "Stil Maar")):
        item = ProspectingItem.objects.create(block=block, position=position, way=Way.OUTBOUND)
        item.people.add(make.person(name))
    make.wish(person=item.people.get(), by=user)
    ProspectingItem.objects.filter(position=1).update(done_at=MORNING)
    assert digest.send_due(at=MORNING) == 1
    assert "Your half hour: 09:15, 30 minutes" in body()
    assert "- Call Gone Quiet. Never spoken with" in body()
    assert "Done Already" not in body()
    assert "Stil Maar" not in body(), "who asked for peace since it was proposed"


@pytest.mark.django_db
def test_whom_the_half_hour_holds_is_not_counted_as_well() -> None:
    user = make.user("Noor Claes")
    quiet = known("Gone Quiet", user, "A", spoken=MORNING - timedelta(days=400))
    refresh(MORNING)
    prospecting.change_plan(user=user, is_on=True, days=[0], starts_at=time(16), minutes=30, ways=[Way.REVIVE])
    assert digest.send_due(at=MORNING) == 1
    assert f"- Call {quiet}" in body() or f"- Write to {quiet}" in body()
    assert "waiting" not in body()


@pytest.mark.django_db
def test_a_digest_that_is_earlier_than_the_plan_has_the_half_hour_proposed() -> None:
    user = make.user()
    prospecting.change_plan(user=user, is_on=True, days=[0], starts_at=time(16), minutes=30, ways=list(Way.values))
    assert digest.send_due(at=MORNING) == 0, "nobody was found, so there is nothing to tell"
    assert ProspectingBlock.objects.get().day == MONDAY


@pytest.mark.django_db
def test_it_speaks_dutch_to_who_reads_dutch_by_their_own_clock() -> None:
    user = reader("Fleur Bos", language="nl", time_zone="Asia/Tokyo")
    tokyo = ZoneInfo("Asia/Tokyo")
    make.appointment(user, at=at(MONDAY, 1, zone=tokyo), starts_at=at(MONDAY, 14, zone=tokyo))
    digest.send_due(at=at(MONDAY, 8, zone=tokyo))
    row = written()
    assert row.subject.startswith("Maandag 23 november")
    assert "14:00–15:00" in row.body
    assert "5 januari" in row.body, "a day in the why"


@pytest.mark.django_db
def test_more_to_do_asks_no_more_queries(django_assert_max_num_queries: Any) -> None:
    user = reader()
    for number in range(30):
        to_do(user, f"Errand {number}", person=make.person())
    with django_assert_max_num_queries(45):
        digest.send_due(at=MORNING)
    assert len(body().splitlines()) < 40


@pytest.mark.django_db
def test_what_people_wrote_stays_on_its_line() -> None:
    user = make.user()
    to_do(user, "Line\n\nbreak " + "x" * 280)
    digest.send_due(at=MORNING)
    (line,) = [line for line in body().splitlines() if line.startswith("- ")]
    assert line.startswith("- Line break xxx")
    assert len(line) <= 250
