"""What the health check notices, and what it leaves in peace."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from crm import deals, health, pipelines, readings
from crm.models import Deal, Direction, Finding, FindingKind, Lead, Rule, RuleSetting, Stage
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

BRUSSELS = ZoneInfo("Europe/Brussels")
TODAY = AT.astimezone(BRUSSELS).date()
"""Monday 23 November 2026."""


def days(number: int) -> timedelta:
    return timedelta(days=number)


def healthy(owner, **fields) -> Deal:
    """An open deal of three days old that nothing is the matter with."""
    deal = make.deal(owner, at=AT - days(3), next_step_on=TODAY + days(5), buyer_amount=Decimal(1000), **fields)
    return deal


def changed(deal: Deal, **fields) -> Deal:
    Deal.objects.filter(pk=deal.pk).update(**fields)
    return deal


def found(at: datetime = AT) -> set[str]:
    readings.take(at=at)
    return set(Finding.objects.open().values_list("kind", flat=True))


def said(kind: FindingKind, at: datetime = AT) -> str:
    with translation.override("en"), timezone.override(BRUSSELS):
        return health.sentence(Finding.objects.open().get(kind=kind), at)


def test_a_deal_in_good_hands_is_left_in_peace(account_manager):
    healthy(account_manager)
    assert found() == set()


def test_an_imported_deal_without_a_step_is_noticed(account_manager):
    changed(healthy(account_manager), next_step_on=None, next_step="", external_id="old-1")
    assert found() == {FindingKind.NO_NEXT_STEP}
    assert said(FindingKind.NO_NEXT_STEP) == "Open since 20 November, and nothing is agreed with them."


@pytest.mark.parametrize(
    ("step", "is_noticed"),
    [
        (date(2026, 11, 23), False),
        (date(2026, 11, 19), False),  # Thursday: Friday and Monday have passed, and today is not over.
        (date(2026, 11, 18), False),  # Wednesday: three working days.
        (date(2026, 11, 17), True),  # Tuesday: four.
        (date(2026, 11, 10), True),  # The day before a holiday.
    ],
)
def test_a_step_may_slip_three_working_days(account_manager, step, is_noticed):
    deal = changed(healthy(account_manager), next_step_on=step)
    make.conversation(deal.person, deal=deal, by=account_manager, at=AT - timedelta(hours=1))
    assert (FindingKind.STEP_PASSED in found()) is is_noticed


def test_weekends_and_holidays_do_not_count_as_slipping():
    # Monday 2 to Thursday 5 November are four working days; All Saints', the day before, is a Sunday.
    assert health.working_days_back(date(2026, 11, 5), 3) == date(2026, 11, 1)
    # Armistice Day, Wednesday 11 November 2026, is nobody's working day.
    assert health.working_days_back(date(2026, 11, 12), 1) == date(2026, 11, 9)


@pytest.mark.parametrize(("passed", "is_noticed"), [(-1, False), (0, False), (1, True)])
def test_a_date_that_the_buyer_named_is_noticed_the_day_after(account_manager, passed, is_noticed):
    changed(healthy(account_manager), buyer_date=TODAY - days(passed), seller_date=TODAY + days(7))
    assert (FindingKind.BUYER_DATE_PASSED in found()) is is_noticed
    if is_noticed:
        assert said(FindingKind.BUYER_DATE_PASSED) == (
            "Their own date was 22 November and has passed. Ask them again before you trust ours (30 November)."
        )


def test_silence_counts_from_their_last_word_and_not_from_ours(account_manager):
    """Seven days usually lie between two replies in the first stage, so eleven of silence."""
    deal = changed(healthy(account_manager), next_step_on=TODAY, opened_at=AT - days(60))
    make.conversation(deal.person, deal=deal, by=account_manager, at=AT - days(10))
    assert FindingKind.SILENT not in found()
    assert FindingKind.SILENT in found(AT + days(2))
    make.conversation(deal.person, deal=deal, by=account_manager, at=AT + days(2), direction=Direction.OUTGOING)
    assert FindingKind.SILENT in found(AT + days(2))
    assert said(FindingKind.SILENT, AT + days(2)) == "No word from them in 12 days; usual in “Get acquainted” is 7."
    make.conversation(deal.person, deal=deal, by=account_manager, at=AT + days(2), direction=Direction.INCOMING)
    assert FindingKind.SILENT not in found(AT + days(2))


def test_what_the_rule_of_silence_counts_with_is_what_the_check_counts_with(account_manager, team):
    deal = changed(healthy(account_manager), next_step_on=TODAY, opened_at=AT - days(60))
    make.conversation(deal.person, deal=deal, by=account_manager, at=AT - days(8))
    assert FindingKind.SILENT not in found()
    setting = RuleSetting.objects.create(rule=Rule.SILENCE, team=team, numbers={"percent": 100})
    assert FindingKind.SILENT in found(AT + timedelta(minutes=1))
    RuleSetting.objects.filter(pk=setting.pk).update(numbers={"percent": "much"})
    assert FindingKind.SILENT not in found(AT + timedelta(minutes=2))
    Stage.objects.filter(pk=deal.stage_id).update(learned_contact_days=5, learned_from=30)
    assert FindingKind.SILENT in found(AT + timedelta(minutes=3))


def test_silence_with_an_agreed_day_to_come_is_no_silence(account_manager):
    deal = changed(healthy(account_manager), opened_at=AT - days(60))
    assert deal.next_step_on
    assert deal.next_step_on > TODAY
    assert FindingKind.SILENT not in found()


def test_silence_before_an_appointment_is_no_silence(account_manager):
    deal = changed(healthy(account_manager), next_step_on=TODAY, opened_at=AT - days(60), last_reply_at=None)
    make.appointment(account_manager, person=deal.person, deal=deal, starts_at=AT + days(2))
    assert FindingKind.SILENT not in found()


def test_somebody_who_never_said_a_word_is_noticed_too(account_manager):
    changed(healthy(account_manager), next_step_on=TODAY, opened_at=AT - days(60), last_reply_at=None)
    assert FindingKind.SILENT in found()
    assert said(FindingKind.SILENT).startswith("They have never said a word in the 60 days")


def test_a_deal_won_before_we_heard_of_them_is_kept_and_noticed(account_manager, sdr):
    hand_off = make.hand_off(sdr, account_manager)
    deal = make.deal(account_manager, lead=hand_off.lead)
    deals.win(deal=deal, by=account_manager, at=AT)
    assert FindingKind.WON_BEFORE_LEAD not in found()
    Lead.objects.filter(pk=hand_off.lead.pk).update(received_at=AT + days(2))
    assert found() == {FindingKind.WON_BEFORE_LEAD}
    assert said(FindingKind.WON_BEFORE_LEAD).startswith(
        "Won on 23 November, though we only heard of them on 25 November."
    )


def test_a_deal_beyond_the_first_stage_has_an_amount(account_manager):
    deal = changed(healthy(account_manager), buyer_amount=None)
    assert found() == set()
    deal.refresh_from_db()
    second = pipelines.first_stage().pipeline.stages.order_by("position")[1]
    deals.move(deal=deal, to=second, by=account_manager, at=AT)
    assert found() == {FindingKind.NO_AMOUNT}
    changed(deal, seller_amount=Decimal(0))
    assert found(AT + timedelta(minutes=1)) == set()


def test_a_deal_that_ends_is_noticed_no_more(account_manager):
    deal = changed(healthy(account_manager), buyer_date=TODAY - days(1))
    assert found() == {FindingKind.BUYER_DATE_PASSED}
    deals.lose(deal=Deal.objects.get(pk=deal.pk), reason="timing", by=account_manager, at=AT)
    assert found(AT + timedelta(minutes=1)) == set()
    assert Finding.objects.get().cleared_at == AT + timedelta(minutes=1)


def test_every_kind_has_a_check_a_sentence_and_a_cure():
    assert set(health.CHECKS) == set(FindingKind)
    assert all(str(check.cure) for check in health.CHECKS.values())
