"""The form of the composer: a subject and a text for each language in which it goes out, when, through whom, and for the guard a reason."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import wording
from crm.models import EmailAddress, Mailbox, MailTemplate, User
from crm.models.users import Language
from crm.refusal import Refused
from crm.web.forms import KringForm
from crm.web.recipients import Recipients

OURS = "kring"
"""The sender that is this installation."""
BLANK = "blank"
"""No template: greeting, room and signature."""


class MailForm(KringForm):
    """What is typed is kept through every round; `offered` remembers the ready text, so that a template replaces it and nothing of one's own."""

    sender = forms.ChoiceField(label=gettext_lazy("From"))
    to = forms.ChoiceField(label=gettext_lazy("To"), error_messages={"required": gettext_lazy("Choose an address.")})
    template = forms.ChoiceField(label=gettext_lazy("Begin with"))
    is_information = forms.BooleanField(
        label=gettext_lazy("This sends information they asked for"),
        required=False,
        help_text=gettext_lazy("They get some days to read it before anybody of us is in touch again."),
    )
    moment = forms.DateTimeField(label=gettext_lazy("Send it later, at"), required=False)
    override = forms.CharField(
        label=gettext_lazy("Why write all the same?"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Or send it later. Your reason stands on their timeline."),
    )
    offered = forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)

    def __init__(
        self,
        *args: Any,
        recipients: Recipients,
        addresses: list[EmailAddress],
        mailboxes: list[Mailbox],
        templates: list[MailTemplate],
        user: User,
        is_reason_asked: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.recipients, self.user = recipients, user
        self.mailboxes = {str(mailbox.pk): mailbox for mailbox in mailboxes}
        self.templates = {str(template.pk): template for template in templates}
        self._offer_senders()
        if recipients.is_to_several:
            del self.fields["to"], self.fields["override"]
        else:
            self._offer_addresses(addresses)
            if not is_reason_asked and not self.data.get("override"):
                self.fields["override"].widget = forms.HiddenInput()
        if templates:
            blank = _("Greeting, room and signature")
            names = [(key, row.name) for key, row in self.templates.items()]
            self.fields["template"].choices = [(BLANK, blank), *names]  # type: ignore[attr-defined]
        else:
            del self.fields["template"]
        zone = timezone.get_current_timezone_name()
        self.fields["moment"].help_text = _("Leave it empty to send it now. The time is that of %(zone)s.") % {
            "zone": zone
        }
        for language in recipients.languages:
            self._add_letter(language)

    def _offer_senders(self) -> None:
        if not self.mailboxes:
            del self.fields["sender"]
            return
        choices = [(key, f"{self.user} <{mailbox.address}>") for key, mailbox in self.mailboxes.items()]
        choices.append((OURS, _("Kring, with answers to %(address)s") % {"address": self.user.email}))
        self.fields["sender"].choices = choices  # type: ignore[attr-defined]
        self.fields["sender"].initial = choices[0][0]

    def _offer_addresses(self, addresses: list[EmailAddress]) -> None:
        choices = [(row.address, _described(row)) for row in addresses]
        answers = self.recipients.answers
        sound = [row.address for row in addresses if row.bounced_at is None]
        if answers is not None and answers.from_address.lower() in sound:
            self.fields["to"].initial = answers.from_address.lower()
        elif sound:
            self.fields["to"].initial = sound[0]
        else:
            choices.insert(0, ("", _("mail to each of these came back; choose one all the same")))
        self.fields["to"].choices = choices  # type: ignore[attr-defined]

    def _add_letter(self, language: str) -> None:
        several = len(self.recipients.languages) > 1
        name = Language(language).label
        self.fields[f"subject_{language}"] = forms.CharField(
            label=_("Subject in %(language)s") % {"language": name} if several else _("Subject"),
            max_length=wording.MOST_SUBJECT,
            error_messages={"required": _("Give the mail a subject.")},
        )
        self.fields[f"text_{language}"] = forms.CharField(
            label=_("Text in %(language)s") % {"language": name} if several else _("Text"),
            max_length=wording.MOST_BODY,
            widget=forms.Textarea(attrs={"rows": 8 if several else 14, "lang": language, "spellcheck": "true"}),
            error_messages={"required": _("Write something to send.")},
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.recipients.is_to_several:
            for name in (*self.subjects, *self.texts):
                try:
                    wording.check(cleaned.get(name, ""))
                except Refused as refusal:
                    self.add_error(name, str(refusal))
        return cleaned

    @property
    def subjects(self) -> list[str]:
        return [f"subject_{language}" for language in self.recipients.languages]

    @property
    def texts(self) -> list[str]:
        return [f"text_{language}" for language in self.recipients.languages]

    @property
    def letters(self) -> list[dict[str, Any]]:
        """The fields of each language, for the page."""
        return [
            {"language": language, "subject": self[f"subject_{language}"], "text": self[f"text_{language}"]}
            for language in self.recipients.languages
        ]

    @property
    def mailbox(self) -> Mailbox | None:
        return self.mailboxes.get(self.cleaned_data.get("sender") or "")

    @property
    def chosen(self) -> MailTemplate | None:
        """The template that is chosen, in a form that may be wrong in other places."""
        return self.templates.get(self.data.get("template") or "")

    def is_untouched(self) -> bool:
        """Whether the texts are the ready ones, so that others may take their place."""
        typed = [str(self.data.get(name, "")) for name in (*self.subjects, *self.texts)]
        return not any(part.strip() for part in typed) or fingerprint(typed) == self.data.get("offered")

    def ask_reason(self) -> None:
        """Show the field for the reason, now that the guard asks for one."""
        self.fields["override"].widget = forms.TextInput(attrs={"autofocus": True})
        self.fields[
            "override"
        ].widget.is_required = True  # The guard refuses without it; so nobody reads "optional" beside it.


def fingerprint(texts: list[str]) -> str:
    """Of a ready text as a browser sends it back."""
    plain = "\x1f".join("\n".join(text.split("\r\n")).strip() for text in texts)
    return hashlib.sha256(plain.encode()).hexdigest()


def ready_texts(
    recipients: Recipients, template: MailTemplate | None, sender: User
) -> tuple[dict[str, str], list[str]]:
    """The values of the text fields: filled in for one, with placeholders for several. And what the writer should know about them."""
    values: dict[str, str] = {}
    notes: list[str] = []
    for language in recipients.languages:
        ready = _ready(recipients, template, language, sender)
        values[f"subject_{language}"] = recipients.subject or ready.subject
        values[f"text_{language}"] = ready.text
        if ready.lacks_language:
            notes.append(
                _("This template has no text in %(language)s, so it is in the other language.")
                % {"language": Language(language).label}
            )
        if ready.empty:
            notes.append(_("Nothing is known for: %(names)s.") % {"names": ", ".join(ready.empty)})
    texts = [values[f"subject_{language}"] for language in recipients.languages]
    texts += [values[f"text_{language}"] for language in recipients.languages]
    values["offered"] = fingerprint(texts)
    return values, notes


def _ready(recipients: Recipients, template: MailTemplate | None, language: str, sender: User) -> wording.Wording:
    if not recipients.is_to_several:
        person = recipients.only.person
        if template is None:
            return wording.blank(person=person, sender=sender)
        return wording.of(template, person=person, sender=sender, deal=recipients.deal)
    if template is None:
        return wording.Wording("", "{{ greeting }}\n\n\n\n{{ sender.signature }}", language)
    subject, text = wording.source(template, language)
    if text:
        return wording.Wording(subject, text, language)
    other = next(each for each in wording.LANGUAGES if wording.source(template, each)[1])
    return wording.Wording(*wording.source(template, other), other, lacks_language=True)


def _described(row: EmailAddress) -> str:
    if row.bounced_at is None:
        return row.address
    day = date_format(timezone.localtime(row.bounced_at), "j F Y")
    return _("%(address)s (mail came back on %(day)s)") % {"address": row.address, "day": day}
