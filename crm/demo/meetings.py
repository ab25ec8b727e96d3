"""The agendas of the demo: meetings that were held, one that nobody came to, one that nobody wrote about yet, and what is agreed for the days
to come."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from crm import agenda, appointments, conversations
from crm.appointments import Taken
from crm.demo.walk import Step, Walk
from crm.models import (
    MEETS_BY,
    Appointment,
    AppointmentKind,
    AttendeeAnswer,
    Deal,
    HandOff,
    HandOffState,
    Lead,
    LeadStatus,
    Person,
    User,
)
from crm.refusal import Refused

HELD = 14
"""Meetings of the last months that stand in the agendas."""


class Meetings:
    """Told after the deals that they are about."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.cast, self.days, self.rng = walk, walk.cast, walk.days, walk.rng

    def gather(self) -> None:
        """Each of them is ready to be told."""
        for number in range(HELD):
            self.walk.follow(self.held(number))
        for story in (self.missed(), self.yesterday(), self.to_come(), self.by_link()):
            self.walk.follow(story)

    def held(self, number: int) -> Step[None]:
        """They met as agreed, and what was said is logged."""
        at = self.days.back(150 - 10 * number, 9, 40)
        yield at
        deals = Deal.objects.open().filter(person__isnull=False, appointments__isnull=True)
        deal = deals.select_related("person", "owner").order_by("pk").first()
        if deal is None or deal.person is None or deal.owner is None:
            return
        kind = (AppointmentKind.VIDEO, AppointmentKind.VISIT, AppointmentKind.PHONE)[number % 3]
        moment = self._free(deal.owner, at, after=2, minutes=45)
        if moment is None:
            return
        appointment = appointments.book(
            user=deal.owner,
            person=deal.person,
            deal=deal,
            kind=kind,
            starts_at=moment,
            minutes=45,
            subject=f"{deal.name}: how far are we?",
            place="At their place" if kind == AppointmentKind.VISIT else "",
            travel_minutes=35 if kind == AppointmentKind.VISIT else 0,
            distance_km=28 + number if kind == AppointmentKind.VISIT else None,
            override="" if kind != AppointmentKind.VISIT else "They are our customer.",
            by=self.cast.noor if number % 2 else deal.owner,
            at=at,
        )
        yield at + timedelta(hours=3)
        appointments.answer(appointment=appointment, answer=AttendeeAnswer.ACCEPTED, at=at + timedelta(hours=3))
        after = moment + timedelta(minutes=52)
        yield after
        said = conversations.log(
            people=[deal.person],
            kind=MEETS_BY[kind],
            minutes=45,
            summary="We went through the first weeks and what comes next.",
            has_gain=True,
            has_next_step=True,
            deal=deal,
            by=deal.owner,
            at=after,
        )
        appointments.logged(appointment=appointment, conversation=said, by=deal.owner, at=after)

    def missed(self) -> Step[None]:
        """Somebody did not come."""
        at = self.days.workdays_back(7, 10, 5)
        yield at
        deal = self._deal(self.cast.els)
        moment = self._free(self.cast.els, at, after=1, minutes=30)
        if deal is None or deal.person is None or moment is None:
            return
        appointment = appointments.book(
            user=self.cast.els,
            person=deal.person,
            deal=deal,
            kind=AppointmentKind.VIDEO,
            starts_at=moment,
            minutes=30,
            subject="What the second shift needs",
            by=self.cast.fleur,
            at=at,
        )
        after = moment + timedelta(minutes=40)
        yield after
        appointments.no_show(appointment=appointment, by=self.cast.els, at=after)

    def yesterday(self) -> Step[None]:
        """It took place on the last working day, and nobody has said yet how it went."""
        at = self.days.workdays_back(4, 15, 20)
        yield at
        deal = self._deal(self.cast.joris)
        day = self.days.workdays_back(1, 11).date()
        if deal is None or deal.person is None:
            return
        self._book(
            self.cast.joris, deal.person, day, time(11), AppointmentKind.VIDEO, "First look together", at, deal=deal
        )

    def to_come(self) -> Step[None]:
        """The next days of Joris and Els."""
        at = self.days.workdays_back(1, 16, 5)
        yield at
        joris, els = self.cast.joris, self.cast.els
        offered = HandOff.objects.filter(state=HandOffState.SUBMITTED, to_user=joris, lead__person__isnull=False)
        offer = (
            offered.select_related("lead__person").filter(lead__person__family_name="De Wit").first() or offered.first()
        )
        if offer is not None and offer.lead.person is not None:
            video = self._book(
                joris, offer.lead.person, self.days.ahead(1), time(10, 30), AppointmentKind.VIDEO,
                "Two shifts in spring", at, lead=offer.lead, by=self.cast.noor,
            )  # fmt: skip
            if video is not None:
                yield at + timedelta(minutes=30)
                appointments.answer(appointment=video, answer=AttendeeAnswer.ACCEPTED, at=at + timedelta(minutes=30))
        for user, days, clock, kind in (
            (joris, 0, time(16), AppointmentKind.PHONE),
            (joris, 2, time(13, 30), AppointmentKind.VISIT),
            (els, 1, time(9, 30), AppointmentKind.PHONE),
            (els, 3, time(14), AppointmentKind.VISIT),
        ):
            deal = self._deal(user)
            if deal is not None and deal.person is not None:
                self._book(user, deal.person, self.days.ahead(days), clock, kind, deal.name, at, deal=deal)

    def by_link(self) -> Step[None]:
        """Fleur sent a link to somebody who qualified, who has not chosen yet."""
        at = self.days.workdays_back(1, 11, 45)
        yield at
        leads = Lead.objects.filter(status__in=(LeadStatus.QUALIFIED, LeadStatus.HANDED_OFF), person__isnull=False)
        lead = leads.filter(appointments__isnull=True).select_related("person").order_by("-pk").first()
        if lead is None or lead.person is None:
            return
        appointments.offer_link(
            user=self.cast.els,
            person=lead.person,
            lead=lead,
            kind=AppointmentKind.VIDEO,
            minutes=30,
            subject="Getting to know each other",
            by=self.cast.fleur,
            at=at,
        )

    # ---- With whom, and when ---------------------------------------------------------------------------------------

    def _deal(self, owner: User) -> Deal | None:
        """The newest open deal of this seller that has no appointment to come."""
        rows = Deal.objects.open().filter(owner=owner, person__isnull=False)
        return rows.exclude(appointments__state="booked").select_related("person").order_by("-pk").first()

    def _free(self, user: User, at: datetime, *, after: int, minutes: int) -> datetime | None:
        """The first free time of this seller from so many days after `at` on."""
        start = at + timedelta(days=after)
        slots = agenda.free_slots(
            user,
            minutes=minutes,
            start=start,
            end=start + timedelta(days=7),
            at=at,
            zone=self.days.zone,
            travel_minutes=35,
        )
        return slots[0] if slots else None

    def _book(
        self,
        user: User,
        person: Person,
        day: date,
        clock: time,
        kind: AppointmentKind,
        subject: str,
        at: datetime,
        *,
        lead: Lead | None = None,
        deal: Deal | None = None,
        by: User | None = None,
    ) -> Appointment | None:
        """Agreed for that time, or for the first free one on or after that day; nothing when they cannot be met so."""
        moment = datetime.combine(day, clock, tzinfo=self.days.zone)
        if moment <= self.days.at and day >= self.days.today:
            moment += timedelta(days=1)
        is_visit = kind == AppointmentKind.VISIT
        for _attempt in range(2):
            try:
                return appointments.book(
                    user=user,
                    person=person,
                    lead=lead,
                    deal=deal,
                    kind=kind,
                    starts_at=moment,
                    minutes=60 if is_visit else 30,
                    subject=subject,
                    place="At their place" if is_visit else "",
                    travel_minutes=30 if is_visit else 0,
                    distance_km=31 if is_visit else None,
                    override="They asked for it themselves." if is_visit else "",
                    by=by or user,
                    at=at,
                )
            except Taken as taken:
                if not taken.free:
                    return None
                moment = taken.free[0]
            except Refused:
                return None
        return None
