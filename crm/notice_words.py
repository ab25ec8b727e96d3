"""What a notice says, made from its values when somebody looks or when it is mailed: in the language and by the clock that are active then.

The values are plain JSON: names and words as they were, moments and days in ISO. A value that an older notice lacks is an empty word, and what
nobody knows any more says at least what kind of thing it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models import NoticeKind, RejectReason, Rule

MOST_QUOTED = 600
MOST_BRIEF = 220


class Words(NamedTuple):
    """A title in one line, and a text of some lines, which may be empty."""

    title: str
    text: str = ""

    @property
    def brief(self) -> str:
        """The text in a line or two."""
        lines = (line.removeprefix("> ").strip() for line in self.text.splitlines())
        return Truncator(" ".join(filter(None, lines))).chars(MOST_BRIEF)


class _Values(dict[str, Any]):
    """What is missing is an empty word."""

    def __missing__(self, key: str) -> str:
        return ""

    def day(self, name: str, at: datetime) -> str:
        """“Thursday 26 November”, with its year when that is another one."""
        return _day(date.fromisoformat(self[name][:10]), at) if self[name] else ""

    def moment(self, name: str) -> datetime | None:
        return timezone.localtime(datetime.fromisoformat(self[name])) if self[name] else None

    def when(self, name: str, at: datetime) -> str:
        moment = self.moment(name)
        if moment is None:
            return ""
        is_this_year = moment.year == timezone.localtime(at).year
        return date_format(moment, _("l j F, H:i") if is_this_year else _("l j F Y, H:i"))


def words(kind: str, values: Mapping[str, Any], at: datetime) -> Words:
    """The title and the text of a notice of this kind, as they are at `at`."""
    known = _Values({"name": values.get("by", ""), **values})
    say = SAY.get((kind, known["what"]))
    if say is None:
        return Words(capfirst(str(NoticeKind(kind).label)) if kind in NoticeKind.values else "")
    return say(known, at)


def several(kind: str, number: int) -> str:
    """What a group of notices of this kind says, which are about so many things."""
    say = SEVERAL.get(kind)
    return say(number) % {"number": number} if say else ""


def _day(day: date, at: datetime) -> str:
    return date_format(day, "l j F" if day.year == timezone.localtime(at).year else "l j F Y")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in Truncator(text.strip()).chars(MOST_QUOTED).splitlines())


def _text(*paragraphs: str) -> str:
    return "\n\n".join(filter(None, paragraphs))


# ---- Leads ---------------------------------------------------------------------------------------------------------


def _assigned(values: _Values, at: datetime) -> Words:
    values["company"] = f" ({values['company']})" if values["company"] else ""
    given = (
        _("%(name)s gave you a lead: %(lead)s%(company)s.")
        if values["by"]
        else _("There is a lead for you: %(lead)s%(company)s.")
    )
    due = values.moment("answer_by")
    expected = (
        _("They expect a first answer before %(time)s on %(day)s.")
        % {"time": date_format(due, "H:i"), "day": _day(due.date(), at)}
        if due
        else ""
    )
    return Words(
        _("A lead for you: %(lead)s") % values,
        _text(given % values, _quoted(values["message"]), expected),
    )


def _lead_line(lead: Mapping[str, str]) -> str:
    return f"{lead['lead']} ({lead['company']})" if lead.get("company") else lead["lead"]


def _returned(values: _Values, at: datetime) -> Words:
    """To those who lead: what nobody touched, and with whom it was."""
    leads = values["leads"] or []
    lines = [
        _("%(lead)s, with %(name)s since %(day)s")
        % {
            "lead": _lead_line(lead),
            "name": lead["owner"],
            "day": date_format(timezone.localtime(datetime.fromisoformat(lead["since"])), "j F"),
        }
        for lead in leads
    ]
    text = ngettext(
        "Nobody had touched this lead, so it belongs to nobody now and waits for whoever takes it:",
        "Nobody had touched these leads, so they belong to nobody now and wait for whoever takes them:",
        len(leads),
    )
    title = ngettext("%(number)d lead returned to the pool", "%(number)d leads returned to the pool", len(leads)) % {
        "number": len(leads)
    }
    return Words(title, "\n".join([text, "", *(f"- {line}" for line in lines)]))


def _returned_of_mine(values: _Values, at: datetime) -> Words:
    """To whose they were."""
    leads = values["leads"] or []
    title = (
        _("%(lead)s went back to the pool") % {"lead": _lead_line(leads[0])}
        if len(leads) == 1
        else ngettext(
            "%(number)d lead of yours went back to the pool",
            "%(number)d leads of yours went back to the pool",
            len(leads),
        )
        % {"number": len(leads)}
    )
    text = ngettext(
        "There was no time for it, it seems, so a colleague may take it now. Take it again when you mean to go on with it.",
        "There was no time for them, it seems, so a colleague may take them now. Take again what you mean to go on with.",
        len(leads),
    )
    lines = [f"- {_lead_line(lead)}" for lead in leads] if len(leads) > 1 else []
    return Words(title, "\n".join([text, *(["", *lines] if lines else [])]))


# ---- Hand-offs -----------------------------------------------------------------------------------------------------


def _offered(values: _Values, at: datetime) -> Words:
    return Words(
        _("%(name)s hands %(lead)s off to you") % values,
        _text(
            _("Please answer by %(moment)s: accept it, ask back, or say why not.")
            % {"moment": values.when("answer_by", at)},
            values["note"],
        ),
    )


def _goes_to(values: _Values, at: datetime) -> Words:
    return Words(
        _("%(lead)s goes to %(name)s") % values,
        _("%(by)s gave the hand-off of %(lead)s to %(name)s, who answers it now.") % values,
    )


def _asked_back(values: _Values, at: datetime) -> Words:
    return Words(
        _("%(name)s asks about %(lead)s") % values,
        _text(_("Before answering your hand-off, %(name)s would like to know:") % values, values["question"]),
    )


def _told(values: _Values, at: datetime) -> Words:
    return Words(_("%(name)s answers about %(lead)s") % values, _text(values["question"], values["answer"]))


def _accepted(values: _Values, at: datetime) -> Words:
    return Words(
        _("%(name)s accepted %(lead)s") % values,
        _("Your hand-off of %(lead)s is a deal now. The next step: %(step)s.") % values,
    )


def _rejected(values: _Values, at: datetime) -> Words:
    kind = values["reason_kind"]
    label = f"{RejectReason(kind).label}." if kind in RejectReason.values else ""
    return Words(_("%(name)s gives %(lead)s back to you") % values, _text(label, values["reason"]))


def _overdue(values: _Values, at: datetime) -> Words:
    return Words(
        _("%(lead)s still waits for %(name)s") % values,
        _("The time to answer this hand-off is over. Ask %(name)s, or give it to somebody else.") % values,
    )


# ---- Appointments --------------------------------------------------------------------------------------------------


def _met(values: _Values, at: datetime) -> _Values:
    return _Values(values | {"when": values.when("starts_at", at), "other": values.when("asks_for", at)})


def _booked(values: _Values, at: datetime) -> Words:
    values = _met(values, at)
    return Words(
        _("%(who)s booked an appointment with %(host)s") % values,
        _("%(who)s used your link and meets %(host)s on %(when)s: %(subject)s.") % values,
    )


def _moved(values: _Values, at: datetime) -> Words:
    values = _met(values, at)
    return Words(
        _("%(who)s moved the appointment with %(host)s") % values,
        _("%(who)s chose another time: %(when)s. It is about: %(subject)s.") % values,
    )


def _cancelled(values: _Values, at: datetime) -> Words:
    values = _met(values, at)
    return Words(
        _("%(who)s called off the appointment with %(host)s") % values,
        _text(
            _("%(who)s called off the appointment with %(host)s on %(when)s: %(subject)s.") % values,
            f"“{values['why']}”" if values["why"] else "",
        ),
    )


def _declined(values: _Values, at: datetime) -> Words:
    values = _met(values, at)
    return Words(
        _("%(who)s declined the invitation") % values,
        _("%(who)s declined the invitation for %(when)s: %(subject)s. Ask them whether another time suits them.")
        % values,
    )


def _asks_for(values: _Values, at: datetime) -> Words:
    values = _met(values, at)
    return Words(
        _("%(who)s asks for another time") % values,
        _("%(who)s would rather meet on %(other)s than on %(when)s: %(subject)s. Move it, or ask them.") % values,
    )


def _host_declined(values: _Values, at: datetime) -> Words:
    values = _met(values, at)
    return Words(
        _("%(host)s cannot come to the appointment with %(who)s") % values,
        _("The calendar of %(host)s declined %(when)s with %(who)s: %(subject)s. Agree on another time, or cancel it.")
        % values,
    )


# ---- The rest ------------------------------------------------------------------------------------------------------


def _mentioned_in_conversation(values: _Values, at: datetime) -> Words:
    return Words(_("%(by)s mentions you, about %(about)s") % values, _quoted(values["text"]))


def _mentioned_in_hand_off(values: _Values, at: datetime) -> Words:
    return Words(_("%(by)s mentions you in the hand-off of %(about)s") % values, _quoted(values["text"]))


def _mentioned_in_follow_up(values: _Values, at: datetime) -> Words:
    title = (
        _("%(by)s mentions you in a follow-up about %(about)s")
        if values["about"]
        else _("%(by)s mentions you in a follow-up")
    )
    return Words(title % values, _quoted(values["text"]))


def _kept(values: _Values, at: datetime) -> Words:
    return Words(
        _("%(person)s kept a promise") % values,
        _("%(text)s. It was promised for %(day)s.")
        % {"text": values["text"].rstrip("."), "day": values.day("due_on", at)},
    )


def _taken_in(values: _Values, at: datetime) -> Words:
    refused = values["refused"] or 0
    return Words(
        _("%(file)s is taken in") % values,
        _text(
            ngettext("%(number)d row is in Kring now.", "%(number)d rows are in Kring now.", values["taken"] or 0)
            % {"number": values["taken"] or 0},
            ngettext(
                "%(number)d row was refused; the page says why.",
                "%(number)d rows were refused; the page says why.",
                refused,
            )
            % {"number": refused}
            if refused
            else "",
        ),
    )


def _not_taken_in(values: _Values, at: datetime) -> Words:
    return Words(
        _("%(file)s could not be taken in") % values,
        _text(values["why"], _("Nothing of it was stored, so it can be put right and tried again.")),
    )


def _held(values: _Values, at: datetime) -> Words:
    return Words(
        _("Your mail to %(name)s is held back") % values,
        _text(values["why"], _("It is “%(subject)s”. Send it all the same with a reason, or cancel it.") % values),
    )


def _fails(values: _Values, at: datetime) -> Words:
    return Words(
        _("The rule “%(rule)s” fails") % {"rule": dict(Rule.choices).get(values["rule"], values["rule"])},
        _text(
            values["why"],
            _("The other rules go on, and the follow-ups that it made stay as they are. Look at its settings."),
        ),
    )


SAY: dict[tuple[str, str], Callable[[_Values, datetime], Words]] = {
    (NoticeKind.ASSIGNMENT, ""): _assigned,
    (NoticeKind.RETURNED, ""): _returned,
    (NoticeKind.RETURNED, "mine"): _returned_of_mine,
    (NoticeKind.HAND_OFF, "offered"): _offered,
    (NoticeKind.HAND_OFF, "goes_to"): _goes_to,
    (NoticeKind.HAND_OFF, "asked"): _asked_back,
    (NoticeKind.HAND_OFF, "told"): _told,
    (NoticeKind.HAND_OFF, "accepted"): _accepted,
    (NoticeKind.HAND_OFF, "rejected"): _rejected,
    (NoticeKind.OVERDUE, ""): _overdue,
    (NoticeKind.APPOINTMENT, "booked"): _booked,
    (NoticeKind.APPOINTMENT, "moved"): _moved,
    (NoticeKind.APPOINTMENT, "cancelled"): _cancelled,
    (NoticeKind.APPOINTMENT, "declined"): _declined,
    (NoticeKind.APPOINTMENT, "asks_for"): _asks_for,
    (NoticeKind.APPOINTMENT, "host_declined"): _host_declined,
    (NoticeKind.MENTION, "conversation"): _mentioned_in_conversation,
    (NoticeKind.MENTION, "hand_off"): _mentioned_in_hand_off,
    (NoticeKind.MENTION, "follow_up"): _mentioned_in_follow_up,
    (NoticeKind.PROMISE_KEPT, ""): _kept,
    (NoticeKind.IMPORT, "done"): _taken_in,
    (NoticeKind.IMPORT, "failed"): _not_taken_in,
    (NoticeKind.MAIL_HELD, ""): _held,
    (NoticeKind.RULE_FAILS, ""): _fails,
}
"""Which words a notice has, by its kind and by `what` in its values."""

SEVERAL: dict[str, Callable[[int], str]] = {
    NoticeKind.ASSIGNMENT: lambda n: ngettext(
        "%(number)d lead was given to you", "%(number)d leads were given to you", n
    ),
    NoticeKind.RETURNED: lambda n: ngettext(
        "Leads went back to the pool %(number)d time", "Leads went back to the pool %(number)d times", n
    ),
    NoticeKind.MENTION: lambda n: ngettext(
        "You were mentioned in %(number)d place", "You were mentioned in %(number)d places", n
    ),
    NoticeKind.HAND_OFF: lambda n: ngettext(
        "There is news of %(number)d hand-off", "There is news of %(number)d hand-offs", n
    ),
    NoticeKind.OVERDUE: lambda n: ngettext(
        "%(number)d hand-off waits too long", "%(number)d hand-offs wait too long", n
    ),
    NoticeKind.APPOINTMENT: lambda n: ngettext(
        "There is news of %(number)d appointment", "There is news of %(number)d appointments", n
    ),
    NoticeKind.PROMISE_KEPT: lambda n: ngettext("%(number)d promise was kept", "%(number)d promises were kept", n),
    NoticeKind.IMPORT: lambda n: ngettext("There is news of %(number)d file", "There is news of %(number)d files", n),
    NoticeKind.MAIL_HELD: lambda n: ngettext(
        "%(number)d mail of yours is held back", "%(number)d mails of yours are held back", n
    ),
    NoticeKind.RULE_FAILS: lambda n: ngettext("%(number)d rule fails", "%(number)d rules fail", n),
}
