"""The record of a relationship in a real browser: two who are one and two again, somebody found in spite of a slip, a mail that stands on the
timeline; and the screens on which Kring says no, each with its reason and without a way round."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm import attempts, mail_templates, merging, unsubscribing
from crm.models import (
    AttemptOutcome,
    Conversation,
    DoNotContact,
    EmailAddress,
    MailTemplate,
    Merge,
    Person,
    Register,
    Role,
    Scope,
    User,
)
from tests import make
from tests.journeys.steps import Visitor
from tests.running import LiveStack, serious_barriers, sideways_scroll, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.stack]
NewPage = Callable[..., Page]
_numbers = count(1)


def member(name: str, role: Role = Role.ACCOUNT_MANAGER, **fields: Any) -> User:
    number = next(_numbers)
    fields.setdefault("email", f"{name.split()[0].lower()}{number}@relation.example")
    return make.user(name, role, team=make.team(f"Relations {number}"), **fields)


@pytest.fixture
def seller(stack_db: LiveStack) -> User:
    return member("Arjan Smit")


@pytest.fixture
def visitor(seller: User, new_page: NewPage) -> Visitor:
    visitor = Visitor(new_page())
    visitor.comes_in(seller)
    return visitor


def somebody(name: str, owner: User, **fields: Any) -> Person:
    return make.person(name, owner=owner, at=timezone.now(), **fields)


# ---- One person, known twice -----------------------------------------------------------------------------------------


def test_two_with_one_phone_become_one_and_two_again(visitor: Visitor, seller: User) -> None:
    stays = somebody("Renilde Coppens", seller, phone="+32 9 311 00 01", tier="B", note="Sails.")
    leaves = somebody("Nilde Coppens", seller, phone="+32 9 311 00 01", tier="A", email="nilde@coppens.example")
    page = visitor.page
    page.goto(f"/people/{stays.pk}/")
    page.get_by_role("link", name="Lay them side by side").click()
    expect(page.locator("main")).to_contain_text("They have in common: the same phone number.")
    page.get_by_role("radio", name="tier A", exact=False).check()
    page.get_by_role("button", name="They are one").click()
    visitor.is_told("Nilde Coppens is part of this one now.")
    assert page.url.endswith(f"/people/{stays.pk}/")
    expect(page.locator("#reach")).to_contain_text("nilde@coppens.example")
    expect(page.get_by_text("Sails.")).to_be_visible()
    stays.refresh_from_db()
    assert stays.tier == "A"
    assert page.request.get(f"/people/{leaves.pk}/").url == page.url, "the old address leads to the one that stayed"

    page.locator("#messages").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo Nilde Coppens").click()
    visitor.is_told("Nilde Coppens and Renilde Coppens are two again.")
    assert page.url.endswith(f"/people/{leaves.pk}/")
    expect(page.locator("#reach")).to_contain_text("nilde@coppens.example")
    page.goto(f"/people/{stays.pk}/")
    expect(page.locator("#reach")).not_to_contain_text("nilde@coppens.example")
    stays.refresh_from_db()
    assert (stays.tier, stays.note) == ("B", "Sails.")


# ---- Found by the keyboard ---------------------------------------------------------------------------------------------


def test_a_slip_of_the_pen_finds_them_by_keyboard_alone(visitor: Visitor, seller: User) -> None:
    godelieve = somebody("Godelieve Ostendaele", seller)
    page = visitor.page
    page.keyboard.press("Control+k")
    page.keyboard.type("ostendale")
    expect(page.locator("#search-panel [data-hit]").first).to_contain_text("Godelieve Ostendaele")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/people/{godelieve.pk}/")

    page.keyboard.press("Control+k")
    page.keyboard.type("log ostendale")
    expect(page.locator("#search-panel [data-hit]").first).to_contain_text(
        "Log a conversation with Godelieve Ostendaele"
    )
    page.keyboard.press("Enter")
    expect(page.get_by_label("What was said?")).to_be_focused()
    page.keyboard.type("She found a hall.")
    page.keyboard.press("Control+Enter")
    visitor.is_told("Logged. It stands on the timeline.")
    expect(page.locator("#timeline")).to_contain_text("She found a hall.")
    assert Conversation.objects.get(people=godelieve).by == seller


# ---- Written from Kring ------------------------------------------------------------------------------------------------


def test_a_mail_from_a_template_leaves_and_stands_on_the_timeline(
    visitor: Visitor, seller: User, stack_db: LiveStack
) -> None:
    lotte = somebody("Liselotte Maenhout", seller, email="liselotte@maenhout.example", language="en")
    mail_templates.save(
        name="The dates", subject_en="The dates for {{ person.given_name }}",
        body_en="{{ greeting }}\n\nThe 12th of March is free.\n\n{{ sender.signature }}", by=seller, at=timezone.now(),
    )  # fmt: skip
    page = visitor.page
    page.goto(f"/people/{lotte.pk}/")
    page.get_by_role("main").get_by_role("link", name="Write", exact=True).click()
    page.get_by_label("Begin with").select_option(label="The dates")
    expect(page.get_by_label("Subject")).to_have_value("The dates for Liselotte")
    text = page.get_by_label("Text", exact=True)
    text.fill(text.input_value().replace("12th", "19th"))
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("The 19th of March is free.")
    page.get_by_role("button", name="Send").click()
    visitor.is_told("Your mail is on its way.")
    letter = wait_for(
        lambda: next((mail for mail in stack_db.outbox() if "liselotte@maenhout.example" in mail), None),
        why="the worker to send the mail",
    )
    assert "The 19th of March is free." in letter
    assert f"Reply-To: {seller.email}" in letter
    assert "http" not in letter, "nothing in it reports back"
    wait_for(lambda: Conversation.objects.filter(people=lotte).exists(), why="the mail to be logged")
    page.goto(f"/people/{lotte.pk}/")
    expect(page.locator("#timeline")).to_contain_text("The 19th of March is free.")
    expect(page.locator("main")).to_contain_text(re.compile(r"last contact today.*, by Arjan"))
    MailTemplate.objects.filter(owner=seller).delete()


# ---- The screens that say no -------------------------------------------------------------------------------------------


def is_calm(visitor: Visitor, path: str, *words: str | re.Pattern[str]) -> None:
    """The page says why in these words, and is open to everybody."""
    answer = visitor.page.goto(path)
    assert answer, path
    assert answer.ok, f"{path} answered {answer.status}"
    for said in words:
        expect(visitor.page.locator("main")).to_contain_text(said)
    visitor.looks_both_ways(path)


def test_what_is_refused_is_refused_calmly_and_without_a_way_round(visitor: Visitor, seller: User) -> None:
    at = timezone.now()
    page, main = visitor.page, visitor.page.locator("main")

    asked = somebody("Odile Quaghebeur", seller, phone="+32 9 312 00 01", email="odile@quaghebeur.example")
    make.wish(person=asked, by=seller, at=at, reason="asked us to stop")
    is_calm(
        visitor, f"/people/{asked.pk}/call/", "Leave them in peace", "asked us to stop", "does not call this number"
    )
    expect(main.locator("form[method=post]")).to_have_count(0)
    expect(main.locator("a[href^='tel:']")).to_have_count(0)
    is_calm(visitor, f"/mail/new/?person={asked.pk}", "No mail can be written here", "asked us to stop")
    expect(main.locator("textarea")).to_have_count(0)

    tried = somebody("Petra Quintens", seller, phone="+32 9 312 00 02")
    attempts.end(attempt=make.attempt(tried, by=seller, at=at), outcome=AttemptOutcome.NO_ANSWER, by=seller, at=at)
    is_calm(visitor, f"/people/{tried.pk}/call/", "Better not before", "We tried to reach them once")
    expect(page.get_by_label("Why call all the same?")).to_have_attribute("required", "")
    expect(page.get_by_role("link", name="Wait")).to_be_visible()

    unmailed = somebody("Quirine Raes", seller, email="quirine@raes.example")
    make.wish(person=unmailed, scope=Scope.MAIL, by=seller, at=at)
    is_calm(visitor, f"/mail/new/?person={unmailed.pk}", "No mail can be written here")
    expect(main.locator("textarea")).to_have_count(0)

    bounced = somebody("Rika Sabbe", seller, email="rika@sabbe.example")
    EmailAddress.objects.filter(person=bounced).update(bounced_at=at, bounce_why="550 No such user")
    is_calm(visitor, f"/people/{bounced.pk}/", "Mail came back today: 550 No such user")
    is_calm(visitor, f"/mail/new/?person={bounced.pk}")
    expect(page.get_by_label("To", exact=True).locator("option").first).to_contain_text(
        "mail to each of these came back"
    )

    kept, gone = somebody("Saskia Taelman", seller), somebody("Sasja Taelman", seller)
    merge = merging.merge(keep=kept, gone=gone, by=seller, at=at)
    Merge.objects.filter(pk=merge.pk).update(at=at - timedelta(days=31))
    is_calm(visitor, "/people/merges/", "Merges of late")
    row = page.locator("#merges li").filter(has_text="Sasja Taelman")
    expect(row).to_contain_text("too long ago to be undone")
    expect(row.get_by_role("button")).to_have_count(0)

    colleague = member("Tine Claes")
    private = make.conversation(kept, by=colleague, at=at, summary="Her divorce.", private_to=colleague)
    is_calm(visitor, f"/conversations/{private.pk}/", "Tine Claes keeps this conversation private")
    expect(main).not_to_contain_text("Her divorce.")
    is_calm(visitor, f"/people/{kept.pk}/")
    expect(main).not_to_contain_text("Her divorce.")
    assert visitor.barriers == {}


def test_a_register_that_cannot_be_read_says_what_to_do(stack_db: LiveStack, new_page: NewPage) -> None:
    manager = member("Mieke Janssens", Role.MANAGER)
    visitor = Visitor(new_page())
    visitor.comes_in(manager)
    page = visitor.page
    page.goto("/settings/registers/new/")
    page.get_by_label("File").set_input_files(
        {"name": "register.csv", "mimeType": "text/csv", "buffer": b"colour;size\nred;large\n"}
    )
    page.get_by_label("Name", exact=True).fill("No such register")
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("No such register")
    visitor.looks_both_ways("register refused")
    assert visitor.barriers == {}
    assert not Register.objects.filter(name="No such register").exists()


def test_one_click_ends_mail_on_a_telephone(seller: User, stack_db: LiveStack, phone: Page) -> None:
    person = somebody("Ulrike Vael", seller, email="ulrike@vael.example", language="en")
    with override_settings(SECRET_KEY=stack_db.up.environment["KRING_SECRET_KEY"]):
        there = f"/u/{unsubscribing.link(person).partition('/u/')[2]}"
    phone.goto(there)
    assert serious_barriers(phone) == []
    assert sideways_scroll(phone) == 0
    assert not DoNotContact.objects.filter(person=person).exists(), "looking changes nothing"
    phone.get_by_role("button", name="No more mail, please").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("You get no more mail like this from us.")
    assert serious_barriers(phone) == []
    assert phone.context.cookies() == []
    assert DoNotContact.objects.get(person=person).scope == Scope.MAIL
