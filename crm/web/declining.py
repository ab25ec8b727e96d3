"""The lists of which a good no is made: the reasons with their words in two languages, and what we offer instead. For administrators."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import declining, letters, wording
from crm.models import Alternative, AlternativeKind, Content, DeclineReason, Person, User
from crm.models.users import Language
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page

shows_and_acts = require_http_methods(["GET", "HEAD", "POST"])


def _text(label: Any, code: str, rows: int) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=wording.MOST_BODY,
        required=False,
        widget=forms.Textarea(attrs={"rows": rows, "lang": code, "spellcheck": "true"}),
    )


class _TextsForm(KringForm):
    """The two languages stand side by side."""

    @property
    def languages(self) -> list[dict[str, Any]]:
        return [
            {
                "name": Language(code).label,
                "code": code,
                "fields": [self[name] for name in self.fields if name.endswith(f"_{code}")],
            }
            for code in wording.LANGUAGES
        ]

    @property
    def others(self) -> list[Any]:
        return [self[name] for name in self.fields if not name.endswith(("_en", "_nl"))]


class ReasonForm(_TextsForm):
    label_en = forms.CharField(label=gettext_lazy("Reason"), max_length=declining.LONGEST_LABEL)
    text_en = _text(gettext_lazy("What we write to them"), "en", 9)
    label_nl = forms.CharField(label=gettext_lazy("Reason"), max_length=declining.LONGEST_LABEL)
    text_nl = _text(gettext_lazy("What we write to them"), "nl", 9)
    is_active = forms.BooleanField(
        label=gettext_lazy("In use"),
        required=False,
        initial=True,
        help_text=gettext_lazy("A closed reason is chosen no more; leads that have it keep it."),
    )


class AlternativeForm(_TextsForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=declining.LONGEST_NAME)
    kind = forms.ChoiceField(
        label=gettext_lazy("What is it?"), choices=AlternativeKind.choices, widget=forms.RadioSelect
    )
    content: forms.ModelChoiceField[Content] = forms.ModelChoiceField(
        label=gettext_lazy("Piece of content"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("None"),
        help_text=gettext_lazy("Only for something to read or watch; its address is added to the message."),
    )
    url = forms.URLField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=200,
        assume_scheme="https",
        help_text=gettext_lazy("Added to the message when the sentences do not have it."),
    )
    text_en = _text(gettext_lazy("Our sentences about it"), "en", 4)
    text_nl = _text(gettext_lazy("Our sentences about it"), "nl", 4)
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["content"].queryset = access.contents().order_by("title", "pk")


@access.admin_only
@require_safe
def index(request: Request) -> HttpResponse:
    context = {"reasons": access.decline_reasons(), "alternatives": access.alternatives(), "nav": "settings"}
    return render_page(request, "crm/declining.html", context)


@access.admin_only
@shows_and_acts
def reason_new(request: Request) -> HttpResponse:
    return _edit_reason(request, None)


@access.admin_only
@shows_and_acts
def reason(request: Request, pk: int) -> HttpResponse:
    return _edit_reason(request, access.decline_reason(pk))


@access.admin_only
@require_POST
def reason_move(request: Request, pk: int) -> HttpResponse:
    """One place up with `up`, else one place down."""
    row = access.decline_reason(pk)
    declining.move_reason(reason=row, up="up" in request.POST, by=request.user, at=timezone.now())
    return redirect("crm:declining")


@access.admin_only
@require_POST
def reason_remove(request: Request, pk: int) -> HttpResponse:
    row = access.decline_reason(pk)
    return _removed(request, row, lambda: declining.remove_reason(reason=row, by=request.user, at=timezone.now()))


@access.admin_only
@shows_and_acts
def alternative_new(request: Request) -> HttpResponse:
    return _edit_alternative(request, None)


@access.admin_only
@shows_and_acts
def alternative(request: Request, pk: int) -> HttpResponse:
    return _edit_alternative(request, access.alternative(pk))


@access.admin_only
@require_POST
def alternative_remove(request: Request, pk: int) -> HttpResponse:
    row = access.alternative(pk)
    return _removed(
        request, row, lambda: declining.remove_alternative(alternative=row, by=request.user, at=timezone.now())
    )


def _removed(request: Request, row: Any, remove: Any) -> HttpResponse:
    name = str(row)
    try:
        remove()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("“%(name)s” is removed.") % {"name": name})
    return redirect("crm:declining")


def _edit_reason(request: Request, row: DeclineReason | None) -> HttpResponse:
    start = {name: getattr(row, name) for name in ReasonForm.base_fields} if row else {}
    form = ReasonForm(request.POST or None, initial=start)

    def save() -> Any:
        return declining.save_reason(reason=row, by=request.user, at=timezone.now(), **form.cleaned_data)

    about = {"title": str(row) if row else _("A new reason"), "remove": "crm:decline-reason-remove"}
    return _edit(request, form, row, save, about)


def _edit_alternative(request: Request, row: Alternative | None) -> HttpResponse:
    start = {name: getattr(row, name) for name in AlternativeForm.base_fields} if row else {"kind": "content"}
    form = AlternativeForm(request.POST or None, initial=start)

    def save() -> Any:
        return declining.save_alternative(alternative=row, by=request.user, at=timezone.now(), **form.cleaned_data)

    about = {"title": str(row) if row else _("A new alternative"), "remove": "crm:alternative-remove"}
    return _edit(request, form, row, save, about)


def _edit(request: Request, form: _TextsForm, row: Any, save: Any, about: dict[str, Any]) -> HttpResponse:
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        try:
            saved = save()
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("“%(name)s” is saved.") % {"name": saved})
            return redirect("crm:declining")
    texts = request.POST if request.method == "POST" else form.initial
    context = {
        "form": form,
        "row": row,
        "previews": [_previewed(texts, code, request.user) for code in wording.LANGUAGES],
        "placeholders": wording.PLACEHOLDERS,
        "nav": "settings",
        **about,
    }
    return render_page(request, "crm/declining_edit.html", context, parts=("previews",))


def _previewed(texts: Any, code: str, user: User) -> dict[str, Any]:
    """What an example person would read; or what is wrong with the text."""
    # Unsaved, so what the database would fill in is named.
    example = Person(given_name="Sofie", family_name="Peeters", salutation="")
    values = wording.words(person=None, sender=user, language=code, organisation="De Notelaar") | {
        "greeting": letters.greeting(example, code),
        "person.given_name": example.given_name,
        "person.name": "Sofie Peeters",
    }
    shown: dict[str, Any] = {"code": code, "name": Language(code).label}
    try:
        body = wording.fill(str(texts.get(f"text_{code}", ""))[: wording.MOST_BODY], values).strip()
    except Refused as refusal:
        return shown | {"wrong": str(refusal)}
    return shown | {"text": letters.framed(body, to=example, sender=user, language=code) if body else ""}
