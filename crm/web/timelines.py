"""The timeline on the page of a person or an organisation: its parts as links, and where it goes on. Works the same with and without htmx."""

from __future__ import annotations

from typing import Any

from crm import timeline
from crm.web.page import Request


def shown_timeline(request: Request, **record: Any) -> dict[str, Any]:
    """What `crm/_timeline_parts.html` shows: the part that the address asks for, of the record that is named as `timeline.of` wants it."""
    show = request.GET.get("show", "")
    show = show if show in timeline.FILTERS else ""
    before = timeline.moment(request.GET.get("before"))
    return {
        "entries": timeline.of(reader=request.user, show=show, before=before, **record),
        "shown": show,
        "filters": {word: part.label for word, part in timeline.FILTERS.items()},
    }
