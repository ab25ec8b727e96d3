"""Who asked us to be left in peace, by our own list and by registers: for many people at once, in a number of queries that does not grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.models import ConversationKind, DoNotContact, RegisterEntry, Scope
from crm.pacing.answers import Never

SCOPES: dict[str, Scope] = {ConversationKind.CALL: Scope.CALL, ConversationKind.EMAIL: Scope.MAIL}
"""What each channel is, besides contact. A video call is an appointment and no phone call."""


def barred(people: Sequence[int], channel: str, values: Mapping[int, Sequence[str]]) -> dict[int, Never]:
    """Those of these people (by key) who may never be contacted by this channel, and why.

    `values` are the numbers (or addresses) that would be used for each: somebody all of whose numbers are barred cannot be called, somebody who
    has none is barred by a wish of their own only.
    """
    scopes = [Scope.CONTACT, *([SCOPES[channel]] if channel in SCOPES else [])]
    own, held = standing(people, [value for these in values.values() for value in these], scopes)
    answers: dict[int, Never] = {}
    for person in people:
        these = values.get(person, ())
        if person in own:
            answers[person] = Never(own[person])
        elif these and all(value in held for value in these):
            answers[person] = Never(held[these[0]])
    return answers


def standing(
    people: Sequence[int], values: Iterable[str], scopes: Sequence[Scope], *, named: bool = True
) -> tuple[dict[int, str], dict[str, str]]:
    """Who of these people asked for it themselves, and which of these numbers and addresses are held back by a wish or a register; each with why,
    which names the number or address unless `named` is False. Two queries."""
    used = set(values)
    own: dict[int, str] = {}
    held: dict[str, str] = {}
    wishes = DoNotContact.objects.standing().filter(scope__in=scopes).select_related("by").order_by("-made_at", "-pk")
    for wish in wishes.filter(Q(person__in=people) | Q(number__in=used - {""}) | Q(address__in=used - {""})):
        if wish.person_id is not None:
            own[wish.person_id] = sentence(wish, named=named)
        else:
            held[wish.number or wish.address] = sentence(wish, named=named)
    entries = RegisterEntry.objects.filter(value__in=used - held.keys(), register__scope__in=scopes)
    for entry in entries.select_related("register").order_by("register__loaded_at", "pk"):
        held[entry.value] = _("%(value)s stands in the register “%(register)s”, loaded on %(day)s.") % {
            "value": entry.readable if named else _("One of their numbers or addresses"),
            "register": entry.register,
            "day": _day(timezone.localtime(entry.register.loaded_at).date()),
        }
    return own, held


def sentence(wish: DoNotContact, *, named: bool = True) -> str:
    """What was asked of us, why, how we know, since when, and who wrote it down; `named` says which number or address it is about."""
    thing = wish.readable
    if thing and not named:
        thing = _("one of their numbers") if wish.number else _("one of their addresses")
    asked = {
        Scope.CALL: _("They asked us not to call %(thing)s") if thing else _("They asked us not to call"),
        Scope.MAIL: _("They asked us not to mail %(thing)s") if thing else _("They asked us not to mail"),
        Scope.CONTACT: _("They asked us not to use %(thing)s") if thing else _("They asked us to leave them in peace"),
    }[Scope(wish.scope)] % {"thing": thing}
    values = {"asked": asked, "reason": wish.reason.rstrip(". "), "day": _day(wish.since), "source": wish.source}
    if wish.by is None:
        return _("%(asked)s: %(reason)s. Since %(day)s, known from: %(source)s.") % values
    return _("%(asked)s: %(reason)s. Since %(day)s, known from: %(source)s, noted by %(name)s.") % {
        **values,
        "source": wish.source.rstrip(". "),
        "name": wish.by,
    }


def gathered(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    """Each person's numbers or addresses, in the order in which they come."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for person, value in pairs:
        found[person].append(value)
    return found


def _day(value: date) -> str:
    return date_format(value, "j F Y")
