"""What a colleague was told, by day and grouped, and the bell in the header that counts what is unread. Opening one marks it as read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import notice_words, notices
from crm.models import Notice, NoticeKind
from crm.notices import Ways
from crm.web import access, keyset, query
from crm.web.page import Request, redirect_or_part, render_page

NEWEST = 6
"""So many are shown below the bell."""

ICONS = {
    NoticeKind.ASSIGNMENT: "inbox",
    NoticeKind.RETURNED: "arrow-back-up",
    NoticeKind.MENTION: "at",
    NoticeKind.HAND_OFF: "arrows-exchange",
    NoticeKind.OVERDUE: "clock-exclamation",
    NoticeKind.APPOINTMENT: "calendar",
    NoticeKind.PROMISE_KEPT: "heart-handshake",
    NoticeKind.IMPORT: "file-import",
    NoticeKind.MAIL_HELD: "mail-pause",
    NoticeKind.RULE_FAILS: "alert-triangle",
}
OF_THOSE_WHO_LEAD = frozenset({NoticeKind.OVERDUE, NoticeKind.IMPORT, NoticeKind.RULE_FAILS})
"""What nobody else is told."""


@dataclass(frozen=True)
class Told:
    """A notice with its words."""

    notice: Notice
    words: notice_words.Words
    icon: str


@dataclass(frozen=True)
class Group:
    """What is of one kind and one day, newest first. Its title is the newest one's when all are about the same."""

    rows: list[Told]

    @property
    def title(self) -> str:
        about = {(row.notice.subject_kind, row.notice.subject_id or -row.notice.pk) for row in self.rows}
        newest = self.rows[0]
        return newest.words.title if len(about) == 1 else notice_words.several(newest.notice.kind, len(about))

    @property
    def unread(self) -> int:
        return sum(not row.notice.is_read for row in self.rows)


@require_safe
def index(request: Request) -> HttpResponse:
    return render_page(request, "crm/notices.html", _context(request), parts=("notices",))


@require_safe
def newest(request: Request) -> HttpResponse:
    """The panel below the bell; without htmx, all of them."""
    if not request.htmx:
        return redirect("crm:notices")
    rows = [_told(row) for row in access.notices(request)[:NEWEST]]
    return render(request, "crm/_bell_panel.html", {"rows": rows, "is_loaded": True})


@require_safe
def count(request: Request) -> HttpResponse:
    """The number at the bell, when it is another one than the page shows."""
    if request.GET.get("shown") == str(len(request.user.unread_notices)):
        return HttpResponse(status=204)
    return render(request, "crm/_bell_count.html")


@require_POST
def open_(request: Request, pk: int) -> HttpResponse:
    """It is read, and the browser goes where it leads."""
    notice = access.notice(request, pk)
    notices.read(notice=notice, at=timezone.now())
    return redirect(notice.path)


@require_POST
def read_all(request: Request) -> HttpResponse:
    """All that the page knew of; what came since stays unread."""
    notices.read_all(user=request.user, up_to=query.number(request.POST.get("up_to")), at=timezone.now())
    request.user.unread_notices = access.unread(request)
    messages.success(request, _("Everything is marked as read."))
    return redirect_or_part(
        request,
        "crm:notices",
        "crm/notices.html",
        lambda: _context(request) | {"out_of_band": True},
        parts=("notices",),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: Request) -> HttpResponse:
    """In the page, by mail, both, or not at all: for each kind that this colleague is told of."""
    kinds = [kind for kind in NoticeKind if request.user.is_leading or kind not in OF_THOSE_WHO_LEAD]
    if request.method == "POST":
        in_page, by_mail = request.POST.getlist("in_page"), request.POST.getlist("by_mail")
        notices.choose(user=request.user, ways={kind: Ways(kind in in_page, kind in by_mail) for kind in kinds})
        messages.success(request, _("Saved. From now on you hear of things so."))
        return redirect("crm:notice-preferences")
    chosen = notices.chosen(request.user)
    rows = [
        {
            "kind": kind,
            "label": capfirst(kind.label),
            "icon": ICONS[kind],
            "ways": chosen[kind],
            "is_changed": chosen[kind] != notices.DEFAULTS[kind],
        }
        for kind in kinds
    ]
    return render_page(request, "crm/notice_preferences.html", {"rows": rows, "nav": ""})


def _context(request: Request) -> dict[str, Any]:
    page = keyset.page(access.notices(request), order=("-at", "-id"), at=request.GET)
    return {
        "page": page,
        "days": _by_day(page),
        "up_to": max((row.pk for row in page), default=0) if page.previous is None else None,
        "has_unread": bool(request.user.unread_notices),
        "kept_days": notices.KEPT.days,
        "nav": "",
    }


def _told(notice: Notice) -> Told:
    words = notice_words.words(notice.kind, notice.values, timezone.now())
    return Told(notice, words, ICONS.get(NoticeKind(notice.kind), "bell"))


def _by_day(rows: Iterable[Notice]) -> list[tuple[date, list[Group]]]:
    days: dict[date, dict[str, list[Told]]] = {}
    for row in rows:
        day = timezone.localtime(row.at).date()
        days.setdefault(day, {}).setdefault(row.kind, []).append(_told(row))
    return [(day, [Group(told) for told in kinds.values()]) for day, kinds in days.items()]
