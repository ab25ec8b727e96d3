"""Whoever asked to be left in peace is reached by no path at all: call, mail, letters, acts on many, downloads, the plan, imports, merges, asks.

Each path refuses on the server, whatever the page showed. Sending checks once more, so a wish that came after the writing holds too.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from crm import (
    advocacy,
    attempts,
    bulk,
    capture,
    do_not_contact,
    follow_ups,
    imports,
    leads,
    merging,
    outbox,
    pacing,
    people,
    unsubscribing,
    verdicts,
)
from crm.models import (
    Attempt,
    Channel,
    ConversationKind,
    DoNotContact,
    FollowUp,
    Lead,
    OutgoingMail,
    Person,
    ReadyReason,
    Rule,
    Scope,
    User,
)
from crm.models.views import ListScreen
from crm.pacing import Allowed, Never, TooSoon
from crm.permission import TooEarly
from crm.refusal import Refused
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
NUMBER, ADDRESS = "+3215123456", "ann@notelaar.example"
CRM = Path(__file__).parents[2] / "crm"
IN_PEACE = "left in peace|asked us|stands in the register"


@pytest.fixture
def now() -> Iterator[None]:
    """The screens live at the moment of the tests, a Monday morning."""
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def ann(sdr: User) -> Person:
    return make.person("Ann De Wit", email=ADDRESS, phone=NUMBER, owner=sdr)


def by_wish(person: Person) -> None:
    make.wish(person=person)


def by_value(person: Person) -> None:
    make.wish(number=NUMBER)
    make.wish(address=ADDRESS)


def by_register(person: Person) -> None:
    make.register(NUMBER, ADDRESS, scope=Scope.CONTACT)


in_every_way = pytest.mark.parametrize("leave", [by_wish, by_value, by_register])
Leave = Callable[[Person], None]


# ---- Calling -------------------------------------------------------------------------------------------------------


@in_every_way
def test_no_call(ann: Person, sdr: User, leave: Leave) -> None:
    leave(ann)
    with pytest.raises(Refused, match=IN_PEACE):
        attempts.start(person=ann, number=NUMBER, by=sdr, at=AT, override="It matters to me")
    assert not Attempt.objects.exists()


@in_every_way
def test_the_call_page_shows_no_number_and_its_form_makes_no_attempt(
    ann: Person, sdr: User, login: Callable[[User], Client], now: None, leave: Leave
) -> None:
    leave(ann)
    page = login(sdr).get(reverse("crm:call", args=[ann.pk]))
    assert f"tel:{NUMBER}" not in page.content.decode()
    answer = login(sdr).post(reverse("crm:call", args=[ann.pk]), {"number": NUMBER, "override": "It matters to me"})
    assert answer.status_code == 200
    assert re.search(IN_PEACE, answer.content.decode())
    assert not Attempt.objects.exists()


# ---- Mail ----------------------------------------------------------------------------------------------------------


@in_every_way
def test_no_mail_is_put(ann: Person, sdr: User, leave: Leave) -> None:
    leave(ann)
    with pytest.raises(Refused, match=IN_PEACE):
        outbox.put(to=ADDRESS, subject="Hello", body="You", person=ann, by=sdr, at=AT, override="It matters to me")
    assert not OutgoingMail.objects.exists()


@in_every_way
def test_a_mail_that_waits_is_held_back_when_they_ask_meanwhile(ann: Person, sdr: User, leave: Leave) -> None:
    outbox.put(
        to=ADDRESS, subject="Hello", body="You", person=ann, by=sdr, at=AT, moment=AT + timedelta(hours=2),
        override="It matters to me",
    )  # fmt: skip
    leave(ann)
    assert outbox.send_due(at=AT + timedelta(hours=3)) == 0
    held = OutgoingMail.objects.get()
    assert held.sent_at is None
    assert re.search(IN_PEACE, held.held_why)
    assert mail.outbox == []


@in_every_way
def test_the_composer_refuses(ann: Person, sdr: User, login: Callable[[User], Client], now: None, leave: Leave) -> None:
    leave(ann)
    path = f"{reverse('crm:mail-new')}?person={ann.pk}"
    letter = {"to": ADDRESS, "subject_en": "Hello", "text_en": "You", "subject_nl": "Dag", "text_nl": "Jij"}
    answer = login(sdr).post(path, {**letter, "send": "1", "override": "It matters to me"})
    assert re.search(IN_PEACE, answer.content.decode())
    assert not OutgoingMail.objects.exists()


def test_mail_to_several_leaves_them_out(ann: Person, sdr: User) -> None:
    other = make.person(owner=sdr)
    address = other.email_addresses.get().address
    by_wish(ann)
    drafts = [outbox.Draft(ann, ADDRESS, "Hello", "You"), outbox.Draft(other, address, "Hello", "You")]
    mails, left_out = outbox.put_each(drafts=drafts, by=sdr, at=AT)
    assert [one.person for one in mails] == [other]
    assert [person for person, _why in left_out] == [ann]


def test_who_unsubscribed_is_not_mailed(ann: Person, sdr: User) -> None:
    unsubscribing.unsubscribe(person=ann, at=AT)
    with pytest.raises(Refused, match=IN_PEACE):
        outbox.put(to=ADDRESS, subject="Hello", body="You", person=ann, by=sdr, at=AT)


# ---- Letters to who asked ------------------------------------------------------------------------------------------


def asked(sdr: User) -> Lead:
    return make.lead(email=ADDRESS, name="Ann De Wit", phone=NUMBER, owner=sdr)


@in_every_way
def test_no_answer_to_a_lead(sdr: User, leave: Leave) -> None:
    lead = asked(sdr)
    assert lead.person is not None
    leave(lead.person)
    with pytest.raises(Refused, match=IN_PEACE):
        leads.answer(lead=lead, message="Thank you", by=sdr, at=AT)
    lead.refresh_from_db()
    assert lead.answered_at is None
    assert not OutgoingMail.objects.exists()


@in_every_way
def test_no_letter_with_a_kind_no_and_one_without_a_letter_is_possible(sdr: User, leave: Leave) -> None:
    lead = leads.take(lead=asked(sdr), by=sdr, at=AT)
    assert lead.person is not None
    leave(lead.person)
    with pytest.raises(Refused, match=IN_PEACE):
        verdicts.decline(lead=lead, reason=ReadyReason.NO_NEED, message="Not for us", by=sdr, at=AT)
    assert not OutgoingMail.objects.exists()
    verdicts.decline(lead=lead, reason=ReadyReason.NO_NEED, by=sdr, at=AT)


def test_what_is_too_soon_holds_no_answer_back_from_who_asked(sdr: User) -> None:
    lead = asked(sdr)
    assert lead.person is not None
    Attempt.objects.create(person=lead.person, by=sdr, at=AT + timedelta(minutes=5), outcome="no_answer")
    leads.answer(lead=lead, message="Thank you", by=sdr, at=AT + timedelta(minutes=10))
    assert outbox.send_due(at=AT + timedelta(minutes=11)) == 1


# ---- Many at once, downloads and the plan --------------------------------------------------------------------------


@in_every_way
def test_no_follow_up_for_many_includes_them(ann: Person, sdr: User, leave: Leave) -> None:
    other = make.person(owner=sdr, phone="+3215999999")
    leave(ann)
    change = bulk.Change(
        bulk.Act.FOLLOW_UP, owner=sdr, note="Ring", due_on=AT.date() + timedelta(days=1), channel=ConversationKind.CALL
    )
    bulk.do(screen=ListScreen.PEOPLE, keys=[ann.pk, other.pk], change=change, by=sdr, at=AT)
    assert list(FollowUp.objects.filter(note="Ring").values_list("person", flat=True)) == [other.pk]


@in_every_way
def test_no_download_tells_their_number_or_address(
    ann: Person, manager: User, login: Callable[[User], Client], leave: Leave
) -> None:
    leave(ann)
    path = reverse("crm:list-download", args=["people"])
    answer = login(manager).post(path, {"query": "", "column": ["email", "phone"]})
    file = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert ADDRESS not in file
    assert "15 12 34 56" not in file
    assert NUMBER not in file


def test_nothing_is_planned_with_whom_we_leave_in_peace(ann: Person, sdr: User) -> None:
    Person.objects.filter(pk=ann.pk).update(tier="A", created_at=AT - timedelta(days=90))
    follow_ups.refresh(at=AT)
    planned = FollowUp.objects.open().filter(person=ann, rule=Rule.KEEP_IN_TOUCH)
    assert planned.exists()
    wish = make.wish(person=ann)
    follow_ups.refresh(at=AT)
    assert not planned.exists()
    do_not_contact.lift(wish=wish, by=sdr, at=AT, why="She asked us to")
    Person.objects.filter(pk=ann.pk).update(not_before=AT.date() + timedelta(days=9))
    follow_ups.refresh(at=AT + timedelta(days=1))
    assert not planned.exists(), "contact me after"
    follow_ups.refresh(at=AT + timedelta(days=9))
    assert planned.exists()


def test_nobody_is_asked_for_a_referral_who_is_left_in_peace(account_manager: User) -> None:
    deal = make.won_deal(account_manager)
    assert deal.person is not None
    wish = make.wish(person=deal.person)
    with pytest.raises(Refused, match=IN_PEACE):
        advocacy.ask(person=deal.person, deal=deal, by=account_manager, at=AT)
    do_not_contact.lift(wish=wish, by=account_manager, at=AT, why="He asked us to")
    advocacy.ask(person=deal.person, deal=deal, by=account_manager, at=AT)


# ---- What must not lift a wish -------------------------------------------------------------------------------------


MAP = 'kind = "people"\nexternal_id = "id"\n[columns]\nname = "name"\nemail = "mail"\nphone = "phone"\n'


def take_in(row: str, by: User) -> None:
    file = io.BytesIO(f"id;name;mail;phone\n{row}\n".encode())
    run = imports.upload(file=file, file_name="people.csv", map_text=MAP, by=by, at=AT)
    run = imports.run(run_id=run.pk, at=AT)
    assert (run.rows_made, run.rows_changed, run.rows_refused) in ((1, 0, 0), (0, 1, 0)), run.failure


def test_an_import_lifts_no_wish(ann: Person, manager: User) -> None:
    by_wish(ann)
    take_in(f"7;Ann De Wit;{ADDRESS};{NUMBER}", manager)
    take_in(f"7;Ann van Wit;{ADDRESS};+3215777777", manager)
    assert DoNotContact.objects.standing().filter(person=ann).exists()
    assert isinstance(pacing.may_contact(ann, ConversationKind.CALL, AT, number="+3215777777"), Never)


def test_whoever_is_imported_with_a_number_that_is_barred_stays_barred(manager: User) -> None:
    make.wish(number=NUMBER, scope=Scope.CALL)
    make.wish(address=ADDRESS, scope=Scope.MAIL)
    take_in(f"7;Ann De Wit;{ADDRESS};{NUMBER}", manager)
    person = Person.objects.get(external_id="7")
    assert isinstance(pacing.may_contact(person, ConversationKind.CALL, AT), Never)
    assert isinstance(pacing.may_contact(person, ConversationKind.EMAIL, AT), Never)


def test_a_new_number_does_not_lift_the_wish_of_its_person(ann: Person, sdr: User) -> None:
    by_wish(ann)
    people.add_phone(person=ann, number="+3215888888", by=sdr, at=AT)
    with pytest.raises(Refused, match=IN_PEACE):
        attempts.start(person=ann, number="+3215888888", by=sdr, at=AT)


@pytest.mark.parametrize("twice", [False, True])
def test_a_merge_keeps_the_wish_of_either(ann: Person, sdr: User, twice: bool) -> None:
    keep = make.person("Ann Wit", owner=sdr)
    by_wish(ann)
    if twice:
        by_wish(keep)
    merge = merging.merge(keep=keep, gone=ann, by=sdr, at=AT)
    assert isinstance(pacing.may_contact(keep, ConversationKind.EMAIL, AT), Never)
    assert DoNotContact.objects.standing().filter(person=keep).count() == 1
    merging.undo(merge=merge, by=sdr, at=AT + timedelta(hours=1))
    assert isinstance(pacing.may_contact(ann, ConversationKind.EMAIL, AT), Never)
    assert isinstance(pacing.may_contact(keep, ConversationKind.EMAIL, AT), Never if twice else Allowed)


def test_a_merge_keeps_what_paces_us(ann: Person, sdr: User) -> None:
    keep = make.person("Ann Wit", owner=sdr)
    Attempt.objects.create(person=ann, by=sdr, at=AT, outcome="no_answer")
    merging.merge(keep=keep, gone=ann, by=sdr, at=AT)
    assert isinstance(pacing.may_contact(keep, ConversationKind.CALL, AT + timedelta(hours=1)), TooSoon)


# ---- They may always contact us ------------------------------------------------------------------------------------


def test_whoever_is_left_in_peace_may_write_to_us_and_their_wish_stands(ann: Person) -> None:
    by_wish(ann)
    arrival = capture.Arrival(
        channel=Channel.FORM, external_id="m1", email=ADDRESS, name="Ann De Wit", message="Do you have a date?"
    )
    lead = capture.receive(arrival, at=AT).lead
    assert lead.person == ann
    assert isinstance(pacing.may_contact(ann, ConversationKind.CALL, AT), Never)


# ---- Too soon, too -------------------------------------------------------------------------------------------------


def test_each_path_waits_until_a_reason_is_given(ann: Person, sdr: User) -> None:
    Attempt.objects.create(person=ann, by=sdr, at=AT - timedelta(hours=1), number="+3215000000", outcome="no_answer")
    with pytest.raises(TooEarly):
        attempts.start(person=ann, number=NUMBER, by=sdr, at=AT)
    with pytest.raises(TooEarly):
        outbox.put(to=ADDRESS, subject="Hello", body="You", person=ann, by=sdr, at=AT)
    attempts.start(person=ann, number=NUMBER, by=sdr, at=AT, override="She asked me to try again")
    outbox.put(to=ADDRESS, subject="Hello", body="You", person=ann, by=sdr, at=AT, override="She asked me to")


# ---- No other way out ----------------------------------------------------------------------------------------------


def calls(path: Path) -> set[str]:
    """The names that a module calls, dotted: `permission.obtain`, `Attempt.objects.create`."""
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}


def modules() -> Iterator[tuple[str, set[str]]]:
    for path in sorted(CRM.rglob("*.py")):
        name = str(path.relative_to(CRM))
        if not name.startswith(("migrations/", "demo/")):
            yield name, calls(path)


def test_whoever_makes_an_attempt_or_a_mail_asks_the_guard() -> None:
    ways = {"Attempt.objects.create", "OutgoingMail.objects.create", "Attempt.objects.bulk_create",
            "OutgoingMail.objects.bulk_create"}  # fmt: skip
    makers = {name: found for name, found in modules() if found & ways}
    assert set(makers) == {"attempts.py", "outbox/writing.py"}
    for name, found in makers.items():
        assert found & {"permission.obtain", "pacing.may_contact"}, name


def test_whatever_leaves_by_mail_asks_the_guard_when_it_leaves() -> None:
    senders = {name: found for name, found in modules() if found & {"smtp.send", "EmailMessage.send", "send_mail"}}
    senders.pop("tasks.py", None)
    assert set(senders) == {"outbox/sending.py"}
    assert "permission.obtain" in senders["outbox/sending.py"]


def test_no_page_dials_or_writes_past_the_guard() -> None:
    templates = CRM.parent / "templates"
    dialling = {
        str(path.relative_to(templates))
        for path in templates.rglob("*.html")
        if re.search(r"href=\"(tel|mailto):", path.read_text())
    }
    assert dialling <= {"crm/call_attempt.html"}
    scripts = {name for name, _found in modules() if re.search(r"f?\"(tel|mailto):", (CRM / name).read_text())}
    # An invitation names who meets as calendars do (RFC 5545); it leaves by the outbox, which asks.
    assert scripts <= {"web/calls.py", "channels/calendar/writing.py"}
