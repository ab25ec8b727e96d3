"""Tell the workers that there is something to do, once the transaction is through. A nudge may be lost: the row is the truth and a sweep finds it,
so a broker that is away is logged and never breaks a page."""

from __future__ import annotations

from django.db import transaction

from crm import tasks


def follow_ups() -> None:
    """Something changed: have the follow-ups of what was touched looked at."""
    tasks.nudge_follow_ups()


def mail() -> None:
    """A mail was put into the outbox: have it sent now and not only by the next sweep."""
    transaction.on_commit(lambda: tasks.ask(tasks.send_mail))


def run_import(run_id: int) -> None:
    """A file waits to be taken in."""
    transaction.on_commit(lambda: tasks.ask(tasks.run_import, run_id))


def mailbox(mailbox_id: int) -> None:
    """A mailbox is to be looked into now and not only by the next sweep."""
    tasks.ask_to_poll(mailbox_id)


def calendar(calendar_id: int) -> None:
    """A calendar elsewhere is to be read now and not only by the next sweep."""
    transaction.on_commit(lambda: tasks.ask(tasks.refresh_calendar, calendar_id))
