"""Tell a colleague by mail that something waits for them, in their own language, with a link to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from crm import outbox
from crm.models import OutgoingMail, Role, User


def tell(
    *, user: User, say: Callable[[], tuple[str, str]], path: str, at: datetime, by: User | None = None
) -> OutgoingMail | None:
    """A mail to the colleague is on its way: `say` gives subject and text, and is called in their language; `path` is the page that it leads to.
    Nobody is told of what they did themselves (`by`), and nobody who cannot log in: then `None`. The same again within ten minutes is sent once.
    """
    if not user.is_active or not user.email or (by is not None and by.pk == user.pk):
        return None
    with translation.override(user.language):
        subject, text = say()
        foot = _("You get this mail because it is your work in Kring.")
    body = f"{text.strip()}\n\n{settings.SITE_URL}{path}\n\n-- \n{foot}"
    return outbox.put(to=user.email, subject=subject, body=body, by=None, at=at)


def tell_those_who_lead(
    *, about: User | None, say: Callable[[], tuple[str, str]], path: str, at: datetime, by: User | None = None
) -> list[OutgoingMail]:
    """The managers of this colleague's team are told; where there is none, all managers, and where there is none at all, the administrators."""
    told = (tell(user=user, say=say, path=path, at=at, by=by) for user in leading(about))
    return [mail for mail in told if mail is not None]


def leading(about: User | None) -> Iterable[User]:
    """Who leads the work of this colleague."""
    active = list(User.objects.active().filter(role__in=(Role.MANAGER, Role.ADMIN)).order_by("name", "id"))
    managers = [user for user in active if user.role == Role.MANAGER]
    same_team = [user for user in managers if about is not None and about.team_id and user.team_id == about.team_id]
    return same_team or managers or active
