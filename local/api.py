"""The few requests to Airflow's REST API that the demo and the tests make."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from types import TracebackType
from typing import Any, Self

import httpx

from etl.clock import SHANGHAI
from local.stack import Stack

PARSE_SECONDS = 90
ENDED = ("success", "failed")


class ApiError(Exception):
    """Airflow refused a request, or a DAG or run did not come in time."""


@dataclass(frozen=True)
class Run:
    """One DAG run. partition: its key or empty. started_at: None before it starts. seconds: how long it took so far,
    None before it starts."""

    run_id: str
    partition: str
    state: str
    started_at: datetime | None
    seconds: float | None


class Api:
    """A logged-in client of a running stack, as the user admin."""

    def __init__(self, stack: Stack) -> None:
        password = json.loads(stack.password_file.read_text())["admin"]
        self._client = httpx.Client(base_url=stack.url, timeout=120, trust_env=False)
        token = self._send("POST", "/auth/token", {"username": "admin", "password": password})["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def unpause(self, dag_id: str) -> datetime | None:
        """Switch a DAG on, waiting until the dag-processor has read it; returns when its next run is made, which may be
        past, without anybody asking. Raises ApiError when it has import errors."""
        deadline = time.monotonic() + PARSE_SECONDS
        while not (found := self._send("GET", f"/api/v2/dags?dag_id_pattern={dag_id}")["dags"]):
            errors = self._send("GET", "/api/v2/importErrors")["import_errors"]
            if errors or time.monotonic() > deadline:
                traces = "\n".join(error["stack_trace"] for error in errors)
                raise ApiError(f"Airflow has not read the DAG {dag_id}.\n{traces}")
            time.sleep(0.5)
        self._send("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})
        due = found[0]["next_dagrun_run_after"]
        return datetime.fromisoformat(due) if due else None

    def backfill(self, dag_id: str, first: date, last: date) -> None:
        """Ask for the runs of a range of days (both included) that do not exist yet, as the interface's form does."""
        self._send(
            "POST",
            "/api/v2/backfills",
            {
                "dag_id": dag_id,
                "from_date": datetime.combine(first, clock_time.min, SHANGHAI).isoformat(),
                # The bounds are instants: the last day's own run is at 18:30.
                "to_date": (datetime.combine(last, clock_time.max, SHANGHAI)).isoformat(),
                "max_active_runs": 1,
                "reprocess_behavior": "none",
            },
        )

    def wait_for_backfills(self, dag_id: str, seconds: float) -> None:
        """Wait until the scheduler has closed every backfill of a DAG, which it does some time after the last run.

        Only then does Airflow take another one. Raises ApiError when one is open after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while any(
            each["completed_at"] is None
            for each in self._send("GET", f"/api/v2/backfills?dag_id={dag_id}")["backfills"]
        ):
            if time.monotonic() > deadline:
                raise ApiError(f"A backfill of {dag_id} is still open after {seconds:.0f} s.")
            time.sleep(1)

    def trigger(self, dag_id: str, seconds: float) -> Run:
        """Run a DAG now and wait until it ends. Raises ApiError when it has not after `seconds`."""
        return self.wait_for(dag_id, self.start(dag_id, {}), seconds)

    def start(self, dag_id: str, conf: dict[str, str], partition: str | None = None) -> str:
        """Run a DAG now with values for its params, or for a partition; returns the run's id."""
        body = {"logical_date": None, "conf": conf, "partition_key": partition}
        run_id: str = self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"]
        return run_id

    def end(self, dag_id: str, run_id: str) -> None:
        """Mark a run as failed, as a person does with one that does not end."""
        self._send("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})

    def answer(
        self, dag_id: str, run_id: str, choice: str, why: str, seconds: float
    ) -> tuple[list[str], Run]:
        """Answer what a run asks a person, whenever it asks, until it ends; returns what was asked, and the run.

        Raises ApiError when the run has not ended after `seconds`.
        """
        asked: list[str] = []
        for question in self.questions(dag_id, run_id, seconds):
            asked.append(self._send("GET", question)["subject"])
            self._send("PATCH", question, {"chosen_options": [choice], "params_input": {"why": why}})
        return asked, self.wait_for(dag_id, run_id, seconds)

    def questions(self, dag_id: str, run_id: str, seconds: float) -> Iterator[str]:
        """What a run asks a person and nobody has answered, whenever it asks, until it ends: the path of each question.

        Airflow 3.3.2 takes a task that is answered within a moment of asking for one that its executor has lost; its
        retry asks again. People are slower than that, so is this: a question comes once the scheduler has gone round
        twice since it was seen. Raises ApiError when the run has not ended after `seconds`.
        """
        rounds_seen: dict[str, set[str]] = {}
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        deadline = time.monotonic() + seconds
        while (run := _run(self._send("GET", path))).state not in ENDED:
            waiting = self._send("GET", f"{path}/taskInstances?state=awaiting_input")["task_instances"]
            beat = self._send("GET", "/api/v2/monitor/health")["scheduler"]["latest_scheduler_heartbeat"]
            for task in waiting:
                rounds = rounds_seen.setdefault(f"{task['id']} {task['try_number']}", set())
                rounds.add(beat)
                question = f"{path}/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails"
                if len(rounds) > 2 and not self._send("GET", question).get("response_received"):
                    yield question
            if time.monotonic() > deadline:
                raise ApiError(f"{dag_id} is {run.state} after {seconds:.0f} s.")
            time.sleep(1)

    def wait_for(self, dag_id: str, run_id: str, seconds: float) -> Run:
        """A run once it has ended. Raises ApiError when it has not after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            run = _run(self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))
            if run.state in ENDED:
                return run
            if time.monotonic() > deadline:
                raise ApiError(f"{dag_id} is {run.state} after {seconds:.0f} s.")
            time.sleep(1)

    def runs(self, dag_id: str) -> list[Run]:
        """The runs of a DAG that have a partition key, in order of it."""
        found = self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns?limit=100")["dag_runs"]
        return sorted((_run(each) for each in found if each["partition_key"]), key=lambda run: run.partition)

    def note(self, dag_id: str, run_id: str) -> str:
        """What is noted on a run; empty where nothing is."""
        return str(self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["note"] or "")

    def failed_tasks(self, dag_id: str, run_id: str) -> list[str]:
        """Names of the tasks that failed in a run, mapped ones with their index."""
        found = self._send(
            "GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?state=failed&limit=100"
        )
        return [
            each["task_id"] + (f"[{each['map_index']}]" if each["map_index"] >= 0 else "")
            for each in found["task_instances"]
        ]

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The tasks of a run as Airflow tells of them: state, hostname, try_number, start_date, end_date, …"""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100"
        found: list[dict[str, Any]] = self._send("GET", path)["task_instances"]
        return found

    def pulls(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Those of them that are mapped."""
        return [each for each in self.tasks(dag_id, run_id) if each["map_index"] >= 0]

    def wait(self, dag_id: str, wanted: Sequence[str], seconds: float) -> list[Run]:
        """The runs of these partitions once all have ended. Raises ApiError when they have not after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            runs = [run for run in self.runs(dag_id) if run.partition in wanted]
            ended = [run for run in runs if run.state in ENDED]
            if {run.partition for run in ended} == set(wanted) and len(ended) == len(runs):
                return runs
            if time.monotonic() > deadline:
                states = ", ".join(f"{run.partition} {run.state}" for run in runs) or "none exists"
                raise ApiError(f"The runs of {dag_id} have not ended after {seconds:.0f} s: {states}.")
            time.sleep(1)

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._client.request(method, path, json=body)
        if answer.is_error:
            raise ApiError(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found


def _run(answer: dict[str, Any]) -> Run:
    run_id, partition = answer["dag_run_id"], answer["partition_key"] or ""
    if not answer["start_date"]:
        return Run(run_id, partition, answer["state"], None, None)
    start = datetime.fromisoformat(answer["start_date"])
    end = datetime.fromisoformat(answer["end_date"]) if answer["end_date"] else datetime.now(UTC)
    return Run(run_id, partition, answer["state"], start, (end - start) / timedelta(seconds=1))
