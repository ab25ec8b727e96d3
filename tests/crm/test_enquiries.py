"""Mail to a shared mailbox that asks something new is a lead, once, with the mail on it; any other mail is mail."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm import correspondence, enquiries, mailboxes
from crm.correspondence import Place
from crm.models import (
    Channel,
    Conversation,
    Direction,
    Event,
    EventKind,
    Lead,
    LeadStatus,
    Mailbox,
    MailFolder,
    MailMessage,
    MessageState,
    Person,
    User,
)
from crm.refusal import Refused
from tests import make
from tests.mail import letter

pytestmark = pytest.mark.django_db

AT = make.AT
MAIL = Path("../shared/data/email")


@pytest.fixture
def info(sdr: User) -> Mailbox:
    return make.mailbox(None, address="info@kring.test", makes_leads=True, lead_origin="info mailbox")


def take(mailbox: Mailbox, raw: bytes | None = None, *, uid: int | None = None, **said: Any) -> MailMessage:
    said.setdefault("sender", '"Ann De Wit" <ann@notelaar.example>')
    said.setdefault("to", "info@kring.test")
    said.setdefault("at", AT - timedelta(minutes=5))
    place = None
    if uid:
        folder, _new = MailFolder.objects.get_or_create(mailbox=mailbox, name="INBOX", uid_validity=1)
        place = Place(folder, 1, uid)
    return enquiries.take_in(raw=raw or letter(**said), received_at=AT, mailbox=mailbox, place=place, at=AT)


def test_an_enquiry_is_a_lead_with_the_mail_as_its_first_conversation(info: Mailbox, sdr: User) -> None:
    text = "Which dates are free?\n\n-- \nAnn De Wit\n015 12 34 56\n"
    message = take(info, subject="A workshop in May", text=text, key="1@notelaar.example")
    lead = Lead.objects.get()
    assert (lead.channel, lead.external_id, lead.origin) == (Channel.EMAIL, "1@notelaar.example", "info mailbox")
    assert (str(lead.person), lead.status, lead.owner) == ("Ann De Wit", LeadStatus.NEW, sdr)
    assert lead.message == "Which dates are free?"
    assert lead.answer_due_at == AT + timedelta(hours=1)
    conversation = lead.conversations.get()
    assert message.conversation == conversation
    assert (conversation.subject, conversation.direction) == ("A workshop in May", Direction.INCOMING)
    assert lead.answered_at is None
    assert lead.person is not None
    lead.refresh_from_db()
    assert lead.last_reply_at == AT - timedelta(minutes=5)


def test_the_same_mail_in_two_folders_and_fetched_twice_is_one_lead(info: Mailbox) -> None:
    raw = letter(sender="ann@notelaar.example", to="info@kring.test", at=AT, key="1@notelaar.example")
    for uid in (1, 1, 7):
        take(info, raw, uid=uid)
    assert (Lead.objects.count(), Conversation.objects.count(), MailMessage.objects.count()) == (1, 1, 1)


def test_whoever_dies_in_the_middle_leaves_nothing_and_the_next_begins_with_it(
    info: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = letter(sender="ann@notelaar.example", to="info@kring.test", at=AT)
    with monkeypatch.context() as broken:
        broken.setattr(correspondence, "take_in", lambda **_given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take(info, raw)
    assert not Lead.objects.exists()
    assert not Person.objects.exists()
    take(info, raw)
    assert Lead.objects.get().conversations.count() == 1


def test_who_has_an_open_lead_or_deal_begins_no_second_one(info: Mailbox, account_manager: User) -> None:
    lead = make.lead(email="ann@notelaar.example")
    assert take(info).conversation.lead == lead  # type: ignore[union-attr]
    deal = make.deal(account_manager)
    assert deal.person is not None
    address = deal.person.email_addresses.get().address
    assert take(info, sender=address).conversation.deal == deal  # type: ignore[union-attr]
    assert Lead.objects.count() == 1


def test_an_answer_in_a_thread_that_we_know_is_mail_and_no_enquiry(info: Mailbox) -> None:
    first = take(info, key="1@notelaar.example")
    Lead.objects.update(status=LeadStatus.DECLINED, verdict="declined", verdict_at=AT, decline_reason="no_fit")
    again = take(info, In_Reply_To="<1@notelaar.example>")
    assert again.conversation is not None
    assert again.conversation.lead == first.conversation.lead  # type: ignore[union-attr]
    assert Lead.objects.count() == 1
    take(info, subject="Something else")
    assert Lead.objects.count() == 2, "and a new question of somebody whom we declined is a new lead"


@pytest.mark.parametrize(
    "said",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "junk"},
        {"List_Id": "<news.shop.example>"},
        {"sender": "Sofie <sofie@kring.test>", "to": "els@elsewhere.example"},
        {"sender": "info@kring.test"},
        {"sender": "ann@kept-out.example"},
        {"at": AT - timedelta(days=8)},
    ],
    ids=["automatic", "bulk", "list", "colleague", "the mailbox itself", "kept out", "old"],
)
def test_what_is_no_enquiry_makes_no_lead(info: Mailbox, sdr: User, said: dict[str, Any]) -> None:
    sdr.email = "sofie@kring.test"
    sdr.save()
    correspondence.exclude(pattern="kept-out.example", user=None, at=AT)
    take(info, **said)
    assert not Lead.objects.exists()


def test_a_mailbox_that_makes_no_leads_makes_none(info: Mailbox, admin_user: User) -> None:
    mailboxes.make_leads(mailbox=info, makes_leads=False, origin="", team=None, by=admin_user, at=AT)
    info.refresh_from_db()
    assert take(info).state == MessageState.UNKNOWN
    assert not Lead.objects.exists()


def test_a_name_that_cannot_be_kept_is_replaced_by_the_address(info: Mailbox) -> None:
    take(info, sender=f'"{"x" * 150}" <ann@notelaar.example>')
    assert str(Lead.objects.get().person) == "ann"


def test_a_message_that_failed_before_becomes_a_lead_when_it_is_read_at_last(info: Mailbox) -> None:
    raw = letter(sender="ann@notelaar.example", to="info@kring.test", at=AT)
    failed = correspondence.keep_failed(raw=raw, reason="broken", mailbox=info, place=None, at=AT)
    taken = enquiries.try_again(message=failed, at=AT)
    assert taken.conversation is not None
    assert taken.conversation.lead == Lead.objects.get()
    with pytest.raises(Refused):
        enquiries.try_again(message=failed, at=AT)


def test_leads_go_to_the_team_of_the_mailbox(info: Mailbox) -> None:
    team = make.team()
    mate = make.user(team=team)
    info.lead_team = team
    info.save()
    take(info)
    assert Lead.objects.get().owner == mate


def test_only_a_shared_mailbox_makes_leads_and_they_have_an_origin(sdr: User, admin_user: User, info: Mailbox) -> None:
    def say(box: Mailbox, origin: str) -> None:
        mailboxes.make_leads(mailbox=box, makes_leads=True, origin=origin, team=None, by=admin_user, at=AT)

    with pytest.raises(Refused, match="Only a shared mailbox"):
        say(make.mailbox(sdr), "mail")
    with pytest.raises(Refused, match="origin"):
        say(info, " ")
    for _time in range(2):
        say(info, "our mail")
    event = Event.objects.get(kind=EventKind.MAILBOX_CHANGED)
    assert event.old
    assert event.new
    assert (event.old["lead_origin"], event.new["lead_origin"]) == ("info mailbox", "our mail")


@pytest.mark.parametrize("folder", ["dutch", "talon", "cpython"])
def test_whatever_the_mail_looks_like_it_is_settled_and_a_lead_at_most_once(info: Mailbox, folder: str) -> None:
    files = sorted(path for path in (MAIL / folder).rglob("*") if path.is_file())[:60] if MAIL.exists() else []
    if not files:
        pytest.skip("the sample mails are not there")
    for path in files:
        for _time in range(2):
            take(info, path.read_bytes())
    leads = Lead.objects.count()
    assert leads == Lead.objects.filter(channel=Channel.EMAIL, conversations__isnull=False).distinct().count()
    assert (
        leads
        == MailMessage.objects.filter(conversation__lead__isnull=False).values("conversation__lead").distinct().count()
    )
