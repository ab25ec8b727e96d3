"""What a browser posts becomes one plain message, named so that the same one is known again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.http import QueryDict

from crm.channels.web_fields import Asked
from crm.channels.web_form import KEPT, Submission, WebForm, digest, new_message_id

USUAL = [
    Asked(kind, kind, kind, kind in ("name", "email")) for kind in ("name", "email", "organisation", "phone", "message")
]


def posted(
    slug: str = "contact",
    message_id: str | None = None,
    asked: Sequence[Asked] = (),
    consent: str = "",
    plain_on: date | None = None,
    **fields: str,
) -> WebForm:
    query = QueryDict(mutable=True)
    query.update({"name": "Sofie De Wit", "email": "sofie@notelaar.example", **fields})
    query["message_id"] = new_message_id("contact") if message_id is None else message_id
    return WebForm(query, slug=slug, asked=[*USUAL, *asked], consent=consent, plain_on=plain_on)


def sent(**fields: Any) -> Submission:
    form = posted(**fields)
    assert form.is_valid(), form.errors
    return form.submission()


def test_a_message_is_read_as_it_was_typed() -> None:
    said = sent(phone=" 015 12 34 56 ", organisation="Notelaar", message="Which dates?\r\nAnd the price?")
    assert (said.name, said.email, said.phone, said.organisation) == (
        "Sofie De Wit",
        "sofie@notelaar.example",
        "015 12 34 56",
        "Notelaar",
    )
    assert said.message == "Which dates?\r\nAnd the price?"
    assert not said.is_trap


def test_the_same_page_sent_twice_is_the_same_message() -> None:
    page = new_message_id("contact")
    assert sent(message_id=page).message_id == sent(message_id=page).message_id


def test_going_back_to_write_something_else_is_another_message() -> None:
    page = new_message_id("contact")
    assert sent(message_id=page, message="One").message_id != sent(message_id=page, message="Two").message_id


def test_two_pages_with_the_same_words_are_two_messages() -> None:
    assert sent().message_id != sent().message_id


def test_the_name_of_a_message_fits_its_column() -> None:
    assert len(sent().message_id) + 50 <= 200


def test_an_id_that_is_not_ours_asks_to_send_once_more_and_offers_a_fresh_one() -> None:
    for forged in ("", "forged:1:2", new_message_id("another-form")):
        form = posted(message_id=forged)
        assert not form.is_valid()
        assert form.non_field_errors()
        fresh = form["message_id"].value()
        assert fresh != forged
        assert posted(message_id=fresh).is_valid()


def test_a_page_may_stay_open_for_days_and_not_for_ever() -> None:
    with time_machine.travel("2026-11-23 10:00Z", tick=False):
        page = new_message_id("contact")
    with time_machine.travel("2026-12-05 10:00Z", tick=False):
        assert posted(message_id=page).is_valid()
    with time_machine.travel("2026-12-08 10:00Z", tick=False):
        assert not posted(message_id=page).is_valid()


def test_the_field_that_people_do_not_see_gives_a_machine_away() -> None:
    assert sent(website="https://spam.example").is_trap


def test_name_and_address_are_needed_and_nothing_is_endless() -> None:
    assert "name" in posted(name=" ").errors
    assert "email" in posted(email="sofie").errors
    assert "email" in posted(email="").errors
    assert "message" in posted(message="x" * 5001).errors
    assert "name" in posted(name="x" * 151).errors
    assert "message" in posted(message="a\x00b").errors
    assert posted(message="x" * 5000).is_valid()


# ---- Since when the page is open -----------------------------------------------------------------------------------


def test_it_is_known_since_when_the_page_is_open() -> None:
    with time_machine.travel("2026-11-23 10:00Z", tick=False):
        page = new_message_id("contact")
        assert sent(message_id=page).opened_at == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_who_sees_their_words_again_may_press_at_once() -> None:
    form = posted(message_id="forged")
    assert sent(message_id=form["message_id"].value()).opened_at is None


# ---- A plain form on another site ----------------------------------------------------------------------------------


def test_a_plain_form_is_one_message_for_a_day() -> None:
    day, next_day = date(2026, 11, 23), date(2026, 11, 24)
    first = sent(message_id="", plain_on=day, message="One").message_id
    assert sent(message_id="", plain_on=day, message="One").message_id == first
    assert sent(message_id="", plain_on=day, message="Two").message_id != first
    assert sent(message_id="", plain_on=next_day, message="One").message_id != first


# ---- Questions -----------------------------------------------------------------------------------------------------


def question(kind: str, *options: str, is_required: bool = False) -> Asked:
    return Asked("question-k", "question", "How large?", is_required, key="k", answered_by=kind, options=options)


@pytest.mark.parametrize(
    ("asked", "typed", "kept"),
    [
        (question("yes_no"), "partly", "partly"),
        (question("scale"), "4", "4"),
        (question("choice", "Ten", "Many"), "Many", "Many"),
        (question("choice", *"abcdefghij"), "j", "j"),
        (question("number"), "1200.50", "1200.5"),
        (question("number"), "100", "100"),
        (question("text"), " We plan on paper. ", "We plan on paper."),
    ],
)
def test_a_question_is_answered_by_its_kind(asked: Asked, typed: str, kept: str) -> None:
    said = sent(asked=[asked], **{asked.name: typed})
    assert (said.answers, said.questions) == ({"k": kept}, {"k": "How large?"})


@pytest.mark.parametrize(
    ("asked", "typed"),
    [
        (question("yes_no"), "unknown"),
        (question("scale"), "6"),
        (question("choice", "Ten"), "Eleven"),
        (question("number"), "many"),
        (question("number"), "NaN"),
        (question("text", is_required=True), " "),
    ],
)
def test_what_is_no_answer_is_said_at_its_question(asked: Asked, typed: str) -> None:
    answer: dict[str, Any] = {asked.name: typed}
    assert asked.name in posted(asked=[asked], **answer).errors


def test_a_question_that_is_left_open_is_no_answer() -> None:
    assert sent(asked=[question("yes_no"), question("number")]).answers == {}


@pytest.mark.parametrize("typed", ["NL", "nl", "Netherlands", "Nederland"])
def test_a_country_is_known_by_its_code_and_its_name(typed: str) -> None:
    assert sent(asked=[Asked("country", "country", "Country")], country=typed).country == "NL"


def test_a_country_that_is_none_is_said() -> None:
    assert "country" in posted(asked=[Asked("country", "country", "Country")], country="Narnia").errors


# ---- What they agree to --------------------------------------------------------------------------------------------


def test_a_tick_is_kept_with_the_words_under_which_it_was_set() -> None:
    words = "You may write to me."
    form = WebForm(
        {"name": "A B", "email": "a@b.example", "consent": digest(words), "message_id": new_message_id("contact")},
        slug="contact",
        asked=USUAL,
        consent=words,
    )
    assert form.is_valid()
    assert form.submission().consent == words


def test_a_tick_under_other_words_is_none() -> None:
    for tick in ("on", digest("You may call me."), ""):
        form = WebForm(
            {"name": "A B", "email": "a@b.example", "consent": tick, "message_id": new_message_id("contact")},
            slug="contact",
            asked=USUAL,
            consent="You may write to me.",
        )
        assert "consent" in form.errors


# ---- Too much ------------------------------------------------------------------------------------------------------


def test_what_is_only_too_large_can_be_kept_in_bounds() -> None:
    form = posted(message="x" * 100_000)
    assert not form.is_valid()
    assert form.is_only_large
    said = form.submission()
    assert (said.is_large, len(said.message), said.name) == (True, KEPT, "Sofie De Wit")
    assert not posted(message="x" * 100_000, email="none").is_only_large
    assert not posted().is_only_large
