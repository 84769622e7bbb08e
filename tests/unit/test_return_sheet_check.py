"""`python -m etl check FILE`: the rules of the gate before sending, without a warehouse or a network."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from etl.cli import main
from tests.unit.test_return_sheet import BAD, BOOK, CSV, GOOD, MOBILE, line, put, put_csv, unpacked
from tests.unit.test_source_workbooks import CODES, TOTAL

ITEM: dict[str, Any] = {
    "unit": "371302000000",
    "date": "2026-03-02",
    "revision": 1,
    "submitted_at": "2026-03-02T17:21:09+08:00",
    "values": [{"measure": "consultation", "channel": "physical", "value": 41}],
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No warehouse, no home, no network."""

    def refuse(*_: object) -> None:
        raise AssertionError("check asked the network")

    monkeypatch.setenv("PLS_WAREHOUSE", "postgresql+psycopg://nobody@nowhere.invalid/none")
    monkeypatch.setenv("PLS_HOME", "/proc/nowhere")
    monkeypatch.delenv("PLS_CATALOG", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def check(*words: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, words)])


def answer(file: Path, *items: Any) -> Path:
    body = {"code": 0, "msg": "ok", "data": {"total": len(items), "items": list(items)}}
    file.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    return file


def test_a_good_file_ends_with_0_and_leaves_nothing_behind(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    put_csv(tmp_path, line("371302001000", "调解受理", "3"))
    answer(tmp_path / "answer.json", ITEM)
    for name, rows in ((BOOK, 6), (CSV, 1), ("answer.json", 1)):
        result = check(tmp_path / name)
        assert result.exit_code == 0, result.output
        assert f"共 {rows} 个数，没有发现问题" in result.stdout
    assert len(list(tmp_path.iterdir())) == 3


def test_stocks_are_checked_by_their_own_rules(tmp_path: Path) -> None:
    stock = {
        "unit": "371302000000",
        "month": "2026-03",
        "revision": 1,
        "values": [{"measure": "lawyer", "value": 31}],
    }
    result = check(answer(tmp_path / "stocks.json", stock))
    assert result.exit_code == 0, result.output
    assert "共 1 个数，没有发现问题" in result.stdout
    bad = stock | {"values": [{"measure": "lawyer", "value": -1}, {"measure": "consultation", "value": 2}]}
    result = check(answer(tmp_path / "stocks.json", bad), "--json")
    problems = json.loads(result.stdout)["problems"]
    assert (result.exit_code, [each["reason_code"] for each in problems]) == (1, ["value", "measure"])


def test_problems_end_with_1_and_are_told_with_place_reason_and_sheet(tmp_path: Path) -> None:
    result = check(put(tmp_path, BAD))
    assert result.exit_code == 1
    for words in ("日报表!D5", "12件", "不是数字", "日报表!E6", "village_371302001_20260302_r2.xlsx"):
        assert words in result.stdout.replace("\n", "")
    assert (tmp_path / "village_371302001_20260302_r2.xlsx").exists()


def test_machines_get_one_document(tmp_path: Path) -> None:
    result = check(put_csv(tmp_path, line("371302001000", "调解受理", "-3")), "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["stat_date"] == "2026-03-02"
    (problem,) = document["problems"]
    assert (problem["place"], problem["reason_code"], problem["stood"]) == (f"{CSV}!E2", "value", "-3")
    assert document["sheet"] == str(tmp_path / "township_371302_20260302_r2.csv.gz")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unit": "999999999999"}, "unit_unknown"),
        ({"date": "2026-03-01"}, "date"),
        ({"values": [{"measure": "nothing", "channel": "physical", "value": 1}]}, "measure"),
        ({"values": [{"measure": "consultation", "channel": "pigeon", "value": 1}]}, "channel"),
        ({"values": [{"measure": "advice_to_village", "channel": "physical", "value": 1}]}, "level"),
        ({"values": [{"measure": "consultation", "channel": "physical", "value": 1.5}]}, "value"),
        ({"totals": {"consultation": 40}}, "balance"),
        ({"note": f"电话 {MOBILE}"}, "personal"),
        ({"revision": None}, "structure"),
        ({"values": [], "unit": "999999999999"}, "nil_held"),
    ],
)  # fmt: skip
def test_every_rule_of_the_gate_is_asked(tmp_path: Path, change: dict[str, Any], code: str) -> None:
    file = answer(tmp_path / "answer.json", ITEM | change, ITEM | {"unit": "371311000000"})
    result = check(file, "--date", "2026-03-02", "--json")
    assert result.exit_code == 1, result.output
    assert {each["reason_code"] for each in json.loads(result.stdout)["problems"]} == {code}
    assert MOBILE not in result.output
    assert Path(json.loads(result.stdout)["sheet"]).name == "submissions_审核意见.xlsx"


def test_a_unit_outside_the_files_own_area_is_a_problem(tmp_path: Path) -> None:
    result = check(put_csv(tmp_path, line("370102001000", "调解受理", "3")), "--json")
    assert [each["reason_code"] for each in json.loads(result.stdout)["problems"]] == ["unit_outside_area"]


def test_a_county_that_nobody_declared_is_checked_by_the_contract(tmp_path: Path) -> None:
    file = put_csv(tmp_path, line("370102001000", "调解受理", "3"), line("371302001000", "调解受理", "3"))
    file = file.rename(tmp_path / "township_370102_20260302_r1.csv.gz")
    problems = json.loads(check(file, "--json").stdout)["problems"]
    assert [(each["unit_code"], each["reason_code"]) for each in problems] == [
        ("371302001000", "unit_outside_area")
    ]


def test_an_unpacked_csv_is_checked_and_comes_back_packed(tmp_path: Path) -> None:
    packed = put_csv(tmp_path, line("371302001000", "调解受理", "x"))
    plain = tmp_path / CSV.removesuffix(".gz")
    plain.write_bytes(unpacked(packed).encode("gb18030"))
    packed.unlink()
    assert check(plain).exit_code == 1
    assert "x 不是数字" in unpacked(tmp_path / "township_371302_20260302_r2.csv.gz")


def test_another_day_than_the_files_is_a_problem(tmp_path: Path) -> None:
    file = put(tmp_path, GOOD)
    result = check(file, "--date", "2026-03-03", "--json")
    reasons = [each["reason"] for each in json.loads(result.stdout)["problems"]]
    assert result.exit_code == 1
    assert any("文件名的日期是 2026-03-02，不是 2026-03-03" in reason for reason in reasons)


def test_remarks_are_told_and_are_no_problem(tmp_path: Path) -> None:
    result = check(put(tmp_path, GOOD[:2]))
    assert result.exit_code == 0
    assert "没有合计行" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("日报.xlsx", b"", "不是约定的文件名"),
        ("village_371302001_20260302.xls", b"", "不是约定的文件名"),
        (BOOK, b"", "不是 xlsx 工作簿"),
        (BOOK, b"PK\x03\x04" + bytes(9), "不是 xlsx 工作簿"),
        (CSV, b"plain text", "gzip"),
        ("village_371302001_20261302.xlsx", b"", "没有日期"),
        ("answer.json", b"<html>", "请用 --date"),
        ("answer.json", b'{"date":"2026-03-02"', "断开"),
    ],
)
def test_what_cannot_be_read_ends_with_2_in_plain_words(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = check(tmp_path / name)
    assert result.exit_code == 2
    assert words in result.stderr.replace("\n", "")
    assert len(list(tmp_path.iterdir())) == 1


def test_wrong_use_ends_with_2(tmp_path: Path) -> None:
    assert check(tmp_path / "nothing.xlsx").exit_code == 2
    assert check(tmp_path).exit_code == 2
    assert check(put(tmp_path, GOOD), "--date", "gestern").exit_code == 2


def test_words_of_a_sender_are_no_markup(tmp_path: Path) -> None:
    result = check(put(tmp_path, [[CODES[0], "甲村", "[red]x[/]"], TOTAL]))
    assert result.exit_code == 1
    assert "[red]x" in result.stdout
