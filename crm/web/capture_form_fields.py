"""What a form asks, changed on its settings screen: each act answers with the fields as they are now, and the preview follows."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import capture_forms
from crm.models import CaptureForm, FieldKind, FormField
from crm.refusal import Refused
from crm.web import access, query
from crm.web.capture_form_editor import editor
from crm.web.page import Request, announce, redirect_or_part


@require_POST
@access.admin_only
def add(request: Request, pk: int) -> HttpResponse:
    """`what` is a kind of field, or the key of a question behind `question:`."""
    form = access.form_to_edit(pk)
    kind, _colon, key = request.POST.get("what", "").partition(":")
    return _done(
        request,
        form,
        lambda: capture_forms.add_field(
            form=form,
            kind=kind if kind != FieldKind.QUESTION or key else "",
            criterion_key=key[:32].replace("\x00", ""),
            by=request.user,
            at=timezone.now(),
        ),
    )


@require_POST
@access.admin_only
def change(request: Request, pk: int) -> HttpResponse:
    field = access.form_field(pk)
    return _done(
        request,
        field.form,
        lambda: capture_forms.change_field(
            field=field,
            label_en=request.POST.get("label_en", ""),
            label_nl=request.POST.get("label_nl", ""),
            is_required="is_required" in request.POST,
            by=request.user,
            at=timezone.now(),
        ),
    )


@require_POST
@access.admin_only
def move(request: Request, pk: int) -> HttpResponse:
    """`to` is the place at which it stands from now on, counted from 0."""
    field = access.form_field(pk)
    to = query.number(request.POST.get("to"))
    return _done(request, field.form, lambda: _move(field, to, request))


@require_POST
@access.admin_only
def remove(request: Request, pk: int) -> HttpResponse:
    field = access.form_field(pk)
    return _done(
        request,
        field.form,
        lambda: capture_forms.remove_field(field=field, by=request.user, at=timezone.now()),
    )


def _move(field: FormField, to: int | None, request: Request) -> None:
    if to is None:
        raise Refused(_("Say where it is to stand."))
    capture_forms.move_field(field=field, to=to, by=request.user, at=timezone.now())


def _done(request: Request, form: CaptureForm, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    answer = redirect_or_part(
        request,
        reverse("crm:capture-form", args=[form.pk]),
        "crm/capture_form.html",
        lambda: editor(request, access.form_to_edit(form.pk)),
        parts=("fields",),
    )
    return announce(answer, "formChanged")
