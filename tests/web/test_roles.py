"""Who may open and do what: one line for each address of the site, tried by everybody on everybody's rows.

The addresses are taken from the site itself, so one without a line here fails, and so does a line without an address. Each line is tried as
anonymous, SDR, account manager, manager and administrator, on a row of their own, of a team mate, of another team and of nobody.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from crm import (
    agenda,
    appointments,
    calendars,
    follow_ups,
    imports,
    mail_templates,
    merging,
    scorecards,
    submissions,
    unsubscribing,
)
from crm.models import (
    Absence,
    Appointment,
    Attempt,
    BookingLink,
    BulkAct,
    CaptureForm,
    Content,
    Conversation,
    Deal,
    EmailAddress,
    ExternalCalendar,
    FieldKind,
    FollowUp,
    FormField,
    FormSubmission,
    HandOff,
    ImportRun,
    InboundHook,
    Lead,
    Mailbox,
    MailExclusion,
    MailMessage,
    MessageState,
    Notice,
    Organisation,
    OutgoingMail,
    Person,
    PhoneNumber,
    Position,
    Promise,
    ProspectingBlock,
    Referral,
    RefusedBecause,
    Role,
    SavedView,
    SubmissionState,
    User,
)
from qualification.models import Scorecard
from tests import make


class Who(Enum):
    PUBLIC = "anybody, without a login"
    SIGNED = "programs that sign what they post; nobody else, whoever they are"
    READ = "everybody who works here"
    WRITE = "the owner, their team and those who lead; everybody when nobody owns it"
    SENT = "who wrote it, their team and those who lead; what Kring wrote itself, those who lead alone"
    ANSWER = "whom it is offered to, their team and those who lead, and never an SDR"
    MINE = "its owner alone, whoever leads; what nobody owns is shared, and for those who lead"
    ALONE = "its owner alone; for anybody else it is not there"
    DOER = "whoever made it, and those who lead"
    LEADING = "managers and administrators"
    ADMIN = "administrators, who configure"


PUBLIC, SIGNED, READ, WRITE, SENT, ANSWER, MINE, ALONE, DOER, LEADING, ADMIN = Who

TABLE: list[tuple[str, str, Who, str]] = [
    # address                    method      who      which row, and what else the address needs
    ("crm:today", "GET", READ, ""),
    ("crm:today-now", "GET", READ, ""),
    ("crm:home", "GET", READ, "goes on"),
    # the half hour: everybody has their own, and that of somebody else is not there
    ("crm:prospecting", "GET", READ, ""),
    ("crm:prospecting-plan", "GET POST", READ, ""),
    ("crm:prospecting-propose", "POST", READ, ""),
    ("crm:prospecting-day", "GET POST", ALONE, "half_hour"),
    ("crm:prospecting-start", "POST", ALONE, "half_hour"),
    ("crm:prospecting-beat", "POST", ALONE, "half_hour"),
    ("crm:prospecting-pause", "POST", ALONE, "half_hour"),
    ("crm:prospecting-end", "POST", ALONE, "half_hour"),
    ("crm:prospecting-more", "POST", ALONE, "half_hour"),
    ("crm:prospecting-done", "POST", ALONE, "thing"),
    ("crm:prospecting-leave-out", "POST", ALONE, "thing"),
    ("crm:prospecting-undo", "POST", ALONE, "thing"),
    ("crm:prospecting-take-along", "POST", ALONE, "thing"),
    ("crm:preferences", "GET POST", READ, ""),
    ("crm:language", "POST", PUBLIC, ""),
    # days away: one's own, and everybody's for those who lead
    ("crm:absences", "GET POST", READ, ""),
    ("crm:absence-remove", "POST", DOER, "day_away"),
    ("crm:team-absences", "GET POST", LEADING, ""),
    # teams, and who gets a lead
    ("crm:teams", "GET", LEADING, ""),
    ("crm:team-new", "GET POST", ADMIN, ""),
    ("crm:team", "GET POST", ADMIN, "team"),
    ("crm:team-remove", "POST", ADMIN, "team"),
    ("crm:rules", "GET", LEADING, ""),
    ("crm:rule", "GET", LEADING, "keep_in_touch"),
    ("crm:rule-change", "POST", ADMIN, "keep_in_touch"),
    ("crm:rule-reset", "POST", ADMIN, "keep_in_touch"),
    ("crm:assignment", "GET", LEADING, ""),
    ("crm:assignment-rule-new", "GET POST", ADMIN, ""),
    ("crm:assignment-rule", "GET POST", ADMIN, "rule"),
    ("crm:assignment-rule-move", "POST", ADMIN, "rule"),
    ("crm:assignment-rule-remove", "POST", ADMIN, "rule"),
    ("crm:assignment-share", "POST", LEADING, "sdr"),
    ("crm:search", "GET", READ, "?q=num"),
    ("crm:offline", "GET", PUBLIC, ""),
    ("crm:service-worker", "GET", PUBLIC, ""),
    ("crm:read-along", "GET", PUBLIC, ""),
    ("crm:inbound", "POST", SIGNED, "hook_slug"),
    ("crm:healthz", "GET", PUBLIC, ""),
    ("crm:readyz", "GET", PUBLIC, ""),
    # the public form
    ("crm:form", "GET POST", PUBLIC, "form"),
    ("crm:form-thanks", "GET", PUBLIC, "form"),
    ("crm:form-confirm", "GET POST", PUBLIC, "sent"),
    # the agenda: everybody looks; an appointment is changed by its host, by who arranged it and their teams; whoever has a link uses it
    ("crm:agenda", "GET", READ, ""),
    ("crm:agenda-settings", "GET POST", READ, ""),
    ("crm:appointment-new", "GET POST", WRITE, "?lead={lead}"),
    ("crm:appointment-new", "GET POST", WRITE, "?deal={deal}"),
    ("crm:appointment-new", "GET POST", WRITE, "?person={person}"),
    ("crm:booking-link-new", "GET POST", WRITE, "?lead={lead}"),
    ("crm:booking-link-new", "GET POST", WRITE, "?deal={deal}"),
    ("crm:booking-link-new", "GET POST", WRITE, "?person={person}"),
    ("crm:booking-link", "GET", WRITE, "booking_link"),
    ("crm:booking-link-revoke", "POST", WRITE, "booking_link"),
    ("crm:appointment", "GET", READ, "appointment"),
    ("crm:appointment-move", "GET POST", WRITE, "appointment"),
    ("crm:appointment-cancel", "GET POST", WRITE, "appointment"),
    ("crm:appointment-held", "POST", WRITE, "appointment"),
    ("crm:appointment-no-show", "POST", WRITE, "appointment"),
    ("crm:book", "GET POST", PUBLIC, "token"),
    ("crm:book-move", "GET POST", PUBLIC, "token"),
    ("crm:book-cancel", "GET POST", PUBLIC, "token"),
    ("crm:book-file", "GET", PUBLIC, "token"),
    # follow-ups
    ("crm:follow-up-new", "GET POST", READ, ""),
    ("crm:follow-up-new", "GET POST", READ, "?deal={deal}"),
    ("crm:follow-up-done", "POST", WRITE, "follow_up"),
    ("crm:follow-up-later", "POST", WRITE, "follow_up"),
    ("crm:follow-up-not-needed", "POST", WRITE, "follow_up"),
    ("crm:follow-up-reopen", "POST", WRITE, "follow_up"),
    ("crm:follow-up-bring-back", "POST", WRITE, "follow_up"),
    # leads
    ("crm:inbox", "GET", READ, ""),
    ("crm:lead-new", "GET POST", READ, ""),
    ("crm:lead-new", "GET POST", READ, "?person={person}"),
    ("crm:lead", "GET", READ, "lead"),
    ("crm:lead-criterion", "POST", WRITE, "lead criterion"),
    ("crm:lead-take", "POST", WRITE, "lead"),
    ("crm:lead-assign", "GET POST", WRITE, "lead"),
    ("crm:lead-answer", "GET POST", WRITE, "lead"),
    ("crm:lead-qualify", "GET POST", WRITE, "lead"),
    ("crm:lead-ask-first", "GET POST", WRITE, "lead"),
    ("crm:lead-question-answered", "GET POST", WRITE, "lead"),
    ("crm:lead-judge-anew", "POST", WRITE, "lead"),
    ("crm:lead-look-back", "GET POST", WRITE, "lead"),
    ("crm:lead-distance", "GET POST", WRITE, "lead"),
    ("crm:lead-nurture", "GET POST", WRITE, "lead"),
    ("crm:lead-decline", "GET POST", WRITE, "lead"),
    ("crm:lead-reopen", "POST", WRITE, "lead"),
    ("crm:lead-hand-off", "GET POST", WRITE, "lead"),
    # hand-offs belong to whom they are offered to
    ("crm:hand-offs", "GET", READ, ""),
    ("crm:hand-off", "GET", READ, "hand_off"),
    ("crm:hand-off-accept", "POST", ANSWER, "hand_off"),
    ("crm:hand-off-reject", "POST", ANSWER, "hand_off"),
    ("crm:hand-off-ask", "POST", ANSWER, "hand_off"),
    ("crm:hand-off-tell", "POST", WRITE, "given"),
    ("crm:hand-off-redirect", "GET POST", LEADING, "hand_off"),
    ("crm:hand-off-report", "GET", READ, ""),
    ("crm:hand-off-report-list", "GET", READ, "?from_user=1&state=held"),
    # deals
    ("crm:board", "GET", READ, ""),
    ("crm:deals", "GET", READ, ""),
    ("crm:deal-new", "GET", READ, ""),
    ("crm:deal-new", "GET POST", WRITE, "?organisation={organisation}"),
    ("crm:deal", "GET", READ, "deal"),
    ("crm:deal-step", "POST", WRITE, "deal"),
    ("crm:deal-change", "POST", WRITE, "deal"),
    ("crm:deal-move", "POST", WRITE, "deal stage"),
    ("crm:deal-win", "GET POST", WRITE, "deal"),
    ("crm:deal-lose", "GET POST", WRITE, "deal"),
    # the circle
    ("crm:circle", "GET", READ, ""),
    ("crm:referral-ask", "GET", READ, ""),
    ("crm:referral-ask", "GET", WRITE, "?deal={deal}"),
    ("crm:referral-ask", "GET", WRITE, "?person={person}"),
    ("crm:referral", "GET", READ, "referral"),
    ("crm:referral-promise", "POST", WRITE, "referral"),
    ("crm:referral-introduce", "POST", WRITE, "referral"),
    ("crm:referral-act", "POST", WRITE, "referral act"),
    ("crm:advocate-name", "POST", WRITE, "person"),
    # people and organisations; an address, a number and a job belong to whom their person belongs to
    ("crm:people", "GET", READ, ""),
    ("crm:person-new", "GET POST", READ, ""),
    ("crm:person", "GET", READ, "person"),
    ("crm:person-edit", "GET POST", WRITE, "person"),
    ("crm:email-add", "POST", WRITE, "person"),
    ("crm:phone-add", "POST", WRITE, "person"),
    ("crm:position-add", "GET POST", WRITE, "person"),
    ("crm:not-before-set", "POST", WRITE, "person"),
    ("crm:not-before-lift", "POST", WRITE, "person"),
    # whoever may write both rows may say whether they are one, and take it back
    ("crm:duplicates", "GET", READ, ""),
    ("crm:duplicate", "GET", READ, "pair"),
    ("crm:duplicate-dismiss", "POST", WRITE, "pair"),
    ("crm:merges", "GET", READ, ""),
    ("crm:merge-undo", "POST", WRITE, "merge"),
    ("crm:person-merge", "GET POST", WRITE, "person"),
    ("crm:person-merge", "GET POST", WRITE, "person ?with={left}"),
    ("crm:organisation-merge", "GET POST", WRITE, "organisation"),
    ("crm:acquaintance-add", "POST", WRITE, "person"),
    ("crm:acquaintance-remove", "POST", WRITE, "person"),
    ("crm:word-add", "POST", WRITE, "person words"),
    ("crm:word-remove", "POST", WRITE, "person words"),
    ("crm:words", "GET", READ, "words"),
    ("crm:email-remove", "POST", WRITE, "email"),
    ("crm:email-prefer", "POST", WRITE, "email"),
    ("crm:email-confirm", "POST", WRITE, "email"),
    ("crm:email-change", "POST", WRITE, "email"),
    ("crm:email-works-again", "POST", WRITE, "email"),
    ("crm:phone-remove", "POST", WRITE, "phone"),
    ("crm:phone-prefer", "POST", WRITE, "phone"),
    ("crm:phone-confirm", "POST", WRITE, "phone"),
    ("crm:phone-change", "POST", WRITE, "phone"),
    ("crm:position-change", "GET POST", WRITE, "position"),
    ("crm:position-end", "POST", WRITE, "position"),
    ("crm:position-main", "POST", WRITE, "position"),
    ("crm:position-remove", "POST", WRITE, "position"),
    ("crm:organisations", "GET", READ, ""),
    # lists: views belong to whoever keeps them, acts on many to whoever did them; what is changed or taken along is narrowed row by row
    ("crm:views", "GET", READ, "screen"),
    ("crm:view-save", "POST", READ, "screen"),
    ("crm:view-change", "POST", MINE, "view"),
    ("crm:view-remove", "POST", DOER, "view"),
    ("crm:bulk", "POST", READ, "screen"),
    ("crm:bulk-do", "POST", READ, "screen"),
    ("crm:bulk-acts", "GET", READ, ""),
    ("crm:bulk-undo", "POST", DOER, "bulk_act"),
    ("crm:list-download", "GET POST", READ, "screen"),
    ("crm:organisation-new", "GET POST", READ, ""),
    ("crm:organisation", "GET", READ, "organisation"),
    ("crm:organisation-edit", "GET POST", WRITE, "organisation"),
    # conversations belong to whoever had them; what is logged about a row needs its row
    ("crm:conversation-new", "GET", READ, ""),
    ("crm:conversation-new", "GET POST", WRITE, "?person={person}"),
    ("crm:conversation-new", "GET POST", WRITE, "?lead={lead}"),
    ("crm:conversation-new", "GET POST", WRITE, "?deal={deal}"),
    ("crm:conversation-new", "GET POST", WRITE, "?organisation={organisation}"),
    ("crm:conversation-new", "GET POST", WRITE, "?appointment={appointment}"),
    ("crm:conversation", "GET", READ, "conversation"),
    ("crm:conversation-edit", "GET POST", WRITE, "conversation"),
    ("crm:conversation-private", "POST", WRITE, "conversation"),
    ("crm:conversation-show", "POST", WRITE, "conversation"),
    ("crm:conversation-delete", "GET POST", WRITE, "conversation"),
    # calls: whoever may write the person may call them; how it ended is said by whoever called
    ("crm:call", "GET POST", WRITE, "person"),
    ("crm:attempt", "GET", WRITE, "attempt"),
    ("crm:attempt-end", "POST", WRITE, "attempt"),
    # mailboxes, and whose mail stays out
    ("crm:mailboxes", "GET", READ, ""),
    ("crm:mailbox-new", "GET POST", READ, ""),
    ("crm:mailbox-new", "GET POST", LEADING, "?shared=1&at=own"),
    ("crm:mailbox", "GET", MINE, "mailbox"),
    ("crm:mailbox-edit", "GET POST", MINE, "mailbox"),
    ("crm:mailbox-folders", "GET POST", MINE, "mailbox"),
    ("crm:mailbox-leads", "GET POST", MINE, "mailbox"),
    ("crm:mailbox-look", "POST", MINE, "mailbox"),
    ("crm:mailbox-pause", "POST", MINE, "mailbox"),
    ("crm:mailbox-resume", "POST", MINE, "mailbox"),
    ("crm:mailbox-disconnect", "GET POST", MINE, "mailbox"),
    ("crm:message-again", "POST", MINE, "mailbox message"),
    ("crm:message-drop", "POST", MINE, "mailbox message"),
    # calendars elsewhere are their owner's alone; whoever has the address of a feed reads it
    ("crm:calendars", "GET", READ, ""),
    ("crm:calendar-new", "GET POST", READ, ""),
    ("crm:calendar", "GET POST", MINE, "calendar"),
    ("crm:calendar-look", "POST", MINE, "calendar"),
    ("crm:calendar-disconnect", "GET POST", MINE, "calendar"),
    ("crm:feed-renew", "POST", READ, ""),
    ("crm:feed-revoke", "POST", READ, ""),
    ("crm:feed", "GET", PUBLIC, "feed"),
    ("crm:forwarding-renew", "POST", READ, ""),
    ("crm:private-addresses", "GET POST", READ, ""),
    ("crm:private-address-remove", "POST", MINE, "exclusion"),
    ("crm:absence-answer", "POST", WRITE, "person absence"),
    # mail: that of a colleague is decided on by who wrote it; a template is its owner's or everybody's
    ("crm:mail-new", "GET", READ, ""),
    ("crm:mail-new", "GET POST", WRITE, "?person={person}"),
    ("crm:mail-new", "GET POST", WRITE, "?deal={deal}"),
    ("crm:mail-new", "GET POST", WRITE, "?lead={lead}"),
    ("crm:mail-several", "POST", READ, ""),
    ("crm:outgoing", "GET", READ, ""),
    ("crm:mail-cancel", "POST", SENT, "outgoing"),
    ("crm:mail-release", "POST", SENT, "outgoing"),
    ("crm:mail-again", "POST", SENT, "outgoing"),
    ("crm:mail-file", "GET", READ, "file"),
    ("crm:mail-templates", "GET", READ, ""),
    ("crm:mail-template-new", "GET POST", READ, ""),
    ("crm:mail-template", "GET POST", LEADING, "template"),
    ("crm:mail-template-remove", "POST", LEADING, "template"),
    ("crm:unsubscribe", "GET POST", PUBLIC, "link"),
    # notices are each colleague's own; names of colleagues are known to all
    ("crm:notices", "GET", READ, ""),
    ("crm:notices-newest", "GET", READ, "goes on"),
    ("crm:notices-count", "GET", READ, "?shown=3"),
    ("crm:notices-read", "POST", READ, ""),
    ("crm:notice-open", "POST", ALONE, "notice"),
    ("crm:notice-preferences", "GET POST", READ, ""),
    ("crm:colleagues", "GET", READ, ""),
    # promises
    ("crm:promises", "GET", READ, ""),
    ("crm:promise-new", "GET", READ, "goes on"),
    ("crm:promise-new", "GET POST", WRITE, "?person={person}"),
    ("crm:promise-new", "GET POST", WRITE, "?lead={lead}"),
    ("crm:promise-new", "GET POST", WRITE, "?deal={deal}"),
    ("crm:promise", "GET", READ, "promise"),
    ("crm:promise-edit", "GET POST", WRITE, "promise"),
    ("crm:promise-reopen", "POST", WRITE, "promise"),
    ("crm:promise-keep", "POST", WRITE, "promise"),
    ("crm:promise-break", "POST", WRITE, "promise"),
    ("crm:promise-move", "POST", WRITE, "promise"),
    # for those who lead; a number that somebody is shown opens for them, too
    ("crm:dashboard", "GET", LEADING, ""),
    ("crm:report-csv", "GET", LEADING, "report"),
    ("crm:number", "GET", READ, "metric"),
    ("crm:forecast-month", "GET", READ, "month"),
    ("crm:health", "GET", LEADING, ""),
    ("crm:health-read", "POST", LEADING, ""),
    ("crm:settings", "GET", LEADING, ""),
    # our noes teach everybody; overrides are for those who lead; the lists are kept by administrators
    ("crm:noes", "GET", READ, ""),
    ("crm:no-list", "GET", READ, "?what=later"),
    ("crm:overrides", "GET", LEADING, ""),
    ("crm:declining", "GET", ADMIN, ""),
    ("crm:decline-reason-new", "GET POST", ADMIN, ""),
    ("crm:decline-reason", "GET POST", ADMIN, "reason"),
    ("crm:decline-reason-move", "POST", ADMIN, "reason"),
    ("crm:decline-reason-remove", "POST", ADMIN, "reason"),
    ("crm:alternative-new", "GET POST", ADMIN, ""),
    ("crm:alternative", "GET POST", ADMIN, "alternative"),
    ("crm:alternative-remove", "POST", ADMIN, "alternative"),
    # forms: administrators make them, those who lead look at what came by them
    ("crm:capture-forms", "GET", LEADING, ""),
    ("crm:capture-form-new", "GET POST", ADMIN, ""),
    ("crm:capture-form", "GET POST", ADMIN, "form_key"),
    ("crm:capture-form-close", "POST", ADMIN, "form_key"),
    ("crm:capture-form-reopen", "POST", ADMIN, "form_key"),
    ("crm:capture-form-words", "POST", ADMIN, "form_key language"),
    ("crm:capture-form-words-remove", "POST", ADMIN, "form_key language"),
    ("crm:form-field-add", "POST", ADMIN, "form_key"),
    ("crm:form-field-change", "POST", ADMIN, "form_field"),
    ("crm:form-field-move", "POST", ADMIN, "form_field"),
    ("crm:form-field-remove", "POST", ADMIN, "form_field"),
    ("crm:submissions-refused", "GET", LEADING, ""),
    ("crm:submission-take", "POST", LEADING, "refused"),
    ("crm:submission-drop", "POST", LEADING, "refused"),
    ("crm:scorecards", "GET", LEADING, ""),
    ("crm:scorecard", "GET", LEADING, "card"),
    ("crm:scorecard-new", "GET POST", ADMIN, ""),
    ("crm:scorecard-describe", "POST", ADMIN, "card"),
    ("crm:scorecard-version", "POST", ADMIN, "card"),
    ("crm:scorecard-publish", "POST", ADMIN, "card"),
    ("crm:scorecard-retire", "POST", ADMIN, "card"),
    ("crm:scorecard-discard", "POST", ADMIN, "card"),
    ("crm:scorecard-arrange", "POST", ADMIN, "card"),
    ("crm:scorecard-question-new", "GET POST", ADMIN, "card"),
    ("crm:scorecard-question", "GET POST", ADMIN, "question"),
    ("crm:scorecard-question-remove", "POST", ADMIN, "question"),
    # who is left in peace: a wish is lifted by whoever may write the person it is about
    ("crm:peace-bar", "GET POST", WRITE, "person"),
    ("crm:peace-lift", "GET POST", WRITE, "wish"),
    ("crm:peace", "GET", LEADING, ""),
    ("crm:peace-new", "GET POST", LEADING, ""),
    ("crm:contents", "GET", LEADING, ""),
    ("crm:content-new", "GET POST", ADMIN, ""),
    ("crm:content", "GET POST", ADMIN, "piece"),
    ("crm:content-retire", "POST", ADMIN, "piece"),
    ("crm:content-restore", "POST", ADMIN, "piece"),
    ("crm:hooks", "GET", LEADING, ""),
    ("crm:hook-new", "GET POST", ADMIN, ""),
    ("crm:hook", "GET", ADMIN, "hook"),
    ("crm:hook-change", "GET POST", ADMIN, "hook"),
    ("crm:hook-renew", "POST", ADMIN, "hook"),
    ("crm:hook-close", "POST", ADMIN, "hook"),
    ("crm:hook-reopen", "POST", ADMIN, "hook"),
    ("crm:registers", "GET", LEADING, ""),
    ("crm:register-load", "GET POST", LEADING, ""),
    ("crm:register-remove", "GET POST", LEADING, "register"),
    ("crm:pacing", "GET POST", ADMIN, ""),
    ("crm:imports", "GET", LEADING, ""),
    ("crm:import-new", "GET POST", LEADING, ""),
    ("crm:import", "GET", LEADING, "import"),
    ("crm:import-run", "POST", LEADING, "import"),
    ("crm:import-refused", "GET", LEADING, "import"),
    # the account; who is in is sent on from what strangers need, and the other way round
    ("account_login", "GET POST", PUBLIC, "goes on when in"),
    ("account_logout", "GET POST", PUBLIC, "goes on when out"),
    ("account_inactive", "GET", PUBLIC, ""),
    ("account_change_password", "GET POST", READ, ""),
    ("account_reset_password", "GET POST", PUBLIC, ""),
    ("account_reset_password_done", "GET", PUBLIC, ""),
    ("account_reset_password_from_key", "GET", PUBLIC, "key"),
    ("account_reset_password_from_key_done", "GET", PUBLIC, ""),
]

ROLES = ("anonymous", Role.SDR, Role.ACCOUNT_MANAGER, Role.MANAGER, Role.ADMIN)
ROWS = ("own", "team mate's", "other team's", "nobody's")
NEVER_NOBODYS = {
    "hand_off",
    "given",
    "follow_up",
    "view",
    "notice",
    "bulk_act",
    "appointment",
    "booking_link",
    "day_away",
    "calendar",
    "half_hour",
    "thing",
}
"""A hand-off is always offered to somebody, a follow-up always somebody's to do, an appointment is always with somebody, days away are
somebody's, and a view or an act on many of whoever made it."""

OWNERS: dict[str, tuple[type[Model], str]] = {
    "lead": (Lead, "owner"),
    "hand_off": (HandOff, "to_user"),
    "given": (HandOff, "from_user"),
    "deal": (Deal, "owner"),
    "person": (Person, "owner"),
    "left": (Person, "owner"),
    "organisation": (Organisation, "owner"),
    "conversation": (Conversation, "by"),
    "attempt": (Attempt, "by"),
    "promise": (Promise, "owner"),
    "follow_up": (FollowUp, "owner"),
    "referral": (Referral, "owner"),
    "outgoing": (OutgoingMail, "by"),
    "day_away": (Absence, "user"),
    "mailbox": (Mailbox, "owner"),
    "exclusion": (MailExclusion, "user"),
    "calendar": (ExternalCalendar, "user"),
    "view": (SavedView, "owner"),
    "notice": (Notice, "user"),
    "bulk_act": (BulkAct, "by"),
    "appointment": (Appointment, "user"),
    "booking_link": (BookingLink, "user"),
    "half_hour": (ProspectingBlock, "user"),
}
FURTHER = {
    "team": lambda world: [world.users[Role.SDR].team_id],
    "rule": lambda world: [world.rule],
    "keep_in_touch": lambda world: ["keep_in_touch"],
    "sdr": lambda world: [world.users[Role.SDR].pk],
    "criterion": lambda world: [world.criterion],
    "card": lambda world: [Scorecard.objects.get(name="BANT").pk],
    "question": lambda world: [Scorecard.objects.get(name="BANT").criteria.values_list("pk", flat=True)[0]],
    "stage": lambda world: [],
    "act": lambda world: ["thank"],
    "report": lambda world: ["origins"],
    "metric": lambda world: ["open_deals"],
    "month": lambda world: ["buyers", 2026, 11],
    "key": lambda world: ["1", "no-such-key"],
    "screen": lambda world: ["people"],
    "words": lambda world: ["interests"],
    "form": lambda world: ["ask"],
    "form_key": lambda world: [CaptureForm.objects.get(slug="ask").pk],
    "form_field": lambda world: [FormField.objects.get(form__slug="ask", kind=FieldKind.PHONE).pk],
    "language": lambda world: ["nl"],
    "sent": lambda world: [submissions.token(FormSubmission.objects.get(state=SubmissionState.EXPIRED))],
    "refused": lambda world: [FormSubmission.objects.get(state=SubmissionState.REFUSED).pk],
    "piece": lambda world: [Content.objects.get(title="Planning guide").pk],
    "hook": lambda world: [InboundHook.objects.get().pk],
    "hook_slug": lambda world: [InboundHook.objects.get().slug],
    "import": lambda world: [world.run],
    "template": lambda world: [world.template],
    "link": lambda world: [world.link],
    "feed": lambda world: [calendars.renew_feed(user=world.users[Role.SDR], at=timezone.now())],
    "token": lambda world: [BookingLink.objects.get(appointments__isnull=False).token],
    "register": lambda world: [world.register],
    "reason": lambda world: [world.reason],
    "alternative": lambda world: [world.alternative],
}


# ---- The table and the site ----------------------------------------------------------------------------------------


def addresses(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}"
        else:
            yield from addresses(entry, f"{entry.namespace}:" if entry.namespace else namespace)


def ours() -> set[str]:
    return {name for name in addresses(get_resolver()) if not name.startswith("admin:")}


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    lines = {name for name, *_rest in TABLE}
    assert ours() - lines == set(), "addresses of which nobody said who may open them"
    assert lines - ours() == set(), "lines about addresses that are no more"


@pytest.mark.parametrize(
    "path",
    ["signup/", "email/", "confirm-email/", "confirm-email/a:b/", "password/set/", "reauthenticate/", "login/code/",
     "login/code/confirm/", "phone/verify/", "phone/change/", "", "3rdparty/", "2fa/", "sessions/", "signup/passkey/"],
)  # fmt: skip
def test_account_pages_that_we_do_not_offer_are_not_there(
    path: str, sdr: User, login: Callable[[User], Client]
) -> None:
    for client in (Client(), login(sdr)):
        assert client.get(f"/accounts/{path}").status_code == 404
        assert client.post(f"/accounts/{path}").status_code == 404


# ---- The world that is tried on ------------------------------------------------------------------------------------


@dataclass
class World:
    """Somebody of each role, and a row of each kind for each owner: `rows["deal"]["own of sdr"]`."""

    users: dict[Any, User]
    sessions: dict[Any, str]
    rows: dict[tuple[str, int | None], int]
    criterion: int
    stage: int
    run: int
    register: int
    reason: int
    alternative: int
    rule: int
    template: int
    link: str

    def owner(self, role: Any, row: str) -> User | None:
        mate = Role.ACCOUNT_MANAGER if role == Role.SDR else Role.SDR
        whose = {"own": role if role != "anonymous" else Role.SDR, "team mate's": mate, "other team's": "outsider"}
        return self.users[whose[row]] if row in whose else None

    def key(self, noun: str, owner: User | None) -> int:
        return self.rows[noun, owner.pk if owner else None]

    def client(self, role: Any, **how: Any) -> Client:
        client = Client(headers={"Accept-Language": "en"}, **how)
        if role != "anonymous":
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client


@pytest.fixture(scope="module")
def whole_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once, in a transaction that is undone after the last line."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _make_world()
        transaction.set_rollback(True)


@pytest.fixture
def world(whole_world: World, db: None) -> World:
    return whole_world


@contextmanager
def tried() -> Iterator[None]:
    """What happens within is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _make_world() -> World:
    at = timezone.now()
    gent, utrecht = make.team("Gent"), make.team("Utrecht")
    users: dict[Any, User] = {
        Role.SDR: make.user("Sofie", Role.SDR, team=gent),
        Role.ACCOUNT_MANAGER: make.user("Arjan", Role.ACCOUNT_MANAGER, team=gent),
        Role.MANAGER: make.user("Mieke", Role.MANAGER),
        Role.ADMIN: make.user("Anna", Role.ADMIN),
        "outsider": make.user("Otto", Role.ACCOUNT_MANAGER, team=utrecht),
    }
    make.submission(form := make.form("ask"), state=SubmissionState.EXPIRED)
    make.submission(form, state=SubmissionState.REFUSED, because=RefusedBecause.TRAP)
    make.content("Planning guide")
    make.hook()
    criterion = make.scorecard().criteria.first()
    assert criterion is not None
    scorecards.begin(ready="bant", by=users[Role.ADMIN], at=at)
    rows: dict[tuple[str, int | None], int] = {}
    for owner in (*users.values(), None):
        for noun, key in _one_of_each(at).items():
            if noun in OWNERS and not (owner is None and noun in NEVER_NOBODYS):
                model, column = OWNERS[noun]
                model._default_manager.filter(pk=key).update(**{column: owner})
            rows[noun, owner.pk if owner else None] = key
    file = b"id,date\n1,2026-01-05\n"
    run = imports.upload(
        file=_file(file), file_name="leads.csv", map_text=MAP, by=users[Role.MANAGER], at=at
    )  # fmt: skip
    stage = Deal.objects.values_list("stage", flat=True).first()
    assert stage is not None
    template = mail_templates.save(
        name="Shared", subject_en="Hello", body_en="{{ greeting }}", is_shared=True, by=users[Role.MANAGER], at=at
    )
    _book_by_link(at)
    link = unsubscribing.link(make.person()).rpartition("/u/")[2].rstrip("/")
    return World(
        users,
        {role: _session(users[role]) for role in ROLES[1:]},
        rows,
        criterion.pk,
        stage,
        run.pk,
        make.register(at=at).pk,
        make.decline_reason(by=users[Role.ADMIN], at=at).pk,
        make.alternative(by=users[Role.ADMIN], at=at).pk,
        make.assignment_rule(users[Role.SDR], by=users[Role.ADMIN], at=at).pk,
        template.pk,
        link,
    )


def _book_by_link(at: Any) -> None:
    """A link that was used, and may be used to move or cancel."""
    host = make.user("Host", Role.ACCOUNT_MANAGER)
    moment = agenda.first_free([host], minutes=30, at=at)[host.pk]
    appointments.book_by_link(link=make.booking_link(host, at=at), starts_at=moment, at=at)


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


MAP = 'kind = "leads"\nexternal_id = "id"\n[columns]\nreceived_at = "date"\n'


def _file(content: bytes) -> Any:
    return io.BytesIO(content)


def _one_of_each(at: Any) -> dict[str, int]:
    """One row of each kind, each about people and organisations of its own."""
    by = make.user("Maker", Role.ACCOUNT_MANAGER)
    deal = make.deal(by, at=at)
    assert deal.organisation is not None
    person = make.person(organisation=make.organisation(at=at), phone="+32 9 225 25 25", at=at)
    own = Person.objects.get(pk=person.pk)
    left = make.person(at=at)
    customer = deal.organisation
    box = make.mailbox(by, address=f"box{person.pk}@kring.example", imap_host="127.0.0.1", imap_port=1)
    failed = MailMessage.objects.create(
        key=f"failed-{person.pk}", state=MessageState.FAILED, reason="boom", raw=b"x", mailbox=box, taken_at=at
    )
    absence = MailMessage.objects.create(
        key=f"absence-{person.pk}",
        state=MessageState.TAKEN,
        conversation=make.conversation(own, by=by, at=at),
        away_until=at.date() + timedelta(days=9),
        taken_at=at,
    )
    exclusion = MailExclusion.objects.create(user=by, pattern=f"private{person.pk}.example", created_at=at)
    follow_up = follow_ups.make(note="Call", owner=by, due_on=at.date() + timedelta(days=1), by=by, at=at, deal=deal)
    half_hour = make.half_hour(by, own, at=at)
    return {
        "half_hour": half_hour.pk,
        "thing": half_hour.items.get().pk,
        "lead": make.lead(at=at).pk,
        "hand_off": make.hand_off(by, by, at=at).pk,
        "given": make.hand_off(by, by, at=at).pk,
        "deal": deal.pk,
        "person": own.pk,
        "email": EmailAddress.objects.get(person=own).pk,
        "phone": PhoneNumber.objects.get(person=own).pk,
        "position": Position.objects.get(person=own).pk,
        "organisation": customer.pk,
        "conversation": make.conversation(own, by=by, at=at).pk,
        "attempt": make.attempt(own, by=by, at=at).pk,
        "promise": make.promise(own, by=by, due_on=at.date() + timedelta(days=9), at=at).pk,
        "follow_up": follow_up.pk,
        "referral": make.referral(by, at=at).pk,
        "mailbox": box.pk,
        "message": failed.pk,
        "absence": absence.pk,
        "exclusion": exclusion.pk,
        "calendar": make.calendar(by, at=at).pk,
        "outgoing": make.outgoing(own, by=by, at=at).pk,
        "file": make.mail_file(own, by=by, at=at).pk,
        "left": left.pk,
        "merge": merging.merge(keep=own, gone=make.person(at=at), by=by, at=at).pk,
        "wish": make.wish(person=left, by=by, at=at).pk,
        "view": make.saved_view(by, at=at).pk,
        "bulk_act": make.bulk_act(by, at=at).pk,
        "notice": make.notice(by, at=at).pk,
        "day_away": make.absence(by, at=at).pk,
        "appointment": make.appointment(by, at=at).pk,
        "booking_link": make.booking_link(by, at=at).pk,
        "pair": make.pair(own, left, at=at).pk,  # The last: whatever changes one of the two looks for its reason.
    }


# ---- Trying --------------------------------------------------------------------------------------------------------


def address(world: World, name: str, about: str, owner: User | None) -> str:
    """The address of a line for the rows of one owner."""
    path, _, query = about.partition("?")
    words = [word for word in path.split() if word not in ("goes", "on", "when", "in", "out")]
    args: list[Any] = []
    for word in words:
        args += FURTHER[word](world) if word in FURTHER else [world.key(word, owner)]
    keys = {noun: world.key(noun, owner) for noun in ("person", "lead", "deal", "organisation", "left", "appointment")}
    return reverse(name, args=args) + (f"?{query.format(**keys)}" if query else "")


def rows_of(about: str, who: Who, role: Any) -> tuple[str, ...]:
    """The rows that make a difference: whoever may only be in or out is shown their own and somebody else's."""
    owned = any(noun in about for noun in (*OWNERS, "email", "phone", "position", "wish", "pair", "merge", "thing"))
    if not owned or role == "anonymous":
        return ROWS[:1]
    if who not in (WRITE, SENT, ANSWER, MINE, DOER):
        return ("own", "other team's")
    return ROWS[:3] if any(noun in about for noun in NEVER_NOBODYS) else ROWS


def verdict(role: Any, row: str, who: Who, about: str) -> str:
    """What is expected: `login`, `yes`, `no`, or `on` for those who are sent somewhere else."""
    if who is SIGNED:
        return "unsigned"
    if role == "anonymous" and who is not PUBLIC:
        return "login"
    if "goes on when in" in about:
        return "yes" if role == "anonymous" else "on"
    if "goes on when out" in about:
        return "on" if role == "anonymous" else "yes"
    if who is ADMIN:
        return "yes" if role == Role.ADMIN else "no"
    leads = role in (Role.MANAGER, Role.ADMIN)
    if who is ALONE:
        return "yes" if row == "own" else "gone"
    if who is DOER:
        return "yes" if row == "own" or leads else "no"
    if who is MINE:
        return "yes" if row == "own" or (row == "nobody's" and leads) else "no"
    refused = {
        WRITE: row == "other team's",
        SENT: row in ("other team's", "nobody's"),
        ANSWER: row == "other team's" or role == Role.SDR,
        LEADING: True,
    }
    if refused.get(who) and not leads:
        return "no"
    return "on" if "goes on" in about else "yes"


def found(answer: Any, path: str, method: str) -> str:
    there = answer.headers.get("Location", "")
    if answer.status_code == 302 and there.startswith("/accounts/login/?next="):
        assert there == f"/accounts/login/?next={quote(path, safe='/')}"
        return "login"
    if answer.status_code == 302:
        return "yes" if method == "POST" else "on"
    return {200: "yes", 401: "unsigned", 403: "no", 404: "gone"}.get(answer.status_code, f"status {answer.status_code}")


WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|COPY|WITH\b.*\b(INSERT|UPDATE|DELETE)\b)(?!.*django_session)", re.I | re.S
)

CASES = [
    pytest.param(*line, method, id=f"{line[0]} {method} {line[3]}".strip())
    for line in TABLE
    for method in line[1].split()
]


@pytest.mark.parametrize(("name", "methods", "who", "about", "method"), CASES)
def test_everybody_gets_what_the_table_says(
    world: World, name: str, methods: str, who: Who, about: str, method: str
) -> None:
    """And looking changes nothing: no statement that a GET sends writes anything but the visitor's own session."""
    wrong: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if method == "GET" and WRITES.match(sql):
            wrong.append(f"a GET writes: {sql[:200]}")
        return execute(sql, params, many, context)

    for role in ROLES:
        client = world.client(role)
        for row in rows_of(about, who, role):
            owner = world.owner(role, row)
            path = address(world, name, about, owner)
            with tried(), connection.execute_wrapper(watch):
                data = {"stage": world.stage, **_hidden(path)} if method == "POST" else {}
                answer = client.generic("GET", path) if method == "GET" else client.post(path, data)
                expected = verdict(role, row, who, about)
                if method == "POST" and expected == "on":
                    expected = "yes"
                if (got := found(answer, path, method)) != expected:
                    wrong.append(f"{role}, {row}: expected {expected}, got {got}")
    assert not wrong, "\n".join(wrong)


def _hidden(path: str) -> dict[str, str]:
    """What the form of the page sends along by itself."""
    match = re.search(r"\?(organisation|deal)=(\d+)", path)
    return {match[1]: match[2]} if match else {}


@pytest.mark.parametrize(
    ("name", "methods", "who", "about"),
    [pytest.param(*line, id=f"{line[0]} {line[3]}") for line in TABLE if line[0].startswith("crm:")],
)
def test_only_the_methods_of_the_table_are_answered(
    world: World, name: str, methods: str, who: Who, about: str
) -> None:
    client = world.client(Role.ADMIN)
    path = address(world, name, about, world.users[Role.ADMIN])
    allowed = {"crm:deal-new": "GET POST", "crm:referral-ask": "GET POST", "crm:conversation-new": "GET POST", "crm:mail-new": "GET POST",
               "crm:promise-new": "GET POST"}.get(name, methods).split()  # fmt: skip
    for method in ("GET", "POST", "PUT", "DELETE"):
        if method not in allowed:
            assert client.generic(method, path).status_code == 405, method


@pytest.mark.parametrize(
    ("name", "about"),
    [
        pytest.param(name, about, id=f"{name} {about}".strip())
        for name, methods, _who, about in TABLE
        if "POST" in methods
    ],
)
def test_no_act_without_the_token_of_our_own_page(world: World, name: str, about: str) -> None:
    """Another site cannot act in somebody's name. The public form, the link to unsubscribe and the one to
    book an appointment act in nobody's; they are signed for their page."""
    client = world.client(Role.ADMIN, enforce_csrf_checks=True)
    path = address(world, name, about, world.users[Role.ADMIN])
    before = ImportRun.objects.count(), Lead.objects.count()
    answer = client.post(path, {"name": "Eve", "email": "eve@elsewhere.example"})
    unguarded = {"crm:form": 200, "crm:form-confirm": 200, "crm:unsubscribe": 200, "crm:inbound": 401} | {
        "crm:book": 200,
        "crm:book-move": 200,
        "crm:book-cancel": 302,
    }
    assert answer.status_code == unguarded.get(name, 403)
    assert (ImportRun.objects.count(), Lead.objects.count()) == before


# ---- The configuration pages ---------------------------------------------------------------------------------------


def admin_pages() -> list[str]:
    pages = {"/admin/", "/admin/login/", "/admin/password_change/", "/admin/jsi18n/", "/admin/autocomplete/"}
    for name in addresses(get_resolver()):
        if re.fullmatch(r"admin:\w+_(changelist|add)", name):
            pages.add(reverse(name))
    return sorted(pages)


@pytest.mark.parametrize("path", admin_pages())
def test_the_configuration_pages_open_for_administrators_only(world: World, path: str) -> None:
    for role in ROLES[:-1]:
        answer = world.client(role).get(path)
        assert answer.status_code in (302, 403), role
        there = answer.headers.get("Location", "")
        assert role != "anonymous" or there.startswith(("/accounts/login/", "/admin/login/")), there
    assert world.client(Role.ADMIN).get("/admin/").status_code == 200


def test_the_nouns_that_verbs_change_are_no_configuration() -> None:
    configured = {
        name.split(":")[1].rpartition("_")[0] for name in addresses(get_resolver()) if name.endswith("_changelist")
    }
    assert configured <= {
        "crm_user", "crm_pipeline"
    }  # fmt: skip
