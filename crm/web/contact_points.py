"""How a person is reached and where they work: add and remove an address, a number, a job. The forms stand on the page that edits the person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import people, search
from crm.models import Person
from crm.refusal import Refused
from crm.web import access
from crm.web.page import Request


@require_POST
def add_email(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    address = _typed(request, "address", 254)
    return _done(request, person, lambda **now: people.add_email(person=person, address=address, **now))


@require_POST
def add_phone(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    number = _typed(request, "number", 40)
    return _done(request, person, lambda **now: people.add_phone(person=person, number=number, **now))


@require_POST
def add_position(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    where, title = _typed(request, "organisation", 200), _typed(request, "title", 150)
    return _done(
        request, person, lambda **now: people.add_position(person=person, organisation=where, title=title, **now)
    )


@require_POST
def remove_email(request: Request, pk: int) -> HttpResponse:
    address = access.email_address(request, pk)
    return _done(request, address.person, lambda **now: people.remove_email(address=address, **now))


@require_POST
def remove_phone(request: Request, pk: int) -> HttpResponse:
    number = access.phone_number(request, pk)
    return _done(request, number.person, lambda **now: people.remove_phone(number=number, **now))


@require_POST
def end_position(request: Request, pk: int) -> HttpResponse:
    position = access.position(request, pk)
    return _done(request, position.person, lambda **now: people.end_position(position=position, **now))


def _typed(request: Request, name: str, most: int) -> str:
    """What was typed, without what a database cannot hold."""
    return request.POST.get(name, "").replace("\x00", "")[:most]


def _text(request: Request, name: str, longest: int) -> str:
    return search.clean(request.POST.get(name, ""))[:longest]


def _done(request: Request, person: Person, verb: Callable[..., Any]) -> HttpResponse:
    try:
        verb(by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Saved."))
    return redirect("crm:person-edit", person.pk)
