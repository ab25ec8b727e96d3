"""The form at /f/<slug>/, and its like on other sites: what a browser posts becomes one `Submission`. Plain values, no database.

Our own page carries a signed message id. It is what makes a form that is posted twice one message: together with what is written it names the
message, so that a double click or a reload is the same one, while somebody who goes back and writes something else is not lost. A plain form on
another site has none; its message is named by what is written and the day.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.channels import reading_along
from crm.channels.web_fields import MOST, Asked, field_for

MESSAGE_ID_LASTS = timedelta(days=14)
"""How long an open page may wait before it is sent; after that it is shown again, with everything that was typed."""
AGAIN = "again"
"""Ends the message id of a page that shows what was typed before: whoever gets it may press at once."""
KEPT = 20_000
"""Letters that are kept of a field that is too long, for whoever looks at it."""


@dataclass(frozen=True)
class Submission:
    """One message as somebody sent it. `message_id` names it for ever, and `page_id` the page of ours that it was written on, if any.

    `opened_at` is when that page was first shown; `is_trap` says that a machine filled the field that people do not see, `is_large` that it is
    more than a person writes. `questions` are the words in which the answers were asked, by their keys.
    """

    message_id: str
    name: str
    email: str
    phone: str = ""
    organisation: str = ""
    job: str = ""
    postcode: str = ""
    country: str = ""
    message: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    consent: str = ""
    reading: str = ""
    page_id: str = ""
    opened_at: datetime | None = None
    is_trap: bool = False
    is_large: bool = False


class Consent(forms.CheckboxInput):
    """A tick under these words and no others: one that was set under words that have changed since is none."""

    def __init__(self, words: str) -> None:
        self.digest = digest(words)
        super().__init__(attrs={"value": self.digest})

    def format_value(self, value: Any) -> str:
        return self.digest

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return data.get(name) == self.digest


class WebForm(forms.Form):
    """The fields that a form asks, with the words of its consent. `slug` ties the message id to the form that it was made for; `plain_on` is the
    day on which a plain form of another site was posted, which has no such id."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        slug: str,
        asked: Sequence[Asked],
        consent: str = "",
        plain_on: date | None = None,
    ) -> None:
        super().__init__(data, use_required_attribute=True)
        self.slug, self.asked, self.consent, self.plain_on = slug, tuple(asked), consent, plain_on
        for one in self.asked:
            made = field_for(one)
            made.label, made.required = one.label, one.is_required
            made.widget.is_required = one.is_required
            self.fields[one.name] = made
        if consent:
            self.fields["consent"] = forms.BooleanField(label=consent, widget=Consent(consent), required=True)
            self.fields["consent"].error_messages["required"] = _(
                "Please read this and tick it, so that we may answer you."
            )
        self.fields["website"] = forms.CharField(label=_("Leave this empty"), required=False)
        self.fields["website"].widget.attrs |= {"autocomplete": "off", "tabindex": "-1"}
        self.fields["reading"] = forms.CharField(widget=forms.HiddenInput, required=False)
        self.fields["message_id"] = forms.CharField(widget=forms.HiddenInput, max_length=500, required=False)
        self.initial["message_id"] = new_message_id(slug)
        self.page_id, self.opened_at = "", None
        if data is not None:
            self.page_id, self.opened_at = _read_id(str(data.get("message_id", ""))[:500], slug)
            if not self.page_id:
                # What is shown again carries a fresh id, so that sending it once more works.
                self.data = {**_plain(data), "message_id": new_message_id(slug, again=True)}

    @property
    def shown(self) -> list[Any]:
        """The fields that people see, in order."""
        return [self[one.name] for one in self.asked] + ([self["consent"]] if self.consent else [])

    @property
    def is_only_large(self) -> bool:
        """Whether nothing is wrong but that it is more than a person writes."""
        codes = [error.code for errors in self.errors.as_data().values() for error in errors]
        return bool(codes) and set(codes) == {"max_length"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not self.page_id and self.plain_on is None:
            raise ValidationError(_("This page was open for a long time. Please send it once more; nothing is lost."))
        return cleaned

    def submission(self) -> Submission:
        """What was sent. For a form that is valid, or only too large."""
        is_large = self.is_only_large
        said = {name: self._said(name) for name in ("name", "email", *MOST, "country") if name in self.fields}
        answers = {one.key: answer for one in self.asked if one.key and (answer := self._said(one.name))}
        written = [*said.values(), *(f"{key}={value}" for key, value in answers.items())]
        page = self.page_id or f"{self.plain_on:%Y%m%d}"
        return Submission(
            f"{self.slug}:{page}:{digest(*written)}",
            answers=answers,
            questions={one.key: one.label for one in self.asked if one.key in answers},
            consent=self.consent if self.cleaned_data.get("consent") else "",
            reading=str(self.data.get("reading", ""))[: reading_along.LONGEST],
            page_id=self.page_id,
            opened_at=self.opened_at,
            is_trap=bool(self.cleaned_data.get("website")),
            is_large=is_large,
            **said,
        )

    def _said(self, name: str) -> str:
        if name not in self.cleaned_data:  # It is too long.
            return str(self.data.get(self.add_prefix(name), "")).replace("\0", "").strip()[:KEPT]
        value = self.cleaned_data[name]
        return "" if value is None else str(value).strip()


def digest(*words: str) -> str:
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:24]


# ---- Message ids ---------------------------------------------------------------------------------------------------


def new_message_id(slug: str, *, again: bool = False) -> str:
    """A message id that only we can make, for one page of this form."""
    nonce = secrets.token_urlsafe(12)
    return _signer(slug).sign(f"{nonce}.{AGAIN}" if again else nonce)


def _read_id(message_id: str, slug: str) -> tuple[str, datetime | None]:
    """The page that it names and since when that is open; nothing for an id that is not ours, or too old. Of a page that was shown again the
    moment is not known."""
    signer = _signer(slug)
    try:
        page = signer.unsign(message_id, max_age=MESSAGE_ID_LASTS)
    except signing.BadSignature:  # also one that is too old
        return "", None
    nonce, _point, again = page.partition(".")
    if again:
        return nonce, None
    stamp = message_id.split(signer.sep)[1]
    return nonce, datetime.fromtimestamp(signing.b62_decode(stamp), UTC)


def _signer(slug: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"crm.channels.web_form.{slug}")


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """The last value of each name, as a form reads it."""
    return {name: data.get(name) for name in data}
