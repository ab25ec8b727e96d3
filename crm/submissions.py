"""What visitors send by a form is kept as they sent it, becomes a lead, and is never silently dropped.

What looks like a machine is kept for somebody to look at, and answered like any other: a machine learns nothing. A form that asks to confirm makes
a lead only when the link in a mail to the address was pressed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm import capture, events, locks, outbox
from crm.channels import reading_along
from crm.channels.web_form import Submission
from crm.models import (
    CaptureForm,
    Channel,
    EventKind,
    FormSubmission,
    Lead,
    OwnerRule,
    RefusedBecause,
    SubmissionState,
    User,
)
from crm.models.forms import CONFIRM_WITHIN
from crm.refusal import Refused

SIGNED_FOR = "crm.submissions"
MOST_WAITING = 3
"""Mails to confirm that wait at one address. More of them is somebody who types the address of another."""
SAID = ("name", "email", "phone", "organisation", "job", "postcode", "country", "message")
SUBJECT = {"en": "Please confirm your message to {organisation}", "nl": "Bevestig uw bericht aan {organisation}"}
TEXT = {
    "en": """Good day,

You wrote to us, or somebody did in your name. Press the button on this page, and we read your message and answer you:
{link}

The link works for 48 hours. Was it not you? Then do nothing, and you hear no more of it.

Kind regards,
{organisation}""",
    "nl": """Goeiedag,

U schreef ons, of iemand deed dat in uw naam. Druk op de knop op deze pagina, en wij lezen uw bericht en antwoorden u:
{link}

De link werkt 48 uur. Was u het niet? Doe dan niets, en u hoort er niets meer van.

Met vriendelijke groet,
{organisation}""",
}


class Expired(Refused):
    """The link came too late."""


@dataclass(frozen=True)
class Outcome:
    """What became of it: its row, and whether this made a change."""

    submission: FormSubmission
    is_new: bool


# ---- A visitor sends -----------------------------------------------------------------------------------------------


@transaction.atomic
def submit(
    *,
    form: CaptureForm,
    sent: Submission,
    language: str,
    at: datetime,
    refused: RefusedBecause | None = None,
    site: str = "",
) -> Outcome:
    """What they sent is kept as they sent it, with the words that they agreed to, and is a lead; or waits for their confirmation; or, when it is a
    trap, too fast, too large, or what the door says in `refused`, stands to be looked at.

    The same message again changes nothing, but one that was refused and is in order now is taken. Refuses what `capture.receive` refuses; then
    nothing is stored.
    """
    locks.hold("submission", sent.message_id)
    known = FormSubmission.objects.filter(message_id=sent.message_id).first()
    because = refused or _suspicion(form, sent, at)
    if known is not None and (known.state != SubmissionState.REFUSED or because):
        return Outcome(known, is_new=False)
    if because is None and form.is_double_opt_in and _is_pestered(form, sent, at):
        because = RefusedBecause.TOO_MANY
    submission = known or FormSubmission(form=form, message_id=sent.message_id)
    submission.language = language
    submission.values = _values(sent, site)
    submission.reading = reading_along.read(sent.reading).as_of(at).plain()
    submission.consent, submission.consented_at = sent.consent, at if sent.consent else None
    submission.received_at = at
    submission.because = because or ""
    if because:
        submission.state = SubmissionState.REFUSED
        submission.save()
        events.record(EventKind.SUBMISSION_REFUSED, subject=submission, by=None, at=at, new={"because": because})
        return Outcome(submission, is_new=True)
    if form.is_double_opt_in:
        submission.state, submission.confirm_by = SubmissionState.WAITING, at + CONFIRM_WITHIN
        submission.save()
        _ask_to_confirm(submission, at)
    else:
        _take(submission, at)
        submission.save()
    _settle_page(submission, sent, at)
    return Outcome(submission, is_new=True)


def _suspicion(form: CaptureForm, sent: Submission, at: datetime) -> RefusedBecause | None:
    if sent.is_trap:
        return RefusedBecause.TRAP
    if sent.opened_at is not None and at - sent.opened_at < timedelta(seconds=form.least_seconds):
        return RefusedBecause.TOO_FAST
    return RefusedBecause.TOO_LARGE if sent.is_large else None


def _is_pestered(form: CaptureForm, sent: Submission, at: datetime) -> bool:
    locks.hold("confirmations", sent.email.lower())
    waiting = FormSubmission.objects.filter(
        state=SubmissionState.WAITING, confirm_by__gt=at, values__email__iexact=sent.email
    )
    return waiting.count() >= MOST_WAITING


def _settle_page(submission: FormSubmission, sent: Submission, at: datetime) -> None:
    """What was refused of the same page, since it was too long or came too often, has been sent anew and asks nobody's time."""
    if not sent.page_id:
        return
    earlier = FormSubmission.objects.to_review().filter(
        form=submission.form,
        message_id__startswith=f"{submission.form.slug}:{sent.page_id}:",
        because__in=(RefusedBecause.TOO_LARGE, RefusedBecause.TOO_MANY),
    )
    earlier.update(state=SubmissionState.DROPPED, decided_at=at, lead=submission.lead)


def _values(sent: Submission, site: str) -> dict[str, object]:
    """What they sent, without what they left empty."""
    said: dict[str, object] = {name: value for name in SAID if (value := getattr(sent, name))}
    if sent.answers:
        said |= {"answers": dict(sent.answers), "questions": dict(sent.questions)}
    return said | ({"site": site[:253]} if site else {})


# ---- They confirm --------------------------------------------------------------------------------------------------


def link(submission: FormSubmission) -> str:
    """The address at which they confirm."""
    return f"{settings.SITE_URL}{reverse('crm:form-confirm', args=[token(submission)])}"


def token(submission: FormSubmission) -> str:
    """Its key, signed, so that nobody can confirm what they were not sent."""
    return _signer().sign(str(submission.pk))


def of_token(text: str) -> FormSubmission | None:
    """The submission that a link of ours names; `None` for one that we never made."""
    try:
        key = int(_signer().unsign(text))
    except (signing.BadSignature, ValueError):
        return None
    return FormSubmission.objects.select_related("form").filter(pk=key).first()


@transaction.atomic
def confirm(*, submission: FormSubmission, at: datetime) -> Outcome:
    """It is a lead. A second press changes nothing. Refuses with `Expired` when its 48 hours are over, and what `capture.receive` refuses."""
    submission = _held(submission)
    if submission.state == SubmissionState.TAKEN:
        return Outcome(submission, is_new=False)
    if submission.state != SubmissionState.WAITING or submission.confirm_by is None or submission.confirm_by <= at:
        raise Expired(_("This link worked for 48 hours, and they are over. Please write to us once more."))
    _take(submission, at)
    submission.confirmed_at = at
    submission.save()
    return Outcome(submission, is_new=True)


@transaction.atomic
def expire(*, at: datetime) -> int:
    """Whatever can be confirmed no more, is marked so; how many those are."""
    return FormSubmission.objects.overdue(at).update(state=SubmissionState.EXPIRED)


def _ask_to_confirm(submission: FormSubmission, at: datetime) -> None:
    # Nothing that they typed: whoever may write to anybody through us, must not choose the words.
    words = {"organisation": settings.ORGANISATION_NAME, "link": link(submission)}
    language = submission.language if submission.language in TEXT else "en"
    outbox.put(
        to=str(submission.values["email"]),
        subject=SUBJECT[language].format(**words),
        body=TEXT[language].format(**words),
        by=None,
        at=at,
    )


# ---- One of us decides ---------------------------------------------------------------------------------------------


@transaction.atomic
def take_refused(*, submission: FormSubmission, by: User, at: datetime) -> Lead:
    """It is a lead after all, as of now. Taking it twice is once. Refuses one that was dropped, and what `capture.receive` refuses."""
    submission = _held(submission)
    if submission.state == SubmissionState.TAKEN and submission.lead is not None:
        return submission.lead
    if submission.state != SubmissionState.REFUSED:
        raise Refused(_("Somebody dealt with this message meanwhile."))
    lead = _take(submission, at)
    submission.decided_by, submission.decided_at = by, at
    submission.save()
    events.record(
        EventKind.SUBMISSION_TAKEN, subject=submission, by=by, at=at, lead=lead, new={"because": submission.because}
    )
    return lead


@transaction.atomic
def drop(*, submission: FormSubmission, by: User, at: datetime) -> None:
    """Nobody need look at it again. Dropping it twice is once. Refuses one that was taken in."""
    submission = _held(submission)
    if submission.state == SubmissionState.DROPPED:
        return
    if submission.state != SubmissionState.REFUSED:
        raise Refused(_("Somebody dealt with this message meanwhile."))
    submission.state = SubmissionState.DROPPED
    submission.decided_by, submission.decided_at = by, at
    submission.save()
    events.record(EventKind.SUBMISSION_DROPPED, subject=submission, by=by, at=at, new={"because": submission.because})


def _held(submission: FormSubmission) -> FormSubmission:
    return locks.row(FormSubmission.objects.select_related("form", "lead"), submission.pk)


def _take(submission: FormSubmission, at: datetime) -> Lead:
    """Whoever lets it in vouches for nothing that a stranger wrote, so it is taken in by nobody."""
    submission.state = SubmissionState.TAKEN
    submission.lead = capture.receive(_arrival(submission), at=at).lead
    return submission.lead


def _arrival(submission: FormSubmission) -> capture.Arrival:
    form = submission.form
    said: dict[str, Any] = {name: str(submission.values.get(name, "")) for name in SAID}
    return capture.Arrival(
        channel=Channel.FORM,
        external_id=submission.message_id,
        origin=form.origin,
        language=submission.language,
        answers=submission.values.get("answers", {}),
        reading=reading_along.read(json.dumps(submission.reading)),
        content=form.content,
        form=form,
        owner_rule=OwnerRule(form.owner_rule),
        owner=form.owner,
        team=form.team,
        **said,
    )


def _signer() -> signing.Signer:
    return signing.Signer(salt=SIGNED_FOR, sep=".")
