"""Give a lead to somebody, and take back what nobody touched."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, OuterRef, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from crm import events, leads, notices
from crm.assignment.choosing import Choice
from crm.models import Attempt, Conversation, Direction, Event, EventKind, Lead, LeadStatus, NoticeKind, User
from crm.models.leads import LeadQuerySet

UNTOUCHED_DAYS = 7
"""Days after which an untouched lead returns, for whoever is on no team; a team has its own number."""
AT_ONCE = 500
"""So many go back in one go; what is left waits for the next hour."""


def give(*, lead: Lead, choice: Choice, at: datetime) -> Lead:
    """The lead belongs to whom Kring chose, its timeline says why it was them, and they are told. Refuses what `leads.assign` refuses."""
    why = {"why": choice.because.value}
    if choice.stands_in_for:
        why["stands_in_for"] = str(choice.stands_in_for)
    return leads.assign(lead=lead, to=choice.owner, by=None, at=at, why=why)


@transaction.atomic
def return_untouched(*, at: datetime) -> int:
    """Every new lead with which nobody did anything since it was given is nobody's again, and who leads its SDR is told, each once of all of
    theirs, and so is whose they were: how many.

    The days are those of the team of its SDR. Anything that a person did counts: a conversation, an attempt, an answer to the scorecard, any event
    on the lead, and whatever its SDR did about the person. What came in by itself does not. A lead of which nobody recorded when it was given stays
    where it is. Once more right after does nothing.
    """
    rows = list(
        untouched(at)
        .select_related("owner__team", "person", "organisation")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .order_by("assigned_at", "pk")[:AT_ONCE]
    )
    Lead.objects.filter(pk__in=[row.pk for row in rows]).update(owner=None, assigned_at=None)
    returned: dict[User, list[Lead]] = defaultdict(list)
    of_theirs: dict[User, list[Lead]] = defaultdict(list)
    leading: dict[int | None, list[User]] = {}
    for row in rows:
        owner, given_at = row.owner, row.assigned_at
        assert owner is not None
        assert given_at is not None
        events.record(
            EventKind.LEAD_RETURNED,
            subject=row,
            by=None,
            at=at,
            old={"owner": str(owner), "assigned_at": given_at},
            new={"days": (at - given_at).days},
        )
        if owner.team_id not in leading:
            leading[owner.team_id] = list(notices.leading(owner))
        for manager in leading[owner.team_id]:
            returned[manager].append(row)
        of_theirs[owner].append(row)
    pool = f"{reverse('crm:inbox')}?status=new&owner=nobody"
    for user, theirs in returned.items():
        values: dict[str, Any] = {"leads": [_plain(row) for row in theirs]}
        notices.tell(user=user, kind=NoticeKind.RETURNED, values=values, path=pool, at=at)
    for user, theirs in of_theirs.items():
        if user not in returned:
            path = reverse("crm:lead", args=[theirs[0].pk]) if len(theirs) == 1 else pool
            values = {"what": "mine", "leads": [_plain(row) for row in theirs]}
            notices.tell(user=user, kind=NoticeKind.RETURNED, values=values, path=path, at=at)
    return len(rows)


def untouched(at: datetime) -> LeadQuerySet:
    """New leads that somebody has had for longer than their team waits, and with which nobody did anything since."""
    since: dict[str, Any] = {"at__gt": OuterRef("assigned_at")}
    days = Coalesce(F("owner__team__untouched_days"), UNTOUCHED_DAYS)
    waits = ExpressionWrapper(days * Value(timedelta(days=1)), output_field=DurationField())
    # As an annotation, since in a condition whoever is on no team would drop out.
    return Lead.objects.annotate(
        returns_before=ExpressionWrapper(Value(at) - waits, output_field=DateTimeField())
    ).filter(
        ~Exists(Event.objects.filter(lead=OuterRef("pk"), by__isnull=False, **since)),
        ~Exists(Event.objects.filter(person=OuterRef("person"), by=OuterRef("owner"), **since)),
        ~Exists(
            Conversation.objects.filter(lead=OuterRef("pk"), by__isnull=False, **since).exclude(
                direction=Direction.INCOMING
            )
        ),
        ~Exists(Attempt.objects.filter(lead=OuterRef("pk"), **since)),
        status=LeadStatus.NEW,
        owner__isnull=False,
        assigned_at__lt=F("returns_before"),
    )


def _plain(lead: Lead) -> dict[str, Any]:
    """What is told of a lead that returns."""
    company = str(lead.organisation) if lead.person and lead.organisation else ""
    return {"lead": str(lead), "company": company, "owner": str(lead.owner), "since": lead.assigned_at}
