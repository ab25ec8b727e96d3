"""What the database refuses of our nouns, whoever asks: each constraint is attacked, and a new one without an attack fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeVar

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from crm import handoffs, overrides, verdicts
from crm.models import (
    Absence,
    Acquaintance,
    Appointment,
    Attempt,
    BusyTime,
    Deal,
    Digest,
    DoNotContact,
    EmailAddress,
    Finding,
    FollowUp,
    FormField,
    FormSubmission,
    FormText,
    Gate,
    HandOff,
    HandOffQuestion,
    HealthReading,
    HookDelivery,
    Lead,
    LeadTouch,
    Mailbox,
    MailExclusion,
    MailFolder,
    MailMessage,
    MailTemplate,
    Merge,
    MessagePlace,
    NoticeKind,
    NoticePreference,
    OutgoingMail,
    Override,
    PacingPolicy,
    PastAssessment,
    Person,
    PhoneNumber,
    Position,
    PossibleDuplicate,
    Promise,
    ProspectingItem,
    Referral,
    Register,
    RegisterEntry,
    Role,
    RuleRun,
    RuleSetting,
    SavedView,
    Touch,
    User,
)
from crm.pipelines import first_stage
from tests import make

pytestmark = pytest.mark.django_db
M = TypeVar("M", bound=models.Model)


def spoil(row: models.Model, **changes: Any) -> None:
    """Change a sound row behind the verbs' backs."""
    type(row)._default_manager.filter(pk=row.pk).update(**changes)


def again(row: M, **changes: Any) -> None:
    """The same row once more."""
    row.pk = None
    row._state.adding = True
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def position() -> Position:
    return Position.objects.create(person=make.person(), organisation=make.organisation())


def hand_off() -> HandOff:
    return make.hand_off(make.user(), make.user(role=Role.ACCOUNT_MANAGER))


def question() -> HandOffQuestion:
    offered = hand_off()
    return handoffs.ask(hand_off=offered, question="How many are they?", by=offered.to_user, at=make.AT)


def deal() -> Deal:
    offered = hand_off()
    return handoffs.accept(
        hand_off=offered, next_step="Call", next_step_on=make.AT.date(), by=offered.to_user, at=make.AT
    )


def referral() -> Referral:
    giver = make.person()
    return Referral.objects.create(referrer=giver, owner=make.user(), asked_at=make.AT)


def promise() -> Promise:
    return make.promise(make.person(), by=make.user(), due_on=date(2026, 12, 1))


def follow_up(**fields: Any) -> FollowUp:
    given: dict[str, Any] = {
        "rule": "first_answer",
        "subject_kind": "lead",
        "subject_id": 1,
        "owner": make.user(),
        "due_at": make.AT,
        "show_at": make.AT,
        "created_at": make.AT,
    }
    return FollowUp.objects.create(**given | fields)


def a_thing() -> ProspectingItem:
    return make.half_hour(make.user(), make.person()).items.get()


def take_over_from_oneself(follow_up: FollowUp) -> None:
    spoil(follow_up, on_behalf_of=follow_up.owner)


def rule_setting() -> RuleSetting:
    """Of everybody: without a team, too, there is one for each rule."""
    return RuleSetting.objects.create(rule="next_step", numbers={})


def rule_run() -> RuleRun:
    return RuleRun.objects.create(rule="next_step", ran_at=make.AT)


def finding() -> Finding:
    return Finding.objects.create(kind="stale", subject_kind="deal", subject_id=1, since=make.AT)


def digest() -> Digest:
    return Digest.objects.create(user=make.user(), day=make.AT.date(), claimed_at=make.AT)


def reading() -> HealthReading:
    return HealthReading.objects.create(metric="open_deals", value=1, taken_at=make.AT)


def touch() -> Touch:
    return Touch.objects.create(person=make.person(), content=make.content(), at=make.AT)


def form_text() -> FormText:
    return FormText.objects.get(form=make.form("ask"))


def form_field() -> FormField:
    return FormField.objects.get(form=make.form("ask"), kind="phone")


def submission(**fields: Any) -> FormSubmission:
    return make.submission(make.form("ask"), **fields)


def lead() -> Lead:
    return make.lead()


def lead_touch() -> LeadTouch:
    return LeadTouch.objects.create(lead=lead(), which=LeadTouch.Which.FIRST, at=make.AT)


def delivery() -> HookDelivery:
    return HookDelivery.objects.create(hook=make.hook(), key="msg_1", digest="d", received_at=make.AT)


def override() -> Override:
    return overrides.record(gate=Gate.VISIT, why="Next door", by=make.user(), at=make.AT, lead=lead())


def past_assessment() -> PastAssessment:
    by = make.user()
    return verdicts.judge_anew(lead=make.qualified_lead(by), by=by, at=make.AT).past_assessments.get()


def acquaintance() -> Acquaintance:
    return Acquaintance.objects.create(person=make.person(), other=make.person(), at=make.AT)


def attempt() -> Attempt:
    return Attempt.objects.create(person=make.person(), by=make.user(), at=make.AT)


def wish(**fields: Any) -> DoNotContact:
    given: dict[str, Any] = {"scope": "contact", "reason": "Enough", "source": "by phone", "since": make.AT.date()}
    return DoNotContact.objects.create(**given | {"made_at": make.AT, "address": "ann@a.example"} | fields)


def entry() -> RegisterEntry:
    register = Register.objects.create(name="Do not call me", loaded_at=make.AT)
    return RegisterEntry.objects.create(register=register, value="+3215123456")


def mailbox() -> Mailbox:
    return Mailbox.objects.create(
        address="info@kring.example", username="info", imap_host="a.example", reads_since=make.AT, created_at=make.AT
    )


def busy_time() -> BusyTime:
    calendar = make.calendar(make.user(), busy=(make.AT, make.AT + timedelta(hours=1)))
    return calendar.busy_times.get()


def folder() -> MailFolder:
    return MailFolder.objects.create(mailbox=mailbox(), name="INBOX", uid_validity=1)


def message() -> MailMessage:
    return MailMessage.objects.create(key="<1@a.example>", state="taken", taken_at=make.AT)


def place() -> MessagePlace:
    return MessagePlace.objects.create(message=message(), folder=folder(), uid_validity=1, uid=7)


def exclusion() -> MailExclusion:
    return MailExclusion.objects.create(pattern="home.example", created_at=make.AT)


def template() -> MailTemplate:
    return MailTemplate.objects.create(name="Thanks", subject_en="Thank you", body_en="Dear you")


def pair() -> PossibleDuplicate:
    return PossibleDuplicate.objects.create(
        kind="person", first_id=1, second_id=2, reasons=["email"], likeness=1, found_at=make.AT
    )


def merge() -> Merge:
    return Merge.objects.create(kind="person", gone_id=1, kept_id=2, gone_name="Ann", gone={}, at=make.AT)


def outgoing_mail() -> OutgoingMail:
    return OutgoingMail.objects.create(
        to="ann@a.example", subject="Hello", body="Hello", message_id="<1@kring>", created_at=make.AT, try_at=make.AT
    )


def view() -> SavedView:
    return SavedView.objects.create(screen="people", name="Mine", owner=make.user(), created_at=make.AT)


def know_oneself(known: Acquaintance) -> None:
    spoil(known, other=known.person)


def introduce_oneself(person: Person) -> None:
    spoil(person, introduced_by=person)


def refer_oneself(asked: Referral) -> None:
    spoil(asked, introduced=asked.referrer)


def import_twice(imported: Deal) -> None:
    spoil(imported, external_id="7")
    again(imported, external_id="7", lead=None)


def stand_in_for_oneself(away: Absence) -> None:
    spoil(away, stand_in=away.user)


LATER = make.AT + timedelta(days=1)


def in_use_of_one_link() -> None:
    """Two appointments by one link, at times of their own."""
    link = make.booking_link(make.user())
    for hours in (30, 50):
        row = make.appointment(link.user, person=link.person, starts_at=make.AT + timedelta(hours=hours))
        Appointment.objects.filter(pk=row.pk).update(link=link)


def preference() -> NoticePreference:
    return NoticePreference.objects.create(user=make.user(), kind=NoticeKind.MENTION)


ATTACKS: dict[str, Callable[[], object]] = {
    "appointment_one_at_a_time": lambda: again(make.appointment(make.user()), uid="another@kring.example"),
    "appointment_ends_after_start": lambda: spoil(make.appointment(make.user()), ends_at=make.AT),
    "appointment_blocks_itself": lambda: spoil(
        make.appointment(make.user()), blocked_until=make.AT + timedelta(days=2, minutes=5)
    ),
    "appointment_kind_known": lambda: spoil(make.appointment(make.user()), kind="post"),
    "appointment_state_known": lambda: spoil(make.appointment(make.user()), state="dream"),
    "appointment_answer_known": lambda: spoil(make.appointment(make.user()), answer="shrug"),
    "appointment_one_per_link": in_use_of_one_link,
    "booking_link_kind_known": lambda: spoil(make.booking_link(make.user()), kind="pray"),
    "booking_link_length": lambda: spoil(make.booking_link(make.user()), minutes=4),
    "booking_link_expires_later": lambda: spoil(make.booking_link(make.user()), expires_at=make.AT),
    "organisation_domain_once": lambda: again(make.organisation(domain="a.example")),
    "organisation_domain_lower": lambda: spoil(make.organisation(domain="a.example"), domain="A.example"),
    "organisation_external_id_once": lambda: again(make.organisation(external_id="7")),
    "user_email_lower": lambda: spoil(make.user(), email="Ann@kring.example"),
    "user_external_id_once": lambda: again(make.user(external_id="7"), email="other@kring.example"),
    "user_active_has_email": lambda: spoil(make.user(), email=None),
    "user_role_known": lambda: spoil(make.user(), role="boss"),
    "user_day_ends_after_start": lambda: spoil(make.user(), work_start="18:00"),
    "user_agenda_possible": lambda: spoil(make.user(), most_appointments=0),
    "user_follow_ups_possible": lambda: spoil(make.user(), most_follow_ups=0),
    "team_day_ends_after_start": lambda: spoil(make.team(), work_start="18:00"),
    "team_clocks_positive": lambda: spoil(make.team(), untouched_days=0),
    "prospecting_plan_minutes": lambda: spoil(make.prospecting_plan(make.user()), minutes=4),
    "prospecting_block_once_a_day": lambda: again(make.half_hour(make.user())),
    "prospecting_block_running_began": lambda: spoil(make.half_hour(make.user()), is_running=True),
    "prospecting_block_correction_dated": lambda: spoil(make.half_hour(make.user()), corrected_minutes=20),
    "prospecting_item_way_known": lambda: spoil(a_thing(), way="wait"),
    "prospecting_item_one_end": lambda: spoil(a_thing(), done_at=make.AT, left_out_at=make.AT),
    "digest_once_a_day": lambda: again(digest()),
    "notice_key_once": lambda: again(make.notice(make.user(), key="promise-1")),
    "notice_kind_known": lambda: spoil(make.notice(make.user()), kind="song"),
    "notice_leads_into_kring": lambda: spoil(make.notice(make.user()), path="https://elsewhere.example/"),
    "notice_preference_once": lambda: again(preference()),
    "notice_preference_kind_known": lambda: spoil(preference(), kind="song"),
    "absence_ends_after_start": lambda: spoil(make.absence(make.user()), ends_on="2020-01-01"),
    "absence_stand_in_is_another": lambda: stand_in_for_oneself(make.absence(make.user())),
    "assignment_rule_team_or_user": lambda: spoil(
        make.assignment_rule(make.user(), by=make.user(role=Role.ADMIN)), user=None
    ),
    "person_has_a_name": lambda: spoil(make.person(), given_name="", family_name=""),
    "person_external_id_once": lambda: again(make.person(external_id="7")),
    "person_not_introduced_by_self": lambda: introduce_oneself(make.person()),
    "position_current_once": lambda: again(position()),
    "position_ends_after_start": lambda: spoil(position(), started_on="2026-02-01", ended_on="2026-01-01"),
    "email_address_once_per_person": lambda: again(EmailAddress.objects.get(person=make.person())),
    "email_address_lower": lambda: spoil(EmailAddress.objects.get(person=make.person()), address="A@b.example"),
    "phone_number_once_per_person": lambda: again(PhoneNumber.objects.get(person=make.person(phone="+3215123456"))),
    "phone_number_e164": lambda: spoil(PhoneNumber.objects.get(person=make.person(phone="+3215123456")), number="015"),
    "content_kind_known": lambda: spoil(make.content(), kind="poem"),
    "content_external_id_once": lambda: again(make.content(external_id="7")),
    "touch_once": lambda: again(touch()),
    "lead_touch_once": lambda: again(lead_touch()),
    "lead_touch_which_known": lambda: spoil(lead_touch(), which="mid"),
    "received_message_once": lambda: again(lead().received_messages.get(), is_first=False),
    "received_message_one_first": lambda: again(lead().received_messages.get(), external_id="another"),
    "received_message_has_id": lambda: spoil(lead().received_messages.get(), external_id=""),
    "hook_owner_rule_known": lambda: spoil(make.hook(), owner_rule="boss"),
    "hook_delivery_once": lambda: again(delivery()),
    "lead_message_once": lambda: again(lead()),
    "lead_status_known": lambda: spoil(lead(), status="lost"),
    "lead_verdict_known": lambda: spoil(lead(), verdict="maybe", verdict_at=make.AT),
    "lead_declined_has_reason": lambda: spoil(lead(), verdict="declined", verdict_at=make.AT),
    "lead_nurture_has_date": lambda: spoil(lead(), verdict="nurture", verdict_at=make.AT),
    "lead_verdict_dated": lambda: spoil(lead(), verdict="qualified"),
    "lead_handed_off_is_qualified": lambda: spoil(lead(), status="handed_off"),
    "lead_declined_by_verdict": lambda: spoil(lead(), status="declined"),
    "lead_open_question_dated": lambda: spoil(lead(), open_question="Who signs?"),
    "lead_evaluation_says_what": lambda: spoil(lead(), would_decide_same=True),
    "decline_reason_says_what": lambda: spoil(make.decline_reason(by=make.user()), label_nl=""),
    "alternative_name_once": lambda: again(make.alternative(by=make.user())),
    "alternative_kind_known": lambda: spoil(make.alternative(by=make.user()), kind="gift"),
    "override_has_why": lambda: spoil(override(), why=""),
    "override_gate_known": lambda: spoil(override(), gate="door"),
    "override_about_something": lambda: spoil(override(), lead=None),
    "past_assessment_verdict_known": lambda: spoil(past_assessment(), verdict="maybe"),
    "past_assessment_score_percent": lambda: spoil(past_assessment(), score_ours=101),
    "hand_off_one_waiting_per_lead": lambda: again(hand_off()),
    "hand_off_one_accepted_per_lead": lambda: again(deal().lead.hand_offs.get()),  # type: ignore[union-attr]
    "hand_off_answer_dated": lambda: spoil(hand_off(), answered_at=make.AT),
    "hand_off_rejected_has_reason": lambda: spoil(hand_off(), state="rejected", answered_at=make.AT),
    "hand_off_reject_kind_known": lambda: spoil(hand_off(), reject_kind="mood"),
    "hand_off_one_open_question": lambda: again(question()),
    "hand_off_question_answer_dated": lambda: spoil(question(), answer="Twelve"),
    "hand_off_question_says_what": lambda: spoil(question(), question=""),
    "hand_off_state_known": lambda: spoil(hand_off(), state="late", answered_at=make.AT),
    "stage_name_once_per_pipeline": lambda: again(first_stage()),
    "stage_probability_below_certain": lambda: spoil(first_stage(), probability=100),
    "stage_usual_days_positive": lambda: spoil(first_stage(), usual_days=0),
    "stage_contact_days_positive": lambda: spoil(first_stage(), contact_days=0),
    "deal_external_id_once": lambda: import_twice(deal()),
    "deal_end_dated": lambda: spoil(deal(), won_at=make.AT),
    "deal_lost_has_reason": lambda: spoil(deal(), state="lost", lost_at=make.AT),
    "deal_open_has_next_step": lambda: spoil(deal(), next_step_on=None),
    "deal_probability_percent": lambda: spoil(deal(), seller_probability=101),
    "deal_buyer_amount_positive": lambda: spoil(deal(), buyer_amount=-1),
    "deal_seller_amount_positive": lambda: spoil(deal(), seller_amount=-1),
    "referral_not_of_self": lambda: refer_oneself(referral()),
    "referral_promise_dated": lambda: spoil(referral(), state="promised"),
    "referral_state_known": lambda: spoil(referral(), state="hoped"),
    "referral_introduced_whom": lambda: spoil(referral(), state="introduced"),
    "conversation_kind_known": lambda: spoil(make.conversation(make.person(), by=make.user()), kind="fax"),
    "conversation_direction_known": lambda: spoil(make.conversation(make.person(), by=make.user()), direction="up"),
    "promise_side_known": lambda: spoil(promise(), side="both"),
    "promise_resolution_dated": lambda: spoil(promise(), state="kept"),
    "follow_up_one_open_per_rule_and_subject": lambda: again(follow_up()),
    "follow_up_outcome_dated": lambda: spoil(follow_up(), outcome="cause_gone"),
    "follow_up_by_hand_says_what": lambda: spoil(follow_up(), rule=""),
    "follow_up_closed_by_somebody": lambda: spoil(follow_up(), outcome="done", closed_at=make.AT),
    "follow_up_shown_when_due": lambda: spoil(follow_up(), due_at=LATER),
    "follow_up_on_behalf_of_another": lambda: take_over_from_oneself(follow_up()),
    "rule_setting_once": lambda: again(rule_setting()),
    "rule_setting_rule_known": lambda: spoil(rule_setting(), rule="horoscope"),
    "rule_run_failure_says_what": lambda: spoil(rule_run(), failing_since=make.AT),
    "rule_run_rule_known": lambda: spoil(rule_run(), rule="horoscope"),
    "health_reading_once": lambda: again(reading()),
    "finding_one_open_per_subject": lambda: again(finding()),
    "acquaintance_once": lambda: again(acquaintance()),
    "acquaintance_not_of_self": lambda: know_oneself(acquaintance()),
    "attempt_outcome_known": lambda: spoil(attempt(), outcome="asleep"),
    "attempt_kind_known": lambda: spoil(attempt(), kind="fax"),
    "do_not_contact_scope_known": lambda: spoil(wish(), scope="wave"),
    "do_not_contact_of_one_thing": lambda: spoil(wish(), number="+3215123456"),
    "do_not_contact_address_lower": lambda: spoil(wish(), address="Ann@a.example"),
    "do_not_contact_lifted_with_why": lambda: spoil(wish(), lifted_at=make.AT),
    "do_not_contact_once": lambda: again(wish()),
    "register_scope_known": lambda: spoil(entry().register, scope="wave"),
    "register_entry_once": lambda: again(entry()),
    "pacing_policy_is_one": lambda: PacingPolicy.objects.create(pk=2),
    "pacing_policy_quiet_hours": lambda: PacingPolicy.objects.create(pk=1, quiet_from="08:00", quiet_until="08:00"),
    "mailbox_once_per_owner": lambda: again(mailbox()),
    "mailbox_address_lower": lambda: spoil(mailbox(), address="Info@kring.example"),
    "mailbox_makes_leads_is_shared": lambda: spoil(make.mailbox(make.user()), makes_leads=True),
    "mailbox_failure_dated": lambda: spoil(mailbox(), failure="The password is wrong"),
    "external_calendar_name_once": lambda: again(make.calendar(make.user())),
    "external_calendar_kind_known": lambda: spoil(make.calendar(make.user()), kind="paper"),
    "external_calendar_failure_dated": lambda: spoil(make.calendar(make.user()), failure="gone"),
    "busy_time_has_length": lambda: spoil(busy_time(), ends_at=make.AT),
    "mail_folder_once": lambda: again(folder()),
    "mail_message_state_known": lambda: spoil(message(), state="lost"),
    "mail_message_refused_with_reason": lambda: spoil(message(), state="refused"),
    "message_place_once": lambda: again(place()),
    "mail_exclusion_once": lambda: again(exclusion()),
    "mail_exclusion_lower": lambda: spoil(exclusion(), pattern="Home.example"),
    "mail_template_name_once": lambda: again(template()),
    "mail_template_in_a_language": lambda: spoil(template(), body_en=""),
    "possible_duplicate_once": lambda: again(pair()),
    "possible_duplicate_in_order": lambda: spoil(pair(), second_id=1),
    "possible_duplicate_kind_known": lambda: spoil(pair(), kind="deal"),
    "merge_gone_once": lambda: again(merge()),
    "merge_not_with_self": lambda: spoil(merge(), kept_id=1),
    "merge_kind_known": lambda: spoil(merge(), kind="deal"),
    "outgoing_mail_held_with_why": lambda: spoil(outgoing_mail(), held_at=make.AT),
    "outgoing_mail_message_id_once": lambda: again(outgoing_mail()),
    "saved_view_name_once_per_owner": lambda: again(view()),
    "saved_view_has_a_name": lambda: spoil(view(), name=""),
    "form_owner_rule_known": lambda: spoil(make.form("ask"), owner_rule="dice"),
    "form_text_once_per_language": lambda: again(form_text()),
    "form_text_has_title": lambda: spoil(form_text(), title=""),
    "form_field_once": lambda: again(form_field()),
    "form_field_kind_known": lambda: spoil(form_field(), kind="shoe size"),
    "form_field_question_named": lambda: spoil(form_field(), kind="question"),
    "submission_state_known": lambda: spoil(submission(), state="lost"),
    "submission_refused_because": lambda: spoil(submission(), state="refused"),
    "submission_waits_until": lambda: spoil(submission(), state="waiting"),
    "submission_consent_dated": lambda: spoil(submission(), consent="Yes."),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_the_database_refuses(name: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ATTACKS[name]()
    assert refused.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


def test_every_constraint_is_attacked() -> None:
    nouns = [model for model in apps.get_app_config("crm").get_models() if not model._meta.proxy]
    assert {constraint.name for model in nouns for constraint in model._meta.constraints} == set(ATTACKS)


def test_an_inactive_seller_needs_no_address() -> None:
    assert User.objects.create(name="Seller 7", external_id="7", is_active=False).email is None
