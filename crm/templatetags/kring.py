"""What the templates may say beyond Django's own words: icons, initials, money, and time told the way people tell it.

Times are shown in the reader's zone, words in the reader's language; "never" is a word, not a blank.
"""

from __future__ import annotations

import re
import zlib
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.core import mail
from django.template import TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS_3, WEEKDAYS
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

from crm.money import money, money_short
from crm.web import origins

register = template.Library()

# ── Icons ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_NAME = re.compile(r"[a-z0-9-]+")


@cache
def icon_svg(name: str) -> SafeString:
    """The outline of that name as inline SVG, hidden from screen readers. Raises LookupError for an unknown name."""
    file = Path(settings.NODE_MODULES) / "@tabler/icons/icons/outline" / f"{name}.svg"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise LookupError(f"There is no icon named {name!r}; see node_modules/@tabler/icons/icons/outline.")
    svg = file.read_text(encoding="utf-8")
    paths = re.sub(
        r"\s+", " ", "".join(re.findall(r"<(?:path|circle|rect|line|polyline|polygon|ellipse)\b[^>]*>", svg))
    )
    paths = paths.replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
    return mark_safe(  # our own files, read from disk
        '<svg class="icon" aria-hidden="true" focusable="false" width="24" height="24" viewBox="0 0 24 24" fill="none" '
        f'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{paths}</svg>'
    )


class IconNode(template.Node):
    def __init__(self, name: FilterExpression) -> None:
        self.name = name

    def render(self, context: template.Context) -> str:
        name = str(self.name.resolve(context))
        try:
            return icon_svg(name)
        except LookupError as problem:
            if settings.DEBUG or hasattr(mail, "outbox"):  # while developing and under test
                raise TemplateSyntaxError(str(problem)) from problem
            return ""


@register.tag
def icon(parser: Parser, token: Token) -> IconNode:
    """`{% icon "phone" %}`: an inline SVG in the size and colour of the text. It says nothing to a screen reader."""
    bits = token.split_contents()
    if len(bits) != 2:
        raise TemplateSyntaxError('{% icon %} takes one name, such as {% icon "phone" %}.')
    return IconNode(parser.compile_filter(bits[1]))


# ── People ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# The words with which a surname may begin, in the Low Countries and around.
PARTICLES = frozenset(
    {
        "van",
        "von",
        "de",
        "der",
        "den",
        "het",
        "'t",
        "ter",
        "ten",
        "te",
        "op",
        "in",
        "aan",
        "bij",
        "uit",
        "over",
        "onder",
    }
    | {"voor", "du", "des", "da", "do", "dos", "das", "di", "del", "della", "la", "le", "les", "el", "al", "bin", "ibn"}
    | {"zu", "zum", "zur", "af", "av", "mac", "mc", "o'"}
)
TINTS = 6


def initials(name: str) -> str:
    """Two letters: of the first name and of the surname with its particles ("Peter van der Meulen" is PV)."""
    words = [word for word in re.split(r"[\s,.]+", name) if word and word[0].isalnum() or word[:1] in "'’"]
    words = [word for word in words if word]
    if not words:
        return "?"
    surname = next((word for word in words[1:] if word.lower() in PARTICLES), words[-1] if len(words) > 1 else "")
    return "".join(part.lstrip("'’")[:1] for part in (words[0], surname)).upper() or "?"


@lru_cache(maxsize=4096)
def _avatar(name: str, size: str) -> SafeString:
    tint = zlib.crc32(name.strip().lower().encode()) % TINTS + 1
    return format_html(
        '<span class="avatar{} rounded-circle tint-{}" aria-hidden="true">{}</span>',
        f" avatar-{size}" if size else "",
        tint,
        initials(name),
    )


@register.simple_tag
def avatar(name: Any, size: str = "") -> SafeString:
    """`{% avatar person.name %}` or `{% avatar user.name size="sm" %}`: initials on a colour that stays with the name."""
    return _avatar(str(name or ""), size)


# ── Money and numbers ────────────────────────────────────────────────────────────────────────────────────────────────


register.filter(money)
register.filter(money_short)


@register.filter
def origin(value: Any) -> str:
    """`{{ lead.origin|origin }}`: the usual ones in the reader's language, others as they were recorded."""
    return origins.words(str(value or ""))


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _now(at: Any) -> datetime:
    return at if isinstance(at, datetime) else timezone.now()


def _day(value: date) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


def _day_words(day: date, today: date) -> str:
    distance = (day - today).days
    if distance == 0:
        return gettext("today")
    if distance == -1:
        return gettext("yesterday")
    if distance == 1:
        return gettext("tomorrow")
    if -7 < distance < 7:
        return str(WEEKDAYS[day.weekday()])
    return _date_words(day, today)


def _date_words(day: date, today: date) -> str:
    month = str(MONTHS_3[day.month])
    month = month.title() if (get_language() or "en").startswith("en") else month
    return f"{day.day} {month}" if day.year == today.year else f"{day.day} {month} {day.year}"


@register.filter
def short_date(value: Any, at: Any = None) -> str:
    """`{{ day|short_date }}`: "16 Nov", in another year "16 Nov 2025"; a month is written as its language does, "16 nov" in Dutch."""
    return _date_words(_day(value), timezone.localtime(_now(at)).date()) if isinstance(value, date) else ""


@register.filter
def when(value: Any, at: Any = None) -> str:
    """`{{ lead.received_at|when }}`: "today 09:12", "Friday 09:12", "12 Nov", "12 Nov 2024"; a plain date has no time."""
    if not isinstance(value, date):
        return ""
    day, today = _day(value), timezone.localtime(_now(at)).date()
    words = _day_words(day, today)
    if isinstance(value, datetime) and abs((day - today).days) < 7:
        return f"{words} {timezone.localtime(value):%H:%M}"
    return words


@register.filter
def day(value: Any, at: Any = None) -> str:
    """`{{ deal.next_step_on|day }}`: "Monday" is the coming one, since these are dates that were agreed; a past one is "16 Nov"."""
    if not isinstance(value, date):
        return ""
    day, today = _day(value), timezone.localtime(_now(at)).date()
    return _date_words(day, today) if (day - today).days < -1 else _day_words(day, today)


@register.filter
def late(value: Any, at: Any = None) -> str:
    """`{{ promise.due_on|late }}`: "6 days late", "40 minutes late", or "" while there is still time."""
    if not isinstance(value, date):
        return ""
    now = _now(at)
    if isinstance(value, datetime):
        passed = now - value
        if passed <= timedelta(0):
            return ""
        if passed < timedelta(hours=1):
            minutes = max(1, int(passed.total_seconds() // 60))
            return ngettext("%(count)d minute late", "%(count)d minutes late", minutes) % {"count": minutes}
        days = (timezone.localtime(now).date() - _day(value)).days
        if days == 0:
            hours = int(passed.total_seconds() // 3600)
            return ngettext("%(count)d hour late", "%(count)d hours late", hours) % {"count": hours}
    else:
        days = (timezone.localtime(now).date() - value).days
    if days <= 0:
        return ""
    return ngettext("%(count)d day late", "%(count)d days late", days) % {"count": days}


@register.filter
def left(value: Any, at: Any = None) -> str:
    """`{{ lead.answer_due_at|left }}`: "in 38 min", "in 3 hours", "in 2 days", or "" when the time is over."""
    if not isinstance(value, date):
        return ""
    now = _now(at)
    until = value if isinstance(value, datetime) else timezone.make_aware(datetime.combine(value, time.max))
    remaining = until - now
    if remaining <= timedelta(0):
        return ""
    minutes = int(remaining.total_seconds() // 60)
    if minutes < 60:
        return gettext("in %(count)d min") % {"count": max(1, minutes)}
    days = (_day(value) - timezone.localtime(now).date()).days
    if days == 0:
        hours = minutes // 60
        return ngettext("in %(count)d hour", "in %(count)d hours", hours) % {"count": hours}
    return ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}


@register.filter
def ago(value: Any, at: Any = None) -> str:
    """`{{ person.last_contact_at|ago }}`: "today", "yesterday", "6 days ago", "14 months ago", and "never" for None."""
    if not isinstance(value, date):
        return gettext("never")
    days = (timezone.localtime(_now(at)).date() - _day(value)).days
    if days <= 0:
        return gettext("today")
    if days == 1:
        return gettext("yesterday")
    if days < 60:
        return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    months = days * 12 // 365
    if months < 24:
        return ngettext("%(count)d month ago", "%(count)d months ago", months) % {"count": months}
    years = days // 365
    return ngettext("%(count)d year ago", "%(count)d years ago", years) % {"count": years}


@register.filter
def lastcontact(person: Any, at: Any = None) -> str:
    """`{{ person|lastcontact }}`: how long ago we last spoke; "never" when we never did."""
    return ago(getattr(person, "last_contact_at", None), at)


@register.filter
def duration(value: Any) -> str:
    """`{{ minutes|duration }}` (minutes or a timedelta): "14 min", "1 h 33", "2 h", "3 days"."""
    if value is None or value == "":
        return gettext("not known")
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value) * 60
    minutes = round(seconds / 60)
    if minutes < 60:
        return gettext("%(count)d min") % {"count": minutes}
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        words = gettext("%(hours)d h %(minutes)02d") if rest else gettext("%(hours)d h")
        return words % {"hours": hours, "minutes": rest}
    days = round(minutes / (24 * 60))
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


# ── Finding the way ──────────────────────────────────────────────────────────────────────────────────────────────────

# Rooms whose pages live under another address than their entry in the header.
_ROOMS = {
    "": "today",
    "organisations": "people",
    "hand-offs": "leads",
    "handoffs": "leads",
    "referrals": "circle",
    "advocates": "circle",
    "follow-ups": "today",
    "prospecting": "today",
    "promises": "today",
    "conversations": "people",
}


@register.simple_tag(takes_context=True)
def navlink(context: template.Context, name: str, room: str, words: str, count: Any = None) -> SafeString:
    """`{% navlink "crm:inbox" "leads" _("Leads") %}`: one entry of the header, marked when its room is the one we are in.

    The room follows from the address; a view may name another with `nav` in its context.
    """
    request = context.get("request")
    path = request.path if request else ""
    first = path.strip("/").partition("/")[0]
    here = context.get("nav") or _ROOMS.get(first, first)
    url = reverse(name)
    current = ""
    if here == room:
        current = ' aria-current="page"' if path == url else ' aria-current="true"'
    badge = format_html(' <span class="badge bg-orange-lt">{}</span>', count) if count else ""
    return format_html('<li><a class="nav-link" href="{}"{}>{}{}</a></li>', url, mark_safe(current), words, badge)
