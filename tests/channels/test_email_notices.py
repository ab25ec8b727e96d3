"""What machines write is told from what people write: automatic replies with their last day away, bounces, lists and receipts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from crm.channels.email import Bounce, ReadMail, read

RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""A Tuesday."""


def mail(headers: str, text: str = "Hello") -> ReadMail:
    raw = f"From: Sofie <sofie@example.com>\nTo: noor@kring.example\n{headers}\n\n{text}"
    return read(raw.encode(), received_at=RECEIVED)


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (disk full)",
        "X-Auto-Response-Suppress: All",
        "X-Autoreply: yes",
        "X-Autorespond: x",
        "Precedence: auto_reply",
        "Precedence: junk",
        "Precedence: bulk",
        "Subject: Automatic reply: Your offer",
        "Subject: Automatisch antwoord: Uw offerte",
        "Subject: =?utf-8?Q?Automatisch_antwoord=3A_x?=",
        "Subject: Out of office",
        "Subject: Out of Office: Re: Your offer",
        "Subject: Out of Office Re: Your offer",
        "Subject: Afwezig: Uw offerte",
        "Subject: Afwezigheidsbericht",
        "Subject: Auto: Your offer",
        "Subject: Vakantiebericht",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
        "Return-Path: <>\nSubject: Gelezen: Uw offerte",
    ],
)
def test_an_automatic_reply_is_known(headers: str) -> None:
    assert mail(headers).is_automatic


@pytest.mark.parametrize(
    "headers",
    [
        "Subject: Hello",
        "Auto-Submitted: no",
        "X-Auto-Response-Suppress: None",
        "Precedence: list",
        "Precedence: bulk\nList-Id: <friends.example.com>",
        "Precedence: bulk\nX-BeenThere: friends@example.com",
        "Subject: Afwezig op donderdag, kan het vrijdag?",
        "Subject: Re: Automatic reply: Your offer",
        "Subject: Automation of our office",
        "Subject: Our out-of-office hours",
        "Return-Path: <>\nSubject: Hello",
        "Subject: Gelezen: een mooi boek",
    ],
)
def test_what_a_person_wrote_is_not_automatic(headers: str) -> None:
    assert not mail(headers).is_automatic


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("List-Id: <a.example.com>", True),
        ("Precedence: list", True),
        ("Precedence: bulk", True),
        ("Subject: list", False),
    ],
)
def test_a_list_is_known(headers: str, expected: bool) -> None:
    assert mail(headers).is_list is expected


AWAY = [
    ("I am back on Monday 7 December.", "2026-12-06"),
    ("Back on 7 Dec", "2026-12-06"),
    ("Ik ben terug op 7/12.", "2026-12-06"),
    ("Ik ben terug op 7-12-2026.", "2026-12-06"),
    ("I will return on 14 December 2026.", "2026-12-13"),
    ("I am currently out of the office, returning Monday 30 November.", "2026-11-29"),
    ("I'll be back in the office on 2026-12-01.", "2026-11-30"),
    ("Ik keer terug op woensdag 2 december.", "2026-12-01"),
    ("Vanaf maandag 30 november ben ik weer bereikbaar.", "2026-11-29"),
    ("Op 1 december ben ik weer aanwezig.", "2026-11-30"),
    ("Ik ben er niet. Op donderdag 26 november ben ik er weer.", "2026-11-25"),
    ("Vanaf 7 december lees ik mijn mail weer.", "2026-12-06"),
    ("I am available again on December 15, 2026.", "2026-12-14"),
    ("Ik ben weer bereikbaar op 15 dec.", "2026-12-14"),
    ("Morgen ben ik weer terug.", "2026-11-24"),
    ("Ik ben afwezig tot en met 5 december.", "2026-12-05"),
    ("Van 1 t/m 10 december ben ik met vakantie.", "2026-12-10"),
    ("Ik ben met vakantie (1-10 december).", "2026-12-10"),
    ("Ik ben t/m 24/12 met ouderschapsverlof", "2026-12-24"),
    (
        "Ik ben met verlof van 23 november tot en met\n4 december 2026. In dringende gevallen kunt u bellen.",
        "2026-12-04",
    ),
    ("Wegens vakantie ben ik niet bereikbaar t/m vrijdag 11 dec. Daarna lees ik mijn mail.", "2026-12-11"),
    ("Wij zijn gesloten van 24-12-2026 t/m 3-1-2027.", "2027-01-03"),
    ("I am out of the office until January 4th.", "2027-01-04"),
    ("I am on annual leave from 20 November to 30 November.", "2026-11-30"),
    ("I'm away through Friday, Nov 27.", "2026-11-27"),
    ("I will be out of the office between 1 December and 9 December.", "2026-12-09"),
    ("Out of office 23/11 - 27/11", "2026-11-27"),
    ("Ik ben tot maandag afwezig.", "2026-11-30"),
    ("I am away until next Monday.", "2026-11-30"),
    ("Ik ben op reis t/m 12 december; ma 14 december weer op kantoor", "2026-12-13"),
]
NOT_TOLD = [
    "I am out of office until further notice.",
    "I am back soon.",
    "Ik ben op maandag en vrijdag niet aanwezig.",
    "Thank you for your message. We answer within 2 working days.",
    "Wij verhuizen op 1 maart naar Utrecht.",
    "Onze actie loopt t/m 10 december.",
    "Vanaf 7 december ben ik afwezig.",
    "Op 7 december ben ik vrij.",
    "I am on leave until 3 March 2025.",
    "Ik ben terug op 1 december 2029.",
    "Bel 06-12345678 of 030 1234567 voor spoed.",
    "Ons kantoor is geopend van 9.00 tot 17.00 uur.",
    "Ik werk van maandag tot en met donderdag.",
    "I work Monday through Thursday.",
    "Our office is open Monday - Friday from 9:00 until 17:30.",
    "Ik ben afwezig tot 99 december.",
    "",
]


@pytest.mark.parametrize(("sentence", "until"), AWAY)
def test_an_absence_tells_its_last_day(sentence: str, until: str) -> None:
    got = mail("Auto-Submitted: auto-replied\nSubject: Your offer", f"Hello,\n\n{sentence}\n\nKind regards,\nSofie")
    assert got.away_until == date.fromisoformat(until)


@pytest.mark.parametrize("sentence", NOT_TOLD)
def test_no_date_is_made_up(sentence: str) -> None:
    assert mail("Auto-Submitted: auto-replied\nSubject: Your offer", sentence).away_until is None


def test_only_an_automatic_reply_tells_an_absence() -> None:
    assert mail("Subject: Re: Your offer", "I am back on Monday 7 December.").away_until is None


def test_the_subject_may_tell_the_absence() -> None:
    assert mail("Subject: Afwezig: t/m 5 december").away_until == date(2026, 12, 5)


# ── Bounces ──────────────────────────────────────────────────────────────────────────────────────────────────────────

REPORT = """From: MAILER-DAEMON@mx.example.com
To: noor@kring.example
Subject: Undelivered Mail Returned to Sender
Return-Path: <>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I'm sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

{recipient}
--b
Content-Type: {returned}

From: noor@kring.example
Message-ID: <offer-1@Kring.Example>
Subject: Your offer

Dear Jan
--b--
"""
GONE = "Final-Recipient: rfc822; Jan@Example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown"
FULL = "Final-Recipient: rfc822; jan@example.com\nAction: failed\nStatus: 4.2.2\nDiagnostic-Code: smtp; 452 4.2.2 Mailbox full"
LATE = "Final-Recipient: rfc822; jan@example.com\nAction: delayed\nStatus: 4.4.1"
DONE = "Final-Recipient: rfc822; jan@example.com\nAction: delivered\nStatus: 2.0.0"


def report(recipient: str, returned: str = "message/rfc822") -> ReadMail:
    return read(REPORT.format(recipient=recipient, returned=returned).encode(), received_at=RECEIVED)


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_delivery_report_says_whom_why_and_which(returned: str) -> None:
    got = report(GONE, returned)
    assert got.bounce == Bounce("jan@example.com", True, "550 5.1.1 User unknown", "offer-1@kring.example")
    assert got.is_automatic
    assert got.forwarded is None


@pytest.mark.parametrize(("recipient", "why"), [(FULL, "452 4.2.2 Mailbox full"), (LATE, "4.4.1")])
def test_a_failure_for_now_is_not_for_good(recipient: str, why: str) -> None:
    assert report(recipient).bounce == Bounce("jan@example.com", False, why, "offer-1@kring.example")


def test_a_report_of_delivery_is_no_bounce() -> None:
    assert report(DONE).bounce is None


def test_of_several_recipients_the_one_lost_for_good_is_told() -> None:
    bounce = report(LATE + "\n\n" + GONE.replace("Jan@", "Piet@")).bounce
    assert bounce is not None
    assert (bounce.recipient, bounce.is_permanent) == ("piet@example.com", True)


EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jan@example.com
    host mx.example.com [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<jan@example.com>:
    550 5.1.1 User unknown

------ This is a copy of the message, including all the headers. ------

Message-ID: <offer-1@kring.example>
From: noor@kring.example
"""
QMAIL = """Hi. This is the qmail-send program at example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jan@example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <noor@kring.example>
Message-ID: <offer-1@kring.example>
"""
EXCHANGE = """Delivery has failed to these recipients or groups:

Jan de Vries (jan@example.com)
The e-mail address you entered couldn't be found. Please check the address.

Diagnostic information for administrators:

jan@example.com
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
Message-ID: <offer-1@kring.example>
"""
DUTCH = """Het bericht kon niet worden bezorgd bij de volgende geadresseerden:

jan@example.com
Het e-mailadres bestaat niet.
"""
WAITING = """Your message to jan@example.com has been delayed. It will be retried for 3 days.
Delivery is delayed to these recipients: jan@example.com
"""


@pytest.mark.parametrize(
    ("headers", "text", "permanent", "original"),
    [
        (
            "From: Exim <Mailer-Daemon@mx.kring.example>\nX-Failed-Recipients: jan@example.com\nSubject: Mail delivery failed",
            EXIM,
            True,
            True,
        ),
        (
            "From: Mailer-Daemon@mx.kring.example\nSubject: Mail delivery failed: returning message to sender",
            EXIM,
            True,
            True,
        ),
        ("From: MAILER-DAEMON@example.com\nSubject: failure notice", QMAIL, True, True),
        ("From: postmaster@example.com\nSubject: Undeliverable: Your offer", EXCHANGE, True, True),
        ("From: postmaster@example.com\nSubject: Kan niet worden bezorgd: Uw offerte", DUTCH, True, False),
        ("From: mailer-daemon@example.com\nSubject: Delivery delayed: Your offer", WAITING, False, False),
    ],
)
def test_a_bounce_in_words_is_understood(headers: str, text: str, permanent: bool, original: bool) -> None:
    got = read(f"{headers}\nTo: noor@kring.example\n\n{text}".encode(), received_at=RECEIVED)
    assert got.bounce is not None
    assert (got.bounce.recipient, got.bounce.is_permanent) == ("jan@example.com", permanent)
    assert got.bounce.why
    assert got.bounce.original_id == ("offer-1@kring.example" if original else "")


def test_a_person_who_speaks_of_a_bounce_is_no_mail_system() -> None:
    got = mail("Subject: Undeliverable: your mail to Jan", "It could not be delivered to jan@example.com, 550 5.1.1")
    assert got.bounce is None
