"""One of everything that a screen of the relationship record can show, and the addresses of those screens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone, translation

from crm import (
    agenda,
    appointments,
    capture_forms,
    handoffs,
    hooks,
    leads,
    mail_templates,
    merging,
    people,
    scorecards,
    submissions,
    unsubscribing,
    verdicts,
)
from crm.channels.webhook import Posted
from crm.models import (
    AssignmentRule,
    Conversation,
    ConversationKind,
    DeclineReason,
    Direction,
    EmailAddress,
    ExternalCalendar,
    FieldKind,
    Language,
    Mailbox,
    MailExclusion,
    MailMessage,
    MailTemplate,
    MessageState,
    OutgoingMail,
    Person,
    PossibleDuplicate,
    PromiseSide,
    RefusedBecause,
    Register,
    Role,
    SavedView,
    Scope,
    SubmissionState,
    User,
)
from crm.outbox import MOST_TRIES
from qualification.models import Criterion, Scorecard
from tests import make


@dataclass
class Record:
    """An administrator with one of everything that a screen can show."""

    owner: User
    person: Person
    other: Person
    keys: dict[str, int | str]


def member(name: str, role: Role, number: int) -> User:
    team = make.team(f"Screens {number}")
    return make.user(f"{name} {number}", role, team=team, email=f"{name.lower()}{number}@screens.example")


def clear(owner: User) -> None:
    """What others would stumble over: the rest of the session walks through the same database."""
    Mailbox.objects.filter(owner=owner).delete()
    Register.objects.filter(name__startswith="Screens").delete()
    OutgoingMail.objects.filter(by=owner, sent_at=None).delete()
    OutgoingMail.objects.filter(to__endswith="@screens.example", sent_at=None).delete()
    SavedView.objects.filter(owner=owner).delete()
    MailTemplate.objects.filter(name__startswith="Screens").delete()
    AssignmentRule.objects.filter(user__team=owner.team).delete()
    DeclineReason.objects.filter(label_en__startswith="Too far away").update(is_active=False)
    ExternalCalendar.objects.filter(user=owner).delete()


def make_forms(number: int) -> dict[str, int | str]:
    """A form in both languages that asks for all that it can, with messages to look at and one that waits to be confirmed."""
    at = timezone.now()
    form = make.form(
        f"screens-{number}",
        title="Vraag ons wat u wilt",
        consent="U mag mij schrijven.",
        origin="fair",
        language=Language.DUTCH,
    )
    words = capture_forms.Words("Vraag ons", intro="Een mens leest het.", consent="U mag mij schrijven.")
    capture_forms.set_words(form=form, language=Language.ENGLISH, words=words, by=None, at=at)
    for kind in (FieldKind.JOB, FieldKind.POSTCODE, FieldKind.COUNTRY):
        capture_forms.add_field(form=form, kind=kind, by=None, at=at)
    for because in RefusedBecause:
        values = {"name": "Zeger Baert", "email": "z@x.example", "message": "Past het?", "site": "https://x.example"}
        said = {"answers": {"k": "yes"}, "questions": {"k": "Weet u al wanneer?"}}
        make.submission(form, at=at, state=SubmissionState.REFUSED, because=because, values=values | said)
    waiting = make.submission(form, at=at, state=SubmissionState.WAITING, confirm_by=at + timedelta(hours=9))
    over = make.submission(form, at=at, state=SubmissionState.EXPIRED)
    tokens = {"to_confirm": submissions.token(waiting), "confirmed_late": submissions.token(over)}
    piece = make.content(f"Zo begint een rustige week {number}", url=f"https://kring.example/week-{number}")
    hook = make.hook(f"screens-{number}", name=f"Proefaccounts {number}", language=Language.DUTCH)
    with translation.override(hook.language):  # As its door does.
        hooks.deliver(hook=hook, posted=Posted("msg_1", '{"shoe": "41"}', "d"), at=at)
    return {"form": form.pk, "form_slug": form.slug, "piece": piece.pk, "hook": hook.pk, **tokens}


def make_agenda(owner: User, person: Person, number: int) -> dict[str, int | str]:
    """Agreed, over, and to be chosen by a prospect abroad: each as a page of its own."""
    at = timezone.now()
    host = make.user(f"Griet Van den Bossche{number}", Role.ACCOUNT_MANAGER, team=owner.team)
    coming = make.appointment(
        host, person=person, by=owner, at=at, subject="Kennismaking", note="Wat zou u willen bereiken?"
    )
    over = make.appointment(
        host,
        person=person,
        by=owner,
        at=at - timedelta(days=3),
        starts_at=at - timedelta(days=1),
        subject="Vorige keer",
    )
    abroad = make.person(f"Yuki Mori{number}", at=at, owner=owner, language="nl", time_zone="Asia/Tokyo")
    asked: dict[str, Any] = {"person": abroad, "by": owner, "at": at, "subject": "Kennismaking"}
    free, used, closed = (make.booking_link(host, **asked) for _each in range(3))
    moment = agenda.first_free([host], minutes=30, at=at)[host.pk]
    appointments.book_by_link(link=used, starts_at=moment, at=at)
    appointments.revoke_link(link=closed, by=owner, at=at)
    tokens = {"book": free.token, "booked": used.token, "book_closed": closed.token}
    return {
        "host": host.pk,
        "coming": coming.pk,
        "over": over.pk,
        "booking_link": free.pk,
        "moment": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **tokens,
    }


def make_noes(owner: User, number: int) -> dict[str, int | str]:
    """A reason and an alternative of our own, a lead to be judged and one that was declined for that reason, a visit before anybody said yes, days
    away, a rule of assignment and a calendar elsewhere."""
    at = timezone.now()
    reason = make.decline_reason(f"Too far away {number}", label_nl=f"Te ver weg {number}", by=owner, at=at,
                                 text_nl="{{ greeting }}\n\nWij zitten te ver van u.\n\n{{ sender.signature }}")  # fmt: skip
    instead = make.alternative(
        f"Rustig beginnen {number}", by=owner, at=at, url="https://kring.example/rustig", text_nl="Lees dit eens."
    )
    told: dict[str, Any] = {
        "reason": reason.code,
        "alternative": instead,
        "come_back_on": timezone.localdate() + timedelta(days=90),
    }
    gone = make.person(f"Ludo Peeters{number}", at=at, owner=owner, language="nl")
    no = make.working_lead(owner, at=at, person=gone, message="Komt u ook in Groningen?", origin="beurs")
    verdicts.decline(lead=no, note="Jammer.", by=owner, at=at, **told)
    other = make.person(f"Nele Hermans{number}", at=at, owner=owner, language="nl")
    judged = make.working_lead(owner, at=at, person=other, message="Kunt u langskomen?", origin="beurs")
    leads.note_distance(lead=judged, km=84, by=owner, at=at)
    tomorrow = timezone.localdate() + timedelta(days=1)
    verdicts.ask_first(lead=judged, question="Wie beslist er met u mee?", on=tomorrow, by=owner, at=at)
    host = make.user(f"Toon Mertens{number}", Role.ACCOUNT_MANAGER, team=owner.team)
    make.appointment(
        host, person=other, lead=judged, by=owner, at=at, kind="visit", subject="Kennismaking", place="Bij hen",
        distance_km=84, travel_minutes=70, override="Ze woont om de hoek.",
    )  # fmt: skip
    make.absence(host, at=at, days=3, by=owner, why="Op reis")
    away = make.absence(owner, at=at + timedelta(days=40), days=5, why="Zeilen")
    broken: dict[str, Any] = {
        "failure": "De agenda antwoordt niet.",
        "failing_since": at,
        "claimed_until": at + timedelta(hours=1),
    }
    calendar = make.calendar(owner, at=at, name="Thuis", **broken)
    rule = make.assignment_rule(host, by=owner, at=at, origin=f"beurs {number}", language="nl")
    return {
        "reason": reason.pk, "instead": instead.pk, "no": no.pk, "judged": judged.pk, "away": away.pk,
        "calendar": calendar.pk, "rule": rule.pk,
    }  # fmt: skip


def make_hand_offs(owner: User, number: int) -> dict[str, int | str]:
    """A lead that both sides want, and one that was handed off, about which something was asked twice and is open once."""
    at = timezone.now() - timedelta(hours=2)
    card = Scorecard.objects.create(name=f"Onze klant {number}", version=1, created_at=at)
    for side, question in (("ours", "Pijn door henzelf genoemd"), ("theirs", "Hun datum is gekozen")):
        Criterion.objects.create(scorecard=card, side=side, question=question, weight=1)
    wanted = []
    for name in ("Griet Aerts", "Koen Maes"):
        person = make.person(f"{name}{number}", at=at, language="nl", interests=["zeilen"], salutation="ms")
        lead = make.working_lead(owner, at=at, person=person, message="Welke data zijn er nog?")
        for criterion in card.criteria.all():
            leads.answer_criterion(lead=lead, criterion=criterion, value="yes", evidence="zo gezegd", by=owner, at=at)
        wanted.append(verdicts.qualify(lead=lead, by=owner, at=at))
    seller = member("Karel", Role.ACCOUNT_MANAGER, 1000 + number)
    User.objects.filter(pk=seller.pk).update(language="nl", interests=["zeilen"])
    hand_off = handoffs.submit(lead=wanted[0], to=seller, note="Wil beginnen voor Pasen.", by=owner, at=at)
    asked = handoffs.ask(hand_off=hand_off, question="Wie beslist er mee?", by=seller, at=at)
    handoffs.tell(question=asked, answer="Haar broer.", by=owner, at=at)
    handoffs.ask(hand_off=hand_off, question="Wanneer past het haar?", by=seller, at=at)
    return {"hand_off": hand_off.pk, "wanted": wanted[1].pk}


def make_draft(owner: User, number: int) -> dict[str, int | str]:
    """The next version of the scorecard of the hand-offs, with a choice more, which changes what it would say of their leads."""
    at = timezone.now()
    draft = scorecards.new_version(scorecard=Scorecard.objects.get(name=f"Onze klant {number}"), by=owner, at=at)
    question = scorecards.ask(
        scorecard=draft, side="ours", kind="choice", question="Wanneer moet het werken?", help_text="Hun dag.", by=owner,
        options=[scorecards.Possible(10, label="Dit jaar"), scorecards.Possible(0, label="Ooit")], weight=100, is_must=True,
        asks_prospect=True, prospect_question="Tegen wanneer wilt u het?", at=at,
    )  # fmt: skip
    return {"draft": draft.pk, "question": question.pk}


def make_record(owner: User, number: int) -> Record:
    at = timezone.now()
    day = timezone.localdate()
    company = make.organisation(
        f"Maatschappij voor Zeilsport en Watertoerisme {number}", at=at, owner=owner, city="Oostende", country="BE",
        domain=f"zeilsport{number}.example",
    )  # fmt: skip
    deal = make.deal(owner, at=at, name=f"Wintercursus {number}", organisation=company, next_step="Over de data bellen")
    person = make.person(
        f"Charlotte-Antoinette van der Vanderstraeten-De Wit{number}", at=at, owner=owner, organisation=company,
        phone=f"+32 9 300 {number:02} 01", email=f"charlotte-antoinette.vanderstraeten{number}@zeilsport{number}.example",
        interests=["sailing", "early music"], tags=["fair of Ghent", "newsletter"], tier="A", country="BE",
        note="Heeft twee dochters, zeilt met allebei.",
    )  # fmt: skip
    other = make.person(f"Bram Claeys{number}", at=at, owner=owner, phone=f"+32 9 300 {number:02} 01", language="nl")
    twin = PossibleDuplicate.objects.get(first_id=person.pk, second_id=other.pk)
    left = make.person(f"Zeger Baert{number}", at=at, owner=owner)
    gone = make.person(f"Zeger Baerts{number}", at=at, owner=owner)
    merging.merge(keep=left, gone=gone, by=owner, at=at)
    people.introduce(person=person, other=left, how="Zeilen samen", by=owner, at=at)
    people.add_phone(person=person, number=f"+32 470 30 {number:02} 02", by=owner, at=at)
    people.add_email(person=person, address=f"old{number}@elsewhere.example", by=owner, at=at)
    EmailAddress.objects.filter(address=f"old{number}@elsewhere.example").update(
        bounced_at=at, bounce_why="550 No such user"
    )
    before = people.add_position(
        person=person, organisation=f"Havenbedrijf {number}", title="Trainer", ended_on=day, by=owner, at=at
    )
    promise = make.promise(person, by=owner, at=at, due_on=day + timedelta(days=3), text="Het plan sturen")
    make.promise(
        person, by=owner, at=at, due_on=day + timedelta(days=30), side=PromiseSide.THEIRS, text="Haar zus vragen",
        not_before=day + timedelta(days=20),
    )  # fmt: skip
    attempt = make.attempt(other, by=owner, at=at)
    said = make.conversation(
        person, by=owner, at=at, summary="Twee ploegen, de boten blijven.", quote="Rustig, graag.", has_gain=True,
        learned="De vergunning loopt tot maart.", minutes=12, deal=deal,
    )  # fmt: skip
    mail = Conversation.objects.get(message__attachments=make.mail_file(person, by=owner, at=at))
    MailMessage.objects.filter(conversation=mail).update(
        subject="Re: de data", from_address="c@zeilsport.example", to=[owner.email], text="De tweede week past.",
        quoted="Wanneer past het?", signature="Charlotte", thread=f"thread-screens-{number}",
    )  # fmt: skip
    asked = make.mail_file(person, by=owner, at=at - timedelta(hours=1)).message
    MailMessage.objects.filter(pk=asked.pk).update(
        subject="De data", from_address=owner.email, text="Wanneer past het?", thread=f"thread-screens-{number}"
    )
    answered = MailMessage.objects.get(conversation=mail)
    MailMessage.objects.create(
        key=f"away-screens-{number}", state=MessageState.TAKEN, away_until=day + timedelta(days=9), taken_at=at,
        conversation=make.conversation(
            person, by=owner, at=at, kind=ConversationKind.EMAIL, direction=Direction.INCOMING, is_automatic=True
        ),
    )  # fmt: skip
    box = make.mailbox(owner, at=at, imap_host="127.0.0.1", imap_port=1, claimed_until=at + timedelta(hours=1))
    Mailbox.objects.filter(pk=box.pk).update(failing_since=at, failure="550 4.2.1 Mailbox busy")
    MailMessage.objects.create(
        key=f"failed-screens-{number}", state=MessageState.FAILED, reason="too deep", raw=b"x", mailbox=box, taken_at=at
    )
    MailExclusion.objects.create(user=owner, pattern=f"family{number}.example", created_at=at)
    MailExclusion.objects.get_or_create(user=None, pattern=f"doctor{number}.example", created_at=at)
    template = mail_templates.save(
        name=f"Screens {number}", subject_nl="De data", body_nl="{{ greeting }}\n\n{{ sender.signature }}",
        is_shared=True, by=owner, at=at,
    )  # fmt: skip
    later = at + timedelta(days=2)
    states: dict[str, dict[str, object]] = {
        "Waits": {"failure": ""},
        "Tried once": {"tries": 1, "failure": "550 4.2.1 Mailbox busy"},
        "Given up": {"tries": MOST_TRIES, "failure": "550 5.7.1 Rejected"},
        "Held back": {"held_at": at, "held_why": "Liever geen mail meer."},
    }
    for subject, state in states.items():
        mail_row = make.outgoing(left, by=owner, at=at, moment=later, subject=subject, body="Past het?")
        OutgoingMail.objects.filter(pk=mail_row.pk).update(**state)
    wish = make.wish(person=left, by=owner, at=at, scope=Scope.CALL)
    make.wish(address=f"info{number}@quiet.example", by=owner, at=at, scope=Scope.MAIL)
    register = make.register(f"+32155555{number:02}", name=f"Screens {number}", by=owner, at=at - timedelta(days=40))
    view = make.saved_view(owner, at=at, name=f"Warm in Ostend {number}")
    make.bulk_act(owner, at=at)
    make.notice(owner, at=at)
    make.notice(owner, at=at)
    make.notice(owner, at=at - timedelta(days=1))
    make.prospecting_plan(owner, days=list(range(7)))
    make.half_hour(owner, left, at=at - timedelta(days=1), measured_seconds=900)
    half_hour = make.half_hour(owner, person, other, at=at, measured_seconds=600, corrected_minutes=25, corrected_at=at)
    return Record(
        owner, person, other,
        {
            "half_hour": half_hour.pk,
            "person": person.pk, "other": other.pk, "left": left.pk, "company": company.pk, "deal": deal.pk,
            "pair": twin.pk, "position": before.pk, "promise": promise.pk, "attempt": attempt.pk, "said": said.pk,
            "mail": mail.pk, "answered": answered.pk, "box": box.pk, "template": template.pk, "wish": wish.pk,
            **make_forms(number), **make_hand_offs(owner, number), **make_draft(owner, number),
            **make_agenda(owner, person, number), **make_noes(owner, number),
            "register": register.pk, "team": owner.team_id or 0, "view": view.pk, "link": unsubscribing.link(other).partition("/u/")[2],
        },
    )  # fmt: skip


SCREENS = (
    "prospecting/",
    "prospecting/plan/",
    "prospecting/{half_hour}/",
    "leads/{judged}/",
    "leads/{judged}/decline/",
    "leads/{judged}/nurture/",
    "leads/{judged}/ask-first/",
    "leads/{judged}/question-answered/",
    "leads/{judged}/distance/",
    "leads/{judged}/assign/",
    "leads/{no}/",
    "leads/{no}/look-back/",
    "leads/{wanted}/qualify/",
    "noes/",
    "noes/list/?what=later",
    "overrides/",
    "settings/declining/",
    "settings/declining/reasons/new/",
    "settings/declining/reasons/{reason}/",
    "settings/declining/alternatives/new/",
    "settings/declining/alternatives/{instead}/",
    "notices/",
    "me/notices/",
    "me/calendars/",
    "me/calendars/new/",
    "me/calendars/{calendar}/",
    "me/calendars/{calendar}/disconnect/",
    "people/?owner=me&show=tags&show=country&show=tier&show=owner&sort=-name",
    "organisations/?owner=me",
    "lists/people/views/",
    "lists/people/download/?owner=me",
    "lists/changed/",
    "people/{person}/",
    "people/{left}/",
    "people/{person}/edit/",
    "people/new/",
    "people/{person}/position/",
    "positions/{position}/",
    "organisations/{company}/",
    "organisations/{company}/edit/",
    "organisations/new/",
    "people/duplicates/?whose=mine",
    "people/duplicates/?kind=organisation",
    "people/duplicates/{pair}/",
    "people/merges/",
    "people/{person}/merge/?named=Claeys",
    "people/{person}/call/",
    "people/{other}/call/",
    "attempts/{attempt}/",
    "conversations/new/",
    "conversations/new/?deal={deal}",
    "conversations/new/?person={person}",
    "conversations/{said}/",
    "conversations/{mail}/",
    "conversations/{said}/edit/",
    "conversations/{said}/delete/",
    "promises/?whose=mine",
    "promises/{promise}/",
    "promises/{promise}/edit/",
    "promises/new/?person={person}",
    "follow-ups/new/?person={person}",
    "mail/new/",
    "mail/new/?person={person}&template={template}",
    "mail/new/?reply_to={answered}",
    "mail/new/?person={person}&person={other}&person={left}",
    "mail/?whose=mine",
    "settings/mail-templates/",
    "settings/mail-templates/new/",
    "settings/mail-templates/{template}/",
    "me/mailboxes/",
    "me/mailboxes/new/",
    "me/mailboxes/new/?at=own",
    "me/mailboxes/{box}/",
    "me/mailboxes/{box}/edit/",
    "me/mailboxes/{box}/folders/",
    "me/mailboxes/{box}/disconnect/",
    "me/private-addresses/",
    "settings/peace/",
    "settings/peace/new/",
    "people/{person}/peace/",
    "peace/{wish}/lift/",
    "settings/registers/",
    "settings/registers/new/",
    "settings/registers/{register}/remove/",
    "settings/pacing/",
    "settings/teams/",
    "settings/teams/new/",
    "settings/teams/{team}/",
    "settings/rules/",
    "settings/rules/keep_in_touch/?team={team}",
    "settings/rules/first_answer/",
    "settings/assignment/",
    "settings/assignment/new/",
    "settings/assignment/{rule}/",
    "settings/absences/",
    "me/absences/",
    "settings/scorecards/",
    "settings/scorecards/new/",
    "settings/scorecards/{draft}/",
    "settings/scorecards/{draft}/questions/new/?side=theirs",
    "settings/scorecards/questions/{question}/",
    "settings/forms/",
    "settings/forms/new/",
    "settings/forms/{form}/",
    "settings/forms/refused/",
    "settings/content/",
    "settings/content/new/",
    "settings/content/{piece}/",
    "settings/hooks/",
    "settings/hooks/new/",
    "settings/hooks/{hook}/",
    "settings/hooks/{hook}/change/",
    "me/mailboxes/{box}/leads/",
    "f/{form_slug}/?lang=nl",
    "f/{form_slug}/?embed=1",
    "f/{form_slug}/thanks/",
    "f/confirm/{to_confirm}/",
    "f/confirm/{confirmed_late}/",
    "agenda/?user={host}",
    "agenda/new/?person={person}&user={host}",
    "agenda/new/?person={other}&user={host}&kind=visit",
    "agenda/links/new/?person={person}",
    "agenda/links/{booking_link}/",
    "appointments/{coming}/",
    "appointments/{over}/",
    "appointments/{coming}/move/",
    "appointments/{coming}/cancel/",
    "conversations/new/?appointment={over}",
    "me/agenda/",
    "book/{book}/?zone=Asia/Tokyo",
    "book/{book}/?zone=Asia/Tokyo&at={moment}",
    "book/{booked}/",
    "book/{booked}/move/?zone=Asia/Tokyo",
    "book/{booked}/cancel/",
    "book/{book_closed}/",
    "agenda/",
    "hand-offs/?whose=given",
    "hand-offs/{hand_off}/",
    "hand-offs/{hand_off}/redirect/",
    "hand-offs/report/?period=all",
    "hand-offs/report/list/?period=all&state=waiting",
    "leads/{wanted}/hand-off/",
    "search/?q=Vanderstraeten",
    "u/{link}",
)

OVER = ("book/{book_closed}/",)
"""Those of them that say kindly that their time is over, also in their status."""
