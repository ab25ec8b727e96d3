"""A user's own settings: name, language, time zone, working hours and signature; and the language switch that everyone has."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import dates, timezone, translation
from django.utils.formats import time_format
from django.utils.translation import check_for_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm import mailboxes, people, teams
from crm.models import User
from crm.web.forms import KringModelForm
from crm.web.page import Request, back_to, render_page

CONTINENTS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)
MOST_SIGNATURE = 500
EARLIEST_DIGEST, LATEST_DIGEST = time(5), time(20)
"""Who works in the evening has their morning late; after eight there is no day left to tell of."""
ZONES = sorted(zone for zone in available_timezones() if zone.startswith(CONTINENTS))


class PreferencesForm(KringModelForm):
    working_days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Working days"),
        choices=lambda: [(number, name) for number, name in dates.WEEKDAYS.items()],
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one day.")},
    )

    sectors = forms.CharField(
        label=gettext_lazy("Sectors I know"),
        help_text=gettext_lazy("With commas between: interiors, retail. It helps to find who fits a lead."),
        max_length=500,
        required=False,
    )
    most_follow_ups = forms.IntegerField(
        label=gettext_lazy("Follow-ups a day, at most"),
        help_text=gettext_lazy("Today shows what fits between your appointments, and never more. Usual: 12."),
        min_value=1,
        max_value=50,
    )
    interests = forms.CharField(
        label=gettext_lazy("I like to talk about"),
        help_text=gettext_lazy("What you may share with a prospect, with commas between: sailing, choirs."),
        max_length=500,
        required=False,
    )

    class Meta:
        model = User
        fields: ClassVar[list[str]] = [
            "name", "language", "time_zone", "working_days", "work_start", "work_end", "mail_signature",
            "sectors", "interests", "most_follow_ups", "gets_digest", "digest_at",
        ]  # fmt: skip
        help_texts: ClassVar[dict[str, Any]] = {
            "time_zone": gettext_lazy("A name such as Europe/Brussels. “Today” is the day there."),
            "work_start": gettext_lazy("Response clocks run only while you work."),
            "gets_digest": gettext_lazy("Your day in short, on working days, only when there is something to do."),
        }
        labels: ClassVar[dict[str, Any]] = {
            "gets_digest": gettext_lazy("Mail me in the morning what the day holds"),
            "digest_at": gettext_lazy("Mail me at"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget.attrs |= {"list": "time-zones", "autocomplete": "off"}
        self.fields["time_zone"].show_hidden_initial = False
        self.fields["name"].widget.attrs |= {"autocomplete": "name"}
        for name in ("sectors", "interests"):
            self.initial[name] = ", ".join(self.initial[name])
        signature = self.fields["mail_signature"]
        signature.validators.append(MaxLengthValidator(MOST_SIGNATURE))
        # Without one, the name stands there.
        signature.widget.attrs |= {"rows": 3, "maxlength": MOST_SIGNATURE, "placeholder": self.instance.name}

    def clean_sectors(self) -> list[str]:
        return self.parsed("sectors", lambda text: people.words(text.split(",")))

    def clean_interests(self) -> list[str]:
        return self.parsed("interests", lambda text: people.words(text.split(",")))

    def clean_digest_at(self) -> time:
        chosen: time = self.cleaned_data["digest_at"]
        if not EARLIEST_DIGEST <= chosen <= LATEST_DIGEST:
            raise forms.ValidationError(
                _("Choose a time between %(earliest)s and %(latest)s.")
                % {"earliest": time_format(EARLIEST_DIGEST, "H:i"), "latest": time_format(LATEST_DIGEST, "H:i")}
            )
        return chosen

    def clean_mail_signature(self) -> str:
        return "\n".join(str(self.cleaned_data["mail_signature"]).splitlines()).strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("work_start"), cleaned.get("work_end")
        if start and end and end <= start:
            self.add_error("work_end", _("The working day must end after it starts."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: Request) -> HttpResponse:
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        # Only these columns, so that somebody who changes this user's role meanwhile is not undone.
        request.user.save(update_fields=[name for name in form.Meta.fields if name not in teams.HOURS])
        teams.set_hours(
            user=request.user,
            **{name: form.cleaned_data[name] for name in teams.HOURS},
            by=request.user,
            at=timezone.now(),
        )
        translation.activate(request.user.language)
        messages.success(request, _("Your preferences are saved."))
        response = redirect("crm:preferences")
        _remember(response, request.user.language)
        return response
    if request.method == "POST":
        request.user.refresh_from_db(fields=form.Meta.fields)  # the header must not show what was refused
    context = {
        "form": form,
        "zones": ZONES,
        "forwarding": mailboxes.forwarding_address(user=request.user),
        "takes_mail_in": bool(settings.MAIL_IN_DOMAIN),
    }
    return render_page(request, "crm/preferences.html", context, parts=("preferences",))


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """From now on this browser, and the user who is logged in, reads this language."""
    wanted = request.POST.get("language", "")
    response = HttpResponseRedirect(back_to(request, "/"))
    if wanted in dict(settings.LANGUAGES) and check_for_language(wanted):
        if request.user.is_authenticated:
            request.user.language = wanted
            request.user.save(update_fields=["language"])
        _remember(response, wanted)
    return response


def _remember(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 60 * 60,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
