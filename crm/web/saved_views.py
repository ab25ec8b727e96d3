"""The views that people keep of a list: kept, renamed, shared and removed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from crm import views
from crm.refusal import Refused
from crm.web import access
from crm.web.forms import KringForm
from crm.web.lists import LISTINGS, Listing
from crm.web.page import Request, render_page


class ViewForm(KringForm):
    """A list under a name. `replace` is asked only when the name is in use."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=views.LONGEST_NAME)
    is_shared = forms.BooleanField(label=gettext_lazy("Shared with everybody"), required=False)
    replace = forms.BooleanField(label=gettext_lazy("Replace the view that has this name"), required=False)


def listing_of(screen: str) -> Listing:
    if screen not in LISTINGS:
        raise Http404
    return LISTINGS[screen]


@require_safe
def index(request: Request, screen: str) -> HttpResponse:
    return _page(request, listing_of(screen))


@require_POST
def save(request: Request, screen: str) -> HttpResponse:
    """What is kept is what the list understood, and nothing else that stood in the address."""
    listing = listing_of(screen)
    asked = listing.ask(QueryDict(request.POST.get("query", "")), user=request.user, at=timezone.now())
    form = ViewForm(request.POST)
    if form.is_valid():
        try:
            view = views.save(
                screen=listing.screen, query=asked.query, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("“%(name)s” is kept.") % {"name": view.name})
            return redirect(asked.address)
    return _page(request, listing, form=form, asked=asked)


@require_POST
def change(request: Request, pk: int) -> HttpResponse:
    view = access.saved_view(request, pk, write=True)
    is_shared = request.POST.get("is_shared") == "on"
    try:
        views.change(view=view, name=request.POST.get("name", ""), is_shared=is_shared, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Saved."))
    return redirect("crm:views", view.screen)


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    view = access.saved_view(request, pk, write=not request.user.is_leading)
    views.remove(view=view, by=request.user)
    messages.success(request, _("“%(name)s” is removed.") % {"name": view.name})
    return redirect("crm:views", view.screen)


def _page(request: Request, listing: Listing, **more: Any) -> HttpResponse:
    kept = access.saved_views(request).filter(screen=listing.screen).order_by("name", "id")
    rows = list(kept[: 2 * views.MOST])
    context = {
        "listing": listing,
        "mine": [view for view in rows if view.owner_id == request.user.pk],
        "others": [view for view in rows if view.owner_id != request.user.pk],
        "nav": "people",
        **more,
    }
    return render_page(request, "crm/lists/views.html", context)
