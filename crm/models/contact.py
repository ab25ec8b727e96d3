"""How people speak with each other, and the columns of last contact that four nouns share."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConversationKind(models.TextChoices):
    CALL = "call", _("Call")
    EMAIL = "email", _("E-mail")
    VIDEO = "video", _("Video call")
    VISIT = "visit", _("Visit")
    CHAT = "chat", _("Chat")
    EVENT = "event", _("Event")


class Direction(models.TextChoices):
    """Who spoke. Both ways and incoming are a reply; outgoing alone is contact without one."""

    BOTH = "both", _("we spoke")
    OUTGOING = "outgoing", _("we wrote")
    INCOMING = "incoming", _("they wrote")


REPLIES = (Direction.BOTH, Direction.INCOMING)


class Contacted(models.Model):
    """Last contact (any direction) and last reply (they wrote or we spoke): when, and which conversation, which says by whom.

    Derived from conversations and written only by `crm.conversations`; `None` means *never*, which is a state and sorts as oldest. The database
    keeps no constraint on the two links, since whatever removes a conversation computes them afresh in the same transaction.
    """

    last_contact_at = models.DateTimeField(_("last contact"), null=True, blank=True, editable=False)
    last_contact = models.ForeignKey(
        "crm.Conversation",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    last_reply_at = models.DateTimeField(_("last reply"), null=True, blank=True, editable=False)
    last_reply = models.ForeignKey(
        "crm.Conversation",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        abstract = True
