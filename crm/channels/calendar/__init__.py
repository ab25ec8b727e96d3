"""Calendars as text (iCalendar, RFC 5545 and 5546): invitations out, replies in, when somebody is busy, and a feed. Plain values, no database.

What comes from outside is read within bounds and with patience; what cannot be read is one `Unreadable`, with the reason in words.
"""

from crm.channels.calendar.busy import read_busy
from crm.channels.calendar.parsing import Unreadable
from crm.channels.calendar.replies import Reply, read_reply
from crm.channels.calendar.writing import Entry, Guest, Meeting, cancellation, feed, invitation

__all__ = [
    "Entry",
    "Guest",
    "Meeting",
    "Reply",
    "Unreadable",
    "cancellation",
    "feed",
    "invitation",
    "read_busy",
    "read_reply",
]
