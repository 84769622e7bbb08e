"""Return a batch: the return sheet of a batch of the ledger, made from its archived bytes and its held rows."""

from __future__ import annotations

from pathlib import Path

from etl.failures import Refused
from etl.return_sheet.opinions import Problem, problem_of
from etl.return_sheet.write import revision_of, write_return_sheet
from etl.site import Site
from etl.sources import pulled_of
from etl.warehouse import run_sql


class NothingToReturn(Refused):
    """A batch that has nothing to give back to its sender; the message says why."""


def return_batch(site: Site, batch_id: int, folder: Path) -> Path:
    """Write the return sheet of a batch of the ledger, from its bytes in the archive and its held rows.

    Raises NothingToReturn when no such batch is in, its bytes are not kept, or nothing of it is held back.
    """
    with site.engine.connect() as conn:
        batch = run_sql(conn, "quarantine/batch", {"batch_id": batch_id}).one_or_none()
        held = run_sql(conn, "quarantine/of_batch", {"batch_id": batch_id}).mappings().all()
    if batch is None or batch.sha256 is None or batch.platform not in site.catalog.platforms:
        raise NothingToReturn(f"批次 {batch_id} 不在台账中，或没有收到内容")
    problems = [problem_of(dict(row)) for row in held]
    if batch.state in ("failed", "rejected"):
        problems.append(Problem(0, batch.source_name, "", batch.state, batch.message))
    if not problems:
        raise NothingToReturn(f"批次 {batch_id} 没有隔离的行，无需退回")
    parts = site.archive.get(batch.sha256, batch.part_sizes)
    pulled = pulled_of(batch.stat_date, batch.source_name, parts, batch.received_at, None, batch.dataset)
    platform = site.catalog.platforms[batch.platform]
    of, _ = revision_of(batch.source_name)
    revision = 1 + max(number for other, number in map(revision_of, batch.names) if other == of)
    return write_return_sheet(pulled, platform, site.catalog, problems, folder, revision)
