"""What a form asks: added, put in other words, put in order, taken away."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm import locks
from crm.capture_forms.checking import line, name_of, remember
from crm.capture_forms.making import ALWAYS
from crm.capture_forms.showing import questions
from crm.models import CaptureForm, FieldKind, FormField, User
from crm.refusal import Refused

MOST_FIELDS = 40


@transaction.atomic
def add_field(*, form: CaptureForm, kind: str, criterion_key: str = "", by: User | None, at: datetime) -> FormField:
    """The form asks this, too, as the last thing. Refuses what it asks already, a question that no scorecard in use asks prospects, and a form
    longer than anybody fills in."""
    if kind not in FieldKind.values:
        raise Refused(_("Choose what to ask from the list."))
    if kind == FieldKind.QUESTION:
        if not questions().filter(key=criterion_key).exists():
            raise Refused(_("This question is not asked of prospects any more. Choose another one."))
    else:
        criterion_key = ""
    form = locks.row(CaptureForm.objects.all(), form.pk)
    present = list(form.form_fields.all())
    if any((field.kind, field.criterion_key) == (kind, criterion_key) for field in present):
        raise Refused(_("The form asks this already."))
    if len(present) >= MOST_FIELDS:
        raise Refused(_("A form asks at most %(most)d things. Take one away first.") % {"most": MOST_FIELDS})
    position = max((field.position for field in present), default=-1) + 1
    field = FormField.objects.create(form=form, kind=kind, criterion_key=criterion_key, position=position)
    remember(form, by, at, new={"asks": name_of(field)})
    return field


@transaction.atomic
def change_field(
    *, field: FormField, label_en: str, label_nl: str, is_required: bool, by: User | None, at: datetime
) -> FormField:
    """It is asked in these words (none: in our own) and must be filled in, or not. A name and an e-mail address always must be. Refuses words that
    are too long."""
    form = locks.row(CaptureForm.objects.all(), field.form_id)
    field = FormField.objects.get(pk=field.pk)
    labels = line(label_en, 200), line(label_nl, 200)
    before = (field.label_en, field.label_nl, field.is_required)
    after = (*labels, is_required or field.kind in ALWAYS)
    if before == after:
        return field
    field.label_en, field.label_nl, field.is_required = after
    field.save(update_fields=["label_en", "label_nl", "is_required"])
    names = ("label_en", "label_nl", "is_required")
    remember(
        form,
        by,
        at,
        {"field": name_of(field), **dict(zip(names, before, strict=True))},
        dict(zip(names, after, strict=True)),
    )
    return field


@transaction.atomic
def remove_field(*, field: FormField, by: User | None, at: datetime) -> None:
    """The form does not ask it any more; what was answered stays. Twice is once. Refuses the name and the e-mail address."""
    form = locks.row(CaptureForm.objects.all(), field.form_id)
    if field.kind in ALWAYS:
        raise Refused(_("Every form asks for a name and an e-mail address: without them nobody can be answered."))
    if FormField.objects.filter(pk=field.pk).delete()[0]:
        remember(form, by, at, old={"asks": name_of(field)})


@transaction.atomic
def move_field(*, field: FormField, to: int, by: User | None, at: datetime) -> None:
    """It stands at this place (the first is 0; past the end is the end), and the others close up."""
    form = locks.row(CaptureForm.objects.all(), field.form_id)
    row = list(form.form_fields.order_by("position", "id"))
    before = [one.pk for one in row]
    moved = next((one for one in row if one.pk == field.pk), None)
    if moved is None:
        raise Refused(_("The form does not ask this any more. Look at it again."))
    row.remove(moved)
    row.insert(max(to, 0), moved)
    for position, one in enumerate(row):
        one.position = position
    FormField.objects.bulk_update(row, ["position"])
    if [one.pk for one in row] != before:
        remember(form, by, at, new={"order": [name_of(one) for one in row]})
