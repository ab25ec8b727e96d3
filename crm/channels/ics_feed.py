"""Read a calendar at an address that anybody who has it may read (ICS), as Google, Outlook and iCloud hand it out."""

from __future__ import annotations

from crm.channels.fetching import WITHIN, CannotFetch, Trouble, fetch

ASKS_FOR = {"Accept": "text/calendar, */*;q=0.1"}


def read(url: str, *, is_private_allowed: bool = False, within: float = WITHIN) -> str:
    """The text of the calendar. Raises `CannotFetch`."""
    answer = fetch(url, headers=ASKS_FOR, is_private_allowed=is_private_allowed, within=within)
    if answer.status in (401, 403, 404, 410):
        raise CannotFetch(Trouble.GONE, str(answer.status))
    if answer.status != 200:
        raise CannotFetch(Trouble.SERVER, str(answer.status))
    text = answer.content.decode("utf-8-sig", "replace")
    if not text.lstrip()[:15].upper() == "BEGIN:VCALENDAR":
        raise CannotFetch(Trouble.NO_CALENDAR)
    return text
