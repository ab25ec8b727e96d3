"""A public form and its thank-you. Anybody may open it; it needs neither a login nor cookies nor JavaScript."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm import capture, notation
from crm.channels.web_form import Submission, WebForm
from crm.models import CaptureForm, Channel
from crm.refusal import Refused
from crm.web import access, limits, nudge

LIMIT_SECONDS = 10 * 60


# The signed message id in the page does what a CSRF cookie would do, and the form acts with nobody's login.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest, slug: str) -> HttpResponse:
    capture_form = access.capture_form(slug)
    with translation.override(capture_form.language):
        web_form = WebForm(request.POST if request.method == "POST" else None, slug=slug)
        status = 200
        if request.method == "POST" and web_form.is_valid():
            if not limits.may(request, "form", most=settings.FORM_LIMIT, seconds=LIMIT_SECONDS):
                web_form.add_error(
                    None, _("Many messages came from your connection. Please send yours once more in ten minutes.")
                )
                status = 429
            elif _received(web_form, capture_form):
                return redirect("crm:form-thanks", slug)
        return render(request, "public/form.html", {"capture_form": capture_form, "form": web_form}, status=status)


@login_not_required
@require_safe
def thanks(request: HttpRequest, slug: str) -> HttpResponse:
    capture_form = access.capture_form(slug)
    with translation.override(capture_form.language):
        return render(request, "public/form_thanks.html", {"capture_form": capture_form})


def _received(web_form: WebForm, capture_form: CaptureForm) -> bool:
    """Whether the message is taken in; what a verb refuses stands at its field."""
    submission = web_form.submission()
    if submission.is_trap:
        return True  # A machine learns nothing from our answer.
    try:
        if submission.phone:
            notation.parse_phone(submission.phone)
    except Refused as refusal:
        web_form.add_error("phone", str(refusal))
        return False
    try:
        capture.receive(_arrival(submission, capture_form), at=timezone.now())
    except Refused as refusal:
        web_form.add_error(None, str(refusal))
        return False
    nudge.follow_ups()
    return True


def _arrival(submission: Submission, capture_form: CaptureForm) -> capture.Arrival:
    return capture.Arrival(
        channel=Channel.FORM,
        external_id=submission.message_id,
        name=submission.name,
        email=submission.email,
        phone=submission.phone,
        organisation=submission.organisation,
        message=submission.message,
        origin=capture_form.origin,
        language=capture_form.language,
        content=capture_form.content,
        form=capture_form,
        owner=capture_form.owner,
    )
