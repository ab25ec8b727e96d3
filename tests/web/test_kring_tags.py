"""Icons, initials, money, and time as people tell it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import timezone, translation

from crm.money import money, money_short
from crm.templatetags import kring

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 11, 23, 10, 30, tzinfo=BRUSSELS)  # a Monday


@pytest.fixture(autouse=True)
def in_brussels_and_english() -> Iterator[None]:
    with timezone.override(BRUSSELS), translation.override("en"):
        yield


def render(source: str, **context: Any) -> str:
    return Template("{% load kring %}" + source).render(Context(context))


def test_an_icon_is_inline_and_says_nothing_to_a_screen_reader() -> None:
    svg = render('{% icon "phone" %}')
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    assert 'aria-hidden="true"' in svg
    assert "style=" not in svg


def test_an_icon_can_be_named_by_the_context() -> None:
    assert render("{% icon entry.icon %}", entry={"icon": "mail"}) == kring.icon_svg("mail")


@pytest.mark.parametrize("name", ["no-such-icon", "../outline/phone", "", "Phone"])
def test_an_unknown_icon_says_which(name: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="There is no icon named"):
        render("{% icon name %}", name=name)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Peter van der Meulen", "PV"),
        ("Sofie De Wit", "SD"),
        ("Karim Boulhani", "KB"),
        ("Ilse Anna Maes", "IM"),
        ("Jan-Willem de Boer", "JD"),
        ("Gerard 't Hooft", "GT"),
        ("Noor", "N"),
        ("éva óscar", "ÉÓ"),
        ("Dr. Els Peeters (sales)", "DP"),
        ("  ", "?"),
        ("", "?"),
    ],
)
def test_initials_know_particles(name: str, letters: str) -> None:
    assert kring.initials(name) == letters


def test_an_avatar_keeps_its_colour_and_escapes_the_name() -> None:
    assert render('{% avatar "Sofie De Wit" %}') == render('{% avatar "Sofie De Wit" %}')
    assert "avatar-sm" in render('{% avatar name "sm" %}', name="Sofie De Wit")
    assert "<b" not in render("{% avatar name %}", name="<b>Bold <script>")
    assert ">?<" in render("{% avatar name %}", name=None)


@pytest.mark.parametrize(
    ("value", "currency", "language", "words"),
    [
        (Decimal("24500"), "EUR", "en", "€ 24,500"),
        (Decimal("24500"), "EUR", "nl", "€ 24.500"),
        (Decimal("24500.50"), "EUR", "en", "€ 24,500.50"),
        (Decimal("24500.50"), "EUR", "nl", "€ 24.500,50"),
        (Decimal("-3"), "EUR", "en", "-€ 3"),
        (0, "EUR", "en", "€ 0"),
        (1200, "BRL", "en", "R$ 1,200"),
        (None, "EUR", "en", "not known"),
        ("", "EUR", "en", "not known"),
    ],
)
def test_money_reads_as_the_language_writes_it(value: Any, currency: str, language: str, words: str) -> None:
    with translation.override(language):
        assert money(value, currency).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("value", "words"), [(212345, "€ 212k"), (9400, "€ 9,400"), (1_400_000, "€ 1.4M"), (None, "not known")]
)
def test_money_is_short_on_a_dashboard(value: Any, words: str) -> None:
    assert money_short(value, "EUR").replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NOW.replace(hour=9, minute=12), "today 09:12"),
        (NOW + timedelta(days=1), "tomorrow 10:30"),
        (NOW - timedelta(days=1), "yesterday 10:30"),
        (NOW - timedelta(days=3), "Friday 10:30"),
        (NOW - timedelta(days=11), "12 Nov"),
        (datetime(2024, 11, 12, 8, tzinfo=UTC), "12 Nov 2024"),
        (date(2026, 11, 23), "today"),
        (date(2026, 11, 26), "Thursday"),
        (date(2026, 12, 10), "10 Dec"),
        (None, ""),
    ],
)
def test_a_moment_is_told_as_people_tell_it(value: Any, words: str) -> None:
    assert kring.when(value, NOW) == words


def test_today_is_the_readers_day_and_not_utcs() -> None:
    just_after_midnight_in_brussels = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert kring.when(just_after_midnight_in_brussels, NOW) == "today 00:30"
    with timezone.override(ZoneInfo("America/Sao_Paulo")):
        assert kring.when(just_after_midnight_in_brussels, NOW) == "yesterday 20:30"


def test_dutch_days_and_months_are_small() -> None:
    with translation.override("nl"):
        assert kring.when(NOW - timedelta(days=3), NOW) == "vrijdag 10:30"
        assert kring.day(date(2024, 11, 12), NOW) == "12 nov 2024"


def test_a_day_has_no_time() -> None:
    assert kring.day(NOW + timedelta(days=3), NOW) == "Thursday"


def test_a_short_date_is_written_as_its_language_does() -> None:
    assert kring.short_date(date(2026, 11, 16), NOW) == "16 Nov"
    assert kring.short_date(date(2025, 11, 16), NOW) == "16 Nov 2025"
    with translation.override("nl"):
        assert kring.short_date(date(2026, 11, 16), NOW) == "16 nov"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (date(2026, 11, 17), "6 days late"),
        (date(2026, 11, 22), "1 day late"),
        (date(2026, 11, 23), ""),
        (NOW - timedelta(days=6), "6 days late"),
        (NOW - timedelta(hours=2), "2 hours late"),
        (NOW - timedelta(minutes=1), "1 minute late"),
        (NOW - timedelta(seconds=5), "1 minute late"),
        (NOW + timedelta(minutes=1), ""),
        (None, ""),
    ],
)
def test_lateness_is_counted_in_the_unit_that_matters(value: Any, words: str) -> None:
    assert kring.late(value, NOW) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NOW + timedelta(minutes=38), "in 38 min"),
        (NOW + timedelta(hours=1, minutes=5), "in 1 hour"),
        (NOW + timedelta(hours=3), "in 3 hours"),
        (NOW + timedelta(days=2), "in 2 days"),
        (date(2026, 11, 25), "in 2 days"),
        (date(2026, 11, 22), ""),
        (NOW, ""),
        (None, ""),
    ],
)
def test_the_time_that_is_left(value: Any, words: str) -> None:
    assert kring.left(value, NOW) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NOW, "today"),
        (NOW - timedelta(days=1), "yesterday"),
        (NOW - timedelta(days=6), "6 days ago"),
        (NOW - timedelta(days=430), "14 months ago"),
        (NOW - timedelta(days=800), "2 years ago"),
        (None, "never"),
    ],
)
def test_how_long_ago(value: Any, words: str) -> None:
    assert kring.ago(value, NOW) == words


def test_never_spoken_is_a_word_and_not_a_blank() -> None:
    assert kring.lastcontact(SimpleNamespace(last_contact_at=None)) == "never"
    assert kring.lastcontact(SimpleNamespace(last_contact_at=NOW - timedelta(days=2)), NOW) == "2 days ago"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (14, "14 min"),
        (93, "1 h 33"),
        (120, "2 h"),
        (timedelta(days=3), "3 days"),
        (timedelta(days=1), "1 day"),
        (0, "0 min"),
        (None, "not known"),
    ],
)
def test_durations(value: Any, words: str) -> None:
    assert kring.duration(value) == words


def test_a_weekday_without_a_time_is_the_coming_one() -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert kring.day(date(2026, 11, 23), at) == "Monday"
    assert kring.day(date(2026, 11, 16), at) == "16 Nov"
    assert kring.day(date(2026, 11, 20), at) == "yesterday"


def test_the_usual_origins_are_said_in_the_readers_language_and_others_as_recorded() -> None:
    with translation.override("nl"):
        assert kring.origin("fair") == "beurs"
        assert kring.origin("organic_search") == "organic_search"
        assert kring.origin("") == ""
