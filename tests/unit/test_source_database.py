"""Family D: what is read from the rows of the hotline's view."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from etl.catalog import Catalog, Platform, load_catalog
from etl.sources import SOURCES, Reading, Unreadable, pulled_of

ROW: dict[str, Any] = {
    "county_code": "371302000000",
    "stat_date": "2026-03-02",
    "calls": 120,
    "answered": 110,
    "answered_in_20s": 90,
    "consultations": 80,
    "asked": 60,
    "answered_survey": 52,
    "very_satisfied": 20,
    "satisfied": 18,
    "basically_satisfied": 9,
    "dissatisfied": 4,
    "very_dissatisfied": 1,
    "updated_at": "2026-03-02T10:00:00.000001+00:00",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def read(catalog: Catalog, *rows: dict[str, Any], data: bytes | None = None) -> Reading:
    platform = Platform(
        id="hotline",
        family="database",
        level="county",
        datasets=["daily"],
        conn_id="pls_hotline",
        area=["371300000000"],
        calendar="everyday",
        options={},
    )
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows) if data is None else data
    return SOURCES["database"].read(platform, catalog, pulled_of(date(2026, 3, 2), "hotline_daily", [data]))


def test_every_column_but_the_archived_one_is_a_measure_of_the_hotline(catalog: Catalog) -> None:
    rows = read(catalog, ROW).rows
    assert dict(zip(rows["measure"], rows["value"], strict=True)) == {
        "hotline_call": 120,
        "hotline_answered": 110,
        "consultation": 80,
        "survey_asked": 60,
        "survey_answered": 52,
        "very_satisfied": 20,
        "satisfied": 18,
        "basically_satisfied": 9,
        "dissatisfied": 4,
        "very_dissatisfied": 1,
    }
    assert set(rows["channel"]) == {"hotline"}
    assert set(rows["measure"]) <= set(catalog.measures)


def test_updated_at_is_revision_and_receipt_stamp(catalog: Catalog) -> None:
    submissions = read(catalog, ROW).submissions
    stamp = datetime(2026, 3, 2, 10, 0, 0, 1, tzinfo=UTC)
    assert submissions["received_at"].tolist() == [stamp]
    assert submissions["revision"].tolist() == [1_772_445_600_000_001]


def test_null_is_no_value(catalog: Catalog) -> None:
    rows = read(catalog, ROW | {"calls": None, "asked": 0}).rows
    assert "hotline_call" not in set(rows["measure"])
    assert len(rows) == 9


def test_two_rows_of_one_county_and_day_are_two_submissions(catalog: Catalog) -> None:
    later = ROW | {"calls": 121, "updated_at": "2026-03-02T11:00:00+00:00"}
    submissions = read(catalog, ROW, later, ROW | {"calls": 9}).submissions
    assert submissions["unit"].tolist() == ["371302000000"] * 3
    assert submissions["revision"].nunique() == 2


def test_a_row_without_a_time_of_update_is_one_problem_row(catalog: Catalog) -> None:
    reading = read(catalog, ROW | {"updated_at": None})
    assert reading.rows["problem"].tolist() == ["updated_at 无法识别：空"]
    assert reading.submissions["revision"].tolist() == [-1]
    assert reading.submissions["received_at"].isna().all()


def test_text_where_a_number_belongs_is_not_a_number(catalog: Catalog) -> None:
    rows = read(catalog, ROW | {"calls": "many"}).rows
    assert rows["value_text"].tolist()[0] == "many"
    assert rows["value"].isna().sum() == 1


def test_a_mobile_number_among_the_figures_marks_the_submission(catalog: Catalog) -> None:
    reading = read(catalog, ROW | {"calls": 13800138078})
    assert reading.submissions["personal"].tolist() == [True]
    assert reading.rows["value_text"].tolist()[0] == "138******78"
    assert reading.rows["value"].isna().sum() == 1


def test_no_rows_are_no_submissions(catalog: Catalog) -> None:
    reading = read(catalog)
    assert (len(reading.rows), len(reading.submissions)) == (0, 0)


@pytest.mark.parametrize("data", [b"<html>", b"[]\n", b'{"calls": 1}\n', b"\xff\n"])
def test_lines_that_are_no_rows_of_the_view_are_unreadable(catalog: Catalog, data: bytes) -> None:
    with pytest.raises(Unreadable, match="第 1 行"):
        read(catalog, data=data)


@pytest.mark.parametrize("column", ["county_code", "stat_date", "updated_at", "calls"])
def test_a_value_nested_deeply_is_read_like_any_other(catalog: Catalog, column: str) -> None:
    line = orjson.dumps(ROW | {column: "@"}).replace(b'"@"', b"[" * 900 + b"]" * 900)
    assert len(read(catalog, data=line).submissions) == 1
