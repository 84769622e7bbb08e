"""Plugin: what a failed run could not bring in is noted on the run, where Airflow's pages show it."""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from sqlalchemy.orm import object_session

PULLING = ("daily_statistics", "monthly_stocks", "restatements")
LONGEST = 1_000
"""Characters that Airflow keeps of a note."""


class RunNotes:
    """Listens in the scheduler; reads nothing but the run's own tasks."""

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Note the tasks that failed, each with its platforms."""
        if dag_run.dag_id in PULLING:
            # In the scheduler's own session: one of its own would commit, and the scheduler forbids that.
            tasks = dag_run.get_task_instances(session=object_session(dag_run))
            failed = [each for each in tasks if each.state == "failed"]
            dag_run.note = note_of([(each.task_id, each.rendered_map_index) for each in failed])


def note_of(failed: list[tuple[str, str | None]]) -> str:
    """The note, from the failed tasks and what each of them was mapped over; in Chinese."""
    platforms = [f"{task}（{what}）" if what else task for task, what in sorted(failed, key=str)]
    return f"未完成：{'；'.join(platforms)}"[:LONGEST]


class PlsPlugin(AirflowPlugin):
    """Found by its entry point wherever pls-statistics is installed."""

    name = "pls_statistics"
    listeners = [RunNotes()]  # noqa: RUF012
