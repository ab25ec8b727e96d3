"""Keep texts to begin a mail with: those that everybody shares, and everybody's own. One that cannot be filled in is never kept."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm import wording
from crm.models import MailTemplate, User
from crm.refusal import Refused


@transaction.atomic
def save(
    *,
    name: str,
    subject_en: str = "",
    body_en: str = "",
    subject_nl: str = "",
    body_nl: str = "",
    is_information: bool = False,
    is_active: bool = True,
    is_shared: bool = False,
    template: MailTemplate | None = None,
    by: User,
    at: datetime,
) -> MailTemplate:
    """The template is kept (a new one without `template`), in one language or both.

    Refuses one without a name or with the name of another, without a text, with a subject and no text or a text and no subject, with a placeholder
    that does not exist; and a shared one by anybody but those who lead.
    """
    if is_shared and not by.is_leading:
        raise Refused(_("Templates for everybody are kept by managers and administrators. Keep this one for yourself."))
    if template is not None:
        _must_be_kept_by(by, template)
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise Refused(_("Give the template a name."))
    texts = {
        "en": (_line(subject_en), _text(body_en), _("the English text")),
        "nl": (_line(subject_nl), _text(body_nl), _("the Dutch text")),
    }
    if not any(subject or body for subject, body, _words in texts.values()):
        raise Refused(_("Write the template in at least one language."))
    for subject, body, which in texts.values():
        if bool(subject) != bool(body):
            raise Refused(_("A template needs a subject and a text: look at %(which)s.") % {"which": which})
        wording.check(subject)
        wording.check(body)
    template = template or MailTemplate()
    template.name = name[:100]
    template.owner = None if is_shared else template.owner or by
    (template.subject_en, template.body_en, _en), (template.subject_nl, template.body_nl, _nl) = texts.values()
    template.is_information, template.is_active = is_information, is_active
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as clash:
        raise Refused(_("There is a template of this name already. Choose another name.")) from clash
    return template


@transaction.atomic
def remove(*, template: MailTemplate, by: User, at: datetime) -> None:
    """The template is gone; mails that were written with it stay as they are. Twice is once. Refuses one for everybody by any but those who
    lead."""
    _must_be_kept_by(by, template)
    MailTemplate.objects.filter(pk=template.pk).delete()


def _must_be_kept_by(by: User, template: MailTemplate) -> None:
    if template.owner_id is None and not by.is_leading:
        raise Refused(_("Templates for everybody are kept by managers and administrators."))


def _line(text: str) -> str:
    line = " ".join(text.replace("\0", "").split())
    if len(line) > wording.MOST_SUBJECT:
        raise Refused(_("A subject has at most %(most)d characters.") % {"most": wording.MOST_SUBJECT})
    return line


def _text(text: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if len(text) > wording.MOST_BODY:
        raise Refused(_("A text has at most %(most)d characters.") % {"most": wording.MOST_BODY})
    return text
