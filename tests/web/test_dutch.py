"""Who reads Dutch reads Dutch: no screen of the relationship record shows a sentence that nobody translated, or that never could be."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from lxml import html

from crm.models import Role, User
from tests.journeys.record import SCREENS, make_record, member

pytestmark = pytest.mark.django_db

ENGLISH = re.compile(
    r"\b(the|and|with|from|your|you|they|them|their|this|nobody|nothing|somebody|waiting|clear|save|never|about|who|whom|what)\b",
    re.I,
)
"""Words without which few English sentences can do, and that no Dutch one holds."""


def test_no_english_is_left_for_who_reads_dutch(login: Callable[[User], Client]) -> None:
    owner = member("Anneleen", Role.ADMIN, 1)
    owner.language = "nl"
    owner.save(update_fields=["language"])
    keys = make_record(owner, 1).keys
    client = login(owner)
    found: dict[str, list[str]] = {}
    for screen in SCREENS:
        page = html.fromstring(client.get(f"/{screen.format(**keys)}").content)
        main = page.find(".//main")
        for code in main.xpath(".//pre | .//code | .//textarea[@readonly]"):
            code.drop_tree()  # What a program reads is in no language of people.
        text = " ".join(" ".join(main.itertext()).split())
        if words := [text[max(0, word.start() - 40) : word.end() + 40] for word in ENGLISH.finditer(text)]:
            found[screen] = words
    assert found == {}, "\n".join(f"{screen}: {words}" for screen, words in found.items())
