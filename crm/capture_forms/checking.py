"""What a form may be: its words and terms as they are kept, or a refusal in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from crm import events
from crm.models import CaptureForm, Content, EventKind, FormField, OwnerRule, Role, Team, User
from crm.models.users import Language
from crm.notation import one_line
from crm.refusal import Refused

MOST_SITES, MOST_SECONDS = 30, 60
MOST_WORDS = 5_000
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Words:
    """What a form says in one language."""

    title: str
    intro: str = ""
    consent: str = ""
    thank_you: str = ""
    button: str = ""


@dataclass(frozen=True)
class Terms:
    """What becomes of what a form brings, and from where it may come."""

    title: str
    language: str = Language.ENGLISH
    origin: str = "website"
    content: Content | None = None
    owner_rule: str = OwnerRule.RULES
    owner: User | None = None
    team: Team | None = None
    is_double_opt_in: bool = False
    least_seconds: int = 2
    sites: Sequence[str] = ()


def site_of(address: str) -> str:
    """The site (`https://www.example.com`) of an address; empty when it has none."""
    try:
        parts = urlsplit(address.strip().lower())
        parts.port  # noqa: B018 - it raises for a port that is none.
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    is_default = parts.port == {"http": 80, "https": 443}.get(parts.scheme)
    host = host.rpartition(":")[0] if parts.port and is_default else host
    return f"{parts.scheme}://{host}" if parts.scheme in ("http", "https") and HOST.fullmatch(host) else ""


def checked(terms: Terms) -> Terms:
    """The terms as they are kept. Refuses what a form cannot have, and says which."""
    title, origin = line(terms.title, 150), line(terms.origin, 50)
    if not title:
        raise Refused(_("Give the form a name."))
    if not origin:
        raise Refused(_("Say which origin its leads have, such as “website”."))
    if terms.language not in Language.values:
        raise Refused(_("Kring does not speak that language. Choose one of the list."))
    if terms.owner_rule not in OwnerRule.values:
        raise Refused(_("Choose who gets its leads."))
    owner = terms.owner if terms.owner_rule == OwnerRule.USER else None
    team = terms.team if terms.owner_rule == OwnerRule.TEAM else None
    if terms.owner_rule == OwnerRule.USER and (owner is None or not owner.is_active or owner.role == Role.ADMIN):
        raise Refused(_("Choose the SDR who gets its leads."))
    if terms.owner_rule == OwnerRule.TEAM and team is None:
        raise Refused(_("Choose the team that gets its leads."))
    if not 0 <= terms.least_seconds <= MOST_SECONDS:
        raise Refused(_("Ask for at most %(most)d seconds: people type quickly, too.") % {"most": MOST_SECONDS})
    sites: list[str] = []
    for address in terms.sites:
        site = site_of(address)
        if not site:
            raise Refused(
                _("“%(site)s” is not the address of a site. Write it as https://www.example.com.")
                % {"site": address[:100]}
            )
        if site not in sites:
            sites.append(site)
    if len(sites) > MOST_SITES:
        raise Refused(_("A form stands on at most %(most)d sites.") % {"most": MOST_SITES})
    return replace(terms, title=title, origin=origin, owner=owner, team=team, sites=sites)


def spoken(words: Words) -> Words:
    """The words as they are kept. Refuses a form without a title and words that are too long."""
    title = line(words.title, 150)
    if not title:
        raise Refused(_("Give the form a title, such as “How can we help you?”."))
    texts = (words.intro, words.consent, words.thank_you)
    intro, consent, thank_you = (text.replace("\0", "").replace("\r\n", "\n").strip() for text in texts)
    if max(len(intro), len(consent), len(thank_you)) > MOST_WORDS:
        raise Refused(_("Use at most %(most)d characters for a text.") % {"most": MOST_WORDS})
    return Words(title, intro, consent, thank_you, line(words.button, 50))


def line(text: str, most: int) -> str:
    """On one line, without what a database cannot keep."""
    text = one_line(text)
    if len(text) > most:
        raise Refused(
            _("“%(text)s…” is too long. Use at most %(most)d characters.") % {"text": text[:30], "most": most}
        )
    return text


def columns(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in Terms.__dataclass_fields__}


def terms_of(form: CaptureForm) -> Terms:
    return Terms(**{name: getattr(form, name) for name in Terms.__dataclass_fields__})


def said(terms: Terms) -> dict[str, Any]:
    """The terms as an event keeps them: rows by their names."""
    return {name: events.readable(value) for name, value in columns(terms).items()} | {"sites": list(terms.sites)}


def name_of(field: FormField) -> str:
    return field.criterion_key or field.kind


def remember(
    form: CaptureForm,
    by: User | None,
    at: datetime,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    events.record(EventKind.FORM_CHANGED, subject=form, by=by, at=at, old=old, new=new)
