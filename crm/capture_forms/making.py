"""The form itself and its words: made, changed, closed and opened again."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import locks
from crm.capture_forms.checking import Terms, Words, checked, columns, remember, said, spoken, terms_of
from crm.models import CaptureForm, FieldKind, FormField, FormText, User
from crm.models.users import Language
from crm.refusal import Refused

USUAL = (FieldKind.NAME, FieldKind.EMAIL, FieldKind.ORGANISATION, FieldKind.PHONE, FieldKind.MESSAGE)
"""What a new form asks."""
ALWAYS = (FieldKind.NAME, FieldKind.EMAIL)
RESERVED = ("confirm",)
"""Addresses under /f/ that are pages of ours."""
SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@transaction.atomic
def make(*, slug: str, terms: Terms, words: Words, by: User | None, at: datetime) -> CaptureForm:
    """An open form at this address, with its words in its own language and the usual fields.

    Refuses an address that is none, or taken, and what `change` and `set_words` refuse.
    """
    slug = slug.strip().lower()
    if not SLUG.fullmatch(slug) or len(slug) > 50 or slug in RESERVED:
        raise Refused(_("Write the address in letters, digits and hyphens, such as “contact”."))
    locks.hold("form", slug)
    if CaptureForm.objects.filter(slug=slug).exists():
        raise Refused(_("Another form has the address “%(slug)s”. Choose another one.") % {"slug": slug})
    terms = checked(terms)
    form = CaptureForm.objects.create(slug=slug, **columns(terms))
    FormText.objects.create(form=form, language=form.language, **asdict(spoken(words)))
    FormField.objects.bulk_create(
        FormField(form=form, kind=kind, position=position, is_required=kind in ALWAYS)
        for position, kind in enumerate(USUAL)
    )
    remember(form, by, at, new={"made": form.title, **said(terms)})
    return form


@transaction.atomic
def change(*, form: CaptureForm, terms: Terms, by: User | None, at: datetime) -> CaptureForm:
    """The form has these terms. Refuses one without a name or origin, a language of which it has no text, an owner rule without its SDR or team,
    and a site that is no address of a site."""
    form = locks.row(CaptureForm.objects.select_related("content", "owner", "team"), form.pk)
    terms = checked(terms)
    if not form.texts.filter(language=terms.language).exists():
        raise Refused(_("Write the words of the form in that language first."))
    before, after = said(terms_of(form)), said(terms)
    if before == after:
        return form
    for name, value in columns(terms).items():
        setattr(form, name, value)
    form.save()
    changed = [name for name in after if before[name] != after[name]]
    remember(form, by, at, {name: before[name] for name in changed}, {name: after[name] for name in changed})
    return form


@transaction.atomic
def close(*, form: CaptureForm, by: User | None, at: datetime) -> CaptureForm:
    """Nobody can send it any more; what was sent by it stays. Twice is once."""
    return _open(form, False, by, at)


@transaction.atomic
def reopen(*, form: CaptureForm, by: User | None, at: datetime) -> CaptureForm:
    """It can be sent again. Twice is once."""
    return _open(form, True, by, at)


def _open(form: CaptureForm, is_active: bool, by: User | None, at: datetime) -> CaptureForm:
    form = locks.row(CaptureForm.objects.all(), form.pk)
    if form.is_active != is_active:
        form.is_active = is_active
        form.save(update_fields=["is_active"])
        remember(form, by, at, {"open": not is_active}, {"open": is_active})
    return form


@transaction.atomic
def set_words(*, form: CaptureForm, language: str, words: Words, by: User | None, at: datetime) -> FormText:
    """The form says this in that language. Refuses a language that Kring does not speak, no title, and a text that is too long."""
    if language not in Language.values:
        raise Refused(_("Kring does not speak that language. Choose one of the list."))
    words = spoken(words)
    form = locks.row(CaptureForm.objects.all(), form.pk)
    text = FormText.objects.filter(form=form, language=language).first()
    before = {name: getattr(text, name) for name in asdict(words)} if text else None
    if text is not None and before == asdict(words):
        return text
    text, _is_new = FormText.objects.update_or_create(form=form, language=language, defaults=asdict(words))
    remember(form, by, at, before and {"language": language, **before}, {"language": language, **asdict(words)})
    return text


@transaction.atomic
def remove_words(*, form: CaptureForm, language: str, by: User | None, at: datetime) -> None:
    """The form does not speak that language any more. Twice is once. Refuses its own language."""
    form = locks.row(CaptureForm.objects.all(), form.pk)
    if language == form.language:
        raise Refused(_("A form keeps the words of its own language. Choose another language for it first."))
    if FormText.objects.filter(form=form, language=language).delete()[0]:
        remember(form, by, at, old={"language": language})
