"""Our knowledge on the settings: administrators keep the list, managers see who met what, and the script has an address of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from crm import contents
from crm.models import Content, Event, EventKind, Touch, User
from crm.refusal import Refused
from tests import make

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def test_a_piece_is_added_changed_taken_out_of_use_and_used_again(admin_user: User, login: Login) -> None:
    client = login(admin_user)
    said = {
        "title": " Planning  guide ",
        "kind": "article",
        "topic": "planning",
        "url": "https://www.kring.example/guide",
    }
    answer = client.post("/settings/content/new/", said, follow=True)
    assert "“Planning guide” is saved." in answer.text
    piece = Content.objects.get()
    assert (piece.title, piece.kind, piece.topic, piece.is_active) == ("Planning guide", "article", "planning", True)

    client.post(f"/settings/content/{piece.pk}/", said | {"topic": "rest"})
    client.post(f"/settings/content/{piece.pk}/retire/")
    assert "out of use" in client.get("/settings/content/").text
    client.post(f"/settings/content/{piece.pk}/restore/")
    piece.refresh_from_db()
    assert (piece.topic, piece.is_active) == ("rest", True)
    assert Event.objects.filter(kind=EventKind.CONTENT_CHANGED, by=admin_user).count() == 4


def test_another_piece_at_the_same_address_is_refused_and_what_was_typed_stays(admin_user: User, login: Login) -> None:
    make.content("Planning guide", url="https://kring.example/guide")
    answer = login(admin_user).post(
        "/settings/content/new/", {"title": "The same", "kind": "page", "url": "http://www.kring.example/Guide/?x=1"}
    )
    assert "“Planning guide” stands at this address already." in answer.text
    assert 'value="The same"' in answer.text
    assert Content.objects.count() == 1


@pytest.mark.parametrize(
    "said", [{"title": " "}, {"title": "x" * 201}, {"kind": "poem"}, {"url": "javascript:alert(1)"}, {"url": "guide"}]
)
def test_what_cannot_be_is_refused_in_words(said: dict[str, str]) -> None:
    given: dict[str, Any] = {"title": "Guide", "kind": "page", **said}
    with pytest.raises(Refused):
        contents.save(by=None, at=make.AT, **given)
    assert not Content.objects.exists()


def test_a_webinar_has_a_day_and_an_article_has_none(admin_user: User, login: Login) -> None:
    client = login(admin_user)
    said = {"title": "Planning live", "kind": "webinar", "happens_on": "2026-12-10"}
    client.post("/settings/content/new/", said)
    piece = Content.objects.get()
    assert piece.happens_on == date(2026, 12, 10)
    assert "10 December 2026" in client.get("/settings/content/").text
    assert 'value="2026-12-10"' in client.get(f"/settings/content/{piece.pk}/").text
    answer = client.post(f"/settings/content/{piece.pk}/", said | {"kind": "article"})
    assert "Only a webinar or an event takes place on a day." in answer.text
    client.post(f"/settings/content/{piece.pk}/", said | {"happens_on": ""})
    assert Content.objects.filter(kind="webinar", happens_on=None).exists()


def test_saved_as_it_is_nothing_changes_and_a_piece_whose_address_was_taken_is_not_used_again() -> None:
    old = contents.save(title="Old", kind="page", url="https://a.example/x", by=None, at=make.AT)
    contents.save(piece=old, title="Old", kind="page", url="https://a.example/x", by=None, at=make.AT)
    for _time in range(2):
        contents.retire(piece=old, by=None, at=make.AT)
    contents.save(title="New", kind="page", url="https://a.example/x/", by=None, at=make.AT)
    with pytest.raises(Refused, match="“New” stands"):
        contents.restore(piece=old, by=None, at=make.AT)
    assert Event.objects.filter(kind=EventKind.CONTENT_CHANGED).count() == 3


def test_managers_see_how_many_met_each_piece_and_what_it_brought_in_as_many_queries_for_fifty(
    manager: User, login: Login, django_assert_max_num_queries: Any
) -> None:
    guide = make.content("Planning guide", url="https://kring.example/guide")
    lead = make.lead(content=guide)
    assert lead.person is not None
    Touch.objects.create(person=lead.person, content=guide, at=make.AT.replace(year=2025))
    for number in range(40):
        make.content(f"Piece {number:02}")
    client = login(manager)
    client.get("/settings/content/")
    with django_assert_max_num_queries(8):
        text = client.get("/settings/content/").text
    row = text[text.index("Planning guide") :][:1500]
    assert f"content={guide.pk}" in row
    assert row.count(">1<") == 2, "one reader, however often, and one lead"
    assert "Piece 39" in text
    assert "/settings/content/new/" not in text
    assert "Planning guide" not in client.get("/settings/content/?kind=video").text
    part = client.get("/settings/content/", headers={"HX-Request": "true", "HX-Target": "contents"}).text
    assert "<html" not in part


def test_the_script_is_there_for_every_site_for_a_day_and_sets_nothing(client: Client) -> None:
    answer = client.get("/read-along.js")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert "public" in answer.headers["Cache-Control"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(answer.content) < 2048
    assert not answer.cookies
    assert client.get("/read-along.js", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
