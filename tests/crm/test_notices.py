"""Who is told of what, in which way, once, and in which words."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from crm import assignment, imports, notice_words, notices, outbox, promises
from crm.assignment import Choice
from crm.models import GivenBecause, ImportRun, Notice, NoticeKind, NoticePreference, OutgoingMail, PromiseSide, User
from crm.notices import DEFAULTS, Ways
from tests import make

pytestmark = pytest.mark.django_db

MAP = """
kind = "organisations"
external_id = "id"
[columns]
name = "name"
"""
LEAD = {"lead": "Bram Maes", "company": "Maes BV", "message": "Which dates?", "answer_by": make.AT}


def tell(user: User, kind: NoticeKind = NoticeKind.ASSIGNMENT, **told: Any) -> None:
    says: dict[str, Any] = {"user": user, "kind": kind, "values": LEAD, "path": "/leads/1/", "at": make.AT}
    notices.tell(**says | told)


def test_a_colleague_is_told_in_the_page_and_by_mail_in_their_language_and_by_their_clock(
    sdr: User, teammate: User
) -> None:
    sdr.language, sdr.time_zone = "nl", "Asia/Tokyo"
    lead = make.lead()
    tell(sdr, by=teammate, subject=lead)
    notice, mail = Notice.objects.get(), OutgoingMail.objects.get()
    assert (notice.user, notice.by, notice.at, notice.read_at) == (sdr, teammate, make.AT, None)
    assert (notice.subject_kind, notice.subject_id) == ("lead", lead.pk)
    assert (mail.to, mail.by) == (sdr.email, None)
    with translation.override("nl"), timezone.override(sdr.zone):
        words = notice_words.words(notice.kind, notice.values, make.AT)
    assert mail.subject == words.title
    assert words.text in mail.body
    assert f"{timezone.localtime(make.AT, sdr.zone):%H:%M}" in mail.body
    assert "/leads/1/" in mail.body


def test_nobody_is_told_of_what_they_did_themselves_nor_who_cannot_log_in(sdr: User, teammate: User) -> None:
    teammate.is_active = False
    tell(sdr, by=sdr)
    tell(teammate)
    assert not Notice.objects.exists()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("ways", [Ways(True, True), Ways(True, False), Ways(False, True), Ways(False, False)])
def test_each_hears_as_they_chose_and_the_same_thing_once(sdr: User, ways: Ways) -> None:
    notices.choose(user=sdr, ways={NoticeKind.PROMISE_KEPT: ways})
    values = {"person": "Ilse Maes", "text": "The numbers", "due_on": "2026-11-30"}
    for later in (0, 30):  # Past the ten minutes in which the outbox takes the very same mail for a double click.
        tell(sdr, NoticeKind.PROMISE_KEPT, values=values, key="kept-1", at=make.AT + timedelta(minutes=later))
    assert Notice.objects.shown().unread().count() == ways.in_page
    assert OutgoingMail.objects.count() == ways.by_mail
    assert not Notice.objects.filter(is_shown=False, read_at=None).exists(), "what is not shown is not counted"


def test_choosing_the_default_leaves_no_row(sdr: User) -> None:
    notices.choose(user=sdr, ways={kind: Ways(False, False) for kind in NoticeKind})
    assert set(notices.chosen(sdr).values()) == {Ways(False, False)}
    notices.choose(user=sdr, ways=DEFAULTS)
    assert notices.chosen(sdr) == DEFAULTS
    assert not NoticePreference.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_tell_the_same_at_the_same_moment_tell_it_once(sdr: User) -> None:
    def once(_turn: int) -> None:
        try:
            tell(sdr, key="lead-1")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(once, range(4)))
    assert (Notice.objects.count(), OutgoingMail.objects.count()) == (1, 1)


# ---- Words ---------------------------------------------------------------------------------------------------------

VALUES = {
    **{name: name.upper() for name in ("by", "lead", "name", "who", "host", "subject", "person", "about", "file")},
    **{name: name.upper() for name in ("question", "answer", "reason", "why", "step", "text", "note", "rule")},
    **{name: make.AT.isoformat() for name in ("answer_by", "starts_at", "asks_for", "due_on")},
    "leads": [{"lead": "BRAM", "company": "MAES", "owner": "SOFIE", "since": make.AT.isoformat()}] * 2,
    "reason_kind": "no_room",
    "taken": 3,
    "refused": 1,
}


def test_every_kind_has_words_a_default_and_a_word_for_several() -> None:
    assert {kind for kind, _what in notice_words.SAY} == set(NoticeKind) == set(DEFAULTS) == set(notice_words.SEVERAL)


@pytest.mark.parametrize(("kind", "what"), notice_words.SAY)
@pytest.mark.parametrize("language", ["en", "nl"])
def test_words_are_whole_with_all_values_and_stand_without_them(kind: str, what: str, language: str) -> None:
    with translation.override(language):
        full = notice_words.words(kind, VALUES | {"what": what}, make.AT)
        bare = notice_words.words(kind, {"what": what}, make.AT)
    assert full.title
    assert full.text
    assert "%(" not in full.title + full.text + bare.title + bare.text
    assert "\n" not in full.title + full.brief


def test_what_nobody_knows_any_more_says_at_least_what_it_is() -> None:
    assert notice_words.words(NoticeKind.MENTION, {"what": "song"}, make.AT).title == "A colleague mentions me"
    assert notice_words.words("song", {}, make.AT).title == ""


def test_a_day_of_another_year_says_which() -> None:
    values = {"what": "offered", "answer_by": make.AT.isoformat()}
    assert "2026" not in notice_words.words(NoticeKind.HAND_OFF, values, make.AT).text
    assert "2026" in notice_words.words(NoticeKind.HAND_OFF, values, make.AT + timedelta(days=60)).text


# ---- What is told --------------------------------------------------------------------------------------------------


def said() -> list[str]:
    return [notice_words.words(row.kind, row.values, make.AT).title for row in Notice.objects.order_by("pk")]


def test_who_watches_a_promise_of_theirs_hears_that_a_colleague_saw_it_kept(sdr: User, teammate: User) -> None:
    for side, by in ((PromiseSide.THEIRS, teammate), (PromiseSide.THEIRS, sdr), (PromiseSide.OURS, teammate)):
        promise = make.promise(make.person(), by=sdr, side=side, due_on=make.AT.date())
        promises.keep(promise=promise, by=by, at=make.AT)
    notice = Notice.objects.get()
    assert (notice.user, notice.kind) == (sdr, NoticeKind.PROMISE_KEPT)
    assert "kept a promise" in said()[0]
    assert not OutgoingMail.objects.exists(), "good to know is no mail"


def test_whose_lead_went_back_hears_it_once(sdr: User) -> None:
    assignment.give(lead=make.lead("Bram Maes"), choice=Choice(sdr, GivenBecause.TURNS), at=make.AT)
    Notice.objects.all().delete()
    for days in (8, 9):
        assignment.return_untouched(at=make.AT + timedelta(days=days))
    assert said() == ["Bram Maes went back to the pool"]


def test_who_started_an_import_hears_how_it_ended(admin_user: User) -> None:
    good, bad = (
        imports.upload(file=io.BytesIO(text), file_name=name, map_text=MAP, by=admin_user, at=make.AT)
        for text, name in ((b"id,name\n1,Maes BV\n", "good.csv"), (b"id,name\n1,Maes BV\n", "bad.csv"))
    )
    ImportRun.objects.filter(pk=bad.pk).update(map_text="kind = 'songs'")
    for run in (good, bad):
        imports.run(run_id=run.pk, at=make.AT)
    assert said() == [f"{good.file_name} is taken in", f"{bad.file_name} could not be taken in"]
    assert list(Notice.objects.values_list("path", flat=True).order_by("pk")) == [
        f"/settings/imports/{run.pk}/" for run in (good, bad)
    ]


def test_who_wrote_a_mail_that_is_held_back_hears_it_once_each_time(sdr: User) -> None:
    mail = make.outgoing(make.person("Bram Maes"), by=sdr)
    OutgoingMail.objects.filter(pk=mail.pk).update(held_at=make.AT, held_why="Too soon.")
    assert [notices.tell_of_held_mail(at=make.AT + timedelta(minutes=turn)) for turn in range(2)] == [1, 0]
    assert said() == ["Your mail to Bram Maes is held back"]
    OutgoingMail.objects.filter(pk=mail.pk).update(held_at=make.AT + timedelta(hours=2))
    assert notices.tell_of_held_mail(at=make.AT + timedelta(hours=2)) == 1
    outbox.cancel(mail=OutgoingMail.objects.get(pk=mail.pk), by=sdr, at=make.AT + timedelta(hours=3))
    Notice.objects.all().delete()
    assert notices.tell_of_held_mail(at=make.AT + timedelta(hours=3)) == 0


# ---- Read, and gone ------------------------------------------------------------------------------------------------


def test_reading_marks_once_and_reading_all_spares_what_came_meanwhile(sdr: User, teammate: User) -> None:
    for user in (sdr, sdr, sdr, teammate):
        tell(user)
    first, second, third = Notice.objects.filter(user=sdr).order_by("pk")
    for minutes in (1, 2):
        notices.read(notice=first, at=make.AT + timedelta(minutes=minutes))
    first.refresh_from_db()
    assert first.read_at == make.AT + timedelta(minutes=1)
    assert notices.read_all(user=sdr, up_to=second.pk, at=make.AT) == 1
    assert list(Notice.objects.unread().filter(user=sdr)) == [third]
    assert notices.read_all(user=sdr, at=make.AT) == 1
    assert Notice.objects.unread().get().user == teammate


def test_after_ninety_days_a_notice_is_gone(sdr: User, django_assert_num_queries: Callable[[int], Any]) -> None:
    for days in (0, 0, 1):
        tell(sdr, at=make.AT + timedelta(days=days))
    with django_assert_num_queries(1):
        assert notices.forget_old(at=make.AT + timedelta(days=90, minutes=1)) == 2
    assert Notice.objects.count() == 1
