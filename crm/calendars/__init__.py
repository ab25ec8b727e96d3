"""Everybody's own calendars elsewhere, read for when they are busy and for nothing else, and the feed by which theirs shows what is agreed here."""

from crm.calendars.connecting import NotConnected, change, connect, disconnect
from crm.calendars.feeds import feed_of, renew_feed, revoke_feed
from crm.calendars.refreshing import due, read_now, refresh

__all__ = [
    "NotConnected",
    "change",
    "connect",
    "disconnect",
    "due",
    "feed_of",
    "read_now",
    "refresh",
    "renew_feed",
    "revoke_feed",
]
