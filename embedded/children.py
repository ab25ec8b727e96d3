"""Programs that live and die with the one that started them. Each leads a process group of its own, so that ending it ends what it started
too; one that dies is started again, slower each time, and one that cannot stay alive is given up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from embedded import processes

# A child that lived this long was well; the next death counts as the first.
WELL_AFTER = 20.0
GIVE_UP_AFTER = 5


@dataclass
class Child:
    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    again_at: float = field(default=0.0)

    def last_words(self, lines: int = 12) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class GivenUp(RuntimeError):
    """A child died again and again; the message says which and shows its last words."""


class Children:
    def __init__(self, *, folder: Path, register: Path, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.register = processes.Register(register)
        self.tell = tell
        self.children: dict[str, Child] = {}

    def end_leftovers(self) -> int:
        """Ends what a killed predecessor left running; says how many processes that were."""
        left = self.register.living()
        processes.end(left, patience=3)
        return len(left)

    def start(self, name: str, command: Iterable[str], *, log: Path) -> Child:
        child = Child(name, [str(part) for part in command], log)
        self.children[name] = child
        self._launch(child)
        return child

    def restart(self, names: Iterable[str]) -> None:
        chosen = [self.children[name] for name in names]
        self._end(chosen)
        for child in chosen:
            child.deaths = 0
            self._launch(child)

    def watch(self) -> None:
        """One look: a child that died is started again when its time has come. Raises GivenUp."""
        now = time.monotonic()
        for child in self.children.values():
            if child.process is not None and child.process.poll() is not None:
                code = child.process.returncode
                child.process = None
                child.deaths = 1 if now - child.started > WELL_AFTER else child.deaths + 1
                if child.deaths >= GIVE_UP_AFTER:
                    raise GivenUp(f"The {child.name} stopped {child.deaths} times in a row.\n{child.last_words()}")
                child.again_at = now + 2.0 ** (child.deaths - 1)
                how = f"by signal {-code}" if code < 0 else f"with code {code}"
                self.tell(f"The {child.name} stopped {how}. It starts again; its log is {child.log}.")
            if child.process is None and now >= child.again_at:
                self._launch(child)

    def stop(self) -> None:
        """Afterwards no child lives, nor anything that a child started."""
        self._end(self.children.values())
        self.register.file.unlink(missing_ok=True)

    def _launch(self, child: Child) -> None:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
            )
        child.started = time.monotonic()
        self.register.write(each.process.pid for each in self.children.values() if each.process is not None)

    def _end(self, children: Iterable[Child], *, patience: float = 10.0) -> None:
        chosen = [child for child in children if child.process is not None]
        members = [member for child in chosen for member in _group(child)]
        for child in chosen:
            assert child.process is not None
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        for child in chosen:
            assert child.process is not None
            try:
                child.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.tell(f"The {child.name} does not stop; it is ended.")
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
            child.process = None
        processes.end(members, by=signal.SIGKILL, patience=2)


def _group(child: Child) -> list[psutil.Process]:
    """What the child started, asked while it still lives."""
    assert child.process is not None
    try:
        return psutil.Process(child.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
