"""Mail to a shared mailbox such as info@ becomes a lead when it asks something new; then it is taken in like any other mail, and stands on that lead.

Both in one transaction with how far its folder was read: whoever dies in between leaves no lead without its mail, and none is there twice.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm import capture, correspondence
from crm.channels.email import ReadMail
from crm.correspondence import Place
from crm.models import Channel, Deal, Mailbox, MailMessage, OwnerRule
from crm.people import with_email
from crm.refusal import Refused

LONGEST_MESSAGE = 20_000


@transaction.atomic
def take_in(
    *, raw: bytes, received_at: datetime | None, mailbox: Mailbox, place: Place | None, at: datetime
) -> MailMessage:
    """The mail is taken in (`correspondence.take_in`). In a mailbox that makes leads an enquiry of somebody with no open lead and no open deal began
    a lead before, and is the first conversation on it; of anybody else it stands on what is open."""
    if mailbox.makes_leads:
        _begin(raw, received_at or at, mailbox, at)
    return correspondence.take_in(raw=raw, received_at=received_at, at=at, mailbox=mailbox, place=place)


@transaction.atomic
def try_again(*, message: MailMessage, at: datetime) -> MailMessage:
    """A message that could not be read is read anew, as if it came now. Refuses what `correspondence.try_again` refuses."""
    mailbox = Mailbox.objects.select_related("owner").filter(messages=message).first()
    raw = MailMessage.objects.filter(pk=message.pk).values_list("raw", flat=True).first()
    if mailbox is not None and mailbox.makes_leads and raw is not None:
        _begin(bytes(raw), message.taken_at, mailbox, at)
    return correspondence.try_again(message=message, at=at)


def _begin(raw: bytes, received_at: datetime, mailbox: Mailbox, at: datetime) -> None:
    mail = correspondence.enquiry(raw, received_at=received_at, mailbox=mailbox, at=at)
    if mail is None or mail.sender is None or _is_at_work_with_us(mail.sender.address):
        return
    try:
        capture.receive(_arrival(mail, mail.sender.name, mailbox), at=at)
    except Refused:
        # A name that is none, or longer than we can keep: their address says enough. One that is no address stays an unknown sender.
        try:
            capture.receive(_arrival(mail, "", mailbox), at=at)
        except Refused:
            return


def _is_at_work_with_us(address: str) -> bool:
    person = with_email(address)
    if person is None:
        return False
    return capture.open_lead(person) is not None or Deal.objects.open().filter(person=person).exists()


def _arrival(mail: ReadMail, name: str, mailbox: Mailbox) -> capture.Arrival:
    assert mail.sender is not None
    return capture.Arrival(
        channel=Channel.EMAIL,
        external_id=mail.key,
        name=name,
        email=mail.sender.address,
        message=(mail.text.strip() or mail.subject)[:LONGEST_MESSAGE],
        origin=mailbox.lead_origin,
        owner_rule=OwnerRule.TEAM if mailbox.lead_team_id else OwnerRule.RULES,
        team=mailbox.lead_team,
    )
