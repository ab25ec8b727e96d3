"""Make believable rows for tests, always through the verbs, so that a test starts from states that can really exist."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from crm import (
    absences,
    advocacy,
    appointments,
    assignment,
    attempts,
    bulk,
    capture,
    capture_forms,
    conversations,
    deals,
    declining,
    do_not_contact,
    handoffs,
    hooks,
    leads,
    notices,
    outbox,
    people,
    pipelines,
    promises,
    sealed,
    verdicts,
    views,
)
from crm.channels.register_file import Entry
from crm.models import (
    Absence,
    Alternative,
    AlternativeKind,
    Appointment,
    AppointmentKind,
    AssignmentRule,
    Attachment,
    Attempt,
    BookingLink,
    BulkAct,
    BusyTime,
    CaptureForm,
    Channel,
    Content,
    Conversation,
    ConversationKind,
    Deal,
    DeclineReason,
    Direction,
    DoNotContact,
    ExternalCalendar,
    FormSubmission,
    HandOff,
    InboundHook,
    Lead,
    Mailbox,
    MailMessage,
    Mergeable,
    MessageState,
    Notice,
    NoticeKind,
    Organisation,
    OutgoingMail,
    OwnerRule,
    Person,
    PossibleDuplicate,
    Promise,
    PromiseSide,
    ProspectingBlock,
    ProspectingPlan,
    Referral,
    Register,
    Role,
    SavedView,
    Scope,
    SubmissionState,
    Team,
    User,
    Way,
)
from crm.models.views import ListScreen
from qualification.models import Criterion, Scorecard, Side

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""A Monday morning, half past ten in Brussels: the moment at which tests happen unless they say otherwise."""

PASSWORD = "a-circle-of-trust"
_numbers = count(1)


def team(name: str = "", **fields: Any) -> Team:
    return Team.objects.create(name=name or f"Team {next(_numbers)}", **fields)


def user(name: str = "", role: Role = Role.SDR, **fields: Any) -> User:
    number = next(_numbers)
    fields.setdefault("email", f"user{number}@kring.example")
    fields.setdefault("password", PASSWORD)
    return User.objects.create_user(name=name or f"User {number}", role=role, **fields)


def organisation(name: str = "", *, at: datetime = AT, by: User | None = None, **fields: Any) -> Organisation:
    return people.add_organisation(name=name or f"Organisation {next(_numbers)}", by=by, at=at, **fields)


def person(name: str = "", *, at: datetime = AT, by: User | None = None, **fields: Any) -> Person:
    number = next(_numbers)
    fields.setdefault("email", f"person{number}@person{number}.example")
    return people.add(name=name or f"Person Number{number}", by=by, at=at, **fields)


def content(title: str = "", **fields: Any) -> Content:
    return Content.objects.create(title=title or f"Article {next(_numbers)}", **fields)


def hook(slug: str = "", *, at: datetime = AT, by: User | None = None, **fields: Any) -> InboundHook:
    """An open webhook; its secret is `sealed.unseal(hook.sealed_secret)`."""
    given: dict[str, Any] = {"name": f"Program {next(_numbers)}", "origin": "trial", "language": "en"}
    return hooks.make(slug=slug, by=by, at=at, **{"owner_rule": OwnerRule.NOBODY, **given} | fields)[0]


def form(slug: str = "", **fields: Any) -> CaptureForm:
    """An open form with the five usual fields, and a text in its own language, which a test may send as quickly as it likes."""
    words = {name: fields.pop(name, "") for name in ("intro", "thank_you", "consent", "button")}
    title, is_active = fields.pop("title", "Ask us anything"), fields.pop("is_active", True)
    fields.setdefault("owner_rule", OwnerRule.USER if fields.get("owner") else OwnerRule.NOBODY)
    terms = capture_forms.Terms(title=title, **{"least_seconds": 0} | fields)
    words_said = capture_forms.Words(title=title, **words)
    row = capture_forms.make(slug=slug or f"form-{next(_numbers)}", terms=terms, words=words_said, by=None, at=AT)
    return row if is_active else capture_forms.close(form=row, by=None, at=AT)


def decline_reason(label: str = "", *, by: User, at: datetime = AT, **fields: Any) -> DeclineReason:
    """A reason of the organisation's own, at the end of the list."""
    label = label or f"Reason {next(_numbers)}"
    return declining.save_reason(label_en=label, label_nl=fields.pop("label_nl", label), by=by, at=at, **fields)


def alternative(name: str = "", *, by: User, at: datetime = AT, **fields: Any) -> Alternative:
    """What we offer instead: something they can buy by themselves, unless `kind` says otherwise."""
    given: dict[str, Any] = {"kind": AlternativeKind.OFFERING, "name": name or f"Alternative {next(_numbers)}"}
    return declining.save_alternative(by=by, at=at, **given | fields)


def submission(form: CaptureForm, *, at: datetime = AT, **fields: Any) -> FormSubmission:
    """What somebody sent by this form, as it stands in that state."""
    number = next(_numbers)
    given: dict[str, Any] = {
        "message_id": f"{form.slug}:page{number}:words",
        "state": SubmissionState.TAKEN,
        "language": form.language,
        "values": {"name": f"Sender Number{number}", "email": f"sender{number}@x.example", "message": "Which dates?"},
        "received_at": at,
    }
    return FormSubmission.objects.create(form=form, **given | fields)


def scorecard(name: str = "Ideal client", version: int = 1) -> Scorecard:
    """The mock-up's scorecard: three must-haves, both sides."""
    card, is_new = Scorecard.objects.get_or_create(name=name, version=version)
    if is_new:
        Criterion.objects.bulk_create(
            Criterion(scorecard=card, side=side, question=question, weight=weight, is_must=must, position=position)
            for position, (side, question, weight, must) in enumerate(
                [
                    (Side.OURS, "Pain they name themselves", 3, True),
                    (Side.OURS, "Ten people or more", 2, True),
                    (Side.OURS, "They treat people as we do", 2, False),
                    (Side.THEIRS, "They chose a date and say why", 3, True),
                    (Side.THEIRS, "All who decide have spoken to us", 2, False),
                ]
            )
        )
    return card


def lead(name: str = "", *, at: datetime = AT, owner: User | None = None, **fields: Any) -> Lead:
    """A lead that just arrived by form. `person=` takes a known person."""
    number = next(_numbers)
    if "person" not in fields:
        fields.setdefault("email", f"lead{number}@lead{number}.example")
        fields.setdefault("name", name or f"Lead Number{number}")
    fields.setdefault("channel", Channel.FORM)
    fields.setdefault("external_id", f"message-{number}")
    fields.setdefault("message", "Which dates do you have for a workshop?")
    return capture.receive(capture.Arrival(owner=owner, **fields), at=at).lead


def answered(lead: Lead, *, by: User, at: datetime = AT, replies: dict[str, str] | None = None) -> Lead:
    """Every criterion answered: yes, or as `replies` (question to reply) says."""
    for criterion in scorecard().criteria.all():
        leads.answer_criterion(
            lead=lead,
            criterion=criterion,
            value=(replies or {}).get(criterion.question, "yes"),
            evidence="they said so",
            by=by,
            at=at,
        )
    lead.refresh_from_db()
    return lead


def working_lead(by: User, *, at: datetime = AT, **fields: Any) -> Lead:
    return leads.take(lead=lead(at=at, **fields), by=by, at=at)


def qualified_lead(by: User, *, at: datetime = AT, **fields: Any) -> Lead:
    return verdicts.qualify(lead=answered(working_lead(by, at=at, **fields), by=by, at=at), by=by, at=at)


def hand_off(by: User, to: User, *, at: datetime = AT, **fields: Any) -> HandOff:
    return handoffs.submit(
        lead=qualified_lead(by, at=at, **fields), to=to, note="Wants a start before Easter.", by=by, at=at
    )


def deal(
    owner: User,
    *,
    at: datetime = AT,
    next_step_on: date | None = None,
    next_step: str = "Call about the dates",
    **fields: Any,
) -> Deal:
    """An open deal with its own organisation and person, not from a lead: so for a customer of a year, who ordered before Kring."""
    number = next(_numbers)
    company = fields.pop("organisation", None) or organisation(f"Customer {number}", at=at)
    if company.customer_since is None:
        company.customer_since = at - timedelta(days=365)
        company.save(update_fields=["customer_since"])
    who = fields.pop("person", None) or person(f"Buyer Number{number}", organisation=company, at=at)
    return deals.open(
        name=fields.pop("name", f"Deal {number}"),
        stage=fields.pop("stage", None) or pipelines.first_stage(),
        owner=owner,
        organisation=company,
        person=who,
        next_step=next_step,
        next_step_on=next_step_on or at.date() + timedelta(days=7),
        by=fields.pop("by", owner),
        at=at,
        **fields,
    )


def won_deal(owner: User, *, at: datetime = AT, **fields: Any) -> Deal:
    return deals.win(deal=deal(owner, at=at, **fields), by=owner, at=at)


def conversation(with_: Person | None, *, by: User, at: datetime = AT, **fields: Any) -> Conversation:
    assert with_ is not None
    fields.setdefault("kind", ConversationKind.CALL)
    return conversations.log(people=[with_], by=by, at=at, **fields)


def attempt(with_: Person, *, by: User, at: datetime = AT, **fields: Any) -> Attempt:
    """A call at their first number, whatever the hour: the reason is that a test asks for it."""
    number = with_.phone_numbers.first()
    assert number is not None
    fields.setdefault("override", "a test")
    return attempts.start(person=with_, number=number.number, by=by, at=at, **fields)


def promise(
    with_: Person | None,
    *,
    by: User,
    due_on: date,
    side: PromiseSide = PromiseSide.OURS,
    at: datetime = AT,
    **fields: Any,
) -> Promise:
    assert with_ is not None
    fields.setdefault("text", "Send the revised schedule")
    return promises.make(side=side, person=with_, due_on=due_on, by=by, at=at, **fields)


def referral(by: User, *, at: datetime = AT, deal: Deal | None = None) -> Referral:
    """Asked of the buyer of a won deal."""
    deal = deal or won_deal(by, at=at)
    assert deal.person is not None
    return advocacy.ask(person=deal.person, deal=deal, by=by, at=at)


def absence(of: User, *, at: datetime = AT, days: int = 0, **fields: Any) -> Absence:
    """Away from today on, and so many days more."""
    today = timezone.localdate(at, of.zone)
    given: dict[str, Any] = {"starts_on": today, "ends_on": today + timedelta(days=days), "by": of}
    return absences.note(user=of, at=at, **given | fields)


def assignment_rule(to: User, *, by: User, at: datetime = AT, **says: Any) -> AssignmentRule:
    """What is Belgian goes to them, unless `says` says otherwise."""
    return assignment.save_rule(user=to, by=by, at=at, **(says or {"country": "BE"}))


def mailbox(owner: User | None, *, at: datetime = AT, address: str = "", **fields: Any) -> Mailbox:
    """A connected mailbox, without asking a server."""
    fields.setdefault("sealed_password", sealed.seal(PASSWORD))
    fields.setdefault("imap_host", "imap.kring.example")
    address = address or (owner.email if owner and owner.email else f"shared{next(_numbers)}@kring.example")
    fields.setdefault("username", address)
    fields.setdefault("reads_since", at.date())
    return Mailbox.objects.create(owner=owner, address=address, created_at=at, **fields)


def wish(*, by: User | None = None, at: datetime = AT, scope: Scope = Scope.CONTACT, **fields: Any) -> DoNotContact:
    """Somebody (`person=`), a number (`number=`) or an address (`address=`) is to be left in peace."""
    fields.setdefault("reason", "asked us to stop")
    fields.setdefault("source", "told Els by phone")
    return do_not_contact.bar(scope=scope, by=by, at=at, **fields)


def register(
    *values: str, scope: Scope = Scope.CALL, at: datetime = AT, by: User | None = None, **fields: Any
) -> Register:
    """A register of these numbers or addresses."""
    rows = [Entry(line, value) for line, value in enumerate(values or ("+3215999999",), start=1)]
    fields.setdefault("name", f"Register {next(_numbers)}")
    given: dict[str, Any] = {"source": "a file", "allowed_days": 31}
    return do_not_contact.load_register(scope=scope, rows=rows, by=by, at=at, **given | fields).register


def outgoing(to: Person, *, by: User | None, at: datetime = AT, **fields: Any) -> OutgoingMail:
    """A mail that waits to be sent."""
    address = to.email_addresses.all()[0].address
    given: dict[str, Any] = {"to": address, "subject": "The dates", "body": "Is the second week good?"}
    return outbox.put(**given | fields, person=to, by=by, at=at)


def mail_file(from_: Person, *, by: User, at: datetime = AT) -> Attachment:
    """A file that came with a message from them."""
    said = conversation(from_, by=by, at=at, kind=ConversationKind.EMAIL, direction=Direction.INCOMING)
    message = MailMessage.objects.create(
        key=f"file{next(_numbers)}@x.example", state=MessageState.TAKEN, conversation=said, taken_at=at, sent_at=at
    )
    return Attachment.objects.create(
        message=message, name="plan.txt", content_type="text/plain", size=4, content=b"plan"
    )


def notice(user: User, kind: NoticeKind = NoticeKind.PROMISE_KEPT, *, at: datetime = AT, **fields: Any) -> Notice:
    """What stands among their notices; by default it came without a mail."""
    given: dict[str, Any] = {
        "values": {"person": "Ilse Maes", "text": "Numbers of last season", "due_on": "2026-11-30"},
        "path": "/promises/",
    }
    before = set(Notice.objects.filter(user=user).values_list("pk", flat=True))
    notices.tell(user=user, kind=kind, at=at, **given | fields)
    return Notice.objects.filter(user=user).exclude(pk__in=before).get()


def saved_view(owner: User, *, at: datetime = AT, **fields: Any) -> SavedView:
    """A view of the list of people that everybody sees."""
    given: dict[str, Any] = {"name": f"View {next(_numbers)}", "query": "tier=A", "is_shared": True}
    return views.save(screen=ListScreen.PEOPLE, by=owner, at=at, **given | fields)


def bulk_act(by: User, *, at: datetime = AT) -> BulkAct:
    """Somebody new got a tier, as an act on many of which there is one."""
    change = bulk.Change(bulk.Act.TIER, tier="A")
    return bulk.do(screen=ListScreen.PEOPLE, keys=[person(at=at, owner=by).pk], change=change, by=by, at=at)


def pair(one: Person, other: Person, *, at: datetime = AT) -> PossibleDuplicate:
    """Two people who may be one."""
    first, second = sorted((one.pk, other.pk))
    return PossibleDuplicate.objects.create(
        kind=Mergeable.PERSON, first_id=first, second_id=second, reasons=["name"], likeness=0.7, found_at=at
    )


def appointment(
    user: User,
    *,
    starts_at: datetime | None = None,
    minutes: int = 60,
    at: datetime = AT,
    **fields: Any,
) -> Appointment:
    """Agreed by video with this host, by the host: two days after `at` at the same hour, unless said otherwise."""
    given: dict[str, Any] = {"kind": AppointmentKind.VIDEO, "subject": "Getting acquainted", "by": user}
    who = fields.pop("person", None) or person(at=at)
    starts_at = starts_at or at + timedelta(days=2)
    return appointments.book(user=user, person=who, starts_at=starts_at, minutes=minutes, at=at, **given | fields)


def booking_link(user: User, *, at: datetime = AT, **fields: Any) -> BookingLink:
    """The prospect may choose half an hour by video with this host."""
    given: dict[str, Any] = {
        "kind": AppointmentKind.VIDEO, "minutes": 30, "subject": "Getting acquainted", "by": user,
    }  # fmt: skip
    who = fields.pop("person", None) or person(at=at)
    return appointments.offer_link(user=user, person=who, at=at, **given | fields)


def calendar(
    owner: User, *, at: datetime = AT, busy: tuple[datetime, datetime] | None = None, **fields: Any
) -> ExternalCalendar:
    """A connected calendar elsewhere, without asking a server; `busy` is when it says that they are."""
    given: dict[str, Any] = {
        "name": f"Calendar {next(_numbers)}",
        "sealed_url": sealed.seal("https://calendar.example/secret.ics"),
    }
    row = ExternalCalendar.objects.create(user=owner, created_at=at, **given | fields)
    if busy is not None:
        BusyTime.objects.create(calendar=row, starts_at=busy[0], ends_at=busy[1])
    return row


def half_hour(
    user: User, *people: Person, at: datetime = AT, day: date | None = None, way: Way = Way.REVIVE, **fields: Any
) -> ProspectingBlock:
    """The half hour of this user on this day (that of `at` in their zone), with one thing for each of these people."""
    given: dict[str, Any] = {"starts_at": time(8, 30), "planned_minutes": 30, "proposed_at": at}
    day = day or timezone.localdate(at, user.zone)
    block = ProspectingBlock.objects.create(user=user, day=day, **given | fields)
    for position, who in enumerate(people):
        thing = block.items.create(position=position, way=way, why={"last_contact": "2025-09-23", "channel": "call"})
        thing.people.add(who)
    return block


def prospecting_plan(user: User, **fields: Any) -> ProspectingPlan:
    """Half an hour from half past eight on the working days of the week, in every way, unless said otherwise."""
    return ProspectingPlan.objects.create(user=user, **{"starts_at": time(8, 30)} | fields)
