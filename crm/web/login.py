"""The account forms in our words: labels instead of placeholders, and one way to a forgotten password."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.utils.translation import gettext_lazy as _


class _Ours:
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        for name in ("login", "email"):
            if name in self.fields:
                self.fields[name].label = _("E-mail address")
                self.fields[name].widget.attrs["autocomplete"] = "email"


class LoginForm(_Ours, allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""  # the page has the link


class ResetPasswordForm(_Ours, allauth_forms.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(_Ours, allauth_forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(_Ours, allauth_forms.ChangePasswordForm):
    pass
