"""Addresses and domains whose mail stays out of Kring: one's own, and for those who lead everybody's."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm import correspondence
from crm.refusal import Refused
from crm.web import access, keyset
from crm.web.mailbox_forms import PrivateAddressForm
from crm.web.page import Request, render_page


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: Request) -> HttpResponse:
    form = PrivateAddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        is_everybodys = "everybody" in request.POST
        if is_everybodys and not request.user.is_leading:
            raise PermissionDenied(_("What stays out for everybody is decided by managers and administrators."))
        try:
            kept = correspondence.exclude(
                pattern=form.cleaned_data["pattern"], user=None if is_everybodys else request.user, at=timezone.now()
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Mail with %(pattern)s stays out from now on.") % {"pattern": kept.pattern})
            return redirect("crm:private-addresses")
    context: dict[str, Any] = {
        "form": form,
        "everybodys": access.mail_exclusions(None),
        "page": keyset.page(access.mail_exclusions(request.user), order=("pattern", "id"), at=request.GET),
    }
    return render_page(request, "crm/private_addresses.html", context, parts=("private",))


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    row = access.mail_exclusion(request, pk)
    correspondence.include(exclusion=row)
    messages.success(request, _("Mail with %(pattern)s is taken in again.") % {"pattern": row.pattern})
    return redirect("crm:private-addresses")
