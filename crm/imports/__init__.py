"""Take in files: leads, deals, people and organisations, each row once and for ever known by its id.

`upload` keeps a file with its map, `preview` shows what it would give, `request` asks for a run, `run` does it. Rows go in through COPY and
statements over all rows at once, in one transaction.
"""

from __future__ import annotations

from crm.imports.reading import Problem
from crm.imports.runs import (
    LARGEST,
    Failed,
    Outcome,
    Preview,
    abandoned,
    is_alive,
    is_stuck,
    preview,
    rehearse,
    request,
    run,
    upload,
)

__all__ = [
    "LARGEST",
    "Failed",
    "Outcome",
    "Preview",
    "Problem",
    "abandoned",
    "is_alive",
    "is_stuck",
    "preview",
    "rehearse",
    "request",
    "run",
    "upload",
]
