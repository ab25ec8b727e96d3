"""What is installed is exactly what was tried, from wherever one installs: pinned, hashed, and bound to no registry's address."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests.running import ROOT

PYTHON_LOCKS = ["requirements-bootstrap.lock", "requirements.lock", "requirements-dev.lock"]


def packages(lock: str) -> dict[str, str]:
    """Name and version of each package of a lock file."""
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", (ROOT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, "package-lock.json"])
def test_a_lock_file_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    if lock == "package-lock.json":
        # A package's page for donations is its own words, not a place that anything is fetched from.
        text = json.dumps(
            {
                name: {k: v for k, v in package.items() if k != "funding"}
                for name, package in json.loads(text)["packages"].items()
            }
        )
    assert "://" not in text
    assert "resolved" not in text


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_python_package_is_pinned_and_hashed(lock: str) -> None:
    for block in re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text().strip()):
        assert re.match(r"[a-z0-9._-]+(\[[^]]*\])?==", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_every_npm_package_is_hashed() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in locked.items() if name and "integrity" not in package] == []


def test_tests_run_on_the_very_packages_that_servers_run_on() -> None:
    server, tests = packages("requirements.lock"), packages("requirements-dev.lock")
    assert {name: tests.get(name) for name in server} == server


def test_every_dependency_is_locked_and_has_its_sentence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    browser = json.loads((ROOT / "package.json").read_text())
    explained = set(
        re.findall(r"^\| `([^`]+)` \| \S.+\. \|$", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    )
    named = set()
    for requirement in [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["dependency-groups"]["bootstrap"],
    ]:
        named.add(re.split(r"[\[~=<>]", requirement)[0].strip())
    locked = packages("requirements-dev.lock") | packages("requirements-bootstrap.lock")
    assert {name.lower() for name in named} <= locked.keys()
    assert explained == named | browser["dependencies"].keys() | browser["devDependencies"].keys()
