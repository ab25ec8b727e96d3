"""Walking a list by its pages shows every row once, in order, whatever the values are."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import CharField, F, Value
from django.db.models.functions import Coalesce, Lower
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.models import Channel, Lead, Organisation
from crm.web.keyset import BoundedCount, Key, Page, bounded_count, page

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
# Unsaved rows on purpose: what is tested is the walk over the values, ties and empties that any verb may leave behind.


def rows(*hours: int | None) -> None:
    Lead.objects.bulk_create(
        Lead(
            channel=Channel.FILE,
            external_id=str(number),
            origin="" if hour is None else f"o{hour % 3}",
            received_at=START + timedelta(hours=hour or 0),
            answer_due_at=None if hour is None else START + timedelta(hours=hour),
        )
        for number, hour in enumerate(hours)
    )


def walk(order: list[Any], size: int, queryset: Any = None) -> list[Page[Any]]:
    queryset = Lead.objects.all() if queryset is None else queryset
    pages = [page(queryset, order=order, at={}, size=size)]
    while pages[-1].next:
        pages.append(page(queryset, order=order, at={"after": pages[-1].next}, size=size))
        assert len(pages) < 100
    return pages


def walk_back(last: Page[Any], order: list[Any], size: int) -> list[Page[Any]]:
    pages = [last]
    while pages[0].previous:
        pages.insert(0, page(Lead.objects.all(), order=order, at={"before": pages[0].previous}, size=size))
        assert len(pages) < 100
    return pages


def ids(pages: list[Page[Any]]) -> list[int]:
    return [row.pk for found in pages for row in found]


ORDERS: list[list[Any]] = [
    ["-received_at", "-id"],
    ["received_at", "-id"],
    ["answer_due_at", "id"],
    ["-answer_due_at", "-id"],
    [Key("answer_due_at", nulls_last=True), "-id"],
    [Key("answer_due_at", descending=True, nulls_last=False), "id"],
    ["origin", "-answer_due_at", "id"],
    ["-answer_due_at", "origin", "id"],
    ["id"],
]


class Walking(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        hours=st.lists(st.one_of(st.none(), st.integers(0, 6)), max_size=25),
        size=st.integers(1, 8),
        order=st.sampled_from(ORDERS),
    )
    def test_every_row_comes_once_and_in_order_both_ways(
        self, hours: list[int | None], size: int, order: list[Any]
    ) -> None:
        Lead.objects.all().delete()
        rows(*hours)
        everything = page(Lead.objects.all(), order=order, at={}, size=1000)
        there = walk(order, size)
        assert ids(there) == [row.pk for row in everything]
        assert all(len(found) == size for found in there[:-1])
        assert there[0].previous is None
        back = walk_back(there[-1], order, size)
        # Going back, the first page may overlap the second: it is always a full one.
        seen = list(dict.fromkeys(ids(back)))
        assert sorted(seen) == sorted(ids(there))
        assert ids(back[1:]) == ids(there)[-len(ids(back[1:])) :] if len(back) > 1 else True

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        cursor=st.one_of(
            st.text(max_size=40), st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
        )
    )
    def test_nonsense_gives_page_one(self, cursor: Any) -> None:
        for asked in ({"after": cursor}, {"before": cursor}):
            assert page(Lead.objects.all(), order=ORDERS[0], at=asked).previous is None

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        values=st.lists(
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.datetimes().map(str),
                lambda inner: st.lists(inner, max_size=2),
                max_leaves=3,
            ),
            min_size=2,
            max_size=2,
        )
    )
    def test_well_formed_nonsense_never_fails(self, values: list[Any]) -> None:
        cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
        for order in (["-received_at", "-id"], ["answer_due_at", "id"], ["origin", "id"]):
            for asked in ({"after": cursor}, {"before": cursor}):
                assert list(page(Lead.objects.all(), order=order, at=asked)) is not None


@pytest.mark.django_db
def test_never_sorts_as_the_oldest() -> None:
    rows(3, None, 1)
    ascending = [lead.answer_due_at for lead in page(Lead.objects.all(), order=["answer_due_at", "id"], at={})]
    descending = [lead.answer_due_at for lead in page(Lead.objects.all(), order=["-answer_due_at", "id"], at={})]
    assert ascending[0] is None
    assert descending[-1] is None


@pytest.mark.django_db
def test_a_row_that_leaves_does_not_hide_the_next() -> None:
    rows(*range(6))
    first = page(Lead.objects.all(), order=["received_at", "id"], at={}, size=2)
    first.rows[-1].delete()
    second = page(Lead.objects.all(), order=["received_at", "id"], at={"after": first.next}, size=2)
    assert [lead.external_id for lead in second] == ["2", "3"]


@pytest.mark.django_db
def test_a_page_costs_one_query_and_counts_nothing() -> None:
    rows(*range(9))
    first = page(Lead.objects.all(), order=["-received_at", "-id"], at={}, size=3)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page(Lead.objects.all(), order=["-received_at", "-id"], at={"after": first.next}, size=3)
    assert len(asked) == 1
    assert "COUNT" not in asked[0]["sql"]


@pytest.mark.django_db
def test_a_deep_page_starts_where_the_cursor_points() -> None:
    """The range on the first key stands alone in the condition, so that an index can be entered there."""
    rows(*range(9))
    first = page(Lead.objects.all(), order=["-received_at", "-id"], at={}, size=3)
    with CaptureQueriesContext(connection) as asked:
        page(Lead.objects.all(), order=["-received_at", "-id"], at={"after": first.next}, size=3)
    assert '"received_at" <= ' in asked[0]["sql"].partition(" AND ")[0]


@pytest.mark.django_db
def test_an_order_may_run_over_relations_and_annotations() -> None:
    rows(*range(7))
    leads = list(Lead.objects.order_by("id"))
    for lead in leads[:4]:
        lead.organisation = Organisation.objects.create(name=f"Firm {lead.pk % 2}")
        lead.save(update_fields=["organisation"])
    over = walk(["organisation__name", "id"], 2, Lead.objects.select_related("organisation"))
    assert len(set(ids(over))) == 7
    assert over[0].rows[0].organisation is None
    annotated = Lead.objects.annotate(word=Lower(Coalesce(F("organisation__name"), Value("zz"))))
    key = Key("word", descending=True, field=CharField(), nullable=False)
    assert sorted(ids(walk([key, "id"], 2, annotated))) == [lead.pk for lead in leads]


@pytest.mark.django_db
def test_a_count_stops_in_time() -> None:
    rows(*range(5))
    assert str(bounded_count(Lead.objects.all())) == "5"
    assert str(bounded_count(Lead.objects.order_by("received_at"), limit=3)) == "3+"
    assert not bounded_count(Lead.objects.none())


def test_a_large_count_is_written_with_its_separator() -> None:
    assert str(BoundedCount(10_000, True)) == "10,000+"
