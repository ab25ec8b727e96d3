"""Small numbers as people say them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

NUMBERS = (
    gettext_lazy("no"),
    gettext_lazy("one"),
    gettext_lazy("two"),
    gettext_lazy("three"),
    gettext_lazy("four"),
    gettext_lazy("five"),
    gettext_lazy("six"),
    gettext_lazy("seven"),
    gettext_lazy("eight"),
    gettext_lazy("nine"),
    gettext_lazy("ten"),
    gettext_lazy("eleven"),
    gettext_lazy("twelve"),
)


def in_words(number: int) -> str:
    """The number as people say it: in words up to twelve."""
    return str(NUMBERS[number]) if number < len(NUMBERS) else str(number)
