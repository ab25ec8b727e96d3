"""A register is read whatever its file looks like: with names above its columns or without, one column or many, numbers or addresses."""

from __future__ import annotations

import io

import pytest

from crm.channels import register_file
from crm.channels.csv_file import Unreadable
from crm.channels.register_file import Entry


def read(text: str | bytes, **how: object) -> list[Entry]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(register_file.read(io.BytesIO(content), **how))  # type: ignore[arg-type]


def texts(text: str | bytes, **how: object) -> list[str]:
    return [entry.text for entry in read(text, **how) if not entry.problem]


@pytest.mark.parametrize(
    "file",
    [
        "+3215123456\n+3215123457\n",
        "+3215123456\r\n+3215123457",
        "number\n+3215123456\n+3215123457\n",
        "Name;Number;Since\nAnn;+3215123456;2026-01-02\nBob;+3215123457;2026-01-03\n",
        "id,number\n12345678,+3215123456\n12345679,+3215123457\n",
        "\ufeffnumber\n+3215123456\n+3215123457\n",
        "Do not call me\n\nnumber\tdate\n+3215123456\t1\n+3215123457\t2\n",
        "1|+3215123456\n2|+3215123457\n",
    ],
)
def test_the_numbers_are_found(file: str) -> None:
    assert texts(file) == ["+3215123456", "+3215123457"]


def test_a_file_of_utf_16_is_read() -> None:
    assert texts("number\n+3215123456\n+3215123457\n".encode("utf-16")) == ["+3215123456", "+3215123457"]


def test_numbers_are_given_as_they_are_written() -> None:
    assert texts("015 12 34 56\n+32 (0)15 12.34.57\n0031 20 123 45 67\n") == [
        "015 12 34 56", "+32 (0)15 12.34.57", "0031 20 123 45 67"
    ]  # fmt: skip


def test_the_column_with_addresses_is_taken_when_those_are_wanted() -> None:
    file = "number,mail\n+3215123456,ann@a.example\n+3215123457,bob@b.example\n"
    assert texts(file, numbers=False) == ["ann@a.example", "bob@b.example"]
    assert texts(file, addresses=False) == ["+3215123456", "+3215123457"]


def test_a_first_row_that_is_a_number_is_no_header() -> None:
    assert texts("+3215123456,Ann\n+3215123457,Bob\n") == ["+3215123456", "+3215123457"]


def test_a_cell_that_is_made_to_be_hard_to_read_is_passed_by() -> None:
    """It would take many minutes, and this test with it."""
    assert texts("+3215123456,a@" + "." * 120_000 + "@\n" + "+3215123457,x\n") == ["+3215123456", "+3215123457"]


def test_what_cannot_be_read_is_given_with_its_line_and_reason() -> None:
    entries = read("number,name\n+3215123456,Ann\n,Bob\n+3215123458,Cas,too,many\n+3215\x00,Dan\n+3215123459,Eve\n")
    wrong = {entry.line: entry.problem for entry in entries if entry.problem}
    assert set(wrong) == {3, 4, 5}
    assert "empty" in wrong[3]
    assert "4 cells" in wrong[4]
    assert "NUL" in wrong[5]
    assert [entry.text for entry in entries if not entry.problem] == ["+3215123456", "+3215123459"]


def test_what_is_no_number_is_passed_on_so_that_it_is_refused_in_words() -> None:
    assert texts("number\n+3215123456\nask Ann\n") == ["+3215123456", "ask Ann"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("", "empty"),
        ("name,town\nAnn,Gent\n", "No column"),
        (b"PK\x03\x04rest of a workbook", "workbook"),
        ("mail\nann@a.example\n", "telephone numbers"),
    ],
)
def test_what_holds_no_number_is_refused_in_words(file: str | bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(file, addresses=False)


def test_a_register_of_addresses_holds_addresses() -> None:
    with pytest.raises(Unreadable, match="e-mail addresses"):
        read("+3215123456\n", numbers=False)
