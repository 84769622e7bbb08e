"""Load: the staged submissions of a day become what counts, revision by revision."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Dataset
from etl.warehouse import plan_for_bulk, run_sql

DAY_LOCK = 7_300_003
ROUND_STEPS = ("quarantine", "keep", "settle", "close", "insert", "wait", "flag", "count")
A_FEW = 2_000
"""Submissions up to which looking each up is quicker than reading the day whole."""


def load_day(engine: Engine, day: date, dataset: Dataset = "daily") -> None:
    """Load every gated batch of the day in one transaction; of stocks, of the month that ends on it.

    For each platform and unit the highest revision counts; the one it replaces is kept with the time until which
    it was known. A revision that is in already is compared figure by figure; of a cell that two platforms deliver,
    the first to arrive stays (contract: rows, batches, revisions). What comes for a closed month is held until the
    month is reopened (ruling 11). Run again, it finds nothing staged.
    """
    with engine.begin() as conn:
        slice_ = {"day": day, "dataset": dataset, "known_at": take_day(conn, day)}
        if run_sql(conn, "load/staged_count", slice_).scalar_one() > A_FEW:
            plan_for_bulk(conn)
            # A province's day is sorted once: four megabytes, the server's own share, would send it to disk.
            conn.execute(sa.text("SET LOCAL work_mem = '64MB'"))
        closed = is_closed(conn, day)
        if closed:
            run_sql(conn, "load/lock_out", slice_)
            run_sql(conn, "load/settle_repeats", slice_)
        else:
            _load_rounds(conn, slice_)
        run_sql(conn, "load/finish", {**slice_, "is_closed": closed})


def _load_rounds(conn: Connection, slice_: dict[str, Any]) -> None:
    for step in ("sent_batches", "queue"):
        run_sql(conn, f"load/{step}", slice_)
    conn.execute(sa.text("ANALYZE queue (batch_id, unit_id, platform_id, revision, scope, round)"))
    rounds = conn.execute(sa.text("SELECT coalesce(max(round), 0) FROM queue")).scalar_one()
    for number in range(1, rounds + 1):
        conn.execute(sa.text("DROP TABLE IF EXISTS verdict, contested, kept"))
        run_sql(conn, "load/judge", {**slice_, "round": number})
        run_sql(conn, "load/contest", slice_)
        for step in ROUND_STEPS:
            run_sql(conn, f"load/{step}", slice_)
    for step in ("flag_files", "settle_repeats", "resent", "correct"):
        run_sql(conn, f"load/{step}", slice_)


def is_closed(conn: Connection, day: date) -> bool:
    """Whether the month of the day is closed. Asked after `take_day`, the answer holds until the transaction ends."""
    return bool(run_sql(conn, "load/is_closed", {"day": day}).scalar_one())


def take_day(conn: Connection, day: date) -> datetime:
    """Let one transaction at a time write the figures of a day, until it ends; returns the database's time, later than
    that of every transaction that wrote this day before. The partitions of a new month are made, in a transaction of
    their own: on Citus none may both make a table and write to it under another role."""
    conn.execute(
        sa.text("SELECT pg_advisory_xact_lock(:key, :day)"), {"key": DAY_LOCK, "day": day.toordinal()}
    )
    partition = f"core.submission_{day:%Y%m}"
    if conn.execute(sa.text("SELECT to_regclass(:name) IS NULL"), {"name": partition}).scalar_one():
        with conn.engine.begin() as maker:
            maker.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
    moment: datetime = conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return moment
