"""A table goes through Airflow to the office: drafted, approved by a person and delivered, or refused and not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import PROJECT
from tests.e2e.conftest import DAYS, Running

DAG = "consolidated_tables"
REPORTS = """
- id: e2e-day
  title: 端到端日报
  number: 测1表
  period_kinds: [day]
  columns:
    - {kind: reporting, shows: [expected, received, reporting_rate]}
    - {kind: measures, measures: [consultation]}
  deliveries: [share]
"""


def etl(running: Running, *words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "local.stack", "run", sys.executable, "-m", "etl", *words],
        cwd=PROJECT,
        env=os.environ | {"PLS_HOME": str(running.stack.home), "PLS_AIRFLOW_PORT": str(running.stack.port)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    # A platform of the scenario may refuse us: 1.
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def share(running: Running) -> Iterator[Path]:
    """Where the report is delivered to; both days are in the marts."""
    share = running.stack.home / "share"
    share.mkdir()
    catalog = running.simulation.catalog_dir
    assert catalog is not None
    for folder, text in (
        ("reports", REPORTS),
        ("deliveries", json.dumps([{"id": "share", "kind": "folder", "path": str(share)}])),
    ):
        (catalog / folder).mkdir()
        (catalog / folder / "e2e.yaml").write_text(text)
    for day in DAYS:
        etl(running, "run-day", "--date", day.isoformat())
        etl(running, "indicators", "--period", day.isoformat())
    running.api.unpause(DAG)
    yield share
    for folder in ("reports", "deliveries"):
        (catalog / folder / "e2e.yaml").unlink()
        (catalog / folder).rmdir()


def test_an_approved_table_is_issued_and_delivered_and_a_refused_one_is_not(
    running: Running, share: Path
) -> None:
    # The later day first: it is the last one that is over, which every run makes up for.
    for day, choice, why, state in (
        (DAYS[1], "退回", "数据待核实", "refused"),
        (DAYS[0], "批准", "", "delivered"),
    ):
        run_id = running.api.start(DAG, {"period": day.isoformat()})
        asked, run = running.api.answer(DAG, run_id, choice, why, seconds=300)
        assert run.state == "success", running.reasons(DAG, run_id)
        assert any("端到端日报" in each and day.isoformat() in each for each in asked)
        row = running.read(
            "SELECT * FROM mart.issued_table WHERE report = 'e2e-day' AND period = :day", day=day.isoformat()
        )
        assert row["state"].tolist() == [state]
        assert row["decided_by"].tolist() == ["admin"]
        assert (row["reason"].iloc[0] or "") == why
    delivered = [file for file in share.rglob("*") if file.is_file()]
    assert {file.parent.parent.parent.name for file in delivered} == {DAYS[0].isoformat()}
    assert {"manifest.json", "cells.json.gz"} < {file.name for file in delivered}
    assert any(file.suffix == ".xlsx" for file in delivered)
