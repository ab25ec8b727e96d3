"""The mail behind a conversation: what it says, what it quotes, its files, and what was written before and after it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from crm.models import Conversation
from crm.web import access
from crm.web.page import Request

THREAD = 50


def of(request: Request, conversation: Conversation) -> dict[str, Any] | None:
    """What `crm/_mail_message.html` shows of this conversation; nothing when it was no mail, or when only a colleague may read it."""
    if not conversation.is_open_to(request.user):
        return None
    rows = access.mail_messages(request.user)
    message = rows.filter(conversation=conversation).defer("html", "raw").first()
    if message is None:
        return None
    thread = []
    if message.thread:
        thread = list(rows.filter(thread=message.thread).order_by("sent_at", "id").defer("html", "raw")[:THREAD])
    files = message.attachments.defer("content").annotate(is_kept=Q(content__isnull=False)).order_by("pk")
    repeats = conversation.summary.strip() == message.text.strip()
    return {
        "message": message,
        "files": files,
        "thread": thread if len(thread) > 1 else [],
        # What was noted besides, and whether there is anything: else the mail says it all.
        "repeats": repeats,
        "says_all": repeats
        and not (conversation.quote or conversation.learned or conversation.is_of_value or conversation.private_to_id),
    }


@require_safe
def attachment(request: Request, pk: int) -> HttpResponse:
    """The file, to be kept and never to be shown here: it came from outside."""
    row = access.attachment(request, pk)
    return HttpResponse(
        bytes(row.content or b""),
        content_type="application/octet-stream",
        headers={"Content-Disposition": content_disposition_header(True, row.name or "attachment")},
    )
