"""A link at the foot of mail to several with which whoever got it ends such mail by one click, without a login and without telling us why.

The link names the person and is signed, so nobody can make one for somebody else; it works for as long as the mail lies in somebody's inbox.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crm import do_not_contact
from crm.models import DoNotContact, Merge, Mergeable, Person, Scope

SIGNED_FOR = "crm.unsubscribing"
MOST_MERGES = 20
FOOT = {
    "en": "You get this mail from {organisation}. Would you rather not have such mail? One click ends it:\n{link}",
    "nl": "U krijgt deze mail van {organisation}. Liever geen mail zoals deze? Met één klik stopt het:\n{link}",
}


def link(person: Person) -> str:
    """The address at which this person ends mail from us."""
    token = _signer().sign(str(person.pk))
    return f"{settings.SITE_URL}{reverse('crm:unsubscribe', args=[token])}"


def foot(person: Person, language: str) -> str:
    """The line at the foot of a mail to several, with the link, in their language."""
    words = FOOT.get(language, FOOT["en"])
    return words.format(organisation=settings.ORGANISATION_NAME, link=link(person))


def whose(token: str) -> Person | None:
    """The person that a link of ours names; `None` for one that we never made, or whose person is no more."""
    try:
        key = int(_signer().unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    for _step in range(MOST_MERGES):  # Whoever became part of somebody else is that person now.
        person = Person.objects.filter(pk=key).first()
        if person is not None:
            return person
        merge = Merge.objects.standing().filter(kind=Mergeable.PERSON, gone_id=key).first()
        if merge is None:
            return None
        key = merge.kept_id
    return None


def is_unsubscribed(person: Person) -> bool:
    """Whether they asked us for no mail."""
    wishes = DoNotContact.objects.standing().filter(person=person)
    return wishes.filter(scope__in=(Scope.MAIL, Scope.CONTACT)).exists()


@transaction.atomic
def unsubscribe(*, person: Person, at: datetime) -> None:
    """They get no mail from us any more, and everybody sees that they asked so themselves. Twice is once."""
    if is_unsubscribed(person):
        return
    with translation.override(settings.LANGUAGE_CODE):  # Our colleagues read it, and not the visitor.
        do_not_contact.bar(
            scope=Scope.MAIL,
            person=person,
            reason=_("unsubscribed from mail"),
            source=_("unsubscribed by themselves"),
            by=None,
            at=at,
        )


def _signer() -> signing.Signer:
    return signing.Signer(salt=SIGNED_FOR, sep=".")
