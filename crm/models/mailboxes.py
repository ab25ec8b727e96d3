"""Mail that comes in: where it is fetched, what was fetched, and texts to begin a mail with."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm.models.contact import Direction
from crm.models.conversations import Conversation
from crm.models.users import Team


class MailSecurity(models.TextChoices):
    TLS = "tls", _("TLS from the first byte")
    STARTTLS = "starttls", _("STARTTLS")
    NONE = "none", _("none, on this machine only")


def inbox_only() -> list[str]:
    return ["INBOX"]


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    def due(self, at: datetime) -> MailboxQuerySet:
        """Connected ones that nobody is fetching from at this moment."""
        return self.filter(is_active=True).filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=at))


class Mailbox(models.Model):
    """A mailbox that Kring reads by IMAP, and through which it may write by SMTP: of one user, or shared when it has no owner.

    The password stands here sealed (`crm.sealed`). A worker claims a mailbox by moving `claimed_until` on.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="mailboxes",
        verbose_name=_("owner"),
        help_text=_("Empty: shared by everybody."),
    )
    address = models.EmailField(_("address"))
    username = models.CharField(_("user name"), max_length=254)
    sealed_password = models.TextField(editable=False)
    imap_host = models.CharField(_("IMAP server"), max_length=253)
    imap_port = models.PositiveIntegerField(_("IMAP port"), default=993)
    imap_security = models.CharField(_("IMAP security"), max_length=8, choices=MailSecurity, default=MailSecurity.TLS)
    smtp_host = models.CharField(
        _("SMTP server"),
        max_length=253,
        blank=True,
        help_text=_("Empty: mail is sent by the server of this installation."),
    )
    smtp_port = models.PositiveIntegerField(_("SMTP port"), default=465)
    smtp_security = models.CharField(_("SMTP security"), max_length=8, choices=MailSecurity, default=MailSecurity.TLS)
    folders = ArrayField(models.CharField(max_length=200), verbose_name=_("folders"), default=inbox_only)
    reads_since = models.DateField(_("mail since"))
    makes_leads = models.BooleanField(
        _("makes leads of enquiries"),
        default=False,
        db_default=False,
        help_text=_("Mail of somebody with whom nothing is open becomes a lead. For a shared mailbox such as info@."),
    )
    lead_origin = models.CharField(_("origin of its leads"), max_length=50, blank=True, db_default="")
    lead_team = models.ForeignKey(
        Team,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("team that gets its leads"),
        help_text=_("Empty: by the rules of assignment."),
    )
    is_active = models.BooleanField(_("connected"), default=True)
    offers_idle = models.BooleanField(_("says at once when mail arrives"), default=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(_("last looked"), null=True, blank=True)
    failure = models.TextField(_("what went wrong"), blank=True)
    failing_since = models.DateTimeField(_("going wrong since"), null=True, blank=True)
    created_at = models.DateTimeField(_("connected on"))

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        constraints = [
            models.UniqueConstraint(fields=["owner", "address"], nulls_distinct=False, name="mailbox_once_per_owner"),
            models.CheckConstraint(condition=Q(address=Lower("address")), name="mailbox_address_lower"),
            models.CheckConstraint(
                condition=Q(makes_leads=False) | Q(owner__isnull=True), name="mailbox_makes_leads_is_shared"
            ),
            models.CheckConstraint(
                condition=Q(failure="", failing_since__isnull=True) | (~Q(failure="") & Q(failing_since__isnull=False)),
                name="mailbox_failure_dated",
            ),
        ]

    def __str__(self) -> str:
        return self.address


class MailFolder(models.Model):
    """How far a folder was read. A server that gives its folder another `uid_validity` has numbered its messages anew."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="read_folders")
    name = models.CharField(max_length=200)
    uid_validity = models.BigIntegerField()
    last_uid = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="mail_folder_once")]

    def __str__(self) -> str:
        return f"{self.mailbox} {self.name}"


class MessageState(models.TextChoices):
    """What became of a message that was fetched."""

    TAKEN = "taken", _("taken in")
    UNKNOWN = "unknown", _("from and to nobody we know")
    EXCLUDED = "excluded", _("kept out on request")
    NOTICE = "notice", _("a notice of the mail system")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("could not be read yet")


class MailMessage(models.Model):
    """One message, remembered once whoever fetched it and from how many folders. Its people, moment and direction stand on its conversation.

    `key` is its Message-ID, or the SHA-256 of its bytes when it has none. Of a message that was not taken in nothing is kept but key, state and
    reason; of one that failed its bytes, so that it can be read again.
    """

    key = models.CharField(max_length=255, unique=True)
    thread = models.CharField(max_length=255, blank=True, help_text=_("The key of the first message of its thread."))
    state = models.CharField(_("state"), max_length=8, choices=MessageState)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages")
    conversation = models.OneToOneField(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="message"
    )
    direction = models.CharField(max_length=8, choices=Direction, blank=True)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    from_name = models.CharField(_("from"), max_length=200, blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    to = ArrayField(models.CharField(max_length=254), verbose_name=_("to"), default=list, blank=True)
    cc = ArrayField(models.CharField(max_length=254), verbose_name=_("copy to"), default=list, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    taken_at = models.DateTimeField(_("fetched"))
    text = models.TextField(blank=True, help_text=_("What this message adds, without quotes and signature."))
    quoted = models.TextField(blank=True)
    signature = models.TextField(blank=True)
    html = models.TextField(blank=True, help_text=_("Cleaned."))
    is_automatic = models.BooleanField(default=False)
    away_until = models.DateField(
        _("away until"), null=True, blank=True, help_text=_("What an absence message says; offered as a not-before.")
    )
    away_answered_at = models.DateTimeField(null=True, blank=True)
    raw = models.BinaryField(null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MessageState.values), name="mail_message_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["refused", "failed"]) | ~Q(reason=""), name="mail_message_refused_with_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["thread", "sent_at"], condition=~Q(thread=""), name="mail_message_by_thread"),
            models.Index(
                F("taken_at").desc(),
                F("id").desc(),
                condition=Q(state__in=["refused", "failed"]),
                name="mail_message_wrong",
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.key


class MessagePlace(models.Model):
    """Where a message was found. The same folder, validity and number is the same message, so it is never taken in twice."""

    message = models.ForeignKey(MailMessage, on_delete=models.CASCADE, related_name="places")
    folder = models.ForeignKey(MailFolder, on_delete=models.CASCADE, related_name="places")
    uid_validity = models.BigIntegerField()
    uid = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["folder", "uid_validity", "uid"], name="message_place_once")]

    def __str__(self) -> str:
        return f"{self.folder} {self.uid}"


class Attachment(models.Model):
    """A file that came with a message. One that was too large is named, with its size, and not kept."""

    message = models.ForeignKey(MailMessage, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    content = models.BinaryField(null=True, blank=True)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name


class MailExclusion(models.Model):
    """An address or a domain whose mail stays out of Kring: for one user, or for everybody when it has no user."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="mail_exclusions"
    )
    pattern = models.CharField(_("address or domain"), max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("private address")
        verbose_name_plural = _("private addresses")
        constraints = [
            models.UniqueConstraint(fields=["user", "pattern"], nulls_distinct=False, name="mail_exclusion_once"),
            models.CheckConstraint(condition=Q(pattern=Lower("pattern")), name="mail_exclusion_lower"),
        ]

    def __str__(self) -> str:
        return self.pattern


class MailTemplate(models.Model):
    """A text to begin a mail with, in both languages; placeholders such as `{{ person.given_name }}` are filled in when it is chosen."""

    name = models.CharField(_("name"), max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="mail_templates",
        verbose_name=_("owner"),
        help_text=_("Empty: for everybody."),
    )
    subject_en = models.CharField(_("subject in English"), max_length=200, blank=True)
    body_en = models.TextField(_("text in English"), blank=True)
    subject_nl = models.CharField(_("subject in Dutch"), max_length=200, blank=True)
    body_nl = models.TextField(_("text in Dutch"), blank=True)
    is_information = models.BooleanField(
        _("sends information"), default=False, help_text=_("They get some days to read it before anybody calls.")
    )
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("mail template")
        verbose_name_plural = _("mail templates")
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], nulls_distinct=False, name="mail_template_name_once"),
            models.CheckConstraint(
                condition=(~Q(subject_en="") & ~Q(body_en="")) | (~Q(subject_nl="") & ~Q(body_nl="")),
                name="mail_template_in_a_language",
            ),
        ]

    def __str__(self) -> str:
        return self.name
