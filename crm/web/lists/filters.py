"""One filter of a list: what of an address makes sense to it, which rows it keeps, and how its chip reads. What makes no sense is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm import search
from crm.clock import day_start
from crm.models import Language, User
from crm.web import access, query

Choices = list[tuple[str, str]]
MOST_DAYS = 36_500
AGES = (30, 90, 180, 365, 730)


@dataclass(frozen=True)
class Viewer:
    """Who looks, and when: *me*, *my team* and *today* are theirs, also in a view that somebody else shares."""

    user: User
    at: datetime
    today: date

    @cached_property
    def owners(self) -> Choices:
        """Whom rows can belong to."""
        return [(str(user.pk), user.name) for user in access.users() if user.pk != self.user.pk]


@dataclass(frozen=True)
class Filter:
    """`read` gives what of a text makes sense, or nothing; `keep` narrows the rows by it; `say` is its chip."""

    name: str
    label: Any
    read: Callable[[str, Viewer], str]
    keep: Callable[[Any, str, Viewer], Any]
    say: Callable[[str, Viewer], str]
    kind: str = "select"
    choices: Callable[[Viewer], Choices] = field(default=lambda viewer: [])
    hint: Any = ""


def one_of(
    name: str, label: Any, choices: Iterable[tuple[str, Any]], keep: Callable[[Any, str, Viewer], Any]
) -> Filter:
    """One of some words; the empty one, which is *all*, is added by the screen."""
    fixed = list(choices)
    words = dict(fixed)
    return Filter(
        name,
        label,
        read=lambda text, viewer: text if text in words else "",
        keep=keep,
        say=lambda value, viewer: _("%(filter)s: %(value)s") % {"filter": label, "value": words[value]},
        choices=lambda viewer: [(value, str(word)) for value, word in fixed],
    )


def yes_or_no(name: str, label: Any, yes: Callable[[Any], Any], no: Callable[[Any], Any]) -> Filter:
    """Those of whom it is so, or those of whom it is not."""
    return one_of(
        name,
        label,
        (("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))),
        lambda rows, value, viewer: yes(rows) if value == "yes" else no(rows),
    )


def only(name: str, label: Any, keep: Callable[[Any, Viewer], Any]) -> Filter:
    """A box that is ticked or not."""
    return Filter(
        name,
        label,
        read=lambda text, viewer: "yes" if text == "yes" else "",
        keep=lambda rows, value, viewer: keep(rows, viewer),
        say=lambda value, viewer: str(label),
        kind="check",
    )


def word(
    name: str,
    label: Any,
    keep: Callable[[Any, str], Any],
    *,
    longest: int = 50,
    clean: Callable[[str], str] = search.clean,
    kind: str = "text",
    hint: Any = "",
) -> Filter:
    """Free text, cut to what the column holds."""
    return Filter(
        name,
        label,
        read=lambda text, viewer: clean(text)[:longest],
        keep=lambda rows, value, viewer: keep(rows, value),
        say=lambda value, viewer: _("%(filter)s: %(value)s") % {"filter": label, "value": value},
        kind=kind,
        hint=hint,
    )


# ---- Those of both lists -------------------------------------------------------------------------------------------


def _country(text: str) -> str:
    text = text.strip().upper()
    return text if len(text) == 2 and text.isascii() and text.isalpha() else ""


def country(keep: Callable[[Any, str], Any]) -> Filter:
    return word("country", gettext_lazy("Country"), keep, longest=2, clean=_country, hint="BE")


def _owner_read(text: str, viewer: Viewer) -> str:
    if text in ("me", "team", "nobody", "somebody"):
        return text
    key = query.number(text)
    return str(key) if key is not None and _owner_name(str(key), viewer) else ""


def _owner_name(key: str, viewer: Viewer) -> str:
    known = dict(viewer.owners).get(key)
    if known is not None:
        return known
    left = access.everyone().filter(pk=int(key)).first()
    return left.name if left else ""


def _owner_keep(rows: Any, value: str, viewer: Viewer) -> Any:
    if value == "team":
        mine = Q(owner=viewer.user)
        return rows.filter(mine | Q(owner__team=viewer.user.team_id) if viewer.user.team_id else mine)
    if value in ("nobody", "somebody"):
        return rows.filter(owner__isnull=value == "nobody")
    return rows.filter(owner=viewer.user.pk if value == "me" else int(value))


OWNER_WORDS = {
    "me": gettext_lazy("me"),
    "team": gettext_lazy("my team"),
    "nobody": gettext_lazy("nobody"),
    "somebody": gettext_lazy("somebody"),
}
OWNER = Filter(
    "owner",
    gettext_lazy("Owner"),
    read=_owner_read,
    keep=_owner_keep,
    say=lambda value, viewer: (
        _("Owner: %(name)s") % {"name": OWNER_WORDS[value] if value in OWNER_WORDS else _owner_name(value, viewer)}
    ),
    choices=lambda viewer: [*((value, str(said)) for value, said in OWNER_WORDS.items()), *viewer.owners],
)


def _age_words(value: str) -> str:
    if value == "never":
        return _("Never contacted")
    days = int(value)
    return ngettext(
        "No contact for %(count)d day", "No contact for %(count)d days", days
    ) % {"count": days}  # fmt: skip


def _age_read(text: str, viewer: Viewer) -> str:
    if text == "never":
        return text
    days = query.number(text)
    return str(days) if days is not None and 0 < days <= MOST_DAYS else ""


def _age_keep(rows: Any, value: str, viewer: Viewer) -> Any:
    if value == "never":
        return rows.never_contacted()
    return rows.not_contacted_since(viewer.at - timedelta(days=int(value)))


AGE = Filter(
    "contact",
    gettext_lazy("Last contact"),
    read=_age_read,
    keep=_age_keep,
    say=lambda value, viewer: _age_words(value),
    choices=lambda viewer: [(value, _age_words(value)) for value in (*map(str, AGES), "never")],
)


def _before_read(text: str, viewer: Viewer) -> str:
    found = query.day(text)
    return found.isoformat() if found else ""


def _before_keep(rows: Any, value: str, viewer: Viewer) -> Any:
    found = query.day(value)
    assert found is not None
    return rows.not_contacted_since(day_start(found, viewer.user.zone))


BEFORE = Filter(
    "contact_before",
    gettext_lazy("Last contact before"),
    read=_before_read,
    keep=_before_keep,
    say=lambda value, viewer: (
        _("Last contact before %(day)s") % {"day": date_format(date.fromisoformat(value), "j F Y")}
    ),
    kind="date",
)

TAG = word("tag", gettext_lazy("Tag"), lambda rows, value: rows.filter(tags__contains=[value]))
TWICE = only("twice", gettext_lazy("possibly here twice"), lambda rows, viewer: rows.possibly_twice())


def language(keep: Callable[[Any, str, Viewer], Any]) -> Filter:
    return one_of("language", gettext_lazy("Language"), [*Language.choices, ("none", gettext_lazy("not known"))], keep)
