"""Where the time of a DAG run went: of each task how long it waited, started up and worked, and which program used the
processors meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from local.simulated import Running

WORK_BEGINS, WORK_ENDS = "::endgroup::", "Done. Returned value was"
"""Lines of a task's log between which our own function works; before the first one Airflow prepares the task."""


@dataclass(frozen=True)
class Step:
    """The tasks of one name in a run (mapped ones together). first, last: when the first was queued and the last ended,
    seconds since the run began. queued, starting, working, closing: seconds of all of them added up."""

    name: str
    tasks: int
    first: float
    last: float
    queued: float
    starting: float
    working: float
    closing: float


def steps_of(
    tasks: Sequence[Mapping[str, Any]], logs: Path, began_at: datetime, name: str = ""
) -> list[Step]:
    """The steps of the tasks that Airflow tells of, in order of time. logs: the folder of their logs. name: what they
    are called, their own names where left out."""
    parts: dict[str, list[list[float]]] = {}
    for task in tasks:
        moments = [datetime.fromisoformat(task[key]) for key in ("queued_when", "start_date")]
        moments += _working(_log(logs, task))
        moments.append(datetime.fromisoformat(task["end_date"]))
        parts.setdefault(name or task["task_id"], []).append(
            [(each - began_at).total_seconds() for each in moments]
        )
    steps = []
    for step, times in parts.items():
        added = [sum(each[n + 1] - each[n] for each in times) for n in range(4)]
        first, last = min(each[0] for each in times), max(each[-1] for each in times)
        steps.append(Step(step, len(times), first, last, *added))
    return sorted(steps, key=lambda each: (each.first, each.last))


def _log(logs: Path, task: Mapping[str, Any]) -> Path:
    folder = logs / f"dag_id={task['dag_id']}" / f"run_id={task['dag_run_id']}" / f"task_id={task['task_id']}"
    if task["map_index"] >= 0:
        folder /= f"map_index={task['map_index']}"
    return folder / f"attempt={task['try_number']}.log"


def _working(log: Path) -> list[datetime]:
    """When our function began and ended. Raises ValueError for a task whose log does not tell."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    found = []
    for words in (WORK_BEGINS, WORK_ENDS):
        line = next((each for each in lines if str(each["event"]).startswith(words)), None)
        if line is None:
            raise ValueError(f"{log} does not say {words}")
        found.append(datetime.fromisoformat(line["timestamp"]))
    return found


def cpu_seconds(running: Running) -> dict[str, float]:
    """Processor seconds that each program of the site has used so far, with all that it has started; tasks are those
    that the scheduler's LocalExecutor has forked."""
    used = {}
    for name, process in running.stack.running().items():
        own = sum(process.cpu_times()[:2])
        used[name] = _family(process)
        if name == "scheduler":
            used |= {name: own, "tasks": used[name] - own}
    postmaster = (running.stack.home / "postgres" / "postmaster.pid").read_text().split()[0]
    used["PostgreSQL"] = _family(psutil.Process(int(postmaster)))
    used["simulated platforms"] = _family(psutil.Process(running.platforms.pid))
    return used


def _family(process: psutil.Process) -> float:
    seconds = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            # user, system, and the same of children that have ended
            seconds += sum(each.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return seconds
