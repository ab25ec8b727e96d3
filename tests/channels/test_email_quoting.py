"""What a mail adds is told from what it repeats and from how it is signed, in Dutch and in English, and no word is lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.channels.email import read
from crm.channels.email.mail import Address
from crm.channels.email.quoting import split
from crm.channels.email.signing import CLOSINGS

JAN = Address("Jan de Vries", "jan@example.com")

ANNOUNCED = [
    "On Tue, Nov 3, 2026 at 10:12 AM Jan de Vries <jan@example.com> wrote:",
    "On Tue, Nov 3, 2026 at 10:12 AM Jan de Vries\n<jan@example.com> wrote:",
    "On Tue, Nov 3, 2026 at 10:12 AM Jan de Vries <\njan@example.com>\nwrote:",
    "Op di 3 nov. 2026 om 10:12 schreef Jan de Vries <jan@example.com>:",
    "Op di 3 nov. 2026 om 10:12 schreef Jan de Vries\n<jan@example.com>:",
    "Op 3 november 2026 10:12 schreef Jan de Vries het volgende:",
    "Op 3-11-2026 om 10:12 schreef Jan de Vries:",
    "Jan de Vries schreef op di 03-11-2026 om 10:12 [+0100]:",
    "Op dinsdag 3 november 2026 heeft Jan de Vries <jan@example.com> het volgende geschreven:",
    "Am 03.11.2026 um 10:12 schrieb Jan de Vries <jan@example.com>:",
    "Le mar. 3 nov. 2026 à 10:12, Jan de Vries <jan@example.com> a écrit :",
    "Op 3 nov. 2026 10:12 heeft Jan de Vries <jan@example.com> geschreven:",
    "2026-11-03 10:12 GMT+01:00 Jan de Vries <jan@example.com>:",
]
HEADINGS = [
    "From: Jan de Vries <jan@example.com>\nSent: Tuesday, November 3, 2026 10:12 AM\nTo: Sofie <sofie@example.com>\nSubject: Price",
    "Van: Jan de Vries <jan@example.com>\nVerzonden: dinsdag 3 november 2026 10:12\nAan: Sofie <sofie@example.com>\nOnderwerp: Prijs",
    "Van: Jan de Vries\nVerzonden: dinsdag 3 november 2026 10:12\nAan: Sofie; Els;\n Piet; Karel\nCC: Anna\nOnderwerp: Prijs",
    "*Van:* Jan de Vries <jan@example.com>\n*Verzonden:* dinsdag 3 november 2026 10:12\n*Aan:* Sofie\n*Onderwerp:* Prijs",
    "________________________________\nVan: Jan de Vries <jan@example.com>\nVerzonden: dinsdag 3 november 2026 10:12\nAan: Sofie\nOnderwerp: Prijs",
    "-----Original Message-----\nFrom: Jan de Vries\nSent: Tuesday\nTo: Sofie\nSubject: Price",
    "-----Oorspronkelijk bericht-----\nVan: Jan de Vries [mailto:jan@example.com]\nVerzonden: dinsdag\nAan: Sofie\nOnderwerp: Prijs",
    "----- Oorspronkelijk bericht -----\nVan: Jan de Vries",
    "Von: Jan de Vries <jan@example.com>\nGesendet: Dienstag, 3. November 2026 10:12\nAn: Sofie\nBetreff: Preis",
    "De : Jan de Vries <jan@example.com>\nEnvoyé : mardi 3 novembre 2026 10:12\nÀ : Sofie\nObjet : Prix",
]


@pytest.mark.parametrize("announcement", ANNOUNCED)
def test_an_announced_quote_is_folded(announcement: str) -> None:
    said = split(f"Dat is goed.\n\n{announcement}\n\n> Kan dat?\n> Jan\n")
    assert said.text == "Dat is goed."
    assert said.quoted.startswith(announcement)
    assert said.quoted.endswith("> Kan dat?\n> Jan")


@pytest.mark.parametrize("announcement", ANNOUNCED + HEADINGS)
def test_what_follows_an_announcement_unmarked_is_quoted_to_the_end(announcement: str) -> None:
    said = split(f"Dat is goed.\n\n{announcement}\n\nKan dat?\n\nJan\n")
    assert said.text == "Dat is goed."
    assert said.quoted == f"{announcement}\n\nKan dat?\n\nJan"


@pytest.mark.parametrize("announcement", ANNOUNCED)
def test_an_answer_below_the_quote_is_kept(announcement: str) -> None:
    assert split(f"{announcement}\n> Kan dat?\n\nDat is goed.").text == "Dat is goed."


def test_an_announcement_without_a_colon_counts_above_marked_lines() -> None:
    said = split("Prima.\n\nOp di 3 nov 2026 om 10:12 schreef Jan <jan@example.com>\n\n> Kan dat?")
    assert said.text == "Prima."
    assert said.quoted.startswith("Op di 3 nov")


def test_answers_between_the_lines_are_kept_in_order() -> None:
    said = split(
        "Zie hieronder.\n\nOp 3-11-2026 om 10:12 schreef Jan:\n> Wanneer?\nDinsdag.\n\n> Waar?\nIn Gent.\nBij jullie.\n\n> Tot dan\n\nGroet,\nSofie"
    )
    assert said.text == "Zie hieronder.\n\nDinsdag.\n\nIn Gent.\nBij jullie."
    assert said.signature == "Groet,\nSofie"
    assert said.quoted.count(">") == 3


def test_a_marked_outlook_quote_leaves_the_answer_below_it() -> None:
    said = split(
        "> -----Oorspronkelijk bericht-----\n> Van: Jan\n> Aan: Sofie\n> Onderwerp: x\n>\n> Kan dat?\n\nJa hoor."
    )
    assert said.text == "Ja hoor."


@pytest.mark.parametrize(
    "text",
    [
        "Ik ga met de trein.\nVan: Amsterdam\nNaar: Parijs\nDatum: 3 mei",
        "From: Ghent\nTo: Antwerp\nDate: 3 May",
        "On Monday I wrote:\n\nbuy milk",
        "Op 3 november 2026 schreef ik je het volgende:\n\nwe komen",
        "Let op: morgen.\nAan: de slag",
        "Prijs:\n- 10\n- 20",
        "________________________________\nEen streep is geen citaat.",
        "We spraken af om 10:12 bij jan@example.com te vragen naar:\nde prijs",
    ],
)
def test_what_only_looks_like_a_quote_stays_text(text: str) -> None:
    said = split(text)
    assert (said.text, said.quoted) == (text, "")


def test_with_nothing_above_an_unmarked_quote_all_stays_text() -> None:
    text = "Van: Jan <jan@example.com>\nVerzonden: dinsdag\nAan: Sofie\nOnderwerp: Prijs\n\nKan dat?\n\nJa hoor."
    assert split(text).text == text
    assert split(text, is_forward=True).text == ""


@pytest.mark.parametrize(
    ("signed", "signature"),
    [
        ("Dat is goed.\n\n-- \nJan\nKring", "-- \nJan\nKring"),
        ("Dat is goed.\n\n--\nJan", "--\nJan"),
        (
            "Dat is goed.\n\nMet vriendelijke groet,\n\nJan de Vries\nKring BV\n06 12345678",
            "Met vriendelijke groet,\n\nJan de Vries\nKring BV\n06 12345678",
        ),
        ("Dat is goed.\n\nMet vriendelijke groeten\nJan", "Met vriendelijke groeten\nJan"),
        ("Dat is goed.\n\nGroetjes Jan", "Groetjes Jan"),
        ("Dat is goed.\n\nGroeten, Jan en Piet", "Groeten, Jan en Piet"),
        ("Dat is goed.\nMvg,\nJan", "Mvg,\nJan"),
        ("That is fine.\n\nKind regards,\nJan", "Kind regards,\nJan"),
        ("That is fine.\n\nBest,\nJan", "Best,\nJan"),
        ("That is fine.\n\nThanks,\nJan", "Thanks,\nJan"),
        ("That is fine.\n\nSent from my iPhone", "Sent from my iPhone"),
        ("Dat is goed.\n\nVerstuurd vanaf mijn iPhone", "Verstuurd vanaf mijn iPhone"),
        ("Dat is goed.\n\nVerzonden vanaf mijn Samsung-telefoon", "Verzonden vanaf mijn Samsung-telefoon"),
        ("Dat is goed.\n\nVerzonden met Outlook voor Android", "Verzonden met Outlook voor Android"),
        ("Dat is goed.\n\nOutlook voor iOS downloaden", "Outlook voor iOS downloaden"),
        ("Fine.\n\nGet Outlook for Android<https://aka.ms/AAb9ysg>", "Get Outlook for Android<https://aka.ms/AAb9ysg>"),
        ("Dat is goed.\n\nGroet,\nJan\n\nVerstuurd vanaf mijn iPhone", "Groet,\nJan\n\nVerstuurd vanaf mijn iPhone"),
        ("Dat is goed.\n\nJan de Vries\nDirecteur\nT. 06 12345678", "Jan de Vries\nDirecteur\nT. 06 12345678"),
        ("Dat is goed.\n\nJan", "Jan"),
        (
            "Dat is goed.\n\nKind regards,\nJan\n+31 6 12345678\n\n"
            + "This message is confidential and meant for whom it is addressed to only. " * 3,
            "Kind regards,\nJan\n+31 6 12345678\n\n"
            + ("This message is confidential and meant for whom it is addressed to only. " * 3).strip(),
        ),
    ],
)
def test_a_signature_is_cut_and_kept_apart(signed: str, signature: str) -> None:
    said = split(signed, sender=JAN)
    assert said.signature == signature
    assert said.text in ("Dat is goed.", "That is fine.", "Fine.")


@pytest.mark.parametrize(
    "text",
    [
        "Bedankt",
        "Best Noor,\n\nThat is fine.",
        "Beste Noor,\n\nDat is goed.",
        "Thanks for the offer, we will take it.",
        "Groeten aan iedereen, en kun je morgen bellen?",
        "Best is to call me tomorrow.",
        "Jan komt morgen ook.\nKun je dan?",
        "We spreken af:\n- dinsdag\n- woensdag",
        "Met vriendelijke groet bedoelde hij dat hij wil stoppen",
        "Bel 06 12345678 of mail jan@example.com",
        "De groeten.\n\nEn dan nog iets: wanneer komen jullie precies langs en met hoeveel?\n"
        + "Dit is een hele zin die blijft staan.\n" * 20
        + "Einde",
    ],
)
def test_what_is_said_is_no_signature(text: str) -> None:
    said = split(text, sender=JAN)
    assert (said.text, said.signature) == (text, "")


def test_a_postscript_stays_with_what_was_said() -> None:
    said = split("Dat is goed.\n\nGroet,\nJan\n\nPS: kom je ook?")
    assert said.text == "Dat is goed.\n\n\nPS: kom je ook?"
    assert said.signature == "Groet,\nJan"


def test_a_letter_that_is_only_signed_keeps_its_signature() -> None:
    said = split("Sent from my iPhone\n\nOn Tue, Nov 3, 2026 at 10:12 Jan <jan@example.com> wrote:\n> Hi")
    assert (said.text, said.signature) == ("", "Sent from my iPhone")


LINES = st.sampled_from(
    [
        "Dat is goed.",
        "",
        "> vraag",
        ">> oud",
        "-- ",
        "Groet,",
        "Jan",
        "PS: x",
        *ANNOUNCED,
        *HEADINGS,
        "Sent from my iPhone",
        "  ",
        "Van: Jan",
        "a:",
        *CLOSINGS[:5],
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=14))
def test_no_word_is_lost(lines: list[str]) -> None:
    plain = "\n".join(lines)
    said = split(plain, sender=JAN)
    got = sorted(" ".join((said.text, said.quoted, said.signature)).split())
    assert got == sorted(plain.split())


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_html(html: str):
    raw = b"From: Sofie <sofie@example.com>\nSubject: Re: x\nContent-Type: text/html; charset=utf-8\n\n" + html.encode()
    return read(raw, received_at=datetime(2026, 11, 24, tzinfo=UTC))


NEW = "<p>Dat is <b>goed</b>.</p>"


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
        'Op di 3 nov. 2026 om 10:12 schreef Jan &lt;<a href="mailto:jan@example.com">jan@example.com</a>'
        '&gt;:<br></div><blockquote class="gmail_quote">Kan dat?</blockquote></div>',
        '<div>On Nov 3, 2026, at 10:12, Jan &lt;jan@example.com&gt; wrote:</div><blockquote type="cite"><div>'
        'Kan dat?</div></blockquote>',
        '<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font><b>Van:</b>'
        ' Jan &lt;jan@example.com&gt;<br><b>Verzonden:</b> dinsdag 3 november 2026 10:12<br><b>Aan:</b>'
        ' Sofie<br><b>Onderwerp:</b> Prijs</font></div><div>Kan dat?</div>',
        '<div id="appendonsend"></div><hr><div><b>From:</b> Jan &lt;jan@example.com&gt;<br><b>Sent:</b>'
        ' Tuesday<br><b>To:</b> Sofie<br><b>Subject:</b> Price</div><p>Kan dat?</p>',
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>Van:</b> Jan <br><b>'
        'Verzonden:</b> dinsdag<br><b>Aan:</b> Sofie<br><b>Onderwerp:</b> Prijs</p></div><p>Kan dat?</p>',
        '<div class="moz-cite-prefix">Op 3-11-2026 om 10:12 schreef Jan:<br></div>'
        '<blockquote type="cite" cite="mid:x">Kan dat?</blockquote>',
        '<div class="protonmail_quote">------- Original Message -------<br>'
        'On Tuesday, 3 November 2026 at 10:12, Jan &lt;jan@example.com&gt; wrote:<br><blockquote type="cite">'
        'Kan dat?</blockquote></div>',
        "<div>-----Oorspronkelijk bericht-----<br>Van: Jan<br>Aan: Sofie<br><br>Kan dat?</div>",
    ],
)  # fmt: skip
def test_a_quote_in_html_is_folded(quote: str) -> None:
    got = of_html(f"<html><head><title>x</title></head><body>{NEW}{quote}</body></html>")
    assert got.text == "Dat is goed."
    assert "Kan dat?" in got.quoted
    assert got.html.strip() == f"{NEW}"


def test_answers_between_quotes_in_html_are_kept() -> None:
    got = of_html(
        "<div>On 3-11-2026 10:12 Jan wrote:</div><blockquote type=cite>Wanneer?</blockquote><p>Dinsdag.</p>"
        "<blockquote type=cite>Waar?</blockquote><p>In Gent.</p>"
    )
    assert got.text == "Dinsdag.\n\nIn Gent."
    assert got.html == "<p>Dinsdag.</p><p>In Gent.</p>"


def test_html_of_which_nothing_would_be_left_is_kept_whole() -> None:
    got = of_html("<blockquote>Kan dat?</blockquote>")
    assert got.html == "<blockquote>Kan dat?</blockquote>"
    assert got.quoted == "> Kan dat?"


@pytest.mark.parametrize(
    ("html", "cleaned"),
    [
        ("<script>alert(1)</script>Hi", "Hi"),
        ("<style>p{color:red}</style><p style='color:red'>Hi</p>", "<p>Hi</p>"),
        ("<p onclick=alert(1) onmouseover='x'>Hi</p>", "<p>Hi</p>"),
        ("<a href='javascript:alert(1)'>Hi</a>", '<a rel="noopener nofollow noreferrer">Hi</a>'),
        ("<a href='  jAvAsCrIpT&#58;alert(1)'>Hi</a>", '<a rel="noopener nofollow noreferrer">Hi</a>'),
        ("<a href='java&#9;script:alert(1)'>Hi</a>", '<a rel="noopener nofollow noreferrer">Hi</a>'),
        ("<a href='data:text/html,<script>alert(1)</script>'>Hi</a>", '<a rel="noopener nofollow noreferrer">Hi</a>'),
        ("<a href='vbscript:x'>Hi</a>", '<a rel="noopener nofollow noreferrer">Hi</a>'),
        ("<a href='/logout'>Hi</a>", '<a rel="noopener nofollow noreferrer">Hi</a>'),
        (
            "<a href='https://example.com/' target=_top>Hi</a>",
            '<a href="https://example.com/" rel="noopener nofollow noreferrer">Hi</a>',
        ),
        (
            "<a href='mailto:a@example.com'>Hi</a>",
            '<a href="mailto:a@example.com" rel="noopener nofollow noreferrer">Hi</a>',
        ),
        ("Hi<img src=https://example.com/pixel.gif>", "Hi"),
        ("Hi<img src=x onerror=alert(1)>", "Hi"),
        ("<svg onload=alert(1)><circle/></svg>Hi", "Hi"),
        ("<math><mi xlink:href='javascript:alert(1)'>x</mi></math>Hi", "Hi"),
        ("<iframe src=https://example.com></iframe>Hi", "Hi"),
        ("<object data=x></object><embed src=x>Hi", "Hi"),
        ("<form action=https://example.com><input name=a><button>Go</button>Hi</form>", "Hi"),
        (
            "<base href=https://example.com/><link rel=stylesheet href=x><meta http-equiv=refresh content='0;url=x'>Hi",
            "Hi",
        ),
        ("<!-- secret --><p>Hi</p><!--[if mso]><p>x</p><![endif]-->", "<p>Hi</p>"),
        ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>Hi", None),
        ("<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>", None),
        ("<p id=x class=y data-a=b>Hi</p>", "<p>Hi</p>"),
        ("<video src=x autoplay></video><audio src=x></audio>Hi", "Hi"),
        ("<p>Hi<script", "<p>Hi</p>"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<div>" * 500 + "<script>alert(1)</script><img src=x>Hi", None),
    ],
)
def test_html_is_safe_to_show(html: str, cleaned: str | None) -> None:
    got = of_html(html).html
    if cleaned is not None:
        assert got == cleaned
    lower = got.lower()
    for danger in (
        "<script",
        "<img",
        "<iframe",
        "<form",
        "<style",
        "<svg",
        "<math",
        "javascript:",
        "data:",
        "style=",
        "<object",
        "<link",
        "<base",
        "<meta",
    ):
        assert danger not in lower.replace("&lt;", "")
    assert " onerror=" not in lower.replace("&lt;img src=1 onerror", "")


def test_the_words_of_html_too_tangled_to_read_are_kept() -> None:
    got = of_html("<div>" * 5000 + "Dat is <b>goed</b> &amp; wel")
    assert got.text == "Dat is goed & wel"
    assert got.html == "Dat is goed &amp; wel"
