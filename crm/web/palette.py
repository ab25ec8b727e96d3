"""What the box of Ctrl-K can do besides finding: go somewhere, begin something, and do something for somebody ("log anna", "bel sofie")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise as Words
from django.utils.translation import gettext_lazy as _

from crm import search
from crm.models import Person, User

MOST = 5
"""People to whom a typed act is offered."""


@dataclass(frozen=True)
class Action:
    """One line of the palette: what it says, its picture, and where it leads."""

    label: str
    icon: str
    href: str


@dataclass(frozen=True)
class Act:
    """Something that is done for a person. `called` are the words, in both languages, with which somebody asks for it; `alone` is where it begins
    when nobody is named."""

    called: tuple[str, ...]
    label: Words
    icon: str
    of: Callable[[Person], str]
    alone: str


def _about(name: str) -> Callable[[Person], str]:
    return lambda person: f"{reverse(name)}?{urlencode({'person': person.pk})}"


ACTS = (
    Act(
        ("log", "conversation", "spoke", "gesprek", "loggen"),
        _("Log a conversation with %(name)s"),
        "message-plus",
        _about("crm:conversation-new"),
        "crm:conversation-new",
    ),
    Act(
        ("call", "phone", "bel", "bellen"),
        _("Call %(name)s"),
        "phone",
        lambda person: reverse("crm:call", args=[person.pk]),
        "",
    ),
    Act(
        ("write", "mail", "schrijf", "schrijven", "mailen"),
        _("Write to %(name)s"),
        "mail",
        _about("crm:mail-new"),
        "crm:mail-new",
    ),
    Act(
        ("promise", "beloofd", "belofte"),
        _("Note a promise of or to %(name)s"),
        "heart-handshake",
        _about("crm:promise-new"),
        "",
    ),
    Act(
        ("follow", "follow-up", "remind", "opvolgen", "opvolging"),
        _("Plan a follow-up for %(name)s"),
        "calendar-plus",
        _about("crm:follow-up-new"),
        "crm:follow-up-new",
    ),
    Act(
        ("lead", "enquiry", "vraag"), _("Note a question of %(name)s"), "inbox", _about("crm:lead-new"), "crm:lead-new"
    ),
)

BEGIN = (
    (_("Log a conversation"), "message-plus", "crm:conversation-new"),
    (_("Add somebody"), "user-plus", "crm:person-new"),
    (_("Add an organisation"), "building", "crm:organisation-new"),
    (_("Note a lead"), "inbox", "crm:lead-new"),
    (_("Open a deal"), "briefcase", "crm:deal-new"),
    (_("Plan a follow-up"), "calendar-plus", "crm:follow-up-new"),
)

PLACES = (
    (_("Today"), "sun", "crm:today"),
    (_("Agenda"), "calendar", "crm:agenda"),
    (_("Leads"), "inbox", "crm:inbox"),
    (_("People"), "users", "crm:people"),
    (_("Organisations"), "building", "crm:organisations"),
    (_("Deals"), "briefcase", "crm:board"),
    (_("Promises"), "heart-handshake", "crm:promises"),
    (_("Hand-offs"), "arrow-right", "crm:hand-offs"),
    (_("Circle"), "circle", "crm:circle"),
    (_("My preferences"), "adjustments", "crm:preferences"),
    (_("My days away"), "beach", "crm:absences"),
    (_("My half hour"), "coffee", "crm:prospecting"),
)
ALSO_CALLED = {"crm:prospecting": ("half hour", "halfuur", "half uur", "prospecting", "prospectie", "prospecteren")}
"""Further names of a screen, in both languages: who says half hour does not say whose."""
LEADING_PLACES = (
    (_("Dashboard"), "chart-bar", "crm:dashboard"),
    (_("Health"), "heartbeat", "crm:health"),
    (_("Settings"), "settings", "crm:settings"),
    (_("Forms"), "forms", "crm:capture-forms"),
    (_("Who gets a lead"), "arrows-split", "crm:assignment"),
    (_("Rules of the follow-ups"), "list-check", "crm:rules"),
    (_("Teams"), "users-group", "crm:teams"),
    (_("Days away"), "beach", "crm:team-absences"),
)


def asked(text: str, user: User) -> list[Action]:
    """The acts that `text` asks for: a word for an act with a name after it gives one line for each person of that name."""
    word, _space, name = search.clean(text).partition(" ")
    word = word.casefold()
    if len(word) < 3:
        return []
    acts = [act for act in ACTS if any(called.startswith(word) for called in act.called)]
    if not name:
        return [
            _place(BEGINNING.get(act.alone) or act.label, act.icon, act.alone) for act in acts if act.alone in BEGINNING
        ]
    # Half a word may be the beginning of a name; only a whole one asks for an act of somebody.
    acts = [act for act in acts if word in act.called]
    people = search.people_like(name, user=user, most=MOST) if acts else []
    return [_for(act, person) for act in acts for person in people]


BEGINNING = {name: words for words, _icon, name in BEGIN}


def for_person(person: Person) -> list[Action]:
    """What can be done for somebody who was found."""
    return [_for(act, person) for act in ACTS]


def begin() -> list[Action]:
    """What can be begun from anywhere."""
    return [_place(*place) for place in BEGIN]


def places(text: str, user: User) -> list[Action]:
    """The screens of which a name begins with `text`."""
    start = search.clean(text).casefold()
    known: Iterable[tuple[Words, str, str]] = (*PLACES, *(LEADING_PLACES if user.is_leading else ()))
    if len(start) < 2:
        return []
    return [
        _place(words, icon, name)
        for words, icon, name in known
        if any(called.casefold().startswith(start) for called in (str(words), *ALSO_CALLED.get(name, ())))
    ]


def _for(act: Act, person: Person) -> Action:
    return Action(str(act.label) % {"name": person}, act.icon, act.of(person))


def _place(words: Words | str, icon: str, name: str) -> Action:
    return Action(str(words), icon, reverse(name))
