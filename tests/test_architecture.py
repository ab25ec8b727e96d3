"""The rules of the house that a linter can hold: what review would otherwise have to say twice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ROOT

PACKAGES = ("config", "crm", "embedded", "qualification")
FORBIDDEN = {"utils", "helpers", "common", "misc", "base", "manager", "core"}


def modules(top: str) -> list[Path]:
    return [file for file in sorted((ROOT / top).rglob("*.py")) if "migrations" not in file.parts]


def templates() -> list[Path]:
    return [file for file in sorted((ROOT / "templates").rglob("*")) if file.suffix in {".html", ".txt"}]


def within(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that a piece of code imports, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("top", [*PACKAGES, "tests"])
def test_no_module_is_a_drawer(top: str) -> None:
    drawers = [within(file) for file in modules(top) if file.stem in FORBIDDEN or file.parent.name in FORBIDDEN]
    assert drawers == []


@pytest.mark.parametrize("top", PACKAGES)
def test_every_module_says_what_it_promises(top: str) -> None:
    silent = [
        within(file) for file in modules(top)
        if file.read_text().strip() and not ast.get_docstring(ast.parse(file.read_text()))
    ]  # fmt: skip
    assert silent == []


@pytest.mark.parametrize("top", PACKAGES)
def test_no_import_hides_in_a_function(top: str) -> None:
    hidden = []
    for file in modules(top):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                hidden += [
                    f"{within(file)}:{node.name} imports {name}"
                    for name in imports(node)
                    if name.split(".")[0] in PACKAGES
                ]
    assert hidden == []


def test_screens_get_rows_through_access_only() -> None:
    direct = []
    for file in modules("crm/web"):
        if file.parent.name == "access":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}:
                direct.append(f"{within(file)}:{node.lineno}")
    assert direct == []


def test_screens_never_save_a_row() -> None:
    saved = []
    for file in modules("crm/web"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {
                "bulk_create",
                "bulk_update",
                "update_or_create",
                "get_or_create",
            }:
                saved.append(f"{within(file)}:{node.lineno}")
    assert saved == []


def test_a_task_is_a_door_of_five_lines() -> None:
    tree = ast.parse((ROOT / "crm" / "tasks.py").read_text())
    tasks = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("shared_task" in ast.unparse(one) for one in node.decorator_list)
    ]
    assert tasks, "crm/tasks.py has no task"
    for task in tasks:
        body = task.body[1:] if ast.get_docstring(task) else task.body
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
        assert lines <= 5, f"{task.name} has {lines} lines"


def test_every_scheduled_errand_exists_and_expires() -> None:
    from config.celery import app

    app.loader.import_default_modules()
    for name, entry in app.conf.beat_schedule.items():
        assert entry["task"] in app.tasks, name
        assert entry["options"]["expires"] > 0, name
        assert type(entry["schedule"]).__name__ == "crontab", name


def test_verbs_never_import_tasks_or_doors() -> None:
    doors = {"crm.tasks", "crm.web", "crm.management", "crm.api", "config"}
    wrong = []
    for file in [*modules("crm"), *modules("qualification")]:
        place = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        if place.startswith(("crm.web", "crm.management", "crm.api", "crm.tasks", "crm.templatetags")):
            continue
        wrong += [
            f"{place} imports {name}"
            for name in imports(ast.parse(file.read_text()))
            if name in doors or name.startswith(tuple(f"{door}." for door in doors))
        ]
    assert wrong == []


def test_below_the_doors_nobody_knows_a_request() -> None:
    wrong = []
    for file in modules("crm"):
        place = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        if place.startswith(("crm.web", "crm.api", "crm.admin", "crm.management", "crm.templatetags")):
            continue
        wrong += [
            f"{place} imports {name}"
            for name in imports(ast.parse(file.read_text()))
            if name.startswith(("django.http", "django.shortcuts", "django.views"))
        ]
    assert wrong == []


def test_no_signals() -> None:
    wrong = []
    for top in ("crm", "qualification"):
        for file in modules(top):
            wrong += [
                f"{within(file)}: {name}"
                for name in imports(ast.parse(file.read_text()))
                if name.startswith("django.db.models.signals") or name == "django.dispatch.receiver"
            ]
    assert wrong == []


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a style attribute", r"<[^>]*\sstyle\s*="),
        ("a handler in an attribute", r"<[^>]*\son[a-z]+\s*="),
        ("hx-on", r"\shx-on[:\w-]*\s*="),
        ("a script in the page", r"<script(?![^>]*\ssrc\s*=)(?![^>]*type=\"application/json\")[^>]*>"),
        ("a style sheet in the page", r"<style\b"),
        ("an address of another site's file", r"""<(?:script|link|img)[^>]*(?:src|href)\s*=\s*["'](?:https?:)?//"""),
        ("text taken as markup", r"\|\s*safe\b|autoescape off"),
    ],
)
def test_templates_keep_the_content_security_policy(what: str, pattern: str) -> None:
    broken = []
    for file in templates():
        # A mail has no policy, and mail programs know no style sheets; plain text is no markup.
        if file.suffix == ".txt" or ("email" in file.parts and what != "text taken as markup"):
            continue
        text = re.sub(r"{#.*?#}|{% comment.*?endcomment %}|{%.*?%}", "", file.read_text(), flags=re.DOTALL)
        if re.search(pattern, text, re.IGNORECASE):
            broken.append(within(file))
    assert broken == [], what


def test_nothing_names_this_machine() -> None:
    """A path or a registry of the place where somebody worked means nothing to the next."""
    words = re.compile(r"/(?:root|home)/\w+|\bpypi\.org/simple|registry\.npmjs")
    suffixes = {
        ".py",
        ".md",
        ".toml",
        ".yml",
        ".yaml",
        ".html",
        ".css",
        ".js",
        ".lock",
        ".json",
        ".po",
        ".txt",
        ".example",
    }
    named = []
    for top in [*PACKAGES, "tests", "docs", "templates", "static", "locale", "."]:
        files = (ROOT / top).rglob("*") if top != "." else ROOT.iterdir()
        for file in files:
            if (
                file.is_file()
                and (file.suffix in suffixes or file.name in {"Makefile", "Dockerfile"})
                and file != Path(__file__)
                and words.search(file.read_text(errors="replace"))
            ):
                named.append(within(file))
    assert named == []


def test_every_module_of_the_domain_has_its_place_in_the_layers() -> None:
    """A module that no layer names could import upwards unseen. Leaves import nothing of `crm` but other leaves and nouns."""
    contract = (ROOT / "pyproject.toml").read_text()
    layers = set(re.findall(r"crm\.(\w+)", contract[contract.index("[[tool.importlinter.contracts]]") :]))
    leaves = {"crm.models", "qualification"}
    unplaced = []
    for file in modules("crm"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if len(parts) < 2 or parts[1] in layers or parts[1] in {"__init__", "apps", "admin", "templatetags"}:
            continue
        name = f"crm.{parts[1]}"
        for imported in imports(ast.parse(file.read_text())):
            upward = (
                imported.startswith("crm.")
                and not imported.startswith(tuple(leaves))
                and imported.split(".")[1] in layers
            )
            if upward:
                unplaced.append(f"{name} imports {imported} and stands in no layer")
    assert unplaced == []


def test_mail_is_written_in_kring_where_the_guard_is_asked() -> None:
    places = [*templates(), *modules("crm/web")]
    assert [within(file) for file in places if "mailto:" in file.read_text()] == []


def test_a_telephone_rings_from_the_page_of_an_attempt_alone() -> None:
    places = [*templates(), *modules("crm/web")]
    assert [within(file) for file in places if "tel:" in file.read_text()] == ["templates/crm/call_attempt.html"]
