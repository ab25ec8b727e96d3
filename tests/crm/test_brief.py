"""The brief of a hand-off: all that is known, nothing that the reader may not read, and never more questions to the database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from crm import brief, handoffs, verdicts
from crm.models import (
    Appointment,
    HandOff,
    LeadTouch,
    PastAssessment,
    ReceivedMessage,
    Role,
    Touch,
    User,
)
from crm.models.conversations import Conversation
from qualification import assessing
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def hand_off(sdr: User, account_manager: User) -> HandOff:
    offered = make.hand_off(sdr, account_manager, name="Sofie De Wit", organisation="Notelaar")
    return HandOff.objects.for_page().get(pk=offered.pk)


def of(hand_off: HandOff, reader: User) -> brief.Brief:
    return brief.of(hand_off, reader=reader, at=make.AT)


def a_meeting(hand_off: HandOff, **fields: Any) -> Appointment:
    lead = hand_off.lead
    assert lead.person is not None
    starts = fields.pop("starts_at", make.AT + timedelta(days=2))
    ends = starts + timedelta(minutes=30)
    given: dict[str, Any] = {"subject": "Video about the dates", "uid": f"meeting-{starts:%d%H%M}@kring.example"}
    return Appointment.objects.create(
        user=hand_off.to_user,
        person=lead.person,
        lead=lead,
        starts_at=starts,
        ends_at=ends,
        blocked_from=starts,
        blocked_until=ends,
        time_zone="Europe/Brussels",
        state_at=make.AT,
        booked_at=make.AT,
        **given | fields,
    )


def test_the_next_step_is_the_appointment_else_what_the_last_conversation_agreed(
    sdr: User, account_manager: User, hand_off: HandOff
) -> None:
    assert of(hand_off, account_manager).next_step is None
    agreed = make.conversation(
        hand_off.lead.person, by=sdr, lead=hand_off.lead, summary="We meet on Monday.", has_next_step=True
    )
    make.conversation(hand_off.lead.person, by=sdr, lead=hand_off.lead, at=make.AT + timedelta(minutes=1))
    step = of(hand_off, account_manager).next_step
    assert step is not None
    assert step.conversation == agreed
    a_meeting(hand_off, starts_at=make.AT - timedelta(days=2))
    a_meeting(hand_off, starts_at=make.AT + timedelta(days=1), state="cancelled", uid="gone")
    meeting = a_meeting(hand_off)
    step = of(hand_off, account_manager).next_step
    assert step is not None
    assert step.appointment == meeting


def test_what_a_colleague_keeps_private_is_not_in_it(
    sdr: User, account_manager: User, teammate: User, hand_off: HandOff
) -> None:
    said = make.conversation(hand_off.lead.person, by=sdr, lead=hand_off.lead, summary="Secret", quote="Between us")
    Conversation.objects.filter(pk=said.pk).update(private_to=sdr)
    assert (list(of(hand_off, account_manager).said), list(of(hand_off, account_manager).quotes)) == ([], [])
    assert list(of(hand_off, sdr).quotes) == [said]


def test_it_tells_who_introduced_them_and_how_they_found_us(account_manager: User, hand_off: HandOff) -> None:
    lead = hand_off.lead
    LeadTouch.objects.create(lead=lead, which="last", at=make.AT, page="/prices/")
    LeadTouch.objects.create(lead=lead, which="first", at=make.AT - timedelta(days=300), content=make.content("Plan"))
    ReceivedMessage.objects.create(
        channel="form", external_id="again", lead=lead, is_first=False, message="And the price?", received_at=make.AT
    )
    assert lead.person is not None
    Touch.objects.create(person=lead.person, content=make.content(), at=make.AT - timedelta(days=200))
    giver = make.person("Ann Janssens")
    lead.person.introduced_by = giver
    lead.person.save(update_fields=["introduced_by"])
    made = of(hand_off, account_manager)
    assert made.introduced_by == giver
    assert [touch.which for touch in made.found_by] == ["first", "last"]
    assert [message.message for message in made.messages] == ["And the price?"]
    assert made.reading.pieces == 1
    referral = make.referral(account_manager)
    referral.lead, referral.introduced, referral.introduced_at = lead, lead.person, make.AT
    referral.state = "introduced"
    referral.save()
    assert of(hand_off, account_manager).introduced_by == referral.referrer


def test_earlier_judgements_and_hand_offs_stand_in_it_with_what_was_asked_then(
    sdr: User, account_manager: User, hand_off: HandOff
) -> None:
    lead = hand_off.lead
    asked = handoffs.ask(hand_off=hand_off, question="Who decides?", by=account_manager, at=make.AT)
    assert of(hand_off, account_manager).open_question == asked
    handoffs.reject(hand_off=hand_off, kind="too_early", reason="After Easter.", by=account_manager, at=make.AT)
    PastAssessment.objects.create(
        lead=lead,
        assessment=assessing.begin(make.scorecard("Before")),
        verdict="nurture",
        score_ours=40,
        score_theirs=20,
        replaced_at=make.AT,
    )
    lead.refresh_from_db()
    verdicts.qualify(lead=lead, by=sdr, at=make.AT)
    els = make.user("Els Verbeke", Role.ACCOUNT_MANAGER)
    new = handoffs.submit(lead=lead, to=els, by=sdr, at=make.AT)
    made = of(HandOff.objects.for_page().get(pk=new.pk), els)
    assert [past.score_ours for past in made.earlier] == [40]
    assert [earlier.pk for earlier in made.before] == [hand_off.pk]
    assert list(made.questions) == [asked]
    assert made.open_question is None, "its hand-off is decided"


def test_a_long_life_costs_no_more_questions(
    sdr: User, account_manager: User, hand_off: HandOff, django_assert_max_num_queries: Any
) -> None:
    lead = hand_off.lead
    assert lead.person is not None
    for day in range(12):
        make.conversation(lead.person, by=sdr, lead=lead, at=make.AT - timedelta(days=day), quote="Yes")
        make.promise(lead.person, by=sdr, due_on=date(2026, 12, 1))
        Touch.objects.create(person=lead.person, content=make.content(), at=make.AT - timedelta(days=day))
    row = HandOff.objects.for_page().get(pk=hand_off.pk)
    with django_assert_max_num_queries(18):
        made = of(row, account_manager)
        assert [made.sheet, *made.said, *made.earlier, *made.before]
