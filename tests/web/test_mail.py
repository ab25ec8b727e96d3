"""The composer: whom it writes to, what the guard says, what they will see, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as post
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm import do_not_contact, mail_templates, outbox
from crm.models import (
    Attachment,
    Conversation,
    ConversationKind,
    Digest,
    Direction,
    MailMessage,
    MessageState,
    OutgoingMail,
    Person,
    Scope,
    User,
)
from crm.web.mail_form import fingerprint
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def lotte(sdr: User) -> Person:
    return make.person("Lotte Maes", email="lotte@notelaar.example", language="nl", by=sdr)


def composer(*people: Person, **about: Any) -> str:
    query = "&".join(
        [*(f"person={person.pk}" for person in people), *(f"{key}={value}" for key, value in about.items())]
    )
    return f"{reverse('crm:mail-new')}?{query}"


def letter(language: str = "nl", **fields: Any) -> dict[str, Any]:
    return {
        "sender": "kring",
        "template": "blank",
        "to": "lotte@notelaar.example",
        f"subject_{language}": "De data",
        f"text_{language}": "Past de tweede week?",
        **fields,
    }


def barred(person: Person, **fields: Any) -> None:
    do_not_contact.bar(
        scope=Scope.MAIL, person=person, reason="asked for peace", source="by phone", by=None, at=AT, **fields
    )


def message(person: Person, by: User, **fields: Any) -> MailMessage:
    conversation = make.conversation(
        person, by=by, kind=ConversationKind.EMAIL, direction=Direction.INCOMING, at=AT - timedelta(days=1),
        private_to=fields.pop("private_to", None), summary=fields.get("text", "")
    )  # fmt: skip
    given: dict[str, Any] = {
        "key": f"{conversation.pk}@notelaar.example",
        "thread": "first@notelaar.example",
        "state": MessageState.TAKEN,
        "conversation": conversation,
        "direction": Direction.INCOMING,
        "subject": "Which dates?",
        "from_name": "Lotte Maes",
        "from_address": "lotte@notelaar.example",
        "to": ["sofie@kring.test"],
        "sent_at": conversation.at,
        "taken_at": AT,
        "text": "Which dates do you have?",
    }
    return MailMessage.objects.create(**given | fields)


# ---- One person ----------------------------------------------------------------------------------------------------


def test_it_begins_with_a_greeting_and_a_signature_in_their_language(login: Login, sdr: User, lotte: Person) -> None:
    sdr.mail_signature = "Sofie\nKring"
    sdr.save()
    page = login(sdr).get(composer(lotte)).content.decode()
    assert "Beste Lotte," in page
    assert "Met vriendelijke groet,\nSofie\nKring" in page
    assert 'name="subject_nl"' in page
    assert 'name="subject_en"' not in page


def test_a_mail_is_on_its_way_and_stands_on_the_timeline_when_sent(login: Login, sdr: User, lotte: Person) -> None:
    answer = login(sdr).post(composer(lotte), letter(is_information="on"))
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("crm:person", args=[lotte.pk])
    row = OutgoingMail.objects.get()
    assert (row.to, row.subject, row.body, row.by) == ("lotte@notelaar.example", "De data", "Past de tweede week?", sdr)
    assert row.is_information
    assert outbox.send_due(at=AT) == 1
    assert Conversation.objects.get().people.get() == lotte
    assert post.outbox[0].reply_to == [sdr.email]


def test_from_a_deal_or_a_lead_the_mail_is_about_it(login: Login, account_manager: User) -> None:
    deal, lead = make.deal(account_manager), make.working_lead(account_manager)
    client = login(account_manager)
    for name, row in (("deal", deal), ("lead", lead)):
        assert row.person is not None
        address = row.person.email_addresses.all()[0].address
        path = f"{reverse('crm:mail-new')}?{name}={row.pk}"
        assert row.person.full_name in client.get(path).content.decode()
        assert client.post(path, letter("en", to=address)).status_code == 302
        assert getattr(OutgoingMail.objects.latest("pk"), name) == row


def test_what_was_typed_is_kept_when_something_is_missing(login: Login, sdr: User, lotte: Person) -> None:
    page = login(sdr).post(composer(lotte), letter(subject_nl="", is_information="on")).content.decode()
    assert "Give the mail a subject." in page
    assert "Past de tweede week?" in page
    assert not OutgoingMail.objects.exists()
    page = login(sdr).post(composer(lotte), letter(text_nl="x" * 20_001)).content.decode()
    assert "at most 20000 characters" in page


def test_an_address_that_is_not_theirs_is_refused(login: Login, sdr: User, lotte: Person) -> None:
    login(sdr).post(composer(lotte), letter(to="else@elsewhere.example"))
    assert not OutgoingMail.objects.exists()


def test_later_is_in_the_time_zone_of_the_writer_and_in_the_future(login: Login, sdr: User, lotte: Person) -> None:
    client = login(sdr)
    page = client.post(composer(lotte), letter(moment="2026-11-20T10:00")).content.decode()
    assert "Choose a moment in the future" in page
    sdr.time_zone = "America/New_York"
    sdr.save()
    client.post(composer(lotte), letter(moment="2026-12-01T10:00"))
    assert OutgoingMail.objects.get().try_at.isoformat() == "2026-12-01T15:00:00+00:00"
    page = client.get(reverse("crm:outgoing")).content.decode()
    assert "De data" in page
    assert "goes out" in page


def test_the_preview_shows_it_in_full_and_sends_nothing(login: Login, sdr: User, lotte: Person) -> None:
    page = login(sdr).post(composer(lotte), letter(preview="yes", text_nl="Eén\n\n<b>twee</b>")).content.decode()
    assert "mail-preview" in page
    assert "&lt;b&gt;twee&lt;/b&gt;" in page
    assert not OutgoingMail.objects.exists()
    part = login(sdr).post(
        composer(lotte), letter(preview="yes"), headers={"HX-Request": "true", "HX-Target": "preview"}
    )
    assert part.content.decode().strip().startswith("<section")
    assert "<html" not in part.content.decode()


def test_a_message_is_answered_in_its_thread(login: Login, sdr: User, lotte: Person) -> None:
    answered = message(lotte, sdr)
    path = f"{reverse('crm:mail-new')}?reply_to={answered.pk}"
    page = login(sdr).get(path).content.decode()
    assert 'value="Re: Which dates?"' in page
    assert "Which dates do you have?" in page
    answer = login(sdr).post(path, letter(subject_nl="Re: Which dates?"))
    assert answer.headers["Location"] == reverse("crm:conversation", args=[answered.conversation_id])
    row = OutgoingMail.objects.get()
    assert (row.in_reply_to, row.references) == (answered.key, ["first@notelaar.example", answered.key])


def test_nobody_answers_what_is_private_to_a_colleague(login: Login, sdr: User, teammate: User, lotte: Person) -> None:
    private = message(lotte, teammate, private_to=teammate)
    path = f"{reverse('crm:mail-new')}?reply_to={private.pk}"
    assert login(sdr).get(path).status_code == 404
    assert login(teammate).get(path).status_code == 200


def test_an_own_message_is_no_way_to_write_to_somebody_elses_person(
    login: Login, sdr: User, outsider: User, lotte: Person
) -> None:
    mine, theirs = message(lotte, sdr), make.person("Piet", email="piet@elders.example", language="nl", owner=outsider)
    path = composer(theirs, reply_to=mine.pk)
    assert login(sdr).get(path).status_code == 403
    assert login(sdr).post(path, letter(to="piet@elders.example")).status_code == 403
    assert not OutgoingMail.objects.exists()


def test_ones_own_mailbox_is_the_first_sender(login: Login, sdr: User, lotte: Person) -> None:
    box = make.mailbox(sdr, smtp_host="smtp.kring.example")
    page = login(sdr).get(composer(lotte)).content.decode()
    assert f'<option value="{box.pk}" selected' in page
    login(sdr).post(composer(lotte), letter(sender=str(box.pk)))
    assert OutgoingMail.objects.get().mailbox == box


# ---- What the guard says -------------------------------------------------------------------------------------------


def test_for_somebody_who_asked_for_peace_there_is_no_form_but_the_reason(
    login: Login, sdr: User, lotte: Person
) -> None:
    barred(lotte)
    page = login(sdr).get(composer(lotte)).content.decode()
    assert "asked for peace" in page
    assert 'id="mail-form"' not in page
    login(sdr).post(composer(lotte), letter(override="I insist"))
    assert not OutgoingMail.objects.exists()


def test_without_an_address_there_is_nothing_to_write_to(login: Login, sdr: User) -> None:
    person = make.person("Piet Jansen", email="", phone="+32 9 225 25 25")
    page = login(sdr).get(composer(person)).content.decode()
    assert "We have no e-mail address of them." in page
    assert 'id="mail-form"' not in page


def test_an_address_from_which_mail_came_back_is_marked_and_not_chosen(login: Login, sdr: User, lotte: Person) -> None:
    lotte.email_addresses.update(bounced_at=AT - timedelta(days=3), bounce_why="unknown")
    page = login(sdr).get(composer(lotte)).content.decode()
    assert "mail came back on 20 November 2026" in page
    assert 'value="lotte@notelaar.example" selected' not in page
    page = login(sdr).post(composer(lotte), letter(to="")).content.decode()
    assert "Choose an address." in page
    lotte.email_addresses.create(address="lotte@maes.example")
    page = login(sdr).get(composer(lotte)).content.decode()
    assert 'value="lotte@maes.example" selected' in page


def test_an_address_that_asked_for_peace_is_not_offered(login: Login, sdr: User, lotte: Person) -> None:
    lotte.email_addresses.create(address="lotte@maes.example")
    do_not_contact.bar(
        scope=Scope.MAIL, address="lotte@notelaar.example", reason="a wish", source="mail", by=None, at=AT
    )
    page = login(sdr).get(composer(lotte)).content.decode()
    assert 'value="lotte@maes.example" selected' in page
    assert 'value="lotte@notelaar.example"' not in page


def test_too_soon_asks_for_a_reason_or_a_later_moment(login: Login, sdr: User, lotte: Person) -> None:
    make.conversation(
        lotte, by=sdr, kind=ConversationKind.EMAIL, direction=Direction.OUTGOING, is_information=True,
        at=AT - timedelta(hours=1),
    )  # fmt: skip
    client = login(sdr)
    page = client.get(composer(lotte)).content.decode()
    assert "Better not before" in page
    assert 'type="hidden" name="override"' not in page
    page = client.post(composer(lotte), letter()).content.decode()
    assert "Give your reason" in page
    assert "Past de tweede week?" in page
    assert not OutgoingMail.objects.exists()
    client.post(composer(lotte), letter(moment="2026-12-07T10:00"))
    client.post(composer(lotte), letter(subject_nl="Nu", override="The hall is cancelled"))
    later, now = OutgoingMail.objects.order_by("pk")
    assert (later.override, now.override) == ("", "The hall is cancelled")


# ---- Templates -----------------------------------------------------------------------------------------------------


@pytest.fixture
def template(sdr: User) -> Any:
    return mail_templates.save(
        name="What you asked for",
        subject_en="What you asked for",
        body_en="{{ greeting }}\n\nHere it is.",
        subject_nl="Wat u vroeg",
        body_nl="{{ greeting }}\n\nHier is het.",
        is_information=True,
        by=sdr,
        at=AT,
    )


def test_choosing_a_template_brings_its_text_in_their_language(
    login: Login, sdr: User, lotte: Person, template: Any
) -> None:
    client = login(sdr)
    start = client.get(composer(lotte)).content.decode()
    assert "Hier is het." not in start
    text = "Beste Lotte,\n\n\n\nMet vriendelijke groet,\nSofie Peeters"
    typed = letter(subject_nl="", text_nl=text, offered=fingerprint(["", text]), template=str(template.pk))
    part = client.post(
        composer(lotte), typed | {"suggest": "yes"}, headers={"HX-Request": "true", "HX-Target": "letter"}
    ).content.decode()
    assert "Beste Lotte,\n\nHier is het." in part
    assert 'value="Wat u vroeg"' in part
    assert 'name="is_information" ' in part
    assert "checked" in part
    assert not OutgoingMail.objects.exists()


def test_a_template_never_takes_the_place_of_ones_own_words_unasked(
    login: Login, sdr: User, lotte: Person, template: Any
) -> None:
    typed = letter(text_nl="Mijn eigen woorden", offered=fingerprint(["", "x"]), template=str(template.pk))
    page = login(sdr).post(composer(lotte), typed | {"suggest": "yes"}).content.decode()
    assert "Mijn eigen woorden" in page
    assert "Use this text” replaces it" in page
    page = login(sdr).post(composer(lotte), typed | {"suggest": "replace"}).content.decode()
    assert "Mijn eigen woorden" not in page
    assert "Hier is het." in page


def test_a_template_can_be_named_in_the_address_and_that_of_a_colleague_cannot(
    login: Login, sdr: User, teammate: User, lotte: Person, template: Any
) -> None:
    assert "Hier is het." in login(sdr).get(composer(lotte, template=template.pk)).content.decode()
    assert "Hier is het." not in login(teammate).get(composer(lotte, template=template.pk)).content.decode()


# ---- Several people ------------------------------------------------------------------------------------------------


@pytest.fixture
def mary() -> Person:
    return make.person("Mary Stone", email="mary@stone.example", language="en")


SEVERAL = {
    "sender": "kring",
    "template": "blank",
    "subject_nl": "Open dag",
    "text_nl": "{{ greeting }}\n\nKomt u?",
    "subject_en": "Open day",
    "text_en": "{{ greeting }}\n\nWill you come?",
}


def test_each_of_several_gets_a_mail_of_their_own_in_their_own_language(
    login: Login, sdr: User, lotte: Person, mary: Person
) -> None:
    client = login(sdr)
    page = client.get(composer(lotte, mary)).content.decode()
    assert 'name="text_nl"' in page
    assert 'name="text_en"' in page
    page = client.post(composer(lotte, mary), SEVERAL | {"preview": "yes"}).content.decode()
    assert "Beste Lotte,\n\nKomt u?" in page
    assert "Dear Mary,\n\nWill you come?" in page
    assert "/u/" in page, "the way to unsubscribe is shown, too"
    answer = client.post(composer(lotte, mary), SEVERAL)
    assert answer.headers["Location"] == reverse("crm:outgoing")
    assert outbox.send_due(at=AT) == 2
    assert sorted(sent.body.partition("\n")[0] for sent in post.outbox) == ["Beste Lotte,", "Dear Mary,"]
    assert all("List-Unsubscribe" in sent.extra_headers for sent in post.outbox)


def test_of_several_those_are_left_out_who_may_not_be_written_to_and_it_says_why(
    login: Login, sdr: User, outsider: User, lotte: Person, mary: Person
) -> None:
    peace = make.person("Piet Jansen")
    barred(peace)
    silent = make.person("Els Bos", email="", phone="+32 9 225 25 25")
    came_back = make.person("Ann Dop")
    came_back.email_addresses.update(bounced_at=AT, bounce_why="unknown")
    others = make.person("Jan Prins")
    Person.objects.filter(pk=others.pk).update(owner=outsider)
    everybody = composer(lotte, mary, peace, silent, came_back, others)
    page = login(sdr).get(everybody).content.decode()
    left_out = page.partition("They get none")[2]
    for words in ("asked for peace", "We have no e-mail address", "came back", "Otto de Wit keeps in touch"):
        assert words in left_out, words
    login(sdr).post(everybody, SEVERAL)
    assert set(OutgoingMail.objects.values_list("person", flat=True)) == {lotte.pk, mary.pk}


def test_a_placeholder_that_does_not_exist_is_refused_with_its_name(
    login: Login, sdr: User, lotte: Person, mary: Person
) -> None:
    page = login(sdr).post(composer(lotte, mary), SEVERAL | {"text_en": "Dear {{ person.nmae }}"}).content.decode()
    assert "person.nmae" in page
    assert not OutgoingMail.objects.exists()


def test_a_mail_goes_to_a_hundred_people_at_most_in_few_queries(login: Login, sdr: User) -> None:
    people = [make.person(f"Person Number{number}") for number in range(102)]
    client = login(sdr)
    with CaptureQueriesContext(connection) as few:
        client.get(composer(*people[:3]))
    with CaptureQueriesContext(connection) as many:
        page = client.get(composer(*people)).content.decode()
    assert "at most 100 people" in page
    assert len(many) <= len(few)


def test_those_ticked_in_the_list_come_to_the_composer(login: Login, sdr: User, lotte: Person, mary: Person) -> None:
    client = login(sdr)
    assert reverse("crm:mail-several") in client.get(reverse("crm:people")).content.decode()
    answer = client.post(reverse("crm:mail-several"), {"row": [lotte.pk, mary.pk, mary.pk, "x"]})
    assert answer.headers["Location"] == composer(lotte, mary)
    for rows, words in (([], "Tick the people"), (list(range(1, 103)), "at most 100 people")):
        assert words in client.post(reverse("crm:mail-several"), {"row": rows}, follow=True).content.decode()


def test_people_are_chosen_by_name_and_stay_chosen(login: Login, sdr: User, lotte: Person, mary: Person) -> None:
    page = login(sdr).get(f"{composer(lotte)}&choose=yes&named=mary").content.decode()
    assert f'name="person" value="{lotte.pk}" checked' in page
    assert f'name="person" value="{mary.pk}"' in page
    assert "To whom do you write?" in login(sdr).get(reverse("crm:mail-new")).content.decode()


# ---- Outgoing mail -------------------------------------------------------------------------------------------------


@pytest.fixture
def held(sdr: User, lotte: Person) -> OutgoingMail:
    row = outbox.put(to="lotte@notelaar.example", subject="De data", body="Past het?", person=lotte, by=sdr, at=AT)
    barred(lotte)
    outbox.send_due(at=AT)
    row.refresh_from_db()
    return row


def test_what_was_held_back_comes_first_with_its_reason(
    login: Login, sdr: User, teammate: User, manager: User, held: OutgoingMail
) -> None:
    outbox.put(to="x@x.example", subject="Waits", body="x", by=sdr, at=AT, moment=AT + timedelta(days=1))
    page = login(sdr).get(reverse("crm:outgoing")).content.decode()
    assert page.index("Held back") < page.index("Waits")
    assert "asked for peace" in page
    assert "De data" not in login(teammate).get(reverse("crm:outgoing")).content.decode()
    assert "De data" not in login(teammate).get(reverse("crm:outgoing") + "?whose=all").content.decode()
    assert "De data" in login(manager).get(reverse("crm:outgoing") + "?whose=all").content.decode()


def test_a_held_mail_is_sent_for_a_reason_or_dropped(login: Login, sdr: User, held: OutgoingMail) -> None:
    client = login(sdr)
    page = client.post(reverse("crm:mail-release", args=[held.pk]), {"why": "important"}, follow=True)
    assert "asked for peace" in page.content.decode()
    do_not_contact.lift(wish=held.person.do_not_contact.get(), why="she called", by=sdr, at=AT)  # type: ignore[union-attr]
    client.post(reverse("crm:mail-release", args=[held.pk]), {"why": "She called"})
    assert outbox.send_due(at=AT) == 1
    assert "Nothing was sent yet" not in client.get(reverse("crm:outgoing")).content.decode()


def test_a_waiting_mail_is_cancelled_and_one_that_is_gone_says_so(login: Login, sdr: User, lotte: Person) -> None:
    row = outbox.put(to="lotte@notelaar.example", subject="A", body="x", person=lotte, by=sdr, at=AT)
    part = login(sdr).post(
        reverse("crm:mail-cancel", args=[row.pk]), headers={"HX-Request": "true", "HX-Target": "outgoing"}
    )
    assert "This mail is not sent." in part.content.decode()
    gone = outbox.put(to="lotte@notelaar.example", subject="B", body="x", person=lotte, by=sdr, at=AT)
    outbox.send_due(at=AT)
    page = login(sdr).post(reverse("crm:mail-cancel", args=[gone.pk]), follow=True).content.decode()
    assert "sent already" in page


def test_what_could_not_be_sent_says_why_and_can_be_tried_again(login: Login, sdr: User) -> None:
    row = outbox.put(to="x@x.example", subject="Lost", body="x", by=sdr, at=AT)
    OutgoingMail.objects.filter(pk=row.pk).update(tries=8, failure="550 <b>unknown</b>")
    page = login(sdr).get(reverse("crm:outgoing")).content.decode()
    assert "Could not be sent" in page
    assert "550 &lt;b&gt;unknown&lt;/b&gt;" in page
    login(sdr).post(reverse("crm:mail-again", args=[row.pk]))
    assert outbox.send_due(at=AT) == 1


def test_the_list_asks_as_many_questions_for_many_as_for_few(login: Login, sdr: User) -> None:
    def written(number: int) -> None:
        person = make.person()
        address = person.email_addresses.all()[0].address
        outbox.put(to=address, subject=f"Mail {number}", body="x", person=person, by=sdr, at=AT)

    client = login(sdr)
    written(0)
    outbox.send_due(at=AT)
    written(1)
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("crm:outgoing"))
    for number in range(2, 8):
        written(number)
    outbox.send_due(at=AT)
    for number in range(8, 12):
        written(number)
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("crm:outgoing"))
    assert len(many) <= len(few)


# ---- The message on the page of its conversation -------------------------------------------------------------------


def test_a_mail_shows_its_text_its_quotes_folded_its_files_and_its_thread(
    login: Login, sdr: User, lotte: Person
) -> None:
    first = message(lotte, sdr, text="<b>Hello</b>", quoted="On Monday you wrote", key="first@notelaar.example")
    second = message(lotte, sdr, text="And another thing")
    kept = Attachment.objects.create(
        message=first, name="plan.html", content_type="text/html", size=9, content=b"<script>x</script>"
    )
    Attachment.objects.create(message=first, name="film.mp4", content_type="video/mp4", size=90_000_000)
    page = login(sdr).get(reverse("crm:conversation", args=[first.conversation_id])).content.decode()
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert "<details" in page.partition("On Monday you wrote")[0]
    assert reverse("crm:conversation", args=[second.conversation_id]) in page
    assert "too large to keep" in page
    assert f"{reverse('crm:mail-new')}?reply_to={first.pk}" in page
    file = login(sdr).get(reverse("crm:mail-file", args=[kept.pk]))
    assert file.content == b"<script>x</script>"
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"


def test_a_reason_that_no_database_can_hold_is_kept_without_what_it_cannot(
    login: Login, sdr: User, lotte: Person
) -> None:
    held = make.outgoing(lotte, by=sdr)
    OutgoingMail.objects.filter(pk=held.pk).update(held_at=AT, held_why="too soon")
    login(sdr).post(reverse("crm:mail-release", args=[held.pk]), {"why": "She\x00 asked"})
    held.refresh_from_db()
    assert (held.override, held.held_at) == ("She asked", None)


def test_whoever_leads_sees_of_a_mail_that_is_kept_private_only_that_it_went(
    login: Login, sdr: User, manager: User, lotte: Person
) -> None:
    make.outgoing(lotte, by=sdr, subject="Between us")
    outbox.send_due(at=AT)
    said = OutgoingMail.objects.get().conversation
    assert said is not None
    path = f"{reverse('crm:outgoing')}?whose=all"
    assert "Between us" in login(manager).get(path).content.decode()
    Conversation.objects.filter(pk=said.pk).update(private_to=sdr)
    page = login(manager).get(path).content.decode()
    assert "Between us" not in page
    assert "Lotte Maes" in page
    assert "Between us" in login(sdr).get(reverse("crm:outgoing")).content.decode()


def test_of_a_private_mail_a_colleague_sees_neither_text_nor_files_nor_its_place_in_a_thread(
    login: Login, sdr: User, teammate: User, lotte: Person
) -> None:
    private = message(lotte, teammate, private_to=teammate, text="Between us", key="first@notelaar.example")
    file = Attachment.objects.create(message=private, name="a.txt", content_type="text/plain", size=1, content=b"x")
    open_one = message(lotte, sdr, text="For all")
    page = login(sdr).get(reverse("crm:conversation", args=[private.conversation_id])).content.decode()
    assert "Between us" not in page
    assert login(sdr).get(reverse("crm:mail-file", args=[file.pk])).status_code == 404
    page = login(sdr).get(reverse("crm:conversation", args=[open_one.conversation_id])).content.decode()
    assert "Between us" not in page
    assert "Between us" in login(teammate).get(
        reverse("crm:conversation", args=[private.conversation_id])
    ).content.decode()  # fmt: skip


def test_what_kring_tells_somebody_of_their_own_day_is_nobodys_outgoing_mail(
    login: Login, manager: User, sdr: User
) -> None:
    row = outbox.put(to="sofie@kring.test", subject="Monday: 3 people", body="x", by=None, at=AT)
    path = f"{reverse('crm:outgoing')}?whose=all"
    assert "Monday: 3 people" in login(manager).get(path).content.decode()
    Digest.objects.create(user=sdr, day=AT.date(), claimed_at=AT, mail=row)
    assert "Monday: 3 people" not in login(manager).get(path).content.decode()


def test_who_did_not_write_it_decides_on_no_mail_of_kring_and_nobody_on_a_digest(
    login: Login, manager: User, sdr: User
) -> None:
    row = outbox.put(to="els@kring.test", subject="A lead for you", body="x", by=None, at=AT)
    address = reverse("crm:mail-cancel", args=[row.pk])
    assert login(sdr).post(address).status_code == 403
    Digest.objects.create(user=sdr, day=AT.date(), claimed_at=AT, mail=row)
    assert login(manager).post(address).status_code == 404
    row.refresh_from_db()
    assert row.cancelled_at is None
