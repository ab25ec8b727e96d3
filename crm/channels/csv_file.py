"""Read a CSV file whatever its encoding, delimiter and line ends, row by row, in little memory however large the file or a line of it is.

`examine` says what the file is (or raises `Unreadable` with a sentence for the person who sent it); `rows` then gives each row with the line of
the file on which it begins. A row that cannot be read is given as `BadRow` and does not stop the rest.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

LONGEST_LINE = 1024 * 1024
"""Bytes between two line ends. A longer line is no table, and reading one of 1 GB would need several GB."""

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 256 * 1024
HEADER_WITHIN = 60
"""The header may follow notes (as in LinkedIn's export), within so many rows."""

MOST_UNCLOSED = 100
"""So many cells may be opened with a quote and never closed; after that the file is taken for something else than CSV."""

BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Before UTF-16: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WESTERN = frozenset(
    "àâäáãåçéèêëíìîïñóòôöõøúùûüýÿœæßšžÀÂÄÁÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØÚÙÛÜÝŸŒÆŠŽ€’‘“”„–—…°ºª™®©·«»¿¡§´¨½¼²³×\u00a0"
)
"""What a byte above 127 is in a Western European text, read as cp1252."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Unreadable(Exception):
    """The file cannot be taken in at all; the message is a translated sentence that says why."""


@dataclass(frozen=True)
class Sheet:
    """What a file turned out to be. `mark` is the length of its byte order mark; `lines` counts the line ends of the whole file."""

    encoding: str
    mark: int
    delimiter: str
    header: tuple[str, ...]
    header_line: int
    lines: int


@dataclass(frozen=True)
class Row:
    line: int
    cells: list[str]


@dataclass(frozen=True)
class BadRow:
    """A row that could not be read: `value` is how it begins, `column` names the column when one can be blamed."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class _Bytes:
    """What one pass over the bytes found."""

    sample: bytes
    lines: int
    is_utf8: bool
    high_sample: bytes


def examine(stream: BinaryIO, *, expects: Collection[str] = ()) -> Sheet:
    """Find encoding, delimiter and header. `expects` names columns that ought to be there: they tell the header from notes above it.

    Reads the whole stream once, in pieces, from its beginning. Raises `Unreadable` for an empty file, a workbook or another binary file, and a
    line longer than `LONGEST_LINE`.
    """
    found = _scan(stream)
    encoding, mark = _encoding(found)
    delimiter, header, line = _layout(stream, encoding, mark, expects)
    return Sheet(encoding, mark, delimiter, header, line, found.lines)


def rows(stream: BinaryIO, sheet: Sheet) -> Iterator[Row | BadRow]:
    """Each row below the header. Rows without any value are left out; cells beyond the header are left out when empty."""
    width = len(sheet.header)
    lines = _Lines(stream, sheet.encoding, sheet.mark)
    for line, cells, problem in _records(lines, sheet.delimiter):
        if line <= sheet.header_line:
            continue
        if problem:
            yield BadRow(line, "", _beginning(cells, sheet.delimiter), problem)
            continue
        if not any(cells):
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        if len(cells) == width:
            yield _clean(line, cells, sheet.header)
        elif len(cells) < width and lines.has_ended_open:
            yield BadRow(line, "", _beginning(cells, sheet.delimiter), _("The file ends in the middle of this row."))
        else:
            sentence = ngettext(
                "This row has %(found)d cell, the header has %(wanted)d.",
                "This row has %(found)d cells, the header has %(wanted)d.",
                len(cells),
            )
            reason = sentence % {"found": len(cells), "wanted": width}
            yield BadRow(line, "", _beginning(cells, sheet.delimiter), reason)


def _clean(line: int, cells: list[str], header: tuple[str, ...]) -> Row | BadRow:
    for column, cell in zip(header, cells, strict=True):
        if "\x00" in cell:
            shown = cell.replace("\x00", REPLACEMENT)
            return BadRow(line, column, shown, _("This cell holds a NUL character, which is not text."))
        if REPLACEMENT in cell:
            return BadRow(line, column, cell, _("This cell holds a character that cannot be read."))
    return Row(line, cells)


def _beginning(cells: list[str], delimiter: str) -> str:
    return delimiter.join(cells)[:200].replace("\x00", REPLACEMENT)


# ── Lines and records ────────────────────────────────────────────────────────────────────────────────────────────────


class _Lines:
    """The decoded lines of a stream, with their line ends. At most `LONGEST_LINE` of one line is ever in memory."""

    def __init__(self, stream: BinaryIO, encoding: str, mark: int) -> None:
        stream.seek(mark)
        self._text = io.TextIOWrapper(io.BufferedReader(_Kept(stream)), encoding=encoding, errors="replace", newline="")
        self._again: deque[str] = deque()
        self.number = 0
        self.is_over = False
        self.has_ended_open = False
        """The last line of the file came, and had no line end."""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_LINE + 1)
        if not line:
            self.is_over = True
            raise StopIteration
        if len(line) > LONGEST_LINE:
            raise Unreadable(_too_long(self.number + 1))
        self.number += 1
        self.has_ended_open = line[-1] not in "\r\n"
        return line

    def put_back(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)
        self.is_over = False


class _Kept(io.RawIOBase):
    """A stream that stays open when the text reader above it goes away: it belongs to the caller."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Each record with the line on which it begins, and what is wrong with it.

    A quote that is never closed would swallow the rest of the file: then its line alone is bad, and reading goes on with the next.
    """
    taken: list[str] = []

    def feed() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    reader = csv.reader(feed(), delimiter=delimiter)
    unclosed = 0
    while True:
        begin = lines.number + 1
        taken.clear()
        try:
            cells = next(reader)
            problem = ""
        except StopIteration:
            return
        except csv.Error:
            cells = []
            problem = _("A cell on this line is longer than %(most)d characters.") % {"most": csv.field_size_limit()}
        if lines.is_over or (problem and len(taken) > 1):
            # The reader asked for more than the file has, or than a cell may hold: a quote was opened and not closed.
            problem = _("A quote is opened on this line and never closed.")
            cells = [taken[0].rstrip("\r\n")]
            unclosed += 1
            if unclosed > MOST_UNCLOSED:
                raise Unreadable(
                    _("More than %(most)d lines open a quote that is never closed. This is not a CSV file.")
                    % {"most": MOST_UNCLOSED}
                )
            lines.put_back(taken[1:])
            reader = csv.reader(feed(), delimiter=delimiter)
        yield begin, cells, problem


# ── Finding out ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _too_long(line: int) -> str:
    return _("Line %(line)d is longer than %(most)d KB. Such a line is not a row of a table: is this a CSV file?") % {
        "line": line,
        "most": LONGEST_LINE // 1024,
    }


def _scan(stream: BinaryIO) -> _Bytes:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    sample = bytearray()
    high_sample = bytearray()
    lines = since_end = 0
    good, bad = 0, 0
    while piece := stream.read(64 * 1024):
        if len(sample) < SAMPLE:
            sample += piece
            if reason := _foreign(bytes(sample[:8])):
                raise Unreadable(reason)
        unified = piece.replace(b"\r", b"\n")
        first, last = unified.find(b"\n"), unified.rfind(b"\n")
        since_end += len(piece) if first < 0 else first
        if since_end > LONGEST_LINE:
            raise Unreadable(_too_long(lines + 1))
        if last >= 0:
            since_end = len(piece) - last - 1
        lines += piece.count(b"\n") or piece.count(b"\r")
        if not piece.isascii():
            if len(high_sample) < SAMPLE:
                high_sample += b"\n".join(part for part in unified.split(b"\n") if not part.isascii())[:SAMPLE]
            good += sum(byte >= 0xC2 for byte in piece)
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            bad += piece.decode("utf-8", "replace").count(REPLACEMENT)
            decoder.reset()
    if not sample:
        raise Unreadable(_("The file is empty."))
    # A few broken bytes in a file full of good UTF-8 do not make it something else: their rows are refused one by one.
    return _Bytes(bytes(sample), lines, is_utf8=bad == 0 or bad * 20 < good, high_sample=bytes(high_sample))


def _foreign(start: bytes) -> str:
    if start.startswith(b"PK\x03\x04") or start.startswith(b"\xd0\xcf\x11\xe0"):
        return _("This is a workbook, not a CSV file. Open it in your spreadsheet program and save it as CSV.")
    if start.startswith((b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"BZh", b"7z\xbc\xaf")):
        return _("This is not a text file. Save the table as CSV.")
    return ""


def _encoding(found: _Bytes) -> tuple[str, int]:
    for mark, name in BOMS:
        if found.sample.startswith(mark):
            # Some programs put a mark of UTF-16 before UTF-32 of either order, in which three bytes of four are nothing.
            if name.startswith("utf-16") and found.sample.count(0) > 0.7 * len(found.sample):
                return ("utf-32-be" if found.sample[2] == 0 else "utf-32-le"), len(mark)
            return name, len(mark)
    sample = found.sample[: 4 * 1024]
    nuls = sample.count(0)
    if nuls * 4 > len(sample):
        even = sample[::2].count(0)
        if abs(2 * even - nuls) * 2 < nuls:
            raise Unreadable(_("This is not a text file. Save the table as CSV."))
        return ("utf-16-be" if 2 * even > nuls else "utf-16-le"), 0
    if found.is_utf8:
        return "utf-8", 0
    return _single_byte(found.high_sample), 0


def _single_byte(text: bytes) -> str:
    """cp1252 when the bytes above 127 read as Western European writing, else what the statistics say, else cp1252.

    Old DOS (cp850) and Mac files differ from cp1252 in just those bytes, so their letters come out as signs that no name holds.
    """
    high = [char for char in text.decode("cp1252", "replace") if ord(char) > 127]
    if sum(char in WESTERN for char in high) >= 0.9 * len(high):
        return "cp1252"
    best = from_bytes(text, cp_isolation=["cp850", "mac_roman", "cp1250", "cp1251", "iso8859_2", "cp1252"]).best()
    return best.encoding if best else "cp1252"


def _layout(stream: BinaryIO, encoding: str, mark: int, expects: Collection[str]) -> tuple[str, tuple[str, ...], int]:
    wanted = {name.strip().casefold() for name in expects}
    best: tuple[tuple[float, ...], str, tuple[str, ...], int] | None = None
    for rank, delimiter in enumerate(DELIMITERS):
        first = _first_records(stream, encoding, mark, delimiter)
        for place, (line, cells) in enumerate(first[:HEADER_WITHIN]):
            names = tuple(cell.strip() for cell in cells)
            hits = len(wanted & {name.casefold() for name in names})
            alike = sum(len(others) == len(names) for _line, others in first[place:]) / len(first)
            # One column alone, or columns without a name, are a header when nothing better is.
            likely = alike if len(names) > 1 and all(names) else alike / 4
            score = (hits, likely, -line, len(names), -rank)
            if best is None or score > best[0]:
                best = (score, delimiter, names, line)
    if best is None:
        raise Unreadable(_("The file holds no row."))
    _score, delimiter, names, line = best
    while names and not names[-1]:
        names = names[:-1]
    if not names or any("\x00" in name for name in names):
        raise Unreadable(_("The file has no readable header: a first row that names its columns."))
    return delimiter, names, line


def _first_records(stream: BinaryIO, encoding: str, mark: int, delimiter: str) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    for line, cells, problem in _records(_Lines(stream, encoding, mark), delimiter):
        if any(cells) and not problem:
            found.append((line, cells))
        if line > 5 * HEADER_WITHIN or len(found) >= 2 * HEADER_WITHIN:
            break
    return found
