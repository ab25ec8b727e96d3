"""Colleagues who are named in a text, so that the eye finds them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm import mentions

register = template.Library()


@register.simple_tag(takes_context=True)
def named(context: template.Context, text: Any) -> SafeString:
    """`{% named conversation.summary %}`: the text, escaped, with `@Noor` marked where that is a colleague. One query for all texts of a page, and
    none where nobody can be named."""
    words = str(text or "")
    if not mentions.may_name(words):
        return format_html("{}", words)
    request = context.get("request")
    known = getattr(request, "colleagues", None)
    if known is None:
        known = mentions.colleagues()
        if request is not None:
            request.colleagues = known
    pieces = (
        (format_html('<span class="mention">{}</span>', piece) if is_name else piece,)
        for piece, is_name in mentions.parts(words, known)
    )
    return format_html_join("", "{}", pieces)
