"""Money as the reader writes it: "€ 24,500" in English, "€ 24.500" in Dutch. Values in, words out; no database, no request.

Screens, timelines and letters say amounts with these two; the templates know them as filters.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_compact_currency, get_currency_symbol, get_decimal_symbol, get_group_symbol
from django.conf import settings
from django.utils.translation import get_language, gettext, to_locale


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def _current_locale() -> Locale:
    return _locale(get_language() or settings.LANGUAGE_CODE)


@cache
def _signs(language: str, currency: str) -> tuple[str, dict[int, str]]:
    """The currency's sign, and the separators of that language. Babel knows them; asking once keeps long lists quick."""
    locale = _locale(language)
    separators = {ord(","): get_group_symbol(locale), ord("."): get_decimal_symbol(locale)}
    return get_currency_symbol(currency, locale), separators


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() else None


def money(value: Any, currency: str = "EUR") -> str:
    """`{{ deal.amount|money:deal.currency }}`: "€ 24,500" in English, "€ 24.500" in Dutch; cents only where there are any."""
    amount = _amount(value)
    if amount is None:
        return gettext("not known")
    sign, separators = _signs(get_language() or settings.LANGUAGE_CODE, currency or "EUR")
    whole = amount == amount.to_integral_value()
    digits = f"{abs(amount):,.0f}" if whole else f"{abs(amount):,.2f}"
    return f"{'-' if amount < 0 else ''}{sign}\N{NO-BREAK SPACE}{digits.translate(separators)}"


def money_short(value: Any, currency: str = "EUR") -> str:
    """`{{ total|money_short:"EUR" }}`: "€ 212k", for numbers that are read from a distance."""
    amount = _amount(value)
    if amount is None:
        return gettext("not known")
    if abs(amount) < 10_000:
        return money(amount.quantize(Decimal(1)), currency)
    text = format_compact_currency(
        amount, currency or "EUR", locale=_current_locale(), fraction_digits=int(abs(amount) >= 1_000_000)
    )
    text = re.sub(r"^(-?)(\D+?)\s?(\d)", "\\1\\2\N{NO-BREAK SPACE}\\3", text)
    return text.replace("K", "k")
