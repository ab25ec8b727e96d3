"""Last contact and last reply equal what the rows say, after whatever people, merges and files did, in any order.

The columns are compared after each step with a fresh computation in plain Python, which shares no line with the statement that writes them.
"""

from __future__ import annotations

import contextlib
import io
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm import conversations, handoffs, imports, merging
from crm.models import Conversation, Deal, Lead, Merge, Organisation, Person, Role
from crm.refusal import Refused
from tests import make
from tests.make import AT

HOUR = timedelta(hours=1)
SPOKEN = st.sampled_from(["both", "outgoing", "incoming"])
ROW = st.integers(0, 30)
"""Which of the rows there are at that moment, counted round."""
PLACE = st.sampled_from(["none", "lead", "deal", "organisation"])

ACTS = st.one_of(
    st.tuples(st.just("log"), st.sets(ROW, max_size=3), PLACE, ROW, SPOKEN, st.booleans(), st.integers(0, 40)),
    st.tuples(st.just("edit"), ROW, SPOKEN, st.booleans(), st.integers(0, 40)),
    st.tuples(st.just("people"), ROW, st.sets(ROW, max_size=3)),
    st.tuples(st.just("move"), ROW, PLACE, ROW),
    st.tuples(st.just("delete"), ROW),
    st.tuples(st.just("merge"), st.sampled_from([Person, Organisation]), ROW, ROW),
    st.tuples(st.just("undo"), ROW),
    st.tuples(st.just("import"), ROW),
)

PEOPLE = """
kind = "people"
external_id = "id"
[columns]
name = "name"
email = "mail"
organisation = "company"
"""
LEADS = """
kind = "leads"
external_id = "id"
[columns]
received_at = "received"
person_name = "name"
email = "mail"
organisation = "company"
"""
DEALS = """
kind = "deals"
external_id = "id"
[columns]
lead = "lead"
name = "name"
organisation = "company"
"""


def afresh(row: Any, said: list[tuple[Conversation, set[int]]]) -> tuple[Any, ...]:
    """When the last contact and reply were and which, by the definition."""
    about = [
        each
        for each, people in said
        if not each.is_automatic
        and (
            (isinstance(row, Person) and row.pk in people)
            or (isinstance(row, Organisation) and each.organisation_id == row.pk)
            or (isinstance(row, Lead) and each.lead_id == row.pk)
            or (isinstance(row, Deal) and (each.deal_id == row.pk or (row.lead_id and each.lead_id == row.lead_id)))
        )
    ]
    columns: list[Any] = []
    for some in (about, [each for each in about if each.direction in ("both", "incoming")]):
        newest = max(some, key=lambda each: (each.at, each.pk), default=None)
        columns += [newest.at, newest.pk] if newest else [None, None]
    return tuple(columns)


class TestAnyOrder(TestCase):
    def setUp(self) -> None:
        self.sdr, am = make.user(), make.user(role=Role.ACCOUNT_MANAGER)
        company = make.organisation(domain="notelaar.example")
        make.person(organisation=company)
        make.person()
        self.offered = make.hand_off(self.sdr, am)
        handoffs.accept(hand_off=self.offered, next_step="Video", next_step_on=AT.date(), by=am, at=AT)
        make.deal(am)
        self._import(LEADS, f"id,received,name,mail,company\n1,{AT.date()},Ann File,ann@file.example,File\n")
        self._import(DEALS, "id,lead,name,company\n1,,From a file,File\n")
        self.number = 1

    # ---- What is done ----------------------------------------------------------------------------------------------

    def log(self, whom: set[int], place: str, row: int, direction: str, machine: bool, hours: int) -> None:
        conversations.log(
            people=self._people(whom),
            kind="email",
            direction=direction,
            is_automatic=machine,
            when=AT - hours * HOUR,
            by=self.sdr,
            at=AT,
            **self._place(place, row),
        )

    def edit(self, row: int, direction: str, machine: bool, hours: int) -> None:
        self._change(row, direction=direction, is_automatic=machine, when=AT - hours * HOUR)

    def people(self, row: int, whom: set[int]) -> None:
        self._change(row, people=self._people(whom))

    def move(self, row: int, place: str, to: int) -> None:
        self._change(row, **({"lead": None, "deal": None, "organisation": None} | self._place(place, to)))

    def delete(self, row: int) -> None:
        if said := self._one(Conversation, row):
            conversations.delete(conversation=said, by=self.sdr, at=AT)

    def merge(self, model: Any, first: int, second: int) -> None:
        keep, gone = self._one(model, first), self._one(model, second)
        if keep != gone:
            merging.merge(keep=keep, gone=gone, choices={}, by=self.sdr, at=AT)

    def undo(self, row: int) -> None:
        if merge := self._one(Merge, row):
            merging.undo(merge=merge, by=self.sdr, at=AT)

    def import_(self, row: int) -> None:
        """A new person, a new deal, and a deal that gets its lead only now; then the same once more."""
        self.number += 1
        person = f"{self.number},Bo File{row},bo{row}@notelaar.example,Notelaar\n"
        deals = "1,1,From a file,File\n" + f"{self.number},,More,File{row}\n"
        for _time in range(2):
            self._import(PEOPLE, f"id,name,mail,company\n{person}")
            self._import(DEALS, f"id,lead,name,company\n{deals}")

    # ---- And what is true afterwards -------------------------------------------------------------------------------

    @settings(max_examples=40, deadline=None)
    @given(st.lists(ACTS, min_size=1, max_size=10))
    def test_every_column_equals_a_fresh_computation(self, acts: list[tuple[Any, ...]]) -> None:
        for act, *how in acts:
            with contextlib.suppress(Refused):
                getattr(self, "import_" if act == "import" else act)(*how)
            self.assert_true((act, *how))

    def test_a_deal_that_gets_its_lead_from_a_file_knows_what_was_said_on_it(self) -> None:
        lead = Lead.objects.get(external_id="1")
        conversations.log(people=[], lead=lead, kind="call", by=self.sdr, at=AT)
        self.import_(0)
        assert Deal.objects.get(external_id="1").last_contact_at == AT

    def assert_true(self, after: Any) -> None:
        rows = Conversation.objects.prefetch_related("people")
        said = [(each, {person.pk for person in each.people.all()}) for each in rows]
        for model in (Person, Organisation, Lead, Deal):
            for row in model._default_manager.all():
                columns = (row.last_contact_at, row.last_contact_id, row.last_reply_at, row.last_reply_id)
                assert columns == afresh(row, said), (after, model.__name__, row.pk)

    def _change(self, row: int, **fields: Any) -> None:
        if said := self._one(Conversation, row):
            conversations.change(conversation=said, **fields, by=self.sdr, at=AT)

    def _people(self, whom: set[int]) -> list[Person]:
        return [person for number in sorted(whom) if (person := self._one(Person, number))]

    def _place(self, place: str, row: int) -> dict[str, Any]:
        models: dict[str, Any] = {"lead": Lead, "deal": Deal, "organisation": Organisation}
        return {place: self._one(models[place], row)} if place in models else {}

    @staticmethod
    def _one(model: Any, number: int) -> Any:
        rows = list(model._default_manager.order_by("pk"))
        return rows[number % len(rows)] if rows else None

    def _import(self, plan: str, text: str) -> None:
        run = imports.upload(file=io.BytesIO(text.encode()), file_name="x", map_text=plan, by=None, at=AT)
        assert imports.run(run_id=run.pk, at=AT).rows_refused == 0
