"""The acts on follow-ups: done, later, not needed, open again, and one made by hand. Each ends where it came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm import follow_ups
from crm.models import PROMISES, FollowUp
from crm.refusal import Refused
from crm.web import access, mentioning, query, today
from crm.web.forms import KringForm
from crm.web.page import Request, announce, back_to, redirect_or_part, render_page


@require_POST
def done(request: Request, pk: int) -> HttpResponse:
    follow_up = access.follow_up(request, pk, write=True)
    is_first = follow_ups.done(follow_up=follow_up, by=request.user, at=timezone.now())
    words = _("Kept, as promised.") if follow_up.rule in PROMISES else _("Done.")
    return _ended(request, follow_up, words if is_first else _("This was done already."), "crm:follow-up-reopen")


@require_POST
def not_needed(request: Request, pk: int) -> HttpResponse:
    follow_up = access.follow_up(request, pk, write=True)
    is_first = follow_ups.not_needed(
        follow_up=follow_up,
        why=query.typed(request, "why", 300),
        by=request.user,
        at=timezone.now(),
    )
    words = _("Not needed, then.") if is_first else _("This was closed already.")
    return _ended(request, follow_up, words, "crm:follow-up-reopen")


@require_POST
def later(request: Request, pk: int) -> HttpResponse:
    follow_up = access.follow_up(request, pk, write=True)
    try:
        moment = follow_ups.put_off(follow_up=follow_up, until=_chosen_day(request), by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(request)
    day = date_format(timezone.localtime(moment), _("l j F"))
    words = _("You will see this again on %(day)s.") % {"day": day}
    return _ended(request, follow_up, words, "crm:follow-up-bring-back")


@require_POST
def reopen(request: Request, pk: int) -> HttpResponse:
    return _undone(request, access.follow_up(request, pk, write=True), follow_ups.reopen)


@require_POST
def bring_back(request: Request, pk: int) -> HttpResponse:
    return _undone(request, access.follow_up(request, pk, write=True), follow_ups.bring_back)


class FollowUpForm(KringForm):
    """What is to be done, when and by whom."""

    note = forms.CharField(label=gettext_lazy("What is to be done?"), max_length=300)
    due_on = forms.DateField(label=gettext_lazy("When?"))
    owner: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=gettext_lazy("Who does it?"), queryset=None, empty_label=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mentioning.offer(self, "note")
        self.fields["owner"].queryset = access.users()  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    about = _about(request)
    start = {"due_on": timezone.localdate(), "owner": request.user.pk}
    form = FollowUpForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            follow_up = follow_ups.make(**form.cleaned_data, **about, by=request.user, at=timezone.now())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            day = date_format(timezone.localtime(follow_up.due_at), _("l j F"))
            messages.success(request, _("Written down for %(day)s.") % {"day": day})
            mentioning.say_who_is_told(request, form.cleaned_data["note"])
            return redirect(_next(request))
    context = {"form": form, "about": next(iter(about.values()), None), "next": _next(request), "nav": "today"}
    return render_page(request, "crm/follow_up_new.html", context, parts=("follow-up-new",))


def _about(request: Request) -> dict[str, Any]:
    """Whom it is about, as the address says: `?person=5`, `?deal=7`. Everyone may plan a word with anyone, so reading is enough."""
    found = {"deal": access.deal, "lead": access.lead, "person": access.person, "organisation": access.organisation}
    return {
        name: fetch(request, pk)
        for name, fetch in found.items()
        if (pk := query.number(request.GET.get(name))) is not None
    }


def _chosen_day(request: Request) -> date:
    """The day of the button that was pressed, else the one that was filled in."""
    day = query.day(request.POST.get("until") or request.POST.get("day"))
    if day is None:
        raise Refused(_("Choose a day."))
    return day


def _ended(request: Request, follow_up: FollowUp, words: str, undo: str) -> HttpResponse:
    """Says what was done, with a button that takes it back: shown for ten seconds, and longer while somebody is at it."""
    about = {"words": words, "who": follow_up.person or follow_up.organisation or follow_up}
    address = reverse(undo, args=[follow_up.pk])
    said = render_to_string("crm/_undo.html", about | {"address": address, "next": _next(request)}, request)
    messages.success(request, mark_safe(said), extra_tags="passing")  # noqa: S308 -- rendered by a template, which escapes.
    return _back(request)


def _undone(request: Request, follow_up: FollowUp, take_back: Callable[..., Any]) -> HttpResponse:
    try:
        take_back(follow_up=follow_up, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("It is back on the list."), extra_tags="passing")
    return _back(request)


def _back(request: Request) -> HttpResponse:
    response = redirect_or_part(
        request, _next(request), "crm/today.html", lambda: today.content(request), parts=("today",)
    )
    return announce(response, "followUpChanged")


def _next(request: Request) -> str:
    """Where the act was asked from, when that is a page of ours; else Today."""
    return back_to(request, reverse("crm:today"))
