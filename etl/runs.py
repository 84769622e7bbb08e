"""Runs: what the DAGs share: how a failed pull is asked again, and who is told of a run that fails or is late."""

from __future__ import annotations

import os
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
ASK_NEXT_HOUR = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=f"etl.failures.{name}", action=RetryAction.FAIL, reason="asked again in an hour")
        for name in ("PlatformsRejected", "PlatformsFailed", "DayIncomplete")
    ]
)
"""What a platform did not give is asked for by the next hour's run."""
DONE_BY_EIGHT = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(minutes=90),
    callback=SyncCallback("etl.runs.tell_late"),
)
"""A run made at 18:30 that has not ended by 20:00 is late. (A partitioned run has no logical date to count from.)"""

PULLS = "pulls"
"""The queue of the tasks that may run on any host that reaches platforms, archive and warehouse. All others stay in the
default queue: they write below PLS_HOME what people open. Executors without queues run both alike."""
A_PULL: dict[str, Any] = {
    "pool": "pls_platforms",
    "queue": PULLS,
    # Airflow refuses a longer name when the task ends, after all its work.
    "map_index_template": "{{ platforms | join(', ') | truncate(250, True, leeway=0) }}",
}
"""What every mapped task that asks platforms is made with."""
OWNER = "pls-statistics"
PAGE = os.environ.get("PLS_OWNER_PAGE")
"""Where the owner's name leads on Airflow's pages, such as mailto:ops@example.org; the DAGs are read with it."""


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


OURS: dict[str, Any] = {
    "catchup": False,
    "on_failure_callback": TellDuty(),
    "owner_links": {OWNER: PAGE} if PAGE else {},
    "tags": ["公共法律服务"],
}
"""What every DAG is made with."""
