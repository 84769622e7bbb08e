"""The morning's list: the units of whom nothing had come by a cut-off of today, by name, for whoever is on duty."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Engine

from etl.alerts.text import DATASETS, unit_lines
from etl.alerts.tree import read_tree
from etl.catalog import Catalog
from etl.clock import SHANGHAI
from etl.warehouse import plan_for_bulk, run_sql


def name_missing(engine: Engine, catalog: Catalog, moment: datetime) -> list[str]:
    """A text for each day of figures whose cut-off was today (Shanghai) and has passed: how many units, and which."""
    midnight = datetime.combine(moment.astimezone(SHANGHAI).date(), datetime.min.time(), SHANGHAI)
    named = []
    with engine.begin() as conn:
        plan_for_bulk(conn)
        groups = run_sql(
            conn, "alerts/groups", {"moment": moment, "since": midnight - timedelta(microseconds=1)}
        )
        passed = sorted(
            {(row.stat_date, row.dataset, row.cutoff_at) for row in groups if row.cutoff_at <= moment}
        )
        for day, dataset, cutoff_at in passed:
            slice_ = {"day": day, "dataset": dataset, "moment": moment, "cutoffs": [cutoff_at]}
            rows = run_sql(conn, "alerts/missing", slice_).all()
            units = [unit_id for row in rows for unit_id in row.unit_ids]
            rejected = {unit_id for row in rows for unit_id in row.rejected_ids}
            tree = read_tree(conn, day, units)
            lines, levels = unit_lines(units, tree, rejected, catalog.delivery().list_at_most)
            counted = f"缺报{len(units)}个单位（{levels}）\n{lines}" if units else "无缺报"
            named.append(f"{day}{DATASETS[dataset]}：{counted}")
    return named
