"""HTML of a mail made safe to show, and put in words."""

from __future__ import annotations

import re

import nh3
from inscriptis import get_text

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol",
    "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
"""Words and their order. No images: every one fetched would tell the sender that, when and where their mail is read."""


def cleaned(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags={"script", "style", "title", "textarea", "noscript"},
        attributes={
            "a": {"href", "title"},
            "td": {"colspan", "rowspan"},
            "th": {"colspan", "rowspan"},
            "ol": {"start"},
        },
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow noreferrer",
    ).strip()


def in_words(html: str) -> str:
    """The text of this HTML, as somebody sees it."""
    return get_text(re.sub(r"^\s*<\?xml[^>]*>", "", html)) if html.strip() else ""
