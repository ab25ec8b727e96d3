"""Agreed meetings, the links by which a prospect books one, and when somebody is busy elsewhere."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from crm.models.contact import ConversationKind
from crm.models.deals import Deal
from crm.models.leads import Lead
from crm.models.organisations import Organisation
from crm.models.people import Person
from crm.models.users import Language


class AppointmentKind(models.TextChoices):
    PHONE = "phone", _("phone")
    VIDEO = "video", _("video")
    VISIT = "visit", _("visit")


MEETS_BY: dict[str, ConversationKind] = {
    AppointmentKind.PHONE: ConversationKind.CALL,
    AppointmentKind.VIDEO: ConversationKind.VIDEO,
    AppointmentKind.VISIT: ConversationKind.VISIT,
}
"""What kind of conversation it is when they meet so."""


class AppointmentState(models.TextChoices):
    BOOKED = "booked", _("agreed")
    HELD = "held", _("held")
    NO_SHOW = "no_show", _("they did not come")
    CANCELLED = "cancelled", _("cancelled")


APPOINTMENT_MOVES: dict[str, frozenset[str]] = {
    AppointmentState.BOOKED: frozenset({AppointmentState.HELD, AppointmentState.NO_SHOW, AppointmentState.CANCELLED}),
    AppointmentState.HELD: frozenset({AppointmentState.NO_SHOW}),
    AppointmentState.NO_SHOW: frozenset({AppointmentState.HELD}),
    AppointmentState.CANCELLED: frozenset(),
}
"""From which state an appointment may go where. One that is moved stays *agreed*, with a new time and a higher `sequence`."""


class AttendeeAnswer(models.TextChoices):
    """What an invitation was answered (PARTSTAT of RFC 5545)."""

    NONE = "none", _("no answer yet")
    ACCEPTED = "accepted", _("accepted")
    TENTATIVE = "tentative", _("perhaps")
    DECLINED = "declined", _("declined")


class BookingLink(models.Model):
    """The right to book one appointment with one account manager, at /book/<token>/, and to move or cancel that one."""

    token = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="booking_links",
        verbose_name=_("with whom"),
    )
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, null=True, blank=True, related_name="booking_links")
    deal = models.ForeignKey(Deal, on_delete=models.CASCADE, null=True, blank=True, related_name="booking_links")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="booking_links")
    kind = models.CharField(_("how"), max_length=5, choices=AppointmentKind, default=AppointmentKind.VIDEO)
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=30)
    subject = models.CharField(_("subject"), max_length=200)
    place = models.CharField(_("where"), max_length=300, blank=True)
    travel_minutes = models.PositiveSmallIntegerField(_("minutes of travel, one way"), default=0)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.ENGLISH)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("made on"))
    expires_at = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(_("revoked on"), null=True, blank=True)
    override = models.CharField(_("why before qualified"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("booking link")
        verbose_name_plural = _("booking links")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AppointmentKind.values), name="booking_link_kind_known"),
            models.CheckConstraint(condition=Q(minutes__gte=5, minutes__lte=480), name="booking_link_length"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("made_at")), name="booking_link_expires_later"),
        ]

    def __str__(self) -> str:
        return f"{self.person} → {self.user}"

    def is_open(self, at: datetime) -> bool:
        """Whether something can be booked by it at `at`."""
        return self.revoked_at is None and at < self.expires_at


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def standing(self) -> AppointmentQuerySet:
        """Those that take place, or took place: everything but the cancelled ones."""
        return self.exclude(state=AppointmentState.CANCELLED)

    def booked(self) -> AppointmentQuerySet:
        return self.filter(state=AppointmentState.BOOKED)

    def for_list(self) -> AppointmentQuerySet:
        """With everything a row of the agenda shows."""
        return self.select_related("user", "person", "organisation", "lead", "deal", "booked_by")


class Appointment(models.Model):
    """An agreed meeting: phone, video or visit (with kilometres). Nobody has two at the same time: the database refuses.

    `blocked_from` and `blocked_until` are its time with the travel and the breathing space around it; that is what must not overlap. Moving it keeps
    `uid` and raises `sequence`, so that calendars elsewhere follow (RFC 5546). All moments are aware; `time_zone` is the prospect's.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("with whom")
    )
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="appointments")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.SET_NULL, null=True, blank=True, related_name="appointments"
    )
    lead = models.ForeignKey(Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="appointments")
    deal = models.ForeignKey(Deal, on_delete=models.SET_NULL, null=True, blank=True, related_name="appointments")
    link = models.ForeignKey(BookingLink, on_delete=models.SET_NULL, null=True, blank=True, related_name="appointments")
    kind = models.CharField(_("how"), max_length=5, choices=AppointmentKind, default=AppointmentKind.VIDEO)
    subject = models.CharField(_("subject"), max_length=200)
    note = models.TextField(_("what it is about"), blank=True)
    place = models.CharField(
        _("where"), max_length=300, blank=True, help_text=_("An address, a link, or the number to call.")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    blocked_from = models.DateTimeField()
    blocked_until = models.DateTimeField()
    time_zone = models.CharField(_("their time zone"), max_length=64)
    distance_km = models.PositiveIntegerField(_("kilometres there"), null=True, blank=True)
    travel_minutes = models.PositiveSmallIntegerField(_("minutes of travel, one way"), default=0)
    state = models.CharField(_("state"), max_length=9, choices=AppointmentState, default=AppointmentState.BOOKED)
    state_at = models.DateTimeField(_("since"))
    state_why = models.CharField(_("why"), max_length=300, blank=True)
    uid = models.CharField(max_length=255, unique=True, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    invited_at = models.CharField(
        _("invited at"), max_length=254, blank=True, help_text=_("The address to which their invitation went.")
    )
    answer = models.CharField(
        _("their answer"), max_length=9, choices=AttendeeAnswer, default=AttendeeAnswer.NONE, db_default="none"
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    host_answer = models.CharField(
        _("answer of the host"), max_length=9, choices=AttendeeAnswer, default=AttendeeAnswer.NONE, db_default="none"
    )
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: the prospect booked it by a link."),
    )
    booked_at = models.DateTimeField(_("booked on"))
    conversation = models.OneToOneField(
        "crm.Conversation", on_delete=models.SET_NULL, null=True, blank=True, related_name="appointment"
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        constraints = [
            ExclusionConstraint(
                name="appointment_one_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    (
                        Func("blocked_from", "blocked_until", function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(state="booked"),
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_ends_after_start"),
            models.CheckConstraint(
                condition=Q(blocked_from__lte=F("starts_at"), blocked_until__gte=F("ends_at")),
                name="appointment_blocks_itself",
            ),
            models.CheckConstraint(condition=Q(kind__in=AppointmentKind.values), name="appointment_kind_known"),
            models.CheckConstraint(condition=Q(state__in=AppointmentState.values), name="appointment_state_known"),
            models.CheckConstraint(
                condition=Q(answer__in=AttendeeAnswer.values, host_answer__in=AttendeeAnswer.values),
                name="appointment_answer_known",
            ),
            models.UniqueConstraint(
                fields=["link"], condition=Q(state="booked", link__isnull=False), name="appointment_one_per_link"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "starts_at", "id"], name="appointment_agenda"),
            models.Index(fields=["lead", "starts_at"], name="appointment_by_lead"),
            models.Index(fields=["person", "starts_at"], name="appointment_by_person"),
            models.Index(fields=["deal", "starts_at"], name="appointment_by_deal"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.starts_at:%Y-%m-%d %H:%M}"

    def may_move_to(self, state: str) -> bool:
        return state in APPOINTMENT_MOVES[self.state]


class CalendarKind(models.TextChoices):
    ICS = "ics", _("calendar address (ICS)")
    CALDAV = "caldav", _("CalDAV")


class ExternalCalendarQuerySet(models.QuerySet["ExternalCalendar"]):
    def due(self, at: datetime) -> ExternalCalendarQuerySet:
        """Those in use that nobody is reading at this moment."""
        return self.filter(is_active=True).filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=at))


class ExternalCalendar(models.Model):
    """A calendar of one's own elsewhere, read for when one is busy and for nothing else. Address and password stand here sealed (`crm.sealed`),
    since the address of a private calendar is a key. A worker claims one by moving `claimed_until` on."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="external_calendars")
    kind = models.CharField(_("kind"), max_length=6, choices=CalendarKind, default=CalendarKind.ICS)
    name = models.CharField(_("name"), max_length=100)
    sealed_url = models.TextField(editable=False)
    username = models.CharField(_("user name"), max_length=254, blank=True)
    sealed_password = models.TextField(editable=False, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(_("last read"), null=True, blank=True)
    failure = models.TextField(_("what went wrong"), blank=True)
    failing_since = models.DateTimeField(_("going wrong since"), null=True, blank=True)
    created_at = models.DateTimeField(_("connected on"))

    objects = ExternalCalendarQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar elsewhere")
        verbose_name_plural = _("calendars elsewhere")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="external_calendar_name_once"),
            models.CheckConstraint(condition=Q(kind__in=CalendarKind.values), name="external_calendar_kind_known"),
            models.CheckConstraint(
                condition=Q(failure="", failing_since__isnull=True) | (~Q(failure="") & Q(failing_since__isnull=False)),
                name="external_calendar_failure_dated",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BusyTime(models.Model):
    """A stretch of time in which somebody is busy elsewhere. What for is nobody's business, so it is not kept."""

    calendar = models.ForeignKey(ExternalCalendar, on_delete=models.CASCADE, related_name="busy_times")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("busy time")
        verbose_name_plural = _("busy times")
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="busy_time_has_length")]
        indexes = [models.Index(fields=["calendar", "starts_at", "ends_at"], name="busy_time_by_calendar")]

    def __str__(self) -> str:
        return f"{self.starts_at} – {self.ends_at}"
