"""Who may come in, and where they land: people whom an administrator gave an account. Nobody signs up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.views.decorators.http import require_safe

from crm.models import Role, User
from crm.web import access, limits
from crm.web.page import Request

FIRST_SCREEN = {
    Role.SDR: "crm:inbox",
    Role.ACCOUNT_MANAGER: "crm:today",
    Role.MANAGER: "crm:dashboard",
    Role.ADMIN: "crm:settings",
}


class Backend(AuthenticationBackend):
    """Reads who is logged in together with what is unread for them, so that the bell on every page costs no query of its own."""

    def get_user(self, user_id: Any) -> User | None:
        return access.user_of_session(user_id)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """By which attempts are counted: the same as for public forms, and never a reason to refuse a login."""
        return limits.address(request)

    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: Any = None
    ) -> EmailMessage:
        """In the language of the one who reads it, which is not always that of the browser that asked for it."""
        language = getattr(context.get("user"), "language", None) or translation.get_language()
        with translation.override(language):
            return super().render_mail(template_prefix, email, context, headers)

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        super().send_notification_mail(template_prefix, user, {"user": user, **(context or {})}, email)


@require_safe
def home(request: Request) -> HttpResponse:
    """Each role lands on its own screen."""
    return redirect(FIRST_SCREEN.get(Role(request.user.role), "crm:today"))
