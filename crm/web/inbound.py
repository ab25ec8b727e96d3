"""Where programs of ours post leads: signed, in JSON, answered in JSON. No login, no cookies; what is not signed leaves no trace."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm import hooks, sealed
from crm.channels import webhook
from crm.channels.webhook import MOST_BYTES, Unsigned
from crm.models import InboundHook
from crm.web import access
from crm.web.page import takes_up_to

log = logging.getLogger(__name__)


# Its signature does what a CSRF token would do, and it acts with nobody's login.
@takes_up_to(2**62)  # What is too large is refused below, in JSON and unread.
@csrf_exempt
@login_not_required
@never_cache
@require_POST
def deliver(request: HttpRequest, slug: str) -> JsonResponse:
    hook = access.open_hook(slug)
    if hook is None:
        return _no(404, _("There is no webhook at this address."))
    with translation.override(hook.language):
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdecimal() or int(announced[:19]) > MOST_BYTES:
            return _no(413, _("At most %(number)d KB.") % {"number": MOST_BYTES // 1024})
        try:
            posted = webhook.signed(request.body, request.headers, sealed.unseal(hook.sealed_secret))
        except sealed.CannotOpen:
            log.error("the secret of webhook %s was sealed with another key; renew it", hook.pk)
            return _no(503, _("We cannot read the secret of this address any more. Somebody has to renew it."))
        except Unsigned:
            return _no(
                401,
                _("Not signed with the secret of this address, or not within five minutes of now (Standard Webhooks)."),
            )
        return _answer(hook, hooks.deliver(hook=hook, posted=posted, at=timezone.now()))


def _answer(hook: InboundHook, delivered: hooks.Delivered) -> JsonResponse:
    delivery = delivered.delivery
    if delivered.is_other:
        return _no(409, delivery.refusal)
    if delivery.refusal:
        return _no(422 if delivered.is_readable else 400, delivery.refusal)
    return JsonResponse({"lead": delivery.lead_id, "is_new": delivered.is_new}, status=201 if delivered.is_new else 200)


def _no(status: int, error: str) -> JsonResponse:
    return JsonResponse({"error": error}, status=status)
