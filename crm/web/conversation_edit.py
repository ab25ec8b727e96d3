"""Put right what was noted about a conversation, or move it to where it belongs. What a colleague changed meanwhile is shown, not overwritten."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm import conversations, logbook
from crm.models import Conversation, Person
from crm.refusal import Refused
from crm.web import access, mentioning
from crm.web.conversation_about import COLLEAGUES, KIND_ICONS, Present
from crm.web.conversation_form import ChangeForm
from crm.web.page import Request, render_page

PLACES = 50
"""Leads, deals and organisations that are offered to move to."""


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """Pressing *Find* looks for more people and saves nothing."""
    row = access.conversation(request, pk, write=True)
    present = Present(request, _around(row))
    places = _places(request, row, present)
    theirs = None
    if present.is_looking:
        form = ChangeForm(people=present.people, places=places, initial=present.typed())
    else:
        start = ChangeForm.start(row, conversations.fingerprint(row))
        form = ChangeForm(request.POST or None, people=present.people, places=places, initial=start)
    if form.is_bound and form.is_valid():
        fields = form.said()
        # The field knows no seconds: a moment that was not touched stays what it was, to the second.
        if fields["when"] == row.at.replace(second=0, microsecond=0):
            del fields["when"]
        try:
            logbook.change(
                conversation=row, by=request.user, at=timezone.now(), seen=form.cleaned_data["seen"], **fields
            )
        except conversations.ChangedMeanwhile as refusal:
            theirs = access.conversation(request, pk, write=True)
            # Who saves again has seen theirs.
            typed = request.POST.copy()
            typed["seen"] = conversations.fingerprint(theirs)
            form.data = typed
            form.refuse(refusal)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved. Last contact is true again everywhere."))
            mentioning.say_who_is_told(
                request, form.cleaned_data["summary"], was=row.summary, is_private=row.private_to_id is not None
            )
            return redirect("crm:conversation", pk)
    return render_page(
        request,
        "crm/conversation_edit.html",
        {
            "form": form,
            "conversation": row,
            "present": present,
            "theirs": theirs,
            "icons": KIND_ICONS,
            "nav": "people",
        },
        parts=("who",),
    )


def _around(row: Conversation) -> list[Person]:
    """Who took part, then their colleagues."""
    there = list(row.people.order_by("pk"))
    colleagues = list(access.people_at(row.organisation)[:COLLEAGUES]) if row.organisation else []
    return there + [person for person in colleagues if person not in there]


def _places(request: Request, row: Conversation, present: Present) -> dict[str, Any]:
    """Where it is, and where it may belong: the leads, deals and organisations of these people that this user may write."""
    people = [person.pk for person in present.people]
    at = access.positions().filter(person__in=people).values("organisation")
    near = Q(person__in=people) | Q(organisation__in=at) | (Q(organisation=row.organisation_id) & ~Q(organisation=None))

    def rows(selection: Any, which: Q, own: int | None) -> Any:
        keys = list(
            access.writable(request.user, selection).filter(which).order_by("-pk").values_list("pk", flat=True)[:PLACES]
        )
        return selection.filter(pk__in=[*keys, *([own] if own else [])]).order_by("-pk")

    return {
        "lead": rows(access.leads().select_related("person", "organisation"), near, row.lead_id),
        "deal": rows(access.deals(), near, row.deal_id),
        "organisation": rows(access.organisations(), Q(pk__in=at), row.organisation_id),
    }
