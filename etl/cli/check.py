"""The command `check`: a sender's file against the rules, before it is sent."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from etl.cli.base import DAY, as_json, err, make_table, progress, show


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--date", "day", type=DAY, help="Statistical day (default: that of the file).")
@as_json
def check(file: Path, day: datetime | None, json_: bool) -> None:
    """Check a file before it is sent, offline: a workbook, a CSV or a REST answer.

    The same rules as at the gate. What would be held back is listed with its place, and a return sheet with the
    reasons is written beside the file. Exit status: 0 nothing found, 1 problems found, 2 not readable.
    """
    from etl.catalog import load_catalog
    from etl.clock import SHANGHAI, utc_now
    from etl.divisions import DayDivisions
    from etl.self_check import check_file
    from etl.settings import DIVISIONS_FILE, Settings

    now = utc_now()
    with progress(json_, "正在核对"):
        checked = check_file(
            file,
            day.date() if day else None,
            load_catalog(Settings.from_env().catalog),
            DayDivisions.from_list(DIVISIONS_FILE),
            now,
            now.astimezone(SHANGHAI).date(),
        )
    if json_:
        problems = [vars(each) for each in checked.problems]
        show(True, {**vars(checked), "file": str(file), "problems": problems}, "")
    else:
        _say(checked)
    sys.exit(1 if checked.problems else 0)


def _say(checked: Any) -> None:
    table = make_table("位置", "单位代码", "原内容", "原因", "提示")
    for each in checked.problems:
        table.add_row(*map(_plain, (each.place, each.unit_code, each.stood[:40], each.reason, each.hint)))
    if checked.problems:
        show(False, None, table)
    for words in checked.remarks:
        err.print(f"提示：{words}", markup=False)
    if checked.sheet:
        found = (
            f"统计日期 {checked.stat_date}，共 {checked.rows:,} 个数，发现 {len(checked.problems):,} 处问题。"
        )
        show(False, None, f"{found}退回单：{checked.sheet}")
    else:
        show(False, None, f"统计日期 {checked.stat_date}，共 {checked.rows:,} 个数，没有发现问题。")


def _plain(text: str) -> str:
    """The sender's text as text, not as markup."""
    from rich.markup import escape

    from etl.sources.base import plain
    from etl.sources.personal import mask

    return escape(plain(mask(text)))
