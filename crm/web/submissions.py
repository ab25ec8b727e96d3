"""What visitors sent and Kring did not take in: looked at by those who lead, and taken in or dropped."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm import submissions
from crm.refusal import Refused
from crm.web import access, keyset, query
from crm.web.page import Request, redirect_or_part, render_page

ORDER = ("-received_at", "-id")


@require_safe
@access.leading_only
def refused(request: Request) -> HttpResponse:
    """The newest first; `form` narrows it to one form."""
    return render_page(request, "crm/submissions.html", _context(request), parts=("submissions",))


@require_POST
@access.leading_only
def take(request: Request, pk: int) -> HttpResponse:
    submission = access.submission(pk)
    try:
        lead = submissions.take_refused(submission=submission, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        link = format_html('<a href="{}">{}</a>', reverse("crm:lead", args=[lead.pk]), lead)
        messages.success(request, format_html(_("Taken in: {}"), link))
    return _back(request)


@require_POST
@access.leading_only
def drop(request: Request, pk: int) -> HttpResponse:
    submission = access.submission(pk)
    try:
        submissions.drop(submission=submission, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Dropped."))
    return _back(request)


def _back(request: Request) -> HttpResponse:
    to = reverse("crm:submissions-refused")
    return redirect_or_part(request, to, "crm/submissions.html", lambda: _context(request), parts=("submissions",))


def _context(request: Request) -> dict[str, object]:
    rows = access.submissions().to_review()
    form = query.number(request.GET.get("form"))
    if form is not None:
        rows = rows.filter(form=form)
    return {"page": keyset.page(rows, order=ORDER, at=request.GET), "nav": "settings", "now": timezone.now()}
