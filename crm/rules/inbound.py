"""Rules about what comes in: the first answer, a lead that lies still, the hand-off, and what we need to know first."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.models import FollowUp, Rule, Team
from crm.rules.definition import (
    Badge,
    FollowUpRule,
    Number,
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
    about=gettext_lazy(
        "Somebody wrote to us and waits for a first answer. How long they may wait is set with each team: one working hour unless it says "
        "otherwise. Firms that answered within an hour spoke nearly seven times as often with somebody who decides as those that took an hour "
        "longer (Harvard Business Review, March 2011)."
    ),
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


# ---- Untouched -----------------------------------------------------------------------------------------------------


def _untouched(follow_up: FollowUp, at: datetime) -> str:
    since = read_day(follow_up.why["since"])
    assert since
    values = {"who": who(follow_up), "since": say_day(since, at)}
    if follow_up.why["is_nobodys"]:
        return (
            _("%(who)s belongs to nobody, and nobody has done anything for them since %(since)s. Give it to somebody.")
            % values
        )
    return _("Nobody has done anything for %(who)s since %(since)s. Take a step, or say that there is none.") % values


def _untouched_badge(follow_up: FollowUp, at: datetime) -> Badge:
    since = read_day(follow_up.why["since"])
    assert since
    days = days_between(since, at)
    return Badge(ngettext("still for %(count)d day", "still for %(count)d days", days) % {"count": days}, "waiting")


POOL_DAYS = Team._meta.get_field("untouched_days").default
"""Days after which a new lead of somebody without a team goes back to the pool."""

UNTOUCHED = FollowUpRule(
    # What somebody did with it counts, and so does a word of theirs; what Kring did by itself does not, but for giving it back to everybody. A new
    # lead with an SDR goes back to the pool first (crm.assignment.return_untouched), so it is asked about a day after that, and only when it
    # stayed. One of nobody is for who leads; from an old file, without a clock, nobody waits. One reason is enough: not while something else is to
    # be done for the lead (by a rule that is judged before), or agreed. Whoever says "done" to this rule did something.
    key=Rule.UNTOUCHED,
    about=gettext_lazy(
        "Nobody has done anything with a lead for a while, and nothing is agreed. New leads that nobody touched go back to the pool by themselves; "
        "after how many days is set with each team."
    ),
    causes="""
        SELECT 'lead' AS subject_kind, t.id AS subject_id, 'still since ' || t.day AS cause,
               t.owner_id, t.day + t.days AS due_on, NULL::timestamptz AS due_at, 6 AS rank,
               jsonb_build_object('since', t.day, 'is_nobodys', t.is_nobodys) AS why,
               t.person_id, t.organisation_id, t.id AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT l.id, l.person_id, l.organisation_id, l.owner_id IS NULL AS is_nobodys, o.id AS owner_id, o.today,
                       CASE WHEN l.status = 'new' AND l.owner_id IS NOT NULL
                            THEN greatest(n.days, coalesce(w.untouched_days, %(pool_days)s)) + 1 ELSE n.days END AS days,
                       (greatest(l.received_at, l.assigned_at, l.last_contact_at, done.at,
                                 (SELECT max(e.at) FROM crm_event e
                                   WHERE e.lead_id = l.id AND e.subject_kind <> 'follow_up'
                                     AND (e.by_id IS NOT NULL OR e.kind = 'lead.returned')))
                        AT TIME ZONE o.zone)::date AS day
                  FROM crm_lead l
                  JOIN owner o ON o.id = coalesce(l.owner_id, %(leading)s)
                  JOIN number n ON n.team = o.team
                  LEFT JOIN crm_team w ON w.id = o.team
                  LEFT JOIN (SELECT f.subject_id, max(f.closed_at) AS at FROM crm_followup f
                              WHERE f.rule = 'untouched' AND f.subject_kind = 'lead' AND f.outcome = 'done' GROUP BY f.subject_id) done
                         ON done.subject_id = l.id
                 WHERE l.status IN ('new', 'working', 'qualified')
                   AND (l.status <> 'new' OR l.owner_id IS NOT NULL OR l.answer_due_at IS NOT NULL)
                   AND greatest(l.received_at, l.assigned_at, l.last_contact_at) < %(at)s - make_interval(days => n.days - 1)
                   AND (l.open_question_on IS NULL OR l.open_question_on <= o.today)) t
         WHERE t.day + t.days <= t.today
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.state = 'booked' AND m.starts_at > %(at)s AND m.lead_id = t.id)
           AND NOT EXISTS (SELECT FROM crm_appointment m
                            WHERE m.state = 'booked' AND m.starts_at > %(at)s AND m.person_id = t.person_id)
           AND NOT EXISTS (SELECT FROM crm_promise p WHERE p.lead_id = t.id AND p.state = 'open' AND p.due_on > t.today)
           AND NOT EXISTS (SELECT FROM crm_followup f
                            WHERE f.lead_id = t.id AND f.closed_at IS NULL
                              AND f.rule IN ('', 'first_answer', 'our_promise', 'their_promise', 'open_question', 'appointment'))
    """,
    sentence=_untouched,
    badge=_untouched_badge,
    reads_widely=True,
    parameters={"pool_days": POOL_DAYS},
    numbers=(
        Number(
            "days",
            gettext_lazy("A lead lies still after"),
            7,
            gettext_lazy("days"),
            most=90,
            source=gettext_lazy("Our own choice: after a week without a word they think that we forgot them."),
        ),
    ),
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
    about=gettext_lazy(
        "A hand-off waits for an answer. How long it may wait is set with each team: four working hours unless it says otherwise, so that who "
        "said yes in the morning hears the same day. When they have passed, those who lead are told."
    ),
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
