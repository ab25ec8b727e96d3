"""The acts on a follow-up: who may, what happens, with and without htmx, and the second time."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from crm import follow_ups
from crm.models import FollowUp, Outcome, PromiseState
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

TODAY = AT.date()
HTMX = {"HX-Request": "true", "HX-Target": "today", "HX-Current-URL": "http://testserver/?all=1"}
ACTS = ("done", "later", "not-needed", "reopen", "bring-back")


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def follow_up(account_manager) -> FollowUp:
    make.deal(account_manager, next_step_on=TODAY)
    follow_ups.refresh(at=AT)
    return FollowUp.objects.get()


def address(follow_up: FollowUp, act: str) -> str:
    return f"/follow-ups/{follow_up.pk}/{act}/"


def test_done_is_done_and_can_be_undone(follow_up, account_manager, login):
    client = login(account_manager)
    answer = client.post(address(follow_up, "done"), follow=True)
    assert answer.redirect_chain == [("/", 302)]
    follow_up.refresh_from_db()
    assert follow_up.outcome == Outcome.DONE
    assert address(follow_up, "reopen") in answer.content.decode()
    answer = client.post(address(follow_up, "reopen"), follow=True)
    assert "It is back on the list." in answer.content.decode()
    assert FollowUp.objects.open().get() == follow_up


def test_the_second_time_nothing_happens_and_it_says_so(follow_up, account_manager, login):
    client = login(account_manager)
    client.post(address(follow_up, "done"))
    assert "This was done already." in client.post(address(follow_up, "done"), follow=True).content.decode()


def test_htmx_gets_the_list_without_it_and_others_are_told(follow_up, account_manager, login):
    answer = login(account_manager).post(address(follow_up, "done"), headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.strip().startswith('<div id="today"')
    assert "Nobody is waiting" in page
    assert "Undo" in page
    assert "followUpChanged" in answer["HX-Trigger"]


def test_later_is_tomorrow_next_week_or_a_day_of_choice(follow_up, account_manager, login):
    client = login(account_manager)
    page = client.get("/").content.decode()
    assert 'value="2026-11-24"' in page
    assert 'value="2026-11-30"' in page
    answer = client.post(address(follow_up, "later"), {"until": "2026-11-24"}, follow=True)
    assert "You will see this again on Tuesday 24 November." in answer.content.decode()
    client.post(address(follow_up, "later"), {"day": "2026-12-05"})  # A Saturday.
    follow_up.refresh_from_db()
    assert follow_up.put_off_until.isoformat() == "2026-12-07T08:00:00+00:00"


def test_later_can_be_taken_back(follow_up, account_manager, login):
    client = login(account_manager)
    answer = client.post(address(follow_up, "later"), {"until": "2026-11-24"}, follow=True)
    assert address(follow_up, "bring-back") in answer.content.decode()
    assert "One person is waiting" in client.post(address(follow_up, "bring-back"), follow=True).content.decode()
    follow_up.refresh_from_db()
    assert follow_up.put_off_until is None


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-11-23", "2020-01-01", "2026-02-31", "9999-99-99", "0000-00-00"])
def test_a_day_that_is_none_is_refused_with_a_sentence(follow_up, account_manager, login, day):
    answer = login(account_manager).post(address(follow_up, "later"), {"day": day}, follow=True)
    assert answer.status_code == 200
    assert "Choose a day" in answer.content.decode()
    follow_up.refresh_from_db()
    assert follow_up.put_off_until is None


def test_not_needed_is_closed_with_its_reason(follow_up, account_manager, login):
    login(account_manager).post(address(follow_up, "not-needed"), {"why": "They called"})
    follow_up.refresh_from_db()
    assert follow_up.outcome == Outcome.NOT_NEEDED


def test_a_promise_that_is_done_is_kept(account_manager, login):
    promise = make.promise(make.person(), by=account_manager, due_on=TODAY)
    follow_ups.refresh(at=AT)
    answer = login(account_manager).post(address(FollowUp.objects.get(), "done"), follow=True)
    promise.refresh_from_db()
    assert promise.state == PromiseState.KEPT
    assert "Kept, as promised." in answer.content.decode()


def test_a_promise_that_was_kept_by_a_slip_is_open_again(account_manager, login):
    promise = make.promise(make.person(), by=account_manager, due_on=TODAY)
    follow_ups.refresh(at=AT)
    client, row = login(account_manager), FollowUp.objects.get()
    client.post(address(row, "done"))
    client.post(address(row, "reopen"))
    promise.refresh_from_db()
    assert promise.is_open
    assert FollowUp.objects.open().get() == row


def test_what_was_said_can_be_logged_with_it(follow_up, account_manager, login):
    client = login(account_manager)
    form = f"/conversations/new/?deal={follow_up.deal_id}&amp;follow_up={follow_up.pk}"
    assert form in client.get("/").content.decode()
    said = {"kind": "call", "direction": "both", "when": "2026-11-23T10:00", "summary": "All well"}
    answer = client.post(form.replace("&amp;", "&"), said | {"people": [follow_up.person_id]})
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/")
    follow_up.refresh_from_db()
    assert follow_up.outcome == Outcome.DONE
    assert follow_up.person.conversations.get().summary == "All well"


def test_a_refused_undo_says_why(follow_up, account_manager, login):
    follow_ups.done(follow_up=follow_up, by=account_manager, at=AT - timedelta(days=9))
    answer = login(account_manager).post(address(follow_up, "reopen"), follow=True)
    assert "more than a week ago" in answer.content.decode()


@pytest.mark.parametrize("act", ACTS)
def test_the_team_and_the_manager_may_and_another_team_may_not(follow_up, teammate, manager, outsider, login, act):
    assert login(outsider).post(address(follow_up, act), {"until": "2026-11-24"}).status_code == 403
    follow_up.refresh_from_db()
    assert follow_up.is_open
    assert follow_up.put_off_until is None
    for user in (teammate, manager):
        assert login(user).post(address(follow_up, act), {"until": "2026-11-24"}).status_code == 302


def test_who_stands_in_from_another_team_may_do_the_work_and_write_what_it_is_about(
    follow_up, account_manager, outsider, login
):
    make.absence(account_manager, days=1, stand_in=outsider)
    follow_ups.refresh(at=AT)
    follow_up.refresh_from_db()
    assert (follow_up.owner, follow_up.on_behalf_of) == (outsider, account_manager)
    form = f"/conversations/new/?deal={follow_up.deal_id}&follow_up={follow_up.pk}"
    assert login(outsider).get(form).status_code == 200
    assert login(outsider).post(address(follow_up, "done")).status_code == 302
    assert login(account_manager).post(address(follow_up, "reopen")).status_code == 302, "it stays their own work, too"
    with time_machine.travel(AT + timedelta(days=3)):
        assert login(outsider).get(form).status_code == 403, "they are back"


def test_who_stands_in_for_a_stand_in_does_the_work_of_both(account_manager, sdr, outsider, login):
    make.absence(sdr, stand_in=outsider)
    make.absence(account_manager, stand_in=sdr)
    assert outsider.in_place_of == {sdr.pk, account_manager.pk}
    assert sdr.in_place_of == {account_manager.pk}


@pytest.mark.parametrize("act", ACTS)
def test_looking_changes_nothing_strangers_are_asked_to_log_in_and_unknown_ones_are_not_found(
    follow_up, account_manager, client, login, act
):
    assert login(account_manager).get(address(follow_up, act)).status_code == 405
    assert client.post(address(follow_up, act)).status_code == 302
    assert login(account_manager).post(f"/follow-ups/999999/{act}/").status_code == 404
    follow_up.refresh_from_db()
    assert follow_up.is_open


@pytest.mark.parametrize(
    ("next_page", "to"),
    [
        ("/people/", "/people/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_it_ends_where_it_began_when_that_is_ours(follow_up, account_manager, login, next_page, to):
    answer = login(account_manager).post(address(follow_up, "done"), {"next": next_page})
    assert answer["Location"] == to


# ---- Made by hand --------------------------------------------------------------------------------------------------


def test_one_made_by_hand_is_on_the_list_on_its_day(account_manager, login):
    ilse = make.person("Ilse Maes")
    client = login(account_manager)
    assert "Ilse Maes" in client.get(f"/follow-ups/new/?person={ilse.pk}").content.decode()
    client.post(
        f"/follow-ups/new/?person={ilse.pk}",
        {"note": "Ask about her boat", "due_on": "2026-11-23", "owner": account_manager.pk},
    )
    made = FollowUp.objects.get()
    assert (made.person, made.owner, made.note) == (ilse, account_manager, "Ask about her boat")
    page = client.get("/").content.decode()
    assert "Ask about her boat" in page
    assert "You wrote this down on 23 November." in page


def test_one_for_a_colleague_says_who_asked(account_manager, sdr, login):
    login(account_manager).post(
        "/follow-ups/new/", {"note": "Call the printer", "due_on": "2026-11-23", "owner": sdr.pk}
    )
    page = login(sdr).get("/").content.decode()
    assert "Call the printer" in page
    assert "Arjan van der Meer asked you for this on 23 November." in page


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"note": ""}, "This field is required."),
        ({"due_on": "2026-11-22"}, "Choose today or a day that is still to come."),
        ({"owner": "999999"}, "Select a valid choice."),
        ({"due_on": "soon"}, "Enter a valid date."),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_is_made(account_manager, login, given, words):
    answer = login(account_manager).post(
        "/follow-ups/new/", {"note": "Call", "due_on": "2026-11-24", "owner": account_manager.pk} | given
    )
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize("about", ["person=999999", "deal=999999", "lead=999999", "organisation=999999"])
def test_about_somebody_who_is_not_there_is_not_found(account_manager, login, about):
    assert login(account_manager).get(f"/follow-ups/new/?{about}").status_code == 404


def test_nonsense_in_the_address_is_ignored(account_manager, login):
    assert (
        login(account_manager).get("/follow-ups/new/?person=x&deal=-1&lead=1e9&organisation=" + "9" * 30).status_code
        == 200
    )
