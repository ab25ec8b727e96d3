"""The board: sums of everything, some cards, and a move that is the same by drag, by menu and by plain form."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine
from django.urls import reverse

from crm import deals, pipelines
from crm.models import Deal, Pipeline, Stage
from crm.web import board
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

BOARD = "/deals/"
HTMX = {"HX-Request": "true", "HX-Target": "board"}


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def am(account_manager):
    return account_manager


@pytest.fixture
def deal(am) -> Deal:
    return make.deal(am, name="Planning suite", buyer_amount=Decimal(24500), seller_amount=Decimal(30000))


@pytest.fixture
def stages(deal) -> list[Stage]:
    return list(pipelines.ensure_default().stages.all())


def seen(client, address: str = BOARD, **more) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == 200
    return unescape(answer.content.decode()).replace("\xa0", " ")


def move(client, deal: Deal, stage: Stage, htmx: bool = False, **fields):
    headers = HTMX if htmx else {}
    return client.post(reverse("crm:deal-move", args=[deal.pk]), {"stage": stage.pk} | fields, headers=headers)


# ---- What it shows -------------------------------------------------------------------------------------------------


def test_it_asks_for_a_login(client):
    assert client.get(BOARD).status_code == 302


def test_a_card_says_their_word_beside_ours_and_the_next_step(login, am, deal):
    page = seen(login(am))
    for words in ("Planning suite", str(deal.organisation), str(deal.person), "€ 24,500", "€ 30,000", deal.next_step):
        assert words in page


def test_before_the_first_deal_it_says_how_deals_begin(login, manager):
    assert "A deal begins when an account manager accepts" in seen(login(manager))


def test_an_account_manager_begins_with_their_own_and_reaches_everybodys(login, am, deal, outsider):
    make.deal(outsider, name="Of another team")
    assert "Of another team" not in seen(login(am))
    assert "Of another team" in seen(login(am), BOARD + "?owner=all")
    assert "Of another team" not in seen(login(am), BOARD + "?owner=team")


def test_an_sdr_sees_as_theirs_what_they_qualified(login, sdr, am):
    make.deal(am, name="Mine", sdr=sdr)
    make.deal(am, name="Another’s")
    page = seen(login(sdr), BOARD + "?owner=me")
    assert "Mine" in page
    assert "Another’s" not in page


def test_an_empty_board_of_mine_points_to_everybodys(login, teammate, deal):
    assert "?owner=all" in seen(login(teammate), BOARD + "?owner=me")


def test_a_column_counts_and_sums_all_its_deals_and_not_only_its_cards(login, am, monkeypatch):
    monkeypatch.setattr(board, "CARDS", 2)
    for number in range(5):
        make.deal(am, name=f"Deal {number}", buyer_amount=Decimal(1000), next_step_on=AT.date() + timedelta(number))
    page = seen(login(am))
    assert "Deal 1" in page
    assert "Deal 4" not in page  # the soonest next steps come first
    assert "€ 5,000" in page
    assert "3 more in the list" in page
    stage = pipelines.first_stage()
    assert f"/deals/list/?state=open&stage={stage.pk}&owner=me&sort=step" in page


def test_two_currencies_stand_apart_and_nothing_multiplies_a_sum(login, am, stages, deal):
    make.deal(am, buyer_amount=Decimal(700), currency="GBP")
    for stage in stages[1:] + stages[:1]:
        deals.move(deal=deal, to=stage, by=am, at=AT)
    make.promise(deal.person, by=am, due_on=AT.date(), deal=deal)
    make.promise(deal.person, by=am, due_on=AT.date(), deal=deal)
    page = seen(login(am))
    assert "they <b>€ 24k" in page or "they <b>€ 25k" in page
    assert "they <b>£ 700" in page


def test_what_is_late_says_so(login, am, deal):
    Deal.objects.filter(pk=deal.pk).update(next_step_on=AT.date() - timedelta(days=6))
    assert "6 days late" in seen(login(am))


def test_closed_deals_leave_the_board(login, am, deal):
    deals.win(deal=deal, by=am, at=AT)
    assert "Planning suite" not in seen(login(am), BOARD + "?owner=all")


def test_another_pipeline_has_a_board_of_its_own(login, am, deal):
    other = Pipeline.objects.create(name="Renewals", position=5)
    stage = Stage.objects.create(pipeline=other, name="Asked")
    make.deal(am, name="Second year", stage=stage)
    assert "Second year" not in seen(login(am))
    page = seen(login(am), f"{BOARD}?pipeline={other.pk}")
    assert "Second year" in page
    assert "Planning suite" not in page


@pytest.mark.parametrize("query", ["?pipeline=0", "?pipeline=x", "?pipeline=99999999999999999999", "?owner=%00"])
def test_nonsense_in_the_address_gives_the_first_board(login, am, deal, query):
    assert "Planning suite" in seen(login(am), BOARD + query)


def test_htmx_gets_the_board_alone(login, am, deal):
    page = seen(login(am), headers=HTMX)
    assert page.lstrip().startswith('<section id="board"')
    assert "<html" not in page


def test_only_cards_that_may_be_moved_have_handles(login, am, outsider, deal):
    assert f'data-win="/deals/{deal.pk}/win/"' in seen(login(am))
    page = seen(login(outsider), BOARD + "?owner=all")
    assert "data-win" not in page
    assert f'formaction="/deals/{deal.pk}/move/"' not in page
    assert "Its owner, their team and managers move it." in page


def test_ten_times_the_cards_cost_no_more_queries(login, am, deal, django_assert_max_num_queries):
    for _ in range(20):
        make.deal(am)
    client = login(am)
    with django_assert_max_num_queries(6):  # session, user, pipelines, stages with their cards' ids, cards, sums
        client.get(BOARD)


def test_it_is_read_only(login, am):
    assert login(am).post(BOARD).status_code == 405


# ---- A move --------------------------------------------------------------------------------------------------------


def test_a_plain_form_moves_the_card_and_comes_back_to_it(login, am, deal, stages):
    answer = move(login(am), deal, stages[2], owner="me", pipeline=str(stages[2].pipeline_id))
    assert answer.status_code == 302
    assert answer.url == f"/deals/?pipeline={stages[2].pipeline_id}&owner=me#card-{deal.pk}"
    deal.refresh_from_db()
    assert deal.stage == stages[2]


def test_htmx_gets_the_board_with_right_sums_and_tells_screen_readers(login, am, deal, stages):
    answer = move(login(am), deal, stages[1], htmx=True, owner="me")
    assert answer.status_code == 200
    told = json.loads(answer.headers["HX-Trigger"])["dealMoved"]["said"]
    assert told == f"Planning suite now stands in {stages[1].name}."
    page = answer.content.decode()
    assert page.index(stages[1].name) < page.index("Planning suite") < page.index(stages[2].name)


def test_the_second_time_changes_nothing(login, am, deal, stages):
    client = login(am)
    move(client, deal, stages[1])
    assert move(client, deal, stages[1]).status_code == 302
    assert deal.stage_changes.count() == 2


def test_a_card_that_was_won_meanwhile_stays_won_and_the_board_says_so(login, am, deal, stages):
    deals.win(deal=deal, by=am, at=AT)
    answer = move(login(am), deal, stages[1], htmx=True)
    assert answer.status_code == 200
    assert "already and stays so" in answer.content.decode()
    assert "HX-Trigger" not in answer.headers


def test_a_teammate_and_a_manager_move_it_too(login, teammate, manager, deal, stages):
    assert move(login(teammate), deal, stages[1]).status_code == 302
    assert move(login(manager), deal, stages[2]).status_code == 302
    deal.refresh_from_db()
    assert deal.stage == stages[2]


@pytest.mark.parametrize("htmx", [False, True])
def test_another_team_is_told_calmly_that_it_may_not(login, outsider, deal, stages, htmx):
    answer = move(login(outsider), deal, stages[1], htmx=htmx)
    assert answer.status_code == 403
    assert "only its owner, their team and managers" in answer.content.decode()
    deal.refresh_from_db()
    assert deal.stage == stages[0]


def test_a_stage_of_another_pipeline_is_refused_in_words(login, am, deal):
    other = Stage.objects.create(pipeline=Pipeline.objects.create(name="Renewals"), name="Asked")
    assert "belongs to another pipeline" in move(login(am), deal, other, htmx=True).content.decode()


def test_a_move_to_nowhere_is_404_and_a_look_is_405(login, am, deal):
    address = reverse("crm:deal-move", args=[deal.pk])
    assert login(am).post(address, {"stage": "x"}).status_code == 404
    assert login(am).post(address).status_code == 404
    assert login(am).get(address).status_code == 405
    assert login(am).post("/deals/999999/move/", {"stage": deal.stage_id}).status_code == 404


def test_nobody_moves_without_a_login(client, deal, stages):
    assert move(client, deal, stages[1]).url.startswith("/accounts/login/")
