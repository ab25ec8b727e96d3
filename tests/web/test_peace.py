"""The screens of leaving people in peace: on a person's page, our own list, and registers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm import pacing
from crm.models import Attempt, DoNotContact, Event, EventKind, Person, Register, Scope, User
from crm.pacing import Allowed, Never, TooSoon
from crm.web import peace
from tests import make

pytestmark = pytest.mark.django_db
NUMBER, ADDRESS = "+3215123456", "ann@notelaar.example"
READABLE = "+32 15 12 34 56"
Login = Callable[[User], Client]
SAID = {"scope": "call", "reason": "Calls wake the baby", "source": "told Sofie by phone"}


@pytest.fixture
def ann(sdr: User) -> Person:
    return make.person("Ann De Wit", email=ADDRESS, phone=NUMBER, owner=sdr)


def shown(person: Person, **more: bool) -> str:
    return render_to_string("crm/_peace.html", {"peace": peace.of(person, at=timezone.now()), "may_write": True} | more)


# ---- On a person's page --------------------------------------------------------------------------------------------


def test_a_page_without_a_wish_only_offers_to_note_one(ann: Person) -> None:
    assert reverse("crm:peace-bar", args=[ann.pk]) in shown(ann)
    assert "To be left in peace" not in shown(ann)
    assert shown(ann, may_write=False).strip() == ""


def test_the_page_says_what_they_asked_and_what_registers_hold(ann: Person, sdr: User) -> None:
    wish = make.wish(person=ann, scope=Scope.CALL, by=sdr, reason="<b>Enough</b>")
    make.wish(address=ADDRESS, scope=Scope.MAIL, by=sdr)
    make.register(NUMBER, name="Do not call me")
    part = shown(ann)
    assert "They asked us not to call: &lt;b&gt;Enough&lt;/b&gt;. Since 23 November 2026" in part
    assert "noted by Sofie Peeters" in part
    assert ADDRESS in part
    assert "Do not call me" in part
    assert reverse("crm:peace-lift", args=[wish.pk]) in part
    assert reverse("crm:peace-lift", args=[wish.pk]) not in shown(ann, may_write=False)


def test_the_part_asks_as_much_whatever_they_have(ann: Person, sdr: User) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(Person.objects.get(pk=ann.pk))
        return len(queries)

    make.wish(person=ann, by=sdr)
    before = asked()
    for number in range(5):
        ann.phone_numbers.create(number=f"+321512346{number}")
        make.wish(number=f"+321512346{number}", by=sdr)
        make.register(f"+321512346{number}")
    assert asked() == before


def test_a_wish_is_noted_of_the_person(ann: Person, sdr: User, login: Login) -> None:
    path = reverse("crm:peace-bar", args=[ann.pk])
    page = login(sdr).get(path).content.decode()
    assert "+32 15 12 34 56" in page
    assert ADDRESS in page
    answer = login(sdr).post(path, {**SAID, "what": "person"})
    assert answer.url == reverse("crm:person", args=[ann.pk])  # type: ignore[attr-defined]
    wish = DoNotContact.objects.get()
    assert (wish.person, wish.scope, wish.reason, wish.by) == (ann, "call", "Calls wake the baby", sdr)


@pytest.mark.parametrize(("what", "scope"), [(NUMBER, "call"), (ADDRESS, "mail")])
def test_a_wish_is_noted_of_one_number_or_address(ann: Person, sdr: User, login: Login, what: str, scope: str) -> None:
    login(sdr).post(reverse("crm:peace-bar", args=[ann.pk]), {**SAID, "what": what, "scope": scope})
    wish = DoNotContact.objects.get()
    assert wish.person is None
    assert what in (wish.number, wish.address)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": ""}, "This field is required"),
        ({"source": ""}, "This field is required"),
        ({"what": ADDRESS}, "A number cannot be mailed"),
        ({"what": "+3215999999"}, "Select a valid choice"),
        ({"scope": "wave"}, "Select a valid choice"),
        ({"since": "2199-01-01"}, "still to come"),
        ({"reason": "a\x00b"}, "Null characters"),
        ({"reason": "x" * 301}, "at most 300"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    ann: Person, sdr: User, login: Login, wrong: dict[str, str], said: str
) -> None:
    given = {**SAID, "what": "person", **wrong}
    page = login(sdr).post(reverse("crm:peace-bar", args=[ann.pk]), given).content.decode()
    assert said in page
    assert given["source"] in page
    assert not DoNotContact.objects.exists()


def test_a_wish_is_lifted_with_a_why(ann: Person, sdr: User, login: Login) -> None:
    wish = make.wish(person=ann, by=sdr)
    path = reverse("crm:peace-lift", args=[wish.pk])
    assert "asked us to stop" in login(sdr).get(path).content.decode()
    assert login(sdr).post(path, {"why": " "}).status_code == 200
    assert DoNotContact.objects.standing().exists()
    answer = login(sdr).post(path, {"why": "She called"})
    assert answer.url == reverse("crm:person", args=[ann.pk])  # type: ignore[attr-defined]
    assert not DoNotContact.objects.standing().exists()
    assert login(sdr).get(path).status_code == 302, "lifted already"


def test_the_way_back_never_leads_to_another_site(ann: Person, sdr: User, login: Login) -> None:
    wish = make.wish(number=NUMBER, by=sdr)
    path = reverse("crm:peace-lift", args=[wish.pk])
    page = login(sdr).get(f"{path}?next=https://evil.example/").content.decode()
    assert 'href="https://evil' not in page
    assert 'value="https://evil' not in page
    back = reverse("crm:person", args=[ann.pk])
    assert f'value="{back}"' in login(sdr).get(f"{path}?next={back}").content.decode()


def test_the_wish_of_a_number_is_lifted_by_who_may_write_somebody_who_has_it(
    ann: Person, sdr: User, outsider: User, manager: User, login: Login
) -> None:
    own, nobodys = make.wish(number=NUMBER, by=sdr), make.wish(number="+3215999999", by=sdr)
    for user, may_own, may_nobodys in ((sdr, 200, 403), (outsider, 403, 403), (manager, 200, 200)):
        assert login(user).get(reverse("crm:peace-lift", args=[own.pk])).status_code == may_own
        assert login(user).get(reverse("crm:peace-lift", args=[nobodys.pk])).status_code == may_nobodys


# ---- Our own list --------------------------------------------------------------------------------------------------


def test_the_list_shows_what_stands_and_what_was_lifted_and_finds(ann: Person, manager: User, login: Login) -> None:
    make.wish(person=ann, by=manager)
    make.wish(number=NUMBER, scope=Scope.CALL, by=manager)
    gone = make.wish(address="bob@b.example", scope=Scope.MAIL, by=manager)
    login(manager).post(reverse("crm:peace-lift", args=[gone.pk]), {"why": "He asked us to"})
    client, path = login(manager), reverse("crm:peace")

    def found(**asked: str) -> set[str]:
        page = client.get(path, asked).content.decode()
        return {word for word in ("Ann De Wit", READABLE, "bob@b.example") if f">{word}<" in page}

    assert found() == {"Ann De Wit", READABLE}
    assert found(q="015 12 34 56") == {READABLE}
    assert found(q="ann") == {"Ann De Wit"}
    assert found(q="bob") == set()
    assert found(lifted="1") == {"bob@b.example"}
    assert "He asked us to" in client.get(path, {"lifted": "1"}).content.decode()
    assert "Nothing like that" in client.get(path, {"q": "zz\x00zz"}).content.decode()


def test_the_list_is_read_page_by_page_with_as_many_questions_however_long(manager: User, login: Login) -> None:
    client, path = login(manager), reverse("crm:peace")

    def asked(url: str) -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(url).content.decode()
        return len(queries), page

    make.wish(number="+3215100000", by=manager)
    asked(path)
    few, _page = asked(path)
    for number in range(60):
        make.wish(number=f"+32151{number + 10000}", by=manager, at=make.AT + timedelta(seconds=number))
    many, page = asked(path)
    assert many == few
    assert page.count("data-row") == 50
    assert "after=" in page


def test_a_number_is_added_by_hand_in_any_notation(manager: User, login: Login) -> None:
    answer = login(manager).post(reverse("crm:peace-new"), {**SAID, "value": "015/12.34.56"})
    assert answer.url == reverse("crm:peace")  # type: ignore[attr-defined]
    assert DoNotContact.objects.get().number == NUMBER
    page = login(manager).post(reverse("crm:peace-new"), {**SAID, "value": "15"}).content.decode()
    assert "is not a phone number" in page
    assert 'value="15"' in page


# ---- Registers -----------------------------------------------------------------------------------------------------


def upload(client: Client, content: bytes, **more: str) -> str:
    given = {"name": "Do not call me", "scope": "call", "allowed_days": "31", "country": "BE", "source": "", **more}
    file = SimpleUploadedFile("register.csv", content)
    return client.post(reverse("crm:register-load"), {**given, "file": file}, follow=True).content.decode()


def test_a_register_is_taken_in_and_bars_at_once(ann: Person, manager: User, login: Login) -> None:
    page = upload(login(manager), b"Name;Number\nAnn;015 12 34 56\nBob;0475 12 34 56\n")
    assert "2 entries are kept." in page
    assert "Do not call me" in page
    assert isinstance(pacing.may_contact(ann, "call", timezone.now()), Never)


def test_lines_that_cannot_be_read_are_told(manager: User, login: Login) -> None:
    page = upload(login(manager), b"+3215123456\n+3215123457\nask <Ann>\n")
    assert "1 line could not be read" in page
    assert "Line 3:" in page
    assert "ask &lt;Ann&gt;" in page
    assert Register.objects.get().entries_count == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"name,town\nAnn,Gent\n", "No column of this file holds telephone numbers."),
        (b"PK\x03\x04", "workbook"),
        (b"\x00\x01\x02\x03" * 50, "not a text file|No column|no readable"),
    ],
)
def test_a_file_that_is_no_register_is_refused_in_words(manager: User, login: Login, content: bytes, said: str) -> None:
    page = upload(login(manager), content)
    assert any(words in page for words in said.split("|"))
    assert not Register.objects.exists()


def test_a_newer_file_replaces_and_the_form_knows_what_it_was(manager: User, login: Login) -> None:
    client = login(manager)
    upload(client, b"+3215123456\n", source="the ministry", allowed_days="60")
    row = Register.objects.get()
    page = client.get(f"{reverse('crm:register-load')}?again={row.pk}").content.decode()
    assert 'value="the ministry"' in page
    assert 'value="60"' in page
    upload(client, b"+3215123457\n")
    assert set(Register.objects.get().entries.values_list("value", flat=True)) == {"+3215123457"}
    assert client.get(f"{reverse('crm:register-load')}?again=no").status_code == 200


def test_an_old_register_warns_on_its_page_and_among_the_settings(manager: User, login: Login) -> None:
    make.register(NUMBER, name="Old one", at=timezone.now() - timedelta(days=40))
    make.register(NUMBER, name="New one", at=timezone.now() - timedelta(days=4))
    page = login(manager).get(reverse("crm:registers")).content.decode()
    assert "“Old one” is 40 days old" in page
    assert "“New one” is" not in page
    assert "40 days old" in login(manager).get(reverse("crm:settings")).content.decode()


def test_the_page_that_calls_says_that_a_register_is_old(ann: Person, sdr: User, login: Login) -> None:
    make.register("+3215999999", name="Old one", at=timezone.now() - timedelta(days=40))
    make.register("bob@b.example", scope=Scope.MAIL, name="Old mail", at=timezone.now() - timedelta(days=40))
    page = login(sdr).get(reverse("crm:call", args=[ann.pk])).content.decode()
    assert "The register “Old one” is of" in page
    assert "Old mail" not in page


def test_a_register_is_removed_with_a_why(manager: User, login: Login) -> None:
    row = make.register(NUMBER)
    path = reverse("crm:register-remove", args=[row.pk])
    assert login(manager).get(path).status_code == 200
    assert login(manager).post(path, {"why": ""}).status_code == 200
    assert Register.objects.exists()
    login(manager).post(path, {"why": "The wrong country"})
    assert not Register.objects.exists()
    assert Event.objects.filter(kind=EventKind.CONTACT_ALLOWED).exists()


# ---- The notice that other screens show ----------------------------------------------------------------------------


def test_the_notice_says_nothing_not_yet_or_never(ann: Person, sdr: User) -> None:
    def notice() -> str:
        answer = pacing.may_contact(ann, "email", make.AT + timedelta(hours=1))
        assert isinstance(answer, {"": Allowed}.get(said, TooSoon if said == "soon" else Never))
        return render_to_string("crm/_may_contact.html", {"answer": answer}).strip()

    said = ""
    assert notice() == ""
    Attempt.objects.create(person=ann, by=sdr, at=make.AT, outcome="no_answer")
    said = "soon"
    assert "Better not before" in notice()
    assert "once without an answer" in notice()
    make.wish(person=ann, by=sdr)
    said = "never"
    assert "Leave them in peace" in notice()
    assert "noted by Sofie Peeters" in notice()
