"""What a run says: a table on the terminal, `report.md` to read and `report.json` to compare."""

from __future__ import annotations

import json
import os
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

import django
import granian
from django.db import connection

from tests.bench.figures import Figure

Sections = list[tuple[str, list[Figure]]]


def facts(size: int, load_before: float) -> dict[str, Any]:
    """What one must know to compare two runs; nothing that names a machine or a place."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0].split()[0]
        cursor.execute("SELECT pg_database_size(current_database()) / 1024 / 1024")
        megabytes = cursor.fetchone()[0]
        counts = {}
        for table in ("lead", "person", "organisation", "conversation", "deal", "followup", "event"):
            cursor.execute(f"SELECT count(*) FROM crm_{table}")
            counts[table] = cursor.fetchone()[0]
    return {
        "at": f"{datetime.now().astimezone():%Y-%m-%d %H:%M}",
        "size": size,
        "rows": counts,
        "database_mb": megabytes,
        "cores": os.cpu_count(),
        "load_before": round(load_before, 2),
        "python": platform.python_version(),
        "django": django.get_version(),
        "postgresql": postgres,
        "web_server": f"granian {granian.__version__}, 2 processes",
        "concurrency": 1,
    }


def write(folder: Path, known: dict[str, Any], sections: Sections) -> str:
    """Both files are written; the readable one is also the answer."""
    whole = {**known, **{title: [figure.plain() for figure in figures] for title, figures in sections}}
    (folder / "report.json").write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    readable = _readable(known, sections)
    (folder / "report.md").write_text(readable)
    return readable


def _readable(known: dict[str, Any], sections: Sections) -> str:
    rows = ", ".join(f"{count:,} {table}s" for table, count in known["rows"].items())
    lines = [
        f"# Bench of {known['size']:,} leads",
        "",
        f"{known['at']} · {known['cores']} cores (load {known['load_before']} before the run) · Python {known['python']} · "
        f"Django {known['django']} · PostgreSQL {known['postgresql']} · {known['web_server']}",
        "",
        f"{rows}; {known['database_mb']:,} MB. One request at a time; a figure is the whole answer over HTTP, to its last byte. "
        "No worker runs meanwhile.",
        "",
    ]
    for title, figures in sections:
        lines += [f"## {title}", ""]
        lines += ["| what | p50 | p95 | floor p50 | times its floor | at most | met |", "|---|--:|--:|--:|--:|--:|---|"]
        lines += [_line(figure) for figure in figures]
        floors = dict.fromkeys(figure.floor for figure in figures)
        lines += ["", "Floor: " + "; ".join(floors) + ".", ""]
    every = [figure for _title, figures in sections for figure in figures if figure.is_met is not None]
    short = [figure.name for figure in every if not figure.is_met]
    lines.append(
        f"{len(every) - len(short)} of {len(every)} targets are met."
        + (f" Short: {', '.join(short)}." if short else "")
    )
    return "\n".join(lines) + "\n"


def _line(figure: Figure) -> str:
    name = figure.name + (f" ({figure.note})" if figure.note else "")
    if figure.failure:
        return f"| {name} | | | | | | no: {figure.failure} |"
    met = {True: "yes", False: "**no**", None: ""}[figure.is_met]
    most = f"{figure.most:g} ×" if figure.most else ""
    return f"| {name} | {_time(figure.p50)} | {_time(figure.p95)} | {_time(figure.floor_p50)} | {figure.ratio:.2f} × | {most} | {met} |"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
