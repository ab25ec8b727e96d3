"""Moments of a story that ends now: working days counted back from the end, and what comes a little later, never in the future."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

from crm.clock import WorkCalendar, is_working_day, organisation_calendar


class Days:
    """Every moment that it gives lies in working hours of both teams (Belgian and Dutch holidays are free) and before `at`."""

    def __init__(self, at: datetime, rng: Random) -> None:
        own = organisation_calendar()
        self.calendars = [WorkCalendar(own.time_zone, country) for country in ("BE", "NL")]
        self.zone = own.zone
        self.at = at.astimezone(self.zone)
        self.today = self.at.date()
        self.rng = rng
        self.latest = self._moment_at_or_before(self.at - timedelta(minutes=2))

    def is_working(self, day: date) -> bool:
        return all(is_working_day(day, calendar) for calendar in self.calendars)

    def working_day(self, day: date, step: int = 1) -> date:
        """`day` itself, or the first working day after it (before it, when `step` is -1)."""
        while not self.is_working(day):
            day += timedelta(days=step)
        return day

    def back(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """That time on the last working day that is at least `days` days ago; a day earlier when it would still be to come."""
        day = self.working_day(self.today - timedelta(days=days), -1)
        moment = self._on(day, hour, minute)
        if moment > self.latest:
            moment = self._on(self.working_day(day - timedelta(days=1), -1), hour, minute)
        return moment

    def workdays_back(self, count: int, hour: int, minute: int = 0) -> datetime:
        """That time, `count` working days before today."""
        day = self.today
        for _ in range(count):
            day = self.working_day(day - timedelta(days=1), -1)
        return self._on(day, hour, minute)

    def ahead(self, days: int) -> date:
        """The first working day that is at least `days` days from today."""
        return self.working_day(self.today + timedelta(days=days))

    def later(self, moment: datetime, least: float, most: float) -> datetime:
        """Some working moment between `least` and `most` days after `moment`; at the latest the last one before now."""
        moment = moment.astimezone(self.zone)
        wish = moment + timedelta(days=self.rng.uniform(least, most))
        day = self.working_day(wish.date())
        found = self._on(day, self.rng.randint(9, 16), self.rng.randint(0, 59))
        if found <= moment:
            found = moment + timedelta(minutes=self.rng.randint(7, 50))
            if found.time() > time(17, 30) or found.time() < time(9):
                found = self._on(self.working_day(moment.date() + timedelta(days=1)), 9, self.rng.randint(1, 59))
        return min(found, max(moment, self.latest))

    def soon(self, moment: datetime, least: int, most: int) -> datetime:
        """`least` to `most` minutes of working time after `moment`, at the latest now."""
        local = moment.astimezone(self.zone)
        if not self.is_working(local.date()) or local.time() > time(17):
            local = self._on(self.working_day(local.date() + timedelta(days=1)), 9, 0)
        elif local.time() < time(9):
            local = self._on(local.date(), 9, 0)
        found = local + timedelta(minutes=self.rng.randint(least, most))
        if found.time() > time(17, 25) or found.date() != local.date():
            found = self._on(self.working_day(local.date() + timedelta(days=1)), 9, self.rng.randint(2, 59))
        return min(found, max(moment, self.latest))

    def arrival(self, days: int) -> datetime:
        """A moment at which somebody outside writes to us, about `days` days ago: mostly by day, sometimes in the evening or a weekend."""
        day = self.today - timedelta(days=days)
        hour = self.rng.choice((8, 9, 9, 10, 10, 11, 11, 12, 13, 14, 14, 15, 16, 16, 19, 20, 21, 22))
        if not self.is_working(day) and self.rng.random() < 0.7:
            day = self.working_day(day, -1)
        moment = self._on(day, hour, self.rng.randint(0, 59))
        return moment if moment < self.latest else self.latest - timedelta(minutes=self.rng.randint(3, 240))

    def _on(self, day: date, hour: int, minute: int) -> datetime:
        return datetime.combine(day, time(hour, minute), tzinfo=self.zone)

    def _moment_at_or_before(self, moment: datetime) -> datetime:
        day, clock_time = moment.date(), moment.time()
        if self.is_working(day) and clock_time >= time(9):
            return moment if clock_time <= time(17, 20) else self._on(day, 17, 20)
        return self._on(self.working_day(day - timedelta(days=1), -1), 17, 20)
