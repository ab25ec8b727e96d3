"""Whether what comes into a shared mailbox makes leads, and whose they are (`crm.enquiries`)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import events, locks
from crm.models import EventKind, Mailbox, Team, User
from crm.notation import one_line
from crm.refusal import Refused


@transaction.atomic
def make_leads(
    *, mailbox: Mailbox, makes_leads: bool, origin: str, team: Team | None, by: User, at: datetime
) -> Mailbox:
    """From now on enquiries to this mailbox become leads of this origin, for the team or by the rules of assignment; or they do not any more.
    The same once more changes nothing. Refuses a mailbox of one colleague, and leads without an origin."""
    held = locks.row(Mailbox.objects.select_related("owner", "lead_team"), mailbox.pk)
    origin = one_line(origin)
    if makes_leads and held.owner is not None:
        raise Refused(
            _("Only a shared mailbox makes leads. What comes to %(name)s stays theirs.") % {"name": held.owner}
        )
    if makes_leads and not origin:
        raise Refused(_("Write the origin of its leads, such as “info mailbox”."))
    if len(origin) > 50:
        raise Refused(_("Keep the origin to fifty characters."))
    fields = {"makes_leads": makes_leads, "lead_origin": origin, "lead_team": team}
    old = {name: events.readable(getattr(held, name)) for name in fields}
    new = {name: events.readable(value) for name, value in fields.items()}
    if old != new:
        held.makes_leads, held.lead_origin, held.lead_team = makes_leads, origin, team
        held.save(update_fields=list(fields))
        events.record(
            EventKind.MAILBOX_CHANGED, subject=held, by=by, at=at, old=old, new={"address": held.address, **new}
        )
    return held
