"""What somebody was told, how it is opened, and the bell that counts it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.test import Client

from crm import handoffs, notices
from crm.models import Conversation, Notice, NoticeKind, Role, User
from crm.notices import Ways
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(AT, tick=False):
        yield


def given(user: User, name: str, **more: Any) -> Notice:
    values = {"lead": name, "company": "Maes BV", "message": "<b>Which dates?</b>"}
    return make.notice(user, NoticeKind.ASSIGNMENT, values=values, path="/leads/", **more)


def shown(client: Client, address: str = "/notices/") -> str:
    return client.get(address).content.decode()


def bell(page: str) -> str:
    found = re.search(r'class="bell-number"[^>]*>([^<]+)<', page)
    return found[1] if found else ""


# ---- The list ------------------------------------------------------------------------------------------------------


def test_notices_stand_by_day_newest_first_with_their_words_escaped(sdr: User, login: Login) -> None:
    given(sdr, "Bram Maes", at=AT - timedelta(days=1))
    given(sdr, "Ilse Claes")
    page = shown(login(sdr))
    assert page.index("Today</h2>") < page.index("Ilse Claes") < page.index("Yesterday</h2>") < page.index("Bram Maes")
    assert "&lt;b&gt;Which dates?" in page
    assert "<b>Which" not in page


def test_what_is_of_one_kind_and_day_stands_together_and_opens(sdr: User, login: Login) -> None:
    for name in ("Bram", "Ilse", "Karim"):
        given(sdr, name, subject=make.lead(name))
    page = shown(login(sdr))
    assert "3 leads were given to you" in page
    assert page.count('<details class="notice-group"') == 1
    assert all(f"A lead for you: {name}" in page for name in ("Bram", "Ilse", "Karim"))


def test_a_group_about_one_thing_is_called_after_the_newest(sdr: User, account_manager: User, login: Login) -> None:
    hand_off = make.hand_off(sdr, account_manager, name="Bram Maes")
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=AT)
    handoffs.tell(question=asked, answer="She does.", by=sdr, at=AT + timedelta(minutes=5))
    page = shown(login(account_manager))
    assert re.search(r'<summary class="notice notice-unread">.*?Sofie Peeters answers about Bram Maes', page, re.S)


def test_there_is_something_to_read_when_there_is_nothing_to_tell(sdr: User, login: Login) -> None:
    page = shown(login(sdr))
    assert "Nothing to tell" in page
    assert "Mark all as read" not in page
    assert bell(page) == ""


def test_a_long_list_goes_on_page_by_page(sdr: User, login: Login) -> None:
    for day in range(53):
        given(sdr, f"Lead {day}", at=AT - timedelta(days=day))
    client = login(sdr)
    first = shown(client)
    onwards = re.search(r'rel="next" href="([^"]+)"', first)
    assert onwards
    second = shown(client, "/notices/" + onwards[1].replace("&amp;", "&"))
    names = [set(re.findall(r"A lead for you: (Lead \d+)", page)) for page in (first, second)]
    assert len(names[0]) == 50
    assert names[0].isdisjoint(names[1])
    assert len(names[0] | names[1]) == 53


@pytest.mark.parametrize("number", [2, 30])
def test_pages_cost_the_same_however_much_there_is_to_tell(
    number: int, sdr: User, login: Login, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for turn in range(number):
        given(sdr, f"Lead {turn}")
    client = login(sdr)
    with django_assert_num_queries(4):  # session, user with what is unread, notices, leads waiting
        client.get("/notices/")
    with django_assert_num_queries(3):
        client.get("/notices/newest/", headers={"HX-Request": "true"})
    with django_assert_num_queries(2):
        client.get("/notices/count/?shown=99")


# ---- Opening -------------------------------------------------------------------------------------------------------


def test_opening_marks_it_as_read_and_goes_there_and_looking_changes_nothing(sdr: User, login: Login) -> None:
    notice, client = given(sdr, "Bram Maes"), login(sdr)
    for address in ("/notices/", "/notices/newest/", "/notices/count/", "/me/notices/"):
        client.get(address)
        client.get(address, headers={"HX-Request": "true"})
    assert client.get(f"/notices/{notice.pk}/open/").status_code == 405
    assert client.get("/notices/read/").status_code == 405
    notice.refresh_from_db()
    assert notice.read_at is None
    answer = client.post(f"/notices/{notice.pk}/open/")
    notice.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, "/leads/")
    assert notice.read_at == AT
    assert '<a class="notice" href="/leads/">' in shown(client), "what is read is a plain link"


def test_what_others_were_told_is_not_there_whoever_asks(sdr: User, manager: User, login: Login) -> None:
    notice = given(sdr, "Bram Maes")
    client = login(manager)
    assert "Bram Maes" not in shown(client)
    assert client.post(f"/notices/{notice.pk}/open/").status_code == 404
    client.post("/notices/read/")
    notice.refresh_from_db()
    assert notice.read_at is None


def test_a_form_of_elsewhere_opens_nothing(sdr: User) -> None:
    notice = given(sdr, "Bram Maes")
    client = Client(enforce_csrf_checks=True)
    client.force_login(sdr)
    assert client.post(f"/notices/{notice.pk}/open/").status_code == 403
    assert client.post("/notices/read/").status_code == 403
    notice.refresh_from_db()
    assert notice.read_at is None


def test_all_are_read_but_what_came_since(sdr: User, login: Login) -> None:
    client = login(sdr)
    given(sdr, "Bram Maes")
    up_to = re.search(r'name="up_to" value="(\d+)"', shown(client))
    assert up_to
    late = given(sdr, "Ilse Claes")
    part = client.post(
        "/notices/read/", {"up_to": up_to[1]}, headers={"HX-Request": "true", "HX-Target": "notices"}
    ).content.decode()
    assert "<html" not in part
    assert 'id="bell-count"' in part
    assert list(Notice.objects.unread()) == [late]
    assert bell(part) == "1", "the bell counts what came since"
    assert client.post("/notices/read/").status_code == 302
    assert not Notice.objects.unread().exists()


# ---- The bell ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "said"), [(0, ""), (1, "1"), (9, "9"), (12, "9+")])
def test_the_bell_counts_what_is_unread_up_to_nine(number: int, said: str, sdr: User, login: Login) -> None:
    for turn in range(number):
        given(sdr, f"Lead {turn}")
    assert bell(shown(login(sdr), "/people/")) == said


def test_the_bell_answers_only_when_its_number_changed(sdr: User, login: Login) -> None:
    client = login(sdr)
    assert client.get("/notices/count/?shown=0").status_code == 204
    given(sdr, "Bram Maes")
    answer = client.get("/notices/count/?shown=0")
    assert (answer.status_code, bell(answer.content.decode())) == (200, "1")
    assert "?shown=1" in answer.content.decode()
    assert client.get("/notices/count/?shown=1").status_code == 204


def test_the_panel_shows_the_newest_few_and_is_the_list_without_script(sdr: User, login: Login) -> None:
    for day in range(8):
        given(sdr, f"Lead {day}", at=AT - timedelta(days=day))
    client = login(sdr)
    panel = client.get("/notices/newest/", headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r"A lead for you: (Lead \d)", panel) == [f"Lead {day}" for day in range(6)]
    assert client.get("/notices/newest/")["Location"] == "/notices/"


def test_who_may_not_log_in_any_more_is_nobody(sdr: User, login: Login) -> None:
    client = login(sdr)
    User.objects.filter(pk=sdr.pk).update(is_active=False)
    assert client.get("/notices/").status_code == 302


# ---- Preferences ---------------------------------------------------------------------------------------------------


def test_each_chooses_how_they_hear_of_what_they_are_told(sdr: User, login: Login) -> None:
    client = login(sdr)
    page = shown(client, "/me/notices/")
    assert "A lead is given to me" in page
    assert "waits too long in my team" not in page, "that is told to those who lead"
    assert page.count(" checked") == 13, "seven kinds in the page, six of them by mail"
    client.post("/me/notices/", {"in_page": ["mention", "overdue", "song"], "by_mail": ["assignment"]})
    chosen = notices.chosen(sdr)
    assert chosen[NoticeKind.MENTION] == Ways(True, False)
    assert chosen[NoticeKind.ASSIGNMENT] == Ways(False, True)
    assert chosen[NoticeKind.PROMISE_KEPT] == Ways(False, False)
    assert chosen[NoticeKind.OVERDUE] == notices.DEFAULTS[NoticeKind.OVERDUE], "what is not offered stays as it is"
    assert "changed by you" in shown(client, "/me/notices/")


def test_a_reader_of_dutch_reads_dutch(sdr: User, login: Login) -> None:
    sdr.language = "nl"
    sdr.save()
    given(sdr, "Bram Maes")
    for address in ("/notices/", "/me/notices/"):
        page = shown(login(sdr), address)
        assert '<html lang="nl"' in page


# ---- Who is named --------------------------------------------------------------------------------------------------


@pytest.fixture
def noor(db: None) -> User:
    return make.user("Noor De Smet", Role.SDR)


def logged(client: Client, user: User, summary: str) -> tuple[Conversation, str]:
    person = make.person("Bram Maes", owner=user)
    said = {"kind": "call", "direction": "both", "when": "2026-11-23T09:00", "people": [person.pk], "summary": summary}
    page = client.post(f"/conversations/new/?person={person.pk}", said, follow=True).content.decode()
    return Conversation.objects.latest("pk"), page


def test_who_is_named_in_a_conversation_is_told_and_the_page_says_so(sdr: User, noor: User, login: Login) -> None:
    client = login(sdr)
    row, page = logged(client, sdr, "<i>Ask</i> @Noor De Smet")
    assert "Kring tells Noor De Smet." in page
    assert Notice.objects.get().user == noor
    assert '&lt;i&gt;Ask&lt;/i&gt; <span class="mention">@Noor De Smet</span>' in page
    assert '<span class="mention">@Noor De Smet</span>' in shown(client, f"/conversations/{row.pk}/")
    assert "@Noor De Smet" in shown(login(noor))


def test_a_name_of_two_tells_nobody_and_the_page_says_how_it_works(sdr: User, noor: User, login: Login) -> None:
    make.user("Noor Claes", Role.SDR)
    _row, page = logged(login(sdr), sdr, "Ask @Noor")
    assert "More than one colleague is called Noor" in page
    assert "@Noor Claes" in page
    assert not Notice.objects.exists()


def test_the_form_offers_what_to_write_so_that_one_is_meant(sdr: User, noor: User, login: Login) -> None:
    make.user("Els Claes", Role.SDR)
    make.user("Els Maes", Role.SDR)
    client = login(sdr)
    page = shown(client, f"/conversations/new/?person={make.person(owner=sdr).pk}")
    assert "Write @name to tell a colleague." in page
    assert 'data-mentions="/colleagues/"' in page
    rows = client.get("/colleagues/").json()["colleagues"]
    assert {row["name"]: row["say"] for row in rows} == {
        "Els Claes": "Els Claes", "Els Maes": "Els Maes", "Noor De Smet": "Noor", "Sofie Peeters": "Sofie",
    }  # fmt: skip


def test_the_login_of_kring_is_the_only_one() -> None:
    assert settings.AUTHENTICATION_BACKENDS == ["crm.web.accounts.Backend"]


def test_who_was_logged_in_before_the_login_was_ours_still_is(sdr: User, login: Login) -> None:
    upgrade: Any = import_module("crm.migrations.0022_keep_who_is_logged_in")
    client = login(sdr)
    session = client.session
    session[BACKEND_SESSION_KEY] = upgrade.BEFORE
    session.save()
    assert client.get("/notices/").status_code == 302
    upgrade.forward(apps, None)
    assert client.get("/notices/").status_code == 200
