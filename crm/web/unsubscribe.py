"""The page behind the link at the foot of mail to several. Anybody may open it; opening it does nothing, its one button or the mail program's own
ends such mail. A link that we did not make is a page that is not there."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm import unsubscribing, wording
from crm.web import access


# The signed link does what a CSRF cookie would do: a mail program posts without one (RFC 8058), and acts with nobody's login.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    person = access.person_of_link(token)
    if request.method == "POST":
        unsubscribing.unsubscribe(person=person, at=timezone.now())
    with translation.override(wording.language_of(person)):
        return render(
            request, "public/unsubscribe.html", {"token": token, "is_done": unsubscribing.is_unsubscribed(person)}
        )
