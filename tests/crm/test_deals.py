"""A deal begins with both yeses or with a customer, always has a dated next step while open, and ends once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from crm import deals, pipelines
from crm.models import (
    Deal,
    DealState,
    Event,
    EventKind,
    Gate,
    LostReason,
    Organisation,
    Override,
    Pipeline,
    Stage,
    StageChange,
    Verdict,
)
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(days=3)
TOMORROW = AT.date() + timedelta(days=1)


@pytest.fixture
def am(account_manager):
    return account_manager


@pytest.fixture
def deal(am) -> Deal:
    return make.deal(am)


@pytest.fixture
def stages(deal) -> list[Stage]:
    return list(pipelines.ensure_default().stages.all())


def opened(am, **fields) -> Deal:
    start = {"name": "Planning suite", "stage": pipelines.first_stage(), "owner": am, "next_step": "Call"}
    return deals.open(**start | {"next_step_on": TOMORROW, "by": am, "at": AT} | fields)


# ---- Beginning -----------------------------------------------------------------------------------------------------


def test_a_qualified_lead_becomes_a_deal_and_brings_what_it_knows(sdr, am):
    lead = make.qualified_lead(sdr, organisation="Notelaar Interiors")
    deal = opened(am, lead=lead)
    assert (deal.person, deal.organisation, deal.sdr) == (lead.person, lead.organisation, sdr)
    assert deal.is_open
    assert [change.to_stage for change in deal.stage_changes.all()] == [deal.stage]


def test_a_lead_without_both_yeses_is_no_deal(sdr, am):
    lead = make.working_lead(sdr)
    assert lead.verdict == Verdict.UNDECIDED
    with pytest.raises(Refused, match="both sides"):
        opened(am, lead=lead)


def test_a_reason_opens_a_deal_before_both_yeses_and_is_listed(sdr, am):
    lead = make.working_lead(sdr)
    with pytest.raises(deals.NotQualified):
        opened(am, lead=lead, override="  ")
    deal = opened(am, lead=lead, override="They asked for the contract")
    override = Override.objects.get()
    assert (override.gate, override.deal, override.lead, override.by) == (Gate.DEAL, deal, lead, am)
    with pytest.raises(deals.NotQualified):
        opened(am, organisation=make.organisation())


def test_who_has_a_deal_or_a_qualified_lead_needs_no_reason(sdr, am):
    lead = make.qualified_lead(sdr, organisation="Notelaar Interiors")
    opened(am, person=lead.person, override="not needed")
    assert not Override.objects.exists()
    early = opened(am, lead=make.working_lead(sdr, organisation="Beuken"), override="They asked")
    opened(am, organisation=early.organisation)
    deals.lose(deal=early, reason="price", by=am, at=AT)
    for other in Deal.objects.open().filter(organisation=early.organisation):
        deals.lose(deal=other, reason="price", by=am, at=AT)
    with pytest.raises(deals.NotQualified):
        opened(am, organisation=early.organisation)


def test_a_customer_gets_a_deal_without_a_lead(am):
    customer = make.organisation(customer_since=AT - timedelta(days=400))
    assert opened(am, organisation=customer).organisation == customer


def test_nobody_else_gets_a_deal_without_a_lead(am):
    with pytest.raises(Refused, match="Start with a lead"):
        opened(am, organisation=make.organisation())
    with pytest.raises(Refused, match="Start with a lead"):
        opened(am, person=make.person())
    assert not Deal.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("next_step", "  "), ("next_step_on", AT.date() - timedelta(days=1)), ("next_step_on", None), ("name", " ")],
)
def test_a_deal_without_a_name_or_a_dated_next_step_is_refused(am, field, value):
    customer = make.organisation(customer_since=AT)
    with pytest.raises(Refused):
        opened(am, organisation=customer, **{field: value})


def test_a_deal_is_opened_with_views_and_nothing_else(am):
    customer = make.organisation(customer_since=AT)
    assert opened(am, organisation=customer, buyer_amount=Decimal(5)).buyer_amount == 5
    with pytest.raises(TypeError, match="won_at"):
        opened(am, organisation=customer, won_at=AT)


# ---- On the way ----------------------------------------------------------------------------------------------------


def test_a_move_is_a_row_of_the_history(deal, stages, am):
    deals.move(deal=deal, to=stages[2], by=am, at=LATER)
    change = deal.stage_changes.last()
    assert (change.from_stage, change.to_stage, change.at, change.by) == (stages[0], stages[2], LATER, am)
    assert Event.objects.filter(kind=EventKind.DEAL_MOVED, deal=deal).count() == 1


def test_moving_to_where_it_stands_changes_nothing(deal, stages, am):
    deals.move(deal=deal, to=stages[0], by=am, at=LATER)
    assert deal.stage_changes.count() == 1
    assert not Event.objects.filter(kind=EventKind.DEAL_MOVED).exists()


def test_a_stage_of_another_pipeline_is_refused(deal, am):
    other = Stage.objects.create(pipeline=Pipeline.objects.create(name="Renewals"), name="Asked")
    with pytest.raises(Refused, match="another pipeline"):
        deals.move(deal=deal, to=other, by=am, at=LATER)


def test_a_new_step_keeps_the_old_one_in_the_history(deal, am):
    old = deal.next_step
    deals.set_step(deal=deal, next_step="Video", next_step_on=TOMORROW, by=am, at=AT)
    deal.refresh_from_db()
    assert (deal.next_step, deal.next_step_on) == ("Video", TOMORROW)
    was = Event.objects.get(kind=EventKind.DEAL_STEP_SET).old
    assert was is not None
    assert was["next_step"] == old


def test_today_is_the_day_of_the_one_who_writes(deal, am):
    am.time_zone = "Pacific/Auckland"  # Where 23 November, half past ten in Brussels, is late in the evening.
    late_evening = AT + timedelta(hours=3)  # There it is the 24th already.
    with pytest.raises(Refused, match="past"):
        deals.set_step(deal=deal, next_step="Call", next_step_on=AT.date(), by=am, at=late_evening)


def test_views_change_with_old_and_new_kept(deal, am):
    deals.change(deal=deal, buyer_amount=Decimal("24500"), buyer_words="Before Easter", by=am, at=AT)
    event = Event.objects.get(kind=EventKind.DEAL_CHANGED)
    assert event.old == {"buyer_amount": None, "buyer_words": ""}
    assert event.new == {"buyer_amount": "24500", "buyer_words": "Before Easter"}


def test_the_same_view_again_writes_nothing(deal, am):
    deals.change(deal=deal, buyer_amount=None, by=am, at=AT)
    assert not Event.objects.filter(kind=EventKind.DEAL_CHANGED).exists()


def test_a_view_is_all_that_changes(deal, am):
    with pytest.raises(TypeError, match="state"):
        deals.change(deal=deal, state=DealState.WON, by=am, at=AT)


def test_a_deal_is_given_to_somebody_else_who_can_log_in(deal, am, teammate):
    was = str(deal.owner)
    deals.change(deal=deal, owner=teammate, by=am, at=AT)
    deal.refresh_from_db()
    assert deal.owner == teammate
    event = Event.objects.get(kind=EventKind.DEAL_CHANGED)
    assert (event.old, event.new) == ({"owner": was}, {"owner": str(teammate)})
    am.is_active = False
    am.save()
    for nobody in (None, am):
        with pytest.raises(Refused, match="log in"):
            deals.change(deal=deal, owner=nobody, by=teammate, at=AT)


def test_a_deal_is_renamed_but_never_nameless(deal, am):
    with pytest.raises(Refused, match="name"):
        deals.change(deal=deal, name="  ", by=am, at=AT)


# ---- The end -------------------------------------------------------------------------------------------------------


def test_a_win_makes_a_customer(sdr, am):
    deal = opened(am, lead=make.qualified_lead(sdr, organisation="Notelaar Interiors"))
    deals.win(deal=deal, by=am, at=LATER)
    deal.refresh_from_db()
    assert (deal.state, deal.won_at) == (DealState.WON, LATER)
    assert Organisation.objects.get().customer_since == LATER


def test_a_second_order_leaves_the_first_day_as_a_customer(deal, am):
    first = deal.organisation.customer_since
    deals.win(deal=deal, by=am, at=LATER)
    assert Organisation.objects.get(pk=deal.organisation_id).customer_since == first


def test_twice_won_is_won_once(deal, am):
    deals.win(deal=deal, by=am, at=AT)
    deals.win(deal=deal, by=am, at=LATER)
    deal.refresh_from_db()
    assert deal.won_at == AT
    assert Event.objects.filter(kind=EventKind.DEAL_WON).count() == 1
    assert StageChange.objects.filter(deal=deal, to_state=DealState.WON).count() == 1


def test_twice_lost_is_lost_once(deal, am):
    deals.lose(deal=deal, reason=LostReason.PRICE, note=" Too late ", by=am, at=AT)
    deals.lose(deal=deal, reason=LostReason.OTHER, by=am, at=LATER)
    deal.refresh_from_db()
    assert (deal.lost_at, deal.lost_reason, deal.lost_note) == (AT, LostReason.PRICE, "Too late")
    assert Event.objects.filter(kind=EventKind.DEAL_LOST).count() == 1


def test_a_loss_needs_a_reason(deal, am):
    with pytest.raises(Refused, match="why"):
        deals.lose(deal=deal, reason="", by=am, at=AT)


ACTS: dict[str, Callable[..., Deal]] = {
    "move": lambda deal, am: deals.move(deal=deal, to=Stage.objects.all()[3], by=am, at=LATER),
    "set_step": lambda deal, am: deals.set_step(deal=deal, next_step="x", next_step_on=LATER.date(), by=am, at=LATER),
    "change": lambda deal, am: deals.change(deal=deal, seller_probability=40, by=am, at=LATER),
    "win": lambda deal, am: deals.win(deal=deal, by=am, at=LATER),
    "lose": lambda deal, am: deals.lose(deal=deal, reason=LostReason.TIMING, by=am, at=LATER),
}
"""Everything that can be done to a deal."""

SILENT = {("won", "win"), ("lost", "lose")}
"""The second time of the same end: nothing happens, and nobody is told off."""


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", DealState.values)
def test_an_end_is_never_left(deal, am, state, act):
    if state == DealState.WON:
        deals.win(deal=deal, by=am, at=AT)
    elif state == DealState.LOST:
        deals.lose(deal=deal, reason=LostReason.PRICE, by=am, at=AT)
    before = Deal.objects.values().get(pk=deal.pk)
    events = Event.objects.count()
    if state == DealState.OPEN:
        ACTS[act](deal, am)
        assert Event.objects.count() > events
        return
    if (state, act) in SILENT:
        ACTS[act](deal, am)
    else:
        with pytest.raises(Refused, match="stays so"):
            ACTS[act](deal, am)
    assert Deal.objects.values().get(pk=deal.pk) == before
    assert Event.objects.count() == events


def test_a_stale_copy_in_hand_does_not_win_a_lost_deal(deal, am):
    stale = Deal.objects.get(pk=deal.pk)
    deals.lose(deal=deal, reason=LostReason.PRICE, by=am, at=AT)
    with pytest.raises(Refused):
        deals.win(deal=stale, by=am, at=LATER)


# ---- Sums ----------------------------------------------------------------------------------------------------------


def test_two_currencies_are_never_added_up(am):
    make.deal(am, buyer_amount=Decimal(100))
    make.deal(am, seller_amount=Decimal(30))
    make.deal(am, buyer_amount=Decimal(7), currency="GBP")
    totals = list(Deal.objects.open().totals())
    assert [(row["currency"], row["number"], row["buyer"], row["seller"], row["worth"]) for row in totals] == [
        ("EUR", 2, 100, 30, 130),
        ("GBP", 1, 7, None, 7),
    ]


def test_a_sum_counts_each_deal_once_however_much_happened_to_it(deal, stages, am):
    deals.change(deal=deal, buyer_amount=Decimal(100), by=am, at=AT)
    for stage in stages[1:]:
        deals.move(deal=deal, to=stage, by=am, at=AT)
    for _ in range(3):
        make.conversation(deal.person, by=am, deal=deal)
        make.promise(deal.person, by=am, due_on=TOMORROW, deal=deal)
    (total,) = Deal.objects.open().totals("stage")
    assert (total["stage"], total["number"], total["buyer"]) == (stages[-1].pk, 1, 100)
