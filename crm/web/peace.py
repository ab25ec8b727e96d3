"""Whom we leave in peace: what stands on a person's page, the acts there, and our own list of numbers and addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crm import do_not_contact
from crm.models import DoNotContact, Person, Scope, User
from crm.pacing import wishes
from crm.refusal import Refused
from crm.search import clean
from crm.web import access, keyset
from crm.web.forms import KringForm
from crm.web.page import Request, back_to, render_page

WHOLE = "person"
"""The choice of the person as a whole, beside their numbers and addresses."""


class WishForm(KringForm):
    """What was asked, why, and how we know."""

    scope = forms.ChoiceField(
        label=gettext_lazy("What they ask"), choices=Scope.choices, widget=forms.RadioSelect, initial=Scope.CALL
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), help_text=gettext_lazy("In their own words, if you can."), max_length=300
    )
    source = forms.CharField(
        label=gettext_lazy("How we know"),
        help_text=gettext_lazy("Such as: told Els by phone."),
        max_length=200,
    )
    since = forms.DateField(label=gettext_lazy("Since"), required=False)

    def __init__(self, *args: Any, today: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"since": today}, **kwargs)


class PersonWishForm(WishForm):
    """Of a person as a whole, or of one number or address of theirs."""

    field_order = ("what", "scope")

    what = forms.ChoiceField(label=gettext_lazy("For"), widget=forms.RadioSelect, initial=WHOLE)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        choices = [(WHOLE, _("%(name)s, whatever the number or address") % {"name": person})]
        choices += [(phone.number, phone.readable) for phone in person.phone_numbers.all()]
        choices += [(email.address, email.address) for email in person.email_addresses.all()]
        self.fields["what"].choices = choices  # type: ignore[attr-defined]

    def about(self) -> dict[str, Any]:
        what = self.cleaned_data["what"]
        if what == WHOLE:
            return {"person": self.person}
        return {"address": what} if "@" in what else {"number": what}


class ValueWishForm(WishForm):
    """Of a number or an address whoever has it."""

    field_order = ("value", "scope")

    value = forms.CharField(
        label=gettext_lazy("Telephone number or e-mail address"),
        help_text=gettext_lazy("Whoever has it is left in peace there."),
        max_length=254,
    )

    def about(self) -> dict[str, Any]:
        value = clean(self.cleaned_data["value"])
        return {"address": value} if "@" in value else {"number": value}


class LiftForm(KringForm):
    why = forms.CharField(
        label=gettext_lazy("Why they may be contacted again"),
        help_text=gettext_lazy("Such as: she called on Monday and asked us to."),
        max_length=300,
    )


def of(person: Person, *, at: datetime) -> dict[str, Any]:
    """What the part `crm/_peace.html` shows as `peace`: each wish that stands about this person, their numbers and addresses, and what registers
    hold of them. Three queries, whatever they have."""
    numbers = [phone.number for phone in person.phone_numbers.all()]
    addresses = [email.address for email in person.email_addresses.all()]
    standing = access.wishes().standing().select_related("by", "person").order_by("-made_at", "-pk")
    found = standing.filter(Q(person=person) | Q(number__in=[*numbers]) | Q(address__in=[*addresses]))
    entries = access.register_entries().filter(value__in=[*numbers, *addresses]).select_related("register")
    return {
        "person": person,
        "wishes": [{"row": wish, "text": wishes.sentence(wish)} for wish in found],
        "entries": list(entries.order_by("register__name", "value")),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def bar(request: Request, pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    form = PersonWishForm(request.POST or None, person=person, today=_today(request.user))
    if request.method == "POST" and form.is_valid() and _note(request, form, form.about()):
        messages.success(request, _("Noted. Kring keeps to it from now on."))
        return redirect("crm:person", pk)
    return render_page(request, "crm/peace_bar.html", {"person": person, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: Request, pk: int) -> HttpResponse:
    """`?next=` of the form says which page it came from."""
    wish = access.wish(request, pk)
    back = _back(request, wish)
    if wish.lifted_at:
        messages.info(request, _("Somebody has lifted this already."))
        return redirect(back)
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            do_not_contact.lift(wish=wish, by=request.user, at=timezone.now(), why=form.cleaned_data["why"])
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Lifted. They may be contacted again."))
            return redirect(back)
    context = {"wish": wish, "said": wishes.sentence(wish), "form": form, "back": back}
    return render_page(request, "crm/peace_lift.html", context)


@require_safe
@access.leading_only
def index(request: Request) -> HttpResponse:
    """Our own list, the newest first; `?q=` finds a number in any notation, an address or a name, `?lifted=1` shows what was lifted."""
    rows = access.wishes().select_related("person", "by", "lifted_by")
    lifted = request.GET.get("lifted") == "1"
    rows = rows.filter(lifted_at__isnull=False) if lifted else rows.standing()
    query = clean(request.GET.get("q", ""))[:100]
    if query:
        digits = "".join(char for char in query if char.isdecimal()).lstrip("0")
        looked_for = Q(address__icontains=query) | Q(person__full_name__icontains=query) | Q(reason__icontains=query)
        if len(digits) >= 4 and not any(char.isalpha() for char in query):
            looked_for |= Q(number__contains=digits)
        rows = rows.filter(looked_for)
    page = keyset.page(rows, order=("-made_at", "-id"), at=request.GET)
    context = {"page": page, "typed": query, "lifted": lifted}
    return render_page(request, "crm/peace.html", context, parts=("peace",))


@require_http_methods(["GET", "HEAD", "POST"])
@access.leading_only
def new(request: Request) -> HttpResponse:
    form = ValueWishForm(request.POST or None, today=_today(request.user))
    if request.method == "POST" and form.is_valid() and _note(request, form, form.about()):
        messages.success(request, _("Noted. Kring keeps to it from now on."))
        return redirect("crm:peace")
    return render_page(request, "crm/peace_new.html", {"form": form})


def _note(request: Request, form: WishForm, about: dict[str, Any]) -> DoNotContact | None:
    data = form.cleaned_data
    try:
        wish = do_not_contact.bar(
            scope=data["scope"],
            reason=data["reason"],
            source=data["source"],
            since=data["since"],
            by=request.user,
            at=timezone.now(),
            **about,
        )
    except Refused as refusal:
        form.refuse(refusal)
        return None
    return wish


def _today(user: User) -> Any:
    return timezone.now().astimezone(user.zone).date()


def _back(request: Request, wish: DoNotContact) -> str:
    if wish.person_id is not None:
        return reverse("crm:person", args=[wish.person_id])
    return back_to(request, reverse("crm:peace") if request.user.is_leading else reverse("crm:people"))
