"""What a browser posts becomes one plain message, named so that the same one is known again."""

from __future__ import annotations

import time_machine
from django.http import QueryDict

from crm.channels.web_form import Submission, WebForm, new_message_id


def posted(slug: str = "contact", message_id: str | None = None, **fields: str) -> WebForm:
    query = QueryDict(mutable=True)
    query.update({"name": "Sofie De Wit", "email": "sofie@notelaar.example", **fields})
    query["message_id"] = new_message_id("contact") if message_id is None else message_id
    return WebForm(query, slug=slug)


def sent(**fields: str) -> Submission:
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
