"""daily_statistics: every evening, the day's figures from the platforms to the marts, the tables and the Data Docs.

The partition key is the statistical day. A platform that fails fails its own mapped task; the rest of the day still
loads, and the run ends as failed in `confirm_complete`, which names what is missing. `restatements` heals it.
"""

from __future__ import annotations

from datetime import date, timedelta

from airflow.sdk import DAG, Asset, CronPartitionTimetable, task

from etl.runs import A_PULL, ASK_AGAIN, DONE_BY_EIGHT, OURS, OWNER

DAILY = Asset("pls://core/daily")
PERIODS = Asset("pls://core/periods")

with DAG(
    "daily_statistics",
    schedule=CronPartitionTimetable(
        "30 18 * * *", timezone="Asia/Shanghai", run_offset=0, key_format="%Y-%m-%d"
    ),
    max_active_runs=3,
    default_args={
        "owner": OWNER,
        "retries": 3,
        "retry_delay": timedelta(seconds=20),
        "retry_policy": ASK_AGAIN,
    },
    deadline=DONE_BY_EIGHT,
    doc_md=__doc__,
    **OURS,
):

    @task
    def plan_batches() -> list[list[str]]:
        from etl import tasks

        return tasks.plan_groups()

    @task(**A_PULL)
    def pull_and_gate(platforms: list[str], dag_run=None) -> None:
        from etl import tasks

        tasks.pull_and_gate(platforms, date.fromisoformat(dag_run.partition_key), dag_run.run_id)

    @task(trigger_rule="all_done", outlets=[DAILY])
    def load_and_roll_up(dag_run=None) -> None:
        from etl import tasks

        tasks.load_and_roll_up(date.fromisoformat(dag_run.partition_key))

    @task(outlets=[PERIODS])
    def name_periods(dag_run=None, outlet_events=None) -> None:
        from etl import tasks

        day = date.fromisoformat(dag_run.partition_key)
        outlet_events[PERIODS].add_partitions(tasks.name_periods(dag_run.run_id, day))

    @task
    def publish_day(dag_run=None) -> None:
        from etl import tasks

        tasks.publish_day(date.fromisoformat(dag_run.partition_key))

    @task(trigger_rule="all_done")
    def confirm_complete(dag_run=None) -> None:
        from etl import tasks

        tasks.confirm_complete(dag_run.run_id)

    loaded = load_and_roll_up()
    pull_and_gate.expand(platforms=plan_batches()) >> loaded >> [publish_day(), name_periods()]
    loaded >> confirm_complete()
