"""What a mail template says to one person: its placeholders filled in with plain words about them, in their language.

A template is written by users, so it gets nothing but the words in `PLACEHOLDERS`: no tags, no filters, no files, no way into an object. Whatever
stands in somebody's name is a word like any other and is never read as a placeholder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.base import VariableNode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import letters
from crm.models import Alternative, Deal, DeclineReason, MailTemplate, Person, User
from crm.refusal import Refused

PLACEHOLDERS: dict[str, Any] = {
    "greeting": gettext_lazy("the first line, such as “Dear Sofie,”"),
    "person.given_name": gettext_lazy("their given name"),
    "person.name": gettext_lazy("their full name"),
    "organisation": gettext_lazy("where they work"),
    "deal.name": gettext_lazy("the deal that the mail is about"),
    "sender.name": gettext_lazy("your name"),
    "sender.email": gettext_lazy("your e-mail address"),
    "sender.signature": gettext_lazy("a regard, and your signature"),
}
LANGUAGES = ("en", "nl")
MOST_SUBJECT = 200
MOST_BODY = 20_000


class _Closed(Engine):
    """Django's templates without anything in them: no tag, no filter, no loader."""

    default_builtins: ClassVar[list[str]] = []


ENGINE = _Closed(loaders=[], libraries={}, autoescape=False)  # Plain text has nothing to escape.


@dataclass(frozen=True)
class Wording:
    """A subject and a text. `lacks_language` says that they are in the other language, since the template has no such text; `empty` names the
    placeholders about which nothing is known."""

    subject: str
    text: str
    language: str
    lacks_language: bool = False
    empty: tuple[str, ...] = ()


def language_of(person: Person | None) -> str:
    """The language in which to write to them: their own, else that of the organisation that uses Kring."""
    spoken = person.language if person else ""
    return spoken if spoken in LANGUAGES else settings.LANGUAGE_CODE


def words(
    *, person: Person | None, sender: User, language: str, deal: Deal | None = None, organisation: str | None = None
) -> dict[str, str]:
    """What each placeholder stands for. `organisation` spares a query to whoever knows where they work."""
    if organisation is None:
        organisation = _workplace(person)
    return {
        "greeting": letters.greeting(person, language),
        "person.given_name": person.given_name if person else "",
        "person.name": str(person or ""),
        "organisation": organisation,
        "deal.name": deal.name if deal else "",
        "sender.name": str(sender),
        "sender.email": sender.email or "",
        "sender.signature": letters.closing(sender, language),
    }


def check(text: str) -> None:
    """The text can be filled in. Refuses a placeholder that does not exist, by its name, and what looks like a program."""
    _parsed(text)


def placeholders_in(text: str) -> list[str]:
    """Those that the text uses, each once, in their order. Refuses what `check` refuses."""
    return list(dict.fromkeys(_names(_parsed(text))))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in. Refuses what `check` refuses."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        first, _dot, second = name.partition(".")
        if second:
            nested.setdefault(first, {})[second] = value
        else:
            nested[first] = value
    return _parsed(text).render(Context(nested, autoescape=False, use_l10n=False))


def of(template: MailTemplate, *, person: Person | None, sender: User, deal: Deal | None = None) -> Wording:
    """What the template says to this person; in its other language when theirs is missing."""
    wanted = language_of(person)
    return in_language(template, wanted, person=person, sender=sender, deal=deal)


def in_language(
    template: MailTemplate, wanted: str, *, person: Person | None, sender: User, deal: Deal | None = None
) -> Wording:
    """The same in a language that the reader of a preview chose."""
    language = wanted if source(template, wanted)[1] else next(each for each in LANGUAGES if source(template, each)[1])
    subject, text = source(template, language)
    values = words(person=person, sender=sender, language=language, deal=deal)
    used = dict.fromkeys([*placeholders_in(subject), *placeholders_in(text)])
    return Wording(
        subject=" ".join(fill(subject, values).split()),
        text=fill(text, values).strip(),
        language=language,
        lacks_language=language != wanted,
        empty=tuple(name for name in used if not values[name]),
    )


def source(template: MailTemplate, language: str) -> tuple[str, str]:
    """Subject and text of the template as they were written, in this language."""
    return getattr(template, f"subject_{language}"), getattr(template, f"body_{language}")


def blank(*, person: Person | None, sender: User) -> Wording:
    """A mail without a template: greeting, room, closing."""
    language = language_of(person)
    return Wording("", letters.answer(to=person, sender=sender, language=language), language)


def kind_no(
    reason: DeclineReason,
    *,
    to: Person | None,
    sender: User,
    language: str,
    alternative: Alternative | None = None,
    organisation: str | None = None,
) -> str:
    """The whole letter of a kind no: the words of the reason, then what we offer instead, between greeting and closing. Empty when the reason has
    no words in this language and nothing is offered: then there is nothing to send."""
    language = language if language in LANGUAGES else settings.LANGUAGE_CODE
    values = words(person=to, sender=sender, language=language, organisation=organisation)
    said = [fill(getattr(reason, f"text_{language}"), values).strip()]
    if alternative is not None:
        said.append(offered(alternative, values, language))
    body = "\n\n".join(filter(None, said))
    return letters.framed(body, to=to, sender=sender, language=language) if body else ""


def offered(alternative: Alternative, values: Mapping[str, str], language: str) -> str:
    """What we offer instead, in its own sentences, with its address; by its name alone when nobody wrote sentences in this language."""
    text = fill(getattr(alternative, f"text_{language}"), values).strip() or alternative.name
    address = alternative.url or (alternative.content.url if alternative.content else "")
    return text if not address or address in text else f"{text}\n{address}"


def _parsed(text: str) -> Template:
    try:
        template = Template(text.replace("\0", ""), engine=ENGINE)
    except TemplateSyntaxError as wrong:
        if "{%" in text:
            raise Refused(
                _("A template knows placeholders only, such as {{ greeting }}. Remove what stands in “{% … %}”.")
            ) from wrong
        raise Refused(
            _("A placeholder is not written well. Write it as {{ greeting }}, with two braces on each side.")
        ) from wrong
    for name in _names(template):
        if name not in PLACEHOLDERS:
            raise Refused(
                _("There is no placeholder “%(name)s”. Choose one of: %(names)s.")
                % {"name": name[:60], "names": ", ".join(PLACEHOLDERS)}
            )
    return template


def _names(template: Template) -> list[str]:
    nodes = template.nodelist.get_nodes_by_type(VariableNode)
    return [str(node.filter_expression.token).strip() for node in nodes if isinstance(node, VariableNode)]


def _workplace(person: Person | None) -> str:
    if person is None:
        return ""
    job = person.positions.current().select_related("organisation").first()
    return str(job.organisation) if job else ""
