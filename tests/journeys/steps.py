"""The steps of the journey from an enquiry to the customer who introduces the next one, each as a person does it on the screen: by the words on
links and buttons, and by the labels of fields. Every step works with and without JavaScript; `Visitor.has_script` says which it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from crm.models import CaptureForm, Deal, Lead, Role, User
from tests import make
from tests.running import DESKTOP, PHONE, LiveStack, serious_barriers, sideways_scroll, sign_in, wait_for

_numbers = count(1)
REPLIES = (
    "They said so themselves",
    "Counted on the visit",
    "Heard it twice",
    "The permit ends in March",
    "All three were there",
)


@dataclass
class Firm:
    """A team with its public form, on the running stack. `number` keeps the names of one journey apart from those of another."""

    stack: LiveStack
    number: int
    sdr: User
    account_manager: User
    manager: User
    form: CaptureForm

    @property
    def prospect(self) -> str:
        return f"Lotte Verbeke{self.number}"

    @property
    def company(self) -> str:
        return f"Brouwerij Noord {self.number}"

    @property
    def friend(self) -> str:
        return f"Bart Wouters{self.number}"


def open_firm(stack: LiveStack) -> Firm:
    number = next(_numbers)
    team = make.team(f"Journey {number}")

    def member(name: str, role: Role) -> User:
        email = f"{name.split()[0].lower()}{number}@journey.example"
        return make.user(f"{name} {number}", role, team=team, email=email)

    make.scorecard()
    sdr = member("Sofie Peeters", Role.SDR)
    return Firm(
        stack,
        number,
        sdr,
        member("Arjan Smit", Role.ACCOUNT_MANAGER),
        member("Mieke Janssens", Role.MANAGER),
        make.form(f"ask-{number}", title="Ask us anything", origin="website", owner=sdr, language="en"),
    )


# Colours that are still on their way from one theme to the other are nobody's. A form in a frame on another site has one theme.
IN_THEME = """theme => {
    if (!window.kringTheme) return;
    document.documentElement.dataset.bsTheme = theme;
    for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish();
}"""


# ---- Somebody who looks --------------------------------------------------------------------------------------------


@dataclass
class Visitor:
    """A window with its visitor. `looked_at` are the screens that were searched for barriers, each once, in light and in dark."""

    page: Page
    has_script: bool = True
    looked_at: set[str] = field(default_factory=set)
    barriers: dict[str, list[str]] = field(default_factory=dict)

    def comes_in(self, user: User) -> None:
        sign_in(self.page, user.email, make.PASSWORD)

    def looks(self, screen: str) -> None:
        """Search this screen for what would keep somebody out."""
        if not self.has_script or screen in self.looked_at:
            return
        self.looked_at.add(screen)
        for theme in ("light", "dark"):
            self.page.evaluate(IN_THEME, theme)
            if found := serious_barriers(self.page):
                self.barriers[f"{screen}, {theme}"] = found
        self.page.evaluate("kringTheme.choose('auto')")
        if wider := sideways_scroll(self.page):
            self.barriers[f"{screen}, width"] = [f"{wider} pixels too wide"]

    def looks_both_ways(self, screen: str, *, unfold: bool = True) -> None:
        """The same in the two shapes that differ most: wide and in light, then as narrow as a telephone and in the dark. What is folded is looked at
        unfolded."""
        assert self.page.locator("h1").count() == 1, f"{screen} has not one heading"
        if unfold:
            self.page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
        for theme, shape in (("light", DESKTOP), ("dark", PHONE)):
            self.page.set_viewport_size(shape["viewport"])
            self.page.evaluate(IN_THEME, theme)
            if found := serious_barriers(self.page):
                self.barriers[f"{screen}, {theme}"] = found
            if wider := sideways_scroll(self.page):
                self.barriers[f"{screen}, {theme}, width"] = [f"{wider} pixels too wide"]
        self.page.set_viewport_size(DESKTOP["viewport"])
        self.page.evaluate(IN_THEME, "light")

    def until(self, path: str, seen: Callable[[Page], Locator], *, gone: bool = False) -> Locator:
        """Opens the page again until what the worker does is to be seen on it (or is gone)."""

        def now() -> bool:
            answer = self.page.goto(path)
            assert answer, path
            assert answer.ok, f"{path} answered {answer.status}"
            return (seen(self.page).count() == 0) == gone

        try:
            wait_for(now, seconds=40, why=f"the worker to {'close' if gone else 'bring'} what {path} shows")
        except AssertionError as vain:
            raise AssertionError(f"{vain}\n{self.page.locator('main').inner_text()}") from vain
        return seen(self.page)

    def opens(self, words: str | re.Pattern[str], within: Locator | None = None) -> None:
        """An act that is asked in a dialog, or on a page of its own without JavaScript. Afterwards its form is there."""
        (within or self.page).get_by_role("link", name=words).first.click()
        expect(self.page.locator("#act form")).to_be_visible()

    @contextmanager
    def without_a_new_page(self) -> Iterator[None]:
        """What happens within happens on the page as it is; without JavaScript there is nothing to hold."""
        if self.has_script:
            self.page.evaluate("window.sameAsBefore = true")
        yield
        if self.has_script:
            assert self.page.evaluate("window.sameAsBefore"), "The whole page was loaded again."

    def is_told(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator("#messages")).to_contain_text(words)


def to_do(act: str, name: str) -> re.Pattern[str]:
    """The name of a button or link of a row: what it does, and for whom."""
    return re.compile(rf"^{act}\s*:\s*{re.escape(name)}$")


def key_of(page: Page) -> int:
    """The number of the row whose page this is."""
    found = re.search(r"/(\d+)/", page.url)
    assert found, page.url
    return int(found[1])


def soon(days: int = 7) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


# ---- Arrive --------------------------------------------------------------------------------------------------------


def prospect_asks(visitor: Visitor, firm: Firm) -> Lead:
    page = visitor.page
    page.goto(f"/f/{firm.form.slug}/")
    visitor.looks("public form")
    page.get_by_label("Your name").fill(firm.prospect)
    page.get_by_label("Your e-mail address").fill(f"lotte@brouwerij{firm.number}.example")
    page.get_by_label("Your organisation").fill(firm.company)
    page.get_by_label("What would you like to know?").fill("Which dates do you have for a workshop in March?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    visitor.looks("thanks")
    assert page.context.cookies() == [], "A stranger gets no cookie."
    return Lead.objects.get(form=firm.form)


# ---- Work the lead -------------------------------------------------------------------------------------------------


def sdr_is_reminded(visitor: Visitor, firm: Firm) -> None:
    """The worker has made a follow-up of it."""
    visitor.until("/", lambda page: page.get_by_role("link", name=to_do("Answer", firm.prospect)))
    expect(visitor.page.locator("#follow-ups")).to_contain_text("waits for a first word from us")
    visitor.looks("today")


def sdr_takes(visitor: Visitor, firm: Firm, lead: Lead) -> None:
    page = visitor.page
    page.goto("/leads/")
    row = page.locator(f"#lead-{lead.pk}")
    expect(row).to_contain_text(firm.company)
    expect(row).to_contain_text("website")
    visitor.looks("inbox")
    row.get_by_role("button", name=re.compile("^Take")).click()
    visitor.is_told(f"{firm.prospect} is yours now")
    page.goto("/leads/")
    expect(page.locator(f"#lead-{lead.pk}")).to_contain_text(firm.sdr.name)
    page.locator(f"#lead-{lead.pk}").get_by_role("link", name=firm.prospect).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(firm.prospect)
    expect(page.get_by_text("Which dates do you have")).to_be_visible()
    visitor.looks("lead")


def sdr_answers(visitor: Visitor, firm: Firm) -> None:
    """By mail, which a worker sends; after that nothing reminds of it any more."""
    page = visitor.page
    there = page.url
    visitor.opens(re.compile("^Write"))
    visitor.looks("answer")
    message = page.locator("#act").get_by_label("Your answer")
    assert firm.sdr.name in message.input_value(), "the frame of the letter is there"
    message.fill(f"Dear Lotte,\n\nThe 12th and the 19th of March are free.\n\n{firm.sdr.name}")
    page.locator("#act").get_by_role("button", name="Send").click()
    visitor.is_told("Your answer is on its way")
    expect(page.locator("#timeline")).to_contain_text("The 12th and the 19th of March")
    letter = wait_for(
        lambda: next((mail for mail in firm.stack.outbox() if f"lotte@brouwerij{firm.number}.example" in mail), None),
        why="the worker to send the mail",
    )
    assert "The 12th and the 19th of March are free." in letter
    assert f"Reply-To: {firm.sdr.email}" in letter
    visitor.until("/", lambda page: page.get_by_role("link", name=to_do("Answer", firm.prospect)), gone=True)
    page.goto(there)


def sdr_scores(visitor: Visitor) -> None:
    """Both sides are computed again with each answer, without loading the page again."""
    page, card = visitor.page, visitor.page.locator("#scorecard")
    ours, theirs = card.locator("progress").nth(0), card.locator("progress").nth(1)
    expect(ours).to_have_attribute("value", "0")
    with visitor.without_a_new_page():
        for number, evidence in enumerate(REPLIES):
            question = card.locator(".criteria > li").nth(number)
            question.locator("summary").click()
            question.get_by_label("Yes", exact=True).check()
            question.get_by_label("How do you know?").fill(evidence)
            question.get_by_role("button", name="Save").click()
            expect(card.locator(".criteria > li").nth(number)).to_contain_text(evidence)
            if number == 0:
                expect(ours).not_to_have_attribute("value", "0")
                expect(theirs).to_have_attribute("value", "0")
    expect(ours).to_have_attribute("value", "100")
    expect(theirs).to_have_attribute("value", "100")
    expect(page.locator("#timeline")).to_contain_text(REPLIES[-1])


def sdr_qualifies_and_hands_off(visitor: Visitor, firm: Firm) -> None:
    page = visitor.page
    page.get_by_role("button", name=re.compile("Both yes: qualify")).click()
    visitor.is_told("Qualified: both say yes")
    visitor.looks("lead, qualified")
    visitor.opens(re.compile("^Hand off"), page.locator("#verdict"))
    visitor.looks("hand off")
    page.locator("#act").get_by_label(re.compile(firm.account_manager.name)).check()
    page.locator("#act").get_by_label("Your line").fill("Wants a start before Easter.")
    page.locator("#act").get_by_role("button", name="Hand off").click()
    visitor.is_told(f"Handed off to {firm.account_manager.name}")


# ---- The deal ------------------------------------------------------------------------------------------------------


def account_manager_accepts(visitor: Visitor, firm: Firm) -> int:
    page = visitor.page
    visitor.until(
        "/", lambda page: page.locator("#follow-ups").get_by_role("link", name=to_do("Accept", firm.prospect))
    )
    expect(page.locator("#follow-ups")).to_contain_text("Wants a start before Easter.")
    visitor.looks("today")
    page.locator("#follow-ups").get_by_role("link", name=to_do("Accept", firm.prospect)).click()
    expect(page.get_by_text("What Sofie says")).to_be_visible()
    visitor.looks("hand-off")
    page.get_by_label("Next step").fill("Call about the dates")
    page.get_by_label("On", exact=True).fill(soon())
    page.get_by_label("Amount the buyer named").fill("24500")
    page.get_by_role("button", name="Accept: make it a deal").click()
    visitor.is_told("Accepted. It is your deal now.")
    expect(page.get_by_role("heading", level=1)).to_contain_text(firm.company)
    visitor.looks("deal")
    deal = key_of(page)
    visitor.until("/", lambda page: page.get_by_role("link", name=to_do("Accept", firm.prospect)), gone=True)
    return deal


def drags(visitor: Visitor, deal: int, stage: str) -> None:
    """With the mouse, from where the card stands onto the column of that stage."""
    page = visitor.page
    card = page.locator(f"#card-{deal}")
    column = page.get_by_role("region", name=stage).locator(".board-cards")
    start, end = card.locator(".board-card-title").bounding_box(), column.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + start["width"] - 4, start["y"] + start["height"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + start["width"] + 20, start["y"] + 30, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 20, steps=8)
    page.mouse.up()
    # The card lies there at once; this is said when the server has agreed and the board is drawn afresh.
    expect(page.locator("#board-said")).to_contain_text(f"now stands in {stage}")


def stands_in(visitor: Visitor, deal: int, stage: str) -> None:
    expect(visitor.page.get_by_role("region", name=stage).locator(f"#card-{deal}")).to_be_visible()


def moves_by_menu(visitor: Visitor, deal: int, stage: str) -> None:
    card = visitor.page.locator(f"#card-{deal}")
    card.locator("summary").click()
    visitor.looks("board, menu")
    card.get_by_role("button", name=f"To {stage}").click()
    stands_in(visitor, deal, stage)


def logs_a_conversation(visitor: Visitor, deal: int) -> None:
    page = visitor.page
    page.goto(f"/deals/{deal}/")
    page.get_by_role("main").get_by_role("link", name="Log a conversation").click()
    visitor.looks("conversation")
    page.get_by_label("What was said?").fill("They chose the 19th of March.")
    page.get_by_label("What did I learn?").fill("The permit ends on the last of March.")
    page.get_by_role("button", name="Log it").click()
    visitor.is_told("Logged. It stands on the timeline.")
    expect(page.get_by_text("They chose the 19th of March.")).to_be_visible()


def wins(visitor: Visitor, deal: int) -> None:
    page = visitor.page
    page.goto(f"/deals/{deal}/")
    page.get_by_role("link", name="Won", exact=True).click()
    visitor.looks("win")
    page.get_by_role("button", name="Yes, it is won").click()
    visitor.is_told("It is won")
    expect(page.get_by_role("heading", name=re.compile("^Won today"))).to_be_visible()
    visitor.looks("deal, won")
    assert Deal.objects.get(pk=deal).state == "won"


# ---- The circle ----------------------------------------------------------------------------------------------------


def asks_for_a_referral(visitor: Visitor, firm: Firm) -> int:
    """Asked, promised with a date and a day before which we keep quiet, and introduced."""
    page = visitor.page
    page.get_by_role("link", name="Ask for a referral").click()
    visitor.looks("ask")
    page.get_by_label("Whom do they have in mind?").fill(f"{firm.friend}, who runs the depot")
    page.get_by_role("button", name="I asked").click()
    visitor.is_told("Asked. Note here what they answer.")
    referral = key_of(page)
    page.locator("#promise-title").click()
    page.get_by_label("By when?").fill(soon(30))
    page.get_by_label("Not before").fill(soon(20))
    page.get_by_role("button", name="Note the promise").click()
    visitor.is_told("Kring will remember it, and not ask too soon.")
    expect(page.get_by_text("Too soon to ask.")).to_be_visible()
    visitor.looks("referral")
    return referral


def is_introduced(visitor: Visitor, firm: Firm) -> None:
    page = visitor.page
    page.locator("#introduce-title").click()
    page.get_by_label("Whom did they introduce?").fill(firm.friend)
    page.get_by_label("E-mail address").fill(f"bart@depot{firm.number}.example")
    page.get_by_label("Who takes the lead?").select_option(label=firm.sdr.name)
    page.get_by_role("button", name="Make a lead of them").click()
    visitor.is_told(f"{firm.friend} is a lead now, with thanks to {firm.prospect}.")
    visitor.looks("referral, introduced")


def sdr_finds_the_referral(visitor: Visitor, firm: Firm) -> None:
    page = visitor.page
    visitor.until("/", lambda page: page.get_by_role("link", name=to_do("Answer", firm.friend)))
    page.goto("/leads/")
    row = page.locator("[id^=lead-]").filter(has_text=firm.friend)
    expect(row).to_contain_text("referral")
    row.get_by_role("link", name=firm.friend).click()
    expect(page.locator("main")).to_contain_text(f"introduced by {firm.prospect}")
    page.get_by_role("link", name=firm.friend).first.click()
    expect(page.locator("main")).to_contain_text(firm.prospect)
    visitor.looks("person")


# ---- Look at the whole ---------------------------------------------------------------------------------------------


def manager_looks(visitor: Visitor, firm: Firm) -> None:
    page = visitor.page
    assert page.url.endswith("/dashboard/"), "a manager lands on the dashboard"
    page.goto("/health/")
    page.get_by_role("button", name="Read it now").click()
    visitor.is_told(re.compile("new findings"))
    visitor.looks("health")
    page.goto("/dashboard/?report=origins&tables=all")
    expect(page.get_by_role("heading", name="Where we stand")).to_be_visible()
    table = page.locator("#report table")
    expect(table).to_contain_text("referral")
    visitor.looks("dashboard")
    page.locator("a.figure").first.click()
    expect(page.locator("#rows")).to_contain_text(re.compile("row"))
    visitor.looks("number")
    page.goto("/dashboard/?report=origins&tables=all")
    line = page.locator("#report table tr").filter(has=page.get_by_role("rowheader", name="website", exact=True))
    line.get_by_role("link").first.click()
    expect(page.locator("#leads")).to_contain_text(firm.prospect)


def manager_takes_the_table_along(visitor: Visitor) -> str:
    page = visitor.page
    page.goto("/dashboard/?report=origins&tables=all")
    with page.expect_download() as coming:
        page.get_by_role("link", name="This table as a CSV file").click()
    assert re.fullmatch(r"kring-origins-\d{8}-\d{8}\.csv", coming.value.suggested_filename)
    text: str = coming.value.path().read_text("utf-8-sig")
    return text


def looks_around(visitor: Visitor, screens: dict[str, str]) -> None:
    for screen, path in screens.items():
        visitor.page.goto(path)
        expect(visitor.page.locator("main")).to_be_visible()
        visitor.looks(screen)


def second_deal(firm: Firm, **fields: Any) -> Deal:
    """Another one of the same account manager, on the board beside the first."""
    return make.deal(
        firm.account_manager,
        name=f"Second {firm.number}",
        at=timezone.now(),
        next_step_on=date.fromisoformat(soon(9)),
        **fields,
    )
