"""How an origin reads on a screen: the usual ones in the reader's language, every other one as it was recorded.

Files, filters and the database keep the recorded word; only what people read passes through here.
"""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

USUAL = {
    "advertisement": pgettext_lazy("origin", "advertisement"),
    "event": pgettext_lazy("origin", "event"),
    "fair": pgettext_lazy("origin", "fair"),
    "newsletter": pgettext_lazy("origin", "newsletter"),
    "partner": pgettext_lazy("origin", "partner"),
    "phone": pgettext_lazy("origin", "phone"),
    "referral": pgettext_lazy("origin", "referral"),
    "search": pgettext_lazy("origin", "search"),
    "social media": pgettext_lazy("origin", "social media"),
    "unknown": pgettext_lazy("origin", "unknown"),
    "webinar": pgettext_lazy("origin", "webinar"),
    "website": pgettext_lazy("origin", "website"),
}


def words(origin: str) -> str:
    return str(USUAL.get(origin, origin))
