"""The append-only memory: one row for each thing that happened. Timeline and audit are these rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from crm.models.deals import Deal
from crm.models.follow_ups import SubjectKind
from crm.models.leads import Lead
from crm.models.organisations import Organisation
from crm.models.people import Person


class EventKind(models.TextChoices):
    """What happened, as it reads in a timeline."""

    LEAD_RECEIVED = "lead.received", _("Lead received")
    LEAD_TAKEN = "lead.taken", _("Taken in hand")
    LEAD_ANSWERED = "lead.answered", _("First answer sent")
    LEAD_ASSIGNED = "lead.assigned", _("Given to somebody")
    LEAD_ANSWER_SCORED = "lead.criterion_answered", _("Question of the scorecard answered")
    LEAD_QUALIFIED = "lead.qualified", _("Qualified: both say yes")
    LEAD_DECLINED = "lead.declined", _("Declined")
    LEAD_NURTURED = "lead.nurtured", _("To be nurtured")
    LEAD_REOPENED = "lead.reopened", _("Taken up again")
    LEAD_RETURNED = "lead.returned", _("Returned to the pool")
    LEAD_WROTE_AGAIN = "lead.wrote_again", _("Wrote again")
    LEAD_QUESTIONED = "lead.questioned", _("Need to know more")
    LEAD_REASSESSED = "lead.reassessed", _("Judged anew")
    LEAD_EVALUATED = "lead.evaluated", _("Looked back on our no")
    LEAD_DISTANCE_SET = "lead.distance", _("Distance noted")
    GATE_OVERRIDDEN = "gate.overridden", _("Went on before both said yes")
    HAND_OFF_ASKED = "hand_off.asked", _("Asked back about a hand-off")
    HAND_OFF_TOLD = "hand_off.told", _("Question about a hand-off answered")
    HAND_OFF_ESCALATED = "hand_off.escalated", _("Hand-off waits too long")
    APPOINTMENT_BOOKED = "appointment.booked", _("Appointment made")
    APPOINTMENT_MOVED = "appointment.moved", _("Appointment moved")
    APPOINTMENT_CANCELLED = "appointment.cancelled", _("Appointment cancelled")
    APPOINTMENT_ANSWERED = "appointment.answered", _("Invitation answered")
    APPOINTMENT_HELD = "appointment.held", _("Appointment held")
    APPOINTMENT_NO_SHOW = "appointment.no_show", _("They did not come")
    BOOKING_OFFERED = "booking.offered", _("Link to book an appointment made")
    BOOKING_REVOKED = "booking.revoked", _("Link to book an appointment revoked")
    HAND_OFF_SUBMITTED = "hand_off.submitted", _("Handed off")
    HAND_OFF_ACCEPTED = "hand_off.accepted", _("Hand-off accepted")
    HAND_OFF_REJECTED = "hand_off.rejected", _("Hand-off rejected")
    DEAL_OPENED = "deal.opened", _("Deal opened")
    DEAL_MOVED = "deal.moved", _("Deal moved")
    DEAL_CHANGED = "deal.changed", _("Deal changed")
    DEAL_STEP_SET = "deal.step_set", _("Next step agreed")
    DEAL_WON = "deal.won", _("Won")
    DEAL_LOST = "deal.lost", _("Lost")
    CONVERSATION_LOGGED = "conversation.logged", _("Conversation logged")
    CONVERSATION_CHANGED = "conversation.changed", _("Conversation changed")
    CONVERSATION_DELETED = "conversation.deleted", _("Conversation removed")
    PROMISE_MADE = "promise.made", _("Promise made")
    PROMISE_KEPT = "promise.kept", _("Promise kept")
    PROMISE_BROKEN = "promise.broken", _("Promise broken")
    PROMISE_MOVED = "promise.moved", _("Promise moved")
    PROMISE_CHANGED = "promise.changed", _("Promise put in other words")
    PROMISE_REOPENED = "promise.reopened", _("Promise open again")
    FOLLOW_UP_MADE = "follow_up.made", _("Follow-up made")
    FOLLOW_UP_DONE = "follow_up.done", _("Follow-up done")
    FOLLOW_UP_NOT_NEEDED = "follow_up.not_needed", _("Follow-up not needed")
    FOLLOW_UP_PUT_OFF = "follow_up.put_off", _("Follow-up put off")
    REFERRAL_ASKED = "referral.asked", _("Asked for a referral")
    REFERRAL_PROMISED = "referral.promised", _("Introduction promised")
    REFERRAL_INTRODUCED = "referral.introduced", _("Introduced somebody")
    REFERRAL_MOVED = "referral.moved", _("Referral went on")
    REFERRAL_THANKED = "referral.thanked", _("Thanked for a referral")
    ADVOCATE_NAMED = "advocate.named", _("Became an advocate")
    PERSON_MADE = "person.made", _("Person added")
    PERSON_CHANGED = "person.changed", _("Person changed")
    ORGANISATION_MADE = "organisation.made", _("Organisation added")
    ORGANISATION_CHANGED = "organisation.changed", _("Organisation changed")
    ATTEMPT_MADE = "attempt.made", _("Tried to reach")
    ATTEMPT_ENDED = "attempt.ended", _("How the call ended")
    PERSON_MERGED = "person.merged", _("Two people are one")
    PERSON_UNMERGED = "person.unmerged", _("Merge undone")
    ORGANISATION_MERGED = "organisation.merged", _("Two organisations are one")
    ORGANISATION_UNMERGED = "organisation.unmerged", _("Merge undone")
    CONTACT_BARRED = "contact.barred", _("To be left in peace")
    CONTACT_ALLOWED = "contact.allowed", _("May be contacted again")
    PACING_OVERRIDDEN = "pacing.overridden", _("Contacted sooner than agreed")
    PACING_CHANGED = "pacing.changed", _("Pacing changed")
    REGISTER_LOADED = "register.loaded", _("Register loaded")
    MAIL_HELD = "mail.held", _("Mail held back")
    MAIL_BOUNCED = "mail.bounced", _("Mail came back")
    MAILBOX_CONNECTED = "mailbox.connected", _("Mailbox connected")
    MAILBOX_CHANGED = "mailbox.changed", _("Mailbox changed")
    MAILBOX_DISCONNECTED = "mailbox.disconnected", _("Mailbox disconnected")
    BULK_CHANGED = "bulk.changed", _("Changed together with others")
    BULK_UNDONE = "bulk.undone", _("Change of many taken back")
    LIST_EXPORTED = "list.exported", _("List downloaded")
    FORM_CHANGED = "form.changed", _("Form changed")
    SUBMISSION_REFUSED = "submission.refused", _("Message refused, to be looked at")
    SUBMISSION_TAKEN = "submission.taken", _("Refused message taken in")
    SUBMISSION_DROPPED = "submission.dropped", _("Refused message dropped")
    CONTENT_CHANGED = "content.changed", _("Piece of content changed")
    HOOK_CHANGED = "hook.changed", _("Webhook changed")
    ASSIGNMENT_CHANGED = "assignment.changed", _("Rules of assignment changed")
    TEAM_CHANGED = "team.changed", _("Team changed")
    ABSENCE_SET = "absence.set", _("Absence noted")
    ABSENCE_REMOVED = "absence.removed", _("Absence removed")
    SCORECARD_CHANGED = "scorecard.changed", _("Scorecard changed")
    REASON_CHANGED = "reason.changed", _("Reason to decline changed")
    ALTERNATIVE_CHANGED = "alternative.changed", _("Alternative changed")
    CALENDAR_CONNECTED = "calendar.connected", _("Calendar connected")
    CALENDAR_DISCONNECTED = "calendar.disconnected", _("Calendar disconnected")
    FEED_CHANGED = "feed.changed", _("Calendar feed renewed or revoked")
    AGENDA_CHANGED = "agenda.changed", _("Working hours changed")
    RULE_CHANGED = "rule.changed", _("Rule of the follow-ups changed")
    BLOCK_STARTED = "block.started", _("Half hour begun")
    BLOCK_ENDED = "block.ended", _("Half hour ended")
    BLOCK_CORRECTED = "block.corrected", _("Minutes of the half hour corrected")
    PROSPECTED = "block.prospected", _("Done in the half hour")
    IMPORT_RUN = "import.run", _("File imported")


class EventQuerySet(models.QuerySet["Event"]):
    def for_timeline(self) -> EventQuerySet:
        """Newest first, with who did it."""
        return self.select_related("by").order_by("-at", "-id")


class Event(models.Model):
    """One thing that happened: what, to what, by whom, when, old and new value. The database refuses to change or delete a row."""

    kind = models.CharField(_("what"), max_length=30, choices=EventKind)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
    )
    subject_kind = models.CharField(max_length=12, choices=SubjectKind)
    subject_id = models.BigIntegerField()
    person = models.ForeignKey(
        Person, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="events", db_constraint=False
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="events", db_constraint=False
    )
    lead = models.ForeignKey(
        Lead, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="events", db_constraint=False
    )
    deal = models.ForeignKey(
        Deal, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="events", db_constraint=False
    )
    old = models.JSONField(_("before"), null=True, blank=True)
    new = models.JSONField(_("after"), null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index("person", F("at").desc(), name="event_by_person", condition=models.Q(person__isnull=False)),
            models.Index(
                "organisation",
                F("at").desc(),
                name="event_by_organisation",
                condition=models.Q(organisation__isnull=False),
            ),
            models.Index("lead", F("at").desc(), name="event_by_lead", condition=models.Q(lead__isnull=False)),
            models.Index("deal", F("at").desc(), name="event_by_deal", condition=models.Q(deal__isnull=False)),
            models.Index(fields=["subject_kind", "subject_id"], name="event_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_kind} {self.subject_id}"
