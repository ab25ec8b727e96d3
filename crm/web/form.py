"""A public form, its thank-you and the page behind the link to confirm. Anybody may open them; they need neither a login nor cookies nor
JavaScript, and stand in a frame on the sites that the form names and on no other."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from crm import capture_forms, submissions
from crm.channels.web_form import WebForm
from crm.models import CaptureForm, FormText, RefusedBecause, SubmissionState
from crm.refusal import Refused
from crm.web import access, limits, nudge
from crm.web.page import takes_up_to

LIMIT_SECONDS = 10 * 60
MOST_BYTES = 256 * 1024
"""Of one message. What is announced as more is not read."""


# The signed message id in the page does what a CSRF cookie would do, and the form acts with nobody's login.
@csrf_exempt
@login_not_required
@never_cache
@vary_on_headers("Accept-Language")
@takes_up_to(MOST_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest, slug: str) -> HttpResponse:
    """`lang` chooses among the languages of the form, `embed` leaves out what stands around it."""
    capture_form = access.capture_form(slug)
    text = _text(request, capture_form)
    with translation.override(text.language):
        is_post = request.method == "POST"
        site = _elsewhere(request) if is_post and not request.POST.get("message_id") else ""
        web_form = WebForm(
            request.POST if is_post else None,
            slug=slug,
            asked=capture_forms.asked(capture_form, text.language),
            consent=text.consent,
            plain_on=timezone.localdate() if site else None,
        )
        status = 200
        if is_post:
            status = _receive(request, capture_form, text, web_form, site)
            if status == 302:
                return _framed(redirect(f"{reverse('crm:form-thanks', args=[slug])}{_kept(request)}"), capture_form)
        context = _context(request, capture_form, text) | {"form": web_form, "is_from_elsewhere": bool(site)}
        return _framed(render(request, "public/form.html", context, status=status), capture_form)


@login_not_required
@vary_on_headers("Accept-Language")
@require_safe
def thanks(request: HttpRequest, slug: str) -> HttpResponse:
    capture_form = access.capture_form(slug)
    text = _text(request, capture_form)
    with translation.override(text.language):
        context = _context(request, capture_form, text)
        return _framed(render(request, "public/form_thanks.html", context), capture_form)


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Opening it does nothing, its one button sends the message. A link that we did not make is a page that is not there."""
    submission, at = access.submission_of_link(token), timezone.now()
    with translation.override(submission.language):
        context: dict[str, Any] = {"submission": submission, "capture_form": submission.form, "token": token}
        text = submission.form.texts.filter(language=submission.language).first()
        is_over = submission.state not in (SubmissionState.WAITING, SubmissionState.TAKEN) or (
            submission.state == SubmissionState.WAITING and submission.confirm_by <= at  # type: ignore[operator]
        )
        context |= {"text": text, "is_over": is_over, "is_done": submission.state == SubmissionState.TAKEN}
        if request.method == "POST" and not is_over:
            try:
                submissions.confirm(submission=submission, at=at)
                context["is_done"] = True
            except submissions.Expired:
                context["is_over"] = True
            except Refused as refusal:
                context["refusal"] = str(refusal)
        return render(request, "public/form_confirm.html", context)


def _receive(request: HttpRequest, capture_form: CaptureForm, text: FormText, web_form: WebForm, site: str) -> int:
    """The status to answer with, 302 when the visitor is thanked; what a verb refuses stands on the form. `site` is that of a plain form."""
    is_large = not web_form.is_valid() and web_form.is_only_large and bool(web_form.page_id or site)
    if not web_form.is_valid() and not is_large:
        return 200
    refused = RefusedBecause.NOT_ALLOWED if site and site not in capture_form.sites else None
    if not limits.may(request, f"form:{capture_form.pk}", most=settings.FORM_LIMIT, seconds=LIMIT_SECONDS):
        # A flood fills no disk: beyond as many again, nothing more is kept.
        if not limits.may(request, f"form-kept:{capture_form.pk}", most=settings.FORM_LIMIT, seconds=LIMIT_SECONDS):
            web_form.add_error(
                None, _("Many messages came from your connection. Please send yours once more in ten minutes.")
            )
            return 429
        refused = refused or RefusedBecause.TOO_MANY
    try:
        outcome = submissions.submit(
            form=capture_form,
            sent=web_form.submission(),
            language=text.language,
            refused=refused,
            site=site,
            at=timezone.now(),
        )
    except Refused as refusal:
        web_form.add_error(None, str(refusal))
        return 200
    if outcome.submission.state == SubmissionState.WAITING:
        nudge.mail()
    if is_large:
        web_form.add_error(None, _("Please make it shorter and send it once more. What you wrote is kept."))
        return 200
    if outcome.submission.state == SubmissionState.REFUSED and refused == RefusedBecause.TOO_MANY:
        web_form.add_error(
            None,
            _(
                "Many messages came from your connection. Yours is kept, and one of us looks at it. You need not send it again."
            ),
        )
        return 429
    return 302


# ---- Languages -----------------------------------------------------------------------------------------------------


def _text(request: HttpRequest, capture_form: CaptureForm) -> FormText:
    """Its words in the language that the address asks for, else the first that the browser asks for and it speaks, else its own."""
    spoken = {text.language: text for text in capture_form.texts.all()}
    wanted = [request.GET.get("lang", "")]
    wanted += [code.partition("-")[0] for code, _weight in parse_accept_lang_header(_accepted(request))]
    return next((spoken[code] for code in wanted if code in spoken), None) or spoken[capture_form.language]


def _accepted(request: HttpRequest) -> str:
    return request.headers.get("Accept-Language", "")[:500]


# ---- Where it stands -----------------------------------------------------------------------------------------------


def _context(request: HttpRequest, capture_form: CaptureForm, text: FormText) -> dict[str, Any]:
    codes = {one.language for one in capture_form.texts.all()}
    others = [(code, name) for code, name in settings.LANGUAGES if code in codes and code != text.language]
    is_embedded = "embed" in request.GET
    return {
        "capture_form": capture_form,
        "text": text,
        "frame": "public_embedded.html" if is_embedded else "public.html",
        "is_embedded": is_embedded,
        "kept": _kept(request),
        "other_languages": [
            {"code": code, "name": translation.get_language_info(code)["name_local"].capitalize()}
            for code, _name in others
        ],
    }


def _kept(request: HttpRequest) -> str:
    """What the address said of language and frame, for the next page."""
    query = {"lang": request.GET.get("lang", "")[:2], "embed": "1" if "embed" in request.GET else ""}
    said = "&".join(f"{name}={value}" for name, value in query.items() if value.isalnum())
    return f"?{said}" if said else ""


def _framed(response: HttpResponse, capture_form: CaptureForm) -> HttpResponse:
    """The sites of the form may show it in a frame; without any, nobody may."""
    if capture_form.sites:
        response._csp_replace = {"frame-ancestors": list(capture_form.sites)}  # type: ignore[attr-defined]
        response.xframe_options_exempt = True
    return response


def _elsewhere(request: HttpRequest) -> str:
    """The site of the page that posts, as the browser says; empty when it is ours, or the browser says nothing."""
    said = (capture_forms.site_of(request.headers.get(name, "")) for name in ("Origin", "Referer"))
    site = next(filter(None, said), "")
    # A proxy may have taken off the TLS, so our own page is told by its host.
    return "" if urlsplit(site).netloc == request.get_host().lower() else site
