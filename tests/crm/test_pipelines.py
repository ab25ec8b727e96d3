"""There is always a place for a first deal, and it is made once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm import deals, pipelines
from crm.models import Deal, Direction, Pipeline, Stage, User
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db


def test_the_first_pipeline_is_made_with_four_stages_in_order():
    pipeline = pipelines.ensure_default()
    stages = list(pipeline.stages.all())
    assert len(stages) == 4
    assert [stage.probability for stage in stages] == sorted(stage.probability for stage in stages)
    assert pipelines.first_stage() == stages[0]


def test_it_is_made_once():
    first = pipelines.ensure_default()
    assert pipelines.ensure_default() == first
    assert (Pipeline.objects.count(), Stage.objects.count()) == (1, 4)


def test_a_pipeline_without_stages_gets_them():
    empty = Pipeline.objects.create(name="Second orders")
    assert pipelines.ensure_default() == empty
    assert empty.stages.count() == 4


def test_the_first_of_several_is_where_deals_start():
    Pipeline.objects.create(name="Later", position=9)
    first = Pipeline.objects.create(name="Sooner", position=1)
    stage = Stage.objects.create(pipeline=first, name="Only one")
    assert pipelines.first_stage() == stage


def test_asking_for_it_costs_nothing_once_it_is_there(django_assert_max_num_queries):
    pipelines.ensure_default()
    with django_assert_max_num_queries(4):  # two of them open and close the transaction
        pipelines.ensure_default()


# ---- What won deals teach ------------------------------------------------------------------------------------------


def day(number: int):
    return AT - timedelta(days=40 - number)


def won(owner: User, *replies: int, moved: int = 30, to: Stage | None = None, direction=Direction.BOTH) -> Deal:
    """Won on day 35, with a word of theirs on those days; on day `moved` it went to the next stage."""
    deal = make.deal(owner, at=day(0))
    for number in replies:
        make.conversation(deal.person, deal=deal, by=owner, at=day(number), direction=direction)
    stage = to or Stage.objects.filter(pipeline=deal.stage.pipeline, position__gt=deal.stage.position).first()
    assert stage
    deals.move(deal=deal, to=stage, by=owner, at=day(moved))
    return deals.win(deal=Deal.objects.get(pk=deal.pk), by=owner, at=day(35))


def learned() -> list[tuple[int | None, int]]:
    return list(Stage.objects.order_by("position").values_list("learned_contact_days", "learned_from"))


def test_a_stage_learns_the_median_pause_of_the_deals_that_were_won(account_manager):
    won(account_manager, 1, 3, 7)  # Pauses of two and four days.
    won(account_manager, 2, 11)  # One of nine.
    assert pipelines.learn(at=AT) == 1
    assert learned() == [(4, 2), (None, 0), (None, 0), (None, 0)]
    assert pipelines.learn(at=AT) == 0


def test_a_pause_counts_for_the_stage_in_which_it_began(account_manager):
    won(account_manager, 1, 4, 10, 12, moved=4)
    pipelines.learn(at=AT)
    assert learned()[:2] == [(3, 1), (4, 1)]  # Three days; then six and two.


def test_only_words_of_theirs_in_deals_that_were_won_teach(account_manager):
    won(account_manager, 1, 3, direction=Direction.OUTGOING)
    open_deal = make.deal(account_manager, at=day(0))
    for number in (1, 3):
        make.conversation(open_deal.person, deal=open_deal, by=account_manager, at=day(number))
    won(account_manager, 5)  # A single word is no pause.
    assert pipelines.learn(at=AT) == 0
    assert learned()[0] == (None, 0)


def test_ten_messages_on_one_day_are_one_day(account_manager):
    deal = won(account_manager, 1, 6)
    for minutes in range(3):
        make.conversation(deal.person, deal=deal, by=account_manager, at=day(1) + timedelta(minutes=minutes))
    pipelines.learn(at=AT)
    assert learned()[0] == (5, 1)


def test_what_was_won_long_ago_teaches_no_more(account_manager):
    won(account_manager, 1, 3)
    pipelines.learn(at=AT)
    assert learned()[0] == (2, 1)
    assert pipelines.learn(at=AT + timedelta(days=3 * 366)) == 1
    assert learned()[0] == (None, 0)
