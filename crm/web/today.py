"""Today: what to do next, in order, each with its why; promises, hand-offs and one's own deals beside it. A finite list, for one user's own day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Case, Count, Min, Prefetch, Q, Sum, When
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_safe

from crm import rules
from crm.clock import next_working_day
from crm.models import PROMISES, FollowUp, Rule, SubjectKind
from crm.models.follow_ups import FollowUpQuerySet
from crm.web import access, agenda, keyset
from crm.web.page import Request, render_page

CAPACITY = 12
"""As many as fit in one morning; the rest can wait, and is one click away (trap 13: a list that only grows is not read)."""

SIDE = 6
"""Promises and hand-offs shown beside the list."""

NUMBERS = (
    gettext_lazy("no"),
    gettext_lazy("one"),
    gettext_lazy("two"),
    gettext_lazy("three"),
    gettext_lazy("four"),
    gettext_lazy("five"),
    gettext_lazy("six"),
    gettext_lazy("seven"),
    gettext_lazy("eight"),
    gettext_lazy("nine"),
    gettext_lazy("ten"),
    gettext_lazy("eleven"),
    gettext_lazy("twelve"),
)
TONES = {"late": "red", "waiting": "orange", "calm": "azure"}


@dataclass(frozen=True)
class Row:
    """One follow-up as the list shows it."""

    follow_up: FollowUp
    name: str
    name_url: str
    about: str
    about_url: str
    amount: Decimal | None
    currency: str
    why: str
    badge: rules.Badge | None
    act: str
    act_url: str
    done: str

    @property
    def tone(self) -> str:
        return TONES[self.badge.tone] if self.badge else ""

    @property
    def says_last_contact(self) -> bool:
        """Whether its why tells of the last contact itself, or there is nobody to have been in contact with."""
        return self.follow_up.person is None or self.follow_up.rule in (Rule.KEEP_IN_TOUCH, Rule.FIRST_ANSWER)

    @property
    def is_hand_off(self) -> bool:
        return self.follow_up.rule == Rule.HAND_OFF


@require_safe
def today(request: Request) -> HttpResponse:
    return render_page(request, "crm/today.html", content(request), parts=("today",))


def content(request: Request) -> dict[str, Any]:
    """Everything the page shows, read at one moment."""
    at, user = timezone.now(), request.user
    local = timezone.localtime(at)
    mine = access.follow_ups().filter(owner=user).due(_end_of_day(local))
    counts = mine.aggregate(people=Count("person", distinct=True), things=Count("pk"))
    asked = _asked(request)
    everything = asked.get("all") == "1"
    page = keyset.page(
        _with_details(mine), order=("rank", "show_at", "id"), at=asked, size=50 if everything else CAPACITY
    )
    if not everything:
        page = keyset.Page(page.rows)
    tomorrow = next_working_day(local.date() + timedelta(days=1), user.calendar)
    monday = next_working_day(local.date() + timedelta(days=7 - local.weekday()), user.calendar)
    return {
        "at": at,
        "day": date_format(local, _("l j F")),
        "week": local.isocalendar().week,
        "greeting": greeting(local.hour),
        "sentence": waiting(counts["people"], counts["things"]),
        "page": page,
        "rows": [row(follow_up, at) for follow_up in page],
        "things": counts["things"],
        "everything": everything,
        "rest": max(0, counts["things"] - CAPACITY),
        "tomorrow": tomorrow,
        # On the last working day of a week the two are the same morning; then the second choice is a week later.
        "next_week": monday if monday != tomorrow else next_working_day(tomorrow + timedelta(days=7), user.calendar),
        "is_next_week": monday != tomorrow,
        "soonest": local.date() + timedelta(days=1),
        "hand_offs": _hand_offs(request),
        "agenda": agenda.coming(request, at),
        **_promises(request, local.date()),
        **_pipeline(request, local.date()),
    }


def _asked(request: Request) -> QueryDict:
    """The query of the page: the request's own, or that of the page that an act was done on."""
    if request.method == "POST" and request.htmx:
        return QueryDict(urlsplit(request.htmx.current_url or "").query)
    return request.GET


def greeting(hour: int) -> str:
    if hour < 12:
        return _("Good morning.")
    return _("Good afternoon.") if hour < 18 else _("Good evening.")


def in_words(number: int) -> str:
    """The number as people say it: in words up to twelve."""
    return str(NUMBERS[number]) if number < len(NUMBERS) else str(number)


def waiting(people: int, things: int) -> str:
    """The true count, as one sentence: people before things, and calm when there is nothing."""
    if people:
        number = in_words(people).capitalize()
        return ngettext(
            "%(number)s person is waiting to hear from you.", "%(number)s people are waiting to hear from you.", people
        ) % {"number": number}
    if things:
        number = in_words(things).capitalize()
        return ngettext("%(number)s thing is waiting for you.", "%(number)s things are waiting for you.", things) % {
            "number": number
        }
    return _("Nobody is waiting to hear from you.")


def row(follow_up: FollowUp, at: datetime) -> Row:
    """What one line says and where it leads. Reads nothing that `_with_details` has not fetched."""
    person, lead, deal = follow_up.person, follow_up.lead, follow_up.deal
    organisation = follow_up.organisation or (person and _employer(person)) or None
    if person:
        name, name_url = str(person), reverse("crm:person", args=[person.pk])
    elif organisation:
        name, name_url = str(organisation), reverse("crm:organisation", args=[organisation.pk])
    else:
        name, name_url = (str(deal or lead or follow_up.note), "")
    about, about_url = "", ""
    if follow_up.subject_kind == SubjectKind.REFERRAL:
        about, about_url = _("introduction"), reverse("crm:referral", args=[follow_up.subject_id])
    elif deal:
        about, about_url = str(deal), reverse("crm:deal", args=[deal.pk])
    elif organisation and person:
        about, about_url = str(organisation), reverse("crm:organisation", args=[organisation.pk])
    act, act_url = _act(follow_up)
    return Row(
        follow_up=follow_up,
        name=name,
        name_url=name_url or about_url,
        about=about,
        about_url=about_url,
        amount=_amount(follow_up),
        currency=deal.currency if deal else "EUR",
        why=_as_sentence(rules.sentence(follow_up, at)),
        badge=rules.badge(follow_up, at),
        act=act,
        act_url=act_url,
        done=_("Kept") if follow_up.rule in PROMISES else _("Done"),
    )


def _as_sentence(words: str) -> str:
    """With a full stop, since another sentence follows it; what people wrote seldom has one."""
    return words if words.endswith((".", "?", "!", "…", "”")) else f"{words}."


def _act(follow_up: FollowUp) -> tuple[str, str]:
    """The first thing to do about it: accept, answer, or else call or write."""
    if follow_up.hand_off_id:
        return _("Accept"), reverse("crm:hand-off", args=[follow_up.hand_off_id])
    if follow_up.rule == Rule.APPOINTMENT:
        if follow_up.why.get("state") == "held":
            return _("Log it"), f"{reverse('crm:conversation-new')}?appointment={follow_up.subject_id}"
        return _("Say how"), reverse("crm:appointment", args=[follow_up.subject_id])
    if follow_up.lead_id and follow_up.subject_kind == SubjectKind.LEAD:
        asks: dict[str, str] = {Rule.FIRST_ANSWER: _("Answer"), Rule.OPEN_QUESTION: pgettext("act", "Ask")}
        words = asks.get(follow_up.rule, _("Look"))
        return words, reverse("crm:lead", args=[follow_up.lead_id])
    if follow_up.person:
        about = f"deal={follow_up.deal_id}" if follow_up.deal_id else ""
        if follow_up.lead_id and not about:
            about = f"lead={follow_up.lead_id}"
        if follow_up.person.phone_numbers.all():
            call = reverse("crm:call", args=[follow_up.person_id])
            return pgettext("act", "Call"), f"{call}?{about}" if about else call
        if follow_up.person.email_addresses.all():
            about = f"&{about}" if about else ""
            return pgettext("act", "Write"), f"{reverse('crm:mail-new')}?person={follow_up.person_id}{about}"
    if follow_up.deal_id:
        return _("Look"), reverse("crm:deal", args=[follow_up.deal_id])
    return "", ""


def _amount(follow_up: FollowUp) -> Decimal | None:
    """What the deal is worth that it is about; a promise to introduce somebody is not about the order it came after."""
    deal = follow_up.deal
    if deal is None or follow_up.subject_kind == SubjectKind.REFERRAL:
        return None
    return deal.buyer_amount if deal.buyer_amount is not None else deal.seller_amount


def _employer(person: Any) -> Any:
    return person.current_positions[0].organisation if person.current_positions else None


def _with_details(rows: FollowUpQuerySet) -> FollowUpQuerySet:
    return rows.for_today().prefetch_related(
        Prefetch(
            "person__positions",
            queryset=access.positions().current().select_related("organisation"),
            to_attr="current_positions",
        ),
        "person__phone_numbers",
        "person__email_addresses",
    )


def _end_of_day(local: datetime) -> datetime:
    """The last moment of the user's own day: what is for today is shown all day, also before work begins."""
    return datetime.combine(local.date(), time.max, tzinfo=local.tzinfo)


def _hand_offs(request: Request) -> list[Any]:
    """Those that wait for somebody else. What waits for an answer of the reader stands in the list with its buttons, and is not said twice."""
    waits_for_another = Q(from_user=request.user) | Q(to_user=request.user, is_asked=True)
    asks_me = Case(When(is_asked=True, from_user=request.user, then=0), default=1)
    waiting_ones = access.hand_offs().waiting().for_page().filter(waits_for_another)
    return list(waiting_ones.order_by(asks_me, "answer_due_at", "id")[:SIDE])


def _promises(request: Request, day: date) -> dict[str, Any]:
    mine = access.promises().open().filter(owner=request.user)
    return {"promises": list(mine.for_list()[:SIDE]), "promises_open": keyset.bounded_count(mine, 99), "day_now": day}


def _pipeline(request: Request, day: date) -> dict[str, Any]:
    """One's own open deals in one query. Amounts of the currency of most; the others are counted, not added."""
    mine = access.deals().open().filter(owner=request.user)
    by_currency = list(
        mine.order_by()
        .values("currency")
        .annotate(
            number=Count("pk"),
            buyers=Sum("buyer_amount"),
            sellers=Sum("seller_amount"),
            closing=Min("buyer_date", filter=Q(buyer_date__gte=day)),
            stepless=Count("pk", filter=Q(next_step_on__isnull=True) | Q(next_step_on__lt=day)),
        )
        .order_by("-number", "currency")
    )
    main = by_currency[0] if by_currency else {"currency": "EUR", "buyers": None, "sellers": None}
    closings = [entry["closing"] for entry in by_currency if entry["closing"]]
    return {
        "deals_open": sum(entry["number"] for entry in by_currency),
        "deals_stepless": sum(entry["stepless"] for entry in by_currency),
        "deals_closing": min(closings, default=None),
        "deals_buyers": main["buyers"] or Decimal(0),
        "deals_sellers": main["sellers"] or Decimal(0),
        "deals_currency": main["currency"],
        "deals_elsewhere": sum(entry["number"] for entry in by_currency[1:]),
    }
