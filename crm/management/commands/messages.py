"""`manage.py messages`: the sentences to translate, collected from code and templates into `locale/`, without a program outside Python.
`--check` changes nothing and fails when a catalogue lacks a sentence, a translation, or keeps a sentence that nobody says."""

from __future__ import annotations

import ast
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polib
from babel.messages.extract import extract_python
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import templatize

CODE = ("config", "crm", "qualification")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# What Django makes of a template: its words blanked out, its sentences in calls such as ` gettext('…') `.
_STRING = r"""u?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*{_STRING}(?:\s*,\s*{_STRING})?(?:\s*,\s*{_STRING})?", re.DOTALL)


class Sentence(NamedTuple):
    context: str | None
    one: str
    many: str | None


class Command(BaseCommand):
    help = "Collects the sentences to translate into locale/, or checks that every one is translated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail when a translation is missing.")

    def handle(self, *args: Any, **options: Any) -> None:
        said = collect(settings.BASE_DIR)
        wrong: list[str] = []
        for language, _name in settings.LANGUAGES:
            if language == settings.LANGUAGE_CODE:
                continue
            file = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"
            if options["check"]:
                wrong += faults(file, said)
            else:
                left = update(file, said, language)
                self.stdout.write(f"{file.relative_to(settings.BASE_DIR)}: {len(said)} sentences, {left} to translate")
        if wrong:
            raise CommandError(
                "\n".join([*wrong[:40], f"{len(wrong)} sentences to put right; `make messages` collects them."])
            )


def collect(root: Path) -> dict[Sentence, set[str]]:
    """Every marked sentence with the files that say it."""
    said: dict[Sentence, set[str]] = {}
    for top in CODE:
        for file in sorted((root / top).rglob("*.py")):
            for sentence in in_code(file):
                said.setdefault(sentence, set()).add(str(file.relative_to(root)))
    for file in sorted([*(root / "templates").rglob("*.html"), *(root / "templates").rglob("*.txt")]):
        for sentence in in_template(file):
            said.setdefault(sentence, set()).add(str(file.relative_to(root)))
    return said


def in_code(file: Path) -> Iterator[Sentence]:
    with file.open("rb") as source:
        for _line, function, found, _comments in extract_python(source, KEYWORDS, [], {}):
            given: Any = found
            parts = [part for part in ([given] if isinstance(given, str) else given or ()) if isinstance(part, str)]
            yield from _sentence(str(function).removesuffix("_lazy").removesuffix("_noop"), parts)


def in_template(file: Path) -> Iterator[Sentence]:
    for call in _CALL.finditer(templatize(file.read_text(), origin=str(file))):
        yield from _sentence(call[1], [ast.literal_eval(part) for part in call.groups()[1:] if part])


def _sentence(function: str, parts: list[str]) -> Iterator[Sentence]:
    context = parts.pop(0) if "p" in function.removesuffix("gettext") and parts else None
    if parts and parts[0]:
        yield Sentence(context, parts[0], parts[1] if function.startswith(("n", "np")) and len(parts) > 1 else None)


def update(file: Path, said: dict[Sentence, set[str]], language: str) -> int:
    """Writes the catalogue anew: translations are kept, sentences that nobody says any more go. Gives how many are still to translate."""
    known = {_key(entry): entry for entry in polib.pofile(str(file))} if file.exists() else {}
    fresh = polib.POFile(wrapwidth=120)
    fresh.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for sentence, files in sorted(said.items(), key=lambda item: (min(item[1]), item[0].one, item[0].context or "")):
        entry = known.get(sentence) or polib.POEntry(
            msgctxt=sentence.context,
            msgid=sentence.one,
            msgid_plural=sentence.many or "",
            msgstr_plural={0: "", 1: ""} if sentence.many else {},
        )
        # Without line numbers: moving a line is no change of a translation.
        entry.occurrences = [(path, "") for path in sorted(files)]
        formatted = re.search(r"%\(\w+\)[sd]|%[sd]", sentence.one)
        entry.flags = [flag for flag in entry.flags if flag != "python-format"] + (
            ["python-format"] if formatted else []
        )
        fresh.append(entry)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh.save(str(file))
    return sum(not entry.translated() for entry in fresh)


def faults(file: Path, said: dict[Sentence, set[str]]) -> list[str]:
    """What is wrong with a catalogue, one line each."""
    if not file.exists():
        return [f"{file} is missing."]
    entries = {_key(entry): entry for entry in polib.pofile(str(file)) if not entry.obsolete}
    found = [f"Not collected: {sentence.one!r} ({min(said[sentence])})" for sentence in said.keys() - entries.keys()]
    found += [f"Said by nobody: {sentence.one!r}" for sentence in entries.keys() - said.keys()]
    for sentence, entry in entries.items():
        if not entry.translated() or entry.fuzzy:
            found.append(f"Not translated: {sentence.one!r}")
        elif gaps := _gaps_differ(entry):
            found.append(f"Fills other gaps than the original ({gaps}): {sentence.one!r}")
    return sorted(found)


def _gaps_differ(entry: polib.POEntry) -> str:
    """The placeholders that the translation lacks or adds: a page would fail or show a gap."""
    gap = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
    given = set(gap.findall(entry.msgid + entry.msgid_plural))
    # One form of a plural may name its number in words ("one lead") but none may name what is not given.
    used = [set(gap.findall(text)) for text in (entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr])]
    wrong = set().union(*used) - given
    if not entry.msgid_plural:
        wrong |= given - used[0]
    return ", ".join(sorted(wrong))


def _key(entry: polib.POEntry) -> Sentence:
    return Sentence(entry.msgctxt or None, entry.msgid, entry.msgid_plural or None)
