"""One e-mail becomes plain values, whatever its bytes: who, when, what, which files; or it is refused with the reason."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.channels.email import Address, ReadMail, Unreadable, read
from crm.channels.email.mail import LARGEST_FILE, LARGEST_FILES, LONGEST_KEY, LONGEST_TEXT, MOST_FILES

RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

PLAIN = b"""From: Sofie De Wit <Sofie@Notelaar.Example>\r
To: "Jansen, Noor" <noor@kring.example>, els@kring.example\r
Cc: =?utf-8?Q?Ren=C3=A9?= <rene@notelaar.example>\r
Reply-To: office@notelaar.example\r
Subject: =?utf-8?B?T3ZlciBkZSBwcmlqcyDigqwxMDA=?=\r
Date: Mon, 23 Nov 2026 10:12:00 +0100\r
Message-ID: <A1b2@Notelaar.Example>\r
In-Reply-To: <second@kring.example>\r
References: <First@KRING.example> <second@kring.example>\r
\r
Dag Noor,\r
\r
Dat is goed.\r
"""


def mail(raw: bytes) -> ReadMail:
    return read(raw, received_at=RECEIVED)


def built(message: EmailMessage) -> ReadMail:
    if "From" not in message:
        message["From"] = "a@example.com"
    return mail(message.as_bytes())


def test_a_letter_is_read_as_it_was_sent() -> None:
    got = mail(PLAIN)
    assert got.key == "A1b2@notelaar.example"
    assert got.references == ("First@kring.example", "second@kring.example")
    assert got.in_reply_to == "second@kring.example"
    assert got.thread == "First@kring.example"
    assert got.sender == Address("Sofie De Wit", "sofie@notelaar.example")
    assert got.to == (Address("Jansen, Noor", "noor@kring.example"), Address("", "els@kring.example"))
    assert got.cc == (Address("René", "rene@notelaar.example"),)
    assert got.reply_to == (Address("", "office@notelaar.example"),)
    assert got.subject == "Over de prijs €100"
    assert got.sent_at == datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
    assert got.text == "Dag Noor,\n\nDat is goed."
    assert (got.quoted, got.signature, got.html, got.attachments) == ("", "", "", ())
    assert not got.is_automatic
    assert not got.is_list
    assert got.bounce is None
    assert got.forwarded is None
    assert got.away_until is None


def test_without_a_message_id_the_bytes_name_it() -> None:
    raw = b"From: a@example.com\n\nHello"
    got = mail(raw)
    assert got.key == got.thread == "sha256:" + hashlib.sha256(raw).hexdigest()
    assert mail(raw + b" ").key != got.key


def test_a_very_long_message_id_stays_one_key_that_an_answer_can_name() -> None:
    long = b"x" * 900 + b"@example.com"
    key = mail(b"From: a@example.com\nMessage-ID: <" + long + b">\n\n").key
    assert key.startswith("sha256:")
    assert len(key) <= LONGEST_KEY
    assert mail(b"From: a@example.com\nIn-Reply-To: <" + long + b">\n\n").in_reply_to == key


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Mon, 23 Nov 2026 10:12:00 +0100", datetime(2026, 11, 23, 9, 12, tzinfo=UTC)),
        ("23 Nov 2026 10:12:00", datetime(2026, 11, 23, 10, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 10:12:00 -0000", datetime(2026, 11, 23, 10, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 10:12:00 GMT (a comment)", datetime(2026, 11, 23, 10, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 2036 10:12:00 +0100", None),
        ("Thu, 01 Jan 1970 00:00:00 +0000", None),
        ("Mon, 99 Nov 2026 10:12:00 +0100", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("1 Jan 0001 00:00 +9999", None),
        ("gisteren", None),
        ("", None),
    ],
)
def test_a_date_is_aware_and_nonsense_is_none(date: str, expected: datetime | None) -> None:
    assert mail(f"From: a@example.com\nDate: {date}\n\nHello".encode()).sent_at == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Jan Smit <JAN@EXAMPLE.COM>", [("Jan Smit", "jan@example.com")]),
        ("jan@example.com (Jan Smit)", [("Jan Smit", "jan@example.com")]),
        ("'jan@example.com' <jan@example.com>", [("", "jan@example.com")]),
        ("undisclosed-recipients:;", []),
        ("Jan", []),
        ("<>", []),
        ("a@example.com, A@example.com", [("", "a@example.com")]),
        ("Team: a@example.com, b@example.com;", [("", "a@example.com"), ("", "b@example.com")]),
        ("Smit, Jan <jan@example.com>", [("Jan", "jan@example.com")]),
        ("=?utf-8?Q?J=C3=B6rg_=28x=29?= <j@example.com>", [("Jörg (x)", "j@example.com")]),
        ("=?nonsense?Q?J=C3=B6rg?= <j@example.com>", [("Jörg", "j@example.com")]),
        ("alice@example.org)<bob@example.com>", [("", "bob@example.com")]),
        ("a" * 300 + "@example.com", []),
    ],
)
def test_an_address_is_lower_case_and_never_empty(value: str, expected: list[tuple[str, str]]) -> None:
    got = mail(f"From: x@example.com\nTo: {value}\n\nHello".encode())
    assert [(one.name, one.address) for one in got.to] == expected


def test_eight_bit_headers_are_read() -> None:
    for charset in ("utf-8", "cp1252"):
        got = mail("From: René <r@example.com>\nSubject: Café €5\n\nHé".encode(charset))
        assert got.sender == Address("René", "r@example.com")
        assert (got.subject, got.text) == ("Café €5", "Hé")


@pytest.mark.parametrize(
    ("charset", "content", "expected"),
    [
        ("utf-8", "Hé €".encode(), "Hé €"),
        ("iso-8859-1", b"H\xe9 \x80", "Hé €"),
        ("us-ascii", "Hé".encode(), "Hé"),
        ("utf-8", b"H\xe9 caf\xe9", "Hé café"),
        ("nonsense", "Hé".encode(), "Hé"),
        ("hex", b"abc", "abc"),
        ("punycode", b"abc-\xe9", "abc-é"),
        ("idna", b"abc-\xe9", "abc-é"),
        ("unicode_escape", b"a\\u0000b", "a\\u0000b"),
        ("gb2312", "你好".encode("gbk"), "你好"),
        ("utf-16", "Hé".encode("utf-16"), "Hé"),
    ],
)
def test_a_text_is_read_by_its_charset_or_by_what_it_is(charset: str, content: bytes, expected: str) -> None:
    raw = f"From: a@example.com\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n".encode()
    assert mail(raw + content).text == expected


def test_no_nul_and_no_surrogate_comes_through() -> None:
    raw = b"From: a\x00b <a@example.c\x00om>\nTo: b@example.co\x00\nSubject: x\x00y \xed\xa0\x80\nMessage-ID: <a\x00@b>\n\nHel\x00lo \xed\xa0\x80"
    for text in texts(mail(raw)):
        assert "\x00" not in text
        text.encode("utf-8")


def test_a_text_too_long_is_cut_and_says_so() -> None:
    got = mail(b"From: a@example.com\n\n" + b"word " * 100_000)
    assert len(got.text) <= LONGEST_TEXT
    assert got.text.endswith("too long.]")


def test_the_plain_text_is_preferred_and_the_html_kept_beside_it() -> None:
    message = EmailMessage()
    message.set_content("In words")
    message.add_alternative("<p>In <b>HTML</b></p>", subtype="html")
    got = built(message)
    assert got.text == "In words"
    assert got.html == "<p>In <b>HTML</b></p>"


def test_an_empty_plain_text_gives_way_to_the_html() -> None:
    message = EmailMessage()
    message.set_content(" \n")
    message.add_alternative("<p>In HTML</p>", subtype="html")
    assert built(message).text == "In HTML"


def test_files_keep_their_names_whatever_wrote_them() -> None:
    raw = (
        b"From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n"
        b"--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename*=UTF-8''offerte%20%E2%82%AC.pdf\n\n1\n"
        b'--b\nContent-Type: application/pdf; name="=?utf-8?Q?Caf=C3=A9.pdf?="\n\n2\n'
        b"--b\nContent-Type: image/png\nContent-Disposition: attachment\n\n3\n"
        b'--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename="../../etc/pass\x00wd.txt"\n\n4\n'
        b"--b\nContent-Type: text/html; name=page.html\n\n<p>5</p>\n"
        b"--b--\n"
    )
    got = mail(raw)
    assert got.text == "Hello"
    assert [file.name for file in got.attachments] == [
        "offerte €.pdf",
        "Café.pdf",
        "attachment.png",
        "passwd.txt",
        "page.html",
    ]
    assert [file.size for file in got.attachments] == [1, 1, 1, 1, 8]
    assert got.html == ""


def test_a_file_too_large_is_named_with_its_size_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (LARGEST_FILE, LARGEST_FILES) == (10 * 1024 * 1024, 25 * 1024 * 1024)
    monkeypatch.setattr("crm.channels.email.parts.LARGEST_FILE", 1000)
    monkeypatch.setattr("crm.channels.email.parts.LARGEST_FILES", 2500)
    message = EmailMessage()
    message.set_content("Hello")
    sizes = [1001, 1000, 1000, 1000, 500, 1]
    for number, size in enumerate(sizes):
        message.add_attachment(bytes(size), maintype="application", subtype="zip", filename=f"{number}.zip")
    got = built(message)
    assert [file.size for file in got.attachments] == sizes
    assert [file.content is not None for file in got.attachments] == [False, True, True, False, True, False]


def test_only_so_many_files_are_kept() -> None:
    message = EmailMessage()
    message.set_content("Hello")
    for number in range(MOST_FILES + 20):
        message.add_attachment(b"x", maintype="application", subtype="zip", filename=f"{number}.zip")
    assert len(built(message).attachments) == MOST_FILES


def test_a_picture_in_the_letter_is_a_file_and_a_counter_is_not() -> None:
    message = EmailMessage()
    message.set_content("<p>Look <img src='cid:a'><img src='cid:b'></p>", subtype="html")
    message.add_related(
        bytes(5000), maintype="image", subtype="png", cid="<a>", filename="plan.png", disposition="inline"
    )
    message.add_related(b"GIF89a", maintype="image", subtype="gif", cid="<b>", disposition="inline")
    got = built(message)
    assert [file.name for file in got.attachments] == ["plan.png"]
    assert "<img" not in got.html


def test_flowed_lines_are_put_together() -> None:
    raw = b"From: a@example.com\nContent-Type: text/plain; format=flowed\n\nThis line \ngoes on.\n>> quoted \n>> too\nEnd\n\n-- \nJan"
    got = mail(raw)
    assert got.text == "This line goes on.\n\nEnd"
    assert got.quoted == ">> quoted too"
    assert got.signature == "-- \nJan"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"\r\n \x00\n", "empty"),
        (b"<html><body>Hello</body></html>", "no e-mail"),
        (b"Just a letter\nof two lines", "no e-mail"),
        (b"X-Odd: 1\n\nHello", "no e-mail"),
        (b"From: a@b.nl\n" + b"Content-Type: message/rfc822\n\n" * 3000, "nested too deep"),
        (b"From: a@b.nl\n\n" + bytes(50 * 1024 * 1024), "larger than 50 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        mail(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@example.com\nContent-Type: multipart/mixed\n\nNo boundary, still words",
        b"From: a@example.com\nContent-Type: multipart/alternative; boundary=x\n\nNo parts, still words",
        b"From: a@example.com\nContent-Type: ///;;;=\n\nStill words",
        b"From: a@example.com\nContent-Transfer-Encoding: base64\n\n" + b"U3RpbGwgd29yZHM",
        b"Subject: only that\n\nStill words",
        b"\r\n\r\nFrom: a@example.com\n\nStill words",
        b"From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nStill words",
    ],
)
def test_a_broken_form_still_gives_its_words(raw: bytes) -> None:
    assert "till words" in mail(raw).text


HOSTILE = {
    "on": b"\n" + b"On a " * 100_000,
    "on, lines": b"\n" + b"On a\n" * 100_000,
    "spaces": b"\n" + b" " * 500_000 + b"x",
    "rules": b"\n" + b"-" * 500_000,
    "deep": b"Content-Type: text/html\n\n" + b"<div>" * 100_000,
    "quotes": b"Content-Type: text/html\n\n" + b"<blockquote>" * 90 + b"a<br>" * 50_000,
    "headings": b"\n" + b"From: a\n" * 200_000,
    "announcements": b"\n" + b"On 1-1-2020 a 12:00 <a@b> wrote:\n" * 50_000,
    "formatting": b"Content-Type: text/html\n\n" + b"<b><p>" * 50_000,
    "scripts": b"Content-Type: text/html\n\n" + b"<script></script>aaaaaaaaaaaa" * 40_000,
    "parameters": b"Content-Type: text/plain; " + b"a=b; " * 100_000 + b"\n\nx",
    "encoded": b"Subject: " + b"=?a?q?" * 100_000 + b"\n\nx",
    "recipients": b"To: " + b"a@b.nl, " * 100_000 + b"\n\nx",
    "comments": b"To: " + b"(" * 100_000 + b"\n\nx",
    "references": b"References: " + b"<a@b> " * 100_000 + b"\n\nx",
    "headers": b"".join(b"X-%d: a\n" % number for number in range(50_000)) + b"\nx",
    "flowed": b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 200_000,
    "punycode": b"Content-Type: text/plain; charset=punycode\n\n" + b"abc-" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_letter_holds_up_the_ones_behind_it(name: str) -> None:
    """Each of these takes minutes with a reader that is not careful: then this test does not come to an end."""
    assert mail(b"From: a@example.com\n" + HOSTILE[name]).sender == Address("", "a@example.com")


# ── Whatever the bytes ───────────────────────────────────────────────────────────────────────────────────────────────

PIECES = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"\n\n",
        b": ",
        b";",
        b"--b\n",
        b"--b--\n",
        b"From: ",
        b"To: ",
        b"Date: ",
        b"Subject: ",
        b"Message-ID: <",
        b">",
        b"<",
        b"=?utf-8?Q?",
        b"?=",
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: text/html; charset=",
        b"Content-Type: multipart/report; boundary=b\n",
        b"Content-Type: message/delivery-status\n\n",
        b"Final-Recipient: rfc822; a@b.nl\n",
        b"Status: 5.1.1\n",
        b"Action: failed\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n",
        b"Content-Disposition: attachment; filename*=",
        b"utf-8''%ff",
        b"Auto-Submitted: auto-replied\n",
        b"Subject: Out of office\n",
        b"Subject: FW: x\n",
        b"back on 31 February ",
        b"until 7/12/",
        b"On 1-1-2020 a@b.nl wrote:\n",
        b"> ",
        b"-- \n",
        b"________________________________\n",
        b"From: a@b.nl\nSent: x\nTo: y\nSubject: z\n",
        b"<blockquote>",
        b"</div>",
        b"<table><tr><td colspan=9>",
        b"<a href=",
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"Met vriendelijke groet,\n",
        b"---------- Forwarded message ---------\n",
        b"punycode",
        b"0",
        b"9999",
    ]
)
ANYTHING = st.lists(st.one_of(PIECES, st.binary(max_size=12)), max_size=40).map(b"".join)


def texts(got: ReadMail) -> list[str]:
    said = [got.key, got.in_reply_to, *got.references, got.subject, got.text, got.quoted, got.signature, got.html]
    for one in (got.sender, *got.to, *got.cc, *got.bcc, *got.reply_to):
        said += [one.name, one.address] if one else []
    said += [text for file in got.attachments for text in (file.name, file.content_type)]
    if got.bounce:
        said += [got.bounce.recipient, got.bounce.why, got.bounce.original_id]
    if got.forwarded:
        said += [got.forwarded.text, got.forwarded.subject, got.forwarded.sender.name, got.forwarded.sender.address]
    return said


def hold(raw: bytes) -> None:
    try:
        got = mail(raw)
    except Unreadable:
        return
    for text in texts(got):
        assert "\x00" not in text
        text.encode("utf-8")
    assert 0 < len(got.key) <= 255
    assert len(got.thread) <= 255
    assert len(got.subject) <= 300
    for one in (got.sender, *got.to, *got.cc, *got.bcc, *got.reply_to):
        assert one is None or (
            one.address == one.address.lower()
            and "@" in one.address
            and len(one.address) <= 254
            and len(one.name) <= 200
        )
    assert got.sent_at is None or (got.sent_at.tzinfo and got.sent_at <= RECEIVED + timedelta(days=1))
    assert got.away_until is None or RECEIVED.date() <= got.away_until <= RECEIVED.date() + timedelta(days=366)
    assert "<script" not in got.html.lower()
    assert "<img" not in got.html.lower()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=400), ANYTHING, ANYTHING.map(lambda raw: b"From: a@b.nl\n" + raw)))
def test_any_bytes_give_a_letter_or_a_reason(raw: bytes) -> None:
    hold(raw)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(PLAIN)), st.integers(0, 60), ANYTHING)
def test_a_damaged_letter_gives_a_letter_or_a_reason(at: int, length: int, instead: bytes) -> None:
    hold(PLAIN[:at] + instead + PLAIN[at + length :])
