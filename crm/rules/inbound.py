"""Rules about what comes in: the first answer, the hand-off, and what we need to know first."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.models import FollowUp, Rule
from crm.rules.definition import (
    Badge,
    FollowUpRule,
    days_between,
    read_day,
    read_moment,
    say_day,
    say_moment,
    who,
)

# ---- First answer --------------------------------------------------------------------------------------------------


def _first_answer(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    received, due = read_moment(why["received"]), read_moment(why["due"])
    assert received
    assert due
    values = {
        "who": who(follow_up),
        "received": say_moment(received, at),
        "due": say_moment(due, at),
        "content": why["content"],
    }
    if due < at and why["content"]:
        return (
            _(
                "%(who)s came through “%(content)s” (%(received)s) and still waits for a first word from us; it was due at %(due)s."
            )
            % values
        )
    if due < at:
        return (
            _("%(who)s wrote to us (%(received)s) and still waits for a first word from us; it was due at %(due)s.")
            % values
        )
    if why["content"]:
        return (
            _(
                "%(who)s came through “%(content)s” (%(received)s) and waits for a first word from us, at the latest %(due)s."
            )
            % values
        )
    return _("%(who)s wrote to us (%(received)s) and waits for a first word from us, at the latest %(due)s.") % values


def clock_badge(before: str, after: str, due: datetime, at: datetime) -> Badge:
    """`before` with its %(moment)s until the moment has passed, then `after` with how %(late)s it is."""
    if due >= at:
        return Badge(before % {"moment": say_moment(due, at)}, "waiting")
    passed = at - due
    minutes, hours = max(1, passed.seconds // 60), passed.seconds // 3600
    # Days are those of the calendar, as every other screen counts them: late since Friday evening is two days late on Sunday morning.
    days = (timezone.localtime(at).date() - timezone.localtime(due).date()).days
    if days and passed >= timedelta(hours=1):
        late = ngettext("%(count)d day late", "%(count)d days late", days) % {"count": days}
    elif hours:
        late = ngettext("%(count)d hour late", "%(count)d hours late", hours) % {"count": hours}
    else:
        late = ngettext("%(count)d minute late", "%(count)d minutes late", minutes) % {"count": minutes}
    return Badge(after % {"late": late}, "late")


def _first_answer_badge(follow_up: FollowUp, at: datetime) -> Badge:
    due = read_moment(follow_up.why["due"])
    assert due
    return clock_badge(_("first answer by %(moment)s"), _("first answer, %(late)s"), due, at)


FIRST_ANSWER = FollowUpRule(
    # Somebody asked us something and a clock runs, so it comes before everything else and is shown from the moment it came in.
    key=Rule.FIRST_ANSWER,
    about=gettext_lazy("Somebody wrote to us and waits for a first answer. The clock is that of the team."),
    causes="""
        SELECT 'lead' AS subject_kind, l.id AS subject_id,
               to_char(l.answer_due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS cause,
               l.owner_id, NULL::date AS due_on, l.received_at AS due_at, 1 AS rank,
               jsonb_build_object('received', l.received_at, 'due', l.answer_due_at, 'content', coalesce(c.title, '')) AS why,
               l.person_id, l.organisation_id, l.id AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_lead l
          LEFT JOIN crm_content c ON c.id = l.content_id
         WHERE l.clock_due_at IS NOT NULL AND l.status IN ('new', 'working', 'qualified')
           AND l.owner_id IS NOT NULL AND l.received_at <= %(at)s
    """,
    sentence=_first_answer,
    badge=_first_answer_badge,
)


# ---- Hand-off ------------------------------------------------------------------------------------------------------


def _hand_off(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    due = read_moment(why["due"])
    assert due
    values = {"sdr": why["from"], "due": say_moment(due, at), "note": why["note"]}
    if why["note"]:
        return _("Qualified by %(sdr)s, both say yes: “%(note)s” Please answer by %(due)s.") % values
    return _("Qualified by %(sdr)s, both say yes. Please answer by %(due)s.") % values


def _hand_off_badge(follow_up: FollowUp, at: datetime) -> Badge:
    due = read_moment(follow_up.why["due"])
    assert due
    return clock_badge(_("hand-off, answer by %(moment)s"), _("hand-off, answer %(late)s"), due, at)


HAND_OFF = FollowUpRule(
    key=Rule.HAND_OFF,
    about=gettext_lazy("A hand-off waits for an answer. The clock is that of the team."),
    causes="""
        SELECT 'hand_off' AS subject_kind, h.id AS subject_id, 'submitted' AS cause,
               h.to_user_id AS owner_id, NULL::date AS due_on, h.submitted_at AS due_at, 3 AS rank,
               jsonb_build_object('from', u.name, 'note', left(h.note, 300), 'due', h.answer_due_at) AS why,
               l.person_id, l.organisation_id, l.id AS lead_id, NULL::bigint AS deal_id, h.id AS hand_off_id
          FROM crm_handoff h
          JOIN crm_lead l ON l.id = h.lead_id
          JOIN crm_user u ON u.id = h.from_user_id
         WHERE h.state = 'submitted' AND h.submitted_at <= %(at)s
           AND NOT EXISTS (SELECT FROM crm_handoffquestion q WHERE q.hand_off_id = h.id AND q.answered_at IS NULL)
    """,
    sentence=_hand_off,
    badge=_hand_off_badge,
)


# ---- Open question -------------------------------------------------------------------------------------------------


def _open_question(follow_up: FollowUp, at: datetime) -> str:
    values = {"who": who(follow_up), "question": follow_up.why["question"]}
    return _("Before we decide about %(who)s we need to know: “%(question)s”") % values


def _open_question_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    day = read_day(follow_up.why["day"])
    assert day
    return (
        None
        if days_between(day, at) < 1
        else Badge(_("to be asked since %(day)s") % {"day": say_day(day, at)}, "waiting")
    )


OPEN_QUESTION = FollowUpRule(
    # What a verdict waits for (crm.verdicts.ask_first). Another question, or another day, is another cause; without a question there is none.
    key=Rule.OPEN_QUESTION,
    about=gettext_lazy("The day has come to ask what we need to know before we decide."),
    causes="""
        SELECT 'lead' AS subject_kind, l.id AS subject_id, l.open_question_on || ' ' || md5(l.open_question) AS cause,
               l.owner_id, l.open_question_on AS due_on, NULL::timestamptz AS due_at, 4 AS rank,
               jsonb_build_object('question', l.open_question, 'day', l.open_question_on) AS why,
               l.person_id, l.organisation_id, l.id AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM crm_lead l
         WHERE l.status = 'working' AND l.open_question <> '' AND l.owner_id IS NOT NULL AND l.open_question_on <= %(latest_today)s
    """,
    sentence=_open_question,
    badge=_open_question_badge,
)
