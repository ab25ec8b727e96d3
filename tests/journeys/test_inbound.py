"""Inbound, walked in a real browser on the running program with its real worker: a prospect fills in a form on a telephone and confirms it, an SDR
scores, qualifies and hands off or says a good no, an account manager asks back and answers, and the prospect chooses a time, moves it and calls it
off. What goes out by mail is read from the mails that were sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from icalendar import Calendar
from playwright.sync_api import Page, expect

from crm import capture_forms, people, scorecards
from crm.models import (
    AlternativeKind,
    Appointment,
    AppointmentState,
    CaptureForm,
    FieldKind,
    FormSubmission,
    HandOff,
    HandOffState,
    Lead,
    LeadStatus,
    RejectReason,
    SubmissionState,
    Team,
    User,
    Verdict,
)
from crm.scorecards import Possible
from qualification.models import Answer, Criterion, Side
from tests import make
from tests.journeys import steps
from tests.journeys.steps import Firm, Visitor
from tests.running import PHONE, LiveStack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.stack]

NewPage = Callable[..., Page]

CONSENT = "U mag mij schrijven over mijn vraag."
WHEN, BOATS, CARE, PAIN = (
    "When must it work?",
    "How many boats do they have?",
    "How well do they look after their crew?",
    "Pain they name themselves",
)


@pytest.fixture
def firm(stack_db: LiveStack) -> Firm:
    return steps.open_firm(stack_db)


# ---- What there is before the journeys begin -----------------------------------------------------------------------


def scorecard(firm: Firm) -> dict[str, Criterion]:
    """A definition of a customer with a question of each kind, in use; the first is asked on the form."""
    by, at = firm.manager, timezone.now()
    card = scorecards.begin(name=f"Rederij {firm.number}", by=by, at=at)
    soon = [Possible(10, label="Dit voorjaar"), Possible(4, label="Volgend jaar"), Possible(0, label="Ooit")]
    fleet = [Possible(4, at_least=Decimal(5)), Possible(10, at_least=Decimal(20))]
    ours, theirs = Side.OURS, Side.THEIRS
    asked = [
        scorecards.ask(
            scorecard=card, side=theirs, kind="choice", question=WHEN, options=soon, weight=3, is_must=True,
            asks_prospect=True, prospect_question="Wanneer wilt u beginnen?", by=by, at=at,
        ),
        scorecards.ask(
            scorecard=card, side=ours, kind="number", question=BOATS, options=fleet, weight=2, by=by, at=at
        ),
        scorecards.ask(scorecard=card, side=ours, kind="scale", question=CARE, weight=2, by=by, at=at),
        scorecards.ask(scorecard=card, side=ours, kind="yes_no", question=PAIN, weight=3, is_must=True, by=by, at=at),
        scorecards.ask(scorecard=card, side=theirs, kind="text", question="What do they hope for?", by=by, at=at),
    ]  # fmt: skip
    scorecards.publish(scorecard=card, by=by, at=at)
    return {criterion.question: criterion for criterion in asked}


def form(firm: Firm, question: Criterion) -> CaptureForm:
    """In Dutch, with a consent and the question of the scorecard; what it brings is confirmed by mail first."""
    made = make.form(
        f"vraag-{firm.number}",
        title="Vraag ons iets",
        consent=CONSENT,
        language="nl",
        owner=firm.sdr,
        is_double_opt_in=True,
    )
    asks = FieldKind.QUESTION
    capture_forms.add_field(form=made, kind=asks, criterion_key=question.key, by=firm.manager, at=timezone.now())
    return made


# ---- The mails that went out ---------------------------------------------------------------------------------------


def mails(firm: Firm, address: str) -> list[EmailMessage]:
    """What was sent to this address, oldest first."""
    read = [message_from_string(raw, policy=policy.default) for raw in firm.stack.outbox()]
    return [mail for mail in read if address in str(mail["To"])]


def words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())


@dataclass(frozen=True)
class Invited:
    """What the calendar of somebody reads in a mail."""

    method: str
    uid: str
    sequence: int
    starts_at: datetime


def invitations(firm: Firm, address: str, number: int) -> list[Invited]:
    """Those that went to this address, as soon as there are so many; the method of the mail is that of the calendar in it."""

    def arrived() -> list[Invited]:
        found = []
        for mail in mails(firm, address):
            part = next(each for each in mail.walk() if each.get_content_type() == "text/calendar")
            calendar = Calendar.from_ical(str(part.get_content()))
            event: Any = calendar.walk("VEVENT")[0]
            assert part.get_param("method") == calendar["METHOD"]
            found.append(
                Invited(str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"]), event.decoded("DTSTART"))
            )
        return found if len(found) >= number else []

    found: list[Invited] = wait_for(arrived, why=f"{number} invitations to {address}")
    return found


# ---- From the form to the hand-off ---------------------------------------------------------------------------------


def test_what_a_prospect_confirmed_is_scored_qualified_and_handed_off(firm: Firm, new_page: NewPage) -> None:
    asked = scorecard(firm)
    made = form(firm, asked[WHEN])
    stranger, sdr = Visitor(new_page(PHONE)), Visitor(new_page())
    address = f"lotte@brouwerij{firm.number}.example"

    lead = prospect_fills_in_and_confirms(stranger, firm, made, address)
    assert lead.owner == firm.sdr
    assert lead.person is not None
    people.change(person=lead.person, interests=["zeilen", "brood", "orgels"], by=firm.sdr, at=timezone.now())
    User.objects.filter(pk=firm.account_manager.pk).update(language="nl", interests=["zeilen", "brood", "orgels"])

    sdr.comes_in(firm.sdr)
    page = sdr.page
    page.goto("/leads/")
    page.locator(f"#lead-{lead.pk}").get_by_role("link", name=firm.prospect).click()
    expect(page.get_by_text("Welke data zijn er nog?").first).to_be_visible()
    expect(page.locator("main")).to_contain_text(CONSENT)
    expect(page.locator("main")).to_contain_text("Confirmed by mail on")
    page.get_by_role("button", name=re.compile("^Take")).first.click()
    sdr.is_told(f"{firm.prospect} is yours now")
    theirs = page.locator(f"#criterion-{asked[WHEN].pk}")
    expect(theirs).to_contain_text("Dit voorjaar")
    expect(theirs).to_contain_text("said so on the form")

    sdr_scores(sdr, asked)
    sdr.looks("lead, scored with every kind")
    page.get_by_role("button", name=re.compile("Both yes: qualify")).click()
    sdr.is_told("Qualified: both say yes")

    best = page.locator("#fits .fit").first
    expect(best).to_contain_text(firm.account_manager.name)
    expect(best).to_contain_text("zeilen")
    best.get_by_role("link", name=re.compile("^Hand off")).click()
    chosen = page.locator("#act").get_by_role("radio", name=re.compile(firm.account_manager.name))
    expect(chosen).to_be_checked()
    page.locator("#act").get_by_label("Your line").fill("Wil varen voor Pasen.")
    page.locator("#act").get_by_role("button", name="Hand off").click()
    sdr.is_told(f"Handed off to {firm.account_manager.name}")

    lead.refresh_from_db()
    assert (lead.status, lead.verdict) == (LeadStatus.HANDED_OFF, Verdict.QUALIFIED)
    offered = HandOff.objects.get(lead=lead)
    assert (offered.to_user, offered.note) == (firm.account_manager, "Wil varen voor Pasen.")
    assert stranger.barriers == {} == sdr.barriers


def prospect_fills_in_and_confirms(visitor: Visitor, firm: Firm, made: CaptureForm, address: str) -> Lead:
    page = visitor.page
    page.goto(f"/f/{made.slug}/?lang=nl")
    visitor.looks("form with a question and a consent")
    page.get_by_label("Uw naam").fill(firm.prospect)
    page.get_by_label("Uw e-mailadres").fill(address)
    page.get_by_label("Uw organisatie").fill(firm.company)
    page.get_by_label("Wat wilt u graag weten?").fill("Welke data zijn er nog?")
    page.get_by_role("group", name="Wanneer wilt u beginnen?").get_by_label("Dit voorjaar").check()
    page.get_by_label(CONSENT).check()
    page.get_by_role("button", name="Versturen").tap()
    # The first thing that anybody sends to a program that has only just begun takes its time.
    expect(page.get_by_role("heading", level=1)).to_contain_text("kijk in uw mailbox", timeout=20_000)
    sent = FormSubmission.objects.get(form=made)
    assert sent.state == SubmissionState.WAITING
    assert sent.consent == CONSENT

    mail = wait_for(lambda: next(iter(mails(firm, address)), None), why="the mail with the link")
    found = re.search(r"https?://\S+(/f/confirm/\S+)", words(mail))
    assert found, words(mail)
    page.goto(found[1])
    expect(page.get_by_role("heading", level=1)).to_contain_text("Is dit bericht van u?")
    visitor.looks("confirm")
    sent.refresh_from_db()
    assert sent.state == SubmissionState.WAITING, "opening the link changes nothing"
    assert not Lead.objects.filter(form=made).exists()
    page.get_by_role("button", name="Ja, verstuur mijn bericht").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Uw bericht is aangekomen")
    assert page.context.cookies() == [], "A stranger gets no cookie."
    sent.refresh_from_db()
    assert sent.state == SubmissionState.TAKEN
    return Lead.objects.get(form=made)


def sdr_scores(visitor: Visitor, asked: dict[str, Criterion]) -> None:
    """Each kind is answered in its own way; before the last, the card says which single answer would make it a yes of both."""
    page = visitor.page

    def answer(question: str, evidence: str, *, number: str = "", choice: str = "") -> None:
        row = page.locator(f"#criterion-{asked[question].pk}")
        row.locator("summary").click()
        if number:
            row.get_by_label("Number").fill(number)
        else:
            row.get_by_label(choice, exact=True).check()
        row.get_by_label("How do you know?").fill(evidence)
        row.get_by_role("button", name="Save").click()
        expect(page.locator(f"#criterion-{asked[question].pk}")).to_contain_text(evidence)

    with visitor.without_a_new_page():
        answer(BOATS, "Counted in the harbour", number="12")
        answer(CARE, "The skipper told me", choice="4")
        expect(page.locator("#scorecard .missing").first).to_contain_text(
            f"If “{PAIN}” were yes, both sides would say yes."
        )
        expect(page.get_by_role("button", name=re.compile("Both yes: qualify"))).to_be_disabled()
        answer(PAIN, "Said so twice", choice="Yes")
    expect(page.get_by_role("button", name=re.compile("Both yes: qualify"))).to_be_enabled()
    kept = {
        row.criterion.question: (row.value, row.is_theirs)
        for row in Answer.objects.filter(criterion__in=asked.values())
    }
    assert kept == {WHEN: ("Dit voorjaar", True), BOATS: ("12", False), CARE: ("4", False), PAIN: ("yes", False)}


# ---- The account manager answers -----------------------------------------------------------------------------------


def test_a_hand_off_is_accepted_after_an_answer_and_another_comes_back_with_its_reason(
    firm: Firm, new_page: NewPage
) -> None:
    at = timezone.now()
    offered = make.hand_off(firm.sdr, firm.account_manager, at=at, name=firm.prospect, organisation=firm.company)
    other = make.hand_off(firm.sdr, firm.account_manager, at=at, name=firm.friend)
    seller, sdr = Visitor(new_page()), Visitor(new_page())
    seller.comes_in(firm.account_manager)
    page = seller.page
    page.goto(f"/hand-offs/{offered.pk}/")
    brief = page.get_by_role("article", name="The brief")
    for said in ("Wants a start before Easter.", "Which dates do you have for a workshop?"):
        expect(brief).to_contain_text(said)
    page.get_by_text("Ask back…").click()
    page.get_by_label("What do you need to know first?").fill("Who pays for it?")
    page.get_by_role("button", name=re.compile("^Ask")).click()
    seller.is_told("The clock stands still until the answer is here.")

    sdr.comes_in(firm.sdr)
    sdr.page.goto(f"/leads/{offered.lead_id}/")
    expect(sdr.page.locator("main")).to_contain_text("Who pays for it?")
    sdr.page.get_by_role("link", name="Answer it").click()
    sdr.page.get_by_label("Your answer").fill("The harbour does.")
    sdr.page.get_by_role("button", name="Answer", exact=True).click()
    sdr.is_told("reads your answer, and the clock goes on.")

    page.goto(f"/hand-offs/{offered.pk}/")
    expect(page.get_by_text("The harbour does.")).to_be_visible()
    page.get_by_label("Next step").fill("Call the harbour")
    page.get_by_label("On", exact=True).fill(steps.soon())
    page.get_by_role("button", name="Accept: make it a deal").click()
    seller.is_told("Accepted. It is your deal now.")
    lead = Lead.objects.get(pk=offered.lead_id)
    assert lead.status == LeadStatus.ACCEPTED
    assert (lead.deal.owner, lead.deal.next_step) == (firm.account_manager, "Call the harbour")

    page.goto(f"/hand-offs/{other.pk}/")
    page.get_by_text("Not for me…").click()
    page.get_by_label("Why not").select_option(RejectReason.NO_ROOM)
    page.get_by_label("In your own words").fill("Full until the summer.")
    page.get_by_role("button", name="Give it back").click()
    seller.is_told("takes it up again and reads why.")
    other.refresh_from_db()
    assert (other.state, other.reject_kind) == (HandOffState.REJECTED, RejectReason.NO_ROOM)
    sdr.page.goto("/leads/?owner=me")
    sdr.page.locator(f"#lead-{other.lead_id}").get_by_role("link", name=firm.friend).click()
    told = sdr.page.get_by_role("status").filter(has_text="did not accept this lead")
    expect(told).to_contain_text(str(RejectReason.NO_ROOM.label))
    expect(told).to_contain_text("Full until the summer.")
    expect(sdr.page.get_by_role("button", name=re.compile("Both yes: qualify"))).to_be_enabled()


# ---- The prospect chooses a time -----------------------------------------------------------------------------------


def test_a_prospect_books_moves_and_calls_off_on_a_telephone_and_both_calendars_are_told(
    firm: Firm, new_page: NewPage
) -> None:
    address = f"nele@haven{firm.number}.example"
    who = make.person(f"Nele Hermans{firm.number}", at=timezone.now(), owner=firm.sdr, email=address, language="nl")
    lead = make.working_lead(firm.sdr, at=timezone.now(), person=who, language="nl")
    sdr, prospect, seller = Visitor(new_page()), Visitor(new_page(PHONE)), Visitor(new_page())
    path = sdr_offers_a_link(sdr, firm, lead)
    seller.comes_in(firm.account_manager)

    page = prospect.page
    page.goto(path)
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    first = prospect_picks(prospect, 0)
    prospect.looks("book, picked")
    page.get_by_label("Is er iets dat we moeten weten?").fill("We komen met z'n tweeën.")
    page.get_by_role("button", name="Ja, leg dit moment vast").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Het is afgesproken")
    prospect.looks("book, agreed")
    booked = Appointment.objects.get(person=who)
    assert (booked.user, booked.lead, booked.starts_at) == (firm.account_manager, lead, first)
    stands_in_agenda(seller, booked)
    expect(seller.page.locator("main")).to_contain_text("z'n tweeën")

    page.goto(path)
    page.get_by_role("link", name="Kies een ander moment").tap()
    second = prospect_picks(prospect, 1)
    assert second != first
    page.get_by_role("button", name="Verzet naar dit moment").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Het is afgesproken")
    booked.refresh_from_db()
    assert booked.starts_at == second
    stands_in_agenda(seller, booked)

    page.goto(path)
    page.get_by_role("link", name="Zeg ze af").tap()
    page.get_by_label("Wilt u ons zeggen waarom?").fill("Onze schipper is ziek.")
    prospect.looks("book, cancel")
    page.get_by_role("button", name="Ja, zeg ze af").tap()
    expect(page.get_by_role("status")).to_contain_text("Kies gerust een ander moment")
    assert page.context.cookies() == [], "A stranger gets no cookie."
    booked.refresh_from_db()
    assert booked.state == AppointmentState.CANCELLED
    seller.page.goto(agenda_of(booked))
    expect(seller.page.locator("#agenda")).not_to_contain_text(str(who))
    seller.page.goto(f"/appointments/{booked.pk}/")
    expect(seller.page.locator("main")).to_contain_text("cancelled")
    expect(seller.page.locator("main")).to_contain_text("Onze schipper is ziek.")

    for reader in (address, firm.account_manager.email or ""):
        got = invitations(firm, reader, 3)
        assert [(each.method, each.uid, each.starts_at) for each in got] == [
            ("REQUEST", booked.uid, first),
            ("REQUEST", booked.uid, second),
            ("CANCEL", booked.uid, second),
        ]
        assert got[0].sequence < got[1].sequence < got[2].sequence
    assert sdr.barriers == {} == prospect.barriers == seller.barriers


def sdr_offers_a_link(visitor: Visitor, firm: Firm, lead: Lead) -> str:
    """The path of the link, which stands ready in a mail to them."""
    visitor.comes_in(firm.sdr)
    page = visitor.page
    page.goto(f"/leads/{lead.pk}/")
    page.locator("summary").filter(has_text="Meet").click()
    page.get_by_role("link", name="Send a link to choose a time").click()
    page.get_by_label("With whom of us").select_option(label=firm.account_manager.name)
    page.get_by_label("What is it about?").fill("Kennismaking")
    page.get_by_role("button", name="Make the link").click()
    visitor.is_told("The link is made.")
    address = page.get_by_label("The address").input_value()
    page.get_by_role("link", name="Write the mail with it").click()
    expect(page.locator("#letter textarea").first).to_have_value(re.compile(re.escape(address)))
    return urlsplit(address).path


def prospect_picks(visitor: Visitor, number: int) -> datetime:
    """The moment of that free time, after it was pressed."""
    visitor.looks("book")
    slot = visitor.page.locator("a.slot").nth(number)
    moment = datetime.fromisoformat(parse_qs(urlsplit(slot.get_attribute("href") or "").query)["at"][0])
    slot.tap()
    expect(visitor.page.locator("input[name=at]")).to_have_value(moment.isoformat())
    return moment


def agenda_of(booked: Appointment) -> str:
    return f"/agenda/?week={timezone.localdate(booked.starts_at, booked.user.zone).isoformat()}"


def stands_in_agenda(visitor: Visitor, booked: Appointment) -> None:
    """At its time in the week of the host, and from there on its own page."""
    page = visitor.page
    page.goto(agenda_of(booked))
    item = page.locator("#agenda .week-item").filter(has_text=str(booked.person))
    expect(item).to_have_count(1)
    expect(item).to_contain_text(f"{booked.starts_at.astimezone(booked.user.zone):%H:%M}")
    visitor.looks("agenda")
    item.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(booked.person))


# ---- No, and not yet -----------------------------------------------------------------------------------------------


def test_a_good_no_is_read_before_it_goes_and_what_we_must_know_comes_back_today(firm: Firm, new_page: NewPage) -> None:
    at, address = timezone.now(), f"ludo@werf{firm.number}.example"
    who = make.person(f"Ludo Peeters{firm.number}", at=at, owner=firm.sdr, email=address, language="nl")
    lead = make.working_lead(firm.sdr, at=at, person=who, language="nl")
    curious = make.working_lead(firm.sdr, at=at, name=firm.friend)
    # A question for today comes today, whatever day that is.
    User.objects.filter(pk=firm.sdr.pk).update(working_days=list(range(7)))
    Team.objects.filter(members=firm.sdr).update(country="")
    book = make.alternative(
        f"Het gidsje {firm.number}", by=firm.manager, at=at, kind=AlternativeKind.OFFERING,
        url=f"https://kring.example/gids-{firm.number}", text_nl="In ons gidsje staat hoe u zelf begint:",
    )  # fmt: skip
    sdr = Visitor(new_page())
    sdr.comes_in(firm.sdr)
    page = sdr.page
    page.goto(f"/leads/{lead.pk}/")
    sdr.opens(re.compile("^A good no"), page.locator("#verdict"))
    page.locator("#act").get_by_label("Why not").select_option("no_need")
    preview = page.locator("#letter-preview")
    expect(preview).to_contain_text("Bedankt voor uw bericht.")
    page.locator("#act").get_by_label("What we offer instead").select_option(label=book.name)
    expect(preview).to_contain_text("In ons gidsje staat hoe u zelf begint:")
    expect(preview).to_contain_text(book.url)
    sdr.looks("a good no, with its preview")
    day = timezone.localdate() + timedelta(days=120)
    page.locator("#act").get_by_label("Come back on").fill(day.isoformat())
    page.locator("#act").get_by_role("button", name="Decline").click()
    sdr.is_told("Declined, and your message is on its way.")
    expect(page.locator("#verdict")).to_contain_text(f"We offered “{book.name}” instead.")
    lead.refresh_from_db()
    assert (lead.status, lead.alternative, lead.come_back_on) == (LeadStatus.DECLINED, book, day)
    mail = wait_for(lambda: next(iter(mails(firm, address)), None), why="the kind no")
    assert book.url in words(mail)
    assert "Bedankt voor uw bericht." in words(mail)

    page.goto("/noes/")
    page.locator("a.figure").first.click()
    line = page.locator("#noes tr").filter(has=page.locator(f"a[href='/leads/{lead.pk}/']"))
    expect(line).to_contain_text("They do not need what we make")
    expect(line).to_contain_text(firm.sdr.name)

    page.goto(f"/leads/{curious.pk}/")
    sdr.opens(re.compile("^Need to know more"), page.locator("#verdict"))
    page.locator("#act").get_by_label("What do we need to know?").fill("Who decides about the boats?")
    page.locator("#act").get_by_label("Ask it on").fill(timezone.localdate().isoformat())
    page.locator("#act").get_by_role("button", name="Keep the question").click()
    sdr.is_told("The question waits for its day")
    sdr.until("/", lambda page: page.locator("#follow-ups li").filter(has_text="Who decides about the boats?"))
    expect(page.locator("#follow-ups")).to_contain_text(firm.friend)
    curious.refresh_from_db()
    assert (curious.status, curious.open_question) == (LeadStatus.WORKING, "Who decides about the boats?")
    assert sdr.barriers == {}
