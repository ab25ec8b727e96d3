"""Mails that others wrote and published: each is read or refused with a reason, and of the known ones the reply is told from the rest.

They stand outside the project, in a folder of shared data; where it is absent these tests are skipped.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm.channels.email import ReadMail, Unreadable, read
from crm.channels.email.mail import Address
from crm.channels.email.quoting import split

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "email"
RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TALON = FOLDER / "talon"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="The shared mails (../shared/data/email) are not here.")


def files(pattern: str) -> list[Path]:
    return sorted(path for path in FOLDER.glob(pattern) if path.is_file())


def named(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def mail(path: Path) -> ReadMail:
    return read(path.read_bytes(), received_at=RECEIVED)


def as_html(path: Path) -> ReadMail:
    headers = b"From: Alex <alex@example.com>\nSubject: Re: Test message\nContent-Type: text/html; charset=utf-8\n\n"
    return read(headers + path.read_bytes(), received_at=RECEIVED)


NO_MAIL = {".html", "_body", "_sender", "_signature", "_reply_text", "LICENSE", "LICENSE.txt"}


def is_no_mail(path: Path) -> bool:
    return path.name.endswith(tuple(NO_MAIL)) or path.name == "msg_19.txt"


def test_every_file_is_read_or_refused_with_a_reason() -> None:
    """Refused is what is no mail; `msg_19` of CPython is a text that its tests put headers above."""
    read_, refused, reasons = [], [], set()
    for path in files("**/*"):
        try:
            assert mail(path).key
            read_.append(path)
        except Unreadable as reason:
            refused.append(path)
            reasons.add(str(reason))
    assert [named(path) for path in refused] == [named(path) for path in files("**/*") if is_no_mail(path)]
    assert len(read_) == 64
    assert reasons == {
        "This message is empty.",
        "This is no e-mail: it has no lines that say from whom it is, to whom, or what it is about.",
    }


@pytest.mark.parametrize("path", files("**/*"), ids=named)
def test_every_file_cut_short_or_turned_into_a_part_is_read_or_refused(path: Path) -> None:
    raw = path.read_bytes()
    wrapped = (
        b"From: a@example.com\nContent-Type: multipart/mixed; boundary=outer-edge\n\n--outer-edge\nContent-Type: message/rfc822\n\n"
        + raw
    )
    for damaged in (
        raw[: len(raw) // 2],
        raw[len(raw) // 3 :],
        raw.replace(b"\n", b"\r"),
        raw.replace(b"=", b"\x00"),
        wrapped,
    ):
        try:
            got = read(damaged, received_at=RECEIVED)
        except Unreadable:
            continue
        assert "\x00" not in got.text + got.quoted + got.signature + got.html + got.subject


@pytest.mark.parametrize("path", files("talon/standard_replies/*.eml"), ids=named)
def test_a_standard_reply_is_told_from_its_quote(path: Path) -> None:
    """Where talon keeps no other expectation beside it, the reply is "Hello"; it counts a signature to the reply."""
    got = mail(path)
    expected = path.with_name(path.stem + "_reply_text")
    whole = "\n\n".join(filter(None, (got.text, got.signature)))
    wanted = expected.read_text() if expected.exists() else "Hello"
    assert whole.split() == wanted.split()
    assert got.text == "Hello"
    assert got.quoted


@pytest.mark.parametrize("path", files("talon/html_replies/*.html"), ids=named)
def test_an_html_reply_is_told_from_its_quote(path: Path) -> None:
    got = as_html(path)
    assert got.text == "Hi. I am fine."
    assert got.signature.split() == ["Thanks,", "Alex"]
    assert "How are you?" in got.quoted
    assert "I am fine" in got.html
    assert "How are you?" not in got.html
    assert "Alexander" not in got.html


@pytest.mark.parametrize(
    ("name", "text"), [("OLK_SRC_BODY_SECTION.html", "Reply"), ("reply-separated-by-hr.html", "Hi\nthere\nBob")]
)
def test_an_outlook_reply_in_html_is_told_from_its_quote(name: str, text: str) -> None:
    got = as_html(TALON / name)
    assert got.text == text
    assert got.quoted
    assert "From:" not in got.html


def test_a_reply_that_shares_a_block_with_its_quote_is_told_from_it() -> None:
    got = mail(TALON / "reply-quotations-share-block.eml")
    assert got.text.startswith("Hi Katharine.")
    assert got.text.endswith("Joe XXX") or "Joe XXX" in got.signature or got.text.endswith("soon.")
    assert "booking inquiry" not in got.text.lower()
    assert "New Booking Inquiry" not in got.html


def test_a_dutch_reply_is_told_from_its_quote() -> None:
    got = mail(FOLDER / "dutch" / "discourse_dutch.eml")
    assert got.text == "Dit is een antwoord in het Nederlands."
    assert got.quoted == "Op 18 juli 2013 10:23 schreef Sander Datema het volgende:\n\nDit is de originele post."
    assert got.thread == "topic/5043@discourse.org"
    assert got.sender == Address("Walter White", "walter.white@googlemail.com")


def test_a_dutch_outlook_reply_is_told_from_its_quote() -> None:
    got = mail(FOLDER / "dutch" / "samba_outlook11_nl_quote.REDACTED.eml")
    assert got.text.startswith("As far i can tell there solution")
    assert got.text.endswith("What is the os your using and openssl version?")
    assert got.signature.split() == ["Greetz,", "REDACTED-A"]
    assert got.quoted.startswith("> -----Oorspronkelijk bericht-----")
    assert "Oorspronkelijk" not in got.text
    assert got.is_list
    assert not got.is_automatic


def test_signatures_are_found_as_talon_marked_them() -> None:
    """Each body of talon's set with the signature that people marked in it: all six are found whole, and nothing in the one without."""
    exact = 0
    bodies = files("talon/signature/emails/stripped/*_body")
    for path in bodies:
        base = path.name.removesuffix("_body")
        name = path.with_name(base + "_sender").read_text().strip()
        wanted = path.with_name(base + "_signature").read_text()
        said = split(path.read_text(), sender=Address(name, "someone@example.com"))
        exact += said.signature.split() == wanted.split()
        assert not wanted.strip() or said.signature
    assert len(bodies) == 6
    assert exact == 6


def test_a_signed_mail_of_usenet_is_read() -> None:
    got = mail(TALON / "signature" / "emails" / "P" / "102682_R_S")
    assert got.sender == Address("John Doe", "doe@example.com")
    assert got.sent_at == datetime(1994, 4, 7, 17, 35, 9, tzinfo=UTC)
    assert "my heart belongs to the xxx" in got.text


def test_the_files_of_a_mail_are_found() -> None:
    picture = mail(FOLDER / "cpython" / "msg_07.txt").attachments
    assert [(file.name, file.content_type, file.size) for file in picture] == [("dingusfish.gif", "image/gif", 3512)]
    digest = mail(FOLDER / "cpython" / "msg_02.txt").attachments
    assert [file.content_type for file in digest] == ["message/rfc822"] * 5
    assert digest[0].name == "[Ppp] testing #1.eml"


@pytest.mark.parametrize(
    ("name", "recipient", "why", "original"),
    [
        (
            "msg_16.txt",
            "jangel1@cougar.noc.ucla.edu",
            "recipient reached disk quota",
            "002001c144a6$8752e060$56104586@oxy.edu",
        ),
        ("msg_25.txt", "scoffman@wellpartner.com", "5.4.6", None),
        ("msg_43.txt", "xxxxxxx@dot.ca.gov", "550 5.7.1 Message content rejected", "edab.7804f5cb8070@python.org"),
    ],
)
def test_a_bounce_of_cpython_says_whom_why_and_which(name: str, recipient: str, why: str, original: str | None) -> None:
    got = mail(FOLDER / "cpython" / name)
    assert got.bounce is not None
    assert (got.bounce.recipient, got.bounce.is_permanent) == (recipient, True)
    assert original is None or got.bounce.original_id == original
    assert why in got.bounce.why
    assert got.is_automatic
