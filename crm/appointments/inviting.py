"""Tell both who meet, by mail with an invitation that their calendars understand: that it is agreed, that it moved, that it is called off."""

from __future__ import annotations

from datetime import datetime

from crm.models import Appointment


def invite(appointment: Appointment, *, at: datetime) -> None:
    """Both have the invitation on its way."""


def update(appointment: Appointment, *, at: datetime) -> None:
    """Both have the new time on its way, under the same UID and the sequence that the appointment has now."""


def withdraw(appointment: Appointment, *, at: datetime) -> None:
    """Both have on its way that it is called off."""
