"""What is noted on a person's page itself: whom they know, their words, and until when they want to be left alone."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm import people, search
from crm.models import Person
from crm.people.topics import KINDS
from crm.refusal import Refused
from crm.web import access, query
from crm.web.contact_points import done
from crm.web.page import Request, back_to


def somebody(text: str, *, but: Person) -> Person:
    """The one person of this name or e-mail address, who is not `but`. Refuses in words when there is none, or more than one."""
    text = search.clean(text)
    if "@" in text and (known := people.with_email(text)):
        return known
    others = access.people().exclude(pk=but.pk)
    found = list(others.filter(full_name__iexact=text)[:2]) or list(search.people_named(others, text)[:2])
    if not found:
        raise Refused(_("We know nobody of that name. Add them first."))
    if len(found) > 1:
        raise Refused(_("We know several people like that. Write their e-mail address instead."))
    return found[0]


@require_POST
def introduce(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    name, how = query.typed(request, "name", 254), query.typed(request, "how", 200)
    if not name:
        messages.error(request, _("Whom do they know? Write a name."))
        return redirect(back_to(request, reverse("crm:person", args=[pk])))
    return done(
        request,
        person,
        lambda **now: people.introduce(person=person, other=somebody(name, but=person), how=how, **now),
    )


@require_POST
def forget_acquaintance(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    known = access.acquaintances(person).filter(pk=query.number(request.POST.get("acquaintance")) or 0).first()
    if known is None:
        return redirect(back_to(request, reverse("crm:person", args=[pk])))
    return done(request, person, lambda **now: people.forget_acquaintance(acquaintance=known, **now))


@require_POST
def add_word(request: Request, pk: int, kind: str) -> HttpResponse:
    person = access.person(request, pk, write=True)
    _must_be_kind(kind)
    word = query.typed(request, "word", 200)
    return done(request, person, lambda **now: people.add_word(person=person, kind=kind, word=word, **now))


@require_POST
def remove_word(request: Request, pk: int, kind: str) -> HttpResponse:
    person = access.person(request, pk, write=True)
    _must_be_kind(kind)
    word = request.POST.get("word", "")
    return done(request, person, lambda **now: people.remove_word(person=person, kind=kind, word=word, **now))


@require_safe
def offered_words(request: Request, kind: str) -> HttpResponse:
    """The most used words as the options of a list, for a field that asks for them when somebody enters it."""
    _must_be_kind(kind)
    return render(request, "crm/_words.html", {"words": people.most_used(kind)})


@require_POST
def set_not_before(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    why = query.typed(request, "why", 200)
    until = query.day(request.POST.get("until"))
    if until is None:
        messages.error(request, _("Choose the day from which they may be contacted."))
        return redirect(back_to(request, reverse("crm:person", args=[pk])))
    return done(request, person, lambda **now: people.set_not_before(person=person, until=until, why=why, **now))


@require_POST
def lift_not_before(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    return done(request, person, lambda **now: people.lift_not_before(person=person, **now))


def _must_be_kind(kind: str) -> None:
    if kind not in KINDS:
        raise Http404
