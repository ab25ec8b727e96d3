"""A colleague who is named is told; nobody else, and nobody twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm import conversations, follow_ups, handoffs, logbook, mentions, notice_words
from crm.models import Conversation, Notice, NoticeKind, Role, User
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor() -> User:
    return make.user("Noor De Smet", Role.SDR)


@pytest.mark.parametrize(
    "text",
    [
        "@Noor can you call them?",
        "Ask @noor.",
        "(@NOOR)",
        "Met @Noor De Smet's idea",
        "@noor  de\nsmet, please",
        "Over to @Noor",
    ],
)
def test_a_name_after_an_at_sign_names_a_colleague(noor: User, text: str) -> None:
    found = mentions.find(text)
    assert (found.colleagues, found.unclear) == ([noor], [])


@pytest.mark.parametrize(
    "text",
    [
        "Noor",
        "write to info@noor",
        "info@Noor.be",
        "@Noortje",
        "@Noor-Lien",
        "@noor.desmet",
        "@@Noor",
        "@ Noor",
        "x.@Noor",
    ],
)
def test_what_only_looks_like_it_names_nobody(noor: User, text: str) -> None:
    assert mentions.find(text) == mentions.Found()


def test_a_given_name_of_two_names_nobody_and_the_full_name_one(noor: User) -> None:
    other = make.user("Noor Claes", Role.SDR)
    found = mentions.find("@Noor and @Noor Claes, @Noor Claes again")
    assert (found.colleagues, found.unclear) == ([other], ["Noor"])
    other.is_active = False
    other.save()
    assert mentions.find("@Noor").colleagues == [noor]
    assert mentions.find("@Noor Claes").colleagues == [noor], "only who can log in has a name here"


def test_a_name_in_full_comes_before_a_part_of_another(noor: User) -> None:
    alone = make.user("Noor", Role.SDR)
    assert mentions.find("@Noor").colleagues == [alone]
    assert mentions.find("@Noor De Smet").colleagues == [noor]


def test_a_text_without_a_name_asks_the_database_nothing(django_assert_num_queries: Callable[[int], Any]) -> None:
    with django_assert_num_queries(0):
        assert mentions.find("50 @ 3 euro, info@maes.be") == mentions.Found()


def test_the_pieces_of_a_text_are_the_whole_text(noor: User) -> None:
    text = "<b>Ask</b> @Noor De Smet, or @nobody."
    pieces = mentions.parts(text, mentions.colleagues())
    assert "".join(piece for piece, _is_name in pieces) == text
    assert [piece for piece, is_name in pieces if is_name] == ["@Noor De Smet"]


@pytest.mark.parametrize("text", ["@\u017fofie", "@S\u017fofie", "@M\u0131eke"])
def test_letters_that_look_like_those_of_a_name_name_nobody_and_break_no_page(sdr: User, text: str) -> None:
    make.user("Mieke Claes", Role.SDR)
    assert mentions.find(text) == mentions.Found()
    assert mentions.parts(text, mentions.colleagues()) == [(text, False)]


# ---- Told ----------------------------------------------------------------------------------------------------------


def told() -> list[tuple[str, str]]:
    rows = Notice.objects.filter(kind=NoticeKind.MENTION).select_related("user").order_by("pk")
    return [(row.user.name, notice_words.words(row.kind, row.values, make.AT).title) for row in rows]


def logged(by: User, summary: str, **fields: Any) -> Conversation:
    person = make.person("Bram Maes")
    return logbook.write(people=[person], kind="call", by=by, at=make.AT, summary=summary, **fields)


def test_who_is_named_in_a_conversation_is_told_once_however_often_it_is_edited(sdr: User, noor: User) -> None:
    row = logged(sdr, "@Noor knows them. @Sofie")
    notice = Notice.objects.get()
    assert told() == [("Noor De Smet", "Sofie Peeters mentions you, about Bram Maes")]
    assert (notice.path, notice.by) == (f"/conversations/{row.pk}/", sdr)
    els = make.user("Els Verbeke", Role.SDR)
    later = make.AT + timedelta(hours=1)
    logbook.change(conversation=row, summary="@Noor knows them. @Els, too", by=sdr, at=later)
    assert [name for name, _title in told()] == ["Noor De Smet", els.name]
    assert {notice.values["text"] for notice in Notice.objects.all()} == {"@Noor knows them. @Els, too"}


def test_what_is_kept_private_tells_nobody_until_it_is_shown(sdr: User, noor: User) -> None:
    row = logged(sdr, "@Noor should not know", private_to=sdr)
    assert told() == []
    logbook.show(conversation=row, by=sdr, at=make.AT)
    assert len(told()) == 1
    logbook.keep_private(conversation=row, by=sdr, at=make.AT)
    notice = Notice.objects.get()
    assert (notice.values, notice.is_shown) == ({}, False), "no notice repeats it any more"
    logbook.show(conversation=row, by=sdr, at=make.AT)
    assert Notice.objects.count() == 1, "told is told"


def test_a_removed_conversation_is_not_repeated_by_a_notice(sdr: User, noor: User) -> None:
    row = logged(sdr, "@Noor knows them")
    logbook.delete(conversation=row, by=sdr, at=make.AT)
    assert not Notice.objects.shown().exists()


def test_what_came_in_by_mail_names_nobody(noor: User) -> None:
    conversations.log(people=[make.person()], kind="email", by=None, at=make.AT, summary="@Noor hello")
    assert told() == []


def test_who_is_named_in_the_note_of_a_hand_off_is_told_and_the_receiver_not_twice(
    sdr: User, account_manager: User, noor: User
) -> None:
    hand_off = handoffs.submit(
        lead=make.qualified_lead(sdr, name="Bram Maes"),
        to=account_manager,
        note="@Arjan, ask @Noor",
        by=sdr,
        at=make.AT,
    )
    assert told() == [("Noor De Smet", "Sofie Peeters mentions you in the hand-off of Bram Maes")]
    assert Notice.objects.get(kind=NoticeKind.MENTION).path == f"/hand-offs/{hand_off.pk}/"
    assert Notice.objects.filter(user=account_manager).count() == 1


def test_who_is_named_in_a_follow_up_by_hand_is_told_where_it_is_about(sdr: User, noor: User) -> None:
    person = make.person("Bram Maes")
    day = make.AT.date() + timedelta(days=2)
    follow_ups.make(note="Call with @Noor", owner=sdr, due_on=day, person=person, by=sdr, at=make.AT)
    follow_ups.make(note="Tidy up with @Noor", owner=sdr, due_on=day, by=sdr, at=make.AT)
    assert [title for _name, title in told()] == [
        "Sofie Peeters mentions you in a follow-up about Bram Maes",
        "Sofie Peeters mentions you in a follow-up",
    ]
    assert list(Notice.objects.order_by("pk").values_list("path", flat=True)) == [f"/people/{person.pk}/", "/"]
