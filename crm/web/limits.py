"""How often one address may do something that strangers can do. Counted in the cache; when nothing can be counted everybody may."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

UNKNOWN = "unknown"


def address(request: HttpRequest) -> str:
    """The address of the visitor, as the outermost of our own proxies saw it (`KRING_PROXIES`); `unknown` when nobody says.

    What a visitor writes into X-Forwarded-For stands before what our proxies add, and is not believed.
    """
    said = request.META.get("REMOTE_ADDR", "")
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    if settings.PROXIES and len(passed) >= settings.PROXIES:
        said = passed[-settings.PROXIES]
    try:
        return str(ipaddress.ip_address(said))
    except ValueError:
        return UNKNOWN


def household(address: str) -> str:
    """Addresses that one subscriber has: of IPv6 a whole /64."""
    if ":" not in address:
        return address
    return str(ipaddress.IPv6Network(f"{address}/64", strict=False).network_address)


def may(request: HttpRequest, what: str, *, most: int, seconds: int) -> bool:
    """Whether this address may do `what` once more: at most so often in so many seconds, counted from its first. `most=0` is no limit."""
    if not most:
        return True
    key = f"{what}:{household(address(request))}"
    if cache.add(key, 1, seconds):
        return True
    try:
        return int(cache.incr(key)) <= most
    except ValueError:  # It ran out between the two questions, so a new count begins with the next.
        return True
