"""Commands of early sight (早期研判): `outlook totals`, `outlook weeks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from etl.cli.base import as_json, out, show, show_rows
from etl.rounding import percent

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

TOTALS = {
    "division_code": "区划代码",
    "division_name": "名称",
    "measure_name": "指标",
    "unit": "计量单位",
    "value": "已报",
    "completeness": "报送率",
    "estimate": "估计全量",
    "interval": "区间",
    "reason_zh": "说明",
}
WEEKS = {
    "division_code": "区划代码",
    "division_name": "名称",
    "measure_name": "指标",
    "unit": "计量单位",
    "week_date": "周（周一）",
    "value": "预测",
    "interval": "区间",
    "model_error": "平均误差",
    "naive_error": "基准误差",
}


@click.group()
def outlook() -> None:
    """What totals will come to, and what weeks may bring: estimates, never reported figures."""


@outlook.command("totals")
@click.option("--period", "name", required=True, help="A month or quarter that is totalled: 2026-03, 2026Q1.")
@click.option(
    "--level", type=click.Choice(["province", "city", "county", "township"]), help="Only this level."
)
@as_json
def outlook_totals(name: str, level: str | None, json_: bool) -> None:
    """Estimate the complete totals of a month or quarter from what has come so far."""
    from etl.failures import Refused
    from etl.outlook import estimate_period
    from etl.outlook.estimate import KINDS
    from etl.periods.period import Period
    from etl.site import open_site

    period = Period.parse(name)
    if period.kind not in KINDS:
        raise Refused(f"{name}: only months and quarters are estimated, such as 2026-03 or 2026Q1.")
    site = open_site()
    estimate_period(site.engine, site.catalog, period, site.today())
    rows = _read(site.engine, "show_totals", {"period": period.name, "level": level})
    if json_:
        show(True, rows, "")
        return
    for row in rows:
        row["completeness"] = None if row["completeness"] is None else percent(row["completeness"])
    _show(rows, TOTALS)
    out.print("估计值不是报送数据；缺报到齐后，以报送数据为准。", markup=False)


@outlook.command("weeks")
@as_json
def outlook_weeks(json_: bool) -> None:
    """Forecast the coming weeks of counties, and ask about unusual rises in the last one."""
    from etl.outlook import forecast_counties
    from etl.outlook.forecast import monday_of
    from etl.site import open_site

    site = open_site()
    forecast_counties(site.engine, site.catalog, site.today())
    slice_ = {"starts_on": monday_of(site.today())}
    weeks, rises = (_read(site.engine, f"show_{what}", slice_) for what in ("weeks", "rises"))
    if json_:
        show(True, {"weeks": weeks, "rises": rises}, "")
        return
    _show(weeks, WEEKS)
    for rise in rises:
        out.print(f"请了解：{rise['question_zh']}", markup=False)
    out.print("预测仅供研判参考；未比基准更准的，不予显示。", markup=False)


def _read(engine: Engine, statement: str, slice_: dict[str, Any]) -> list[dict[str, Any]]:
    from etl.warehouse import run_sql

    with engine.connect() as conn:
        return [dict(row._mapping) for row in run_sql(conn, f"outlook/{statement}", slice_)]


def _show(rows: list[dict[str, Any]], columns: dict[str, str]) -> None:
    for row in rows:
        row["interval"] = None if row["lower"] is None else f"{row['lower']:,}–{row['upper']:,}"
    named = [{words: row[name] for name, words in columns.items()} for row in rows]
    show_rows(False, named, list(columns.values()))
