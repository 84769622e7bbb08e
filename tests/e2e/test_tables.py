"""A table goes through Airflow to the office: drafted, approved by a person and delivered, or refused and not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.daily import run_day
from etl.periodic import show_period
from etl.periods import Period
from etl.site import open_site
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


def show(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring both days in, unless an earlier test has."""
    for name, value in running.simulation.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PLS_HOME", str(running.stack.home))
    monkeypatch.delenv("PLS_WAREHOUSE", raising=False)
    site = open_site()
    for day in DAYS:
        run_day(site, day, list(site.catalog.platforms))
        show_period(site, Period.around("day", day))
    site.engine.dispose()


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
    with pytest.MonkeyPatch.context() as monkeypatch:
        show(running, monkeypatch)
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
