"""A forwarded mail says whose it was: from whom, when, about what, in which words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm.channels.email import Address, ReadMail, read

RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MOMENT = datetime(2026, 11, 3, 9, 12, tzinfo=UTC)
"""10:12 in Amsterdam."""


def mail(text: str, subject: str = "Fwd: Price", html: bool = False) -> ReadMail:
    kind = "html" if html else "plain"
    raw = (
        f"From: Noor <noor@kring.example>\nTo: in@kring.example\nSubject: {subject}\nDate: Tue, 24 Nov 2026 09:00:00 +0100\n"
        f"Content-Type: text/{kind}; charset=utf-8\n\n{text}"
    )
    return read(raw.encode(), received_at=RECEIVED)


GMAIL = """FYI

---------- Forwarded message ---------
From: Jan de Vries <Jan@Example.com>
Date: Tue, Nov 3, 2026 at 10:12 AM
Subject: Price
To: Noor <noor@kring.example>, Els <els@kring.example>


Is it still 100?

Regards,
Jan
"""
GMAIL_NL = """FYI

---------- Doorgestuurd bericht ---------
Van: Jan de Vries <jan@example.com>
Date: di 3 nov. 2026 om 10:12
Subject: Price
To: Noor <noor@kring.example>, Els <els@kring.example>


Is it still 100?
"""
OUTLOOK = """FYI

________________________________
From: Jan de Vries <jan@example.com>
Sent: Tuesday, November 3, 2026 10:12 AM
To: Noor <noor@kring.example>; Els <els@kring.example>
Subject: Price

Is it still 100?
"""
OUTLOOK_NL = """FYI

Van: Jan de Vries [mailto:jan@example.com]
Verzonden: dinsdag 3 november 2026 10:12
Aan: Noor <noor@kring.example>; Els <els@kring.example>
Onderwerp: Price

Is it still 100?
"""
OUTLOOK_DOUBLE = OUTLOOK_NL.replace("[mailto:jan@example.com]", "<jan@example.com<mailto:jan@example.com>>")
APPLE = """FYI

Begin forwarded message:

> From: Jan de Vries <jan@example.com>
> Subject: Price
> Date: 3 November 2026 at 10:12:00 CET
> To: Noor <noor@kring.example>, Els <els@kring.example>
>
> Is it still 100?
"""
APPLE_NL = """FYI

Begin doorgestuurd bericht:

Van: Jan de Vries <jan@example.com>
Onderwerp: Price
Datum: 3 november 2026 om 10:12:00 CET
Aan: Noor <noor@kring.example>, Els <els@kring.example>

Is it still 100?
"""
THUNDERBIRD = """FYI

-------- Doorgestuurd bericht --------
Onderwerp: \tPrice
Datum: \tTue, 3 Nov 2026 10:12:00 +0100
Van: \tJan de Vries <jan@example.com>
Aan: \tNoor <noor@kring.example>, Els <els@kring.example>



Is it still 100?
"""


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (GMAIL, "Fwd: Price"),
        (GMAIL, "Price"),
        (GMAIL_NL, "Fwd: Price"),
        (OUTLOOK, "FW: Price"),
        (OUTLOOK_NL, "Doorst: Price"),
        (OUTLOOK_DOUBLE, "FW: Price"),
        (APPLE, "Fwd: Price"),
        (APPLE_NL, "Fwd: Price"),
        (THUNDERBIRD, "Fwd: Price"),
    ],
)
def test_a_forwarded_mail_says_whose_it_was(text: str, subject: str) -> None:
    got = mail(text, subject)
    assert got.text == "FYI"
    assert got.forwarded is not None
    assert got.forwarded.sender == Address("Jan de Vries", "jan@example.com")
    assert [one.address for one in got.forwarded.to] == ["noor@kring.example", "els@kring.example"]
    assert got.forwarded.subject == "Price"
    assert got.forwarded.sent_at == MOMENT
    assert got.forwarded.text == "Is it still 100?"


def test_nothing_need_be_said_above_a_forward() -> None:
    got = mail(OUTLOOK_NL.removeprefix("FYI\n\n"), "FW: Price")
    assert got.text == ""
    assert got.forwarded is not None
    assert "Is it still 100?" in got.quoted


def test_a_forward_in_html_is_understood() -> None:
    got = mail(
        '<div>FYI</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>Van: <b>Jan de Vries</b> '
        '<span>&lt;<a href="mailto:jan@example.com">jan@example.com</a>&gt;</span><br>Date: di 3 nov. 2026 om 10:12<br>Subject: Price<br>'
        "To:  &lt;<a>noor@kring.example</a>&gt;<br></div><p>Is it still 100?</p></div>",
        html=True,
    )
    assert got.text == "FYI"
    assert got.forwarded is not None
    assert got.forwarded.sender == Address("Jan de Vries", "jan@example.com")
    assert got.forwarded.text == "Is it still 100?"
    assert got.forwarded.sent_at == MOMENT


def test_a_mail_forwarded_as_attachment_says_it_itself() -> None:
    raw = (
        b"From: noor@kring.example\nSubject: See this\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nFYI\n--b\nContent-Type: message/rfc822\n\n"
        b"From: Jan de Vries <jan@example.com>\nTo: noor@kring.example\nSubject: Price\nDate: Tue, 3 Nov 2026 10:12:00 +0100\n\n"
        b"Is it still 100?\n--b--\n"
    )
    got = read(raw, received_at=RECEIVED)
    assert got.forwarded is not None
    assert (got.forwarded.sender.address, got.forwarded.sent_at, got.forwarded.text) == (
        "jan@example.com",
        MOMENT,
        "Is it still 100?",
    )
    assert [file.name for file in got.attachments] == ["Price.eml"]
    assert got.text == "FYI"


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Hello", "Fwd: Price"),
        (OUTLOOK, "RE: Price"),
        (OUTLOOK_NL.replace(" [mailto:jan@example.com]", ""), "FW: Price"),
        ("Fine.\n\nOn Tue, Nov 3, 2026 at 10:12 Jan <jan@example.com> wrote:\n\n" + GMAIL, "Re: Price"),
    ],
)
def test_an_answer_is_no_forward(text: str, subject: str) -> None:
    assert mail(text, subject).forwarded is None


def test_a_date_that_cannot_be_read_is_left_out() -> None:
    got = mail(OUTLOOK_NL.replace("dinsdag 3 november 2026 10:12", "gisteren of zo?"), "FW: Price")
    assert got.forwarded is not None
    assert got.forwarded.sent_at is None
