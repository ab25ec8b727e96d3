"""What a line of Today offers to do: what its rule asks for, else a call or a mail by a way that is open. Values in, addresses out."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.models import FollowUp, Rule, SubjectKind


@dataclass(frozen=True)
class Act:
    """What a button says, and the page to which it leads."""

    words: str
    url: str


@dataclass(frozen=True)
class Closed:
    """Ways to somebody that are closed since they asked: by call, by mail."""

    call: bool = False
    mail: bool = False


def first_act(follow_up: FollowUp, closed: Closed) -> Act | None:
    """The first thing to do about it: what its rule asks for, else a call or a mail by a way that is open; None when there is none."""
    own = _own_act(follow_up)
    if own is not None:
        return own
    return _contact(follow_up, closed) or (
        Act(_("Look"), reverse("crm:deal", args=[follow_up.deal_id])) if follow_up.deal_id else None
    )


def _own_act(follow_up: FollowUp) -> Act | None:
    """What the rule asks for, where that is no call or mail to the person."""
    rule, person = follow_up.rule, follow_up.person_id
    if follow_up.hand_off_id:
        return Act(_("Accept"), reverse("crm:hand-off", args=[follow_up.hand_off_id]))
    if rule == Rule.APPOINTMENT and follow_up.why.get("state") == "held":
        return Act(_("Log it"), f"{reverse('crm:conversation-new')}?appointment={follow_up.subject_id}")
    if rule == Rule.APPOINTMENT:
        return Act(_("Say how"), reverse("crm:appointment", args=[follow_up.subject_id]))
    if rule == Rule.LAWFUL_BASIS and person:
        return Act(_("Review"), reverse("crm:person-edit", args=[person]))
    if rule == Rule.ASK_REFERRAL and person:
        about = f"deal={follow_up.deal_id}" if follow_up.deal_id else f"person={person}"
        return Act(pgettext("act", "Ask"), f"{reverse('crm:referral-ask')}?{about}")
    if rule == Rule.THANK_REFERRER and follow_up.subject_kind == SubjectKind.REFERRAL:
        return Act(_("Thank"), reverse("crm:referral", args=[follow_up.subject_id]))
    if rule == Rule.JOURNEY:
        about = f"person={person}" if person else f"organisation={follow_up.organisation_id}"
        return Act(_("Log it"), f"{reverse('crm:conversation-new')}?{about}&journey=1&follow_up={follow_up.pk}")
    if follow_up.lead_id and follow_up.subject_kind == SubjectKind.LEAD:
        asks: dict[str, str] = {Rule.FIRST_ANSWER: _("Answer"), Rule.OPEN_QUESTION: pgettext("act", "Ask")}
        return Act(asks.get(rule, _("Look")), reverse("crm:lead", args=[follow_up.lead_id]))
    return None


def _contact(follow_up: FollowUp, closed: Closed) -> Act | None:
    person = follow_up.person
    if person is None:
        return None
    about = f"deal={follow_up.deal_id}" if follow_up.deal_id else ""
    if follow_up.lead_id and not about:
        about = f"lead={follow_up.lead_id}"
    if person.phone_numbers.all() and not closed.call:
        call = reverse("crm:call", args=[person.pk])
        return Act(pgettext("act", "Call"), f"{call}?{about}" if about else call)
    if person.email_addresses.all() and not closed.mail:
        about = f"&{about}" if about else ""
        return Act(pgettext("act", "Write"), f"{reverse('crm:mail-new')}?person={person.pk}{about}")
    return None


def look(follow_up: FollowUp) -> Act | None:
    """Where somebody looks first before accepting."""
    if follow_up.rule == Rule.HAND_OFF and follow_up.lead_id:
        return Act(_("Look"), reverse("crm:lead", args=[follow_up.lead_id]))
    return None


def log(follow_up: FollowUp) -> str:
    """The form on which what was said is noted; it closes the follow-up when it is saved. Empty when it is about nobody."""
    for name in ("deal", "lead", "person", "organisation"):
        if pk := getattr(follow_up, f"{name}_id"):
            return f"{reverse('crm:conversation-new')}?{name}={pk}&follow_up={follow_up.pk}"
    return ""
