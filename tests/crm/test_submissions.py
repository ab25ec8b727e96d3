"""Whatever visitors send is kept, once; what is in order becomes a lead, and what is not waits for somebody to look."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from crm import submissions
from crm.channels.web_form import Submission
from crm.models import (
    CaptureForm,
    Event,
    EventKind,
    FormSubmission,
    Lead,
    OutgoingMail,
    OwnerRule,
    PhoneNumber,
    RefusedBecause,
    SubmissionState,
    User,
)
from crm.refusal import Refused
from crm.tasks import expire_submissions
from crm.timeline.sentences import SENTENCES
from tests import make

pytestmark = pytest.mark.django_db
LATER = make.AT + timedelta(hours=3)


@pytest.fixture
def form(sdr: User) -> CaptureForm:
    return make.form("contact", owner=sdr, origin="website")


@pytest.fixture
def careful(sdr: User) -> CaptureForm:
    return make.form("careful", owner=sdr, is_double_opt_in=True)


def message(number: int = 1, **fields: Any) -> Submission:
    given: dict[str, Any] = {
        "message_id": f"contact:page{number}:words",
        "page_id": f"page{number}",
        "name": "Sofie De Wit",
        "email": "sofie@notelaar.example",
        "message": "Which dates?",
    }
    return Submission(**given | fields)


def submit(form: CaptureForm, sent: Submission | None = None, **how: Any) -> FormSubmission:
    given: dict[str, Any] = {"language": "en", "at": make.AT}
    return submissions.submit(form=form, sent=sent or message(), **given | how).submission


def refused(form: CaptureForm, number: int = 1, **fields: Any) -> FormSubmission:
    return submit(form, message(number, is_trap=True, **fields))


# ---- Sending -------------------------------------------------------------------------------------------------------


def test_a_message_is_kept_as_it_was_sent_and_is_a_lead(form: CaptureForm, sdr: User) -> None:
    kept = submit(form, message(organisation="Notelaar", consent="You may write to me."), language="nl")
    assert (kept.state, kept.language, kept.consent, kept.consented_at) == (
        "taken", "nl", "You may write to me.", make.AT
    )  # fmt: skip
    assert kept.values == {
        "name": "Sofie De Wit",
        "email": "sofie@notelaar.example",
        "organisation": "Notelaar",
        "message": "Which dates?",
    }
    assert kept.lead is not None
    assert (kept.lead.form, kept.lead.owner, kept.lead.origin) == (form, sdr, "website")
    assert kept.lead.person is not None
    assert kept.lead.person.language == "nl"


def test_the_same_message_is_kept_once(form: CaptureForm) -> None:
    first, second = submit(form), submit(form, at=LATER)
    assert first == second
    assert (FormSubmission.objects.count(), Lead.objects.count()) == (1, 1)


def test_what_the_verb_refuses_is_kept_nowhere(form: CaptureForm) -> None:
    with pytest.raises(Refused):
        submit(form, message(email="no address"))
    assert not FormSubmission.objects.exists()


@pytest.mark.parametrize(
    ("sent", "because"),
    [
        ({"is_trap": True}, "trap"),
        ({"opened_at": make.AT - timedelta(seconds=4)}, "too_fast"),
        ({"opened_at": make.AT + timedelta(hours=1)}, "too_fast"),
        ({"is_large": True}, "too_large"),
    ],
)
def test_what_looks_like_a_machine_is_kept_for_review(sent: dict[str, Any], because: str, sdr: User) -> None:
    form = make.form("slow", least_seconds=5, owner=sdr)
    kept = submit(form, message(**sent))
    assert (kept.state, kept.because, kept.lead) == ("refused", because, None)
    assert Event.objects.get(kind=EventKind.SUBMISSION_REFUSED).new == {"because": because}
    assert submit(form, message(**sent)) == kept
    assert Event.objects.filter(kind=EventKind.SUBMISSION_REFUSED).count() == 1
    assert not Lead.objects.exists()


def test_who_was_slow_enough_is_taken(sdr: User) -> None:
    form = make.form("slow", least_seconds=5, owner=sdr)
    assert submit(form, message(opened_at=make.AT - timedelta(seconds=5))).state == "taken"


def test_what_was_refused_for_its_haste_is_taken_when_it_is_sent_again(form: CaptureForm) -> None:
    kept = submit(form, refused=RefusedBecause.TOO_MANY)
    again = submit(form, at=LATER)
    assert (again.pk, again.state, again.because) == (kept.pk, "taken", "")


def test_what_somebody_dropped_stays_dropped(form: CaptureForm, manager: User) -> None:
    kept = submit(form, refused=RefusedBecause.TOO_MANY)
    submissions.drop(submission=kept, by=manager, at=make.AT)
    assert submit(form, at=LATER).state == "dropped"
    assert not Lead.objects.exists()


def test_what_was_read_before_comes_along(form: CaptureForm) -> None:
    make.content("Guide", url="https://site.example/guide")
    moment = int(make.AT.timestamp())
    reading = f'{{"h": "site.example", "p": {{"/guide": [{moment - 900}, {moment - 60}, 2]}}}}'
    kept = submit(form, message(reading=reading))
    assert kept.reading["p"] == {"site.example/guide": [moment - 900, moment - 60, 2]}
    assert kept.lead is not None
    assert kept.lead.person is not None
    assert {str(touch.content) for touch in kept.lead.person.touches.all()} == {"Guide"}
    assert submit(form, message(2, reading="{" * 8000)).reading == {}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one() -> None:
    form = make.form("contact")
    together = threading.Barrier(2)
    found: list[int] = []

    def send() -> None:
        try:
            together.wait(timeout=10)
            found.append(submit(form).pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 2
    assert Lead.objects.count() == 1


# ---- Confirming ----------------------------------------------------------------------------------------------------


def test_a_careful_form_waits_for_their_word(careful: CaptureForm) -> None:
    kept = submit(careful, message(consent="Yes."), language="nl")
    assert (kept.state, kept.confirm_by) == ("waiting", make.AT + timedelta(hours=48))
    mail = OutgoingMail.objects.get()
    assert mail.subject.startswith("Bevestig uw bericht")
    assert submissions.link(kept) in mail.body
    submit(careful, message(consent="Yes."), language="nl", at=LATER)
    assert OutgoingMail.objects.count() == 1
    submissions.confirm(submission=kept, at=LATER)
    kept.refresh_from_db()
    assert (kept.state, kept.confirmed_at, kept.consented_at) == ("taken", LATER, make.AT)
    assert kept.lead is not None
    assert kept.lead.received_at == LATER


def test_a_second_press_changes_nothing(careful: CaptureForm) -> None:
    kept = submit(careful)
    first = submissions.confirm(submission=kept, at=LATER)
    second = submissions.confirm(submission=kept, at=LATER + timedelta(days=9))
    assert (first.is_new, second.is_new) == (True, False)
    assert second.submission.confirmed_at == LATER
    assert Lead.objects.count() == 1


def test_a_link_is_valid_for_48_hours(careful: CaptureForm) -> None:
    kept = submit(careful)
    assert kept.confirm_by is not None
    with pytest.raises(submissions.Expired, match="once more"):
        submissions.confirm(submission=kept, at=kept.confirm_by)
    assert submissions.expire(at=kept.confirm_by - timedelta(seconds=1)) == 0
    assert submissions.expire(at=kept.confirm_by) == 1
    assert submissions.expire(at=kept.confirm_by) == 0
    kept.refresh_from_db()
    assert kept.state == SubmissionState.EXPIRED
    with pytest.raises(submissions.Expired):
        submissions.confirm(submission=kept, at=make.AT)
    assert not Lead.objects.exists()


def test_the_worker_lets_what_was_never_confirmed_expire(careful: CaptureForm) -> None:
    kept = submit(careful, at=make.AT - timedelta(days=900))
    expire_submissions()
    kept.refresh_from_db()
    assert kept.state == SubmissionState.EXPIRED


def test_a_refused_message_cannot_be_confirmed(careful: CaptureForm) -> None:
    kept = refused(careful)
    assert not OutgoingMail.objects.exists()
    with pytest.raises(submissions.Expired):
        submissions.confirm(submission=kept, at=LATER)


def test_nobody_floods_the_mailbox_of_another(careful: CaptureForm) -> None:
    kept = [submit(careful, message(number, message=f"Number {number}")) for number in range(5)]
    assert [one.state for one in kept] == ["waiting"] * 3 + ["refused"] * 2
    assert kept[-1].because == "too_many"
    assert OutgoingMail.objects.count() == 3


def test_only_we_can_make_a_link(careful: CaptureForm) -> None:
    kept = submit(careful)
    assert submissions.of_token(submissions.token(kept)) == kept
    for text in ("", str(kept.pk), f"{kept.pk}.x", submissions.token(kept)[:-1]):
        assert submissions.of_token(text) is None


# ---- Deciding ------------------------------------------------------------------------------------------------------


def test_a_refused_message_can_be_taken_in_once(form: CaptureForm, manager: User) -> None:
    kept = refused(form, phone="+3215123456")
    lead = submissions.take_refused(submission=kept, by=manager, at=LATER)
    assert submissions.take_refused(submission=kept, by=manager, at=LATER) == lead
    kept.refresh_from_db()
    assert (kept.state, kept.lead, kept.decided_by, kept.decided_at) == ("taken", lead, manager, LATER)
    assert lead.received_at == LATER, "the clock of the answer runs from now"
    event = Event.objects.get(kind=EventKind.SUBMISSION_TAKEN)
    assert (event.by, event.lead) == (manager, lead)
    assert SENTENCES[EventKind.SUBMISSION_TAKEN]({}, event.new or {}) == (
        "It waited since it looked like this: filled in a field that people do not see."
    )
    assert Lead.objects.count() == 1


def test_whoever_lets_it_in_vouches_for_no_number(form: CaptureForm, manager: User) -> None:
    person = make.person(email="sofie@notelaar.example")
    kept = refused(form, phone="+3215123456")
    submissions.take_refused(submission=kept, by=manager, at=LATER)
    number = PhoneNumber.objects.get(person=person)
    assert not number.is_confirmed


def test_a_refused_message_can_be_dropped_once(form: CaptureForm, manager: User) -> None:
    kept = refused(form)
    for _twice in range(2):
        submissions.drop(submission=kept, by=manager, at=LATER)
    kept.refresh_from_db()
    assert (kept.state, kept.decided_by) == ("dropped", manager)
    assert Event.objects.filter(kind=EventKind.SUBMISSION_DROPPED).count() == 1
    with pytest.raises(Refused, match="meanwhile"):
        submissions.take_refused(submission=kept, by=manager, at=LATER)


def test_what_was_taken_in_is_not_dropped(form: CaptureForm, manager: User) -> None:
    kept = submit(form)
    with pytest.raises(Refused, match="meanwhile"):
        submissions.drop(submission=kept, by=manager, at=LATER)


def test_the_owner_rule_of_the_form_is_passed_on() -> None:
    form = make.form("pool", owner_rule=OwnerRule.NOBODY)
    kept = submit(form)
    assert kept.lead is not None
    assert kept.lead.owner is None
