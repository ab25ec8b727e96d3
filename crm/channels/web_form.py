"""The hosted form at /f/<slug>/: what a browser posts becomes one `Submission`. Plain values, no database.

The page carries a signed message id of its own. It is what makes a form that is posted twice one message: together with what is written it names
the message, so that a double click or a reload is the same one, while somebody who goes back and writes something else is not lost.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

MESSAGE_ID_LASTS = timedelta(days=14)
"""How long an open page may wait before it is sent; after that it is shown again, with everything that was typed."""


@dataclass(frozen=True)
class Submission:
    """One message as somebody typed it. `message_id` names it for ever; `is_trap` when a machine filled the field that people do not see."""

    message_id: str
    name: str
    email: str
    phone: str = ""
    organisation: str = ""
    message: str = ""
    is_trap: bool = False


class WebForm(forms.Form):
    """The fields of every hosted form. `slug` ties the message id to the form that it was made for."""

    name = forms.CharField(label=_("Your name"), max_length=150)
    email = forms.EmailField(label=_("Your e-mail address"), max_length=254)
    organisation = forms.CharField(label=_("Your organisation"), max_length=200, required=False)
    phone = forms.CharField(
        label=_("Your phone number"),
        max_length=40,
        required=False,
        help_text=_("With its country code, such as +32 15 12 34 56."),
    )
    message = forms.CharField(
        label=_("What would you like to know?"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    website = forms.CharField(label=_("Leave this empty"), max_length=500, required=False)
    message_id = forms.CharField(widget=forms.HiddenInput, max_length=500, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, slug: str) -> None:
        super().__init__(data, initial={"message_id": new_message_id(slug)}, use_required_attribute=True)
        self.slug = slug
        for name, autocomplete in (
            ("name", "name"),
            ("email", "email"),
            ("phone", "tel"),
            ("organisation", "organization"),
        ):
            self.fields[name].widget.attrs["autocomplete"] = autocomplete
        self.fields["phone"].widget.input_type = "tel"
        self.fields["website"].widget.attrs |= {"autocomplete": "off", "tabindex": "-1"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not _is_ours(cleaned.get("message_id", ""), self.slug):
            # What is shown again carries a fresh id, so that sending it once more works.
            self.data = {**self.data.dict(), "message_id": new_message_id(self.slug)}  # type: ignore[attr-defined]
            raise forms.ValidationError(
                _("This page was open for a long time. Please send it once more; nothing is lost.")
            )
        return cleaned

    def submission(self) -> Submission:
        """What was sent. For a valid form only."""
        said = {name: self.cleaned_data[name].strip() for name in ("name", "email", "phone", "organisation", "message")}
        written = hashlib.sha256("\x1f".join(said.values()).encode()).hexdigest()[:24]
        nonce = self.cleaned_data["message_id"].partition(":")[0]
        return Submission(f"{self.slug}:{nonce}:{written}", is_trap=bool(self.cleaned_data["website"]), **said)


def new_message_id(slug: str) -> str:
    """A message id that only we can make, for one page of this form."""
    return _signer(slug).sign(secrets.token_urlsafe(12))


def _is_ours(message_id: str, slug: str) -> bool:
    try:
        _signer(slug).unsign(message_id, max_age=MESSAGE_ID_LASTS)
    except signing.BadSignature:  # also one that is too old
        return False
    return True


def _signer(slug: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"crm.channels.web_form.{slug}")
