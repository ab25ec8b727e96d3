"""The configuration pages for administrators: users and pipelines. Whatever a verb changes is not here."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import dates, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import teams
from crm.models import Pipeline, Stage, Team, User

logger = logging.getLogger(__name__)


class LabelledFormSet(BaseInlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            field.widget.attrs["aria-label"] = field.label


class LabelledInline(admin.TabularInline):
    """Each field says its name to a screen reader, since a table of fields has no labels."""

    formset = LabelledFormSet
    extra = 0


# The login is the one of Kring, with its limits on guessing; who is logged in and no administrator gets a plain refusal.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = gettext_lazy("Kring settings")
admin.site.site_title = gettext_lazy("Kring settings")
admin.site.index_title = gettext_lazy("What can be set up")
admin.site.site_url = "/settings/"

admin.site.unregister(Group)
admin.site.unregister(EmailAddress)


class UserForm(forms.ModelForm):
    """Working days by name; an address in lower case; somebody who can log in has one. The password shows only whether there is one."""

    password = ReadOnlyPasswordHashField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy(
            "Better than setting one: send a mail from the list, so that they choose it themselves."
        ),
    )

    working_days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Working days"),
        choices=lambda: list(dates.WEEKDAYS.items()),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def clean_email(self) -> str | None:
        return (self.cleaned_data.get("email") or "").strip().lower() or None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("is_active", self.instance.is_active) and "email" in cleaned and not cleaned["email"]:
            self.add_error("email", _("Somebody who can log in needs an e-mail address."))
        start, end = cleaned.get("work_start"), cleaned.get("work_end")
        if start and end and end <= start:
            self.add_error("work_end", _("The working day must end after it starts."))
        return cleaned


class NewUserForm(forms.ModelForm):
    """No password: whoever is added chooses one by a link in a mail."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("Kring sends a link there with which they choose a password."),
    )

    class Meta:
        model = User
        fields = ("name", "email", "role", "team", "language", "time_zone")  # noqa: RUF012

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Somebody with this address is a user already."))
        return email

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.set_unusable_password()
        if commit:
            user.save()
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """A user is never deleted, since their name stands on what they did; one who leaves cannot log in any more."""

    form = UserForm
    add_form = NewUserForm
    list_display = ("name", "email", "role", "team", "language", "is_active", "last_login")
    list_filter = ("role", "team", "is_active", "language")
    list_select_related = ("team",)
    search_fields = ("name", "email")
    ordering = ("-is_active", "name")
    filter_horizontal = ()
    actions = ("send_password_mail",)
    fieldsets = (
        (None, {"fields": ("name", "email", "password")}),
        (gettext_lazy("Work"), {"fields": ("role", "team", "is_active")}),
        (
            gettext_lazy("Language and hours"),
            {"fields": ("language", "time_zone", "working_days", "work_start", "work_end")},
        ),
        (gettext_lazy("History"), {"fields": ("date_joined", "last_login", "external_id")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "email", "role", "team", "language", "time_zone")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = ("date_joined", "last_login", "external_id")
        # Nobody locks themselves out, so there is always an administrator.
        return (*fixed, "role", "is_active") if obj is not None and obj.pk == request.user.pk else fixed

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        before = Team.objects.filter(pk=form.initial.get("team")).first() if change else None
        super().save_model(request, obj, form, change)
        # Hours that the administrator chose here are their own choice.
        if "team" in form.changed_data and not {"working_days", "work_start", "work_end"} & set(form.changed_data):
            assert isinstance(request.user, User)
            teams.settle(user=obj, before=before, by=request.user, at=timezone.now())
        if not change:
            self._send(request, obj)

    @admin.action(description=gettext_lazy("Send a mail to choose a password"))
    def send_password_mail(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for user in chosen:
            self._send(request, user)

    def _send(self, request: HttpRequest, user: User) -> None:
        form = ResetPasswordForm({"email": user.email or ""})
        if not user.is_active or not form.is_valid():
            text = _("%(name)s cannot log in, so there was nothing to send.")
            self.message_user(request, text % {"name": user}, messages.WARNING)
            return
        try:
            form.save(request)
        except (SMTPException, OSError):
            logger.exception("The mail to choose a password could not be sent")
            text = _(
                "The mail to %(address)s could not be sent. Look at the mail settings, then send it again from the list."
            )
            self.message_user(request, text % {"address": user.email}, messages.ERROR)
        else:
            text = _("A mail to choose a password is on its way to %(address)s.")
            self.message_user(request, text % {"address": user.email}, messages.SUCCESS)


class StageInline(LabelledInline):
    model = Stage
    fields = ("position", "name", "usual_days", "probability", "contact_days", "learned")
    readonly_fields = ("learned",)

    @admin.display(description=gettext_lazy("as won deals had it"))
    def learned(self, stage: Stage) -> str:
        if stage.learned_contact_days is None:
            return _("Nothing learned yet.")
        return _("%(days)s days, from %(deals)s won deals") % {
            "days": stage.learned_contact_days,
            "deals": stage.learned_from,
        }


@admin.register(Pipeline)
class PipelineAdmin(admin.ModelAdmin):
    list_display = ("name", "position", "stages_number")
    search_fields = ("name",)
    inlines = (StageInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pipeline]:
        return super().get_queryset(request).annotate(number=Count("stages"))

    @admin.display(description=gettext_lazy("stages"), ordering="number")
    def stages_number(self, pipeline: Any) -> int:
        return int(pipeline.number)
