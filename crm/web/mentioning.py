"""What a form says of `@Noor`: a hint with the names, and afterwards who was told and who could not be."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm import mentions
from crm.models import User
from crm.web import access, nudge
from crm.web.page import Request

HINT = gettext_lazy("Write @name to tell a colleague.")


@require_safe
def colleagues(request: Request) -> HttpResponse:
    """Every colleague, with what to write so that they, and nobody else, are meant."""
    known = mentions.colleagues()
    rows = []
    for user in access.users():
        given = user.get_short_name()
        is_clear = known.get(given.lower()) == [user]
        rows.append({"name": str(user), "say": given if is_clear else str(user)})
    return JsonResponse({"colleagues": rows})


def offer(form: forms.BaseForm, name: str) -> None:
    """The field says that colleagues can be named in it, and carries the address from which their names come."""
    field = form.fields[name]
    field.help_text = format_html("{} {}", field.help_text, HINT) if field.help_text else HINT
    field.widget.attrs |= {"data-mentions": reverse("crm:colleagues"), "data-mentions-label": _("Colleagues")}


def say_who_is_told(request: Request, text: str, *, is_private: bool = False, was: str = "") -> None:
    """Who is told now, since they are named in `text` and were not in what it `was`; and, kindly, whom a name could not find."""
    found, before = mentions.find(text), mentions.find(was)
    told = [user for user in found.colleagues if user != request.user and user not in before.colleagues]
    if told and is_private:
        messages.info(request, _("It is yours alone, so %(names)s is not told.") % {"names": _names(told)})
    elif told:
        messages.info(request, _("Kring tells %(names)s.") % {"names": _names(told)})
        nudge.mail()
    for name in dict.fromkeys(" ".join(name.split()) for name in found.unclear):
        called = (user for user in access.users() if " ".join(user.name.split()).lower().startswith(name.lower()))
        example = next(called, name)
        messages.warning(
            request,
            _("More than one colleague is called %(name)s, so nobody was told. The full name works: @%(example)s.")
            % {"name": name, "example": example},
        )


def _names(users: list[User]) -> str:
    return ", ".join(str(user) for user in users)
