"""Ask back before an answer. While a question is open the clock of the hand-off stands still: nobody is late for want of an answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm import clock, events, notices
from crm.handoffs import waiting
from crm.models import EventKind, HandOff, HandOffQuestion, HandOffState, NoticeKind, User
from crm.refusal import Refused

LEFT_AT_LEAST = timedelta(hours=1)
"""Working time that remains after the answer, also when the clock was nearly through: an answer wants to be read."""
MOST_LETTERS = 2000


@transaction.atomic
def ask(*, hand_off: HandOff, question: str, by: User, at: datetime) -> HandOffQuestion:
    """The SDR is asked, and told by mail; the clock stands still. Refuses an empty question, one more while one is open, and a hand-off that is
    answered: of an answer and a question at the same moment, the one that comes first counts."""
    question = _said(question, _("Write what you need to know."))
    hand_off = waiting.held(hand_off)
    waiting.must_wait(hand_off)
    if hand_off.questions.open().exists():
        raise Refused(_("A question is open already. Wait for the answer, or decide without it."))
    row = HandOffQuestion.objects.create(hand_off=hand_off, question=question, by=by, asked_at=at)
    lead = hand_off.lead
    events.record(EventKind.HAND_OFF_ASKED, subject=hand_off, by=by, at=at, lead=lead, new={"question": question})
    notices.tell(
        user=hand_off.from_user,
        kind=NoticeKind.HAND_OFF,
        values={"what": "asked", "lead": str(lead), "question": question},
        path=reverse("crm:hand-off", args=[hand_off.pk]),
        at=at,
        by=by,
        subject=lead,
    )
    return row


@transaction.atomic
def tell(*, question: HandOffQuestion, answer: str, by: User, at: datetime) -> HandOffQuestion:
    """The question is answered; whoever asked is told. The clock goes on where it stood, with an hour of work left at least. Refuses an empty answer,
    a question that is answered, and a hand-off that was decided without it."""
    answer = _said(answer, _("Write your answer."))
    hand_off = waiting.held(question.hand_off)
    question = HandOffQuestion.objects.select_related("by").get(pk=question.pk)
    if question.answered_at is not None:
        raise Refused(_("%(name)s has answered this question already.") % {"name": question.answered_by})
    if hand_off.state != HandOffState.SUBMITTED:
        raise Refused(_("This hand-off was decided meanwhile, so the question no longer waits."))
    question.answer, question.answered_by, question.answered_at = answer, by, at
    question.save(update_fields=["answer", "answered_by", "answered_at"])
    calendar = hand_off.to_user.calendar
    left = clock.working_time_between(question.asked_at, hand_off.answer_due_at, calendar)
    hand_off.answer_due_at = clock.add_working_time(at, max(left, LEFT_AT_LEAST), calendar)
    hand_off.save(update_fields=["answer_due_at"])
    lead = hand_off.lead
    events.record(
        EventKind.HAND_OFF_TOLD,
        subject=hand_off,
        by=by,
        at=at,
        lead=lead,
        new={"question": question.question, "answer": answer},
    )
    for user in {question.by, hand_off.to_user}:
        notices.tell(
            user=user,
            kind=NoticeKind.HAND_OFF,
            values={"what": "told", "lead": str(lead), "question": question.question, "answer": answer},
            path=reverse("crm:hand-off", args=[hand_off.pk]),
            at=at,
            by=by,
            subject=lead,
        )
    return question


def _said(words: str, otherwise: str) -> str:
    words = words.replace("\x00", "").strip()
    if not words:
        raise Refused(otherwise)
    if len(words) > MOST_LETTERS:
        raise Refused(_("Keep it to %(most)s letters.") % {"most": MOST_LETTERS})
    return words
