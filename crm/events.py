"""Remember what happened. Every verb writes one event for each business fact; timeline and audit are these rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from crm.models import (
    Absence,
    Alternative,
    Appointment,
    AssignmentRule,
    Attempt,
    BookingLink,
    BulkAct,
    CaptureForm,
    Content,
    Conversation,
    Deal,
    DeclineReason,
    DoNotContact,
    Event,
    EventKind,
    ExternalCalendar,
    FollowUp,
    FormSubmission,
    HandOff,
    ImportRun,
    InboundHook,
    Lead,
    Mailbox,
    Merge,
    Organisation,
    OutgoingMail,
    Override,
    PacingPolicy,
    Person,
    Promise,
    ProspectingBlock,
    Referral,
    Register,
    RuleSetting,
    SubjectKind,
    Team,
    User,
)
from qualification.models import Scorecard

SUBJECTS: dict[type[Model], SubjectKind] = {
    Lead: SubjectKind.LEAD,
    HandOff: SubjectKind.HAND_OFF,
    Deal: SubjectKind.DEAL,
    Promise: SubjectKind.PROMISE,
    Referral: SubjectKind.REFERRAL,
    Person: SubjectKind.PERSON,
    Organisation: SubjectKind.ORGANISATION,
    Conversation: SubjectKind.CONVERSATION,
    FollowUp: SubjectKind.FOLLOW_UP,
    ImportRun: SubjectKind.IMPORT,
    User: SubjectKind.USER,
    Attempt: SubjectKind.ATTEMPT,
    Merge: SubjectKind.MERGE,
    Mailbox: SubjectKind.MAILBOX,
    OutgoingMail: SubjectKind.MAIL,
    Register: SubjectKind.REGISTER,
    PacingPolicy: SubjectKind.PACING,
    DoNotContact: SubjectKind.DO_NOT_CONTACT,
    BulkAct: SubjectKind.BULK_ACT,
    Appointment: SubjectKind.APPOINTMENT,
    BookingLink: SubjectKind.BOOKING_LINK,
    CaptureForm: SubjectKind.FORM,
    FormSubmission: SubjectKind.SUBMISSION,
    Content: SubjectKind.CONTENT,
    InboundHook: SubjectKind.HOOK,
    AssignmentRule: SubjectKind.ASSIGNMENT,
    Team: SubjectKind.TEAM,
    Absence: SubjectKind.ABSENCE,
    Scorecard: SubjectKind.SCORECARD,
    DeclineReason: SubjectKind.REASON,
    Alternative: SubjectKind.ALTERNATIVE,
    ExternalCalendar: SubjectKind.CALENDAR,
    Override: SubjectKind.OVERRIDE,
    RuleSetting: SubjectKind.RULE,
    ProspectingBlock: SubjectKind.BLOCK,
}


def record(
    kind: EventKind,
    *,
    subject: Model,
    by: User | None,
    at: datetime,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    person: Person | None = None,
    organisation: Organisation | None = None,
    lead: Lead | None = None,
    deal: Deal | None = None,
) -> Event:
    """One event more. `by` is `None` when Kring itself acted; the named records show it on their timelines.

    A subject that is a person, organisation, lead or deal is shown on its own timeline without being named twice. What the named lead or deal
    is about (its person and organisation) is filled in when it is not named.
    """
    shown: dict[str, int | None] = {
        "person_id": person.pk if person else None,
        "organisation_id": organisation.pk if organisation else None,
        "lead_id": lead.pk if lead else None,
        "deal_id": deal.pk if deal else None,
    }
    columns: dict[type[Model], str] = {
        Person: "person_id",
        Organisation: "organisation_id",
        Lead: "lead_id",
        Deal: "deal_id",
    }
    noun = _noun(subject)
    own = columns.get(noun)
    if own:
        shown[own] = subject.pk
    about = (subject, lead, deal)
    for column in ("lead_id", "person_id", "organisation_id"):
        if shown[column] is None:
            shown[column] = next((value for thing in about if (value := getattr(thing, column, None))), None)
    return Event.objects.create(
        kind=kind,
        at=at,
        by=by,
        subject_kind=SUBJECTS[noun],
        subject_id=subject.pk,
        old=_plain(old),
        new=_plain(new),
        **shown,
    )


def record_many(
    kind: EventKind,
    *,
    noun: type[Person] | type[Organisation],
    values: Mapping[int, tuple[dict[str, Any] | None, dict[str, Any] | None]],
    by: User | None,
    at: datetime,
) -> None:
    """One event more for each of these people, or organisations, by their keys: its old and new values. One statement for each thousand."""
    subject = SUBJECTS[noun]
    rows = (
        Event(
            kind=kind,
            at=at,
            by=by,
            subject_kind=subject,
            subject_id=key,
            old=_plain(old),
            new=_plain(new),
            **{f"{subject}_id": key},
        )
        for key, (old, new) in values.items()
    )
    Event.objects.bulk_create(rows, batch_size=1000)


def subject_kind(subject: Model) -> SubjectKind:
    """Which noun this row is one of."""
    return SUBJECTS[_noun(subject)]


def _noun(subject: Model) -> type[Model]:
    noun = subject._meta.concrete_model  # And not its type: whoever is logged in comes wrapped.
    assert noun is not None
    return noun


def readable(value: Any) -> Any:
    """A value as an event shows it: a row by its name, anything else as it is."""
    return str(value) if isinstance(value, Model) else value


def _plain(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Dates, decimals and translated words as JSON keeps them."""
    return None if values is None else json.loads(json.dumps(values, cls=DjangoJSONEncoder))
