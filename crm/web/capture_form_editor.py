"""Everything on the settings page of one form: its terms, what it asks, its words in each language, how it looks and how to put it on a site."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy

from crm import capture_forms
from crm.channels.web_form import WebForm, digest
from crm.models import CaptureForm, FieldKind, OwnerRule, Role
from crm.models.users import Language
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request

LONGEST_PREVIEW = 5_000


class TermsForm(KringForm):
    """Who gets what arrives, and from where it may come."""

    title = forms.CharField(label=gettext_lazy("Name"), max_length=150, help_text=gettext_lazy("For ourselves."))
    language = forms.ChoiceField(
        label=gettext_lazy("Own language"),
        help_text=gettext_lazy("In which it opens when the browser asks for none that it has."),
    )
    origin = forms.CharField(label=gettext_lazy("Origin of its leads"), max_length=50)
    content: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=gettext_lazy("Piece of content it stands at"), queryset=None, required=False
    )
    owner_rule = forms.ChoiceField(label=gettext_lazy("Who gets its leads"), choices=OwnerRule)
    owner: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=gettext_lazy("Always this SDR"), queryset=None, required=False, empty_label=gettext_lazy("(choose)")
    )
    team: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=gettext_lazy("By turns within this team"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("(choose)"),
    )
    is_double_opt_in = forms.BooleanField(
        label=gettext_lazy("Asks to confirm by mail"),
        required=False,
        help_text=gettext_lazy("Their message counts only when they press the link in a mail, within 48 hours."),
    )
    least_seconds = forms.IntegerField(
        label=gettext_lazy("Least seconds to fill it in"),
        min_value=0,
        max_value=capture_forms.MOST_SECONDS,
        help_text=gettext_lazy("Whoever is faster is a machine."),
    )
    sites = forms.CharField(
        label=gettext_lazy("Sites that may show it"),
        required=False,
        max_length=9000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://www.example.com", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One on each line: where it may stand in a frame, and from where a page may post to it."
        ),
    )

    def __init__(self, *args: Any, form: CaptureForm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spoken = {text.language for text in form.texts.all()}
        fields: dict[str, Any] = self.fields
        fields["language"].choices = [choice for choice in Language.choices if choice[0] in spoken]
        fields["content"].queryset = access.contents().order_by("title", "pk")
        fields["owner"].queryset = access.users().exclude(role=Role.ADMIN)
        fields["team"].queryset = access.teams()

    def clean_sites(self) -> list[str]:
        return str(self.cleaned_data["sites"]).split()


class WordsForm(KringForm):
    """What it says in one language."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=150)
    intro = forms.CharField(
        label=gettext_lazy("Introduction"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    consent = forms.CharField(
        label=gettext_lazy("What they agree to, by a tick"),
        required=False,
        help_text=gettext_lazy("Kept word for word with each message. Without words there is no tick."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    button = forms.CharField(label=gettext_lazy("Words on the button"), required=False, max_length=50)
    thank_you = forms.CharField(
        label=gettext_lazy("Thank-you page"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, prefix=language, **kwargs)
        self.language = language
        for field in self.fields.values():
            field.widget.attrs |= {"lang": language}


def editor(
    request: Request, row: CaptureForm, *, terms: TermsForm | None = None, words: WordsForm | None = None
) -> dict[str, Any]:
    """Everything on the page of one form. `terms` and `words` are what was typed, when it is shown once more."""
    texts = {text.language: text for text in row.texts.all()}
    language = words.language if words else request.GET.get("lang", "")
    language = language if language in Language.values and (language in texts or words) else row.language
    fields = list(row.form_fields.order_by("position", "pk"))
    asked = {(one.kind, one.key): one for one in capture_forms.asked(row, language)}
    said = {name: getattr(texts.get(language), name, "") for name in WordsForm.base_fields}
    if words:
        said = {
            name: str(words.data.get(words.add_prefix(name), ""))[:LONGEST_PREVIEW] for name in WordsForm.base_fields
        }
    return {
        "capture_form": row,
        "terms": terms or terms_form(row),
        "languages": [_spoken(code, texts.get(code), words) for code in Language.values],
        "fields": [
            {
                "row": field,
                "shown": asked.get((field.kind, field.criterion_key)),
                "is_always": field.kind in capture_forms.ALWAYS,
                "is_question": field.kind == FieldKind.QUESTION,
            }
            for field in fields
        ],
        "offered": _offered(fields),
        "preview": _preview(row, language, said, list(asked.values())),
        "public": request.build_absolute_uri(reverse("crm:form", args=[row.slug])),
        "snippets": [_snippets(request, row, code) for code in texts],
        "nav": "settings",
    }


def terms_form(row: CaptureForm, typed: Any = None) -> TermsForm:
    terms = capture_forms.terms_of(row)
    start = {name: getattr(terms, name) for name in capture_forms.Terms.__dataclass_fields__}
    return TermsForm(typed, form=row, initial=start | {"sites": "\n".join(row.sites)})


def _spoken(code: str, text: Any, typed: WordsForm | None) -> dict[str, Any]:
    if typed is not None and typed.language == code:
        form = typed
    else:
        form = WordsForm(language=code, initial=asdict(capture_forms.Words(**_words(text))) if text else {})
    return {"code": code, "name": Language(code).label, "form": form, "is_spoken": text is not None}


def _words(text: Any) -> dict[str, str]:
    return {name: getattr(text, name) for name in WordsForm.base_fields}


def _offered(fields: list[Any]) -> dict[str, Any]:
    """What can be asked besides."""
    present = {(field.kind, field.criterion_key) for field in fields}
    return {
        "kinds": [
            (kind.value, kind.label)
            for kind in FieldKind
            if kind != FieldKind.QUESTION and (kind.value, "") not in present
        ],
        "questions": [one for one in capture_forms.questions() if (FieldKind.QUESTION, one.key) not in present],
    }


def _preview(row: CaptureForm, language: str, said: dict[str, str], asked: list[Any]) -> dict[str, Any]:
    """The form as visitors would see it, which cannot be sent."""
    with translation.override(language):
        form = WebForm(slug=row.slug, asked=asked, consent=said["consent"].strip())
        form.auto_id = "preview_%s"
        inner = render_to_string("crm/_form_preview.html", {"form": form, "said": said})
    return {"language": language, "html": inner}


def _snippets(request: Request, row: CaptureForm, language: str) -> dict[str, Any]:
    """What a page of another site takes over: a frame, and a plain form that posts."""
    text = next(text for text in row.texts.all() if text.language == language)
    where = request.build_absolute_uri(reverse("crm:form", args=[row.slug]))
    context = {
        "where": where,
        "language": language,
        "text": text,
        "asked": capture_forms.asked(row, language),
        "digest": digest(text.consent),
    }
    with translation.override(language):
        return {
            "language": Language(language).label,
            "code": language,
            "frame": render_to_string("crm/embed_frame.txt", context).strip(),
            "plain": render_to_string("crm/embed_plain.txt", context).strip(),
        }
