"""What an event says besides its name, as a sentence in the language of whoever reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator, capfirst
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from crm.models import (
    AttendeeAnswer,
    Channel,
    ContactPointKind,
    Conversation,
    ConversationKind,
    Deal,
    EventKind,
    Gate,
    GivenBecause,
    LostReason,
    Organisation,
    Person,
    ReferralState,
    RefusedBecause,
    RejectReason,
    Rule,
    Scope,
    Verdict,
    Way,
)
from crm.money import money
from crm.ready_reasons import label

Say = Callable[[dict[str, Any], dict[str, Any]], str]


def _day(value: Any) -> str:
    """An ISO date as the reader writes it; empty when there is none."""
    return date_format(date.fromisoformat(value[:10]), "j F Y") if value else ""


def _from_to(name: str) -> Say:
    def say(old: dict[str, Any], new: dict[str, Any]) -> str:
        if old.get(name):
            return _("From %(old)s to %(new)s.") % {"old": old[name], "new": new.get(name) or "—"}
        return str(new.get(name) or "")

    return say


def _choice(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value or "")


def _lead_received(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("Through %(content)s") % {"content": new["content"]} if new.get("content") else ""


def _submission_taken(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("It waited since it looked like this: %(why)s.") % {"why": _choice(RefusedBecause, new.get("because"))}


def _wrote_again(old: dict[str, Any], new: dict[str, Any]) -> str:
    way = _("By %(channel)s") % {"channel": _choice(Channel, new["channel"])} if new.get("channel") else ""
    return " · ".join(filter(None, (way, _lead_received(old, new))))


def _criterion(old: dict[str, Any], new: dict[str, Any]) -> str:
    value = str(new.get("value", new.get("reply", "")) or "")  # Before there were other kinds it was a reply.
    if new.get("kind", "yes_no") == "yes_no":
        value = {"yes": _("yes"), "no": _("no"), "partly": _("partly")}.get(value, "")
    question, reply = str(new.get("question", "")), value or _("not known yet")
    said = f"{question} {reply}" if question.endswith("?") else f"{question}: {reply}"
    return " · ".join(filter(None, (said, str(new.get("evidence") or ""))))


def _qualified(old: dict[str, Any], new: dict[str, Any]) -> str:
    scores = _("We: %(ours)s of 100. They: %(theirs)s of 100.") % {
        "ours": new.get("ours", "?"),
        "theirs": new.get("theirs", "?"),
    }
    return _against(scores, new)


def _against(said: str, new: dict[str, Any]) -> str:
    """With the reason for which it was decided against the advice."""
    return f"{said}\n{_('Against the advice: %(why)s') % {'why': new['why']}}" if new.get("why") else said


def _questioned(old: dict[str, Any], new: dict[str, Any]) -> str:
    if new.get("answer"):
        return f"{old.get('question', '')}\n“{new['answer']}”"
    return _("%(question)s (on %(day)s)") % {"question": new.get("question", ""), "day": _day(new.get("on"))}


def _reassessed(old: dict[str, Any], new: dict[str, Any]) -> str:
    before = _("Before: we %(ours)s of 100, they %(theirs)s of 100, %(verdict)s.") % {
        "ours": old.get("ours", "?"),
        "theirs": old.get("theirs", "?"),
        "verdict": _choice(Verdict, old.get("verdict")),
    }
    return f"{new.get('scorecard', '')} · {before}"


def _evaluated(old: dict[str, Any], new: dict[str, Any]) -> str:
    same = _("We would decide the same.") if new.get("same") else _("We would decide differently.")
    return " · ".join(filter(None, (same, str(new.get("line") or ""))))


def _distance(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("%(km)s km, one way") % {"km": new["km"]} if new.get("km") is not None else _("Not known any more")


def _given(old: dict[str, Any], new: dict[str, Any]) -> str:
    """From whom to whom, and why to them when Kring chose."""
    why = _choice(GivenBecause, new.get("why"))
    if new.get("stands_in_for"):
        why = _("stands in for %(name)s") % {"name": new["stands_in_for"]}
    return " · ".join(filter(None, (_from_to("owner")(old, new), why)))


def _returned(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("Nobody touched it while it was with %(name)s, since %(day)s.") % {
        "name": old.get("owner", "?"),
        "day": _day(old.get("assigned_at")),
    }


def _reason(new: dict[str, Any]) -> str:
    """Why we said no, as the list called it then."""
    code, language = str(new.get("reason") or ""), "nl" if (get_language() or "").startswith("nl") else "en"
    return str(new.get(f"reason_{language}") or label(code, language) or code)


def _declined(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = [_reason(new), str(new.get("note") or "")]
    if new.get("alternative"):
        said.append(_("We offered “%(name)s” instead.") % {"name": new["alternative"]})
    if new.get("come_back_on"):
        said.append(_("Comes back on %(day)s.") % {"day": _day(new["come_back_on"])})
    return _against(" · ".join(filter(None, said)), new)


def _listed(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What a reason or an alternative of the list is called, or was."""
    return str(new.get("label_en") or new.get("name") or old.get("label_en") or old.get("name") or "")


def _until(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(filter(None, (_("Until %(day)s") % {"day": _day(new.get("until"))}, str(new.get("note") or ""))))


def _hand_off(old: dict[str, Any], new: dict[str, Any]) -> str:
    if old.get("to"):
        return _from_to("to")(old, new)
    return " · ".join(filter(None, (_("To %(name)s") % {"name": new.get("to", "")}, str(new.get("note") or ""))))


def _rejected(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(filter(None, (_choice(RejectReason, new.get("kind")), str(new.get("reason") or ""))))


def _told(old: dict[str, Any], new: dict[str, Any]) -> str:
    return f"{new.get('question', '')} — {new.get('answer', '')}"


def _overridden(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(filter(None, (capfirst(_choice(Gate, new.get("gate"))), str(new.get("why") or ""))))


def _meeting(old: dict[str, Any], new: dict[str, Any]) -> str:
    starts_at = datetime.fromisoformat(new["starts_at"]) if new.get("starts_at") else None
    when = date_format(timezone.localtime(starts_at), _("j F Y, H:i")) if starts_at else ""
    who = _("with %(name)s") % {"name": new["with"]} if new.get("with") else ""
    return " · ".join(filter(None, (str(new.get("subject") or ""), when, who, str(new.get("why") or ""))))


def _invitation_answered(old: dict[str, Any], new: dict[str, Any]) -> str:
    return f"{new.get('who', '')}: {_choice(AttendeeAnswer, new.get('answer'))}"


def _booking_link(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = [str(new.get("subject") or ""), _("with %(name)s") % {"name": new.get("with", "")}]
    if new.get("until"):
        said.append(_("valid until %(day)s") % {"day": _day(new["until"])})
    return " · ".join(filter(None, (*said, str(new.get("why") or ""))))


def _step(old: dict[str, Any], new: dict[str, Any]) -> str:
    return f"{new.get('next_step', '')} · {_day(new.get('next_step_on'))}"


def _won(old: dict[str, Any], new: dict[str, Any]) -> str:
    return money(new["amount"], new.get("currency") or "EUR") if new.get("amount") is not None else ""


def _lost(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(filter(None, (_choice(LostReason, new.get("reason")), str(new.get("note") or ""))))


def _promised(old: dict[str, Any], new: dict[str, Any]) -> str:
    by = _("by %(day)s") % {"day": _day(new["due"])} if new.get("due") else ""
    return " · ".join(filter(None, (str(new.get("text") or new.get("whom") or ""), by)))


def _promise_moved(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("%(text)s: from %(old)s to %(new)s.") % {
        "text": new.get("text", ""),
        "old": _day(old.get("due")),
        "new": _day(new.get("due")),
    }


def _referral_moved(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _choice(ReferralState, new.get("state"))


def _follow_up(old: dict[str, Any], new: dict[str, Any]) -> str:
    what = str(new.get("note") or _choice(Rule, new.get("rule")))
    until = _("until %(day)s") % {"day": _day(new["until"])} if new.get("until") else ""
    return " · ".join(filter(None, (what, until, str(new.get("why") or ""))))


def _of_many(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What an act on many changed of this one: its owner, tags or tier."""
    said = {"owner": _("Owner"), "tags": _("Tags"), "tier": _("Tier")}
    changed = [
        _("%(what)s: from %(old)s to %(new)s.") % {"what": word, "old": old[name] or "—", "new": new[name] or "—"}
        for name, word in said.items()
        if name in old and name in new
    ]
    return " ".join([*changed, str(old.get("note") or "")]).strip()


def _word(name: str) -> Say:
    return lambda old, new: str(new.get(name) or "")


def _prospected(old: dict[str, Any], new: dict[str, Any]) -> str:
    """In which way, or that it was taken back."""
    said = new if new.get("way") else old
    way = " · ".join(filter(None, (capfirst(_choice(Way, said.get("way"))), str(said.get("content") or ""))))
    return _("Taken back: %(what)s") % {"what": way} if new.get("undone") else way


def _corrected(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("From %(old)s to %(new)s minutes.") % {"old": old.get("minutes", 0), "new": new.get("minutes", 0)}


LABELS = {
    "basis_since": gettext_noop("lawful basis since"),
    "basis_source": gettext_noop("lawful basis written in"),
    "basis_review_on": gettext_noop("lawful basis to be reviewed on"),
}
"""What a field is called where it stands alone, when its own name needs the others beside it."""


def _changes(model: type[Model], only_named: frozenset[str] = frozenset()) -> Say:
    """What changed, one field on each line: *tier: B to A*. Of the fields in `only_named` only the name is said, and not what they hold."""

    def say(old: dict[str, Any], new: dict[str, Any]) -> str:
        known = [field.name for field in model._meta.concrete_fields]
        names = sorted({*old, *new}, key=lambda name: (known.index(name) if name in known else len(known), name))
        return "\n".join(filter(None, (_change(model, name, old, new, only_named) for name in names)))

    return say


def _change(model: type[Model], name: str, old: dict[str, Any], new: dict[str, Any], only_named: frozenset[str]) -> str:
    if name in WORDS:
        return _point(name, old.get(name), new.get(name))
    field = next((field for field in model._meta.concrete_fields if name in (field.name, field.attname)), None)
    if field is None:
        return ""
    label = _(LABELS[name]) if name in LABELS else str(field.verbose_name)
    if name in only_named:
        return label
    before, after = _value(field, old.get(name)), _value(field, new.get(name))
    if before and after:
        return _("%(what)s: %(old)s to %(new)s") % {"what": label, "old": before, "new": after}
    if before:
        return _("%(what)s: no longer %(old)s") % {"what": label, "old": before}
    return _("%(what)s: %(new)s") % {"what": label, "new": after} if after else ""


def _value(field: Any, value: Any) -> str:
    """The value of a field as it is said: a choice by its label, a day as the reader writes it, a list with commas."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.name != "tier" and field.choices:
        value = dict(field.flatchoices).get(value, value)
    if isinstance(value, str) and field.get_internal_type() in ("DateField", "DateTimeField"):
        return _moment(value)
    return Truncator("" if value is None else str(value)).chars(160)


def _moment(value: str) -> str:
    """An ISO date or moment as the reader writes it; what is none stays as it is."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return date_format(timezone.localtime(found) if found.tzinfo else found, "j F Y")


WORDS: dict[str, tuple[str, str]] = {
    # what is said when it came, and when it went
    "email": (gettext_noop("Can be reached at %(what)s"), gettext_noop("Not reached any more at %(what)s")),
    "phone": (gettext_noop("Can be called at %(what)s"), gettext_noop("Not called any more at %(what)s")),
    "preferred_email": (gettext_noop("Reached first at %(what)s"), ""),
    "preferred_phone": (gettext_noop("Called first at %(what)s"), ""),
    "confirmed_email": (gettext_noop("Confirmed: %(what)s"), ""),
    "confirmed_phone": (gettext_noop("Confirmed: %(what)s"), ""),
    "working_email": (gettext_noop("Mail arrives again at %(what)s"), ""),
    "position": (gettext_noop("Works as %(what)s"), gettext_noop("Does not work any more as %(what)s")),
    "main_position": (gettext_noop("Known first as %(what)s"), ""),
    "wrong_position": ("", gettext_noop("Noted by mistake: %(what)s")),
    "not_the_same": (gettext_noop("Is not the same as %(what)s"), ""),
    "knows": (gettext_noop("Knows %(what)s"), gettext_noop("Is not noted any more to know %(what)s")),
}
"""How an address, a number, a job and an acquaintance came or went, which are no fields of the person."""


def _point(name: str, before: Any, after: Any) -> str:
    came, went = WORDS[name]
    if after and before and not went:
        return _(came) % {"what": _point_said(after)}
    if after and before:
        return _("%(old)s became %(new)s") % {"old": _point_said(before), "new": _point_said(after)}
    if after:
        return _(came) % {"what": _point_said(after)} if came else ""
    return _(went) % {"what": _point_said(before)} if before and went else ""


def _point_said(text: Any) -> str:
    """With the kind that stands behind it, and its days, in the reader's language."""
    said = re.sub(r"\((\w+)\)$", lambda kind: f"({_choice(ContactPointKind, kind[1])})", str(text))
    return re.sub(r"\d{4}-\d\d-\d\d", lambda day: _moment(day[0]), said)


def _removed(old: dict[str, Any], new: dict[str, Any]) -> str:
    kind = _choice(ConversationKind, old.get("kind"))
    return " · ".join(filter(None, (kind, _moment(old["at"]) if old.get("at") else "")))


def _conversation_changed(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What was said is only named; of one that is kept private that is all there is (`unsaid`)."""
    if "private_to" in new:
        return (
            _("Kept private by %(name)s.") % {"name": new["private_to"]}
            if new["private_to"]
            else _("Open to colleagues.")
        )
    said = [_changes(Conversation, TEXTS)(old, new)]
    if "people" in new:
        said.append(
            _("%(what)s: %(old)s to %(new)s")
            % {"what": _("with"), "old": ", ".join(old["people"]) or "—", "new": ", ".join(new["people"]) or "—"}
        )
    said += [str(Conversation._meta.get_field(name).verbose_name) for name in new.get("unsaid", [])]  # type: ignore[union-attr]
    return "\n".join(filter(None, said))


def _promise_changed(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = [_from_to("text")(old, new) if "text" in old else str(new.get("text") or "")]
    if "not_before" in old:
        day = _day(new.get("not_before"))
        said.append(_("Not before %(day)s.") % {"day": day} if day else _("May be brought up on any day."))
    return "\n".join(said)


def _barred(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = (_choice(Scope, new.get("scope")), *(str(new.get(name) or "") for name in ("thing", "reason", "source")))
    return " · ".join(filter(None, said))


def _bounced(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " · ".join(str(new[name]) for name in ("address", "why") if new.get(name))


TEXTS = frozenset({"summary", "learned", "quote", "subject"})
"""What a conversation says: its timeline entry shows that to whoever may read it, and an event says only that it was changed."""


def _merged(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("%(name)s is part of this one now.") % {"name": new.get("name", "")}


def _unmerged(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("%(name)s is somebody else again.") % {"name": new.get("name", "")}


def _organisation_unmerged(old: dict[str, Any], new: dict[str, Any]) -> str:
    return _("%(name)s is another organisation again.") % {"name": new.get("name", "")}


def _scorecard(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = {
        "begun": _("%(scorecard)s is begun."),
        "described": _("%(scorecard)s: its name, description or thresholds are others."),
        "question_added": _("%(scorecard)s: “%(question)s” is asked."),
        "question_changed": _("%(scorecard)s: “%(question)s” is changed."),
        "question_removed": _("%(scorecard)s: “%(question)s” is asked no more."),
        "arranged": _("%(scorecard)s: its questions stand in another order."),
        "published": _("%(scorecard)s is in use."),
        "retired": _("%(scorecard)s is out of use."),
        "discarded": _("%(scorecard)s is thrown away."),
    }.get(new.get("act", ""), "")
    return said % {"scorecard": new.get("scorecard", ""), "question": new.get("question", "")}


SENTENCES: dict[EventKind, Say] = {
    EventKind.SCORECARD_CHANGED: _scorecard,
    EventKind.PERSON_MERGED: _merged,
    EventKind.PERSON_UNMERGED: _unmerged,
    EventKind.ORGANISATION_MERGED: _merged,
    EventKind.ORGANISATION_UNMERGED: _organisation_unmerged,
    EventKind.LEAD_RECEIVED: _lead_received,
    EventKind.LEAD_WROTE_AGAIN: _wrote_again,
    EventKind.SUBMISSION_TAKEN: _submission_taken,
    **dict.fromkeys(
        (
            EventKind.APPOINTMENT_BOOKED,
            EventKind.APPOINTMENT_MOVED,
            EventKind.APPOINTMENT_CANCELLED,
            EventKind.APPOINTMENT_HELD,
            EventKind.APPOINTMENT_NO_SHOW,
        ),
        _meeting,
    ),
    EventKind.APPOINTMENT_ANSWERED: _invitation_answered,
    EventKind.BOOKING_OFFERED: _booking_link,
    EventKind.BOOKING_REVOKED: _booking_link,
    EventKind.LEAD_ASSIGNED: _given,
    EventKind.LEAD_RETURNED: _returned,
    EventKind.LEAD_ANSWER_SCORED: _criterion,
    EventKind.LEAD_QUALIFIED: _qualified,
    EventKind.LEAD_DECLINED: _declined,
    EventKind.LEAD_NURTURED: _until,
    EventKind.LEAD_QUESTIONED: _questioned,
    EventKind.LEAD_REASSESSED: _reassessed,
    EventKind.LEAD_EVALUATED: _evaluated,
    EventKind.LEAD_DISTANCE_SET: _distance,
    EventKind.GATE_OVERRIDDEN: _overridden,
    EventKind.REASON_CHANGED: _listed,
    EventKind.ALTERNATIVE_CHANGED: _listed,
    EventKind.HAND_OFF_SUBMITTED: _hand_off,
    EventKind.HAND_OFF_REJECTED: _rejected,
    EventKind.HAND_OFF_ASKED: _word("question"),
    EventKind.HAND_OFF_TOLD: _told,
    EventKind.HAND_OFF_ESCALATED: _hand_off,
    EventKind.DEAL_OPENED: _word("name"),
    EventKind.DEAL_MOVED: _from_to("stage"),
    EventKind.DEAL_STEP_SET: _step,
    EventKind.DEAL_WON: _won,
    EventKind.DEAL_LOST: _lost,
    EventKind.PROMISE_MADE: _promised,
    EventKind.PROMISE_KEPT: _word("text"),
    EventKind.PROMISE_BROKEN: _word("text"),
    EventKind.PROMISE_MOVED: _promise_moved,
    EventKind.PROMISE_CHANGED: _promise_changed,
    EventKind.PROMISE_REOPENED: _word("text"),
    EventKind.FOLLOW_UP_MADE: _follow_up,
    EventKind.FOLLOW_UP_DONE: _follow_up,
    EventKind.FOLLOW_UP_NOT_NEEDED: _follow_up,
    EventKind.FOLLOW_UP_PUT_OFF: _follow_up,
    EventKind.REFERRAL_ASKED: _word("whom"),
    EventKind.REFERRAL_PROMISED: _promised,
    EventKind.REFERRAL_INTRODUCED: _word("introduced"),
    EventKind.REFERRAL_MOVED: _referral_moved,
    EventKind.ADVOCATE_NAMED: _word("evidence"),
    EventKind.PERSON_CHANGED: _changes(Person),
    EventKind.ORGANISATION_CHANGED: _changes(Organisation),
    EventKind.DEAL_CHANGED: _changes(Deal),
    EventKind.CONVERSATION_CHANGED: _conversation_changed,
    EventKind.CONVERSATION_DELETED: _removed,
    EventKind.CONTACT_BARRED: _barred,
    EventKind.CONTACT_ALLOWED: _word("why"),
    EventKind.PACING_OVERRIDDEN: _word("why"),
    EventKind.MAIL_BOUNCED: _bounced,
    EventKind.MAIL_HELD: _word("why"),
    EventKind.PERSON_MERGED: _word("name"),
    EventKind.PERSON_UNMERGED: _word("name"),
    EventKind.ORGANISATION_MERGED: _word("name"),
    EventKind.ORGANISATION_UNMERGED: _word("name"),
    EventKind.PROSPECTED: _prospected,
    EventKind.BLOCK_CORRECTED: _corrected,
    EventKind.BULK_CHANGED: _of_many,
    EventKind.BULK_UNDONE: _of_many,
}
"""What an event says besides its name, from its old and new values."""
