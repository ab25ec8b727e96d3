"""The demo shows every screen with something on it, and its story could have happened."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, F, Max, Q

from crm import demo, outbox
from crm.clock import WorkCalendar, is_working_day
from crm.models import (
    Absence,
    Acquaintance,
    Advocate,
    Alternative,
    Appointment,
    Attempt,
    BookingLink,
    CaptureForm,
    Conversation,
    Deal,
    DealState,
    DoNotContact,
    Event,
    Finding,
    FollowUp,
    FormSubmission,
    HandOff,
    HandOffQuestion,
    HandOffState,
    HealthReading,
    Lead,
    LeadStatus,
    LostReason,
    MailMessage,
    MailTemplate,
    Merge,
    MessageState,
    Notice,
    Organisation,
    OutgoingMail,
    Override,
    Person,
    PossibleDuplicate,
    Promise,
    PromiseSide,
    PromiseState,
    ProspectingBlock,
    ProspectingItem,
    ReadyReason,
    Referral,
    ReferralState,
    Register,
    Role,
    Rule,
    SavedView,
    Scope,
    Stage,
    Touch,
    User,
)
from qualification import assessing

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
"""A Monday morning, half past nine in Mechelen."""
TODAY = AT.date()
MECHELEN = ZoneInfo("Europe/Brussels")


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Any:
    """The demo, loaded once for all tests here and taken away after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        demo.load(at=AT)
        yield
        transaction.set_rollback(True)


pytestmark = pytest.mark.usefixtures("told", "db")


def kinds(rows: Any, field: str) -> set[Any]:
    return set(rows.values_list(field, flat=True))


def test_every_state_has_somebody_in_it() -> None:
    assert kinds(Lead.objects, "status") == set(LeadStatus.values)
    assert kinds(Lead.objects.filter(status="declined"), "decline_reason") == {reason.value for reason in ReadyReason}
    assert kinds(Deal.objects, "state") == set(DealState.values)
    assert kinds(Deal.objects.open(), "stage") == kinds(Stage.objects, "pk")
    assert kinds(Deal.objects.filter(state="lost"), "lost_reason") == set(LostReason.values)
    assert kinds(Referral.objects, "state") == set(ReferralState.values)
    assert kinds(HandOff.objects, "state") == set(HandOffState.values)
    assert set(Promise.objects.values_list("side", "state")) == {
        (side, state) for side in PromiseSide.values for state in PromiseState.values
    }
    assert kinds(Person.objects, "tier") == {"A", "B", "C", ""}
    assert kinds(FollowUp.objects.due(AT), "rule") == {*Rule.values, ""}
    assert kinds(User.objects, "role") == set(Role.values)


def test_the_half_hours_of_a_year_are_there() -> None:
    blocks = ProspectingBlock.objects.filter(day__lt=TODAY)
    assert blocks.count() > 150
    assert blocks.exclude(corrected_minutes=None).exists()
    assert kinds(blocks, "user__name") == {"Joris De Smet", "Els Verbeek", "Noor Claes"}
    assert ProspectingItem.objects.filter(block__day__lt=TODAY, done_at__isnull=False).count() > 100
    today = ProspectingBlock.objects.filter(day=TODAY).get(user__name="Joris De Smet")
    assert today.items.count() >= 3
    assert len(kinds(today.items, "way")) >= 2
    assert sum(item.estimated_minutes for item in today.items.all()) <= 30


def test_what_colleagues_were_told_of_old_is_read() -> None:
    assert Notice.objects.exclude(read_at=None).exists()
    assert not Notice.objects.unread().filter(at__lt=AT - timedelta(days=4)).exists()
    assert Notice.objects.unread().exists()


def test_agendas_are_full_and_nobody_is_in_two_places() -> None:
    assert kinds(Appointment.objects, "state") == {"booked", "held", "no_show"}
    assert kinds(Appointment.objects, "kind") == {"phone", "video", "visit"}
    to_come = Appointment.objects.booked().filter(starts_at__gt=AT)
    assert kinds(to_come, "user__name") == {"Joris De Smet", "Els Verbeek"}
    assert BookingLink.objects.filter(appointments=None, revoked_at=None, expires_at__gt=AT).exists()
    assert Absence.objects.upcoming(TODAY).exists()


def test_doubts_and_strange_messages_wait_for_somebody() -> None:
    assert Lead.objects.exclude(open_question="").exists()
    assert Override.objects.exists()
    assert HandOffQuestion.objects.filter(answered_at=None).exists()
    assert kinds(FormSubmission.objects.to_review(), "because") == {"trap", "too_fast"}
    assert set(kinds(Lead.objects.exclude(evaluated_at=None), "would_decide_same")) == {True, False}
    assert Alternative.objects.count() == 3


def test_it_is_as_large_as_a_small_firm_is() -> None:
    assert 130 <= Lead.objects.count() <= 170
    assert 50 <= Deal.objects.count() <= 70
    assert len(kinds(Lead.objects, "origin")) >= 8
    assert kinds(CaptureForm.objects, "slug") == {"contact", "vraag"}
    assert kinds(CaptureForm.objects, "language") == {"en", "nl"}
    assert Organisation.objects.customers().count() >= 15
    assert Advocate.objects.count() >= 5
    months = Lead.objects.filter(received_at__lt=AT).dates("received_at", "month")
    assert len(months) >= 12


def test_nothing_lies_in_the_future() -> None:
    for rows, field in (
        (Event.objects, "at"),
        (Conversation.objects, "at"),
        (Touch.objects, "at"),
        (Lead.objects, "received_at"),
        (Deal.objects, "opened_at"),
        (Person.objects, "created_at"),
        (Organisation.objects, "created_at"),
        (HealthReading.objects, "taken_at"),
        (FollowUp.objects, "created_at"),
    ):
        assert rows.aggregate(latest=Max(field))["latest"] <= AT, (rows, field)


def test_people_work_in_working_hours() -> None:
    calendar = WorkCalendar("Europe/Brussels", "BE")
    for moment in Event.objects.filter(by__isnull=False).values_list("at", flat=True):
        local = moment.astimezone(MECHELEN)
        assert is_working_day(local.date(), calendar), local
        assert time(8, 55) <= local.time() <= time(17, 45), local


def test_what_is_written_agrees_with_itself() -> None:
    ours = Deal.objects.open().filter(external_id="")
    assert not ours.filter(Q(next_step="") | Q(next_step_on__isnull=True)).exists()
    latest = Person.objects.annotate(
        latest=Max("conversations__at", filter=Q(conversations__is_automatic=False))
    ).exclude(latest__isnull=True)
    assert not latest.exclude(last_contact_at=F("latest")).exists()
    assert not Person.objects.filter(conversations__isnull=True, last_contact_at__isnull=False).exists()
    assert not Lead.objects.filter(answered_at__lt=F("received_at")).exists()
    assert not Deal.objects.annotate(moves=Count("stage_changes")).filter(moves=0).exists()
    for lead in Lead.objects.filter(status__in=["qualified", "handed_off", "accepted"]).select_related("assessment"):
        assert lead.assessment is not None
        assert assessing.result(lead.assessment).both_yes or lead.verdict_why, lead
    assert not Lead.objects.exclude(
        pk__in=Event.objects.filter(kind="lead.received", at=F("lead__received_at")).values("lead")
    ).exists()


def test_the_people_of_the_story_are_there() -> None:
    sofie = Lead.objects.get(person__family_name="De Wit", organisation__name="Notelaar Interiors")
    assert sofie.status == "handed_off"
    assert Touch.objects.filter(person=sofie.person).values("content").distinct().count() == 9
    offered = HandOff.objects.waiting().get(lead=sofie)
    assert offered.to_user.email == "joris@kring.example"
    assert offered.answer_due_at.astimezone(MECHELEN).date() == TODAY
    late = Referral.objects.late(TODAY).get(referrer__family_name="Meulen")
    assert "sister" in late.whom
    karim = Deal.objects.open().get(person__family_name="Boulhani")
    assert karim.buyer_date is not None
    assert karim.buyer_date < TODAY
    assert karim.events.filter(kind="deal.changed", new__has_key="seller_date").count() == 3
    assert Deal.objects.won().filter(person__full_name="Ilse Maes").count() == 2
    linde = Lead.objects.get(organisation__name="Bakkerij De Linde")
    assert linde.last_contact_at is not None
    assert (AT - linde.last_contact_at).days > 390


def test_dutch_speakers_write_dutch() -> None:
    messages = Lead.objects.filter(channel="form")
    assert messages.filter(person__language="nl", message__iregex=r"\m(de|het|wij|we|met|en)\M").count() > 40
    assert not messages.filter(person__language="en", message__iregex=r"\m(wij|jullie|graag)\M").exists()


def test_health_has_a_history() -> None:
    taken = HealthReading.objects.order_by("taken_at").values_list("taken_at", flat=True).distinct()
    assert len(taken) > 25
    assert (AT - taken[0]).days > 150
    assert HealthReading.objects.filter(metric="open_deals").values("value").distinct().count() > 5
    assert Finding.objects.open().count() >= 3
    assert Finding.objects.filter(cleared_at__isnull=False).exists()


def test_mail_of_the_story_never_leaves() -> None:
    assert OutgoingMail.objects.count() > 100
    assert outbox.send_due(at=AT) == 0


def test_everybody_named_can_log_in() -> None:
    assert len(demo.LOGINS) == User.objects.count()
    for _role, email, password in demo.LOGINS:
        assert authenticate(None, username=email, password=password) or User.objects.get(email=email).check_password(
            password
        )


def test_a_second_time_changes_nothing() -> None:
    before = (Event.objects.count(), User.objects.count())
    said = StringIO()
    call_command("seed", stdout=said)
    assert "users in this database" in said.getvalue()
    assert (Event.objects.count(), User.objects.count()) == before


def test_a_wrong_moment_is_named() -> None:
    with pytest.raises(CommandError, match="tomorrow"):
        call_command("seed", at="tomorrow")


def test_the_record_holds_something_of_everything() -> None:
    assert PossibleDuplicate.objects.waiting().exists()
    (merge,) = Merge.objects.standing()
    assert merge.may_be_undone(AT)
    assert {wish.scope for wish in DoNotContact.objects.standing()} == {Scope.CALL, Scope.MAIL}
    assert Register.objects.get().is_old(AT)
    assert MailMessage.objects.filter(state=MessageState.TAKEN, conversation__isnull=False).count() == 3
    assert MailMessage.objects.get(is_automatic=True, away_until__gt=TODAY)
    assert Attempt.objects.unanswered().exists()
    assert Acquaintance.objects.count() == 2
    assert Person.objects.filter(not_before__gt=TODAY).exists()
    assert Person.objects.filter(basis_review_on__lt=TODAY).exists()
    assert MailTemplate.objects.count() == 2
    assert SavedView.objects.filter(is_shared=True).count() == 1


def test_each_view_that_somebody_keeps_shows_somebody(client: Any) -> None:
    client.force_login(User.objects.get(email="mieke@kring.example"))
    for view in SavedView.objects.all():
        assert b"data-row" in client.get(f"/people/?{view.query}").content, view
