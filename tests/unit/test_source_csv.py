"""Family B: what is read from a township file's bytes."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from typing import Any

import pytest

from etl.catalog import Catalog, Platform, load_catalog
from etl.sources import SOURCES, Reading, Unreadable, pulled_of
from etl.sources.base import MAX_BYTES

DAY = date(2026, 3, 2)
NAME = "township_371302_20260302_r1.csv.gz"
RECEIVED_AT = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
HEADER = "单位代码,统计日期,渠道,指标,数值,填报时间,版次"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def platform(**options: Any) -> Platform:
    return Platform(
        id="township-371302",
        family="csv",
        level="township",
        datasets=["daily"],
        conn_id="pls_township",
        area=["371302000000"],
        calendar="workdays",
        options=options,
    )


def line(
    value: str,
    unit: str = "371302001000",
    measure: str = "解答法律咨询",
    channel: str = "实体",
    day: str = "2026-03-02",
    edition: str = "1",
) -> str:
    return f"{unit},{day},{channel},{measure},{value},2026-03-02 17:40:00,{edition}"


def pack(text: str, encoding: str = "gb18030") -> bytes:
    return gzip.compress(text.encode(encoding), mtime=0)


def read_bytes(catalog: Catalog, data: bytes, name: str = NAME, **options: Any) -> Reading:
    return SOURCES["csv"].read(platform(**options), catalog, pulled_of(DAY, name, [data], RECEIVED_AT))


def read(catalog: Catalog, *lines: str, name: str = NAME, end: str = "\n", **options: Any) -> Reading:
    return read_bytes(catalog, pack(end.join([HEADER, *lines, ""])), name, **options)


def figures(reading: Reading) -> list[tuple[Any, ...]]:
    columns = ["unit", "measure", "channel", "value", "line"]
    return [tuple(row) for row in reading.rows[columns].itertuples(index=False)]


def test_each_figure_is_a_row_of_its_unit(catalog: Catalog) -> None:
    reading = read(
        catalog, line("12"), line("3", measure="调解受理", channel="网络"), line("0", unit="371302002000")
    )
    assert figures(reading) == [
        ("371302001000", "consultation", "physical", 12.0, 2),
        ("371302001000", "mediation_accepted", "network", 3.0, 3),
        ("371302002000", "consultation", "physical", 0.0, 4),
    ]
    assert reading.rows["row_number"].tolist() == [1, 2, 3]
    assert reading.rows["submission"].tolist() == [0, 0, 1]
    assert reading.rows["value_text"].isna().all()
    assert reading.rows["problem"].isna().all()
    assert set(reading.rows["date"]) == {"2026-03-02"}
    assert reading.submissions.to_dict("list") == {
        "submission": [0, 1],
        "unit": ["371302001000", "371302002000"],
        "date": ["2026-03-02"] * 2,
        "revision": [1, 1],
        "received_at": [RECEIVED_AT] * 2,
        "filled_at": ["2026-03-02 17:40:00"] * 2,
        "is_nil": [False, False],
        "personal": [False, False],
    }
    assert reading.scope == "371302"
    assert reading.notes == []


def test_the_frames_have_the_types_of_the_contract_even_when_empty(catalog: Catalog) -> None:
    for reading in (read(catalog), read(catalog, line("12"))):
        rows = reading.rows.dtypes.astype(str).to_dict()
        texts = ("part", "unit", "date", "measure", "channel", "value_text", "problem")
        assert [name for name in rows if rows[name] == "category"] == list(texts)
        assert {rows[name] for name in ("submission", "row_number", "line", "column")} == {"int32"}
        assert rows["value"] == "float64"
        submissions = reading.submissions.dtypes.astype(str)
        assert submissions["received_at"] == "datetime64[us, UTC]"
        assert submissions["revision"] == "int64"
        assert (submissions["is_nil"], submissions["personal"]) == ("bool", "bool")
        assert reading.totals["total"].dtype == "float64"


@pytest.mark.parametrize("value", ['"1,204"', "１２０４", '"１，２０４"', "1204"])
def test_values_come_with_separators_and_in_full_width(catalog: Catalog, value: str) -> None:
    assert read(catalog, line(value)).rows["value"].tolist() == [1204.0]


@pytest.mark.parametrize("value", ["", "-", "—", " "])
def test_a_blank_is_no_row_and_no_nil_report(catalog: Catalog, value: str) -> None:
    reading = read(catalog, line(value))
    assert len(reading.rows) == 0
    assert reading.submissions["is_nil"].tolist() == [False]


@pytest.mark.parametrize("value", ["abc", "12件", "/"])
def test_what_is_not_a_number_is_a_row_with_its_text(catalog: Catalog, value: str) -> None:
    rows = read(catalog, line(value)).rows
    assert rows["value"].isna().tolist() == [True]
    assert rows["value_text"].tolist() == [value]


def test_a_negative_number_and_a_fraction_are_read_as_they_are(catalog: Catalog) -> None:
    assert read(catalog, line("-3"), line("1.5")).rows["value"].tolist() == [-3.0, 1.5]


def test_an_unknown_measure_or_channel_keeps_its_text(catalog: Catalog) -> None:
    rows = read(catalog, line("1", measure="怪指标"), line("1", channel="电报")).rows
    assert rows["measure"].tolist() == ["怪指标", "consultation"]
    assert rows["channel"].tolist() == ["physical", "电报"]


def test_survey_answers_are_measures(catalog: Catalog) -> None:
    rows = read(catalog, line("9", measure="测评份数"), line("4", measure="很不满意")).rows
    assert rows["measure"].tolist() == ["survey_asked", "very_dissatisfied"]


def test_a_total_is_no_row_but_a_sum_to_check(catalog: Catalog) -> None:
    reading = read(catalog, line("12"), line("12", measure="合计"), line("-", measure="合计", channel="热线"))
    assert len(reading.rows) == 1
    assert reading.totals[["submission", "measure", "channel", "total"]].values.tolist() == [
        [0, None, "physical", 12.0]
    ]
    assert reading.totals["place"][0] == f"{NAME}:3"


def test_a_total_that_is_no_number_is_noted(catalog: Catalog) -> None:
    reading = read(catalog, line("12"), line("十二", measure="合计"))
    assert len(reading.totals) == 0
    assert [(index, code) for index, code, _ in reading.notes] == [(0, "bad_total")]


def test_a_nil_report_is_a_submission_without_rows(catalog: Catalog) -> None:
    reading = read(catalog, line("0", measure="零报告"))
    assert len(reading.rows) == 0
    assert reading.submissions["is_nil"].tolist() == [True]


def test_figures_beside_a_nil_report_count_and_are_noted(catalog: Catalog) -> None:
    reading = read(catalog, line("0", measure="零报告"), line("12"))
    assert reading.rows["value"].tolist() == [12.0]
    assert reading.submissions["is_nil"].tolist() == [False]
    assert [(index, code) for index, code, _ in reading.notes] == [(0, "nil_with_figures")]


def test_survey_answers_beside_a_nil_report_leave_it_nil(catalog: Catalog) -> None:
    reading = read(catalog, line("0", measure="零报告"), line("9", measure="测评份数"))
    assert reading.submissions["is_nil"].tolist() == [True]
    assert reading.rows["measure"].tolist() == ["survey_asked"]
    assert reading.notes == []


def test_a_nil_report_that_is_not_zero_is_a_problem(catalog: Catalog) -> None:
    reading = read(catalog, line("5", measure="零报告"))
    assert reading.rows["problem"].tolist() == ["零报告的数值应为 0，收到的是 5"]
    assert reading.submissions["is_nil"].tolist() == [False]


def test_the_name_gives_the_revision_and_another_edition_is_noted_once_a_unit(catalog: Catalog) -> None:
    lines = [
        line("1", edition="2"),
        line("2", channel="热线", edition="2"),
        line("3", unit="371302002000", edition="3"),
    ]
    reading = read(catalog, *lines, name="township_371302_20260302_r3.csv.gz")
    assert reading.submissions["revision"].tolist() == [3, 3]
    assert [(index, code) for index, code, _ in reading.notes] == [(0, "other_edition")]


def test_a_line_of_another_day_keeps_its_day(catalog: Catalog) -> None:
    reading = read(catalog, line("1"), line("2", day="2026/3/1"), line("3", unit="371302002000", day="昨天"))
    assert reading.rows["date"].tolist() == ["2026-03-02", "2026-03-01", "昨天"]
    assert reading.submissions["date"].tolist() == ["2026-03-02", "昨天"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(catalog: Catalog, end: str, mark: str) -> None:
    text = mark + end.join([HEADER, line("1"), line("2", channel="热线")])
    reading = read_bytes(catalog, pack(text))
    assert [row[3:] for row in figures(reading)] == [(1.0, 2), (2.0, 3)]


def test_empty_lines_are_skipped_and_line_numbers_stay_true(catalog: Catalog) -> None:
    reading = read(catalog, line("1"), "", line("2", channel="热线"), "", "")
    assert [row[3:] for row in figures(reading)] == [(1.0, 2), (2.0, 4)]


def test_a_ragged_line_is_a_problem_of_its_unit_and_the_others_stay(catalog: Catalog) -> None:
    reading = read(catalog, line("1"), "371302001000,2026-03-02,实体", line("2", channel="热线"), "x,y")
    assert reading.rows["value"].tolist()[:2] == [1.0, 2.0]
    assert reading.rows["line"].tolist() == [2, 4, 3, 5]
    assert reading.rows["unit"].tolist() == ["371302001000"] * 3 + ["x"]
    assert reading.rows["problem"].tolist()[2:] == [
        "第 3 行有 3 列，与表头不一致",
        "第 5 行有 2 列，与表头不一致",
    ]
    assert reading.rows["row_number"].tolist() == [1, 2, 3, 4]


def test_empty_cells_beyond_the_header_are_no_matter(catalog: Catalog) -> None:
    assert read(catalog, line("1") + ",,").rows["value"].tolist() == [1.0]


def test_columns_are_found_by_name_and_extra_ones_are_left_out(catalog: Catalog) -> None:
    text = (
        "备注,版次,数值,指标,渠道,统计日期,单位代码,填报时间\n好,1,7,调解受理,热线,2026-03-02,371302001000,\n"
    )
    reading = read_bytes(catalog, pack(text))
    assert figures(reading) == [("371302001000", "mediation_accepted", "hotline", 7.0, 2)]
    assert reading.rows["column"].tolist() == [3]
    assert reading.submissions["filled_at"].tolist() == [None]


def test_columns_and_encoding_follow_the_declaration(catalog: Catalog) -> None:
    text = HEADER.replace("单位代码", "机构") + "\n" + line("7")
    reading = read_bytes(catalog, pack(text, "utf-8"), columns={"单位代码": "机构"}, encoding="UTF-8")
    assert [row[3] for row in figures(reading)] == [7.0]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"encodign": "gbk"}, "encodign"),
        ({"encoding": "utf-16"}, "gb18030"),
        ({"columns": {"单位": "机构"}}, "单位"),
        ({"attempts": 0}, "attempts"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(catalog: Catalog, options: dict[str, Any], word: str) -> None:
    with pytest.raises(Unreadable, match=word):
        read(catalog, line("1"), **options)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空的"),
        (b"not gzip", "gzip"),
        (pack("\n".join([HEADER, line("1")]))[:-9], "gzip"),
        (pack("unit,date,value\n1,2,3\n"), "表头"),
        (pack(HEADER.removesuffix(",版次") + "\n"), "版次"),
        (pack(HEADER + ",版次\n"), "版次"),
        (pack(""), "表头"),
        (pack(HEADER + "\n" + line("1"), "utf-8"), "表头|GB18030"),
        (gzip.compress(HEADER.encode("gb18030") + b"\n\xff\xff,,,,,,\n", mtime=0), "GB18030"),
        (gzip.compress(HEADER.encode("gb18030") + b"\n\xff\xff,,\n", mtime=0), "GB18030"),
        (pack(HEADER + '\n"a,b,c\n'), "引号"),
    ],
)
def test_a_file_that_is_not_as_promised_is_unreadable(catalog: Catalog, data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read_bytes(catalog, data)


def test_a_file_inflates_no_further_than_the_bound(catalog: Catalog) -> None:
    bomb = gzip.compress(bytes(4 * MAX_BYTES), compresslevel=1)
    with pytest.raises(Unreadable, match="50 MB"):
        read_bytes(catalog, bomb)


def test_a_name_that_is_not_the_contracts_is_unreadable(catalog: Catalog) -> None:
    with pytest.raises(Unreadable, match="文件名"):
        read(catalog, line("1"), name="township_371302.csv.gz")


@pytest.mark.parametrize(
    "bad",
    [
        line("13800138078"),
        line("1", measure="张三 138-0013-8078"),
        line("1", unit="371302199003071234"),
        line("1").replace("17:40:00", "电话１３８００１３８０７８"),
        "371302001000,2026-03-02,实体,13800138078",
    ],
)
def test_personal_data_marks_the_submission_and_is_masked_everywhere(catalog: Catalog, bad: str) -> None:
    reading = read(catalog, bad, line("5", unit="371302002000"))
    by_unit = dict(zip(reading.submissions["unit"], reading.submissions["personal"], strict=True))
    assert by_unit.pop("371302002000") is False
    assert list(by_unit.values()) == [True]
    shown = (
        reading.rows.to_csv() + reading.submissions.to_csv() + reading.totals.to_csv() + str(reading.notes)
    )
    assert not any(number in shown for number in ("13800138078", "8078", "１３８０", "19900307"))
    assert "***" in shown


def test_a_personal_number_in_an_extra_column_marks_its_unit(catalog: Catalog) -> None:
    text = f"{HEADER},联系人\n{line('1')},张三13800138078\n{line('2', unit='371302002000')},\n"
    assert read_bytes(catalog, pack(text)).submissions["personal"].tolist() == [True, False]


def test_the_same_bytes_give_the_same_reading(catalog: Catalog) -> None:
    data = pack("\n".join([HEADER, *(line(str(n), unit=f"3713020{n % 97:02d}000") for n in range(5000))]))
    first, second = read_bytes(catalog, data), read_bytes(catalog, data)
    assert len(first.rows) == 5000
    assert first.rows.equals(second.rows)
    assert first.submissions.equals(second.submissions)


def test_a_total_over_channels_is_of_all_of_them(catalog: Catalog) -> None:
    reading = read(catalog, line("12"), line("12", measure="合计", channel="合计"))
    assert reading.totals[["measure", "channel", "total"]].values.tolist() == [[None, None, 12.0]]
