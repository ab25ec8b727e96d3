"""Files that were taken in, and what became of each."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("ready to run")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("stopped before anything was written")


class ImportKind(models.TextChoices):
    LEADS = "leads", _("leads")
    DEALS = "deals", _("deals")
    PEOPLE = "people", _("people")
    ORGANISATIONS = "organisations", _("organisations")


class ImportRun(models.Model):
    """One file taken in with one map. The file is kept in the database, so that any worker on any host can run it."""

    file_name = models.CharField(_("file"), max_length=255)
    content = models.BinaryField()
    map_text = models.TextField(_("map"))
    kind = models.CharField(_("kind"), max_length=13, choices=ImportKind)
    state = models.CharField(_("state"), max_length=8, choices=ImportState, default=ImportState.UPLOADED)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("uploaded"))
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    rows_total = models.PositiveIntegerField(_("rows in the file"), null=True, blank=True)
    rows_read = models.PositiveIntegerField(_("rows read"), default=0)
    rows_made = models.PositiveIntegerField(_("new"), default=0)
    rows_changed = models.PositiveIntegerField(_("changed"), default=0)
    rows_same = models.PositiveIntegerField(_("unchanged"), default=0)
    rows_refused = models.PositiveIntegerField(_("refused"), default=0)
    failure = models.TextField(_("what went wrong"), blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.file_name


class RefusedValue(models.Model):
    """One refused value: line and column of the file, the value as it stood there, and why."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="refused")
    line = models.PositiveIntegerField(_("line"))
    column = models.CharField(_("column"), max_length=200)
    value = models.CharField(_("value"), max_length=500)
    reason = models.CharField(_("reason"), max_length=300)

    class Meta:
        verbose_name = _("refused value")
        verbose_name_plural = _("refused values")
        ordering = ["line", "id"]
        indexes = [models.Index(fields=["run", "line"], name="refused_value_by_run")]

    def __str__(self) -> str:
        return f"{self.line}: {self.column}"
