"""Deals from the staging table. A deal with a lead accepts that lead, a won deal makes its organisation a customer, and an end stays an end.

`lead` is the external id of an imported lead. Deals from a file may stand open without a next step: the health check finds them.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm import advocacy, conversations
from crm.channels.import_map import ImportMap
from crm.imports import recognition, staging
from crm.imports.reading import Stages
from crm.imports.staging import Change, Columns, Said, execute, fetch, remember
from crm.models import DealState, EventKind, Lead, ReferralState, Role, User

COLUMNS: Columns = {
    "lead": "text",
    "name": "text",
    "organisation": "text",
    "sdr": "text",
    "owner": "text",
    "stage_id": "bigint",
    "state": "text",
    "amount": "numeric",
    "currency": "text",
    "created_at": "timestamptz",
    "ended_at": "timestamptz",
    "lost_reason": "text",
    "lost_note": "text",
    "buyer_date": "date",
    "seller_date": "date",
    "product": "text",
}
FOUND: Columns = {
    "domain": "text",
    "mail_domain": "text",
    "lead_id": "bigint",
    "organisation_id": "bigint",
    "owner_id": "bigint",
    "sdr_id": "bigint",
}
KEY, TABLE = "deal_id", "crm_deal"

LEADS = "UPDATE staged s SET lead_id = l.id FROM crm_lead l WHERE l.channel = 'file' AND l.external_id = s.lead AND s.lead IS NOT NULL"
ORGANISATION_OF_LEAD = """
UPDATE staged s SET organisation_id = l.organisation_id FROM crm_lead l
WHERE s.organisation_id IS NULL AND l.id = s.lead_id AND l.organisation_id IS NOT NULL
"""
OPENED_AT = "COALESCE(s.created_at, LEAST(l.received_at, s.ended_at), %(at)s::timestamptz)"
"""Without a date of its own a deal counts from the lead's first contact, or from its end when that came before."""

INSERT = f"""
INSERT INTO crm_deal (
    id, name, lead_id, organisation_id, person_id, owner_id, sdr_id, stage_id, state, product, currency, buyer_date, buyer_words,
    seller_amount, seller_date, next_step, opened_at, won_at, lost_at, lost_reason, lost_note, external_id, last_contact_at,
    last_contact_id, last_reply_at, last_reply_id
)
SELECT s.deal_id, COALESCE(s.name, s.product, o.name, s.external_id), s.lead_id, s.organisation_id, l.person_id, s.owner_id,
    COALESCE(s.sdr_id, l.owner_id), COALESCE(s.stage_id, CASE WHEN s.state IN ('won', 'lost') THEN %(last)s::bigint ELSE %(first)s::bigint END),
    COALESCE(s.state, 'open'), COALESCE(s.product, ''), COALESCE(s.currency, 'EUR'), s.buyer_date, '', s.amount, s.seller_date, '', {OPENED_AT},
    CASE WHEN s.state = 'won' THEN COALESCE(s.ended_at, s.created_at, %(at)s::timestamptz) END,
    CASE WHEN s.state = 'lost' THEN COALESCE(s.ended_at, s.created_at, %(at)s::timestamptz) END,
    CASE WHEN s.state = 'lost' THEN COALESCE(s.lost_reason, 'other') ELSE '' END,
    CASE WHEN s.state = 'lost' THEN COALESCE(s.lost_note, '') ELSE '' END, s.external_id, l.last_contact_at,
    l.last_contact_id, l.last_reply_at, l.last_reply_id
FROM staged s LEFT JOIN crm_lead l ON l.id = s.lead_id LEFT JOIN crm_organisation o ON o.id = s.organisation_id
WHERE s.is_new ORDER BY s.line
"""
HISTORY_OF_NEW = """
INSERT INTO crm_stagechange (deal_id, from_stage_id, to_stage_id, to_state, at, by_id)
SELECT d.id, NULL, d.stage_id, 'open', d.opened_at, %(by)s::bigint FROM staged s JOIN crm_deal d ON d.id = s.deal_id WHERE s.is_new
UNION ALL
SELECT d.id, d.stage_id, d.stage_id, d.state, COALESCE(d.won_at, d.lost_at), %(by)s::bigint
FROM staged s JOIN crm_deal d ON d.id = s.deal_id WHERE s.is_new AND d.state <> 'open'
"""
MOVED = """
CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
SELECT t.id, t.stage_id AS from_stage_id, CASE WHEN s.state = 'open' THEN s.stage_id ELSE t.stage_id END AS to_stage_id, s.state AS to_state,
    CASE WHEN s.state = 'open' THEN %(at)s::timestamptz ELSE COALESCE(s.ended_at, %(at)s::timestamptz) END AS at
FROM staged s JOIN crm_deal t ON t.id = s.deal_id
WHERE NOT s.is_new AND t.state = 'open' AND (s.state IN ('won', 'lost') OR (s.state = 'open' AND s.stage_id <> t.stage_id))
"""
HISTORY_OF_MOVED = """
INSERT INTO crm_stagechange (deal_id, from_stage_id, to_stage_id, to_state, at, by_id)
SELECT id, from_stage_id, to_stage_id, to_state, at, %(by)s::bigint FROM moved
"""
CHANGES = (
    *(Change(name, name, f"s.{name}") for name in ("name", "product", "currency", "buyer_date", "seller_date")),
    Change("seller_amount", "seller_amount", "s.amount"),
    Change("opened_at", "opened_at", "s.created_at"),
    Change("owner", "owner_id", "s.owner_id", staging.USER_SHOWN),
    Change("sdr", "sdr_id", "s.sdr_id", staging.USER_SHOWN),
    Change("organisation", "organisation_id", "s.organisation_id", staging.ORGANISATION_SHOWN),
    Change("lead", "lead_id", "s.lead_id"),
    Change("stage", "stage_id", "s.stage_id", staging.STAGE_SHOWN, "t.state = 'open' AND s.state = 'open'"),
    Change("state", "state", "s.state", when="t.state = 'open'"),
    *(
        Change(
            f"{state}_at",
            f"{state}_at",
            f"CASE WHEN s.state = '{state}' THEN COALESCE(s.ended_at, CASE WHEN t.state = 'open' THEN %(at)s::timestamptz END) END",
        )
        for state in (DealState.WON.value, DealState.LOST.value)
    ),
    Change(
        "lost_reason",
        "lost_reason",
        "CASE WHEN s.state = 'lost' THEN COALESCE(s.lost_reason, NULLIF(t.lost_reason, ''), 'other') END",
    ),
    Change("lost_note", "lost_note", "CASE WHEN s.state = 'lost' THEN NULLIF(s.lost_note, '') END"),
)
OF_THE_MOVE = ["stage", "state", "won_at", "lost_at", "lost_reason", "lost_note"]

HOLD_LEADS = "SELECT l.id FROM crm_lead l JOIN staged s ON s.lead_id = l.id ORDER BY l.id FOR NO KEY UPDATE OF l"
"""What is being logged on them at this moment is through before their last contact is copied."""
JOINED = "SELECT id FROM changed WHERE new ? 'lead' ORDER BY id"
"""Deals that got their lead only now: what was said on it was said on the deal."""

ACCEPTED_LEADS = """
CREATE TEMPORARY TABLE accepted ON COMMIT DROP AS
SELECT l.id, l.status, d.id AS deal_id, d.opened_at, d.sdr_id, d.organisation_id
FROM staged s JOIN crm_deal d ON d.id = s.deal_id JOIN crm_lead l ON l.id = d.lead_id WHERE l.status <> 'accepted'
"""
ACCEPT_LEADS = """
UPDATE crm_lead l SET status = 'accepted', verdict = 'qualified', verdict_at = COALESCE(l.verdict_at, a.opened_at),
    qualified_at = COALESCE(l.qualified_at, a.opened_at), owner_id = COALESCE(l.owner_id, a.sdr_id),
    organisation_id = COALESCE(l.organisation_id, a.organisation_id)
FROM accepted a WHERE a.id = l.id
"""
ACCEPT_HAND_OFFS = """
UPDATE crm_handoff h SET state = 'accepted', answered_at = %(at)s::timestamptz FROM accepted a WHERE a.id = h.lead_id AND h.state = 'submitted'
"""
CUSTOMERS = """
UPDATE crm_organisation o SET customer_since = w.won_at
FROM (
    SELECT d.organisation_id, min(d.won_at) AS won_at FROM staged s JOIN crm_deal d ON d.id = s.deal_id
    WHERE d.state = 'won' AND d.organisation_id IS NOT NULL GROUP BY d.organisation_id
) w
WHERE o.id = w.organisation_id AND (o.customer_since IS NULL OR o.customer_since > w.won_at)
"""


def find(said: Said, plan: ImportMap) -> None:
    """Each row knows its deal, lead, organisation and sellers; a lead that is none, or another deal's, and a second end refuse the row."""
    staging.match_known(KEY, TABLE)
    execute(LEADS)
    lead: dict[str, Any] = {"column": plan.columns.get("lead", ""), "value": "s.lead"}
    staging.refuse("s.lead IS NOT NULL AND s.lead_id IS NULL", **lead, reason=_("No lead with this id was imported."))
    another = _("This lead has another deal already.")
    # First those whose lead has a deal in Kring, so that the row of that deal itself is not the second of two.
    staging.refuse(
        "s.lead_id IS NOT NULL AND EXISTS (SELECT 1 FROM crm_deal d WHERE d.lead_id = s.lead_id AND d.id <> s.deal_id)",
        **lead,
        reason=another,
    )
    staging.refuse(
        "s.lead_id IS NOT NULL AND EXISTS (SELECT 1 FROM staged e WHERE e.lead_id = s.lead_id AND e.line < s.line)",
        **lead,
        reason=another,
    )
    staging.refuse(
        "s.lead_id IS NOT NULL AND EXISTS (SELECT 1 FROM crm_deal d WHERE d.id = s.deal_id AND d.lead_id <> s.lead_id)",
        **lead,
        reason=_("This deal belongs to another lead."),
    )
    for state in (DealState.WON, DealState.LOST):
        staging.refuse(
            "s.state <> %(state)s AND EXISTS (SELECT 1 FROM crm_deal d WHERE d.id = s.deal_id AND d.state = %(state)s)",
            column=plan.columns.get("stage", plan.external_id),
            value="s.state",
            reason=_("This deal is %(state)s in Kring already and stays so.") % {"state": state.label},
            params={"state": state.value},
        )
    recognition.users({"owner": Role.ACCOUNT_MANAGER, "sdr": Role.SDR})
    recognition.organisations(said)
    execute(ORGANISATION_OF_LEAD)


def write(said: Said, places: Stages) -> tuple[int, int]:
    """Make and change the deals, with their history, leads and customers; how many were made and changed."""
    common = {"at": said.at, "by": said.by_id, "first": places.first, "last": places.last}
    execute(MOVED, common)
    changed = staging.change(TABLE, KEY, CHANGES, common)
    execute(HISTORY_OF_MOVED, common)
    fetch(HOLD_LEADS)
    made = execute(INSERT, common)
    execute(HISTORY_OF_NEW, common)
    _remember_changes(said)
    _remember_new(said)
    conversations.recompute(deals=[key for (key,) in fetch(JOINED)])

    execute("DROP TABLE IF EXISTS pg_temp.accepted")
    execute(ACCEPTED_LEADS)
    execute(ACCEPT_LEADS)
    execute(ACCEPT_HAND_OFFS, common)
    remember(
        EventKind.IMPORT_RUN,
        said,
        subject=("lead", "a.id"),
        lead="a.id",
        deal="a.deal_id",
        old="jsonb_build_object('status', a.status)",
        new="jsonb_build_object('status', 'accepted')",
        rows="accepted a",
    )
    execute(CUSTOMERS)
    _settle_referrals(said)
    return made, changed


def _remember_changes(said: Said) -> None:
    about = {"deal": "d.id", "lead": "d.lead_id", "person": "d.person_id", "organisation": "d.organisation_id"}
    rest = " - ".join(["c.new", *(f"'{name}'" for name in OF_THE_MOVE)])
    remember(
        EventKind.DEAL_CHANGED,
        said,
        subject=("deal", "d.id"),
        old="c.old",
        new="c.new",
        rows=f"changed c JOIN crm_deal d ON d.id = c.id WHERE NOT EXISTS (SELECT 1 FROM moved m WHERE m.id = c.id) OR {rest} <> '{{}}'::jsonb",
        **about,
    )
    moves = (("won", EventKind.DEAL_WON), ("lost", EventKind.DEAL_LOST), ("open", EventKind.DEAL_MOVED))
    for state, kind in moves:
        old, new = (
            f"jsonb_build_object('stage', {staging.STAGE_SHOWN.format(f'm.{end}_stage_id')})" for end in ("from", "to")
        )
        remember(
            kind,
            said,
            subject=("deal", "d.id"),
            at="m.at",
            old=old if state == "open" else "NULL",
            new=new if state == "open" else _end("d", state),
            rows=f"moved m JOIN crm_deal d ON d.id = m.id WHERE m.to_state = '{state}'",
            **about,
        )


def _remember_new(said: Said) -> None:
    about = {"deal": "d.id", "lead": "d.lead_id", "person": "d.person_id", "organisation": "d.organisation_id"}
    new_deals = "staged s JOIN crm_deal d ON d.id = s.deal_id WHERE s.is_new"
    remember(
        EventKind.DEAL_OPENED,
        said,
        subject=("deal", "d.id"),
        at="d.opened_at",
        new=f"jsonb_build_object('name', d.name, 'stage', {staging.STAGE_SHOWN.format('d.stage_id')})",
        rows=new_deals,
        **about,
    )
    for state, kind in (("won", EventKind.DEAL_WON), ("lost", EventKind.DEAL_LOST)):
        remember(
            kind,
            said,
            subject=("deal", "d.id"),
            at=f"d.{state}_at",
            new=_end("d", state),
            rows=f"{new_deals} AND d.state = '{state}'",
            **about,
        )


def _end(deal: str, state: str) -> str:
    if state == "won":
        return f"jsonb_build_object('amount', COALESCE({deal}.buyer_amount, {deal}.seller_amount), 'currency', {deal}.currency)"
    return f"jsonb_build_object('reason', {deal}.lost_reason, 'note', {deal}.lost_note)"


def _settle_referrals(said: Said) -> None:
    """Recommendations that led to one of these deals are won or lost with it. They are few, so each goes through its own verb."""
    ended = dict(
        fetch(
            "SELECT d.lead_id, d.state FROM staged s JOIN crm_deal d ON d.id = s.deal_id WHERE d.lead_id IS NOT NULL AND d.state <> 'open'"
        )
    )
    open_states = [ReferralState.INTRODUCED, ReferralState.MET]
    by = User.objects.filter(pk=said.by_id).first() if said.by_id else None
    for lead in Lead.objects.filter(pk__in=ended, referral__state__in=open_states):
        advocacy.settle(lead=lead, is_won=ended[lead.pk] == DealState.WON, by=by, at=said.at)
