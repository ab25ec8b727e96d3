"""One line of Today: who, about what, why, in whose place, and what keeps us from them now. Reads nothing that `with_details` has not fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm import day, pacing, rules
from crm.models import PROMISES, ConversationKind, FollowUp, Organisation, Rule, SubjectKind
from crm.models.follow_ups import FollowUpQuerySet
from crm.web import access, today_acts
from crm.web.page import Request

TONES = {"late": "red", "waiting": "orange", "calm": "azure"}
NEAR = 7
"""Days within which a weekday says which day is meant."""


@dataclass(frozen=True)
class Row:
    """One follow-up as the list shows it. `held` says why the person is not to be contacted now."""

    follow_up: FollowUp
    name: str
    name_url: str
    about: str
    about_url: str
    amount: Decimal | None
    currency: str
    why: str
    badge: rules.Badge | None
    act: today_acts.Act | None
    look: today_acts.Act | None
    log: str
    done: str
    in_place_of: str
    held: day.Held | None

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

    @property
    def held_until(self) -> str:
        """The day before which it is too soon, as a badge says it: "not before Wednesday"."""
        if self.held is None or self.held.until is None:
            return ""
        until = timezone.localtime(self.held.until).date()
        is_near = (until - timezone.localdate()).days < NEAR
        return _("not before %(day)s") % {"day": date_format(until, "l" if is_near else "j F")}

    @property
    def brought_back(self) -> str:
        if self.held is None or self.held.until is None:
            return ""
        until = timezone.localtime(self.held.until).date()
        return _("From %(day)s it is in order again.") % {"day": date_format(until, "j F")}


def with_details(rows: FollowUpQuerySet) -> FollowUpQuerySet:
    return rows.for_today().prefetch_related(
        Prefetch(
            "person__positions",
            queryset=access.positions().current().select_related("organisation"),
            to_attr="current_positions",
        ),
        "person__phone_numbers",
        "person__email_addresses",
    )


def lines(request: Request, rows: Iterable[FollowUp], held: Mapping[int, day.Held], at: datetime) -> list[Row]:
    """These follow-ups as lines, those that are held back last. Four queries for the ways that are closed, one for who is away."""
    found = list(rows)
    people = [row.person for row in found if row.person is not None]
    no_call, no_mail = pacing.never(people, ConversationKind.CALL), pacing.never(people, ConversationKind.EMAIL)
    away = _away(found, timezone.localdate(at))
    shown = [
        _line(
            row,
            at,
            held.get(row.pk),
            today_acts.Closed(row.person_id in no_call, row.person_id in no_mail),
            _in_place_of(row, away),
        )
        for row in found
    ]
    return sorted(shown, key=lambda row: row.held is not None)


def _line(follow_up: FollowUp, at: datetime, held: day.Held | None, closed: today_acts.Closed, in_place_of: str) -> Row:
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
        about, about_url = pgettext("referral", "introduction"), reverse("crm:referral", args=[follow_up.subject_id])
    elif deal:
        about, about_url = str(deal), reverse("crm:deal", args=[deal.pk])
    elif organisation and person:
        about, about_url = str(organisation), reverse("crm:organisation", args=[organisation.pk])
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
        act=None if held else today_acts.first_act(follow_up, closed),
        look=today_acts.look(follow_up),
        log=today_acts.log(follow_up),
        done=_("Kept") if follow_up.rule in PROMISES else _("Done"),
        in_place_of=in_place_of,
        held=held,
    )


def _as_sentence(words: str) -> str:
    """With a full stop, since another sentence follows it; what people wrote seldom has one."""
    return words if words.endswith((".", "?", "!", "…", "”")) else f"{words}."


# ---- What it is about, and whose work it is ------------------------------------------------------------------------


def _amount(follow_up: FollowUp) -> Decimal | None:
    """What the deal is worth that it is about; a promise to introduce somebody is not about the order it came after."""
    deal = follow_up.deal
    if deal is None or follow_up.subject_kind == SubjectKind.REFERRAL:
        return None
    return deal.buyer_amount if deal.buyer_amount is not None else deal.seller_amount


def _employer(person: Any) -> Organisation | None:
    return person.current_positions[0].organisation if person.current_positions else None


def _away(rows: Iterable[FollowUp], today: date) -> dict[int, date]:
    """The last day away of everybody in whose place something is done."""
    absent = {row.on_behalf_of_id for row in rows} - {None}
    if not absent:
        return {}
    return dict(access.absences().on(today).filter(user__in=absent).order_by("ends_on").values_list("user", "ends_on"))


def _in_place_of(follow_up: FollowUp, away: Mapping[int, date]) -> str:
    """Whose work it is when it is not the reader's: of who is away until when, or of who left."""
    theirs = follow_up.on_behalf_of
    if theirs is None:
        return ""
    if not theirs.is_active:
        return _("from %(name)s, who left") % {"name": theirs}
    if theirs.pk in away:
        day_words = date_format(away[theirs.pk], "j F")
        return _("for %(name)s, who is away until %(day)s") % {"name": theirs, "day": day_words}
    return _("for %(name)s, who is away") % {"name": theirs}
