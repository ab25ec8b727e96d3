"""The main job, walked in a real browser on the running program with its real worker: a stranger asks, is answered, judged and handed off, becomes
a deal and a customer, and introduces somebody who is a lead again. Then the same without JavaScript, on a telephone, and in Dutch.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from crm.models import Event, EventKind, FollowUp, Lead, LeadStatus, Role, Stage
from tests import make
from tests.journeys import steps
from tests.journeys.steps import Firm, Visitor
from tests.running import DESKTOP, PHONE, LiveStack, sideways_scroll

pytestmark = [pytest.mark.browser, pytest.mark.stack]

NewPage = Callable[..., Page]

SCREENS = {
    "today": "/",
    "inbox": "/leads/?owner=me",
    "hand-offs": "/hand-offs/?whose=me",
    "board": "/deals/?owner=me",
    "deals": "/deals/list/?owner=me",
    "people": "/people/?owner=me",
    "organisations": "/organisations/?owner=me",
    "promises": "/promises/",
    "preferences": "/me/",
    "search": "/search/",
}
"""The main screens that show nobody's rows but one's own."""
AGENDA = {"agenda": "/agenda/", "limits": "/me/agenda/", "absences": "/me/absences/", "calendars": "/me/calendars/",
          "new calendar": "/me/calendars/new/", "noes": "/noes/"}  # fmt: skip
"""Those about when one can be met, and what was declined: `test_every_screen` looks at them, and a Dutch reader reads them here."""
WHOLE = {"circle": "/circle/", "dashboard": "/dashboard/", "health": "/health/", "imports": "/settings/imports/",
         "settings": "/settings/", "new import": "/settings/imports/new/"}  # fmt: skip
"""Those that show the rows of everybody."""
ENGLISH = re.compile(r"\b(the|and|with|from|your|they|nobody|nothing|waiting|show|clear|save)\b", re.I)


@pytest.fixture
def firm(stack_db: LiveStack) -> Firm:
    return steps.open_firm(stack_db)


def test_from_an_enquiry_to_the_customer_who_introduces_the_next(firm: Firm, new_page: NewPage) -> None:
    stranger, sdr, seller, manager = (Visitor(new_page()) for _ in range(4))
    looked_at: set[str] = set()
    barriers: dict[str, list[str]] = {}
    for visitor in (stranger, sdr, seller, manager):
        visitor.looked_at, visitor.barriers = looked_at, barriers

    lead = steps.prospect_asks(stranger, firm)
    sdr.comes_in(firm.sdr)
    assert sdr.page.url.endswith("/leads/"), "an SDR lands in the inbox"
    steps.sdr_is_reminded(sdr, firm)
    steps.sdr_takes(sdr, firm, lead)
    steps.sdr_answers(sdr, firm)
    steps.sdr_scores(sdr)
    steps.sdr_qualifies_and_hands_off(sdr, firm)

    seller.comes_in(firm.account_manager)
    deal = steps.account_manager_accepts(seller, firm)
    second = steps.second_deal(firm).pk
    seller.page.goto("/deals/")
    seller.looks("board")
    with seller.without_a_new_page():
        steps.drags(seller, deal, "Needs and wishes")
        steps.stands_in(seller, deal, "Needs and wishes")
        steps.moves_by_menu(seller, second, "Proposal")
    seller.page.reload()
    steps.stands_in(seller, deal, "Needs and wishes")
    steps.stands_in(seller, second, "Proposal")
    steps.logs_a_conversation(seller, deal)
    steps.wins(seller, deal)
    referral = steps.asks_for_a_referral(seller, firm)
    steps.is_introduced(seller, firm)
    steps.looks_around(seller, SCREENS)

    steps.sdr_finds_the_referral(sdr, firm)
    introduced = Lead.objects.get(referral=referral)
    assert introduced.origin == "referral"
    assert introduced.owner == firm.sdr
    assert introduced.person is not None
    assert introduced.person.introduced_by == lead.person

    manager.comes_in(firm.manager)
    steps.manager_looks(manager, firm)
    table = steps.manager_takes_the_table_along(manager)
    assert "referral" in table
    steps.looks_around(manager, WHOLE)

    assert barriers == {}
    lead.refresh_from_db()
    assert lead.status == LeadStatus.ACCEPTED
    said = set(Event.objects.filter(lead=lead).values_list("kind", flat=True))
    story = {
        EventKind.LEAD_RECEIVED, EventKind.LEAD_TAKEN, EventKind.LEAD_ANSWERED, EventKind.LEAD_QUALIFIED,
        EventKind.HAND_OFF_SUBMITTED, EventKind.HAND_OFF_ACCEPTED, EventKind.DEAL_OPENED, EventKind.DEAL_MOVED,
        EventKind.CONVERSATION_LOGGED, EventKind.DEAL_WON,
    }  # fmt: skip
    assert story <= said, "every change writes an event"
    open_now = FollowUp.objects.open().filter(lead=lead, rule__in=("first_answer", "hand_off"))
    assert not open_now.exists(), "what was done asks for nothing any more"


def test_the_same_without_javascript(firm: Firm, new_page: NewPage) -> None:
    plain = DESKTOP | {"java_script_enabled": False}
    stranger, sdr, seller = (Visitor(new_page(plain), has_script=False) for _ in range(3))

    lead = steps.prospect_asks(stranger, firm)
    sdr.comes_in(firm.sdr)
    steps.sdr_takes(sdr, firm, lead)
    steps.sdr_answers(sdr, firm)
    steps.sdr_scores(sdr)
    steps.sdr_qualifies_and_hands_off(sdr, firm)

    seller.comes_in(firm.account_manager)
    deal = steps.account_manager_accepts(seller, firm)
    seller.page.goto("/deals/")
    steps.moves_by_menu(seller, deal, "Proposal")
    steps.logs_a_conversation(seller, deal)
    steps.wins(seller, deal)
    steps.asks_for_a_referral(seller, firm)
    steps.is_introduced(seller, firm)
    steps.sdr_finds_the_referral(sdr, firm)


def test_on_a_telephone_in_the_dark_a_hand_off_is_accepted(firm: Firm, new_page: NewPage) -> None:
    visitor = Visitor(new_page(PHONE | {"color_scheme": "dark"}))
    offered = make.hand_off(firm.sdr, firm.account_manager, name=firm.prospect, organisation=firm.company)
    visitor.comes_in(firm.account_manager)
    page = visitor.page
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/")
    visitor.looks("today")
    page.goto(f"/leads/{offered.lead_id}/")
    visitor.looks("lead")
    page.goto(f"/hand-offs/{offered.pk}/")
    visitor.looks("hand-off")
    page.get_by_label("Next step").fill("Call about the dates")
    page.get_by_label("On", exact=True).fill(steps.soon())
    page.get_by_role("button", name="Accept: make it a deal").tap()
    visitor.is_told("Accepted. It is your deal now.")
    visitor.looks("deal")
    page.goto("/deals/")
    visitor.looks("board")
    assert sideways_scroll(page) == 0
    assert visitor.barriers == {}


def test_an_account_manager_asks_back_and_gives_it_back(firm: Firm, new_page: NewPage) -> None:
    seller, sdr = Visitor(new_page(DESKTOP)), Visitor(new_page(DESKTOP))
    offered = make.hand_off(firm.sdr, firm.account_manager, name=firm.prospect, organisation=firm.company)
    seller.comes_in(firm.account_manager)
    page = seller.page
    page.goto(f"/hand-offs/{offered.pk}/")
    page.get_by_text("Ask back…").click()
    page.get_by_label("What do you need to know first?").fill("Who decides with her?")
    page.get_by_role("button", name=re.compile("^Ask")).click()
    seller.is_told("The clock stands still until the answer is here.")
    seller.looks("hand-off, asked back")

    sdr.comes_in(firm.sdr)
    sdr.page.goto("/leads/")
    sdr.page.get_by_role("link", name=re.compile("asks you something about")).first.click()
    sdr.looks("hand-off, to be answered")
    sdr.page.get_by_label("Your answer").fill("Her brother does.")
    sdr.page.get_by_role("button", name="Answer", exact=True).click()
    sdr.is_told("reads your answer, and the clock goes on.")

    page.goto(f"/hand-offs/{offered.pk}/")
    expect(page.get_by_text("Her brother does.")).to_be_visible()
    page.get_by_text("Not for me…").click()
    page.get_by_label("Why not").select_option("too_early")
    page.get_by_label("In your own words").fill("After Easter, with her brother.")
    page.get_by_role("button", name="Give it back").click()
    seller.is_told("takes it up again and reads why.")
    sdr.page.goto(f"/leads/{offered.lead_id}/")
    expect(sdr.page.get_by_text("After Easter, with her brother.").first).to_be_visible()
    assert seller.barriers == {} == sdr.barriers


def test_a_dutch_reader_reads_dutch(firm: Firm, new_page: NewPage) -> None:
    with translation.override("nl"):
        if translation.gettext("Nothing is due") == "Nothing is due":
            pytest.skip("The Dutch catalogue is not filled yet.")
    for user in (firm.account_manager, firm.manager):
        user.language = "nl"
        user.save(update_fields=["language"])
    found: dict[str, list[str]] = {}
    for user, screens in ((firm.account_manager, SCREENS | AGENDA), (firm.manager, WHOLE)):
        visitor = Visitor(new_page())
        visitor.comes_in(user)
        for screen, path in screens.items():
            visitor.page.goto(path)
            expect(visitor.page.locator("html")).to_have_attribute("lang", "nl")
            expect(visitor.page.locator("#nav")).to_contain_text("Vandaag")
            text = visitor.page.locator("main").inner_text()
            for name in Stage.objects.values_list("name", flat=True):  # what the firm itself called them
                text = text.replace(name, "")
            if user.role != Role.MANAGER and (words := ENGLISH.findall(text)):
                found[screen] = sorted(set(words))
    assert found == {}
