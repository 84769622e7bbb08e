"""Stage: what the gate decided, written in one transaction between the gate and the load."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pyarrow import csv
from sqlalchemy.engine import Connection, Engine

from etl.gate import Gated
from etl.warehouse import copy_csv


def stage(engine: Engine, gated: Gated) -> None:
    """Write staged submissions, quarantine, flags and the ledger's counts of some batches; replaces what a gate that
    was cut off left for them. A batch that another run has loaded meanwhile stays as it is."""
    batch_ids = [each["batch_id"] for each in gated.tally]
    with engine.begin() as conn:
        # Taken at once: whoever makes a month's partition takes the whole table, and must not come between.
        conn.execute(sa.text("LOCK TABLE landing.batch IN ROW EXCLUSIVE MODE"))
        states = conn.execute(
            sa.text(
                "SELECT batch_id, state FROM landing.batch WHERE batch_id = ANY(:ids) ORDER BY batch_id FOR UPDATE"
            ),
            {"ids": batch_ids},
        ).all()
        if loaded := [batch_id for batch_id, state in states if state == "loaded"]:
            gated = gated.without(loaded)
            batch_ids = [each["batch_id"] for each in gated.tally]
        if not batch_ids:
            return
        for table in ("landing.staged_submission", "quality.quarantine", "quality.flag"):
            conn.execute(sa.text(f"DELETE FROM {table} WHERE batch_id = ANY(:ids)"), {"ids": batch_ids})
        _copy(conn, "landing.staged_submission", _with_arrays(gated.staged, gated.figures))
        _copy_quality(conn, "quality.quarantine", gated.quarantine, gated.stat_date)
        _copy_quality(conn, "quality.flag", gated.flags, gated.stat_date)
        conn.execute(
            sa.text(
                "UPDATE landing.batch SET state = 'gated', message = '', rows_received = :rows_received,"
                " rows_quarantined = :rows_quarantined, rows_duplicate = :rows_duplicate, scope = :scope,"
                " scope_revision = :scope_revision WHERE batch_id = :batch_id"
            ),
            gated.tally,
        )


def _with_arrays(staged: pd.DataFrame, figures: pd.DataFrame) -> pa.Table:
    counts = figures.groupby("submission").size().reindex(staged.index, fill_value=0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    table = pa.Table.from_pandas(staged, preserve_index=False)
    for column, source in {"cells": "cell_id", "figures": "value", "row_numbers": "row_number"}.items():
        table = table.append_column(column, _array_literals(figures[source].to_numpy(), offsets))
    return table


def _array_literals(values: npt.NDArray[np.integer], offsets: npt.NDArray[np.int32]) -> pa.Array:
    """PostgreSQL's text form of one array per submission, such as {3,7,12}."""
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(values).cast(pa.string()))
    return pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")


def _copy_quality(conn: Connection, table: str, lines: pd.DataFrame, stat_date: date) -> None:
    """Quarantine and flags carry the statistical day of their batch."""
    if len(lines):
        _copy(conn, table, pa.Table.from_pandas(lines.assign(stat_date=stat_date), preserve_index=False))


def _copy(conn: Connection, table: str, lines: pa.Table) -> None:
    body = io.BytesIO()
    csv.write_csv(lines, body, csv.WriteOptions(include_header=False, quoting_style="needed"))
    copy_csv(conn, table, lines.column_names, body.getvalue())
