"""Whatever is typed into a form or an address of ours, the answer is a page: the nonsense is refused, kept as text, or counts as not asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import Client

from crm.models import Role
from tests.web.test_roles import TABLE, World, address, tried, whole_world, world  # noqa: F401 (fixtures)

NONSENSE = {
    "nul": "a\x00b",
    "strange": "🙂\u202eevil\u200b\r\nBcc: all@elsewhere.example 'é\";-- {{ x }}{% y %}%(z)s=1+1<b>",
    "long": "x" * 10_000,
    "far": "9999-12-31",
    "huge": "9" * 400,
    "digit": "²",
}
WORDS = "strange"
"""What may stand wherever words may stand; the others are tried in every field at once."""
FLAGS = {"preview", "suggest", "find", "next", "csrfmiddlewaretoken", "filled", "all", "act"}
"""These say which button was pressed, or where to go: with nonsense in them the rest is not read."""
BUTTONS: tuple[dict[str, str], ...] = (
    {"suggest": "replace", "filled": "yes", "act": "tag"},
    {"find": "1", "filled": "yes", "act": "follow_up", "all": "yes"},
)

SOURCES = "\n".join(path.read_text() for path in sorted((Path(__file__).parents[2] / "crm" / "web").rglob("*.py")))
NAMED = re.compile(
    r"""(?:POST|GET)(?:\.get(?:list)?\(|\[)"(\w+)"|typed\(request, "(\w+)"|^    (\w+)(?:: [^=\n]+)? = forms\.""", re.M
)


NAMES = sorted({name for match in NAMED.findall(SOURCES) for name in match if name} - FLAGS)
"""Every word for which a screen looks in a form or an address."""


class Forms(HTMLParser):
    """The fields of a page as a browser would send them, and which of them take text."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.text: set[str] = set()
        self.chosen = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        have = dict(attributes)
        name, value = have.get("name") or "", have.get("value") or ""
        if tag == "select":
            self.chosen = name
        if tag == "option" and self.chosen and ("selected" in have or self.chosen not in self.values):
            self.values[self.chosen] = value
        if tag == "textarea" and name:
            self.text.add(name)
        if tag == "input" and name:
            kind = have.get("type") or "text"
            if kind in ("radio", "checkbox"):
                if "checked" in have or kind == "radio":
                    self.values.setdefault(name, value)
            elif kind != "file":
                self.values[name] = value
            if kind in ("text", "search", "email", "tel", "url", "password"):
                self.text.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.chosen = ""


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    caches["default"].clear()


def filled_in(client: Client, path: str, methods: str) -> Iterator[dict[str, str]]:
    """The form with nonsense everywhere, with each button, and with nonsense only where text may stand."""
    page = Forms()
    if "GET" in methods:
        page.feed(client.get(path).content.decode())
    sent = {name: value for name, value in page.values.items() if name not in FLAGS}
    texts = sorted(page.text - FLAGS)
    for name, nonsense in NONSENSE.items():
        everywhere = dict.fromkeys(NAMES, nonsense)
        yield everywhere
        if name == WORDS:
            yield from (everywhere | pressed for pressed in BUTTONS)
            yield from (dict.fromkeys(texts, "Some words") | sent | {text: nonsense} for text in texts)


OURS = [line for line in TABLE if line[0].startswith("crm:")]


@pytest.mark.parametrize(
    ("name", "methods", "about"),
    [
        pytest.param(name, methods, about, id=f"{name} {about}".strip())
        for name, methods, _who, about in OURS
        if "POST" in methods
    ],
)
def test_nonsense_in_a_form_breaks_no_page(
    world: World,  # noqa: F811
    name: str,
    methods: str,
    about: str,
) -> None:
    client = world.client(Role.ADMIN)
    path = address(world, name, about, world.users[Role.ADMIN])
    for form in filled_in(client, path, methods):
        with tried():
            assert client.post(path, form).status_code < 500, form


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_in_an_address_breaks_no_page(world: World, nonsense: str) -> None:  # noqa: F811
    client = world.client(Role.ADMIN)
    for name, methods, _who, about in OURS:
        if "GET" in methods:
            path = address(world, name, about.partition("?")[0], world.users[Role.ADMIN])
            for asked in (dict.fromkeys(NAMES, nonsense), *({word: nonsense} for word in ("q", "after", "named"))):
                assert client.get(path, asked).status_code < 500, path


def test_the_words_of_the_forms_are_found() -> None:
    assert {"override", "why", "address", "name", "note", "until", "query", "row"} <= set(NAMES)
