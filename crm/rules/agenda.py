"""Rule about appointments: one that is over asks its host how it went, and one that was held asks for what was said."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import FollowUp, Rule
from crm.rules.definition import Badge, FollowUpRule, Number, days_between, read_moment, say_moment, who


def _appointment(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    starts_at = read_moment(why["starts_at"])
    assert starts_at
    values = {"who": who(follow_up), "subject": why["subject"], "when": say_moment(starts_at, at)}
    if why["state"] == "held":
        return _("You met %(who)s (%(when)s, %(subject)s). What was said? A few words will do.") % values
    return _("You were to meet %(who)s (%(when)s, %(subject)s). How did it go?") % values


def _appointment_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    starts_at = read_moment(follow_up.why["starts_at"])
    assert starts_at
    words = _("to be logged") if follow_up.why["state"] == "held" else _("how did it go?")
    return Badge(words, "calm" if days_between(timezone.localtime(starts_at).date(), at) < 2 else "waiting")


APPOINTMENT = FollowUpRule(
    # What was said is worth most on the day itself (product.md, capability D: after an appointment). Its host is asked; a new time, a no-show or a
    # logged conversation ends it.
    key=Rule.APPOINTMENT,
    about=gettext_lazy("An appointment is over, and nobody said how it went or what was said."),
    causes="""
        SELECT 'appointment' AS subject_kind, a.id AS subject_id, a.state || ' ' || a.sequence AS cause,
               a.user_id AS owner_id, NULL::date AS due_on, a.ends_at AS due_at, 3 AS rank,
               jsonb_build_object('state', a.state, 'subject', a.subject, 'starts_at', a.starts_at) AS why,
               a.person_id, a.organisation_id, a.lead_id, a.deal_id, NULL::bigint AS hand_off_id
          FROM crm_appointment a
          JOIN owner o ON o.id = a.user_id
          JOIN number n ON n.team = o.team
         WHERE a.ends_at <= %(at)s AND a.ends_at > %(at)s - make_interval(days => n.asked_for)
           AND (a.state = 'booked' OR (a.state = 'held' AND a.conversation_id IS NULL))
    """,
    sentence=_appointment,
    badge=_appointment_badge,
    numbers=(
        Number(
            "asked_for",
            gettext_lazy("We ask for"),
            30,
            gettext_lazy("days"),
            source=gettext_lazy("After a month nobody remembers it well enough."),
        ),
    ),
)
