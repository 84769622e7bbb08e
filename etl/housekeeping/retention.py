"""Retention: let go of what has served its time, and only of what can be made again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from etl.archive import ArchiveError
from etl.housekeeping.backup import drop_old_backups
from etl.site import Site
from etl.sources import SOURCES, Pulled, Unreadable
from etl.warehouse import run_sql


@dataclass
class Tidied:
    """What was let go: objects of the archive and their bytes, days of Data Docs, backups; and what should have been
    and was kept, with the reason (Chinese)."""

    objects: int = 0
    bytes: int = 0
    docs: int = 0
    backups: int = 0
    kept: list[str] = field(default_factory=list)


def tidy(site: Site) -> Tidied:
    """Drop what is older than the catalogue's retention says; what has no entry there is kept for ever. What killed
    writers have left in the archive goes after a day."""
    done = Tidied()
    site.archive.drop_unfinished(site.clock() - timedelta(days=1))
    keep = {what: each.keep_days for what, each in site.catalog.retention.items()}
    if "archive" in keep:
        _drop_objects(site, site.today() - timedelta(days=keep["archive"]), done)
    if "data_docs" in keep:
        done.docs = _drop_docs(site, site.today() - timedelta(days=keep["data_docs"]))
    if "backup" in keep:
        done.backups = drop_old_backups(site.settings, site.clock() - timedelta(days=keep["backup"]))
    return done


def _drop_objects(site: Site, before: date, done: Tidied) -> None:
    with site.engine.connect() as conn:
        objects = run_sql(conn, "housekeeping/droppable", {"before": before}).all()
    for each in objects:
        try:
            parts = site.archive.get(each.sha256, each.part_sizes)
            found = sum(_find_rows(site, batch, each.sha256, parts) for batch in each.batches)
        except (ArchiveError, Unreadable, _NotFound) as error:
            done.kept.append(f"{each.batches[0]['source_name']}（{each.sha256[:12]}）：{error}")
            continue
        size = sum(each.part_sizes)
        with site.engine.begin() as conn:
            run_sql(conn, "housekeeping/drop", {"sha256": each.sha256, "bytes": size, "rows_found": found})
        site.archive.drop(each.sha256)
        done.objects += 1
        done.bytes += size


class _NotFound(Exception):
    """A row of an object that the warehouse does not know."""


def _find_rows(site: Site, batch: Mapping[str, Any], sha256: str, parts: tuple[bytes, ...]) -> int:
    """Read a batch once more and find each of its rows in the warehouse; returns how many there are."""
    platform = site.catalog.platforms.get(batch["platform"])
    if platform is None:
        raise _NotFound(f"平台 {batch['platform']} 已不在目录中，无法重新读取")
    received_at = datetime.fromisoformat(batch["received_at"]) if batch["received_at"] else None
    day = date.fromisoformat(batch["stat_date"])
    reading = SOURCES[platform.family].read(
        platform, site.catalog, Pulled(day, batch["source_name"], parts, received_at, sha256, None)
    )
    rows = reading.rows.merge(
        reading.submissions[["unit"]], left_on="submission", right_index=True, suffixes=("", "_sent")
    )
    with site.engine.connect() as conn:
        slice_ = {"day": day, "platform": platform.id, "batch_id": batch["batch_id"]}
        known = run_sql(conn, "housekeeping/known_rows", slice_).all()
    figures = {(row.unit, row.measure, row.channel, row.value) for row in known if row.row_number is None}
    held = {row.row_number for row in known if row.row_number is not None}
    lost = Counter(
        str(row.unit)
        for row in rows.itertuples()
        if row.row_number not in held
        and (str(row.unit), str(row.measure), str(row.channel), _whole(row.value)) not in figures
    )
    if lost:
        raise _NotFound(f"{lost.total()} 行在仓库中找不到（如 {next(iter(lost))}），原件保留")
    return len(rows)


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _drop_docs(site: Site, before: date) -> int:
    """Pages and results of validations of days before a day; they can be made again by reading the archive."""
    dropped = 0
    for place in (site.settings.home / "data_docs").glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"):
        if date.fromisoformat(place.name) < before:
            shutil.rmtree(place)
            dropped += 1
    for name in site.archive.document_folders("validations"):
        if date.fromisoformat(name) < before:
            site.archive.drop_documents(f"validations/{name}")
    return dropped
