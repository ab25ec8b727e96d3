"""How full one's own agenda may get: breathing space, appointments a day, hours of notice."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm import appointments
from crm.models import User
from crm.web import access
from crm.web.forms import KringModelForm
from crm.web.page import Request, render_page


class AgendaForm(KringModelForm):
    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["buffer_minutes", "most_appointments", "notice_hours"]
        help_texts: ClassVar[dict[str, Any]] = {
            "buffer_minutes": gettext_lazy("To write down what was said, and to breathe."),
            "most_appointments": gettext_lazy(
                "A day with more is not offered to prospects. Colleagues may still ask you."
            ),
            "notice_hours": gettext_lazy("So that nobody books you while you are on your way to something else."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, least, most in (("buffer_minutes", 0, 240), ("most_appointments", 1, 50), ("notice_hours", 0, 720)):
            field = self.fields[name]
            field.validators += [MinValueValidator(least), MaxValueValidator(most)]
            field.widget.attrs |= {"min": least, "max": most}


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: Request) -> HttpResponse:
    form = AgendaForm(request.POST or None, instance=access.host(request.user.pk))
    if request.method == "POST" and form.is_valid():
        appointments.set_limits(user=request.user, **form.cleaned_data, by=request.user, at=timezone.now())
        messages.success(request, _("Saved. What is booked already stays."))
        return redirect("crm:agenda-settings")
    return render_page(request, "crm/agenda_settings.html", {"form": form, "nav": "agenda"})
