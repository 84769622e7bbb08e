"""Hostile folders, servers and databases: answered in words, in bounded time, and the rest goes on."""

from __future__ import annotations

import io
import math
import os
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from etl.catalog import load_catalog
from etl.sources import Pulled
from etl.sources.base import MAX_BYTES
from etl.sources.files import LocalFileSystem, _modified_at
from tests.integration import test_sources_database as databases
from tests.integration import test_sources_rest as counties
from tests.integration.test_sources_database import Hotline, connect, hotline, server
from tests.integration.test_sources_files import (
    BOOK,
    BOOK_NAME,
    BOOKS,
    CSV,
    CSV_NAME,
    Place,
    failure_of,
    look,
    place,
    running,
    sftp,
)
from tests.integration.test_sources_files import connect as connect_files
from tests.integration.test_sources_rest import Asked, County, county

pytestmark = pytest.mark.integration
__all__ = ["connect", "county", "hotline", "place", "running", "server", "sftp"]
GOOD = "township_371311_20260302_r1.csv.gz"


def test_links_in_a_circle_and_into_nowhere_do_not_stop_the_other_files(place: Place) -> None:
    place.deliver(GOOD)
    folder = place.root / "20260302"
    for name, target in {
        CSV_NAME: f"{CSV_NAME}.sha256",
        f"{CSV_NAME}.sha256": CSV_NAME,
        "township_371312_20260302_r1.csv.gz": "township_371312_20260302_r1.csv.gz",
        "township_371321_20260302_r1.csv.gz": "nowhere/at/all",
        "township_371322_20260302_r1.csv.gz": ".",
        "township_371323_20260302_r1.csv.gz": "..",
        "township_371324_20260302_r1.csv.gz": "/etc/passwd",
    }.items():
        (folder / name).symlink_to(target)
    pulled, listing = look(CSV, place.connection)
    assert [(each.name, each.failure) for each in pulled] == [(GOOD, None)]
    assert len(listing.ignored) == 7


def test_a_day_folder_that_is_a_circle_is_ignored_or_empty(place: Place) -> None:
    (place.root / "20260302").symlink_to("20260302")
    pulled, _ = look(CSV, place.connection)
    assert [each.name for each in pulled if each.failure is None] == []


@pytest.mark.parametrize(
    "name", ["a\nb\x1b[31m.xlsx", "..\\..\\x.xlsx", "=cmd|x.xlsx", "\u202egpj.xlsx", "a" * 250]
)
def test_any_name_is_ignored_in_words_that_a_database_holds(tmp_path: Path, name: str) -> None:
    at = Place(tmp_path, connect_files("file", str(tmp_path)))
    at.write(BOOK_NAME, BOOK)
    at.write(name, b"x")
    (tmp_path / "20260302" / os.fsdecode(b"\xff\xfe.xlsx")).write_bytes(b"x")
    pulled, listing = look(BOOKS, at.connection)
    assert [each.name for each in pulled] == [BOOK_NAME]
    assert len(listing.ignored) == 2
    for words in listing.ignored:
        assert words.encode().decode() == words
        assert not set(words) & set("\x00\x1b\n\u202e")


def test_a_name_that_is_no_text_does_not_hide_the_other_files(place: Place) -> None:
    place.deliver()
    (place.root / "20260302" / os.fsdecode(b"\xff\xfe.csv.gz")).write_bytes(b"x")
    pulled, listing = look(CSV, place.connection)
    assert [(each.name, each.failure) for each in pulled] == [(CSV_NAME, None)]
    assert len(listing.ignored) == 1


@pytest.mark.parametrize("moment", [-1e20, -1, 0, 1e11, 1e20, 2**63])
def test_a_files_time_beyond_the_calendar_is_the_last_or_first_of_it(moment: float) -> None:
    assert 1970 <= _modified_at({"mtime": moment}).year <= 9999


def test_thousands_of_strange_names_are_counted_and_not_all_kept(tmp_path: Path) -> None:
    at = Place(tmp_path, connect_files("file", str(tmp_path)))
    at.write(BOOK_NAME, BOOK)
    for number in range(1_500):
        (tmp_path / "20260302" / f"{number}.tmp").touch()
    pulled, listing = look(BOOKS, at.connection)
    assert len(pulled) == 1
    assert len(listing.ignored) == 1_001
    assert listing.ignored[-1] == "另有 500 个名称未列出"


def test_a_file_that_goes_away_while_the_folder_is_listed_does_not_make_it_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Place(tmp_path, connect_files("file", str(tmp_path)))
    at.deliver()
    asked: list[str] = []
    real = LocalFileSystem.ls

    def ls(self: LocalFileSystem, path: str, detail: bool = False, **more: Any) -> Any:
        asked.append(path)
        if path.endswith("20260302") and len(asked) == 1:
            raise FileNotFoundError("gone.tmp")
        return real(self, path, detail=detail, **more)

    monkeypatch.setattr(LocalFileSystem, "ls", ls)
    pulled, _ = look(CSV, at.connection)
    assert [each.name for each in pulled] == [CSV_NAME]
    assert len(asked) == 2


class _Endless(io.RawIOBase):
    """A file that never ends and comes in drops."""

    def read(self, size: int = -1) -> bytes:
        time.sleep(0.02)
        return b"x" * min(size, 10)


def test_a_file_that_trickles_without_end_is_given_up_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Place(tmp_path, connect_files("file", str(tmp_path)))
    at.deliver()
    monkeypatch.setattr(LocalFileSystem, "open", lambda *_, **__: _Endless())
    started = time.monotonic()
    pulled, _ = look(CSV, at.connection, timeout_s=0.05)
    assert "超时" in failure_of(pulled, "failed")
    assert time.monotonic() - started < 5


def test_a_file_that_grows_without_end_is_read_no_further_than_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Place(tmp_path, connect_files("file", str(tmp_path)))
    at.deliver()
    monkeypatch.setattr(LocalFileSystem, "open", lambda *_, **__: _Flood())
    pulled, _ = look(CSV, at.connection)
    assert "50 MB" in failure_of(pulled, "rejected")
    assert len(pulled[0].parts[0]) == MAX_BYTES + 1


class _Flood(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return b"x" * size


# REST


def test_a_platform_that_gives_one_page_again_and_again_is_a_failed_batch(county: County) -> None:
    county.items = [counties.item(number) for number in range(6)]

    def first_page(asked: Asked) -> counties.Answer:
        body = orjson.loads(county.page(asked, items=county.items[:2]))
        del body["data"]["page"], body["data"]["size"]
        return 200, {}, orjson.dumps(body)

    county.faults = [first_page] * 50
    assert "内容相同" in counties.failed(counties.pull(county, page_size=2))


def test_a_platform_without_an_end_of_pages_is_left_after_its_time(county: County) -> None:
    county.delay_s = 0.1
    county.faults = [
        lambda asked: (
            200,
            {},
            county.page(asked, total=900_000, items=[counties.item(int(asked.query["page"]))]),
        )
    ] * 5_000
    started = time.monotonic()
    words = counties.failed(counties.pull(county, page_size=1, timeout_s=0.05, attempts=1))
    assert "没有取完" in words or "超时" in words
    assert time.monotonic() - started < 10


def test_a_pull_of_pages_of_the_largest_size_stops_at_the_bound(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.sources.rest._MAX_PULLED", 1_000_000)
    county.items = [counties.item(number, values=[], note="x" * 300_000) for number in range(8)]
    words = counties.rejected(counties.pull(county, page_size=1))
    assert "500 MB" in words


def test_a_total_of_millions_is_not_believed(county: County) -> None:
    county.items = [counties.item(1)]
    county.faults = [lambda asked: (200, {}, county.page(asked, total=1_000_001))] * 10
    assert "不可信" in counties.failed(counties.pull(county))
    assert len(county.asked) <= 3


# Database

ROW = "('371302000000', '2026-03-02', {}, '2026-03-02T09:00:00Z')"


def table(hotline: Hotline, columns: str, *rows: str) -> None:
    hotline.execute("DROP TABLE hotline_daily CASCADE")
    rest = [
        "answered", "answered_in_20s", "consultations", "asked", "answered_survey", "very_satisfied", "satisfied",
        "basically_satisfied", "dissatisfied", "very_dissatisfied",
    ]  # fmt: skip
    more = ", ".join(f"{name} int" for name in rest)
    hotline.execute(f"CREATE TABLE hotline_daily ({columns}, {more})")
    names = ", ".join(column.split()[0] for column in columns.split(", "))
    for row in rows:
        hotline.execute(f"INSERT INTO hotline_daily ({names}) VALUES {row}")


def values(pulled: Pulled) -> list[Any]:
    assert pulled.failure is None, pulled.failure
    rows = databases.SOURCE.read(databases.platform(), load_catalog(None), pulled).rows
    return [None if math.isnan(value) else value for value in rows["value"]]


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("float8", "'NaN'", None),
        ("float8", "'Infinity'", None),
        ("numeric", "'NaN'", None),
        ("numeric", f"1{'0' * 400}", None),
        ("numeric", f"1{'0' * 30}", None),
        ("numeric", "0.5", 0.5),
        ("numeric", "12.00", 12.0),
        ("text", "'12'", None),
        ("text", "repeat('x', 5000000)", None),
        ("bytea", "'\\x00'", None),
        ("boolean", "true", None),
        ("jsonb", """'{"a": [1]}'""", None),
        ("int[]", "'{1,2}'", None),
        ("date", "'2026-03-02'", None),
        ("date", "'infinity'", None),
        ("interval", "'3 days'", None),
        ("bigint", "9223372036854775807", 2.0**63),
    ],
)  # fmt: skip
def test_a_value_of_any_type_and_size_is_one_row(
    hotline: Hotline, connect: Any, kind: str, value: str, read: float | None
) -> None:
    columns = f"county_code char(12), stat_date date, calls {kind}, updated_at timestamptz"
    table(hotline, columns, ROW.format(value), ROW.format("NULL").replace("371302", "371311"))
    assert values(databases.pull(connect)) == [read]


def test_a_time_beyond_the_calendar_is_its_rows_trouble_and_not_the_views(
    hotline: Hotline, connect: Any
) -> None:
    for number, moment in enumerate(("infinity", "-infinity", "99999-01-01", "2026-03-02 09:00Z")):
        hotline.add(f"37130{number}000000", "2026-03-02", 5, moment)
    hotline.execute(
        "INSERT INTO hotline_daily (county_code, stat_date, calls) VALUES (NULL, '2026-03-02', 7)"
    )
    pulled = databases.pull(connect)
    reading = databases.SOURCE.read(databases.platform(), load_catalog(None), pulled)
    assert len(reading.submissions) == 5
    assert reading.rows["problem"].notna().sum() == 4
    assert reading.rows["value"].dropna().tolist() == [5.0]
    (listed, *_) = databases.SOURCE.pull_since(
        databases.platform(), connect, databases.datetime(2026, 1, 1, tzinfo=databases.UTC), set()
    ).pulled
    assert listed.failure is None


@pytest.mark.parametrize(
    ("column", "kind"), [("stat_date", "text"), ("updated_at", "int"), ("county_code", "int")]
)
def test_a_key_column_of_another_type_is_answered_in_words(
    hotline: Hotline, connect: Any, column: str, kind: str
) -> None:
    kinds = {"county_code": "char(12)", "stat_date": "date", "calls": "int", "updated_at": "timestamptz"} | {
        column: kind
    }
    table(hotline, ", ".join(f"{name} {each}" for name, each in kinds.items()))
    pulled = databases.pull(connect)
    if column == "stat_date":
        assert "hotline_daily" in databases.message_of(pulled, "rejected")
    else:
        assert pulled.failure is None


@pytest.mark.parametrize(
    ("rows", "value", "words"), [(200_001, "1", "200,001 行"), (60, "repeat('x', 1000000)", "50 MB")]
)
def test_a_view_beyond_all_measure_is_refused_before_it_is_read(
    hotline: Hotline, connect: Any, rows: int, value: str, words: str
) -> None:
    hotline.execute(
        "DROP TABLE hotline_daily CASCADE",
        "CREATE VIEW hotline_daily AS SELECT '371302000000' AS county_code, date '2026-03-02' AS stat_date,"
        f" {value} AS calls, 1 AS answered, 1 AS answered_in_20s, 1 AS consultations, 1 AS asked,"
        " 1 AS answered_survey, 1 AS very_satisfied, 1 AS satisfied, 1 AS basically_satisfied, 1 AS dissatisfied,"
        f" 1 AS very_dissatisfied, now() AS updated_at FROM generate_series(1, {rows})",
    )
    try:
        assert words in databases.message_of(databases.pull(connect, timeout_s=30), "rejected")
    finally:
        hotline.execute("DROP VIEW hotline_daily", "CREATE TABLE hotline_daily (x int)")
