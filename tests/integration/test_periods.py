"""A closed month takes no silent change: what comes waits, in sight, until the month is reopened."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from etl.cli import main
from etl.daily import restate, run_day
from etl.desk import DeskError, release
from etl.divisions import DivisionListError, load_divisions
from etl.periods.lock import PeriodError, close_month, list_months, reopen_month
from etl.settings import DIVISIONS_FILE
from etl.site import Site
from simulator.plan import SECOND
from simulator.simulation import Simulation
from tests.integration.conftest import read_sorted, read_view
from tests.integration.test_pipeline_truth import COUNTS, DAY, small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
MONTH = DAY.replace(day=1)
MARTS = ("mart.daily_statistics", "mart.submission_status")


@pytest.mark.parametrize("scenario", ["restated", "late", "outage"])
def test_what_comes_for_a_closed_month_waits_and_counts_once_it_is_reopened(
    scenario: str, tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, scenario) as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, DAY, everyone)
        before = [read_sorted(site, view) for view in MARTS]
        close_month(site, MONTH, "王处长", "月度封账")
        simulation.advance()

        restate(site, everyone, simulation.plan.since)
        run_day(site, DAY, everyone)
        assert all(each.equals(read_sorted(site, view)) for each, view in zip(before, MARTS, strict=True))
        waiting = read_view(site, "quality.quarantine", reason_code="period_locked")
        assert len(waiting) > 0
        (month,) = list_months(site)
        assert (month["is_closed"], month["rows_waiting"]) == (True, len(waiting))
        ledger = read_view(site, "mart.ledger")
        assert (ledger["rows_received"] == ledger[COUNTS[1:]].sum(axis=1)).all()
        with pytest.raises(DeskError, match="period reopen 2026-03"):
            release(site, [int(waiting["quarantine_id"].iloc[0])], "李", "放行")

        done = reopen_month(site, MONTH, "王处长", "补报更正")
        assert done.days == [DAY]
        assert done.batches > 0
        wrong = simulation.truth(SECOND).differences(read_view(site, "mart.daily_statistics"))
        assert wrong.empty, f"\n{wrong.to_string()}"
        assert set(read_view(site, "quality.quarantine", reason_code="period_locked")["state"]) == {
            "released"
        }
        assert list_months(site) == []
        ledger = read_view(site, "mart.ledger")
        assert (ledger["rows_received"] == ledger[COUNTS[1:]].sum(axis=1)).all()
        with pytest.raises(PeriodError, match="nothing waits"):
            reopen_month(site, MONTH, "王处长", "再来一次")


def test_a_first_load_for_a_closed_month_waits_too(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        close_month(site, MONTH, "王处长", "月度封账")
        run_day(site, DAY, list(site.catalog.platforms))
        assert read_view(site, "mart.daily_statistics").empty
        reopen_month(site, MONTH, "王处长", "误封")
        wrong = simulation.truth(SECOND).differences(read_view(site, "mart.daily_statistics"))
        assert wrong.empty, f"\n{wrong.to_string()}"


def test_months_are_closed_and_reopened_on_the_command_line(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, words)
        return result.exit_code, result.output

    with small_world(tmp_path, hotline_url, "clean") as simulation:
        open_for(simulation)
        assert run("period", "close", "2026-03", "--by", "王")[0] == 0
        code, said = run("period", "close", "2026-03")
        assert (code, "closed already" in said) == (2, True)
        assert run("period", "close", "2999-01")[0] == 2
        (month,) = json.loads(run("period", "list", "--json")[1])
        assert (month["month"], month["decided_by"], month["reason"]) == ("2026-03-01", "王", "月度封账")
        assert run("period", "reopen", "2026-03")[0] == 2, "a reason is asked for"
        assert run("period", "reopen", "2026-03", "--why", "更正")[0] == 0


def test_a_division_list_that_would_change_a_closed_month_is_refused(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
        close_month(site, MONTH, "王处长", "月度封账")
        listed = pd.read_csv(DIVISIONS_FILE, dtype=str, keep_default_na=False)
        listed[listed["code"] != "371302001001"].to_csv(tmp_path / "changed.csv", index=False)
        with pytest.raises(DivisionListError, match="it would change 2026-03, which is closed"):
            load_divisions(site.engine, tmp_path / "changed.csv", DAY, DAY)
        after = date(2026, 4, 1)
        assert load_divisions(site.engine, tmp_path / "changed.csv", after, after).closed == 1
