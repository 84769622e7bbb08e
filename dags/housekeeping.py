"""housekeeping: every night, a backup of the embedded warehouse, what has served its time let go of, and the database
tended. How long things are kept stands in the catalogue (retention/).
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task

from etl.runs import OURS, OWNER

with DAG(
    "housekeeping",
    schedule=CronTriggerTimetable("0 3 * * *", timezone="Asia/Shanghai"),
    max_active_runs=1,
    default_args={"owner": OWNER, "retries": 1, "retry_delay": timedelta(minutes=10)},
    doc_md=__doc__,
    **OURS,
):

    @task
    def back_up() -> None:
        from etl import tasks

        tasks.back_up()

    @task
    def tidy() -> None:
        from etl import tasks

        tasks.tidy()

    @task
    def tend_database() -> None:
        from etl import tasks

        tasks.tend_database()

    # What is wrong with the watch is told at once.
    @task(retries=0)
    def confirm_watched() -> None:
        from etl import tasks

        tasks.confirm_watched()

    back_up() >> tidy() >> tend_database()
    confirm_watched()
