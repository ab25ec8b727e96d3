"""Today: a finite list in order, each line with its why, and nothing that is not one's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from crm import follow_ups
from crm.models import Deal, Direction, FollowUp, Person, PromiseSide, Rule, Scope, Tier, User
from crm.web import keyset, today, today_acts
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
    client = login(account_manager)
    page = seen(client)
    assert page.count("data-row") == account_manager.most_follow_ups == 12
    assert "12 of 15 shown" in page
    assert "the rest can wait" in page
    assert seen(client, "/?all=1").count("data-row") == 15
    User.objects.update(most_follow_ups=5)
    assert seen(client).count("data-row") == 5


def test_the_rest_comes_in_pages_and_an_act_stays_on_its_page(account_manager, login, monkeypatch):
    monkeypatch.setattr(keyset, "SIZE", 3)
    first, *_ = promised(account_manager, 4)
    client = login(account_manager)
    there = {"HX-Request": "true", "HX-Target": "today", "HX-Current-URL": "http://testserver/?all=1"}
    part = client.post(f"/follow-ups/{first.pk}/later/", {"until": "2026-11-24"}, headers=there).content.decode()
    assert "3 in all" in part
    assert 'name="next" value="/?all=1"' in part


def test_what_was_done_today_makes_the_list_shorter_and_a_full_day_is_enough(account_manager, login):
    User.objects.filter(pk=account_manager.pk).update(most_follow_ups=2)
    for name in ("Ann", "Bea", "Cas", "Dirk"):
        make.deal(account_manager, person=make.person(name), next_step_on=TODAY)
    follow_ups.refresh(at=AT)
    client = login(account_manager)
    assert "2 of 4 shown" in seen(client)
    for row in FollowUp.objects.open()[:2]:
        follow_ups.done(follow_up=row, by=account_manager, at=AT)
    page = seen(client)
    assert "Two things done today, and that is enough. The rest can wait until Tuesday." in page
    assert "data-row" not in page
    promised(account_manager)
    assert seen(client).count("data-row") == 1  # What somebody waits for is shown on a full day, too.


def test_a_day_off_says_calmly_until_when_it_can_wait(account_manager, login):
    promised(account_manager, 5)
    with time_machine.travel(AT + days(5), tick=False):  # A Saturday.
        page = seen(login(account_manager))
    assert "You are off today. It can all wait until Monday 30 November." in page
    assert page.count("data-row") == 3


def test_somebody_new_is_told_where_to_begin(account_manager, login):
    client = login(account_manager)
    assert "Your day begins here" in seen(client)
    (row,) = promised(account_manager)
    follow_ups.done(follow_up=row, by=account_manager, at=AT)
    assert "Everything that was agreed is done" in seen(client)


# ---- The act that comes first --------------------------------------------------------------------------------------


def test_each_rule_leads_to_where_its_work_is_done():
    """By rule: what the button says and where it leads, for a person without telephone and mail."""
    leads_to = {
        (Rule.ASK_REFERRAL, "person"): ("Ask", "/circle/referrals/new/?person=5"),
        (Rule.THANK_REFERRER, "referral"): ("Thank", "/circle/referrals/7/"),
        (Rule.JOURNEY, "organisation"): ("Log it", "/conversations/new/?person=5&journey=1&follow_up=1"),
        (Rule.LAWFUL_BASIS, "person"): ("Review", "/people/5/edit/"),
        (Rule.APPOINTMENT, "appointment"): ("Say how", "/appointments/7/"),
        (Rule.FIRST_ANSWER, "lead"): ("Answer", "/leads/7/"),
        (Rule.OPEN_QUESTION, "lead"): ("Ask", "/leads/7/"),
        (Rule.UNTOUCHED, "lead"): ("Look", "/leads/7/"),
        (Rule.COME_BACK, "lead"): ("Look", "/leads/7/"),
    }
    for (rule, kind), (words, url) in leads_to.items():
        row = FollowUp(pk=1, rule=rule, subject_kind=kind, subject_id=7, person_id=5, lead_id=7)
        assert today_acts.first_act(row, today_acts.Closed()) == today_acts.Act(words, url), rule


def test_who_has_a_number_is_called_and_who_has_none_is_written_to(account_manager):
    called, written = make.person(phone="+32470123458"), make.person()
    for rule in (Rule.KEEP_IN_TOUCH, Rule.CHECK_IN, Rule.RE_ORDER, Rule.TELL_REFERRER, Rule.SILENCE, Rule.BUYERS_DATE):
        call = today_acts.first_act(FollowUp(rule=rule, person=called), today_acts.Closed())
        mail = today_acts.first_act(FollowUp(rule=rule, person=written), today_acts.Closed())
        assert call == today_acts.Act("Call", f"/people/{called.pk}/call/")
        assert mail == today_acts.Act("Write", f"/mail/new/?person={written.pk}")
    assert today_acts.first_act(FollowUp(person=called), today_acts.Closed(call=True, mail=True)) is None


def test_the_form_to_log_an_interview_says_what_it_is(account_manager, login):
    peter = make.person(owner=account_manager)
    page = seen(login(account_manager), f"/conversations/new/?person={peter.pk}&journey=1")
    assert re.search(r'name="is_journey_interview"[^>]* checked', page)


# ---- Held back -----------------------------------------------------------------------------------------------------


def test_who_is_not_to_be_contacted_yet_stands_last_says_until_when_and_does_not_wait(account_manager, login):
    anke = make.person("Anke Smeets", phone="+32470123456")
    Person.objects.filter(pk=anke.pk).update(owner=account_manager, tier=Tier.A, created_at=AT - days(400))
    follow_ups.refresh(at=AT)
    FollowUp.objects.update(rank=1)
    make.conversation(
        anke, by=account_manager, at=AT - days(3), kind="email", direction=Direction.OUTGOING, is_information=True
    )
    follow_ups.make(note="Ring Karim", owner=account_manager, due_on=TODAY, by=account_manager, at=AT)
    page = seen(login(account_manager))
    assert "One thing is waiting for you." in page
    held = page[page.index('aria-label="Anke Smeets"') :]
    assert page.index('aria-label="Ring Karim"') < page.index('aria-label="Anke Smeets"')
    for words in ("not before Wednesday", "We sent them information on 20 November", "From 25 November", "Too soon"):
        assert words in held
    assert "data-do>" not in held
    assert "/done/" in held


def test_who_asked_to_be_left_in_peace_is_offered_no_contact(account_manager, login):
    (row,) = promised(account_manager)
    make.wish(person=row.person)
    page = seen(login(account_manager))
    assert "asked to be left in peace" in page
    assert "data-do>" not in page
    assert "One person" not in page


def test_who_asked_not_to_be_called_is_written_to(account_manager, login):
    peter = make.person("Peter", phone="+32470123457")
    make.promise(peter, by=account_manager, due_on=TODAY)
    follow_ups.refresh(at=AT)
    client = login(account_manager)
    assert f'href="/people/{peter.pk}/call/"' in seen(client)
    make.wish(person=peter, scope=Scope.CALL)
    page = seen(client)
    assert f'href="/people/{peter.pk}/call/"' not in page
    assert f'href="/mail/new/?person={peter.pk}"' in page


# ---- In somebody's place -------------------------------------------------------------------------------------------


def test_work_of_somebody_else_says_whose_it_is(account_manager, teammate, login):
    (row,) = promised(account_manager)
    client = login(account_manager)
    FollowUp.objects.update(on_behalf_of=teammate)
    make.absence(teammate, days=10)
    assert f"for {teammate}, who is away until 3 December" in seen(client)
    User.objects.filter(pk=teammate.pk).update(is_active=False)
    assert f"from {teammate}, who left" in seen(client)


# ---- Looking again -------------------------------------------------------------------------------------------------


def look_again(client, seen_before: str = ""):
    there = {"HX-Request": "true", "HX-Target": "today", "HX-Current-URL": "http://testserver/"}
    return client.get("/now/", {"seen": seen_before}, headers=there)


def test_it_says_nothing_while_nothing_changed_and_the_part_when_a_colleague_acted(account_manager, teammate, login):
    (row, _other) = promised(account_manager, 2)
    client = login(account_manager)
    first = look_again(client).content.decode()
    (known,) = re.findall(r'name="seen" value="(\w{32})"', first)
    assert look_again(client, known).status_code == 204
    assert look_again(client, known).status_code == 204  # Looking is no change.
    follow_ups.done(follow_up=row, by=teammate, at=AT)
    after = look_again(client, known)
    assert after.content.decode().strip().startswith('<div id="today"')
    assert "One person is waiting" in after.content.decode()


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
    with django_assert_max_num_queries(30):
        client.get("/")
