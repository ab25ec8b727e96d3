"""HTML of a mail put in words, and parted into what is new and what is repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring, tostring

from crm.channels.email.cleaning import LONGEST, NOT_SHOWN, cleaned, is_tangled, without_tags
from crm.channels.email.quoting import announces, as_lines, begins_forward, has_moment, heading_end, is_separator, label
from crm.channels.email.wording import clean

MOST_QUOTES = 100
GONE = "del"
"""What an emptied element becomes: not one of `TAGS`, so that nothing of it is left in the end."""

QUOTE_BEGINS = frozenset(
    {
        "divRplyFwdMsg",
        "appendonsend",
        "OLK_SRC_BODY_SECTION",
        "stopSpelling",
        "zwchr",
        "mail-editor-reference-message-container",
    }
)
"""By these ids Outlook, Hotmail and Zimbra mark where a mail that is answered begins. All after it is quoted."""

QUOTES = frozenset(
    {"yahoo_quoted", "protonmail_quote", "gmail_attr", "moz-cite-prefix", "zmail_extra", "gmail_quote_attribution"}
)
"""Elements of these classes are quoted, or announce a quote, whatever else stands around them."""

_ENCODING = re.compile(r"^\s*<\?xml[^>]{0,200}>")
_CONFIG = ParserConfig(css=CSS_PROFILES["strict"], display_images=False, display_links=False)
_RULE = "_" * 32


def in_words(html: str) -> str:
    """The text of this HTML, as somebody sees it; what it quotes is marked with ">" line by line."""
    tree = _tree(html)
    if tree is None:
        return without_tags(html)
    for quote in _quotes(tree):
        words = _words_of(quote).strip("\n")
        marked = etree.Element("pre")
        marked.text = "\n".join("> " + line for line in words.split("\n")) if words.strip() else ""
        marked.tail = quote.tail
        parent = quote.getparent()
        if parent is not None:
            parent.replace(quote, marked)
    for rule in list(tree.iter("hr")):
        rule.tag, rule.text = "div", _RULE
    return _words_of(tree)


def new_part(html: str) -> str:
    """The HTML without what it quotes, cleaned. All of it when that cannot be told, or when nothing would be left."""
    tree = _tree(html)
    if tree is None:
        return cleaned(html)
    _drop_from_heading(tree)
    for quote in list(tree.iter("blockquote"))[:MOST_QUOTES]:
        _drop_announcement(quote)
    for quote in _quotes(tree):
        _drop(quote)
    if not "".join(tree.itertext()).strip():
        return cleaned(html)
    _drop_empty_end(tree)
    return cleaned(tostring(tree, encoding="unicode")[:LONGEST])


# ── The tree ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tree(html: str) -> HtmlElement | None:
    """The parsed page without what is not shown; None for what is too deep, too much or no HTML."""
    html = _ENCODING.sub("", html)[:LONGEST]
    if not html.strip() or is_tangled(html):
        return None
    try:
        tree = document_fromstring(
            html.encode("utf-8", "replace"),
            parser=HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True),
        )
    except (etree.LxmlError, ValueError, AssertionError):
        return None
    for element in list(tree.iter(*NOT_SHOWN)):
        _drop(element)
    return tree


def _words_of(tree: HtmlElement) -> str:
    try:
        return clean(Inscriptis(tree, _CONFIG).get_text())
    except (ValueError, IndexError, KeyError, AttributeError, TypeError, RecursionError):
        return clean("\n".join(piece for piece in tree.itertext() if piece.strip()))


def _quotes(tree: HtmlElement) -> list[HtmlElement]:
    """The quotes that stand in no other quote."""
    found, depth = [], 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if _is_quote(element):
            if event == "start" and depth == 0:
                found.append(element)
            depth += 1 if event == "start" else -1
    return found


def _is_quote(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.getparent() is None:
        return False
    if element.tag == "blockquote":
        return True
    if not QUOTES.intersection((element.get("class") or "").split()):
        return False
    return not begins_forward(next((" ".join(text.split()) for text in element.itertext() if text.strip()), ""))


def _drop(element: HtmlElement) -> None:
    """Leave an element out; the words after it stay. It is emptied, as moving those words one by one would take long on a page full of them."""
    for child in list(element):
        element.remove(child)
    element.tag, element.text = GONE, None
    element.attrib.clear()


def _drop_from(element: HtmlElement, *, is_tail: bool) -> None:
    """Leave out all from here to the end of the page: from the text of this element, or from the text after it."""
    if is_tail:
        element.tail = None
    else:
        element.text = None
        for child in list(element):
            element.remove(child)
    here = element
    while (parent := here.getparent()) is not None:
        while (following := here.getnext()) is not None:
            parent.remove(following)
        if here is not element or not is_tail:
            here.tail = None
        here = parent


def _drop_empty_end(tree: HtmlElement) -> None:
    """Leave out what stands at the end without words: what is left of a quote, and the line above it."""
    while True:
        last = tree
        while len(last) and not (last[-1].tail or "").strip():
            last = last[-1]
        if len(last) or (last.text or "").strip() or last.tag in ("html", "body"):
            return
        last.getparent().remove(last)


# ── Where a quote begins ─────────────────────────────────────────────────────────────────────────────────────────────


def _texts(tree: HtmlElement) -> Iterator[tuple[HtmlElement, bool, str]]:
    """Every text with words, in the order of the page: the element, whether it stands after that element, and its words."""
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        text = element.text if event == "start" else element.tail
        if text and text.strip():
            yield element, event == "end", " ".join(text.split())


def _drop_from_heading(tree: HtmlElement) -> None:
    """Leave out all from the place on where a mail program put the mail that is answered."""
    for element in tree.iter():
        if element.get("id") in QUOTE_BEGINS and element.getparent() is not None:
            _drop_from(element, is_tail=False)
            break
    texts = list(_texts(tree))
    for at, (element, is_tail, text) in enumerate(texts):
        following = _lines([words for _, _, words in texts[at : at + 24]])
        if not is_separator(text) and not begins_forward(text) and not label(following[0]):
            continue
        if heading_end(following, 0):
            _drop_from(element, is_tail=is_tail)
            return


def _lines(words: list[str]) -> list[str]:
    """Texts as the lines that a page shows: a label in bold and what stands after it are one."""
    lines: list[str] = []
    for word in as_lines("\n".join(words)):
        if lines and (lines[-1].endswith(":") or not label(word) and not is_separator(word) and label(lines[-1])):
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _drop_announcement(quote: HtmlElement) -> None:
    """Leave out "On … wrote:" before a quote, which may stand in several elements."""
    before = _texts_before(quote)
    shortest = 0
    for count in range(1, len(before) + 1):
        joined = " ".join(text for _, _, text in reversed(before[:count])).replace("< ", "<").replace(" >", ">")
        if joined.count("<") < joined.count(">") or not announces(joined, is_followed_by_quote=True):
            continue
        shortest = shortest or count
        if has_moment(joined):
            shortest = count
            break
    for element, is_tail, _ in before[:shortest]:
        if is_tail:
            element.tail = None
        elif len(element):
            element.text = None
        else:
            _drop(element)


def _texts_before(quote: HtmlElement) -> list[tuple[HtmlElement, bool, str]]:
    """The last texts above an element, nearest first, at most eight."""
    found: list[tuple[HtmlElement, bool, str]] = []
    here: HtmlElement | None = quote
    for _ in range(40):
        if here is None or len(found) == 8:
            break
        before = here.getprevious()
        if before is None:
            parent = here.getparent()
            if parent is not None and parent.text and parent.text.strip():
                found.append((parent, False, " ".join(parent.text.split())))
            here = parent
            continue
        within = list(_texts(before))
        if before.tail and before.tail.strip() and not (within and within[-1][1] and within[-1][0] is before):
            found.append((before, True, " ".join(before.tail.split())))
        found += reversed(within)
        here = before
    return found[:8]
