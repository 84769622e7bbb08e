"""Self-check: a sender's file through the same reader and gate, before it is sent; no warehouse, no network."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from etl.catalog import Catalog, Dataset, Level, Platform
from etl.conform import Read
from etl.divisions import DayDivisions
from etl.failures import Refused
from etl.gate import NIL_HELD, gate
from etl.return_sheet.opinions import Problem, problem_of
from etl.return_sheet.write import explain, write_return_sheet
from etl.sources import SOURCES, Unreadable, pulled_of
from etl.sources.base import MAX_BYTES
from etl.sources.cells import month_text, read_day

BATCH = 1
_NAMES = {
    "csv": re.compile(r"township_([0-9]{6})_([0-9]{8})_r[1-9][0-9]{0,8}\.csv(\.gz)?"),
    "workbook": re.compile(r"village_([0-9]{9})_([0-9]{8})(?:_r[1-9][0-9]{0,8})?\.xlsx"),
}
_DATE = re.compile(rb'"date"\s*:\s*"([0-9]{4}-[0-9]{2}-[0-9]{2})"')
_MONTH = re.compile(rb'"month"\s*:\s*"([0-9]{4}-[0-9]{2})"')
_LEVELS: dict[str, tuple[Level, ...]] = {"csv": (Level.TOWNSHIP,), "workbook": (Level.VILLAGE,)}
_EXPECTED = (
    "township_<县区6位>_<日期8位>_r<版次>.csv.gz（或 .csv）、village_<乡镇9位>_<日期8位>.xlsx（或 …_r<版次>.xlsx）、"
    "*.json（区县平台的应答）"
)


class NotChecked(Refused):
    """The file cannot be checked; the message says why, in Chinese."""


@dataclass(frozen=True)
class Checked:
    """What the check found: problems hold figures back, remarks do not. sheet: the return sheet, when there is one."""

    stat_date: date
    rows: int
    problems: list[Problem]
    remarks: list[str]
    sheet: Path | None


def check_file(
    file: Path, day: date | None, catalog: Catalog, divisions: DayDivisions, now: datetime, today: date
) -> Checked:
    """Check a workbook, a CSV (packed or not) or a REST answer against the rules of the gate.

    day: the statistical day; by default that of the file's name, or the one day or month that all items of an answer
    have; of stocks, the month's last.
    now: zone-aware; today: the calendar day in Asia/Shanghai. Raises NotChecked when the file cannot be read.
    """
    family, name, data = _opened(file)
    dataset: Dataset = "stocks" if family == "rest" and _of_stocks(data) else "daily"
    named_day = _day_of(family, name, data, day)
    try:
        pulled = pulled_of(day or named_day, name, [data], now.astimezone(UTC), dataset=dataset)
        platform = _platform(family, name, catalog, divisions)
        reading = SOURCES[family].read(platform, catalog, pulled)
        reads = [Read(BATCH, platform, pulled.received_at, now, reading, dataset=dataset)]
    except Unreadable as error:
        raise NotChecked(f"{file.name}：{error}") from None
    stocks = [(measure.code, "all") for measure in catalog.measures_of("stocks")]
    cells = {pair: number for number, pair in enumerate([*catalog.pairs(), *stocks], 1)}
    gated = gate(reads, catalog, cells, divisions, pulled.stat_date, today, dataset)
    problems = [problem_of(row) for row in gated.quarantine.to_dict("records")]
    flags = gated.flags.drop_duplicates().to_dict("records")
    for flag in flags:
        if flag["check_code"] == NIL_HELD:
            problems.append(Problem(0, "", flag["unit_code"] or "", NIL_HELD, flag["message"]))
    if named_day != pulled.stat_date:
        words = f"文件名的日期是 {named_day.isoformat()}，不是 {pulled.stat_date.isoformat()}"
        problems.append(Problem(0, name, "", "date", words))
    remarks = [flag["message"] for flag in flags if flag["check_code"] not in (NIL_HELD, "bad_stamp")]
    sheet = (
        write_return_sheet(pulled, platform, catalog, problems, file.absolute().parent) if problems else None
    )
    listed = explain(pulled, platform, catalog, problems) if problems else []
    return Checked(pulled.stat_date, len(reading.figures), listed, remarks, sheet)


def _opened(file: Path) -> tuple[str, str, bytes]:
    """Family, the name it is read under, and its bytes. Raises NotChecked."""
    family = next((family for family, pattern in _NAMES.items() if pattern.fullmatch(file.name)), None)
    if family is None and file.suffix.lower() == ".json":
        family = "rest"
    if family is None:
        raise NotChecked(f"{file.name} 不是约定的文件名，送出后不会被采集。约定的文件名：{_EXPECTED}")
    if not file.is_file():
        raise NotChecked(f"{file.name} 不是普通文件")
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotChecked(f"{file.name} 打不开：{error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise NotChecked(f"{file.name} 超过 50 MB，整份退回")
    if family == "csv" and file.suffix == ".csv":
        return family, f"{file.name}.gz", gzip.compress(data, mtime=0)
    return family, "submissions" if family == "rest" else file.name, data


def _of_stocks(answer: bytes) -> bool:
    return _MONTH.search(answer) is not None and b'"date"' not in answer


def _day_of(family: str, name: str, data: bytes, day: date | None) -> date:
    """The day that the file says it is of. Raises NotChecked when it says none, or several."""
    if family in _NAMES:
        named = _NAMES[family].fullmatch(name)
        found = read_day(named[2]) if named else None
        if found is None:
            raise NotChecked(f"{name} 的文件名中没有日期")
        return found
    if day is not None:
        return day
    dates = {each.decode() for each in _DATE.findall(data)}
    written = list(dates or {month_text(each.decode()) for each in _MONTH.findall(data)})
    found = read_day(written[0]) if len(written) == 1 else None
    if found is None:
        raise NotChecked(f"应答中有 {len(written)} 个统计日期，请用 --date 写明要核对的一天")
    return found


def _platform(family: str, name: str, catalog: Catalog, divisions: DayDivisions) -> Platform:
    """The declared platform that delivers such a file; where none is declared, one of the contract's form."""
    named = _NAMES[family].fullmatch(name) if family in _NAMES else None
    code = named[1].ljust(12, "0") if named else ""
    declared = [each for each in catalog.daily_platforms().values() if each.family == family]
    for platform in declared:
        if named and _covers(divisions, platform.area, code):
            return platform
    roots: Sequence[str] = divisions.table.index[divisions.table["parent_id"] == 0].tolist()
    return Platform(
        id=family,
        family=family,  # type: ignore[arg-type]
        level=_LEVELS.get(family, tuple(Level)),
        datasets=("daily",),
        conn_id=family,
        area=(code,) if named else tuple(roots),
        calendar="everyday",
    )


def _covers(divisions: DayDivisions, area: Sequence[str], code: str) -> bool:
    covered = divisions.table.index[divisions.inside(area, [level.value for level in Level])]
    return code in covered
