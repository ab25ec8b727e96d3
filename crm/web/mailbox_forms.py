"""The forms by which a mailbox is connected and changed, with what is known of the servers that many people have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.models import Mailbox, MailSecurity
from crm.web.forms import KringForm


@dataclass(frozen=True)
class Preset:
    """The servers of one provider, and what somebody should know before they type a password."""

    name: str | Promise
    icon: str
    hint: str | Promise
    servers: dict[str, Any]


PRESETS = {
    "gmail": Preset(
        "Gmail",
        "brand-gmail",
        _(
            "Google lets programs in with an app password: make one in your Google account, under Security, and type it here instead of your own."
        ),
        {"imap_host": "imap.gmail.com", "smtp_host": "smtp.gmail.com"},
    ),
    "microsoft": Preset(
        "Microsoft 365",
        "brand-windows",
        _(
            "Microsoft lets programs in by password only where the administrator of your Microsoft 365 allows it (IMAP and an app password)."
        ),
        {
            "imap_host": "outlook.office365.com",
            "smtp_host": "smtp.office365.com",
            "smtp_port": 587,
            "smtp_security": MailSecurity.STARTTLS,
        },
    ),
    "own": Preset(
        _("Another server"),
        "server",
        _(
            "Your provider tells you the names of its servers; often they are called imap and smtp with your domain behind."
        ),
        {},
    ),
}
SERVERS = ("username", "imap_host", "imap_port", "imap_security", "smtp_host", "smtp_port", "smtp_security")


class ServersForm(KringForm):
    """Where a mailbox is read, and where its mail is sent."""

    username = forms.CharField(
        label=_("User name"), max_length=254, required=False, help_text=_("Empty: the address itself.")
    )
    imap_host = forms.CharField(label=_("Server for reading (IMAP)"), max_length=253)
    imap_port = forms.IntegerField(label=_("Port (IMAP)"), min_value=1, max_value=65535, initial=993)
    imap_security = forms.ChoiceField(label=_("Security (IMAP)"), choices=MailSecurity, initial=MailSecurity.TLS)
    smtp_host = forms.CharField(label=_("Server for sending (SMTP)"), max_length=253, required=False)
    smtp_port = forms.IntegerField(label=_("Port (SMTP)"), min_value=1, max_value=65535, initial=465)
    smtp_security = forms.ChoiceField(label=_("Security (SMTP)"), choices=MailSecurity, initial=MailSecurity.TLS)

    @property
    def servers(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in SERVERS}


class ConnectForm(ServersForm):
    """A mailbox that Kring does not read yet."""

    address = forms.EmailField(label=_("Address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        max_length=254,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("It is kept sealed, and nobody is ever shown it again."),
    )
    reads_since = forms.DateField(label=_("Read mail since"), help_text=_("Today, or a day at most ninety days ago."))

    def __init__(self, *args: Any, preset: Preset, today: date, **kwargs: Any) -> None:
        kwargs["initial"] = {"reads_since": today} | preset.servers | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)


class ChangeForm(ServersForm):
    """A mailbox that is connected. Its password is typed when it goes anywhere else, or is another one."""

    reads_since = forms.DateField(
        label=_("Read mail since"), help_text=_("An earlier day has the mail since then read, too.")
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=254,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Empty: the one that is kept. Needed when you change a server or the user name."),
    )

    def __init__(self, *args: Any, mailbox: Mailbox, **kwargs: Any) -> None:
        initial = {name: getattr(mailbox, name) for name in (*SERVERS, "reads_since")}
        super().__init__(*args, initial=initial, **kwargs)


class FoldersForm(KringForm):
    folders = forms.MultipleChoiceField(
        label=_("Folders to read"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one folder.")},
    )

    def __init__(self, *args: Any, names: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["folders"].choices = names  # type: ignore[attr-defined]


class PrivateAddressForm(KringForm):
    pattern = forms.CharField(
        label=_("Address or domain"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "els@example.com"}),
        help_text=_("A domain counts with everything below it. Mail that was taken in before stays."),
    )
