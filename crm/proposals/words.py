"""What a thing of the half hour is called, and why it is proposed, in the language of whoever reads it."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models import ContentKind, ConversationKind, ProspectingItem, Way

FEW_DAYS, MANY_MONTHS = 60, 24
"""Up to so many days are said in days, and up to so many months in months."""


def channel(item: ProspectingItem) -> ConversationKind:
    """By which channel it would be done: a call, or a mail."""
    return ConversationKind(item.why.get("channel") or ConversationKind.CALL)


def title(item: ProspectingItem) -> str:
    """What to do with whom: "Ask Ilse Maes who she would call in your place". Reads `people` and `content` of the item."""
    people = [str(person) for person in item.people.all()]
    name = people[0] if people else _("somebody who was removed")
    match Way(item.way):
        case Way.ASK_CUSTOMER:
            return _("Ask %(name)s for a referral") % {"name": name}
        case Way.IN_MY_PLACE:
            return _("Ask %(name)s whom they would call in your place") % {"name": name}
        case Way.INTRODUCTION:
            return _("Ask %(name)s to introduce you to %(whom)s") % {"name": name, "whom": item.why.get("whom", "")}
        case Way.INVITE:
            return _invitation(item, people, name)
        case Way.REVIVE | Way.OUTBOUND:
            who = {"name": name, "organisation": item.why.get("organisation")}
            if channel(item) == ConversationKind.EMAIL:
                return (
                    _("Write to %(name)s of %(organisation)s") if who["organisation"] else _("Write to %(name)s")
                ) % who
            return (_("Call %(name)s of %(organisation)s") if who["organisation"] else _("Call %(name)s")) % who


def sentence(item: ProspectingItem, at: datetime) -> str:
    """Why it is proposed: "Ordered twice, happy since 12 November, not asked in 140 days"."""
    why = item.why
    match Way(item.way):
        case Way.ASK_CUSTOMER | Way.IN_MY_PLACE:
            said = [
                _orders(why.get("orders", 0)),
                _was(why.get("was", "")),
                _happy(why, at),
                _replied(why, at),
                _asked(why, at),
            ]
        case Way.INTRODUCTION:
            said = [_knows(why), _replied(why, at)]
        case Way.REVIVE:
            last = _("last contact %(ago)s") % {"ago": _ago(_day(why.get("last_contact")), at)}
            said = [
                _("oldest on your list: %(last)s") % {"last": last} if why.get("is_oldest") else last,
                _was(why.get("was", "")),
            ]
        case Way.INVITE:
            said = [_read(why, len(item.people.all()))]
        case Way.OUTBOUND:
            since = _day(why.get("since"))
            said = [_("never spoken with"), _("on your list since %(day)s") % {"day": _say(since, at)} if since else ""]
    return capfirst(", ".join(filter(None, said)))


def _invitation(item: ProspectingItem, people: list[str], name: str) -> str:
    day = _day(item.why.get("on"))
    if item.content is None or day is None:
        return (
            _("Invite %(name)s") % {"name": name}
            if len(people) == 1
            else _("Invite %(number)s readers") % {"number": len(people)}
        )
    values = {"name": name, "number": len(people), "day": date_format(day, "j M"), "title": item.content}
    if item.content.kind == ContentKind.WEBINAR:
        if len(people) == 1:
            return _("Invite %(name)s to the %(day)s webinar") % values
        return _("Invite %(number)s readers to the %(day)s webinar") % values
    if len(people) == 1:
        return _("Invite %(name)s to “%(title)s” on %(day)s") % values
    return _("Invite %(number)s readers to “%(title)s” on %(day)s") % values


def _orders(number: int) -> str:
    if number == 0:
        return ""
    if number == 1:
        return _("ordered once")
    if number == 2:
        return _("ordered twice")
    return _("ordered %(number)s times") % {"number": number}


def _was(state: str) -> str:
    """How it ended the last time."""
    return {
        "nurture": _("was “not now”"),
        "declined": _("was a no for now"),
        "lost": _("did not order the last time"),
    }.get(state, "")


def _happy(why: dict[str, str], at: datetime) -> str:
    day = _day(why.get("happy_since"))
    return _("happy since %(day)s") % {"day": _say(day, at)} if day else ""


def _replied(why: dict[str, str], at: datetime) -> str:
    day = _day(why.get("replied_on"))
    return _("spoke with us on %(day)s") % {"day": _say(day, at)} if day else ""


def _asked(why: dict[str, str], at: datetime) -> str:
    day = _day(why.get("asked_on"))
    if day is None:
        return _("never asked")
    days = max((timezone.localtime(at).date() - day).days, 0)
    return ngettext("not asked in %(number)s day", "not asked in %(number)s days", days) % {"number": days}


def _knows(why: dict[str, str]) -> str:
    values = {"whom": why.get("whom", ""), "organisation": why.get("organisation", ""), "how": why.get("how", "")}
    if why.get("how"):
        return (
            _("knows %(whom)s of %(organisation)s: %(how)s") % values
            if values["organisation"]
            else _("knows %(whom)s: %(how)s") % values
        )
    if why.get("link") == "colleague":
        return _("works with %(whom)s at %(organisation)s") % values
    return _("knows %(whom)s of %(organisation)s") % values if values["organisation"] else _("knows %(whom)s") % values


def _read(why: dict[str, int | str], readers: int) -> str:
    """Of so many readers; two pieces each at least."""
    values = {"pieces": why.get("pieces", 0), "topic": why.get("topic", "")}
    if values["topic"]:
        return (
            ngettext(
                "read %(pieces)s pieces on %(topic)s in the last month",
                "each read %(pieces)s pieces on %(topic)s in the last month",
                readers,
            )
            % values
        )
    return (
        ngettext("read %(pieces)s pieces in the last month", "each read %(pieces)s pieces in the last month", readers)
        % values
    )


def _ago(day: date | None, at: datetime) -> str:
    """How long ago, in the unit in which people say it."""
    if day is None:
        return _("long ago")
    today = timezone.localtime(at).date()
    days = max((today - day).days, 0)
    months = 12 * (today.year - day.year) + today.month - day.month - (today.day < day.day)
    if days < FEW_DAYS:
        return ngettext("%(number)s day ago", "%(number)s days ago", days) % {"number": days}
    if months < MANY_MONTHS:
        return ngettext("%(number)s month ago", "%(number)s months ago", months) % {"number": months}
    years = months // 12
    return ngettext("%(number)s year ago", "%(number)s years ago", years) % {"number": years}


def _day(value: object) -> date | None:
    return date.fromisoformat(str(value)) if value else None


def _say(day: date, at: datetime) -> str:
    return date_format(day, "j F" if day.year == timezone.localtime(at).year else "j F Y")
