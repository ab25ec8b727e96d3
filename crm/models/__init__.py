"""The nouns of Kring: rows, constraints and the words by which they are selected."""

from __future__ import annotations

from crm.models.advocacy import REFERRAL_MOVES, Advocate, Referral, ReferralState
from crm.models.appointments import (
    APPOINTMENT_MOVES,
    MEETS_BY,
    Appointment,
    AppointmentKind,
    AppointmentState,
    AttendeeAnswer,
    BookingLink,
    BusyTime,
    CalendarKind,
    ExternalCalendar,
)
from crm.models.arrivals import LeadTouch, ReceivedMessage
from crm.models.attempts import Attempt, AttemptOutcome
from crm.models.contact import Contacted, ConversationKind, Direction
from crm.models.content import Content, ContentKind, Touch
from crm.models.conversations import Conversation, Promise, PromiseSide, PromiseState
from crm.models.deals import Deal, DealState, LostReason, Pipeline, Stage, StageChange
from crm.models.declining import Alternative, AlternativeKind, DeclineReason, ReadyReason
from crm.models.do_not_contact import DoNotContact, PacingPolicy, Register, RegisterEntry, Scope
from crm.models.events import Event, EventKind
from crm.models.follow_ups import PROMISES, FollowUp, Outcome, Rule, SubjectKind
from crm.models.forms import (
    AssignmentRule,
    CaptureForm,
    FieldKind,
    FormField,
    FormSubmission,
    FormText,
    GivenBecause,
    HookDelivery,
    InboundHook,
    OwnerRule,
    RefusedBecause,
    SubmissionState,
)
from crm.models.hand_offs import HandOff, HandOffQuestion, HandOffState, RejectReason
from crm.models.health import Finding, FindingKind, HealthReading
from crm.models.imports import ImportKind, ImportRun, ImportState, RefusedValue
from crm.models.leads import IN_HAND, LEAD_MOVES, Channel, Lead, LeadStatus, PastAssessment, Verdict
from crm.models.mailboxes import (
    Attachment,
    Mailbox,
    MailExclusion,
    MailFolder,
    MailMessage,
    MailSecurity,
    MailTemplate,
    MessagePlace,
    MessageState,
)
from crm.models.merges import DuplicateReason, Merge, Mergeable, PossibleDuplicate
from crm.models.notices import Digest, Notice, NoticeKind, NoticePreference
from crm.models.organisations import Organisation, Tier
from crm.models.outbox import OutgoingMail
from crm.models.overrides import Gate, Override
from crm.models.people import (
    Acquaintance,
    ContactPointKind,
    EmailAddress,
    LawfulBasis,
    Person,
    PhoneNumber,
    Position,
    Salutation,
)
from crm.models.prospecting import ProspectingBlock, ProspectingItem, ProspectingPlan, Way
from crm.models.rules import RuleRun, RuleSetting, Touched
from crm.models.selections import Ring
from crm.models.users import Absence, Language, Role, Team, User
from crm.models.views import BulkAct, SavedView

__all__ = [
    "PROMISES",
    "Digest",
    "Notice",
    "NoticeKind",
    "NoticePreference",
    "ProspectingBlock",
    "ProspectingItem",
    "ProspectingPlan",
    "RuleRun",
    "RuleSetting",
    "Touched",
    "Way",
    "APPOINTMENT_MOVES",
    "MEETS_BY",
    "Appointment",
    "AppointmentKind",
    "AppointmentState",
    "AttendeeAnswer",
    "BookingLink",
    "BusyTime",
    "CalendarKind",
    "ExternalCalendar",
    "Alternative",
    "AlternativeKind",
    "AssignmentRule",
    "FieldKind",
    "FormField",
    "FormSubmission",
    "FormText",
    "HookDelivery",
    "InboundHook",
    "GivenBecause",
    "OwnerRule",
    "RefusedBecause",
    "SubmissionState",
    "HandOffQuestion",
    "LeadTouch",
    "PastAssessment",
    "ReceivedMessage",
    "RejectReason",
    "Gate",
    "Override",
    "Absence",
    "Acquaintance",
    "ContactPointKind",
    "LawfulBasis",
    "Salutation",
    "Attachment",
    "Mailbox",
    "MailExclusion",
    "MailFolder",
    "MailMessage",
    "MailSecurity",
    "MailTemplate",
    "MessagePlace",
    "MessageState",
    "DuplicateReason",
    "Merge",
    "Mergeable",
    "PossibleDuplicate",
    "DoNotContact",
    "PacingPolicy",
    "Register",
    "RegisterEntry",
    "Scope",
    "Attempt",
    "AttemptOutcome",
    "BulkAct",
    "SavedView",
    "IN_HAND",
    "LEAD_MOVES",
    "REFERRAL_MOVES",
    "Advocate",
    "CaptureForm",
    "Channel",
    "Contacted",
    "Content",
    "ContentKind",
    "Conversation",
    "ConversationKind",
    "Deal",
    "DealState",
    "DeclineReason",
    "ReadyReason",
    "Direction",
    "EmailAddress",
    "Event",
    "EventKind",
    "Finding",
    "FindingKind",
    "FollowUp",
    "HandOff",
    "HandOffState",
    "HealthReading",
    "ImportKind",
    "ImportRun",
    "ImportState",
    "Language",
    "Lead",
    "LeadStatus",
    "LostReason",
    "Organisation",
    "Outcome",
    "OutgoingMail",
    "Person",
    "PhoneNumber",
    "Pipeline",
    "Position",
    "Promise",
    "PromiseSide",
    "PromiseState",
    "Referral",
    "Ring",
    "ReferralState",
    "RefusedValue",
    "Role",
    "Rule",
    "Stage",
    "StageChange",
    "SubjectKind",
    "Team",
    "Tier",
    "Touch",
    "User",
    "Verdict",
]
