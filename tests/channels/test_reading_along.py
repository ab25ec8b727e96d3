"""What a browser says that somebody read is believed as far as it can be, and nothing that it says breaks anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.channels import reading_along
from crm.channels.reading_along import Piece, Reading, Visit

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NOW = int(AT.timestamp())


def read(**said: object) -> Reading:
    return reading_along.read(json.dumps({"h": "www.kring.example", **said}))


def test_the_script_is_under_two_kilobytes_and_calls_nobody() -> None:
    script = (Path(__file__).parents[2] / "static" / "js" / "read-along.js").read_text()
    assert len(script.encode()) < 2048
    for forbidden in ("fetch(", "XMLHttpRequest", "sendBeacon", "document.cookie", "d.cookie", "new Image", "import("):
        assert forbidden not in script


def test_it_reads_pages_and_the_first_and_the_last_visit() -> None:
    found = read(
        p={"/Guide/": [NOW - 90, NOW - 30, 3], "/": [NOW, NOW, 1]},
        f={"p": "/guide", "r": "WWW.Search.example", "a": NOW - 90, "u": {"utm_source": " mail ", "utm_id": "9"}},
        l={"p": "/", "r": "", "a": NOW},
    )
    assert found.pieces == (
        Piece("kring.example", AT, AT, 1),
        Piece("kring.example/guide", AT - timedelta(seconds=90), AT - timedelta(seconds=30), 3),
    )
    assert found.first == Visit(AT - timedelta(seconds=90), "kring.example/guide", "search.example", utm_source="mail")
    assert found.last == Visit(AT, "kring.example")
    assert reading_along.read(json.dumps(found.plain())) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        "{",
        '"x"',
        "[" * 5000,
        "9" * 5000,
        '{"p": 1, "f": [], "l": "x"}',
        " " * 20_001,
        '{"p":{"/a":[1e400,0,0]}}',
    ],
)
def test_nonsense_is_nothing(text: str) -> None:
    assert not reading_along.read(text)
    assert reading_along.read(text).plain() == {}


@pytest.mark.parametrize(
    "times", [None, [], [NOW], [NOW, NOW], [NOW, "x", 1], [True, NOW, 1], [1.5, NOW, 1], [0, NOW, 1], [NOW, 10**30, 1]]
)
def test_a_page_without_possible_moments_is_left_out(times: object) -> None:
    assert not read(p={"/guide": times})


def test_only_the_newest_fifty_pages_count_and_words_are_short_and_on_one_line() -> None:
    found = read(p={f"/{number}": [NOW, NOW + number, 1] for number in range(80)})
    assert len(found.pieces) == 50
    assert found.pieces[0].url == "kring.example/79"
    visit = read(f={"a": NOW, "u": {"utm_campaign": "a\nb\x00\ud800" + "c" * 500}}).first
    assert visit is not None
    assert visit.utm_campaign == "ab" + "c" * 98


def test_times_count_whole_and_the_wrong_way_round_is_put_right() -> None:
    (piece,) = read(p={"/guide": [NOW, NOW - 5, -3]}).pieces
    assert (piece.since, piece.last, piece.times) == (AT - timedelta(seconds=5), AT, 1)


def test_what_lies_in_the_future_or_ages_ago_is_dropped_and_a_clock_a_little_ahead_is_put_back() -> None:
    found = read(
        p={
            "/ahead": [NOW, NOW + 120, 1],
            "/future": [NOW, NOW + 3600, 1],
            "/ages": [NOW - 9 * 365 * 86400, NOW, 1],
        },
        f={"a": NOW - 9 * 365 * 86400},
        l={"a": NOW + 60},
    ).as_of(AT)
    assert found.pieces == (Piece("kring.example/ahead", AT, AT, 1),)
    assert found.first is None
    assert found.last == Visit(AT)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://www.Kring.example/Guide/?utm_source=x#top", "kring.example/guide"),
        ("http://kring.example", "kring.example"),
        ("kring.example/guide", "kring.example/guide"),
        ("//kring.example/guide/", "kring.example/guide"),
        ("https://me:secret@kring.example/a", "kring.example/a"),
        ("https://127.0.0.1:8000/a", "127.0.0.1:8000/a"),
        ("", ""),
        ("https://[::1", ""),
        ("javascript:alert(1)", ""),
        ("https://kring .example/", ""),
    ],
)
def test_an_address_is_one_however_it_is_written(url: str, address: str) -> None:
    assert reading_along.address(url) == address


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SHAPED = st.fixed_dictionaries(
    {
        "h": st.text() | st.just("kring.example"),
        "p": st.dictionaries(st.text() | st.just("/guide"), st.lists(ANYTHING | st.just(NOW), max_size=4)) | ANYTHING,
        "f": st.fixed_dictionaries({"a": st.just(NOW) | ANYTHING, "p": ANYTHING, "r": ANYTHING, "u": ANYTHING})
        | ANYTHING,
    }
)


@given(st.text() | ANYTHING.map(json.dumps) | SHAPED.map(json.dumps))
def test_whatever_is_sent_it_is_bounded_and_can_be_kept(text: str) -> None:
    found = reading_along.read(text)
    assert len(found.pieces) <= reading_along.MOST_PIECES
    kept = json.dumps(found.plain())
    assert reading_along.read(kept) == found
    assert "\\u0000" not in kept
    kept.encode()
    found.as_of(AT)
    for piece in found.pieces:
        assert len(piece.url) <= reading_along.LONGEST_PAGE
        piece.url.encode()
