"""Quality: how complete the figures of a table are, and what is asked about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.engine import Connection

from etl.catalog import Catalog, Level
from etl.periods import Period
from etl.reports.fill import Grid
from etl.reports.table import BatchOut, Column, Flagged, Held, LevelReported, Note, Quality, Reported
from etl.reports.units import Unit
from etl.warehouse import run_sql

MOST_NOTES = 2_000
"""Remarks on cells; what goes beyond is counted, not lost."""


def quality_of(
    conn: Connection, catalog: Catalog, period: Period, top: Unit, columns: Sequence[Column]
) -> Quality:
    """The completeness of a division's figures in a period, and what is not in, held back or asked about."""
    codes = [unit.code for unit in top.walk()]
    params = {
        "first_day": period.starts_on,
        "last_day": period.ends_on,
        "platforms": _platforms(catalog, top, codes),
        "codes": codes,
    }
    flags = run_sql(conn, "report/flags", params).all()
    counts = Counter(row.check_code for row in flags)
    examples = {row.check_code: row.message for row in reversed(flags)}
    stocks = run_sql(conn, "report/stock_reporting", {"last_day": period.ends_on, "codes": [top.code]})
    return Quality(
        reported=(
            Reported(
                "daily", top.expected, top.received, top.on_time, top.late, top.rejected, top.is_provisional
            ),
            *(
                Reported("stocks", row.expected, row.received, row.on_time, row.late, row.rejected, False)
                for row in stocks
                if _shows_stocks(catalog, columns)
            ),
        ),
        levels=tuple(_levels(top)),
        batches_out=tuple(
            BatchOut(row.platform, row.stat_date, row.source_name, row.state, row.message or "")
            for row in run_sql(conn, "report/batches_out", params)
        ),
        held=tuple(
            Held(row.reason_code, row.held_count, row.example)
            for row in run_sql(conn, "report/held_rows", params)
        ),
        flagged=tuple(Flagged(code, count, examples[code]) for code, count in sorted(counts.items())),
    )


def notes_of(conn: Connection, catalog: Catalog, period: Period, grid: Grid) -> tuple[Note, ...]:
    """Remarks on the figures that are asked about, where the table has their cells."""
    params = {"first_day": period.starts_on, "last_day": period.ends_on, "codes": list(grid.whole)}
    words: dict[tuple[str, str], list[str]] = {}
    for row in run_sql(conn, "report/flags", params):
        columns = [f"{row.measure}.{row.channel}.value", f"{row.measure}.all.value"]
        column = next((each for each in columns if each in grid.places), None)
        if (
            row.measure is None
            or column is None
            or catalog.measures[row.measure].kind in ("survey", "carried")
        ):
            continue
        answer = f"；说明：{row.explanation}" if row.explanation else "；尚未说明"
        words.setdefault((row.unit_code, column), []).append(
            f"{row.stat_date.month}月{row.stat_date.day}日：{row.message}{answer}"
        )
    notes = [Note(row, column, "待核实\n" + "\n".join(lines)) for (row, column), lines in words.items()]
    return tuple(sorted(notes, key=lambda note: (note.row, note.column))[:MOST_NOTES])


def _levels(top: Unit) -> list[LevelReported]:
    """The own units of each level."""
    units: dict[Level, list[Unit]] = {}
    for unit in top.walk():
        units.setdefault(unit.level, []).append(unit)
    return [
        LevelReported(
            level,
            len(members),
            sum(unit.own_expected for unit in members),
            sum(unit.own_received for unit in members),
        )
        for level, members in sorted(units.items(), key=lambda item: item[0].depth)
    ]


def _platforms(catalog: Catalog, top: Unit, codes: list[str]) -> list[str]:
    """Platforms that units of the division report through: their area lies in it, or it in theirs."""
    inside, above = set(codes), top.above()
    return [
        name
        for name, platform in catalog.platforms.items()
        if inside.intersection(platform.area) or not set(platform.area).isdisjoint(above)
    ]


def _shows_stocks(catalog: Catalog, columns: Sequence[Column]) -> bool:
    names = {column.key.partition(".")[0] for column in columns}
    return any(name in catalog.measures and catalog.measures[name].kind == "stock" for name in names)
