"""Exchange: a table as CSV, Parquet and SDMX-CSV, beside the workbook."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from etl.reports.table import Cell, Column, NoFigure, Table

FREQUENCIES = {"day": "D", "month": "M", "quarter": "Q", "year": "A"}
STATUSES = {
    NoFigure.NOT_LISTED: "O",
    NoFigure.MISSING: "L",
    NoFigure.NOT_DUE: "M",
    NoFigure.NOT_APPLICABLE: "M",
    NoFigure.SUPPRESSED: "Q",
}
"""OBS_STATUS of the SDMX code list CL_OBS_STATUS: A normal, P provisional, O missing, L missing but collected, M cannot
exist, Q missing and suppressed."""
SDMX = (
    "STRUCTURE", "STRUCTURE_ID", "ACTION", "REF_AREA", "FREQ", "TIME_PERIOD", "MEASURE", "CHANNEL", "INDICATOR_TYPE",
    "OBS_VALUE", "OBS_STATUS", "UNIT_MEASURE",
)  # fmt: skip
STRUCTURE_ID = "PLS:{}(1.0)"
FIGURES = ("count", "number", "ratio", "change", "points", "score", "rank", "figure", "target", "difference")


def file_stem(table: Table) -> str:
    """How the files of a table are named, without their endings."""
    title = f"{table.report.title}_{table.division_name}_{table.period.name}"
    return "".join("_" if character in '\\/:*?"<>|=\n\r\t' else character for character in title)


def write_exchange(table: Table, folder: Path) -> list[Path]:
    """Write CSV (UTF-8 with BOM), Parquet and SDMX-CSV 2.0; returns their paths. Ratios are ratios (1 = 100 %).

    The same table gives the same bytes. A cell without a figure is written in words in the CSV, as null in Parquet, and
    with an observation status in SDMX-CSV.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / file_stem(table)
    files = [Path(f"{stem}{ending}") for ending in (".csv", ".parquet", ".sdmx.csv")]
    with _beside(files[0]) as beside, _text(beside) as opened:
        _write_csv(table, opened)
    with _beside(files[1]) as beside:
        _write_parquet(table, beside)
    with _beside(files[2]) as beside, _text(beside) as opened:
        _write_sdmx(table, opened)
    return files


def _write_csv(table: Table, opened: TextIO) -> None:
    writer = csv.writer(opened, lineterminator="\r\n")
    heads = [" ".join(column.heads) + (f"({column.unit})" if column.unit else "") for column in table.columns]
    writer.writerow(["区划代码" if table.report.rows == "divisions" else "指标代码", "行别", *heads])
    for row in table.rows:
        key = row.key.partition("/")[0]
        writer.writerow([key, STYLES[row.style], *(_harmless(_plain(cell)) for cell in row.cells)])


STYLES = {"row": "单位", "own": "本级", "subtotal": "小计", "total": "合计"}


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case NoFigure():
            return cell.value
        case Decimal():
            return f"{cell:f}"
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


def _harmless(text: str) -> str:
    """Text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay as they are."""
    is_number = text.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not is_number else text


def _write_parquet(table: Table, file: Path) -> None:
    """A column each, by its key; figures as integers or floats, with the words for people in the metadata."""
    columns: dict[str, pa.Array] = {
        "row_key": pa.array([row.key for row in table.rows], pa.string()),
        "row_level": pa.array([row.level for row in table.rows], pa.string()),
        "row_style": pa.array([row.style for row in table.rows], pa.string()),
    }
    fields = [pa.field(name, pa.string()) for name in columns]
    for number, column in enumerate(table.columns):
        cells = [row.cells[number] for row in table.rows]
        kind = _arrow_type(column)
        columns[column.key] = pa.array([_arrow_value(cell, kind) for cell in cells], kind)
        label = " ".join(column.heads)
        fields.append(pa.field(column.key, kind, metadata={"label": label, "unit": column.unit}))
    metadata = {
        "report": table.report.id,
        "title": table.report.title,
        "division": table.division_code,
        "period": table.period.name,
        "known_at": table.known_at.isoformat(),
    }
    schema = pa.schema(fields, metadata=metadata)
    pq.write_table(pa.Table.from_arrays(list(columns.values()), schema=schema), file, compression="zstd")


def _arrow_type(column: Column) -> pa.DataType:
    if column.kind in ("count", "rank"):
        return pa.int64()
    return pa.float64() if column.kind in FIGURES else pa.string()


def _arrow_value(cell: Cell, kind: pa.DataType) -> Any:
    if cell is None or isinstance(cell, NoFigure):
        return None
    if kind == pa.string():
        return _plain(cell)
    if isinstance(cell, str | date):
        return None
    return int(cell) if kind == pa.int64() else float(cell)


def _write_sdmx(table: Table, opened: TextIO) -> None:
    """One line per observation of divisions; what each unit reported itself is a measure of its own (…_OWN)."""
    writer = csv.writer(opened, lineterminator="\r\n")
    writer.writerow(SDMX)
    structure = STRUCTURE_ID.format(table.report.id.upper().replace("-", "_"))
    frequency = FREQUENCIES[table.period.kind]
    observed = [
        (number, column, _dimensions(table, column))
        for number, column in enumerate(table.columns)
        if column.kind in FIGURES
    ]
    is_provisional = set(_provisional_rows(table))
    for row in table.rows:
        area, is_own = row.key.partition("/")[0], row.style == "own"
        for number, column, (measure, channel, kind, of_area) in observed:
            cell = row.cells[number]
            if cell is None or (is_own and isinstance(cell, NoFigure)):
                continue
            if table.report.rows == "indicators":
                area, measure = of_area, row.key.upper()
            if isinstance(cell, NoFigure):
                value, status = "", STATUSES[cell]
            else:
                value, status = _plain(cell), "P" if row.key in is_provisional else "A"
            writer.writerow(
                [
                    "dataflow", structure, "I", area, frequency, _time_period(table),
                    f"{measure}_OWN" if is_own else measure, channel, kind, value, status,
                    (row.unit or column.unit) if table.report.rows == "indicators" else column.unit,
                ]
            )  # fmt: skip


def _dimensions(table: Table, column: Column) -> tuple[str, str, str, str]:
    """MEASURE, CHANNEL, INDICATOR_TYPE and, of a table of indicators, REF_AREA of a column."""
    if table.report.rows == "indicators":
        code, _, show = column.key.partition(".")
        return "", "ALL", (show or code).upper(), code if show else table.division_code
    parts = column.key.split(".")
    if parts[0] in ("reporting", "satisfaction"):
        prefix = (
            f"{parts[0]}_{parts[2]}" if parts[0] == "satisfaction" else f"{parts[0]}_{parts[1]}_{parts[2]}"
        )
        return prefix.upper(), parts[1].upper() if parts[0] == "satisfaction" else "ALL", "VALUE", ""
    if parts[0] == "trend":
        return f"TREND_{parts[1]}".upper(), "ALL", parts[2], ""
    channel = parts[1].upper() if len(parts) == 3 else "ALL"
    return parts[0].upper().replace("-", "_"), channel, parts[-1].upper(), ""


def _provisional_rows(table: Table) -> Iterator[str]:
    place = next((n for n, each in enumerate(table.columns) if each.key == "reporting.daily.state"), None)
    for row in table.rows:
        if table.is_provisional if place is None else row.cells[place] == "初步":
            yield row.key


def _time_period(table: Table) -> str:
    """As SDMX writes it: 2026-Q1 for a quarter."""
    return table.period.name.replace("Q", "-Q")


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A place to write to that takes the file's name when it is whole."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield beside
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _text(file: Path) -> Iterator[TextIO]:
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        yield opened
