"""What makes a follow-up: rules, each one statement over the data and one sentence that says why. Reads only.

Defaults that a rule counts with stand beside it with their source. `RULES` is in the order in which a refresh judges them: whether a lead lies still
depends on what else is to be done for it, and whether it is time to keep in touch on all that is open, so that one comes last.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import FollowUp, Rule
from crm.rules.agenda import APPOINTMENT
from crm.rules.circle import ASK_REFERRAL, TELL_REFERRER, THANK_REFERRER
from crm.rules.coming_back import COME_BACK, NURTURE
from crm.rules.customers import CHECK_IN, JOURNEY, RE_ORDER
from crm.rules.deals import BUYERS_DATE, NEXT_STEP, NO_NEXT_STEP, SILENCE
from crm.rules.definition import Badge, FollowUpRule, Number, days_between, say_day
from crm.rules.inbound import FIRST_ANSWER, HAND_OFF, OPEN_QUESTION, UNTOUCHED
from crm.rules.keep_in_touch import KEEP_IN_TOUCH
from crm.rules.promises import OUR_PROMISE, REFERRAL_PROMISE, THEIR_PROMISE
from crm.rules.records import LAWFUL_BASIS

__all__ = ["RULES", "Badge", "FollowUpRule", "Number", "badge", "sentence"]

RULES: dict[Rule, FollowUpRule] = {
    rule.key: rule
    for rule in (
        FIRST_ANSWER,
        HAND_OFF,
        OUR_PROMISE,
        THEIR_PROMISE,
        REFERRAL_PROMISE,
        NEXT_STEP,
        NO_NEXT_STEP,
        BUYERS_DATE,
        SILENCE,
        OPEN_QUESTION,
        APPOINTMENT,
        COME_BACK,
        NURTURE,
        UNTOUCHED,
        THANK_REFERRER,
        TELL_REFERRER,
        CHECK_IN,
        ASK_REFERRAL,
        RE_ORDER,
        JOURNEY,
        LAWFUL_BASIS,
        KEEP_IN_TOUCH,
    )
}


def sentence(follow_up: FollowUp, at: datetime) -> str:
    """Why it is there, in the language and time zone that are active. Reads person, organisation, deal and lead of the follow-up."""
    if follow_up.rule:
        return RULES[Rule(follow_up.rule)].sentence(follow_up, at)
    by = follow_up.why.get("by", "")
    made = say_day(timezone.localtime(follow_up.created_at).date(), at)
    if by and by != follow_up.owner.name:
        return _("%(by)s asked you for this on %(made)s.") % {"by": by, "made": made}
    return _("You wrote this down on %(made)s.") % {"made": made}


def badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    """The few words beside the name; `None` when there is nothing to add."""
    if follow_up.rule:
        return RULES[Rule(follow_up.rule)].badge(follow_up, at)
    day = timezone.localtime(follow_up.due_at).date()
    days = days_between(day, at)
    if days <= 0:
        return None
    from_words = _("since yesterday") if days == 1 else _("since %(day)s") % {"day": say_day(day, at)}
    return Badge(from_words, "waiting")
