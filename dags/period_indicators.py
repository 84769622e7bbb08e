"""period_indicators: whatever counts in a period has changed: its totals, indicators, satisfaction and evaluation anew.

The partition key is the period: 2026-03-02, 2026-03, 2026Q1, 2026, or 2026-03/to_date for the year up to that month.
Whatever loads, restates or releases figures names the periods that do not show them yet, one event each: one restated
day runs exactly its periods again, also while its month is not over. A RollupMapper would wait for all days of the
month, each time anew.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, task

from etl.runs import OURS, OWNER

PERIODS = Asset("pls://core/periods")
INDICATORS = Asset("pls://mart/indicators")

with DAG(
    "period_indicators",
    schedule=PartitionedAssetTimetable(assets=PERIODS),
    max_active_runs=4,
    default_args={"owner": OWNER, "retries": 3, "retry_delay": timedelta(seconds=20)},
    doc_md=__doc__,
    **OURS,
):

    @task(outlets=[INDICATORS])
    def show_period(dag_run=None) -> None:
        from etl import tasks

        tasks.show_period(dag_run.partition_key)

    show_period()
