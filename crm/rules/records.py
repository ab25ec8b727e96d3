"""Rules about what we keep of people: that it is looked at again in time whether we still may."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import FollowUp, LawfulBasis, Rule
from crm.rules.definition import Badge, FollowUpRule, Number, day_badge, days_between, read_day, say_day, who


def _lawful_basis(follow_up: FollowUp, at: datetime) -> str:
    why = follow_up.why
    since = read_day(why["since"])
    values = {
        "who": who(follow_up),
        "basis": LawfulBasis(why["basis"]).label,
        "since": say_day(since, at) if since else "",
    }
    if since is None:
        return _("We keep the data of %(who)s on this ground: “%(basis)s”. See whether it still holds.") % values
    return (
        _("Since %(since)s we keep the data of %(who)s on this ground: “%(basis)s”. See whether it still holds.")
        % values
    )


def _lawful_basis_badge(follow_up: FollowUp, at: datetime) -> Badge | None:
    review = read_day(follow_up.why["review"])
    assert review
    return day_badge(_("to be reviewed today"), _("review, %(late)s"), days_between(review, at))


LAWFUL_BASIS = FollowUpRule(
    # A review is no contact: it comes also of those who asked to be left in peace.
    key=Rule.LAWFUL_BASIS,
    about=gettext_lazy("The ground on which we keep somebody’s data is to be looked at again."),
    causes="""
        SELECT 'person' AS subject_kind, t.id AS subject_id, t.lawful_basis || ' ' || t.review AS cause, t.owner_id, t.review AS due_on,
               NULL::timestamptz AS due_at, 7 AS rank,
               jsonb_build_object('basis', t.lawful_basis, 'since', t.basis_since, 'review', t.review) AS why,
               t.id AS person_id, NULL::bigint AS organisation_id,
               NULL::bigint AS lead_id, NULL::bigint AS deal_id, NULL::bigint AS hand_off_id
          FROM (SELECT p.id, p.lawful_basis, p.basis_since, o.id AS owner_id, o.today,
                       coalesce(p.basis_review_on, (p.basis_since + make_interval(months => n.months))::date) AS review
                  FROM crm_person p
                  JOIN owner o ON o.id = coalesce(p.owner_id, %(leading)s)
                  JOIN number n ON n.team = o.team
                 WHERE p.lawful_basis <> '') t
         WHERE t.review <= t.today
    """,
    sentence=_lawful_basis,
    badge=_lawful_basis_badge,
    numbers=(
        Number(
            "months",
            gettext_lazy("Without a day of its own, review after"),
            12,
            gettext_lazy("months"),
            most=60,
            source=gettext_lazy(
                "Recital 39 of Regulation (EU) 2016/679 asks for a periodic review and names no term; a year is our choice."
            ),
        ),
    ),
    reads_widely=True,
)
