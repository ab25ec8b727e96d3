"""Addresses and domains whose mail stays out of Kring, for one user or for everybody."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm.free_mail import FREE_MAIL_DOMAINS
from crm.models import MailExclusion, User
from crm.notation import parse_email
from crm.refusal import Refused

DOMAIN = re.compile(r"(?=.{3,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


@transaction.atomic
def exclude(*, pattern: str, user: User | None, at: datetime) -> MailExclusion:
    """Mail with this address or domain (and what lies below it) stays out from now on: that of `user`, or everybody's when there is none. What
    was taken in before stays. Refuses what is neither, and for everybody a domain at which anybody can have an address."""
    text = pattern.strip().lower().removeprefix("*").removeprefix("@")
    if "@" in text:
        text = parse_email(text)
    elif not DOMAIN.fullmatch(text):
        raise Refused(_("Write an address such as els@example.com, or a domain such as example.com."))
    if user is None and text in FREE_MAIL_DOMAINS:
        raise Refused(
            _("Anybody can have an address at %(domain)s. Keep out single addresses instead.") % {"domain": text}
        )
    return MailExclusion.objects.get_or_create(user=user, pattern=text, defaults={"created_at": at})[0]


def include(*, exclusion: MailExclusion) -> None:
    """Its mail is taken in again from now on; what stayed out meanwhile stays out."""
    MailExclusion.objects.filter(pk=exclusion.pk).delete()
