"""Processes told apart with certainty: a number that the system has given to another program since is never taken for ours."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil


def find(number: int, *, name: str, folder: Path) -> psutil.Process | None:
    """The living process `number` when it is a program called `name` that works in or names `folder`; else None."""
    try:
        process = psutil.Process(number)
        if process.status() == psutil.STATUS_ZOMBIE or not process.name().startswith(name):
            return None
        if str(folder) in process.cmdline() or str(folder) in " ".join(process.cmdline()):
            return process
        return process if Path(process.cwd()) == folder else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def find_all(*, name: str, folder: Path) -> list[psutil.Process]:
    """Every program called `name` on `folder`, whatever its pid file says or fails to say."""
    return [process for number in psutil.pids() if (process := find(number, name=name, folder=folder))]


def end(processes: Iterable[psutil.Process], *, by: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
    """Afterwards none of `processes` lives: asked first, killed when it takes longer than `patience` seconds."""
    living = list(processes)
    for process in living:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(by)
    _gone, stubborn = psutil.wait_procs(living, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)


class Register:
    """The children of one `up`, on disk with their time of birth, so that the next one can end those whose parent was killed."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def write(self, numbers: Iterable[int]) -> None:
        known = {}
        for number in numbers:
            with contextlib.suppress(psutil.NoSuchProcess):
                known[str(number)] = psutil.Process(number).create_time()
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(known))
        os.replace(fresh, self.file)

    def living(self) -> list[psutil.Process]:
        """The registered processes that still live, with everything they started."""
        try:
            known: dict[str, float] = json.loads(self.file.read_text())
        except (FileNotFoundError, ValueError):
            return []
        found: dict[int, psutil.Process] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
                leader = os.getpgid(process.pid)
                born = known.get(str(leader))
                # Every child leads a group of its own, so its group holds what it started, even when it is dead itself.
                if born is not None and process.create_time() >= born - 0.01 and process.pid != os.getpid():
                    leads_anew = process.pid == leader and abs(process.create_time() - born) > 0.01
                    if not leads_anew:
                        found[process.pid] = process
        return list(found.values())
