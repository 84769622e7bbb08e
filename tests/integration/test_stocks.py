"""Stocks against the simulator's truth: in each scenario every division's stock, the ledger, the quarantine; and how a
month that is missing, carried forward, locked or restated is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
import yaml

from etl.daily import restate, run_day
from etl.desk import Correction, DeskError, release
from etl.periods.lock import PeriodError, close_month, reopen_month
from etl.provenance import explain_stock
from etl.pull import pull_day
from etl.site import Site
from etl.verify import verify
from simulator.plan import FIRST, SECOND
from simulator.simulation import Simulation
from simulator.truth import Truth
from tests.integration.conftest import read_sorted, read_view
from tests.integration.test_cli import run

pytestmark = pytest.mark.integration
DAY = date(2026, 3, 2)
MARCH = date(2026, 3, 31)
CITY, COUNTY = "371300000000", "371302000000"
COUNTS = ["rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded"]
OpenFor = Callable[[Simulation], Site]
SCENARIOS = [
    "late",
    "missing",
    "restated",
    "older_revision",
    "conflict_same_revision",
    "unit_unknown",
    "unit_outside_area",
    "measure_unknown",
    "level",
    "value_text",
    "value_negative",
    "value_fraction",
    "value_ceiling",
    "date_other",
    "date_future",
    "twice_equal",
    "twice_different",
    "structure",
    "personal",
    "truncated_body",
    "burst_429",
    "outage",
    "missing_page",
    "code_not_zero",
    "unauthorised",
]
"""Those of the simulator's scenarios that a platform's stocks can meet."""
FIGURES = """
SELECT
    division.division_code, figure.stat_date, measure.measure, 'all' AS channel, figure.value, figure.units_expected,
    figure.units_reported, figure.carried_from
FROM mart.stock_figure AS figure
JOIN core.division USING (division_id)
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
"""


def small_world(
    tmp_path: Path, scenario: str = "clean", days: list[date] | None = None, **more: Any
) -> Simulation:
    return Simulation(
        home=tmp_path / "simulated",
        days=days or [DAY],
        stock_scenario=scenario,
        counties=[COUNTY, "371311000000"],
        townships_per_county=2,
        **more,
    )


def stock_figures(site: Site) -> pd.DataFrame:
    with site.engine.connect() as conn:
        result = conn.execute(sa.text(FIGURES))
        return pd.DataFrame(result.all(), columns=list(result.keys()))


def figure(site: Site, division: str, measure: str, last_day: date = MARCH) -> Any:
    found = stock_figures(site)
    keys = ("division_code", "measure", "stat_date")
    mine = found[(found[list(keys)] == [division, measure, last_day]).all(axis=1)]
    assert len(mine) == 1
    return mine.astype(object).where(mine.notna(), None).iloc[0]


def assert_equal_to_truth(site: Site, truth: Truth) -> None:
    shown = stock_figures(site)
    assert not shown.duplicated(["division_code", "measure"]).any()
    differences = truth.differences(shown)
    assert differences.empty, f"\n{differences.to_string()}"
    assert len(truth.daily) > 100
    ledger = read_view(site, "mart.ledger", dataset="stocks")
    assert (ledger["rows_received"] == ledger[COUNTS[1:]].sum(axis=1)).all()
    wanted = truth.ledger.groupby("platform")[COUNTS].sum()
    found = ledger.groupby("platform")[COUNTS].sum().astype(int)
    assert found[found.sum(axis=1) > 0].to_dict("index") == wanted[wanted.sum(axis=1) > 0].to_dict("index")
    held = read_view(site, "quality.quarantine")
    assert held.groupby("reason_code").size().to_dict() == truth.quarantined
    assert not any(text in str(value) for text in truth.personal for value in held.to_numpy().ravel())
    check_reporting(site, truth.reporting)


def check_reporting(site: Site, truth: pd.DataFrame) -> None:
    """Who is expected and who reported, counted at the unit and at every division above it."""
    units = read_view(site, "mart.stock_reporting")[["division_id", "is_expected", "is_reported"]]
    names = read_view(site, "core.division").set_index("division_id")["division_code"]
    own = units.assign(division_code=units["division_id"].map(names)).set_index("division_code")
    city = truth.set_index("division_code").loc[CITY]
    assert own["is_expected"].sum() == city["units_expected"] > 50
    assert own["is_reported"].sum() == city["units_reported"]
    leaves = truth[truth["division_code"].str[9:] != "000"].set_index("division_code")
    assert (own["is_reported"].reindex(leaves.index).astype(int) == leaves["units_reported"]).all()
    with site.engine.connect() as conn:
        kept = conn.execute(
            sa.text(
                "SELECT sum(cardinality(unit_ids)) FROM core.expected_day"
                " WHERE dataset = 'stocks' AND stat_date = :day AND known_to = 'infinity' AND due_at IS NOT NULL"
            ),
            {"day": MARCH},
        ).scalar_one()
    assert kept == city["units_expected"]


@pytest.mark.parametrize("scenario", ["clean", *SCENARIOS])
def test_every_stock_equals_the_truth_before_and_after_what_came_late(
    scenario: str, tmp_path: Path, open_for: OpenFor
) -> None:
    with small_world(tmp_path, scenario) as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        troubles = run_day(site, MARCH, everyone, "stocks")
        truth = simulation.stock_truth(FIRST)
        assert_equal_to_truth(site, truth)
        not_in = truth.batches[truth.batches["state"] != "loaded"]
        assert sorted((each.platform, each.state) for each in troubles) == sorted(
            zip(not_in["platform"], not_in["state"], strict=True)
        )
        simulation.advance()
        assert run_day(site, MARCH, everyone, "stocks") == []
        assert_equal_to_truth(site, simulation.stock_truth(SECOND))
        found = verify(site)
        assert (found.months, found.differences) == (1, [])


def test_a_second_run_of_the_same_month_changes_no_row(tmp_path: Path, open_for: OpenFor) -> None:
    views = ["mart.stock_figure", "mart.stock_reporting", "mart.ledger", "quality.quarantine"]
    with small_world(tmp_path, "value_negative") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, MARCH, everyone, "stocks")
        before = {view: read_sorted(site, view) for view in views}
        run_day(site, MARCH, everyone, "stocks")
        for view in views:
            pd.testing.assert_frame_equal(before[view], read_sorted(site, view))
            assert len(before[view]) > 0


def test_stocks_leave_the_daily_figures_of_the_same_day_alone(tmp_path: Path, open_for: OpenFor) -> None:
    with small_world(tmp_path, days=[MARCH]) as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, MARCH, everyone)
        tables = ["mart.daily_statistics", "mart.daily_rollup", "core.daily_count"]
        before = {table: read_sorted(site, table) for table in tables}
        run_day(site, MARCH, everyone, "stocks")
        for table in tables:
            pd.testing.assert_frame_equal(before[table], read_sorted(site, table))
            assert len(before[table]) > 0
        assert simulation.truth(FIRST).differences(read_view(site, "mart.daily_statistics")).empty
        assert_equal_to_truth(site, simulation.stock_truth(FIRST))


def test_a_platform_is_asked_only_for_the_data_set_it_delivers(tmp_path: Path, open_for: OpenFor) -> None:
    with small_world(tmp_path) as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, MARCH, everyone, "stocks")
        asked = {each.platform for each in simulation.asked if "month" in each.query}
        assert asked == {"city-371300", "county-371302", "county-371311", "stocks-371300"}
        run_day(site, DAY, everyone)
        asked = {each.platform for each in simulation.asked if "date" in each.query}
        assert asked == {"city-371300", "county-371302", "county-371311"}


def test_a_month_that_is_missing_is_missing(tmp_path: Path, open_for: OpenFor) -> None:
    """The platform of townships and villages was not there: nothing stands for them, the others are shown, and a month
    that nobody was asked for has no row."""
    with small_world(tmp_path, days=[DAY, date(2026, 4, 1)]) as simulation:
        site = open_for(simulation)
        run_day(site, MARCH, ["city-371300", "county-371302", "county-371311"], "stocks")
        for division, expected in ((CITY, 4), (COUNTY, 2), ("371302001000", 1)):
            mine = figure(site, division, "population")
            assert (mine.value, mine.units_expected, mine.units_reported) == (None, expected, 0)
        built = figure(site, COUNTY, "platform_built")
        assert built.units_expected > built.units_reported == 1
        assert figure(site, CITY, "lawyer").value > 0
        assert set(stock_figures(site)["stat_date"]) == {MARCH}


def test_a_stock_is_never_summed_over_time(tmp_path: Path, open_for: OpenFor) -> None:
    april = date(2026, 4, 30)
    with small_world(tmp_path, days=[DAY, date(2026, 4, 1)]) as simulation:
        site = open_for(simulation)
        for last_day in (MARCH, april):
            run_day(site, last_day, list(site.catalog.platforms), "stocks")
        truth = simulation.stock_truth(FIRST).daily
        shown = stock_figures(site)
        for last_day in (MARCH, april):
            mine = truth[(truth["stat_date"] == last_day) & (truth["division_code"] == CITY)]
            of_city = shown[(shown["stat_date"] == last_day) & (shown["division_code"] == CITY)]
            both = mine.merge(of_city, on="measure")
            assert (both["value_x"] == both["value_y"].astype(int)).all()
            assert len(both) > 30
        assert figure(site, CITY, "population").value < figure(site, CITY, "population", april).value


@pytest.fixture
def carrying(tmp_path: Path) -> Callable[[int], None]:
    """Writes carry_months of population into the catalogue that a simulation has generated."""
    shipped = Path(__file__).parents[2] / "etl" / "catalog" / "measures"

    def declare(months: int) -> None:
        folder = tmp_path / "simulated" / "catalog" / "measures"
        folder.mkdir(parents=True, exist_ok=True)
        for file in shipped.glob("*.yaml"):
            entries = yaml.safe_load(file.read_text())
            for entry in entries:
                if entry["code"] == "population":
                    entry["carry_months"] = months
            (folder / file.name).write_text(yaml.safe_dump(entries, allow_unicode=True))

    return declare


@pytest.mark.parametrize(("months", "is_carried"), [(0, False), (1, True)])
def test_a_value_is_carried_forward_only_where_the_catalogue_says_so_and_the_result_says_since_when(
    months: int, is_carried: bool, carrying: Callable[[int], None], tmp_path: Path, open_for: OpenFor
) -> None:
    april = date(2026, 4, 30)
    with small_world(tmp_path, days=[DAY, date(2026, 4, 1)]) as simulation:
        carrying(months)
        site = open_for(simulation)
        run_day(site, MARCH, list(site.catalog.platforms), "stocks")
        run_day(site, april, ["city-371300"], "stocks")
        march, now = figure(site, CITY, "population"), figure(site, CITY, "population", april)
        unit, lawyers = figure(site, "371302001000", "population", april), figure(site, CITY, "lawyer", april)
        assert (now.units_expected, now.units_reported) == (4, 0)
        assert (lawyers.value, lawyers.carried_from) == (None, None)
        if is_carried:
            assert (now.value, now.carried_from) == (march.value, MARCH)
            assert (unit.units_reported, unit.carried_from) == (0, MARCH)
            opened = explain_stock(site.engine, CITY, april, "population")
            assert {part["stat_date"] for part in opened.parts} == {MARCH}
            assert (opened.value, len(opened.parts)) == (march.value, 4)
        else:
            assert (now.value, now.carried_from, unit.value) == (None, None, None)
        assert verify(site).differences == []
        run_day(site, april, list(site.catalog.platforms), "stocks")
        now = figure(site, CITY, "population", april)
        assert (now.units_reported, now.carried_from) == (4, None)
        assert now.value > march.value


def test_restatements_leave_no_month_waiting(tmp_path: Path, open_for: OpenFor) -> None:
    """A month whose divisions changed waits; the next look rolls it up again."""
    with small_world(tmp_path) as simulation:
        site = open_for(simulation)
        run_day(site, MARCH, list(site.catalog.platforms), "stocks")
        before = read_sorted(site, "mart.stock_figure")
        with site.engine.begin() as conn:
            conn.execute(sa.text("UPDATE mart.stock_rollup SET rolled_up_at = NULL"))
            conn.execute(sa.text("DELETE FROM mart.stock_total"))
        restate(site, [], simulation.plan.since)
        pd.testing.assert_frame_equal(before, read_sorted(site, "mart.stock_figure"))
        assert read_view(site, "mart.stock_rollup")["rolled_up_at"].notna().all()


def test_a_stock_that_a_person_lets_go_counts_and_names_its_month(tmp_path: Path, open_for: OpenFor) -> None:
    with small_world(tmp_path, "value_text") as simulation:
        site = open_for(simulation)
        run_day(site, MARCH, list(site.catalog.platforms), "stocks")
        row = read_view(site, "quality.quarantine", state="held").iloc[0]
        before = figure(site, CITY, row["raw"]["measure"])
        number = int(row["quarantine_id"])
        with pytest.raises(DeskError, match="a month's last"):
            release(site, [number], "王", "核实", Correction(date="2026-03-30", value="1"))
        done = release(site, [number], "王", "核实", Correction(value="1"))
        assert (done.loaded, done.days, done.month_ends) == (1, [], [MARCH])
        after = figure(site, CITY, row["raw"]["measure"])
        assert (after.value, after.units_reported) == ((before.value or 0) + 1, before.units_reported + 1)
        assert read_view(site, "mart.daily_rollup").empty
        assert verify(site).differences == []


def test_stocks_of_a_closed_month_wait_until_it_is_reopened(tmp_path: Path, open_for: OpenFor) -> None:
    with small_world(tmp_path) as simulation:
        site = open_for(simulation)
        close_month(site, MARCH.replace(day=1), "李", "月报已定")
        assert run_day(site, MARCH, list(site.catalog.platforms), "stocks") == []
        assert stock_figures(site).empty
        assert set(read_view(site, "quality.quarantine")["reason_code"]) == {"period_locked"}
        reopened = reopen_month(site, MARCH.replace(day=1), "李", "补报")
        assert (reopened.batches, reopened.days) == (4, [MARCH])
        assert simulation.stock_truth(FIRST).differences(stock_figures(site)).empty
        assert verify(site).differences == []


def test_a_month_with_stocks_that_nobody_loaded_cannot_be_closed(tmp_path: Path, open_for: OpenFor) -> None:
    with small_world(tmp_path) as simulation:
        site = open_for(simulation)
        pull_day(site, ["city-371300"], MARCH, "cut off", "stocks")
        with pytest.raises(PeriodError, match="python -m etl stocks --month 2026-03"):
            close_month(site, MARCH.replace(day=1), "李", "月报已定")


def test_the_command_says_what_came_in_and_every_figure_can_be_opened(
    tmp_path: Path, open_for: OpenFor
) -> None:
    with small_world(tmp_path, "outage") as simulation:
        open_for(simulation)
        silent = next(iter(simulation.stocks.rest_faults))
        first = run("stocks", "--month", "2026-03")
        assert (first.exit_code, silent in first.stderr) == (1, True)
        simulation.advance()
        again = run("stocks", "--month", "2026-03", "--platform", silent, "--json")
        said = json.loads(again.stdout)
        assert (again.exit_code, said["days"], said["troubles"]) == (0, ["2026-03-31"], [])
        assert len(said["platforms"]) == 4
        words = ["--division", CITY, "--date", "2026-03-31", "--measure", "population", "--json"]
        opened = json.loads(run("explain", "mart.stock_figure", *words).stdout)
        assert sum(part["value"] for part in opened["parts"]) == opened["value"] > 0
        assert {part["source_name"] for part in opened["parts"]} == {"stocks"}
        assert len(opened["parts"]) == 4
        checked = json.loads(run("verify", "--json").stdout)
        assert (checked["months"], checked["differences"]) == (1, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stocks", "--month", "2999-01"], "not over"),
        (["stocks", "--month", "2026-13"], "2026-13 is not a month"),
        (["stocks", "--month", "2026-03-31"], "not a month"),
        (["stocks", "--month", "2026-03", "--platform", "village-371300"], "village-371300"),
        (["stocks"], "--month"),
    ],
)
def test_wrong_use_of_the_command_ends_with_2_and_names_the_mistake(
    words: list[str], said: str, tmp_path: Path, open_for: OpenFor
) -> None:
    open_for(small_world(tmp_path))
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_earlier_revision_of_a_stock_is_kept_with_the_time_until_which_it_was_known(
    tmp_path: Path, open_for: OpenFor
) -> None:
    with small_world(tmp_path, "restated") as simulation:
        site = open_for(simulation)
        for _ in range(2):
            run_day(site, MARCH, list(site.catalog.platforms), "stocks")
            simulation.advance()
        with site.engine.connect() as conn:
            kept = conn.execute(
                sa.text(
                    "SELECT earlier.revision, later.revision FROM core.submission AS earlier"
                    " JOIN core.submission AS later USING (stat_date, unit_id, platform_id, dataset)"
                    " WHERE earlier.dataset = 'stocks' AND earlier.known_to = later.known_from"
                )
            ).all()
        assert [tuple(pair) for pair in kept] == [(1, 2), (1, 2)]
