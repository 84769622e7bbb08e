"""Hostile CSV files, from contract.md, B: each is read or refused in plain words, and no line is lost."""

from __future__ import annotations

import gzip

import pytest

from etl.catalog import Catalog, load_catalog
from etl.sources import Reading, Unreadable
from tests.unit.test_source_csv import HEADER, line, read_bytes


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def read(catalog: Catalog, text: str, encoding: str = "gb18030", mark: bytes = b"") -> Reading:
    return read_bytes(catalog, gzip.compress(mark + text.encode(encoding), mtime=0))


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\n", "\r\n\r\n", "\n\r"])
def test_every_kind_of_line_end_is_read(catalog: Catalog, end: str) -> None:
    reading = read(catalog, end.join([HEADER, line("1"), line("2", unit="371302002000")]) + end)
    assert reading.rows["value"].tolist() == [1.0, 2.0]


def test_mixed_line_ends_in_one_file_are_read(catalog: Catalog) -> None:
    text = (
        HEADER
        + "\r\n"
        + line("1")
        + "\n"
        + line("2", unit="371302002000")
        + "\r"
        + line("3", unit="371302003000")
    )
    assert read(catalog, text).rows["value"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("encoding", "mark", "words"),
    [
        ("utf-8", b"", "UTF-8 编码，约定的是 GB18030"),
        ("utf-8", b"\xef\xbb\xbf", "UTF-8 编码，约定的是 GB18030"),
        ("utf-16", b"", "UTF-16 编码，约定的是 GB18030"),
    ],
)
def test_another_encoding_than_declared_is_named(
    catalog: Catalog, encoding: str, mark: bytes, words: str
) -> None:
    with pytest.raises(Unreadable, match=words):
        read(catalog, f"{HEADER}\n{line('1')}\n", encoding, mark)


def test_nul_bytes_stay_out_of_words_and_times(catalog: Catalog) -> None:
    bad = line("1").replace("2026-03-02 17:40:00", "17:40\x00").removesuffix("1") + "9\x00"
    reading = read(catalog, f"{HEADER}\n{bad}\n{line(chr(0), unit='371302002000')}\n")
    assert "\x00" not in "".join(map(str, reading.submissions["filled_at"]))
    assert "\x00" not in "".join(words for _, _, words in reading.notes)
    assert [code for _, code, _ in reading.notes] == ["other_edition"]
    assert reading.rows["value"].isna().tolist() == [False, True]
    with pytest.raises(Unreadable) as refused:
        read(catalog, "单位\x00代码,x\n1,2\n")
    assert "\x00" not in str(refused.value)


def test_a_cell_of_five_megabytes_is_its_lines_trouble_and_not_the_files(catalog: Catalog) -> None:
    text = "\n".join([HEADER, line("x" * 5_000_000), line("2", unit="371302002000"), "371302003000,1,2"])
    reading = read(catalog, text)
    assert len(reading.rows) == 3
    assert reading.rows["value"].isna().tolist() == [True, False, True]


def test_a_hundred_thousand_columns_are_refused_by_their_number(catalog: Catalog) -> None:
    with pytest.raises(Unreadable, match="100,007 列"):
        read(catalog, HEADER + ",x" * 100_000 + "\n")


def test_a_code_followed_by_spaces_and_more_is_not_cut_to_a_good_one(catalog: Catalog) -> None:
    reading = read(catalog, f"{HEADER}\n{line('1', unit='371302001000' + ' ' * 2000 + 'x')}\n")
    assert reading.submissions["unit"].tolist() != ["371302001000"]
    assert read(catalog, f"{HEADER}\n{line('5' + ' ' * 2000 + '7')}\n").rows["value"].isna().all()


def test_a_day_as_a_serial_number_is_kept_for_the_gate(catalog: Catalog) -> None:
    reading = read(catalog, f"{HEADER}\n{line('1').replace('2026-03-02,', '46083,', 1)}\n")
    assert reading.submissions["date"].tolist() == ["46083"]
    assert len(reading.rows) == 1


def test_formulas_are_text(catalog: Catalog) -> None:
    reading = read(catalog, "\n".join([HEADER, *(line(f"{sign}1+1") for sign in "=+-@")]))
    assert reading.rows["value"].isna().tolist() == [True] * 4
    assert reading.rows["value_text"].tolist() == ["=1+1", "+1+1", "-1+1", "@1+1"]


def test_the_column_of_a_return_sheet_is_left_out(catalog: Catalog) -> None:
    text = f"{HEADER},审核意见\n{line('1')},数值 -1 为负\n{line('2', unit='371302002000')},\n"
    assert read(catalog, text).rows["value"].tolist() == [1.0, 2.0]


def test_a_unit_that_stands_in_a_million_submissions_is_one(catalog: Catalog) -> None:
    reading = read(catalog, "\n".join([HEADER, *[line("1")] * 5_000]))
    assert len(reading.submissions) == 1
    assert len(reading.rows) == 5_000
