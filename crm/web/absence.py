"""An absence message asks whether somebody is to be left in peace until they are back: the answer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import correspondence
from crm.refusal import Refused
from crm.web import access
from crm.web.page import Request


@require_POST
def answer(request: Request, pk: int, message_pk: int) -> HttpResponse:
    person = access.person(request, pk, write=True)
    is_heeded = "yes" in request.POST
    try:
        correspondence.answer_absence(
            message=access.absence(person, message_pk),
            person=person,
            is_heeded=is_heeded,
            by=request.user,
            at=timezone.now(),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("%(name)s is left in peace until then.") % {"name": person} if is_heeded else _("Noted.")
        )
    return redirect("crm:person", pk)
