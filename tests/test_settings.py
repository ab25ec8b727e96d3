"""Settings come from the environment, are parsed strictly, and refuse to run a server on secrets that everyone knows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import EXAMPLE_SECRET_KEY, database, env_address, mail
from tests.running import ROOT, environment

SERVER = {
    "KRING_SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP",
    "KRING_HOSTS": "kring.example",
    "KRING_HTTPS": "yes",
    "DATABASE_URL": "postgresql://kring@db/kring",
    "REDIS_URL": "redis://broker/0",
}


def load(tmp_path: Path, *, show: str = "DEBUG", **values: str) -> subprocess.CompletedProcess[str]:
    """The settings in a fresh process, as a server reads them."""
    program = f"import json; from config import settings; print(json.dumps(settings.{show}, default=str))"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(KRING_VAR=str(tmp_path), **values),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_names_every_variable_and_no_other() -> None:
    source = (ROOT / "config" / "settings.py").read_text()
    read = set(re.findall(r'env_\w+\(\s*"([A-Z_]+)"', source))
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read == named
    assert "os.environ[" not in source


def test_each_variable_of_the_example_has_words_above_it() -> None:
    for block in (ROOT / ".env.example").read_text().strip().split("\n\n"):
        assert block.startswith("# "), block


@pytest.mark.parametrize("key", ["", EXAMPLE_SECRET_KEY, "short"])
def test_a_server_refuses_a_secret_that_is_none(tmp_path: Path, key: str) -> None:
    ran = load(tmp_path, **SERVER | {"KRING_SECRET_KEY": key})
    assert ran.returncode != 0
    assert "KRING_SECRET_KEY" in ran.stderr


def test_an_installation_of_its_own_makes_its_secret_once(tmp_path: Path) -> None:
    first, second = load(tmp_path, show="SECRET_KEY"), load(tmp_path, show="SECRET_KEY")
    assert len(json.loads(first.stdout)) >= 50
    assert first.stdout == second.stdout
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KRING_DEBUG", "maybe"),
        ("PORT", "http"),
        ("PORT", "0"),
        ("KRING_WEB_PROCESSES", "-1"),
        ("DATABASE_URL", "mysql://kring@db/kring"),
        ("REDIS_URL", "amqp://broker"),
        ("EMAIL_URL", "mailto:someone"),
        ("KRING_TIME_ZONE", "Europe/Atlantis"),
        ("KRING_URL", "kring.example"),
        ("KRING_URL", "https://kring.example/crm"),
    ],
)
def test_a_wrong_value_stops_with_the_name_of_its_variable(tmp_path: Path, name: str, value: str) -> None:
    ran = load(tmp_path, **{"KRING_SECRET_KEY": SERVER["KRING_SECRET_KEY"], name: value})
    assert ran.returncode != 0
    assert f"ImproperlyConfigured: {name} must" in ran.stderr


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({"PORT": "8100"}, "http://localhost:8100"),
        ({"KRING_HTTPS": "yes", "KRING_HOSTS": "kring.example"}, "https://kring.example"),
        ({"KRING_URL": "https://kring.example/"}, "https://kring.example"),
    ],
)
def test_links_in_mail_lead_to_where_people_reach_kring(tmp_path: Path, values: dict[str, str], address: str) -> None:
    values = {"KRING_SECRET_KEY": SERVER["KRING_SECRET_KEY"], **values}
    assert json.loads(load(tmp_path, show="SITE_URL", **values).stdout) == address


def test_debug_is_off_unless_asked(tmp_path: Path) -> None:
    assert load(tmp_path).stdout.strip() == "false"
    assert load(tmp_path, KRING_DEBUG="yes").stdout.strip() == "true"


def test_a_server_passes_every_check_of_a_deployment(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=environment(KRING_VAR=str(tmp_path), **SERVER), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def test_a_database_address_is_read_part_by_part() -> None:
    named = database("postgresql://ka%40te:pa%2Fss@db.example:6543/kring?sslmode=require")
    assert (named["USER"], named["PASSWORD"], named["HOST"], named["PORT"]) == ("ka@te", "pa/ss", "db.example", "6543")
    assert named["OPTIONS"]["sslmode"] == "require"
    socket = database("postgresql://kring@%2FSrv%2FRun/kring")
    assert (socket["HOST"], socket["PORT"], socket["NAME"]) == ("/Srv/Run", "", "kring")


def test_a_mail_address_is_read_part_by_part() -> None:
    read = mail("smtp://post%40kring.example:se:cret@mail.example:2525")
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"], read["EMAIL_USE_TLS"]) == ("mail.example", 2525, True)
    assert read["EMAIL_HOST_USER"] == "post@kring.example"
    assert mail("smtps://mail.example")["EMAIL_PORT"] == 465


def test_where_mail_comes_in_is_a_host_and_a_port_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, read in (
        ("", ("127.0.0.1", 2525)),
        ("0.0.0.0:25", ("0.0.0.0", 25)),
        ("[::1]:25", ("::1", 25)),
        ("off", None),
    ):
        monkeypatch.setenv("KRING_MAIL_IN", value)
        assert env_address("KRING_MAIL_IN", "127.0.0.1:2525") == read
    for value in ("2525", "host", "host:", ":25", "host:0", "host:70000", "host:abc"):
        monkeypatch.setenv("KRING_MAIL_IN", value)
        with pytest.raises(ImproperlyConfigured, match="KRING_MAIL_IN"):
            env_address("KRING_MAIL_IN", "127.0.0.1:2525")
