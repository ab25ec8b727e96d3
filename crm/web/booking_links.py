"""Send somebody a link by which they choose a time themselves: make one, read it, write the mail with it, revoke it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import appointments
from crm.models import BookingLink
from crm.refusal import Refused
from crm.web import access
from crm.web.meeting_form import About, MeetingForm
from crm.web.page import Request, page_of, render_page


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    about = About.of(request)
    if request.method == "POST" and "make" in request.POST:
        form = MeetingForm(request.POST, about=about)
        if form.is_valid():
            try:
                link = appointments.offer_link(**form.said(), by=request.user, at=timezone.now())
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("The link is made. It is valid for two weeks."))
                return redirect("crm:booking-link", link.pk)
    else:
        typed = {name: request.POST.get(name, "") for name in MeetingForm.base_fields} if request.POST else {}
        form = MeetingForm(initial={**about.start(request), **typed}, about=about)
    return render_page(request, "crm/booking_link_new.html", {"form": form, "about": about, "nav": "agenda"})


@require_safe
def booking_link(request: Request, pk: int) -> HttpResponse:
    link = access.booking_link(request, pk)
    context = {
        "link": link,
        "address": address(link),
        "is_open": link.is_open(timezone.now()),
        "appointment": link.appointments.standing().order_by("-pk").first(),
        "write": _write(link),
        "back": page_of(link.lead, link.deal, link.person),
        "nav": "agenda",
    }
    return render_page(request, "crm/booking_link.html", context)


@require_POST
def revoke(request: Request, pk: int) -> HttpResponse:
    link = access.booking_link(request, pk)
    appointments.revoke_link(link=link, by=request.user, at=timezone.now())
    messages.success(request, _("Revoked. Nothing can be booked by it any more."))
    return redirect(page_of(link.lead, link.deal, link.person))


def address(link: BookingLink) -> str:
    """Where the prospect chooses: the whole address, as a mail needs it."""
    return settings.SITE_URL + reverse("crm:book", args=[link.token])


def _write(link: BookingLink) -> str:
    """The composer with a ready mail, about the same lead or deal."""
    named = (("lead", link.lead_id), ("deal", link.deal_id))
    about = "".join(f"&{name}={pk}" for name, pk in named if pk is not None)
    return f"{reverse('crm:mail-new')}?person={link.person_id}{about}&link={link.pk}"
