"""The page of a deal: two words beside each other, a next step, and an end that comes once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine

from crm import advocacy, deals, pipelines
from crm.models import Deal, DealState, Event, EventKind, LostReason, Role, Stage
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "deal"}
VIEWS = {"name": "Planning suite", "currency": "EUR"}


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def am(account_manager):
    return account_manager


@pytest.fixture
def mine(login, am):
    return login(am)


@pytest.fixture
def deal(am) -> Deal:
    return make.deal(
        am,
        at=AT - timedelta(days=20),
        name="Planning suite",
        buyer_amount=Decimal(24500),
        buyer_words="Before Easter",
        seller_amount=Decimal(30000),
        next_step_on=AT.date() + timedelta(days=4),
    )


@pytest.fixture
def stages(deal) -> list[Stage]:
    return list(pipelines.ensure_default().stages.all())


def page(deal: Deal, act: str = "") -> str:
    return f"/deals/{deal.pk}/" + (f"{act}/" if act else "")


def seen(client, address: str, **more) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return unescape(answer.content.decode()).replace("\xa0", " ")


# ---- What it shows -------------------------------------------------------------------------------------------------


def test_it_shows_both_views_the_step_and_the_way_so_far(mine, am, deal, stages):
    deals.move(deal=deal, to=stages[1], by=am, at=AT - timedelta(days=16))
    shown = seen(mine, page(deal))
    for words in ("€ 24,500", "€ 30,000", "Before Easter", deal.next_step, str(deal.organisation), str(deal.person)):
        assert words in shown
    assert "4 days" in shown  # in the first stage
    assert "16 days" in shown  # in the one where it stands
    assert "usually 14" in shown


def test_it_shows_promises_people_and_timeline(mine, am, deal):
    make.promise(deal.person, by=am, due_on=AT.date() - timedelta(days=2), deal=deal, text="Send the schedule")
    make.conversation(deal.person, by=am, deal=deal, summary="They lose a day a week.")
    make.person("Brother De Wit", organisation=deal.organisation)
    shown = seen(mine, page(deal))
    for words in ("Send the schedule", "2 days late", "They lose a day a week.", "Brother De Wit"):
        assert words in shown


def test_it_leads_to_a_conversation_and_a_promise_about_it(mine, deal):
    shown = seen(mine, page(deal))
    assert f"/conversations/new/?deal={deal.pk}" in shown
    assert f"/promises/new/?deal={deal.pk}&person={deal.person_id}" in shown


def test_it_names_the_lead_it_came_from(mine, sdr, am):
    lead = make.qualified_lead(sdr)
    opened = deals.open(
        name="Workshop",
        stage=pipelines.first_stage(),
        owner=am,
        lead=lead,
        next_step="Meet",
        next_step_on=AT.date(),
        by=am,
        at=AT,
    )
    shown = seen(mine, page(opened))
    assert f"/leads/{lead.pk}/" in shown
    assert str(sdr) in shown


def test_colleagues_of_another_team_read_and_are_offered_no_act(login, outsider, deal):
    shown = seen(login(outsider), page(deal))
    assert "€ 24,500" in shown
    assert "/step/" not in shown
    assert "/win/" not in shown
    assert 'name="stage"' not in shown


def test_a_deal_from_a_file_shows_without_history_person_or_organisation(mine, am):
    bare = Deal.objects.create(
        name="From a file", external_id="7", stage=pipelines.first_stage(), opened_at=AT, owner=None
    )
    shown = seen(mine, page(bare))
    assert "There is no next step." in shown
    assert "Nobody is known here yet." in shown


def test_unknown_is_404_and_nobody_looks_without_a_login(client, mine, deal):
    assert mine.get("/deals/999999/").status_code == 404
    assert client.get(page(deal)).status_code == 302


def test_more_history_costs_no_more_queries(mine, am, deal, stages, django_assert_max_num_queries):
    for stage in stages[1:] + stages[:1] + stages[1:]:
        deals.move(deal=deal, to=stage, by=am, at=AT)
    for number in range(6):
        make.person(organisation=deal.organisation)
        make.promise(deal.person, by=am, due_on=AT.date() + timedelta(number), deal=deal)
        make.conversation(deal.person, by=am, deal=deal)
    with django_assert_max_num_queries(16):  # Two of them tell what is agreed, and which links are out.
        mine.get(page(deal))


# ---- Next step and views -------------------------------------------------------------------------------------------


def test_a_step_is_agreed_by_plain_form_and_by_htmx(mine, deal):
    answer = mine.post(page(deal, "step"), {"next_step": "Video", "next_step_on": "2026-12-01"})
    assert answer.url == page(deal)
    answer = mine.post(page(deal, "step"), {"next_step": "Visit", "next_step_on": "2026-12-02"}, headers=HTMX)
    assert answer.status_code == 200
    assert "Visit" in answer.content.decode()
    assert "The next step is agreed." in answer.content.decode()
    assert "<html" not in answer.content.decode()
    deal.refresh_from_db()
    assert deal.next_step == "Visit"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("wrong", [{"next_step": ""}, {"next_step_on": ""}, {"next_step_on": "2026-11-22"}])
def test_a_wrong_step_is_said_where_it_stands(mine, deal, wrong, headers):
    answer = mine.post(
        page(deal, "step"), {"next_step": "Video", "next_step_on": "2026-12-01"} | wrong, headers=headers
    )
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert '<details class="fold mt-2" open>' in shown
    assert ("<html" in shown) is not bool(headers)
    deal.refresh_from_db()
    assert deal.next_step == "Call about the dates"


def test_views_are_changed_side_by_side(mine, deal):
    mine.post(
        page(deal, "change"),
        VIEWS | {"buyer_amount": "20000", "buyer_date": "2026-12-20", "seller_probability": "60", "buyer_words": "Now"},
    )
    deal.refresh_from_db()
    assert (deal.buyer_amount, str(deal.buyer_date), deal.seller_probability) == (20000, "2026-12-20", 60)
    assert deal.seller_amount is None  # what was emptied is not known any more
    old = Event.objects.get(kind=EventKind.DEAL_CHANGED).old
    assert old is not None
    assert old["buyer_amount"] == "24500.00"


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"seller_probability": "101"}, {"buyer_amount": "-3"}, {"currency": "X"}]
)
def test_wrong_views_change_nothing(mine, deal, wrong):
    answer = mine.post(page(deal, "change"), VIEWS | wrong, headers=HTMX)
    assert answer.status_code == 200
    assert "invalid" in answer.content.decode()
    assert not Event.objects.filter(kind=EventKind.DEAL_CHANGED).exists()


def test_a_deal_in_another_currency_keeps_it(mine, am):
    deal = make.deal(am, currency="BRL", buyer_amount=Decimal(500))
    assert '<option value="BRL" selected>' in seen(mine, page(deal))
    mine.post(page(deal, "change"), VIEWS | {"currency": "BRL", "buyer_amount": "600"})
    deal.refresh_from_db()
    assert (deal.currency, deal.buyer_amount) == ("BRL", Decimal(600))


def test_the_stepper_moves_the_deal_and_shows_its_page(mine, deal, stages):
    moved = {"from": "deal", "stage": stages[2].pk}
    assert mine.post(page(deal, "move"), moved).url == page(deal)
    answer = mine.post(page(deal, "move"), moved | {"stage": stages[3].pk}, headers=HTMX)
    assert f"Planning suite now stands in {stages[3].name}." in answer.content.decode()
    assert answer.content.decode().lstrip().startswith('<div id="deal">')


# ---- The end -------------------------------------------------------------------------------------------------------


def test_winning_asks_first_and_celebrates_calmly(mine, deal):
    assert "Did they order?" in seen(mine, page(deal, "win"))
    deal.refresh_from_db()
    assert deal.is_open
    answer = mine.post(page(deal, "win"), follow=True)
    shown = unescape(answer.content.decode()).replace("\xa0", " ")
    assert "The order is the first milestone" in shown
    assert f"/circle/referrals/new/?deal={deal.pk}" in shown
    assert "it stays as it is" in shown
    deal.refresh_from_db()
    assert deal.state == DealState.WON


def test_the_button_pressed_twice_wins_once(mine, deal):
    assert mine.post(page(deal, "win")).url == page(deal)
    assert mine.post(page(deal, "win")).url == page(deal)
    assert Event.objects.filter(kind=EventKind.DEAL_WON).count() == 1
    assert mine.get(page(deal, "win")).url == page(deal)  # nothing left to confirm


def test_losing_asks_why_and_what_was_learned(mine, deal):
    assert "Why did it end here?" in seen(mine, page(deal, "lose"))
    answer = mine.post(page(deal, "lose"), {"reason": ""})
    assert answer.status_code == 200
    assert "required" in answer.content.decode()
    answer = mine.post(page(deal, "lose"), {"reason": "timing", "note": "Ask earlier who decides"}, follow=True)
    shown = unescape(answer.content.decode())
    assert "Not the right moment" in shown
    assert "Ask earlier who decides" in shown
    assert mine.get(page(deal, "lose")).url == page(deal)


def test_an_end_cannot_become_the_other_end(mine, am, deal):
    deals.win(deal=deal, by=am, at=AT)
    answer = mine.post(page(deal, "lose"), {"reason": LostReason.PRICE}, follow=True)
    assert "is won already and stays so" in answer.content.decode()
    lost = make.deal(am)
    deals.lose(deal=lost, reason=LostReason.PRICE, by=am, at=AT)
    answer = mine.post(page(lost, "win"), follow=True)
    assert "is lost already and stays so" in answer.content.decode()


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("step", {"next_step": "Video", "next_step_on": "2026-12-01"}),
        ("change", VIEWS | {"buyer_amount": "1"}),
        ("move", {"from": "deal"}),
    ],
)
def test_a_closed_deal_stays_as_it_is(mine, am, deal, stages, act, fields):
    deals.win(deal=deal, by=am, at=AT)
    before = Deal.objects.values().get(pk=deal.pk)
    shown = seen(mine, page(deal))
    assert f'"{page(deal, act)}"' not in shown
    answer = mine.post(page(deal, act), {"stage": stages[1].pk} | fields, headers=HTMX)
    assert "already and stays so" in answer.content.decode()
    assert Deal.objects.values().get(pk=deal.pk) == before


def test_a_won_deal_shows_the_referrals_that_came_of_it(mine, am, deal):
    deals.win(deal=deal, by=am, at=AT)
    referral = advocacy.ask(person=deal.person, deal=deal, whom="her brother", by=am, at=AT)
    shown = seen(mine, page(deal))
    assert f"/circle/referrals/{referral.pk}/" in shown
    assert "her brother" in shown


# ---- Who may -------------------------------------------------------------------------------------------------------

ACTS = {
    "step": {"next_step": "Video", "next_step_on": "2026-12-01"},
    "change": VIEWS,
    "win": {},
    "lose": {"reason": "price"},
}


@pytest.mark.parametrize("act", ACTS)
def test_owner_teammate_and_manager_write_and_others_do_not(client, login, am, teammate, manager, outsider, act):
    for user, status in ((am, 302), (teammate, 302), (manager, 302), (outsider, 403)):
        assert login(user).post(page(make.deal(am), act), ACTS[act]).status_code == status
    assert client.post(page(make.deal(am), act), ACTS[act]).url.startswith("/accounts/login/")
    assert login(outsider).post(page(make.deal(am), act), ACTS[act], headers=HTMX).status_code == 403


@pytest.mark.parametrize("act", ["step", "change", "move"])
def test_state_never_changes_by_looking(mine, deal, act):
    assert mine.get(page(deal, act)).status_code == 405


@pytest.mark.parametrize("act", ["win", "lose"])
def test_another_team_is_not_even_asked(login, outsider, deal, act):
    assert login(outsider).get(page(deal, act)).status_code == 403


def test_the_deal_is_given_to_another_seller_on_its_page(mine, am, deal, login):
    colleague = make.user("Karim Haddad", Role.ACCOUNT_MANAGER, team=am.team)
    reader = make.user("Sofie Maes", Role.SDR, team=am.team)
    fields = {"name": deal.name, "currency": deal.currency}
    mine.post(f"{page(deal)}change/", fields | {"owner": reader.pk})
    mine.post(f"{page(deal)}change/", fields)
    deal.refresh_from_db()
    assert deal.owner == am
    mine.post(f"{page(deal)}change/", fields | {"owner": colleague.pk})
    deal.refresh_from_db()
    assert deal.owner == colleague
    assert f"to {colleague}" in mine.get(page(deal)).content.decode()
