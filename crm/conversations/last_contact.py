"""Last contact and last reply are what the conversations say, whatever was added, changed, moved or removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import OuterRef, Q, Subquery

from crm.models import Conversation, Deal, Lead, Organisation, Person, SubjectKind, Touched
from crm.models.contact import REPLIES


def recompute(
    *,
    people: Sequence[int] | None = None,
    organisations: Sequence[int] | None = None,
    leads: Sequence[int] | None = None,
    deals: Sequence[int] | None = None,
) -> None:
    """Last contact and last reply of these records (primary keys), the moment and which conversation, equal what their conversations say; `None`
    in the columns means never.

    What was said on the lead from which a deal came was said on the deal, too. What a machine wrote is no contact. Of two conversations at one
    moment the one logged last counts. Needs an open transaction.
    """
    for model, keys, link in (
        (Person, people, Q(people=OuterRef("pk"))),
        (Organisation, organisations, Q(organisation=OuterRef("pk"))),
        (Lead, leads, Q(lead=OuterRef("pk"))),
        (Deal, deals, Q(deal=OuterRef("pk")) | Q(lead=OuterRef("lead_id"))),
    ):
        if not keys:
            continue
        rows = model._default_manager.filter(pk__in=keys)
        # Held before the statement that reads the conversations begins: else two that are logged at once would each overlook the other.
        list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        said = Conversation.objects.contacts().filter(link).order_by("-at", "-pk")
        replies = said.filter(direction__in=REPLIES)
        rows.update(
            last_contact_at=Subquery(said.values("at")[:1]),
            last_contact=Subquery(said.values("pk")[:1]),
            last_reply_at=Subquery(replies.values("at")[:1]),
            last_reply=Subquery(replies.values("pk")[:1]),
        )


def recompute_around(*places: Conversation, people: Iterable[int]) -> None:
    """The same for these people and for everything that these conversations, as they were and as they are, concern. The rules look at all of them
    again: an event names one person, and not where a conversation was before."""
    keys = sorted(set(people))
    organisations = sorted({place.organisation_id for place in places if place.organisation_id})
    leads = sorted({place.lead_id for place in places if place.lead_id})
    recompute(people=keys, organisations=organisations, leads=leads)
    # Looked up when the leads are held: a deal that is opened on one of them at this moment is there now, or waits for us.
    named = [place.deal_id for place in places if place.deal_id]
    deals = list(Deal.objects.filter(Q(pk__in=named) | Q(lead__in=leads)).order_by("pk").values_list("pk", flat=True))
    recompute(deals=deals)
    Touched.objects.bulk_create(
        [
            *(Touched(subject_kind=SubjectKind.PERSON, subject_id=pk, person_id=pk) for pk in keys),
            *(
                Touched(subject_kind=SubjectKind.ORGANISATION, subject_id=pk, organisation_id=pk)
                for pk in organisations
            ),
            *(Touched(subject_kind=SubjectKind.LEAD, subject_id=pk, lead_id=pk) for pk in leads),
            *(Touched(subject_kind=SubjectKind.DEAL, subject_id=pk, deal_id=pk) for pk in deals),
        ]
    )
