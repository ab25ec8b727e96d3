"""Where administrators write the definition of a customer."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from qualification import versions
from qualification.models import Criterion, Scorecard


class LabelledFormSet(BaseInlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            field.widget.attrs["aria-label"] = field.label


class LabelledInline(admin.TabularInline):
    """Each field says its name to a screen reader, since a table of fields has no labels."""

    formset = LabelledFormSet
    extra = 0


class CriterionInline(LabelledInline):
    model = Criterion
    fields = ("position", "side", "question", "help_text", "weight", "is_must")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and versions.is_used(obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and versions.is_used(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and versions.is_used(obj))


@admin.register(Scorecard)
class ScorecardAdmin(admin.ModelAdmin):
    """A version that has been used can be put in and out of use and nothing else; its next version is an action away."""

    list_display = ("name", "version", "is_active", "questions", "uses", "threshold_ours", "threshold_theirs")
    list_filter = ("is_active", "name")
    search_fields = ("name", "criteria__question")
    ordering = ("name", "-version")
    fields = ("name", "version", "description", "threshold_ours", "threshold_theirs", "is_active", "used")
    inlines = (CriterionInline,)
    actions = ("make_new_version",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scorecard]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                questions_number=Count("criteria", distinct=True), uses_number=Count("assessments", distinct=True)
            )
        )

    @admin.display(description=gettext_lazy("questions"), ordering="questions_number")
    def questions(self, scorecard: Any) -> int:
        return int(scorecard.questions_number)

    @admin.display(description=gettext_lazy("uses"), ordering="uses_number")
    def uses(self, scorecard: Any) -> int:
        return int(scorecard.uses_number)

    @admin.display(description=gettext_lazy("may be edited"))
    def used(self, scorecard: Scorecard) -> str:
        if not versions.is_used(scorecard):
            return _("Yes: nobody has been assessed by it yet.")
        return _("No: answers were given on it and keep it. In the list, choose “Make a new version”.")

    def get_readonly_fields(self, request: HttpRequest, obj: Scorecard | None = None) -> tuple[str, ...]:
        if obj is not None and versions.is_used(obj):
            return ("name", "version", "description", "threshold_ours", "threshold_theirs", "used")
        return ("version", "used")

    def has_delete_permission(self, request: HttpRequest, obj: Scorecard | None = None) -> bool:
        return obj is not None and not versions.is_used(obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_changeform_initial_data(request), "is_active": True}

    @admin.action(description=gettext_lazy("Make a new version"))
    def make_new_version(self, request: HttpRequest, chosen: QuerySet[Scorecard]) -> None:
        for scorecard in chosen:
            fresh = versions.begin(scorecard)
            self.log_addition(request, fresh, [{"added": {}}])
            self.message_user(
                request,
                _("%(scorecard)s is made. Edit it, and tick “in use” when it is ready; until then the old one is used.")
                % {"scorecard": fresh},
                messages.SUCCESS,
            )
