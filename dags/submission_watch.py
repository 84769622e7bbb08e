"""submission_watch: who has not reported is named, and told to whom it concerns (催报); arrivals are told too.

Due and cut-off times come from the catalogue's calendars, the rungs of the ladder from its alerts/: the clock of this
DAG knows none of them. It looks every half hour, on the hours at which a rung can fall and twenty minutes after
`restatements` has asked the platforms anew; a rung is run at the first look at which every platform has been asked
since its moment. The cut-off of yesterday (10:00) is thus told at 10:30, and `name_missing` lists the
units for whoever is on duty. Run again, or by two schedulers, it tells
nobody twice.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule, task

from etl.runs import OURS, OWNER

SEND_NEXT_TIME = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="etl.failures.AlertsFailed",
            action=RetryAction.FAIL,
            reason="every channel was tried; alerts list --state failed names them",
        )
    ]
)

with DAG(
    "submission_watch",
    schedule=CronTriggerTimetable("*/30 * * * *", timezone="Asia/Shanghai"),
    max_active_runs=1,
    default_args={
        "owner": OWNER,
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "retry_policy": SEND_NEXT_TIME,
    },
    doc_md=__doc__,
    **OURS,
):

    @task
    def run_rounds() -> dict[str, int]:
        from etl import tasks

        return tasks.run_rounds()

    @task
    def name_missing() -> list[str]:
        from etl import tasks

        return tasks.name_missing()

    # What waits is sent also when the rounds could not be run; the run fails all the same, by name_missing.
    @task(trigger_rule="all_done")
    def send_alerts() -> dict[str, int]:
        from etl import tasks

        return tasks.send_alerts()

    run_rounds() >> [send_alerts(), name_missing()]
