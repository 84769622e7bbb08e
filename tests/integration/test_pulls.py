"""A fault of ours in one batch is named and healed, and stops no other. A machine whose clock is wrong asks nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from etl import tasks
from etl.batches import register_batch
from etl.conform import Read
from etl.daily import restate, run_day
from etl.pull import pass_gate
from etl.site import CLOCKS_MAY_DIFFER, Site, confirm_clock
from etl.sources import SOURCES, Failure, pulled_of
from etl.sources.workbooks import Workbooks
from etl.warehouse import WarehouseError
from simulator.plan import SECOND
from simulator.simulation import Simulation
from tests.integration.conftest import clock, read_view
from tests.integration.test_pipeline_truth import DAY, small_world

pytestmark = pytest.mark.integration
PERSONAL = "138" + "12345678"


def test_a_reader_that_breaks_on_one_file_loses_neither_it_nor_the_others(
    tmp_path: Path,
    hotline_url: str,
    open_for: Callable[[Simulation], Site],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    read = Workbooks.read

    def broken(self: Workbooks, platform: Any, catalog: Any, pulled: Any) -> Any:
        if "371302001" in pulled.name:
            raise ZeroDivisionError(PERSONAL)
        return read(self, platform, catalog, pulled)

    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        with monkeypatch.context() as patched:
            patched.setattr(Workbooks, "read", broken)
            (trouble,) = run_day(site, DAY, everyone)
        assert trouble.state == "failed"
        assert "程序出错（ZeroDivisionError）" in trouble.message
        assert PERSONAL not in caplog.text + trouble.message
        assert "test_pulls.py" in caplog.text, "the log says where"
        states = read_view(site, "mart.ledger")["state"].value_counts()
        assert states["failed"] == 1
        assert states["loaded"] > 5
        assert restate(site, everyone, simulation.plan.since)[1] == []
        wrong = simulation.truth(SECOND).differences(read_view(site, "mart.daily_statistics"))
        assert wrong.empty, f"\n{wrong.to_string()}"


def test_a_question_for_what_changed_that_failed_is_over_once_it_is_answered(
    tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        today = site.today()
        for name in (f"submissions-since-{today}", "submissions"):
            failed = pulled_of(today, name, (), failure=Failure("failed", "超时"))
            register_batch(
                site.engine, site.archive, site.catalog.platforms["county-371302"], failed, site.clock()
            )
        assert restate(site, list(site.catalog.platforms), simulation.plan.since)[1] == []
        ledger = read_view(site, "mart.ledger", state="failed")
    assert len(ledger) == 1, "the day's own question has not been answered"


def test_a_platform_of_which_no_unit_is_known_or_that_has_nothing_stops_no_other(
    tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        assert run_day(site, DAY - timedelta(days=1), list(site.catalog.platforms)) == []
        ledger = read_view(site, "mart.ledger")
        assert set(ledger["state"]) == {"loaded"}
        assert ledger["rows_received"].sum() == 0
    platform = site.catalog.platforms["county-371302"]
    value = {"measure": "consultation", "channel": "physical", "value": 4}
    item = {
        "unit": "379999000000",
        "date": DAY.isoformat(),
        "revision": 1,
        "submitted_at": f"{DAY}T17:00:00+08:00",
        "values": [value],
    }
    body = orjson.dumps({"code": 0, "data": {"total": 1, "page": 1, "size": 500, "items": [item]}})
    pulled = pulled_of(DAY, "submissions", [body])
    batch = register_batch(site.engine, site.archive, platform, pulled, site.clock())
    reading = SOURCES["rest"].read(platform, site.catalog, pulled)
    pass_gate(site, [(DAY, Read(batch.batch_id, platform, None, site.clock(), reading))])
    assert read_view(site, "quality.quarantine")["reason_code"].tolist() == ["unit_unknown"]


@pytest.mark.parametrize(
    ("off", "words"),
    [(timedelta(hours=3), "180 minutes ahead of"), (-timedelta(minutes=12), "12 minutes behind")],
)
def test_a_machine_whose_clock_is_wrong_is_told_so_before_it_asks_a_platform(
    off: timedelta,
    words: str,
    tmp_path: Path,
    hotline_url: str,
    open_for: Callable[[Simulation], Site],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = open_for(small_world(tmp_path, hotline_url, "clean"))
    now = clock(site)
    confirm_clock(replace(site, clock=lambda: now + CLOCKS_MAY_DIFFER - timedelta(seconds=30)))
    monkeypatch.setattr("etl.tasks.open_site", lambda *_: replace(site, clock=lambda: now + off))
    for ask in (
        lambda: tasks.pull_and_gate(["county-371302"], DAY, "a"),
        lambda: tasks.pull_stocks(["county-371302"], "2026-02", "b"),
        lambda: tasks.pull_changes(["county-371302"], "c"),
    ):
        with pytest.raises(WarehouseError, match=words):
            ask()
