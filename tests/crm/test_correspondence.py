"""Each message becomes a conversation with whom it matches, once, whichever way it comes; of every other one nothing is kept but its key."""

from __future__ import annotations

from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from crm import conversations, correspondence, outbox, people
from crm.channels import email
from crm.models import (
    Channel,
    Conversation,
    Direction,
    EmailAddress,
    Event,
    EventKind,
    Mailbox,
    MailExclusion,
    MailMessage,
    MessageState,
    OutgoingMail,
    Person,
    User,
)
from crm.refusal import Refused
from tests import make
from tests.mail import letter
from tests.make import AT

MAIL = Path("../shared/data/email")


@pytest.fixture
def mailbox(sdr: User) -> Mailbox:
    return make.mailbox(sdr)


@pytest.fixture
def luc(db: None) -> Person:
    return make.person("Luc Maes", email="luc@maes.example")


def take(mailbox: Mailbox | None = None, *, user: User | None = None, at: Any = AT, **words: Any) -> Any:
    words.setdefault("at", at - timedelta(hours=1))
    return correspondence.take_in(raw=letter(**words), mailbox=mailbox, user=user, at=at)


# ---- Who wrote to whom ---------------------------------------------------------------------------------------------


def test_a_mail_from_somebody_known_is_a_reply_and_makes_last_contact_true(mailbox, luc, sdr):
    message = take(mailbox, subject="Dates", text="The second week suits us.")
    conversation = message.conversation
    assert message.state == MessageState.TAKEN
    assert (conversation.direction, conversation.by, conversation.subject) == (Direction.INCOMING, sdr, "Dates")
    assert conversation.summary == "The second week suits us."
    assert list(conversation.people.all()) == [luc]
    luc.refresh_from_db()
    assert luc.last_reply_at == luc.last_contact_at == AT - timedelta(hours=1)


def test_a_mail_that_one_of_us_wrote_is_contact_with_everybody_it_went_to_and_no_reply(mailbox, luc, sdr, teammate):
    els = make.person("Els Pauwels", email="els@pauwels.example")
    message = take(
        mailbox,
        sender="Sofie <sofie@kring.test>",
        to="luc@maes.example, Tine <tine@kring.test>",
        Cc="els@pauwels.example, stranger@nowhere.example",
    )
    assert message.conversation.direction == Direction.OUTGOING
    assert set(message.conversation.people.all()) == {luc, els}
    luc.refresh_from_db()
    assert (luc.last_contact_at, luc.last_reply_at) == (AT - timedelta(hours=1), None)


def test_who_only_got_a_copy_of_what_somebody_else_wrote_has_not_spoken(mailbox, luc):
    els = make.person("Els Pauwels", email="els@pauwels.example")
    message = take(mailbox, Cc="els@pauwels.example")
    assert list(message.conversation.people.all()) == [luc]
    els.refresh_from_db()
    assert els.last_contact_at is None


def test_a_colleagues_mail_seen_in_a_shared_mailbox_is_by_that_colleague(luc, sdr, teammate):
    shared = make.mailbox(None, address="info@kring.test")
    assert take(shared, sender="tine@kring.test", to="luc@maes.example").conversation.by == teammate
    assert take(shared, to="info@kring.test, sofie@kring.test").conversation.by == sdr
    assert take(shared, to="info@kring.test").conversation.by is None


def test_an_answer_to_what_somebody_keeps_private_is_private_too_as_it_quotes_it(mailbox, luc, sdr, teammate):
    first = take(mailbox, key="1@x.example", sender="sofie@kring.test", to="luc@maes.example")
    conversations.keep_private(conversation=first.conversation, by=sdr, at=AT)
    assert take(mailbox, key="2@x.example", In_Reply_To="<1@x.example>").conversation.private_to == sdr
    assert take(mailbox, key="3@x.example", References="<1@x.example> <2@x.example>").conversation.private_to == sdr
    assert take(mailbox, key="4@x.example").conversation.private_to is None
    to_tine = take(make.mailbox(teammate), key="5@x.example", to="tine@kring.test", In_Reply_To="<1@x.example>")
    assert to_tine.conversation.private_to is None, "it was written to somebody else, and is not Sofie's to keep"


def test_mail_among_ourselves_is_nobodys_business(mailbox, teammate):
    message = take(mailbox, sender="tine@kring.test", to="sofie@kring.test")
    assert message.state == MessageState.UNKNOWN
    assert not Conversation.objects.exists()


def test_of_mail_from_a_stranger_or_a_list_nothing_is_kept_but_its_key(mailbox):
    message = take(
        mailbox, sender="news@shop.example", List_Id="<news.shop.example>", text="Sale", key="a@shop.example"
    )
    row = MailMessage.objects.get(pk=message.pk)
    assert (row.key, row.state) == ("a@shop.example", MessageState.UNKNOWN)
    assert not any((row.subject, row.text, row.from_address, row.to, row.html, row.raw, row.thread))


@pytest.mark.parametrize("pattern", ["luc@maes.example", "maes.example", "@MAES.example ", "example"])
def test_what_is_kept_out_on_request_leaves_nothing(mailbox, luc, sdr, pattern):
    if pattern == "example":
        MailExclusion.objects.create(user=sdr, pattern=pattern, created_at=AT)
    else:
        correspondence.exclude(pattern=pattern, user=sdr, at=AT)
    message = take(mailbox)
    assert (message.state, message.subject, message.conversation) == (MessageState.EXCLUDED, "", None)
    outgoing = take(mailbox, sender="sofie@kring.test", to="luc@maes.example, els@pauwels.example")
    assert outgoing.state == MessageState.EXCLUDED


def test_what_one_user_keeps_out_still_comes_in_by_a_colleague_to_whom_it_was_sent_too(mailbox, luc, sdr, teammate):
    correspondence.exclude(pattern="maes.example", user=sdr, at=AT)
    raw = letter(to="sofie@kring.test, tine@kring.test", at=AT)
    assert correspondence.take_in(raw=raw, mailbox=mailbox, at=AT).state == MessageState.EXCLUDED
    other = make.mailbox(teammate)
    assert correspondence.take_in(raw=raw, mailbox=other, at=AT).state == MessageState.TAKEN
    correspondence.exclude(pattern="maes.example", user=None, at=AT)
    assert take(other).state == MessageState.EXCLUDED


@pytest.mark.parametrize("pattern", ["", "maes", "maes example.com", "a@b@c", "-maes.example", "http://maes.example/"])
def test_what_is_neither_an_address_nor_a_domain_is_no_exclusion(sdr, pattern):
    with pytest.raises(Refused):
        correspondence.exclude(pattern=pattern, user=sdr, at=AT)


def test_nobody_keeps_a_domain_that_anybody_can_have_out_for_everybody(sdr):
    with pytest.raises(Refused):
        correspondence.exclude(pattern="gmail.com", user=None, at=AT)
    assert correspondence.exclude(pattern="gmail.com", user=sdr, at=AT).pattern == "gmail.com"


# ---- Once ----------------------------------------------------------------------------------------------------------


def test_the_same_message_from_two_mailboxes_and_again_is_one_conversation(mailbox, luc, teammate):
    raw = letter(at=AT)
    for box in (mailbox, make.mailbox(teammate), mailbox):
        correspondence.take_in(raw=raw, mailbox=box, at=AT)
    assert Conversation.objects.count() == MailMessage.objects.count() == 1


def test_two_without_a_message_id_are_the_same_when_their_bytes_are(mailbox, luc):
    raw = b"From: luc@maes.example\r\nTo: sofie@kring.test\r\nSubject: Hello\r\n\r\nHello"
    for text in (raw, raw, raw + b" again"):
        correspondence.take_in(raw=text, mailbox=mailbox, at=AT)
    assert Conversation.objects.count() == 2


def test_a_conversation_that_somebody_removed_is_not_taken_in_again(mailbox, luc, sdr):
    raw = letter(at=AT)
    message: Any = correspondence.take_in(raw=raw, mailbox=mailbox, at=AT)
    conversations.delete(conversation=message.conversation, by=sdr, at=AT)
    again = correspondence.take_in(raw=raw, mailbox=mailbox, at=AT)
    assert (again.pk, again.conversation) == (message.pk, None)
    assert not Conversation.objects.exists()


def test_who_was_a_stranger_is_known_when_the_message_comes_again(mailbox):
    raw = letter(at=AT)
    assert correspondence.take_in(raw=raw, mailbox=mailbox, at=AT).state == MessageState.UNKNOWN
    make.person("Luc Maes", email="luc@maes.example")
    assert correspondence.take_in(raw=raw, mailbox=mailbox, at=AT).state == MessageState.TAKEN


@pytest.mark.django_db(transaction=True)
def test_one_message_taken_in_by_many_at_once_is_one_conversation():
    make.person("Luc Maes", email="luc@maes.example")
    boxes = [make.mailbox(make.user()) for _n in range(4)]
    raw, wrong = letter(at=AT), []

    def work(box: Mailbox) -> None:
        try:
            correspondence.take_in(raw=raw, mailbox=box, at=AT)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work, args=(box,)) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert Conversation.objects.count() == MailMessage.objects.count() == 1


# ---- Threads, and what they are about ------------------------------------------------------------------------------


def test_answers_stand_in_the_thread_of_what_they_answer_in_whatever_order_they_come(mailbox, luc):
    third = take(mailbox, key="3@x.example", References="<1@x.example> <2@x.example>")
    first = take(mailbox, key="1@x.example", sender="sofie@kring.test", to="luc@maes.example")
    second = take(mailbox, key="2@x.example", In_Reply_To="<1@x.example>")
    fourth = take(mailbox, key="4@x.example", In_Reply_To="<3@x.example>")
    assert {message.thread for message in (first, second, third, fourth)} == {"1@x.example"}


def test_mail_with_somebody_who_has_one_open_deal_or_lead_is_about_it(mailbox, sdr):
    lead = make.working_lead(sdr, email="an@lead.example", name="An Lead")
    assert take(mailbox, sender="an@lead.example").conversation.lead == lead
    make.working_lead(sdr, person=lead.person, channel=Channel.BY_HAND)
    assert take(mailbox, sender="an@lead.example").conversation.lead is None
    deal = make.deal(sdr, person=make.person("Jo Deal", email="jo@deal.example"))
    assert take(mailbox, sender="jo@deal.example").conversation.deal == deal


def test_an_answer_is_about_what_its_thread_was_about(mailbox, luc, sdr):
    deal = make.deal(sdr, person=luc)
    first = take(mailbox, key="1@deal.example", sender="sofie@kring.test", to="luc@maes.example")
    make.deal(sdr, person=luc)
    assert first.conversation.deal == deal
    assert take(mailbox, In_Reply_To="<1@deal.example>").conversation.deal == deal
    assert take(mailbox).conversation.deal is None


def test_our_answer_by_mail_stops_the_response_clock_of_the_lead(mailbox, sdr):
    lead = make.lead(email="an@lead.example", name="An Lead")
    take(mailbox, sender="sofie@kring.test", to="an@lead.example", at=AT + timedelta(hours=2))
    lead.refresh_from_db()
    assert (lead.answered_at, lead.answered_by) == (AT + timedelta(hours=1), sdr)


def test_a_mail_dated_in_the_future_happened_now(mailbox, luc):
    raw = letter(at=AT + timedelta(hours=20))
    message: Any = correspondence.take_in(raw=raw, mailbox=mailbox, at=AT)
    assert message.conversation.at == AT


def test_attachments_are_kept_with_the_message(mailbox, luc):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "luc@maes.example", "sofie@kring.test", "Schedule"
    mail.set_content("See the file.")
    mail.add_attachment(b"%PDF-1.7 \x00\x01", maintype="application", subtype="pdf", filename="../../plan.pdf")
    message: Any = correspondence.take_in(raw=mail.as_bytes(), mailbox=mailbox, at=AT)
    kept: Any = message.attachments.get()
    assert (kept.name, kept.content_type, bytes(kept.content)) == ("plan.pdf", "application/pdf", b"%PDF-1.7 \x00\x01")


# ---- Mail that Kring wrote -----------------------------------------------------------------------------------------


def test_the_copy_of_a_mail_written_here_is_no_second_conversation(mailbox, luc, sdr, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail = outbox.put(to="luc@maes.example", subject="Dates", body="When?", by=sdr, person=luc, at=AT)
    assert outbox.send_due(at=AT) == 1
    mail.refresh_from_db()
    copy = take(mailbox, sender="sofie@kring.test", to="luc@maes.example", key=mail.message_id)
    assert copy.conversation == mail.conversation
    assert Conversation.objects.count() == 1


def test_the_copy_of_a_mail_whose_sender_died_is_its_conversation(mailbox, luc, sdr):
    deal = make.deal(sdr, person=make.person("Jo Deal"))
    mail = outbox.put(
        to="luc@maes.example", subject="Dates", body="When?", by=sdr, person=luc, deal=deal, is_information=True, at=AT
    )
    copy = take(mailbox, sender="sofie@kring.test", to="luc@maes.example", key=mail.message_id)
    assert (copy.conversation.deal, copy.conversation.is_information) == (deal, True)
    outbox.send_due(at=AT)
    mail.refresh_from_db()
    assert mail.conversation == copy.conversation
    assert mail.sent_at is not None


# ---- Machines ------------------------------------------------------------------------------------------------------


def bounce(to: str = "luc@maes.example", *, original: str = "", status: str = "5.1.1") -> bytes:
    """A delivery status notification as RFC 3464 has it."""
    return f"""From: Mail Delivery System <mailer-daemon@mx.example>
To: sofie@kring.test
Subject: Undelivered Mail Returned to Sender
Message-ID: <{original or "some"}-bounce@mx.example>
Date: Mon, 23 Nov 2026 09:00:00 +0000
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {to}
Action: {"failed" if status.startswith("5") else "delayed"}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 No such user

--b
Content-Type: text/rfc822-headers

From: sofie@kring.test
To: {to}
Subject: Dates
Message-ID: <{original or "unknown@kring.test"}>

--b--
""".replace("\n", "\r\n").encode()


def test_a_mail_that_came_back_marks_the_address_once_and_tells_its_sender(mailbox, luc, sdr, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail = outbox.put(to="luc@maes.example", subject="Dates", body="When?", by=sdr, person=luc, at=AT)
    outbox.send_due(at=AT)
    for _time in range(2):
        message: Any = correspondence.take_in(raw=bounce(original=mail.message_id), mailbox=mailbox, at=AT)
        assert (message.state, message.conversation, message.text) == (MessageState.NOTICE, None, "")
    address, mail = EmailAddress.objects.get(person=luc), OutgoingMail.objects.get(pk=mail.pk)
    assert address.bounced_at == AT
    assert "No such user" in address.bounce_why
    assert "No such user" in mail.failure
    assert Event.objects.get(kind=EventKind.MAIL_BOUNCED).person == luc


def test_a_mail_that_only_waits_marks_nothing(mailbox, luc, sdr):
    take(mailbox, sender="sofie@kring.test", to="luc@maes.example", key="ours@kring.test")
    correspondence.take_in(raw=bounce(original="ours@kring.test", status="4.2.2"), mailbox=mailbox, at=AT)
    assert EmailAddress.objects.get(person=luc).bounced_at is None


def test_a_notice_about_mail_that_we_never_sent_marks_nobody(mailbox, luc):
    correspondence.take_in(raw=bounce(), mailbox=mailbox, at=AT)
    assert EmailAddress.objects.get(person=luc).bounced_at is None
    take(mailbox, sender="sofie@kring.test", to="luc@maes.example")
    correspondence.take_in(raw=bounce(original="other@kring.test"), mailbox=mailbox, at=AT)
    assert EmailAddress.objects.get(person=luc).bounced_at == AT


def test_an_absence_message_is_no_reply_and_asks_whether_to_wait(mailbox, luc, sdr):
    message = take(
        mailbox,
        subject="Automatic reply: Dates",
        text="I am out of the office until 5 December 2026 and will answer when I am back.",
        Auto_Submitted="auto-replied",
    )
    luc.refresh_from_db()
    assert (luc.last_contact_at, luc.last_reply_at) == (None, None)
    assert message.conversation.is_automatic
    assert message.away_until == date(2026, 12, 5)
    assert correspondence.waiting_absence(luc, AT.date()) == message
    assert correspondence.waiting_absence(luc, date(2026, 12, 6)) is None
    correspondence.answer_absence(message=message, person=luc, is_heeded=True, by=sdr, at=AT)
    luc.refresh_from_db()
    assert luc.not_before == date(2026, 12, 6)
    assert correspondence.waiting_absence(luc, AT.date()) is None
    people.lift_not_before(person=luc, by=sdr, at=AT)
    correspondence.answer_absence(message=message, person=luc, is_heeded=True, by=sdr, at=AT)
    luc.refresh_from_db()
    assert luc.not_before is None, "The first answer stands."


def test_an_absence_that_is_not_heeded_is_not_asked_about_again(mailbox, luc, sdr):
    message = take(mailbox, subject="Out of office", text="Back on 7 December 2026.", Auto_Submitted="auto-replied")
    correspondence.answer_absence(message=message, person=luc, is_heeded=False, by=sdr, at=AT)
    luc.refresh_from_db()
    assert luc.not_before is None
    assert correspondence.waiting_absence(luc, AT.date()) is None


# ---- Forwarded to Kring --------------------------------------------------------------------------------------------


def test_a_copy_that_a_colleague_sends_to_their_address_here_is_contact_with_whom_they_wrote(luc, sdr, settings):
    settings.MAIL_IN_DOMAIN = "in.kring.test"
    message = take(user=sdr, sender="sofie@kring.test", to="luc@maes.example", Cc="abc@in.kring.test")
    assert (message.conversation.direction, message.conversation.by) == (Direction.OUTGOING, sdr)
    assert list(message.conversation.people.all()) == [luc]


def test_a_mail_that_is_redirected_as_it_was_is_a_reply(luc, sdr):
    message = take(user=sdr)
    assert (message.conversation.direction, message.conversation.by) == (Direction.INCOMING, sdr)


FORWARDED = """FYI

---------- Forwarded message ---------
From: Luc Maes <luc@maes.example>
Date: Mon, 23 Nov 2026 at 08:15
Subject: Dates
To: Sofie <sofie@kring.test>

The second week suits us.
"""


def test_a_forwarded_mail_is_the_one_within_from_who_wrote_it(luc, sdr, settings):
    settings.MAIL_IN_DOMAIN = "in.kring.test"
    message = take(user=sdr, sender="sofie@kring.test", to="abc@in.kring.test", subject="Fwd: Dates", text=FORWARDED)
    conversation = message.conversation
    assert (conversation.direction, conversation.subject) == (Direction.INCOMING, "Dates")
    assert conversation.summary == "The second week suits us."
    assert list(conversation.people.all()) == [luc]


def test_forwarding_what_came_in_by_itself_makes_no_second_conversation(mailbox, luc, sdr, settings):
    settings.MAIL_IN_DOMAIN = "in.kring.test"
    forwarded = take(user=sdr, sender="sofie@kring.test", to="abc@in.kring.test", subject="Fwd: Dates", text=FORWARDED)
    when = forwarded.sent_at
    forwarded.conversation.delete()
    forwarded.delete()
    first = take(mailbox, subject="Dates", at=AT) and MailMessage.objects.get()
    MailMessage.objects.update(sent_at=when + timedelta(seconds=20))
    again = take(user=sdr, sender="sofie@kring.test", to="abc@in.kring.test", subject="Fwd: Dates", text=FORWARDED)
    assert (again.state, again.conversation, again.thread) == (MessageState.TAKEN, None, first.thread)
    assert Conversation.objects.count() == 1


# ---- What cannot be read -------------------------------------------------------------------------------------------


def test_what_is_no_mail_is_refused_with_a_reason_in_the_language_of_its_owner(mailbox, sdr):
    message: Any = correspondence.take_in(raw=b"\x00\x01 no mail at all", mailbox=mailbox, at=AT)
    assert message.state == MessageState.REFUSED
    assert message.reason
    assert correspondence.take_in(raw=b"", mailbox=mailbox, at=AT).state == MessageState.REFUSED


def test_a_message_that_failed_keeps_its_bytes_and_is_taken_in_when_it_is_tried_again(mailbox, luc):
    raw = letter(at=AT)
    failed: Any = correspondence.keep_failed(raw=raw, reason="boom", mailbox=mailbox, place=None, at=AT)
    assert bytes(failed.raw) == raw
    taken: Any = correspondence.try_again(message=failed, at=AT)
    assert (taken.state, taken.raw, taken.conversation.people.get()) == (MessageState.TAKEN, None, luc)
    assert MailMessage.objects.count() == 1
    with pytest.raises(Refused):
        correspondence.try_again(message=failed, at=AT)


def test_a_failed_message_that_is_dropped_leaves_no_bytes(mailbox):
    failed: Any = correspondence.keep_failed(raw=b"x", reason="boom", mailbox=mailbox, place=None, at=AT)
    correspondence.drop(message=failed)
    failed.refresh_from_db()
    assert (failed.state, failed.raw, failed.reason) == (MessageState.REFUSED, None, "boom")


def test_every_mail_of_the_collection_is_taken_in_or_refused_with_a_reason(mailbox):
    if not MAIL.exists():
        pytest.skip("The collection of mail is not here: ../shared/data/email")
    files = sorted(path for path in MAIL.rglob("*") if path.is_file())
    known = set()
    for path in files:
        try:
            sender = email.read(path.read_bytes(), received_at=AT).sender
        except email.Unreadable:
            continue
        if sender is not None and sender.address not in known:
            known.add(sender.address)
            EmailAddress.objects.create(person=make.person(), address=sender.address)
    for path in files:
        message = correspondence.take_in(raw=path.read_bytes(), mailbox=mailbox, at=AT)
        assert message.state != MessageState.FAILED, path
        assert message.reason or message.state != MessageState.REFUSED, path
    assert MailMessage.objects.filter(state=MessageState.TAKEN).count() > len(files) / 3
    assert take(mailbox, sender=sorted(known)[0]).state == MessageState.TAKEN
