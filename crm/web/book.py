"""Where a prospect chooses a time, moves it or calls it off: a link, a telephone, no login, no cookie. Opening it does nothing; a button does.

The token in the address is the right to act, so search engines are kept out and it is told to no other site.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm import appointments
from crm.channels import calendar
from crm.models import Appointment, AppointmentState, BookingLink
from crm.refusal import Refused
from crm.web import access, limits, nudge, query, slots
from crm.web.preferences import ZONES

LIMIT_SECONDS = 10 * 60
ICONS = {"phone": "phone", "video": "video", "visit": "map-pin"}

Show = Callable[[HttpRequest, BookingLink], HttpResponse]


def public(show: Show) -> Callable[[HttpRequest, str], HttpResponse]:
    """A page for whoever has the token, in the language of the link."""

    @wraps(show)
    def page(request: HttpRequest, token: str) -> HttpResponse:
        link = access.booking_link_of(token)
        with translation.override(link.language):
            response = show(request, link)
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    # The token in the address does what a CSRF cookie would do, and the page acts with nobody's login.
    return csrf_exempt(login_not_required(never_cache(page)))


@require_http_methods(["GET", "HEAD", "POST"])
@public
def book(request: HttpRequest, link: BookingLink) -> HttpResponse:
    """Choose a time (`at` in the address), say yes to it (POST), and see what was agreed."""
    at = timezone.now()
    booked = _standing(link)
    if request.method == "POST":
        if too_often := _too_often(request):
            return _choose(request, link, at, sorry=too_often, status=429)
        moment = slots.read(request.POST.get("at"))
        try:
            if moment is None:
                raise Refused(_("Choose a time."))
            appointments.book_by_link(
                link=link,
                starts_at=moment,
                note=request.POST.get("note", "")[:4000],
                time_zone=_zone(request, link).key,
                at=at,
            )
        except appointments.Taken:
            return _choose(request, link, at, sorry=_("Somebody was just before you. These times are still free."))
        except appointments.LinkClosed:
            return redirect("crm:book", link.token)
        except Refused as refusal:
            return _choose(request, link, at, sorry=str(refusal))
        nudge.mail()
        return redirect("crm:book", link.token)
    if booked is not None:
        return _agreed(request, link, booked, at)
    return _choose(request, link, at)


@require_http_methods(["GET", "HEAD", "POST"])
@public
def move(request: HttpRequest, link: BookingLink) -> HttpResponse:
    at = timezone.now()
    booked = _changeable(link, at)
    if booked is None:
        return redirect("crm:book", link.token)
    if request.method != "POST":
        return _choose(request, link, at, moving=booked)
    if too_often := _too_often(request):
        return _choose(request, link, at, moving=booked, sorry=too_often, status=429)
    moment = slots.read(request.POST.get("at"))
    try:
        if moment is None:
            raise Refused(_("Choose a time."))
        appointments.move(appointment=booked, starts_at=moment, by=None, at=at)
    except appointments.Taken:
        sorry = _("Somebody was just before you. These times are still free.")
        return _choose(request, link, at, moving=booked, sorry=sorry)
    except Refused as refusal:
        return _choose(request, link, at, moving=booked, sorry=str(refusal))
    nudge.mail()
    return redirect("crm:book", link.token)


@require_http_methods(["GET", "HEAD", "POST"])
@public
def cancel(request: HttpRequest, link: BookingLink) -> HttpResponse:
    at = timezone.now()
    booked = _changeable(link, at)
    if booked is None:
        return redirect("crm:book", link.token)
    sorry = _too_often(request) if request.method == "POST" else ""
    if request.method == "POST" and not sorry:
        try:
            appointments.cancel(appointment=booked, why=request.POST.get("why", "")[:300], by=None, at=at)
        except Refused as refusal:
            sorry = str(refusal)
        else:
            nudge.mail()
            return redirect("crm:book", link.token)
    return render(request, "public/book_cancel.html", {**_about(link, booked), "sorry": sorry})


@require_safe
@public
def file(request: HttpRequest, link: BookingLink) -> HttpResponse:
    """What was agreed, for a calendar that did not read the invitation."""
    booked = _standing(link)
    if booked is None or booked.state != AppointmentState.BOOKED:
        raise Http404
    entry = calendar.Entry(
        uid=booked.uid,
        sequence=booked.sequence,
        subject=booked.subject,
        starts_at=booked.starts_at,
        ends_at=booked.ends_at,
        changed_at=booked.state_at,
        place=booked.place,
        words=booked.note,
        link=request.build_absolute_uri(request.path.removesuffix("appointment.ics")),
    )
    text = calendar.feed([entry], name=booked.subject, zone=booked.time_zone)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    name = slugify(booked.subject) or "appointment"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return response


def _choose(
    request: HttpRequest,
    link: BookingLink,
    at: datetime,
    *,
    moving: Appointment | None = None,
    sorry: str = "",
    status: int = 200,
) -> HttpResponse:
    """The free times, or the one that was picked to say yes to; or, of a link that books nothing any more, what to do."""
    about = _about(link, moving)
    if moving is None and not (link.is_open(at) and appointments.may_offer(link)):
        return render(request, "public/book_closed.html", about, status=410)
    zone = _zone(request, link)
    minutes, travel = link.minutes, link.travel_minutes
    if moving is not None:
        minutes = round((moving.ends_at - moving.starts_at).total_seconds() / 60)
        travel = moving.travel_minutes
    found = slots.offered(
        link.user,
        minutes=minutes,
        at=at,
        zone=zone,
        since=query.day(request.GET.get("since")),
        travel_minutes=travel,
        not_counting=moving,
        most=slots.FEW_DAYS,
    )
    picked = None if sorry else slots.read(request.GET.get("at"))
    context = {
        **about,
        "zone": zone,
        "zones": [*ZONES, zone.key] if zone.key not in ZONES else ZONES,
        "is_zone_chosen": "zone" in request.GET or "zone" in request.POST,
        "slots": found,
        "picked": picked if picked and picked > at else None,
        "value": picked.isoformat() if picked else "",
        "sorry": sorry,
        "called_off": link.appointments.filter(state=AppointmentState.CANCELLED).exists() and moving is None,
        "act": "crm:book-move" if moving else "crm:book",
    }
    with timezone.override(zone):
        return render(request, "public/book.html", context, status=status)


def _agreed(request: HttpRequest, link: BookingLink, booked: Appointment, at: datetime) -> HttpResponse:
    zone = ZoneInfo(booked.time_zone)
    context = {
        **_about(link, booked),
        "zone": zone,
        "starts": booked.starts_at,
        "is_over": booked.state != AppointmentState.BOOKED or booked.starts_at <= at,
        "may_change": _changeable(link, at) is not None,
    }
    with timezone.override(zone):
        return render(request, "public/book_agreed.html", context)


def _about(link: BookingLink, booked: Appointment | None) -> dict[str, Any]:
    about = booked or link
    return {
        "link": link,
        "appointment": booked,
        "host": link.user,
        "organisation": settings.ORGANISATION_NAME,
        "kind": about.kind,
        "icon": ICONS[about.kind],
        "place": about.place,
        "minutes": round((booked.ends_at - booked.starts_at).total_seconds() / 60) if booked else link.minutes,
    }


def _standing(link: BookingLink) -> Appointment | None:
    """What was booked by it and not called off."""
    return link.appointments.standing().order_by("-pk").first()


def _changeable(link: BookingLink, at: datetime) -> Appointment | None:
    """What was booked by it and may still be moved or called off by it."""
    booked = _standing(link)
    if booked is None or booked.state != AppointmentState.BOOKED or booked.starts_at <= at or link.revoked_at:
        return None
    return None if appointments.is_worn_out(link) else booked


def _zone(request: HttpRequest, link: BookingLink) -> ZoneInfo:
    """The clock by which they read: the one they chose, else that of what they booked before, else what we know of them."""
    asked = request.POST.get("zone") or request.GET.get("zone", "")
    return ZoneInfo(asked) if asked in available_timezones() else appointments.zone_of(link.person)


def _too_often(request: HttpRequest) -> str:
    """What to say to whoever posts more often than people do; empty for everybody else."""
    if limits.may(request, "book", most=settings.FORM_LIMIT, seconds=LIMIT_SECONDS):
        return ""
    return _("Many requests came from your connection. Please try again in ten minutes.")
