"""Files as they really come: any encoding, delimiter and line end, notes above the header, cut off, or no table at all."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.channels import csv_file
from crm.channels.csv_file import BadRow, Row, Unreadable

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the files to try Kring on are not beside the project")


def read(content: bytes, **options) -> tuple[csv_file.Sheet, list[Any]]:
    stream = io.BytesIO(content)
    sheet = csv_file.examine(stream, **options)
    return sheet, list(csv_file.rows(stream, sheet))


def cells(content: bytes, **options) -> list[list[str]]:
    return [row.cells for row in read(content, **options)[1] if isinstance(row, Row)]


TABLE = "naam;plaats\r\nZoë;São Paulo\r\nAndré Ünal;’s-Hertogenbosch €5\r\n"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-32-le"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (b"", "cp1252"),
    ],
)
def test_accents_are_right_in_every_encoding(mark, encoding):
    sheet, rows = read(mark + TABLE.encode(encoding))
    assert sheet.encoding == encoding
    assert sheet.header == ("naam", "plaats")
    assert [row.cells for row in rows] == [["Zoë", "São Paulo"], ["André Ünal", "’s-Hertogenbosch €5"]]


def test_an_old_dos_file_is_told_from_a_windows_file():
    text = "naam,plaats\n" + "".join(f"Zoë Crèvecœur {n},Liège é à ê\n" for n in range(20)).replace("œ", "oe")
    assert cells(text.encode("cp850"))[0] == ["Zoë Crèvecoeur 0", "Liège é à ê"]


def test_one_broken_byte_spoils_its_row_and_not_the_others():
    good = "".join(f"Zoë {n},São Paulo\n" for n in range(50)).encode()
    sheet, rows = read(b"naam,plaats\n" + good + b"Ren\xe9,Gent\n")
    assert sheet.encoding == "utf-8"
    assert [row for row in rows if isinstance(row, BadRow)] == [
        BadRow(52, "naam", "Ren\N{REPLACEMENT CHARACTER}", "This cell holds a character that cannot be read.")
    ]
    assert rows[0] == Row(2, ["Zoë 0", "São Paulo"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_though_others_stand_in_quotes(delimiter):
    others = "".join(sign for sign in ",;\t|" if sign != delimiter)
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(
        [["id", "name", "note"], *([n, f"Jan {others}", others * 3] for n in range(9))]
    )
    sheet, rows = read(text.getvalue().encode())
    assert sheet.delimiter == delimiter
    assert rows[8] == Row(10, ["8", f"Jan {others}", others * 3])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read_and_lines_counted(end):
    _sheet, rows = read(end.join(["a,b", "1,2", '3,"x', 'y"', "5,6", ""]).encode())
    assert [row.line for row in rows] == [2, 3, 5]
    assert rows[1].cells == ["3", f"x{end}y"]


def test_a_header_is_found_below_notes():
    text = 'Notes:\n"When exporting, you may notice, that"\n\nFirst Name,Last Name,URL\nPriya,Sharma,x\n'
    sheet, rows = read(text.encode())
    assert (sheet.header_line, sheet.header) == (4, ("First Name", "Last Name", "URL"))
    assert rows == [Row(5, ["Priya", "Sharma", "x"])]


def test_the_expected_columns_tell_the_header_from_notes_that_look_like_one():
    text = "Report,made,by,Jan\nyes,no,yes,no\nid,date,name,city\n1,2026-01-01,Jan,Gent\n"
    sheet, rows = read(text.encode(), expects=["name", "id"])
    assert sheet.header_line == 3
    assert len(rows) == 1


def test_one_column_alone_is_a_table_too():
    assert cells(b"id\n1\n2\n") == [["1"], ["2"]]


def test_rows_without_any_value_are_left_out():
    assert cells(b"a,b\n\n1,2\n,\n\n3,4\n") == [["1", "2"], ["3", "4"]]


def test_empty_cells_beyond_the_header_do_not_matter_and_others_do():
    _sheet, rows = read(b"a,b\n1,2,,\n3,4,x\n5\n")
    assert rows[0] == Row(2, ["1", "2"])
    assert [(row.line, row.reason) for row in rows[1:]] == [
        (3, "This row has 3 cells, the header has 2."),
        (4, "This row has 1 cell, the header has 2."),
    ]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (b"7,8,9", None),
        (b"7,8", "The file ends in the middle of this row."),
        (b'7,"8', "A quote is opened on this line and never closed."),
        (b'7,"8\nand', "A quote is opened on this line and never closed."),
    ],
)
def test_half_a_file_gives_its_whole_rows_and_says_where_it_was_cut(end, reason):
    _sheet, rows = read(b"a,b,c\n1,2,3\n4,5,6\n" + end)
    assert rows[:2] == [Row(2, ["1", "2", "3"]), Row(3, ["4", "5", "6"])]
    if reason:
        assert (rows[2].line, rows[2].reason) == (4, reason)
    else:
        assert rows[2] == Row(4, ["7", "8", "9"])


def test_a_quote_that_is_never_closed_takes_only_its_own_line():
    body = b"".join(b"%d,x\n" % n for n in range(2000))
    _sheet, rows = read(b"a,b\n" + b'0,"open\n' + body)
    assert (rows[0].line, rows[0].reason) == (2, "A quote is opened on this line and never closed.")
    assert rows[1:] == [Row(3 + n, [str(n), "x"]) for n in range(2000)]


def test_a_file_full_of_open_quotes_is_no_csv_file(monkeypatch):
    monkeypatch.setattr(csv_file, "MOST_UNCLOSED", 2)
    open_for_long = b'1,"open\n' + b"2,x\n" * 40_000
    with pytest.raises(Unreadable, match="not a CSV file"):
        read(b"a,b\n" + open_for_long * 3)


def test_a_nul_character_spoils_its_row():
    _sheet, rows = read(b"a,b\n1,x\x00y\n2,z\n")
    assert (rows[0].line, rows[0].column) == (2, "b")
    assert "NUL" in rows[0].reason
    assert rows[1] == Row(3, ["2", "z"])


def test_a_cell_that_is_too_long_spoils_its_row():
    _sheet, rows = read(b"a,b\n1," + b"x" * 200_000 + b"\n2,z\n")
    assert rows[0].reason == "A cell on this line is longer than 131072 characters."
    assert rows[1] == Row(3, ["2", "z"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\n\n  \n", "no row|no readable header"),
        (b"PK\x03\x04\x14\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
        (b"%PDF-1.7", "not a text file"),
        (bytes(range(256)) * 40, "not a text file|no readable header|NUL"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(content, said):
    with pytest.raises(Unreadable, match=said):
        read(content)


class Endless(io.RawIOBase):
    """A file of `size` bytes without any line end, made while it is read."""

    def __init__(self, size: int, begin: bytes = b"") -> None:
        self.size, self.at, self.begin = size, 0, begin

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset
        return offset

    def read(self, count: int = -1) -> bytes:
        assert count > 0, "nobody may ask for the whole file"
        piece = (self.begin[self.at :] + b"x" * count)[:count] if self.at < len(self.begin) else b"x" * count
        piece = piece[: self.size - self.at]
        self.at += len(piece)
        return piece


@pytest.mark.parametrize("begin", [b"", b"a,b\n1,2\n", codecs.BOM_UTF16_LE])
def test_a_line_of_a_gigabyte_is_refused_without_reading_it(begin):
    file: Any = Endless(1024**3, begin)
    tracemalloc.start()
    with pytest.raises(Unreadable, match="longer than 1024 KB"):
        csv_file.examine(file)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 16 * 1024**2
    assert file.at < 8 * 1024**2


text = st.text(st.characters(exclude_characters="\x00\r\n\ufeff\ufffd", exclude_categories=["Cs"]), max_size=20)


@given(
    rows=st.lists(st.lists(text, min_size=3, max_size=3), max_size=20),
    delimiter=st.sampled_from(csv_file.DELIMITERS),
    encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_is_written_is_read_again(rows, delimiter, encoding, end):
    out = io.StringIO()
    header = ["first column", "second column", "third column"]
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    sheet, found = read(out.getvalue().encode(encoding), expects=header)
    assert list(sheet.header) == header
    assert [row.cells for row in found if isinstance(row, Row)] == [row for row in rows if any(row)]


@given(st.binary(max_size=600))
def test_no_bytes_whatever_make_it_crash(content):
    with contextlib.suppress(Unreadable):
        read(content)


# ── Real files ───────────────────────────────────────────────────────────────────────────────────────────────────────


@needs_data
@pytest.mark.parametrize(
    "path", sorted(DATA.glob("salesforce_dataloader/testfiles/csvtext*.csv")), ids=lambda path: path.stem
)
def test_the_data_loader_s_marks_are_understood(path):
    assert cells(path.read_bytes()) == [["row1-1", "row1-2", "row1-3"], ["row2-1", "row2-2", "row2-3"]]


@needs_data
def test_salesforce_accounts_in_cp1252_keep_their_accents():
    sheet, rows = read((DATA / "salesforce_dataloader/samples/accountData.csv").read_bytes())
    names = [row.cells[sheet.header.index("NAME")] for row in rows]
    assert sheet.encoding == "cp1252"
    assert len(names) == 423
    assert "Crédito Inmobiliario Terras" in names


@needs_data
def test_escaped_quotes_are_names():
    path = DATA / "salesforce_dataloader/testfiles/csvEscapedQuotes.csv"
    assert cells(path.read_bytes()) == [['"The Best" Account', "bla"], ['The "Best" Account', "bla"]]


@needs_data
@pytest.mark.parametrize("path", sorted(DATA.glob("*/**/*.csv")), ids=lambda path: path.stem)
def test_every_real_file_is_read_without_a_bad_row(path):
    _sheet, rows = read(path.read_bytes())
    assert not [row for row in rows if isinstance(row, BadRow)]
