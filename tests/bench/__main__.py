"""`make bench SIZE=10k|100k`: measure what a user waits for, each figure beside its floor in the same run.

An instrument, not a test: it says what it finds, and what falls short is printed as it is. It has servers of its own under `var/bench`, whatever
DATABASE_URL says, and leaves nothing running.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
from pathlib import Path
from types import FrameType

SIZES = {"10k": 10_000, "100k": 100_000}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="10k", nargs="?")
    parser.add_argument("--rounds", type=int, default=40, help="Tries of each page (default 40).")
    parser.add_argument("--only", choices=["http", "jobs"], help="Only the pages and writes, or only the jobs.")
    chosen = parser.parse_args()
    _environment()

    import django

    django.setup()

    from django.conf import settings

    from embedded import Places
    from tests.bench import build, jobs, pages, report, stack

    places, size = Places(settings.VAR), SIZES[chosen.size or "10k"]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    load_before = os.getloadavg()[0]
    try:
        with stack.running_servers(places, _tell) as children:
            build.copy(places, build.ensure(places, size, tell=_tell))
            known = report.facts(size, load_before)
            sections: report.Sections = []
            if chosen.only != "jobs":
                _tell("Starting the web server …")
                port = stack.serve(children, places)
                site = pages.Site(port)
                _tell(f"Measuring {chosen.rounds} rounds of pages and writes, one request at a time …")
                floors, read, written = pages.measure(site, chosen.rounds, _tell)
                site.lines.close()
                children.stop()
                if any(figure.failure for figure in (*read, *written)):
                    _tell("Not everything answered as it should. The web server's last words:")
                    _tell(children.children["web"].last_words(40))
                sections += [("Floors", floors), ("Pages", read), ("Writes", written)]
            if chosen.only != "http":
                _tell("Measuring the jobs …")
                sections.append(("Jobs", [*jobs.refresh(_tell), *jobs.refresh_touched(_tell), *jobs.take_in(_tell)]))
            _tell("\n" + report.write(settings.VAR, known, sections))
            build.drop(places)
    except KeyboardInterrupt:
        _tell("Stopped; nothing is left running.")
        return 130
    return 0


def _environment() -> None:
    """Production settings on servers of the bench's own."""
    root = Path(__file__).resolve().parent.parent.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    from embedded import Places

    places = Places(root / "var" / "bench")
    for name in [name for name in os.environ if name.startswith("KRING_")]:
        del os.environ[name]
    os.environ.update(
        DJANGO_SETTINGS_MODULE="tests.bench.settings",
        KRING_VAR=str(places.folder),
        KRING_SECRET_KEY=secrets.token_urlsafe(64),
        KRING_WEB_PROCESSES="2",
        DATABASE_URL=places.database_url("kring_bench"),
        REDIS_URL=places.redis_url(),
        EMAIL_URL=f"file://{places.folder}/mail",
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
