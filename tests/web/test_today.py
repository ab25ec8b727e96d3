"""Today: a finite list in order, each line with its why, and nothing that is not one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from crm import follow_ups
from crm.models import Deal, FollowUp, Person, PromiseSide, Tier
from crm.web import today
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

TODAY = AT.date()


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


def days(number: int) -> timedelta:
    return timedelta(days=number)


def seen(client, address: str = "/", **headers) -> str:
    answer = client.get(address, **headers)
    assert answer.status_code == 200
    return answer.content.decode()


def promised(owner, number: int = 1, name: str = "Peter van der Meulen") -> list[FollowUp]:
    """So many people to whom something was promised for today."""
    for index in range(number):
        make.promise(
            make.person(f"{name} {index}" if number > 1 else name),
            by=owner,
            due_on=TODAY,
            text=f"Send the schedule {index}",
        )
    follow_ups.refresh(at=AT)
    return list(FollowUp.objects.filter(owner=owner).order_by("pk"))


def test_it_says_the_day_the_week_and_how_many_people_wait(account_manager, login):
    promised(account_manager, 5)
    page = seen(login(account_manager))
    assert "Monday 23 November · week 48" in page
    assert "Good morning. Five people are waiting to hear from you." in page


@pytest.mark.parametrize(
    ("people", "things", "sentence"),
    [
        (0, 0, "Nobody is waiting to hear from you."),
        (1, 4, "One person is waiting to hear from you."),
        (2, 2, "Two people are waiting to hear from you."),
        (12, 12, "Twelve people are waiting to hear from you."),
        (13, 20, "13 people are waiting to hear from you."),
        (0, 1, "One thing is waiting for you."),
        (0, 2, "Two things are waiting for you."),
    ],
)
def test_numbers_are_words_up_to_twelve_and_nothing_is_calm(people, things, sentence):
    assert today.waiting(people, things) == sentence


@pytest.mark.parametrize(
    ("hour", "words"),
    [(0, "morning"), (11, "morning"), (12, "afternoon"), (17, "afternoon"), (18, "evening"), (23, "evening")],
)
def test_it_greets_by_the_users_own_hour(hour, words):
    assert today.greeting(hour) == f"Good {words}."


def test_the_day_is_the_users_own_and_not_that_of_utc(account_manager, login):
    account_manager.time_zone = "Pacific/Auckland"
    account_manager.save(update_fields=["time_zone"])
    with time_machine.travel(datetime(2026, 11, 23, 20, tzinfo=UTC), tick=False):
        assert "Tuesday 24 November" in seen(login(account_manager))


def test_one_person_with_three_things_is_one_person(account_manager, login):
    peter = make.person("Peter van der Meulen")
    for text in ("one", "two", "three"):
        make.promise(peter, by=account_manager, due_on=TODAY, text=text)
    follow_ups.refresh(at=AT)
    page = seen(login(account_manager))
    assert "One person is waiting" in page
    assert "3 of 3 shown" in page


def test_a_line_says_who_where_why_and_when_we_last_spoke(account_manager, login):
    company = make.organisation("Vandermeulen Logistics")
    peter = make.person("Peter van der Meulen", organisation=company)
    make.promise(
        peter, by=account_manager, due_on=TODAY - days(6), side=PromiseSide.THEIRS, text="the numbers", at=AT - days(30)
    )
    follow_ups.refresh(at=AT)
    page = seen(login(account_manager))
    for words in (
        "Peter van der Meulen",
        f'href="/people/{peter.pk}/"',
        "Vandermeulen Logistics",
        "promise of theirs, 6 days late",
        "On 24 October Peter van der Meulen promised, by 17 November: the numbers. ",
        "Last contact: never.",
    ):
        assert words in page


def test_what_others_wrote_is_text_and_never_markup(account_manager, login):
    make.promise(
        make.person("<b>Eve</b> <script>alert(1)</script>"), by=account_manager, due_on=TODAY, text="<img src=x>"
    )
    follow_ups.refresh(at=AT)
    page = seen(login(account_manager))
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page


def test_the_list_is_finite_and_the_rest_is_one_click_away(account_manager, login):
    promised(account_manager, 15)
    page = seen(login(account_manager))
    assert page.count("data-row") == today.CAPACITY == 12
    assert "12 of 15 shown" in page
    assert "the rest can wait" in page
    assert seen(login(account_manager), "/?all=1").count("data-row") == 15


def test_what_comes_first_is_first(account_manager, login):
    ilse = make.person("Ilse Maes")
    Person.objects.filter(pk=ilse.pk).update(owner=account_manager, tier=Tier.A, created_at=AT - days(400))
    make.deal(account_manager, person=make.person("Karim Boulhani"), next_step_on=TODAY)
    promised(account_manager)
    make.hand_off(make.user("Noor Claes"), account_manager, name="Sofie De Wit")
    follow_ups.refresh(at=AT)
    page = seen(login(account_manager))
    places = [
        page.index(f'aria-label="{name}"')
        for name in ("Peter van der Meulen", "Sofie De Wit", "Karim Boulhani", "Ilse Maes")
    ]
    assert places == sorted(places)


def test_tomorrows_work_and_other_peoples_work_are_not_there(account_manager, sdr, login):
    make.promise(make.person("Of Tomorrow"), by=account_manager, due_on=TODAY + days(1))
    make.promise(make.person("Of Somebody Else"), by=sdr, due_on=TODAY)
    follow_ups.refresh(at=AT)
    page = seen(login(account_manager))
    assert 'aria-label="Of ' not in page
    assert "Nobody is waiting to hear from you." in page
    assert "Everything that was agreed is done" in page


def test_what_is_for_today_is_there_before_work_begins(account_manager, login):
    promised(account_manager)
    with time_machine.travel(
        datetime(2026, 11, 23, 6, tzinfo=UTC), tick=False
    ):  # Seven in Brussels; work starts at nine.
        assert "Peter van der Meulen" in seen(login(account_manager))


def test_a_hand_off_is_accepted_on_its_own_page_and_not_ticked_off(account_manager, sdr, login):
    hand_off = make.hand_off(sdr, account_manager)
    follow_ups.refresh(at=AT)
    page = seen(login(account_manager))
    assert (
        page.count(f'href="/hand-offs/{hand_off.pk}/"') == 1
    )  # Its line in the list; the column at the side does not say it again.
    assert "Hand-offs waiting" not in page
    assert "/done/" not in page
    assert "Hand-offs waiting" in seen(login(sdr))


def test_promises_of_both_sides_stand_beside_the_list(account_manager, login):
    make.promise(make.person("Karim Boulhani"), by=account_manager, due_on=TODAY - days(2), text="Send the schedule")
    later = make.promise(
        make.person("Ilse Maes"), by=account_manager, due_on=TODAY + days(3), side=PromiseSide.THEIRS, text="Numbers"
    )
    type(later).objects.filter(pk=later.pk).update(not_before=TODAY + days(2))
    page = seen(login(account_manager))
    for words in (
        "ours",
        "Karim Boulhani: Send the schedule",
        "2 days late",
        "theirs",
        "Ilse Maes: Numbers",
        "not before Wednesday",
    ):
        assert words in page


def test_the_pipeline_is_one_sentence_with_both_sides_amounts(account_manager, login):
    make.deal(account_manager, buyer_amount=Decimal(24500), seller_amount=Decimal(30000), buyer_date=TODAY + days(20))
    other = make.deal(account_manager, buyer_amount=Decimal(500), buyer_date=TODAY - days(3))
    Deal.objects.filter(pk=other.pk).update(next_step_on=TODAY - days(1))
    make.deal(account_manager, currency="USD", buyer_amount=Decimal(99))
    page = seen(login(account_manager)).replace("\xa0", " ")
    assert "3 deals" in page
    assert "Buyers said <b>€ 25,000</b>, you expect <b>€ 30,000</b>." in page
    assert "The next one decides on <b>13 Dec</b>" in page
    assert "One deal in another currency is not in these sums." in page
    assert "One of them</a> has no next step in the future." in page


def test_each_role_has_a_today(sdr, account_manager, manager, admin_user, login):
    for user in (sdr, account_manager, manager, admin_user):
        assert "Nobody is waiting" in seen(login(user))


def test_somebody_who_is_not_logged_in_is_asked_to(client):
    assert client.get("/").status_code == 302


def test_htmx_gets_the_part_and_nothing_around_it(account_manager, login):
    part = seen(login(account_manager), headers={"HX-Request": "true", "HX-Target": "today"})
    assert part.strip().startswith('<div id="today"')
    assert "<html" not in part


def test_state_never_changes_on_a_get(account_manager, login):
    promised(account_manager)
    before = list(FollowUp.objects.values())
    seen(login(account_manager))
    assert list(FollowUp.objects.values()) == before


def test_it_reads_in_dutch_dates_too(account_manager, login):
    promised(account_manager)
    account_manager.language = "nl"
    account_manager.save(update_fields=["language"])
    assert "maandag 23 november" in seen(login(account_manager))


@pytest.mark.parametrize("number", [2, 12])
def test_it_takes_as_many_queries_for_many_rows_as_for_few(
    account_manager, login, django_assert_max_num_queries, number
):
    client = login(account_manager)
    promised(account_manager, number)
    make.deal(account_manager)
    client.get("/")
    with django_assert_max_num_queries(14):
        client.get("/")
