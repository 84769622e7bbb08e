"""Heartbeat: whether the watch itself is alive; asked by housekeeping, which tells those on duty by another path."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.engine import Engine

from etl.catalog import Catalog
from etl.clock import SHANGHAI
from etl.rounding import rounded
from etl.warehouse import run_sql

LONGEST_SILENCE = timedelta(hours=26)
"""County centres owe every day: a due time and a cut-off fall on each."""
LONGEST_WAIT = timedelta(hours=2)
FEWEST_DAYS = 60
"""So many days before the known workdays end somebody must extend them (domain.md, section 6)."""


def find_faults(engine: Engine, catalog: Catalog, moment: datetime) -> list[str]:
    """What is wrong with the watch at a moment, in Chinese; nothing where no round was ever due."""
    with engine.connect() as conn:
        watch = run_sql(conn, "metrics/watch", {"moment": moment}).one()
    faults = []
    if watch.round_at is not None and moment.timestamp() - watch.round_at > LONGEST_SILENCE.total_seconds():
        last = datetime.fromtimestamp(watch.round_at, SHANGHAI)
        faults.append(f"报送监督自 {last:%Y-%m-%d %H:%M} 起没有运行，请查看 submission_watch")
    if (watch.overdue_seconds or 0) > LONGEST_WAIT.total_seconds():
        faults.append(
            f"有催报消息应发未发已 {rounded(watch.overdue_seconds / 3600, 0)} 小时，请查看 alerts list --state pending"
        )
    today = moment.astimezone(SHANGHAI).date()
    faults += [
        _ending(name, last)
        for name, last in catalog.horizons(today).items()
        if (last - today).days < FEWEST_DAYS
    ]
    return faults


def _ending(name: str, last: date) -> str:
    return (
        f"日历 {name} 的工作日只到 {last}，请按国务院办公厅通知在 calendars.yaml 的 overrides 中补充次年安排"
    )
