"""HTML from outside made safe to show. It is looked at with care first: the readers of HTML take a time that grows with the square of its depth."""

from __future__ import annotations

import html as entities
import re

import nh3

from crm.channels.email.wording import clean

DEEPEST = 100
"""Elements within each other, other than those that HTML closes by itself."""
MOST_TAGS = 60_000
LONGEST = 1_000_000

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol",
    "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
"""Words and their order. No images: every one fetched would tell the sender that, when and where their mail is read."""

NOT_SHOWN = {
    "script",
    "style",
    "title",
    "textarea",
    "noscript",
    "template",
    "svg",
    "math",
    "head",
    "object",
    "iframe",
    "select",
    "button",
}

CLOSED_BY_ITSELF = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "html", "body", "head", "o:p",
}  # fmt: skip

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,30})")
_OUTWARD = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def cleaned(html: str) -> str:
    """Only words and their order, safe within a page: no style, no script, no form, no image; links to http, https and mailto only."""
    html = html[:LONGEST]
    if is_tangled(html):
        return _plainly(html)
    return clean(
        nh3.clean(
            html,
            tags=TAGS,
            clean_content_tags=NOT_SHOWN,
            attributes={
                "a": {"href", "title"},
                "td": {"colspan", "rowspan"},
                "th": {"colspan", "rowspan"},
                "ol": {"start"},
            },
            url_schemes={"http", "https", "mailto"},
            attribute_filter=_kept_value,
            link_rel="noopener nofollow noreferrer",
        ).strip()
    )


def _kept_value(tag: str, attribute: str, value: str) -> str | None:
    """A link leads out of Kring, in plain sight: one without a scheme would be read as a page of Kring itself."""
    return value if attribute != "href" or _OUTWARD.match(value) else None


def is_tangled(html: str) -> bool:
    """Whether elements stand deeper within each other than in any letter, or are too many. Looked at before any reader of HTML is: the time
    these take grows with the square of the depth."""
    depth = 0
    for count, match in enumerate(_TAG.finditer(html)):
        if match[2].lower() not in CLOSED_BY_ITSELF:
            depth = max(depth - 1, 0) if match[1] else depth + 1
        if depth > DEEPEST or count > MOST_TAGS:
            return True
    return False


def without_tags(html: str) -> str:
    """Words of HTML that no reader of HTML should take: the tags left out, nothing more."""
    broken = re.sub(r"(?i)<(?:br|/p|/div|/tr|/li)\b[^<>]{0,1000}>", "\n", html[:LONGEST])
    return clean(entities.unescape(re.sub(r"<[^<>]{0,2000}>", "", broken)))


def _plainly(html: str) -> str:
    """The same words as HTML that holds nothing else."""
    return "<br>".join(entities.escape(line.strip()) for line in without_tags(html).split("\n") if line.strip())
