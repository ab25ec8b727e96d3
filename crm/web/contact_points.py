"""How a person is reached: their addresses and numbers, with the acts on each. Every act leads back to the page where it was pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import people
from crm.models import Person
from crm.refusal import Refused
from crm.web import access, query
from crm.web.page import Request, back_to


@require_POST
def add_email(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    address, kind = query.typed(request, "address", 254), query.typed(request, "kind", 20) or "work"
    return done(request, person, lambda **now: people.add_email(person=person, address=address, kind=kind, **now))


@require_POST
def add_phone(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    number, kind = query.typed(request, "number", 40), query.typed(request, "kind", 20)
    return done(request, person, lambda **now: people.add_phone(person=person, number=number, kind=kind, **now))


@require_POST
def remove_email(request: Request, pk: int) -> HttpResponse:
    address = access.email_address(request, pk)
    return done(request, address.person, lambda **now: people.remove_email(address=address, **now))


@require_POST
def remove_phone(request: Request, pk: int) -> HttpResponse:
    number = access.phone_number(request, pk)
    return done(request, number.person, lambda **now: people.remove_phone(number=number, **now))


@require_POST
def prefer_email(request: Request, pk: int) -> HttpResponse:
    address = access.email_address(request, pk)
    return done(request, address.person, lambda **now: people.prefer(point=address, **now))


@require_POST
def prefer_phone(request: Request, pk: int) -> HttpResponse:
    number = access.phone_number(request, pk)
    return done(request, number.person, lambda **now: people.prefer(point=number, **now))


@require_POST
def confirm_email(request: Request, pk: int) -> HttpResponse:
    address = access.email_address(request, pk)
    return done(request, address.person, lambda **now: people.confirm(point=address, **now))


@require_POST
def confirm_phone(request: Request, pk: int) -> HttpResponse:
    number = access.phone_number(request, pk)
    return done(request, number.person, lambda **now: people.confirm(point=number, **now))


@require_POST
def change_email(request: Request, pk: int) -> HttpResponse:
    address, kind = access.email_address(request, pk), query.typed(request, "kind", 20)
    return done(request, address.person, lambda **now: people.change_kind(point=address, kind=kind, **now))


@require_POST
def change_phone(request: Request, pk: int) -> HttpResponse:
    number, kind = access.phone_number(request, pk), query.typed(request, "kind", 20)
    return done(request, number.person, lambda **now: people.change_kind(point=number, kind=kind, **now))


@require_POST
def works_again(request: Request, pk: int) -> HttpResponse:
    address = access.email_address(request, pk)
    return done(request, address.person, lambda **now: people.works_again(address=address, **now))


def done(request: Request, person: Person, verb: Callable[..., Any]) -> HttpResponse:
    """The verb is done by this user now, or its refusal is said; back to where it was pressed, else to the page that edits the person."""
    try:
        verb(by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Saved."))
    return redirect(back_to(request, reverse("crm:person-edit", args=[person.pk])))
