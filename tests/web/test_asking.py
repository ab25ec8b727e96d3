"""The lead's page tells what they asked, what they wrote again, and how they found us; whether a shared mailbox makes leads is said on its page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm import capture, enquiries
from crm.channels import reading_along
from crm.models import Channel, Mailbox, User
from tests import make
from tests.mail import letter

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def test_it_tells_what_they_wrote_again_and_the_first_and_the_last_touch_apart(sdr: User, login: Login) -> None:
    at = timezone.now()
    make.content("Planning guide", url="https://kring.example/guide")
    first, last = int((at - timedelta(days=300)).timestamp()), int(at.timestamp()) - 60
    said = {
        "h": "kring.example",
        "p": {"/guide": [first, last, 9]},
        "f": {"p": "/guide", "r": "search.example", "a": first},
        "l": {"p": "/", "a": last, "u": {"utm_campaign": "<b>spring", "utm_source": "newsletter"}},
    }
    arrival: dict[str, Any] = {"channel": Channel.FORM, "name": "Ann De Wit", "email": "ann@notelaar.example"}
    reading = reading_along.read(json.dumps(said))
    lead = capture.receive(
        capture.Arrival(external_id="1", message="Which dates?", reading=reading, **arrival), at=at
    ).lead
    capture.receive(capture.Arrival(external_id="2", message="And what does it cost?", **arrival), at=at)
    text = " ".join(login(sdr).get(f"/leads/{lead.pk}/").text.split())
    assert "Which dates?" in text
    assert 'by form</div> <div class="quote mb-3">And what does it cost?' in text
    assert "1 piece" in text
    begin = text[text.index("First touch") : text.index("Last touch")]
    assert "Planning guide · from search.example" in begin
    assert "campaign “&lt;b&gt;spring” (newsletter)" in text[text.index("Last touch") :]


def test_of_a_lead_that_came_by_mail_the_subject_is_shown(sdr: User, login: Login) -> None:
    at = timezone.now()
    info = make.mailbox(None, at=at, makes_leads=True, lead_origin="info")
    raw = letter(sender="ann@notelaar.example", to=info.address, subject="A workshop in May", at=at)
    message = enquiries.take_in(raw=raw, received_at=at, mailbox=info, place=None, at=at)
    assert message.conversation is not None
    page = login(sdr).get(f"/leads/{message.conversation.lead_id}/").text
    assert page.index("What they asked") < page.index("A workshop in May") < page.index("Does the second week")


def test_who_leads_says_whether_a_shared_mailbox_makes_leads(manager: User, login: Login) -> None:
    client, info, team = login(manager), make.mailbox(None), make.team("Gent")
    there = f"/me/mailboxes/{info.pk}/leads/"
    assert there in client.get(f"/me/mailboxes/{info.pk}/").text
    assert "Write the origin" in client.post(there, {"makes_leads": "on"}).text
    answer = client.post(there, {"makes_leads": "on", "origin": "info", "team": team.pk}, follow=True)
    assert "info · Gent" in answer.text
    box = Mailbox.objects.get()
    assert (box.makes_leads, box.lead_origin, box.lead_team) == (True, "info", team)
    own = make.mailbox(manager)
    assert (
        "Only a shared mailbox makes leads"
        in client.post(f"/me/mailboxes/{own.pk}/leads/", {"makes_leads": "on", "origin": "info"}).text
    )
