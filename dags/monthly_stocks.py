"""monthly_stocks: what units keep at a month's end (时点指标), from the platforms to the stocks of every division.

The partition key is the month, such as 2026-03. Stocks are due on the 5th working day of the next month at 18:00. From
the 5th to the 24th the platforms are asked every evening, so that what comes late or is restated comes in: what is in
already changes nothing. A platform that fails fails its own mapped task; the rest loads, and the run ends as failed in
`confirm_complete`, which names what is missing.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Asset, CronPartitionTimetable, task

from etl.runs import A_PULL, ASK_AGAIN, OURS, OWNER

STOCKS, PERIODS = Asset("pls://core/stocks"), Asset("pls://core/periods")
EVENINGS = 20
"""So many evenings of a month belong to the month before: the same evening of that one gives the partition key."""

with DAG(
    "monthly_stocks",
    schedule=CronPartitionTimetable(
        "30 18 5-24 * *", timezone="Asia/Shanghai", run_offset=-EVENINGS, key_format="%Y-%m"
    ),
    max_active_runs=1,
    default_args={
        "owner": OWNER,
        "retries": 3,
        "retry_delay": timedelta(seconds=20),
        "retry_policy": ASK_AGAIN,
    },
    doc_md=__doc__,
    **OURS,
):

    @task
    def plan_batches() -> list[list[str]]:
        from etl import tasks

        return tasks.plan_groups("stocks")

    @task(**A_PULL)
    def pull_and_gate(platforms: list[str], dag_run=None) -> None:
        from etl import tasks

        tasks.pull_stocks(platforms, dag_run.partition_key, dag_run.run_id)

    @task(trigger_rule="all_done", outlets=[STOCKS])
    def load_and_roll_up(dag_run=None) -> None:
        from etl import tasks

        tasks.load_and_roll_up_stocks(dag_run.partition_key)

    @task(outlets=[PERIODS])
    def name_periods(dag_run=None, outlet_events=None) -> None:
        from etl import tasks

        outlet_events[PERIODS].add_partitions(tasks.name_periods(dag_run.run_id))

    @task(trigger_rule="all_done")
    def confirm_complete(dag_run=None) -> None:
        from etl import tasks

        tasks.confirm_complete(dag_run.run_id)

    (
        pull_and_gate.expand(platforms=plan_batches())
        >> load_and_roll_up()
        >> [name_periods(), confirm_complete()]
    )
