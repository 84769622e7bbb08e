"""Publish: the tables of a period as files in a folder, without issuing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.catalog.report import Report
from etl.periods import Period
from etl.reports.compose import compose_table, has_rows, require_shown
from etl.reports.exchange import write_exchange
from etl.reports.table import ReportError, Table
from etl.reports.units import find_top, read_units
from etl.reports.workbook import write_workbook


def write_tables(
    engine: Engine,
    catalog: Catalog,
    period: Period,
    folder: Path,
    made_on: date,
    only: str | None = None,
    division: str | None = None,
) -> list[Path]:
    """Write every report of the catalogue that is made of such a period and division, or one alone, with its exchange
    files; returns their paths, workbooks first of each. All are read in one snapshot.

    division: code; left out, the lowest division that has all reporting units in it. made_on: 报出日期. Raises
    ReportError when there is none to write or one cannot be made.
    """
    files: list[Path] = []
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        for report in wanted_reports(conn, catalog, period, only, division):
            table = compose_table(conn, catalog, report, division, period)
            files += write_table(table, folder, made_on)
    return files


def write_table(table: Table, folder: Path, made_on: date) -> list[Path]:
    """Workbook and exchange files of a table."""
    return [write_workbook(table, folder, made_on), *write_exchange(table, folder)]


def wanted_reports(
    conn: Connection, catalog: Catalog, period: Period, only: str | None, division: str | None
) -> Sequence[Report]:
    """The reports that are made of such a period and division, or one by its id. Raises ReportError for none."""
    if only is not None:
        return [_named(catalog, only)]
    require_shown(conn, period)
    units = read_units(conn, catalog, period)
    top = find_top(units, period) if division is None else units.get(division)
    if top is None:
        raise ReportError(f"No unit of {division} was expected or has reported in {period.name}.")
    found = [each for each in _of_kind(catalog, period) if top.level in each.of_levels]
    if not found:
        raise ReportError(
            f"No report is made of a {period.kind} for such a division. Declare one in reports/"
            " (docs/howto/new-table.md)."
        )
    return found


def tables_of(
    conn: Connection, catalog: Catalog, period: Period, only: Sequence[str] = ()
) -> tuple[list[tuple[Report, str]], list[str]]:
    """What is issued of a period: its reports, or some by their ids, each with the codes of the divisions that it is
    made of: the lowest one that has all reporting units in it, and those of the report's recipients that lie below it
    and have reporting units. And, in words, the recipients of whose division the report is not made.

    Raises ReportError when the period is not shown, nothing of it has reported, or there is no such report.
    """
    require_shown(conn, period)
    units = read_units(conn, catalog, period)
    top = find_top(units, period)
    below = {unit.code: unit for unit in top.walk() if unit is not top}
    found: dict[tuple[str, str], Report] = {}
    faults = []
    for report in [_named(catalog, name) for name in only] or _of_kind(catalog, period):
        if top.level in report.of_levels or only:
            found[report.id, top.code] = report
        for name in report.recipients:
            unit = below.get(catalog.recipients[name].division or "")
            if unit is None:
                continue
            if unit.level in report.of_levels:
                found[report.id, unit.code] = report
            else:
                levels = ", ".join(report.of_levels)
                faults.append(
                    f"{report.id} is made of level {levels}; its recipient {name} is of {unit.name}, a {unit.level}:"
                    " add that level to of_levels, or take the recipient out."
                )
    return [(report, code) for (_, code), report in found.items()], faults


def _named(catalog: Catalog, name: str) -> Report:
    if name not in catalog.reports:
        known = ", ".join(catalog.reports) or "none"
        raise ReportError(f"{name} is not a report; declared are: {known}.")
    return catalog.reports[name]


def _of_kind(catalog: Catalog, period: Period) -> list[Report]:
    return [
        each
        for each in catalog.reports.values()
        if period.kind in each.period_kinds and has_rows(catalog, each)
    ]
