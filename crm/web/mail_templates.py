"""Texts to begin a mail with: everybody's and one's own, both languages side by side, with a preview that follows what is typed."""

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

from crm import letters, mail_templates, wording
from crm.models import Deal, MailTemplate, Person, User
from crm.models.users import Language
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.page import Request, render_page


class TemplateForm(KringForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    subject_en = forms.CharField(label=gettext_lazy("Subject"), max_length=wording.MOST_SUBJECT, required=False)
    body_en = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=wording.MOST_BODY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "lang": "en", "spellcheck": "true"}),
    )
    subject_nl = forms.CharField(label=gettext_lazy("Subject"), max_length=wording.MOST_SUBJECT, required=False)
    body_nl = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=wording.MOST_BODY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "lang": "nl", "spellcheck": "true"}),
    )
    is_information = forms.BooleanField(
        label=gettext_lazy("This sends information they asked for"),
        required=False,
        help_text=gettext_lazy("They get some days to read it before anybody of us is in touch again."),
    )
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)
    is_shared = forms.BooleanField(
        label=gettext_lazy("For everybody"),
        required=False,
        help_text=gettext_lazy("Otherwise only you begin a mail with it."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_leading:
            del self.fields["is_shared"]

    @property
    def languages(self) -> list[dict[str, Any]]:
        """The fields of each language, side by side."""
        return [
            {
                "name": Language(code).label,
                "code": code,
                "subject": self[f"subject_{code}"],
                "text": self[f"body_{code}"],
            }
            for code in wording.LANGUAGES
        ]


@require_safe
def index(request: Request) -> HttpResponse:
    rows = list(access.mail_templates(request.user))
    return render_page(
        request,
        "crm/mail_templates.html",
        {
            "groups": [
                {
                    "title": _("For everybody"),
                    "rows": [row for row in rows if row.owner_id is None],
                    "may_write": request.user.is_leading,
                },
                {"title": _("Your own"), "rows": [row for row in rows if row.owner_id], "may_write": True},
            ],
            "is_empty": not rows,
            "nav": "settings",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, access.mail_template(request, pk))


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    template = access.mail_template(request, pk)
    mail_templates.remove(template=template, by=request.user, at=timezone.now())
    messages.success(request, _("“%(name)s” is removed.") % {"name": template.name})
    return redirect("crm:mail-templates")


def _edit(request: Request, template: MailTemplate | None) -> HttpResponse:
    start: dict[str, Any] = {}
    if template is not None:
        start = {name: getattr(template, name) for name in TemplateForm.base_fields if name != "is_shared"}
        start["is_shared"] = template.owner_id is None
    form = TemplateForm(request.POST or None, initial=start, user=request.user)
    texts = request.POST if request.method == "POST" else start
    context = {
        "form": form,
        "template": template,
        "previews": [_previewed(texts, code, request.user) for code in wording.LANGUAGES],
        "placeholders": wording.PLACEHOLDERS,
        "nav": "settings",
    }
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        try:
            saved = mail_templates.save(template=template, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
            return redirect("crm:mail-templates")
    return render_page(request, "crm/mail_template.html", context, parts=("previews",))


def _previewed(texts: Any, code: str, user: User) -> dict[str, Any]:
    """What an example person would get; or what is wrong with the text."""
    # Unsaved, so what the database would fill in is named.
    example = Person(given_name="Sofie", family_name="Peeters", salutation="")
    deal = Deal(name=_("Workshop for the whole team"))
    values = wording.words(person=None, sender=user, language=code, deal=deal, organisation="De Notelaar") | {
        "greeting": letters.greeting(example, code),
        "person.given_name": example.given_name,
        "person.name": "Sofie Peeters",
    }
    shown: dict[str, Any] = {"code": code, "name": Language(code).label}
    try:
        shown["subject"] = wording.fill(str(texts.get(f"subject_{code}", ""))[: wording.MOST_SUBJECT], values)
        shown["text"] = wording.fill(str(texts.get(f"body_{code}", ""))[: wording.MOST_BODY], values).strip()
    except Refused as refusal:
        shown["wrong"] = str(refusal)
    return shown
