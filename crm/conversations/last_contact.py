"""Last contact and last reply are what the conversations say, whatever was added, changed, moved or removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Q

from crm.models import Conversation, Deal, Lead, Organisation, Person, SubjectKind, Touched
from crm.models.contact import REPLIES

OF_PERSON = "crm_conversation c JOIN crm_conversation_people w ON w.conversation_id = c.id WHERE w.person_id = t.id"
OF_ORGANISATION = "crm_conversation c WHERE c.organisation_id = t.id"
OF_LEAD = "crm_conversation c WHERE c.lead_id = t.id"
OF_DEAL = "crm_conversation c WHERE (c.deal_id = t.id OR c.lead_id = t.lead_id)"

# As text and not by the ORM, which would look four times for what is found in two and takes longer to write it than the database to do it.
SAID = """
UPDATE {table} t
   SET (last_contact_at, last_contact_id) = (
           SELECT c.at, c.id FROM {among} AND NOT c.is_automatic ORDER BY c.at DESC, c.id DESC LIMIT 1),
       (last_reply_at, last_reply_id) = (
           SELECT c.at, c.id FROM {among} AND NOT c.is_automatic AND c.direction = ANY(%(replies)s) ORDER BY c.at DESC, c.id DESC LIMIT 1)
 WHERE t.id = ANY(%(keys)s)
"""


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
    for model, keys, among in (
        (Person, people, OF_PERSON),
        (Organisation, organisations, OF_ORGANISATION),
        (Lead, leads, OF_LEAD),
        (Deal, deals, OF_DEAL),
    ):
        if not keys:
            continue
        # Held before the statement that reads the conversations begins: else two that are logged at once would each overlook the other.
        rows = model._default_manager.filter(pk__in=keys).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
        with connection.cursor() as cursor:
            table = model._meta.db_table
            cursor.execute(SAID.format(table=table, among=among), {"keys": list(keys), "replies": list(REPLIES)})


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
