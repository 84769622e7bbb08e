"""From the platforms to the scores: what a period shows adds up, is the same again, and can be opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from etl import periodic
from etl.cli import main
from etl.daily import run_day
from etl.periodic import name_periods, show_period, waiting_periods
from etl.periods import Period
from etl.settings import SHIPPED_CATALOG
from etl.site import Site
from etl.verify import verify
from simulator.simulation import Simulation
from tests.integration.conftest import read_sorted, read_view

pytestmark = pytest.mark.integration
DAYS = [date(2026, 3, day) for day in (2, 3, 4)]
MONTH = "2026-03"
CITY = "371300000000"
SHOWN = (
    "mart.period_statistics",
    "mart.indicator_value",
    "mart.satisfaction",
    "mart.evaluation",
    "mart.evaluation_item",
)


@pytest.fixture
def site(tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]) -> Site:
    """Three days of two counties, their stocks, and the month shown."""
    simulation = Simulation(
        home=tmp_path / "platforms",
        days=DAYS,
        hotline_url=hotline_url,
        counties=["371302000000", "371311000000"],
        townships_per_county=2,
        transport="file",
    )
    with simulation:
        site = open_for(simulation)
        for day in DAYS:
            assert run_day(site, day, list(site.catalog.daily_platforms())) == []
        assert run_day(site, date(2026, 3, 31), list(site.catalog.platforms_of("stocks")), "stocks") == []
    for name in (f"{MONTH}-02", MONTH, "2026Q1", "2026", f"{MONTH}/to_date"):
        show_period(site, Period.parse(name))
    return site


def test_what_a_month_shows_is_the_sum_of_its_days_and_the_same_again(site: Site) -> None:
    days = read_view(site, "mart.daily_statistics")
    keys = ["division_code", "measure", "channel"]
    summed = days.dropna(subset="value").groupby(keys)["value"].sum()
    month = read_view(site, "mart.period_statistics", period=MONTH)
    flows = month[~month["measure"].isin(read_view(site, "core.measure", kind="stock")["measure"])]
    shown = flows.set_index(keys)["value"].dropna()
    assert len(summed) > 500
    both = pd.concat([summed.rename("days"), shown.rename("month")], axis=1).fillna(0)
    assert (both["days"] == both["month"]).all()
    assert set(read_view(site, "mart.indicator_value", period=MONTH)["level"]) >= {
        "city",
        "county",
        "township",
    }

    before = {view: read_sorted(site, view) for view in SHOWN}
    assert all(len(rows) for rows in before.values()), {view: len(rows) for view, rows in before.items()}
    for name in (MONTH, "2026Q1", "2026"):
        show_period(site, Period.parse(name))
    for view, rows in before.items():
        columns = [name for name in rows.columns if not name.endswith("_at")]
        pd.testing.assert_frame_equal(read_sorted(site, view)[columns], rows[columns])


def test_what_was_rolled_up_again_waits_in_its_periods_and_nothing_else_does(site: Site) -> None:
    in_april = replace(site, clock=lambda: datetime(2026, 4, 2, tzinfo=UTC))
    for period in waiting_periods(in_april):
        show_period(in_april, period)
    assert waiting_periods(in_april) == []
    with site.engine.begin() as conn:
        again = "UPDATE mart.daily_rollup SET rolled_up_at = clock_timestamp() WHERE stat_date = :day"
        conn.execute(sa.text(again), {"day": DAYS[1]})
    names = [each.name for each in waiting_periods(in_april)]
    longer = ["2026-03", "2026Q1", "2026", "2026-03/to_date", "2026-04/to_date"]
    assert names == ["2026-03-03", *longer]
    assert [each.name for each in waiting_periods(in_april, DAYS[0])] == longer, (
        "another day's is not its own"
    )
    assert [each.name for each in waiting_periods(in_april, date(2026, 4, 1))] == ["2026", "2026-04/to_date"]
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE mart.daily_rollup SET rolled_up_at = '2026-03-09'"))
        conn.execute(sa.text("UPDATE mart.stock_rollup SET rolled_up_at = clock_timestamp()"))
    names = [each.name for each in waiting_periods(in_april)]
    assert names == ["2026-03", "2026Q1", "2026-03/to_date"], "stocks count where their month is the last"


def test_a_period_that_waits_for_a_run_is_named_no_second_time(site: Site) -> None:
    """Each name is a run of period_indicators: sixty days run again for two hours once queued thousands of them."""
    day = DAYS[1]
    _change(
        site, "UPDATE mart.daily_rollup SET rolled_up_at = clock_timestamp() WHERE stat_date = :day", day=day
    )
    waiting = waiting_periods(site)
    assert name_periods(site, "first", of=day) == [
        each for each in waiting if each.starts_on <= day <= each.ends_on
    ]
    assert name_periods(site, "first", of=day) == name_periods(site, "first", of=day) != [], (
        "its task was repeated"
    )
    rest = name_periods(site, "second")
    assert [each.name for each in rest] == ["2026-03-04"], "what no day's run has named"
    assert name_periods(site, "third") == []
    assert waiting_periods(site) == waiting, "they still wait"

    _change(site, "UPDATE mart.period_named SET named_at = named_at - interval '61 minutes'")
    assert name_periods(site, "fourth") == waiting, "runs that were never made"
    for period in waiting:
        show_period(site, period)
    _change(
        site, "UPDATE mart.daily_rollup SET rolled_up_at = clock_timestamp() WHERE stat_date = :day", day=day
    )
    assert Period.around("month", day) in name_periods(site, "fifth")


def test_a_period_is_named_again_for_what_comes_while_it_is_shown_and_when_showing_it_fails(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = Period.parse(MONTH)
    again = "UPDATE mart.daily_rollup SET rolled_up_at = clock_timestamp() WHERE stat_date = :day"
    named: list[Period] = []

    def meanwhile(*_: object) -> None:
        named.extend(name_periods(site, "before it came"))
        _change(site, again, day=DAYS[1])
        named.extend(name_periods(site, "after it came"))
        raise RuntimeError("the server went away")

    _change(site, again, day=DAYS[1])
    monkeypatch.setattr(periodic, "evaluate", meanwhile)
    with pytest.raises(RuntimeError, match="went away"):
        show_period(site, month)
    assert named.count(month) == 1

    monkeypatch.setattr(periodic, "evaluate", _fail)
    with pytest.raises(RuntimeError, match="went away"):
        show_period(site, month)
    assert month not in waiting_periods(site), "its indicators are new"
    _change(
        site,
        "UPDATE mart.period_named SET named_at = '2026-03-01', taken_at = '2026-03-01'",
    )
    assert month in waiting_periods(site), "but not all that is shown of it"
    assert month in name_periods(site, "an hour later")


def _fail(*_: object) -> None:
    raise RuntimeError("the server went away")


def _change(site: Site, statement: str, **values: object) -> None:
    with site.engine.begin() as conn:
        conn.execute(sa.text(statement), values)


def test_periods_shown_at_once_do_not_wait_for_each_other(site: Site) -> None:
    """What reads a period's totals holds them while another period's partitions are made."""
    with site.engine.connect() as reader, site.engine.begin() as maker:
        reader.execute(sa.text("SELECT count(*) FROM mart.period_reporting"))
        maker.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
        for name, first, last in (
            ("2026-05", "2026-05-01", "2026-05-31"),
            ("2026-06", "2026-06-01", "2026-06-30"),
        ):
            made = {"name": name, "first": first, "last": last}
            maker.execute(sa.text("SELECT mart.ensure_period(:name, 'month', :first, :last)"), made)
            maker.execute(sa.text("SELECT core.ensure_month(CAST(:first AS date))"), made)
        reader.execute(sa.text("SELECT count(*) FROM mart.period_own"))


def test_showing_a_period_reads_nothing_of_other_years(site: Site) -> None:
    """One table joined without the period's number, and every period costs what all years hold."""
    show_period(site, Period.parse("2023-03"))
    before = _scans(site)
    for name in (MONTH, "2026Q1", "2026", f"{MONTH}/to_date"):
        show_period(site, Period.parse(name))
    after = _scans(site)
    assert all(after[name] > before[name] for name in (MONTH, "2026Q1", "2026", f"{MONTH}/to_date"))
    assert after["2023-03"] == before["2023-03"]


def _scans(site: Site) -> dict[str, int]:
    """How often the partitions of each period have been scanned."""
    site.engine.dispose()  # what a connection has counted is known to others when it ends
    query = """
        SELECT period.period, sum(stat.seq_scan + coalesce(stat.idx_scan, 0))
        FROM mart.period JOIN pg_stat_user_tables AS stat
            ON stat.schemaname = 'mart' AND stat.relname ~ ('[a-z]_' || period.period_id || '$')
        GROUP BY period.period
    """
    with site.engine.connect() as conn:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        while conn.execute(sa.text(others)).scalar_one():
            time.sleep(0.05)
            conn.rollback()
        return {name: int(scans) for name, scans in conn.execute(sa.text(query))}


def test_a_total_that_was_tampered_with_is_named(site: Site) -> None:
    found = verify(site)
    assert found.differences == []
    assert found.periods == 4
    with site.engine.begin() as conn:
        query = "UPDATE mart.period_total AS total SET value = value + 1 FROM mart.period WHERE period.period = :month"
        assert (
            conn.execute(
                sa.text(f"{query} AND total.period_id = period.period_id"), {"month": MONTH}
            ).rowcount
            > 100
        )
    named = {each.where.split()[0] for each in verify(site).differences}
    assert MONTH in named
    assert {each.part for each in verify(site).differences} == {"period"}


def test_indicators_are_those_of_the_simulated_stocks_and_flows(site: Site) -> None:
    shown = read_view(site, "mart.indicator_value", period=MONTH, division_code=CITY).set_index("indicator")
    stocks = read_view(site, "mart.stock_figure", stat_date=date(2026, 3, 31))
    names = read_view(site, "core.division").set_index("division_id")["division_code"]
    cells = read_view(site, "core.cell").merge(read_view(site, "core.measure"), on="measure_id")
    of_city = stocks[stocks["division_id"].map(names) == CITY].merge(cells, on="cell_id").set_index("measure")
    lawyers = shown.loc["sd_lawyer"]
    assert int(lawyers["numerator"]) == of_city.at["lawyer", "value"] > 0
    assert int(lawyers["denominator"]) == of_city.at["population", "value"] > 0
    assert float(lawyers["value"]) == pytest.approx(
        float(lawyers["numerator"] / lawyers["denominator"] * 10_000)
    )
    assert lawyers["target"] == 5
    assert shown.loc["share_hotline", "value"] > 0
    assert bool(shown.loc["share_hotline", "is_provisional"]), "three days of a month"


def test_the_command_shows_a_period_and_tries_another_scheme_without_storing_it(
    site: Site, tmp_path: Path
) -> None:
    done = CliRunner().invoke(main, ["indicators", "--period", MONTH])
    assert done.exit_code == 0, done.output
    assert "sd_lawyer" in done.output
    scheme = yaml.safe_load((SHIPPED_CATALOG / "schemes" / "county_monthly.yaml").read_text())[0]
    weights = [item["weight"] for item in scheme["items"]]
    for item, weight in zip(scheme["items"], reversed(weights), strict=True):
        item["weight"] = weight
    file = tmp_path / "scheme.yaml"
    file.write_text(yaml.safe_dump([scheme], allow_unicode=True))
    before = read_sorted(site, "mart.evaluation")
    tried = CliRunner().invoke(main, ["indicators", "--period", MONTH, "--scheme", str(file)])
    assert tried.exit_code == 0, tried.output
    assert "Nothing was stored" in tried.output
    pd.testing.assert_frame_equal(read_sorted(site, "mart.evaluation"), before)
    future = CliRunner().invoke(main, ["indicators", "--period", "2099-01"])
    assert future.exit_code == 2
    assert "lies in the future" in future.output


def test_a_score_opens_into_indicators_and_these_into_submissions(site: Site) -> None:
    score = read_view(site, "mart.evaluation", period=MONTH, scheme="county-monthly")
    county = score[score["level"] == "county"].iloc[0]["division_code"]
    words = ["--division", county, "--period", MONTH]
    for table, rest in (
        ("mart.period_statistics", ["--measure", "consultation"]),
        ("mart.evaluation", ["--scheme", "county-monthly"]),
        ("mart.indicator_value", ["--indicator", "online_completion"]),
    ):
        opened = CliRunner().invoke(main, ["explain", table, *words, *rest])
        assert opened.exit_code == 0, opened.output
    with site.engine.connect() as conn:
        parts = conn.execute(
            sa.text(
                "SELECT sum(score) FROM mart.evaluation_item WHERE division_code = :county AND scheme = :scheme"
            ),
            {"county": county, "scheme": "county-monthly"},
        ).scalar_one()
    assert parts is not None
