"""The quarantine desk: what a person decides about rows that are held back.

A released row becomes a batch of its own: it is archived with who let it go and why, passes the gate again, and is
merged into the sender's submission of the same revision (ruling 9). What cannot be read is never guessed: a row that is
not a figure needs a correction before it can be one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.engine import Row

from etl.batches import register_batch
from etl.catalog import Catalog, Dataset
from etl.conform import Read
from etl.daily import load_and_roll_up
from etl.failures import Refused
from etl.pull import pass_gate
from etl.site import Site
from etl.sources import Reading, pulled_of
from etl.sources.cells import read_number
from etl.sources.frames import Draft, Submission
from etl.warehouse import act_as, run_sql

MOST_ROWS = 10_000
"""Rows of one decision: a person has looked at them."""
ROWS_SHOWN = 20


class DeskError(Refused):
    """A decision that cannot be taken; the message names the row and what to do."""


@dataclass(frozen=True)
class Correction:
    """What a row is changed to before it is let go; None leaves the part as it was received.

    measure and channel by code or Chinese name, date as YYYY-MM-DD (of stocks a month's last), value a whole number.
    """

    unit: str | None = None
    date: str | None = None
    measure: str | None = None
    channel: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Released:
    """What came of a release: rows that count now, rows that the gate or the load held back again, rows for which a
    newer revision was in already; the days that were rolled up, and the last days of months whose stocks were."""

    rows: int
    loaded: int
    held_again: int
    superseded: int
    days: list[date]
    month_ends: list[date]


@dataclass(frozen=True)
class _Share:
    """Which rows of a decision become one batch. kind: moved, when they are let go at another unit or day than they
    were sent for, or nobody can tell of which revision they are: they join whichever stands there. Else a release of
    the sender's revision, from the whole file of a county (scope) or not."""

    platform: str
    dataset: Dataset
    day: date
    kind: str
    scope: str | None


def release(
    site: Site, ids: Sequence[int], by: str, reason: str, correction: Correction | None = None
) -> Released:
    """Let rows go, as they stand or with one correction, and load them. Raises DeskError; then nothing was changed.

    As they stand, rows pass that were held for a doubt which a person can lift: above the ceiling, outside the
    platform's area, out of balance. Interrupted and called again with the same words, it ends as if called once.
    """
    correction = correction or Correction()
    rows = _held_rows(site, ids)
    target = date.fromisoformat(correction.date) if correction.date else None
    by_batch: dict[_Share, list[dict[str, Any]]] = {}
    for row in rows:
        day = target or row.stat_date
        if row.dataset == "stocks" and (day + timedelta(days=1)).day != 1:
            raise DeskError(f"Row {row.quarantine_id} is a stock: its day is a month's last, not {day}.")
        figure = _released_row(row, correction)
        here = figure["unit"], figure["date"], day
        is_moved = here != (row.raw.get("unit"), row.raw.get("date"), row.stat_date) or figure["revision"] < 0
        kind, scope = ("moved", None) if is_moved else ("release", row.scope)
        share = _Share(row.platform, row.dataset, day, kind, scope)
        by_batch.setdefault(share, []).append(figure | {"revision": max(figure["revision"], 0)})
    batches = []
    for share, theirs in by_batch.items():
        document = {"by": by, "reason": reason, "rows": theirs, "scope": share.scope}
        batch_id = _pass(site, share, document)
        load_and_roll_up(site, share.day, whole=False, dataset=share.dataset)
        numbers = [each["quarantine_id"] for each in theirs]
        changed = dict.fromkeys(numbers, asdict(correction)) if correction != Correction() else {}
        _decide(site, numbers, "released", by, reason, changed, batch_id)
        batches.append(batch_id)
    with site.engine.connect() as conn:
        counts = run_sql(conn, "quarantine/released", {"ids": batches}).one()
    return Released(
        rows=len(rows),
        loaded=counts.loaded,
        held_again=counts.held_again,
        superseded=counts.superseded,
        days=sorted({each.day for each in by_batch if each.dataset == "daily"}),
        month_ends=sorted({each.day for each in by_batch if each.dataset == "stocks"}),
    )


def discard(site: Site, ids: Sequence[int], by: str, reason: str) -> int:
    """Say that rows will never count; they stay where they are, with who said so and why. Raises DeskError."""
    rows = _held_rows(site, ids)
    return _decide(site, [row.quarantine_id for row in rows], "discarded", by, reason, {}, None)


def _held_rows(site: Site, ids: Sequence[int]) -> list[Row[Any]]:
    if len(set(ids)) > MOST_ROWS:
        raise DeskError(f"{len(set(ids)):,} rows in one decision; at most {MOST_ROWS:,} can be taken.")
    with site.engine.connect() as conn:
        rows = run_sql(conn, "quarantine/to_release", {"ids": list(ids)}).all()
    missing = sorted(set(ids) - {row.quarantine_id for row in rows})
    if missing or not rows:
        raise DeskError(f"No row {', '.join(map(str, missing)) or '(none given)'} in the quarantine.")
    for row in rows:
        if row.state != "held":
            raise DeskError(
                f"Row {row.quarantine_id} is {row.state} already. See: quarantine show {row.quarantine_id}"
            )
        if row.reason_code == "period_locked":
            raise DeskError(
                f"Row {row.quarantine_id} waits for its month: python -m etl period reopen {row.stat_date:%Y-%m}"
            )
    return list(rows)


def _decide(
    site: Site,
    ids: Sequence[int],
    action: str,
    by: str,
    reason: str,
    corrections: Mapping[int, Mapping[str, str | None]],
    batch_id: int | None,
) -> int:
    with site.engine.begin() as conn:
        act_as(conn, "pls_clerk")
        decided = run_sql(
            conn,
            "quarantine/decide",
            {
                "ids": list(ids),
                "action": action,
                "decided_by": by,
                "reason": reason,
                "corrections": json.dumps(corrections, ensure_ascii=False),
                "batch_id": batch_id,
            },
        )
        return len(decided.all())


def _released_row(row: Row[Any], correction: Correction) -> dict[str, Any]:
    """The row as it is to be read: what was received, with the correction over it."""
    changed = {name: text for name, text in asdict(correction).items() if text is not None}
    figure = {name: row.raw.get(name) for name in ("unit", "date", "measure", "channel", "value")} | changed
    empty = [name for name, text in figure.items() if text in (None, "")]
    if empty:
        raise DeskError(
            f"Row {row.quarantine_id} has no {', '.join(empty)}: release it with a correction, or discard it."
        )
    return figure | {
        "quarantine_id": row.quarantine_id,
        "revision": row.raw.get("revision", -1),
        "received_at": row.received_at.isoformat(),
        "held_for": row.reason_code,
    }


def _pass(site: Site, share: _Share, document: Mapping[str, Any]) -> int:
    """Archive the decision as a batch and bring its rows through the gate; returns the batch."""
    body = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    first = document["rows"][0]["quarantine_id"]
    pulled = pulled_of(share.day, f"release-{first}.json", (body,), dataset=share.dataset)
    declared = site.catalog.platforms.get(share.platform)
    if declared is None:
        raise DeskError(f"Platform {share.platform} is not declared any more; its rows cannot be released.")
    batch = register_batch(site.engine, site.archive, declared, pulled, site.clock(), kind=share.kind)
    if batch.state == "registered":
        reading, waived = read_released_batch(pulled.parts, site.catalog)
        read = Read(batch.batch_id, declared, None, site.clock(), reading, waived, share.dataset)
        pass_gate(site, [(share.day, read)])
    return batch.batch_id


def read_released_batch(parts: Sequence[bytes], catalog: Catalog) -> tuple[Reading, dict[int, str]]:
    """The rows of a release as any reader would hand them on, one submission per unit and revision; and for what each
    row was held, by row number."""
    document = json.loads(b"".join(parts))
    rows = document["rows"]
    measures = {name: code for code, each in catalog.measures.items() for name in (code, each.name_zh)}
    channels = {name: code for code, each in catalog.channels.items() for name in (code, each.name_zh)}
    draft = Draft()
    submissions: dict[tuple[str, int], int] = {}
    for number, row in enumerate(rows, start=1):
        key = (row["unit"], row["revision"])
        if key not in submissions:
            received_at = datetime.fromisoformat(row["received_at"])
            submissions[key] = draft.submit(
                Submission(row["unit"], row["date"], row["revision"], received_at)
            )
        value = read_number(str(row["value"]), frozenset())
        draft.figures(
            [(submissions[key], f"quarantine {row['quarantine_id']}", number, row["date"], 1)],
            [measures.get(row["measure"], row["measure"])],
            [channels.get(row["channel"], row["channel"])],
            [float("nan") if value is None else value],
            texts={} if isinstance(value, float) and value == value else {0: str(row["value"])},
        )
    reading = draft.reading()
    reading.scope = document.get("scope")
    return reading, {number: row["held_for"] for number, row in enumerate(rows, start=1)}


@dataclass(frozen=True)
class Group:
    """Rows of one platform and day that are held for one reason, and how they are put before a person (Markdown)."""

    ids: list[int]
    subject: str
    body: str


def held_groups(site: Site, day: date) -> list[Group]:
    """What of a day waits for a decision, in groups of at most MOST_ROWS rows."""
    with site.engine.connect() as conn:
        rows = run_sql(conn, "quarantine/to_decide", {"day": day}).all()
    groups: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault((row.platform, row.reason_code), []).append(row)
    return [
        Group(
            [row.quarantine_id for row in theirs[:MOST_ROWS]],
            f"{day} {platform} {reason_code}：{len(theirs[:MOST_ROWS])} 行待处理",
            _shown_rows(theirs),
        )
        for (platform, reason_code), theirs in groups.items()
    ]


def _shown_rows(rows: Sequence[Row[Any]]) -> str:
    """The first rows as a table."""
    head = [
        "| 编号 | 位置 | 单位 | 指标 | 渠道 | 数值 | 原因 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines = []
    for row in rows[:ROWS_SHOWN]:
        raw = [row.raw.get(name) for name in ("unit", "measure", "channel", "value")]
        cells = [row.quarantine_id, row.place, *raw, row.reason]
        words = [
            re.sub(r"[|\s]+", " ", "" if cell is None else str(cell)).replace("<", "&lt;") for cell in cells
        ]
        lines.append("| " + " | ".join(words) + " |")
    rest = len(rows) - ROWS_SHOWN
    return "\n".join(head + lines + ([f"\n另有 {rest} 行，见 quarantine list。"] if rest > 0 else []))
