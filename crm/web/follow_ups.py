"""The acts on follow-ups: done, later, not needed, open again, and one made by hand. Each ends where it came from."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crm import follow_ups
from crm.models import PROMISES, FollowUp
from crm.refusal import Refused
from crm.web import access, query, today
from crm.web.forms import KringForm
from crm.web.page import Request, announce, redirect_or_part, render_page


@require_POST
def done(request: Request, pk: int) -> HttpResponse:
    follow_up = access.follow_up(request, pk, write=True)
    is_first = follow_ups.done(follow_up=follow_up, by=request.user, at=timezone.now())
    words = _("Kept, as promised.") if follow_up.rule in PROMISES else _("Done.")
    return _ended(
        request, follow_up, words if is_first else _("This was done already."), undo=follow_up.rule not in PROMISES
    )


@require_POST
def not_needed(request: Request, pk: int) -> HttpResponse:
    follow_up = access.follow_up(request, pk, write=True)
    is_first = follow_ups.not_needed(
        follow_up=follow_up,
        why=query.typed(request, "why", 300),
        by=request.user,
        at=timezone.now(),
    )
    return _ended(request, follow_up, _("Not needed, then.") if is_first else _("This was closed already."), undo=True)


@require_POST
def later(request: Request, pk: int) -> HttpResponse:
    follow_up = access.follow_up(request, pk, write=True)
    try:
        moment = follow_ups.put_off(follow_up=follow_up, until=_chosen_day(request), by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        day = date_format(timezone.localtime(moment), _("l j F"))
        messages.success(request, _("You will see this again on %(day)s.") % {"day": day})
    return _back(request)


@require_POST
def reopen(request: Request, pk: int) -> HttpResponse:
    follow_up = access.follow_up(request, pk, write=True)
    try:
        follow_ups.reopen(follow_up=follow_up, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("It is back on the list."))
    return _back(request)


class FollowUpForm(KringForm):
    """What is to be done, when and by whom."""

    note = forms.CharField(label=gettext_lazy("What is to be done?"), max_length=300)
    due_on = forms.DateField(label=gettext_lazy("When?"))
    owner: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=gettext_lazy("Who does it?"), queryset=None, empty_label=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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


def _ended(request: Request, follow_up: FollowUp, words: str, *, undo: bool) -> HttpResponse:
    if undo:
        form = '{} <form method="post" action="{}" class="d-inline">{}{}<button class="btn btn-sm">{}</button></form>'
        token = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))
        back = format_html('<input type="hidden" name="next" value="{}">', _next(request))
        words = format_html(form, words, reverse("crm:follow-up-reopen", args=[follow_up.pk]), token, back, _("Undo"))
    messages.success(request, words)
    return _back(request)


def _back(request: Request) -> HttpResponse:
    response = redirect_or_part(
        request, _next(request), "crm/today.html", lambda: today.content(request), parts=("today",)
    )
    return announce(response, "followUpChanged")


def _next(request: Request) -> str:
    """Where the act was asked from, when that is a page of ours; else Today."""
    there = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(there, {request.get_host()}, require_https=request.is_secure())
    return there if is_ours and there.startswith("/") else reverse("crm:today")
