"""Runs: what the DAGs share: how a failed pull is asked again, and who is told of a run that fails or is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import (  # type: ignore[attr-defined]
    BaseNotifier,
    DeadlineAlert,
    DeadlineReference,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    SyncCallback,
)

ASK_AGAIN = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="etl.failures.PlatformsRejected",
            action=RetryAction.FAIL,
            reason="asking again is no use",
        ),
        RetryRule(
            exception="etl.failures.DayIncomplete", action=RetryAction.FAIL, reason="a later run heals it"
        ),
        RetryRule(
            exception="etl.failures.PlatformsFailed",
            retry_delay=timedelta(minutes=2),
            reason="may answer later",
        ),
    ]
)
"""Transient failures are retried, the rest fails at once."""
DONE_BY_EIGHT = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(minutes=90),
    callback=SyncCallback("etl.runs.tell_late"),
)
"""A run made at 18:30 that has not ended by 20:00 is late. (A partitioned run has no logical date to count from.)"""


class TellDuty(BaseNotifier):
    """Tells those on duty that a run has failed, and what is missing of its day."""

    def notify(self, context: Any) -> None:
        """Airflow calls it with the context of the failed run."""
        from etl import tasks

        run = context["dag_run"]
        tasks.tell_of_run("运行失败", run.dag_id, run.run_id, run.partition_key)


def tell_late(context: Any) -> None:
    """Airflow calls it when a run has not ended by its deadline."""
    from etl import tasks

    run = context["dag_run"]
    tasks.tell_of_run("未按时完成", run["dag_id"], run["dag_run_id"], run.get("partition_key"))
