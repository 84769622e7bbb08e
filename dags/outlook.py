"""outlook: every Monday morning, the coming four weeks of every county are forecast, and unusual rises asked about."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task

from etl.runs import OURS, OWNER

with DAG(
    "outlook",
    schedule=CronTriggerTimetable("0 7 * * 1", timezone="Asia/Shanghai"),
    max_active_runs=1,
    default_args={"owner": OWNER, "retries": 2, "retry_delay": timedelta(minutes=5)},
    doc_md=__doc__,
    **OURS,
):

    @task
    def forecast() -> None:
        from etl import tasks

        tasks.forecast()

    forecast()
