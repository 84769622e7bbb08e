"""Batches: what came in, registered in the ledger after its bytes are safe in the archive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.archive import Archive
from etl.catalog import Platform
from etl.sources import Pulled
from etl.warehouse import run_sql


@dataclass(frozen=True)
class Registered:
    """A batch of the ledger: registered (to be read), gated, loaded, failed or rejected."""

    batch_id: int
    state: str


def register_batch(
    engine: Engine,
    archive: Archive,
    platform: Platform,
    pulled: Pulled,
    pulled_at: datetime,
    kind: str = "sent",
) -> Registered:
    """Keep the bytes, then write the batch. The same bytes again give the same batch, whatever became of it.

    A pull that failed is written too, with what arrived of it; the first whole pull of the same batch replaces it.
    """
    has_content = bool(pulled.parts) or pulled.failure is None
    sha256 = archive.put(pulled.parts) if has_content else None
    with engine.begin() as conn:
        platform_id = conn.execute(
            sa.text("SELECT platform_id FROM core.platform WHERE platform = :platform"),
            {"platform": platform.id},
        ).scalar_one()
        slice_ = {
            "platform_id": platform_id,
            "dataset": pulled.dataset,
            "stat_date": pulled.stat_date,
            "source_name": pulled.name,
            "kind": kind,
        }
        run_sql(conn, "batch/forget_failed", slice_)
        row = run_sql(
            conn,
            "batch/register",
            slice_
            | {
                "sha256": sha256,
                "part_sizes": [len(part) for part in pulled.parts],
                "received_at": pulled.received_at,
                "pulled_at": pulled_at,
                "state": pulled.failure.state if pulled.failure else "registered",
                "message": pulled.failure.message if pulled.failure else "",
            },
        ).one()
    return Registered(row.batch_id, row.state)


def set_aside(engine: Engine, batch_id: int, state: str, message: str) -> None:
    """Say that a batch, though whole, is not in: rejected, as it cannot be read, or failed, through a fault of ours."""
    with engine.begin() as conn:
        conn.execute(
            sa.text("UPDATE landing.batch SET state = :state, message = :message WHERE batch_id = :batch_id"),
            {"batch_id": batch_id, "state": state, "message": message},
        )


def known_files(engine: Engine, platform: Platform) -> set[tuple[str, int, datetime]]:
    """Files of a platform that are loaded already, by name, size and receipt stamp: no need to fetch them again."""
    with engine.connect() as conn:
        rows = run_sql(conn, "batch/known_files", {"platform": platform.id})
        return {(row.source_name, row.size, row.received_at) for row in rows}
