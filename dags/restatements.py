"""restatements: every hour, what the platforms received since they were last asked: late submissions, higher revisions,
and the days on which a platform failed. Only the days and divisions touched are written again.
"""

from __future__ import annotations

from datetime import date, timedelta

from airflow.sdk import DAG, Asset, CronTriggerTimetable, task

from etl.runs import A_PULL, ASK_NEXT_HOUR, OURS, OWNER

DAILY, STOCKS = Asset("pls://core/daily"), Asset("pls://core/stocks")
PERIODS = Asset("pls://core/periods")

with DAG(
    "restatements",
    schedule=CronTriggerTimetable("10 * * * *", timezone="Asia/Shanghai"),
    max_active_runs=1,
    default_args={
        "owner": OWNER,
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "retry_policy": ASK_NEXT_HOUR,
    },
    doc_md=__doc__,
    **OURS,
):

    @task
    def plan_batches() -> list[list[str]]:
        from etl import tasks

        return tasks.plan_groups()

    @task(**A_PULL)
    def pull_changes(platforms: list[str], dag_run=None) -> None:
        from etl import tasks

        tasks.pull_changes(platforms, dag_run.run_id)

    @task(trigger_rule="all_done", outlets=[DAILY])
    def show_changes(outlet_events=None) -> list[str]:
        from etl import tasks

        days = tasks.show_changes()
        outlet_events[DAILY].add_partitions(days)
        return days

    @task(trigger_rule="all_done", outlets=[STOCKS])
    def show_stock_changes(outlet_events=None) -> None:
        from etl import tasks

        outlet_events[STOCKS].add_partitions(tasks.show_stock_changes())

    @task(outlets=[PERIODS])
    def name_periods(dag_run=None, outlet_events=None) -> None:
        from etl import tasks

        outlet_events[PERIODS].add_partitions(tasks.name_periods(dag_run.run_id))

    @task
    def publish_day(day: str) -> None:
        from etl import tasks

        tasks.publish_day(date.fromisoformat(day))

    @task(trigger_rule="all_done")
    def confirm_complete(dag_run=None) -> None:
        from etl import tasks

        tasks.confirm_complete(dag_run.run_id)

    days, months = show_changes(), show_stock_changes()
    pull_changes.expand(platforms=plan_batches()) >> days >> [months, confirm_complete()]
    [days, months] >> name_periods()
    publish_day.expand(day=days)
