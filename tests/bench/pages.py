"""The main pages and writes, over HTTP, each tried beside the floors in the same rounds."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import quote, urlencode

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from crm.demo.cast import PASSWORD
from crm.models import CaptureForm, Deal, DealState, Lead, Organisation, Person, User
from crm.web import keyset
from qualification.models import Criterion
from tests.bench.figures import Figure
from tests.bench.visitor import Answer, Lines, Visitor, Wrong

T = TypeVar("T")

EMPTY = "an empty Django view"
ROWS = "session, user and 50 rows"
PAGE_MOST = 2.0
WARM_UP = 5

TYPOS = ("Liesbeth Petres", "Goosens", "Drukkerij Lemems", "van den Breg", "Brouwerij Mechelne", "Katrein Wouters",
         "Thuiszorg Hermnas", "Anouk de Boar", "Vermeluen Logistics", "Jannssens Metaal")  # fmt: skip


@dataclass(frozen=True)
class Try:
    """One thing that somebody does and waits for; `act` is given the number of the round."""

    name: str
    act: Callable[[int], Answer]
    most: float | None
    note: str = ""


class Site:
    """Three people who are logged in, and what they do."""

    def __init__(self, port: int) -> None:
        self.lines = Lines(port)
        self.guest = Visitor(self.lines)
        self.noor, self.joris, self.mieke = (Visitor(self.lines) for _ in range(3))
        for visitor, name in ((self.noor, "noor"), (self.joris, "joris"), (self.mieke, "mieke")):
            visitor.log_in(f"{name}@kring.example", PASSWORD)
        self.sdr = User.objects.get(email="noor@kring.example")
        self.account_manager = User.objects.get(email="joris@kring.example")
        # A visitor of ours is faster than anybody types, and would be kept for review.
        CaptureForm.objects.update(least_seconds=0)

    # ---- Pages -----------------------------------------------------------------------------------------------------

    def pages(self) -> list[Try]:
        lead_keys = list(Lead.objects.filter(status="accepted").order_by("-id").values_list("pk", flat=True)[:4000:200])
        deals = list(Deal.objects.order_by("-id").values_list("pk", flat=True)[:4000:200])
        people = list(Person.objects.filter(leads__in=lead_keys).values_list("pk", flat=True))
        customers = list(Organisation.objects.customers().order_by("id").values_list("pk", flat=True)[:20])
        return [
            self._page("Today, account manager", self.joris, lambda _: reverse("crm:today")),
            self._page("Today, SDR", self.noor, lambda _: reverse("crm:today")),
            self._page("inbox, first page", self.noor, lambda _: reverse("crm:inbox")),
            self._page("inbox of everybody, first page", self.mieke, lambda _: reverse("crm:inbox")),
            self._page("all leads, deepest page", self.mieke, lambda _: self._deepest),
            self._page("people, first page", self.joris, lambda _: reverse("crm:people")),
            self._page(
                "search with a typo",
                self.joris,
                lambda number: f"{reverse('crm:search')}?q={quote(TYPOS[number % len(TYPOS)])}",
            ),
            self._page("lead", self.noor, lambda number: reverse("crm:lead", args=[_turn(lead_keys, number)])),
            self._page("person", self.joris, lambda number: reverse("crm:person", args=[_turn(people, number)])),
            self._page(
                "organisation", self.joris, lambda number: reverse("crm:organisation", args=[_turn(customers, number)])
            ),
            self._page("agenda of a week", self.joris, lambda _: reverse("crm:agenda")),
            self._page("what became of hand-offs", self.mieke, lambda _: reverse("crm:hand-off-report")),
            self._page("our noes", self.mieke, lambda _: reverse("crm:noes")),
            self._page("deal", self.joris, lambda number: reverse("crm:deal", args=[_turn(deals, number)])),
            self._page("board, one's own", self.joris, lambda _: reverse("crm:board")),
            self._page("board, everybody's", self.mieke, lambda _: reverse("crm:board")),
            self._page("circle", self.joris, lambda _: reverse("crm:circle")),
            self._page("dashboard", self.mieke, lambda _: reverse("crm:dashboard")),
            self._page("dashboard, the funnel after it", self.mieke, lambda _: reverse("crm:dashboard"), part="funnel"),
            self._page("dashboard, the table after it", self.mieke, lambda _: reverse("crm:dashboard"), part="report"),
            self._page("pipeline health", self.mieke, lambda _: reverse("crm:health")),
        ]

    def _page(self, name: str, who: Visitor, path: Callable[[int], str], *, part: str = "") -> Try:
        """A page; or a `part` of it that the browser asks for by itself once the page is there."""
        headers = {"HX_Request": "true", "HX_Target": part} if part else {}

        def act(number: int) -> Answer:
            address = path(number)
            answer = who.get(address, **headers)
            if answer.status != 200:
                raise Wrong(f"{address} answered {answer.status}")
            return answer

        return Try(name, act, PAGE_MOST)

    @property
    def _deepest(self) -> str:
        """The last fifty of all leads: as many pages deep as there are."""
        if not hasattr(self, "_cursor"):
            from_the_end = keyset.page(Lead.objects.all(), order=("received_at", "id"), at={}, size=51)
            self._cursor = from_the_end.next or ""
        said = {"status": "all", "owner": "anyone", "sort": "received", "after": self._cursor}
        return f"{reverse('crm:inbox')}?{urlencode(said)}"

    # ---- Writes ----------------------------------------------------------------------------------------------------

    def writes(self) -> list[Try]:
        return [
            Try("posting the hosted form", self._post_form, None, "with the thank-you page"),
            Try("answering a criterion", self._answer_criterion, None, "htmx: the scorecard comes back"),
            Try("logging a conversation", self._log_conversation, None, "with the lead's page after it"),
            Try("moving a card", self._move_card, None, "htmx: the board comes back"),
        ]

    def _post_form(self, number: int) -> Answer:
        path = reverse("crm:form", args=["contact"])
        page = self.guest.get(path)
        token = re.search(rb'name="message_id" value="([^"]+)"', page.body)
        consent = re.search(rb'<input[^>]*name="consent"[^>]*>', page.body)
        agreed = re.search(rb'value="([^"]+)"', consent[0]) if consent else None
        if token is None or agreed is None:
            raise Wrong(f"{path} answered {page.status} without a message id or a consent")
        return _well(
            self.guest.post_and_follow(
                path,
                {
                    "name": f"Nieuwe Vraag {number}",
                    "email": f"vraag{number}.{id(self)}@nieuw{number}.example",
                    "organisation": f"Nieuw {number}",
                    "message": "Which dates do you have for a workshop?",
                    "consent": agreed[1].decode(),
                    "message_id": token[1].decode(),
                },
            )
        )

    def _answer_criterion(self, number: int) -> Answer:
        if not hasattr(self, "_working"):
            own = Lead.objects.filter(owner=self.sdr, status="working").order_by("-id")
            self._working = list(own.values_list("pk", flat=True)[:50])
            self._criteria = list(Criterion.objects.order_by("position").values_list("pk", flat=True))
        path = reverse("crm:lead-criterion", args=[_turn(self._working, number), _turn(self._criteria, number)])
        said = {"value": ("yes", "partly", "no")[number % 3], "evidence": f"“they said so, {number} times”"}
        return _well(self.noor.post(path, said, HX_Request="true", HX_Target="scorecard"))

    def _log_conversation(self, number: int) -> Answer:
        if not hasattr(self, "_spoken"):
            own = Lead.objects.filter(owner=self.sdr, person__isnull=False).order_by("-id")
            self._spoken = list(own.values_list("pk", "person")[:400:4])
        lead, person = _turn(self._spoken, number)
        when = timezone.localtime(timezone.now() - timedelta(minutes=3))
        said = {
            "people": str(person),
            "kind": "call",
            "direction": "both",
            "when": f"{when:%Y-%m-%dT%H:%M}",
            "summary": "They lose about a day a week to re-planning.",
            "has_learning": "on",
        }
        return _well(self.noor.post_and_follow(f"{reverse('crm:conversation-new')}?lead={lead}", said))

    def _move_card(self, number: int) -> Answer:
        if not hasattr(self, "_cards"):
            own = Deal.objects.filter(owner=self.account_manager, state=DealState.OPEN).order_by("id")
            self._cards = list(own.values_list("pk", "stage", "stage__pipeline")[:40])
            self._stages: dict[int, list[int]] = {}
            for pk, _stage, pipeline in self._cards:
                deal = Deal.objects.select_related("stage__pipeline").get(pk=pk)
                self._stages.setdefault(pipeline, list(deal.stage.pipeline.stages.values_list("pk", flat=True)))
        pk, stage, pipeline = _turn(self._cards, number)
        others = [other for other in self._stages[pipeline] if other != stage]
        said = {"stage": str(others[(number // len(self._cards)) % len(others)]), "owner": "me"}
        path = reverse("crm:deal-move", args=[pk])
        return _well(self.joris.post(path, said, HX_Request="true", HX_Target="board"))


def _turn(rows: list[T], number: int) -> T:
    return rows[number % len(rows)]


def _well(answer: Answer) -> Answer:
    if answer.status != 200:
        raise Wrong(f"answered {answer.status}")
    return answer


def measure(site: Site, rounds: int, tell: Callable[[str], None]) -> tuple[list[Figure], list[Figure], list[Figure]]:
    """Floors, pages and writes. In every round each of them is tried once, in an order of its own, through one connection."""
    floors = [
        Try(EMPTY, lambda _: _well(site.guest.get("/bench/empty/")), None),
        Try(ROWS, lambda _: _well(site.noor.get("/bench/rows/")), None),
    ]
    pages, writes = site.pages(), site.writes()
    taken: dict[str, list[float]] = {each.name: [] for each in (*floors, *pages, *writes)}
    failed: dict[str, str] = {}
    dice = random.Random(1911)
    for number in range(-WARM_UP, rounds):
        site.lines.turn()
        order = [*floors, *pages, *writes]
        dice.shuffle(order)
        for each in order:
            if each.name in failed:
                continue
            try:
                answer = each.act(number + WARM_UP)
            except (Wrong, NoReverseMatch, IndexError, ZeroDivisionError) as wrong:
                failed[each.name] = f"{type(wrong).__name__}: {wrong}"
                continue
            if number >= 0:
                taken[each.name].append(answer.seconds)
        if number >= 0 and number % 10 == 9:
            tell(f"  {number + 1} of {rounds} rounds")
    empty = [Figure(EMPTY, EMPTY, None, taken[EMPTY], taken[EMPTY])]
    empty.append(Figure(ROWS, EMPTY, None, taken[ROWS], taken[EMPTY]))

    def figures(tries: list[Try]) -> list[Figure]:
        return [
            Figure(each.name, ROWS, each.most, taken[each.name], taken[ROWS], each.note, failed.get(each.name, ""))
            for each in tries
        ]

    return empty, figures(pages), figures(writes)
