"""From the platforms to the scores: what a period shows adds up, is the same again, and can be opened."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from etl import periodic
from etl.cli import main
from etl.daily import run_day
from etl.periodic import NAME_IS_OLD, name_periods, show_period, waiting_periods
from etl.periods import Period
from etl.rollup import write_day
from etl.settings import SHIPPED_CATALOG
from etl.site import Site
from etl.verify import verify
from etl.warehouse import run_sql
from simulator.simulation import Simulation
from tests.integration.conftest import read_sorted, read_view, wait_for_a_lock

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
    named = name_periods(in_april, "a day's run", of=DAYS[0])
    assert [each.name for each in named] == longer, "another day's is not its own"
    named = name_periods(in_april, "a day's run", of=date(2026, 4, 1))
    assert [each.name for each in named] == ["2026", "2026-04/to_date"]
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE mart.daily_rollup SET rolled_up_at = '2026-03-09'"))
        conn.execute(sa.text("UPDATE mart.stock_rollup SET rolled_up_at = clock_timestamp()"))
    names = [each.name for each in waiting_periods(in_april)]
    assert names == ["2026-03", "2026Q1", "2026-03/to_date"], "stocks count where their month is the last"


def test_a_period_that_waits_for_a_run_is_named_no_second_time(site: Site) -> None:
    """Each name is a run of period_indicators: sixty days run again for two hours once queued thousands of them."""
    day = DAYS[1]
    _roll_up_again(site, day)
    waiting = waiting_periods(site)
    its_own = [each for each in waiting if each.starts_on <= day <= each.ends_on]
    assert name_periods(site, "first", of=day) == its_own
    assert name_periods(site, "first", of=day) == its_own, "its task was repeated"
    assert [each.name for each in name_periods(site, "second")] == ["2026-03-04"], (
        "what no day's run has named"
    )
    assert name_periods(site, "third") == []
    assert waiting_periods(site) == waiting, "they still wait"

    _let_names_grow_old(site)
    assert name_periods(site, "fourth") == waiting, "runs that were never made"
    for period in waiting:
        show_period(site, period)
    assert (waiting_periods(site), _names(site)) == ([], {})


def test_two_runs_that_name_at_once_do_not_both_get_a_period(site: Site) -> None:
    _roll_up_again(site, DAYS[1])
    (*_, month) = [each for each in waiting_periods(site) if each.kind == "month"]
    found: list[Period] = []
    with site.engine.connect() as first, ThreadPoolExecutor() as threads:
        named = {"period": month.name, "rolled_up_at": "2026-03-02 00:00+08"}
        values = {"waiting": json.dumps([named]), "named_by": "first", "old": NAME_IS_OLD}
        assert run_sql(first, "totals/name", values).scalars().all() == [month.name]
        second = threads.submit(name_periods, site, "second")
        wait_for_a_lock(site)
        first.commit()
        found += second.result()
    assert found
    assert month not in found


def test_a_period_is_named_again_for_what_comes_while_it_is_shown(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for what comes after its totals are written and before its indicators are."""
    month, real = Period.parse(MONTH), periodic.compute_indicators
    named: list[list[Period]] = []

    def meanwhile(*arguments: Any) -> None:
        named.append(name_periods(site, "before it came"))
        _roll_up_again(site, DAYS[1])
        named.append(name_periods(site, "after it came"))
        named.append(name_periods(site, "once more"))
        real(*arguments)

    _roll_up_again(site, DAYS[0])
    assert month in name_periods(site, "at first")
    monkeypatch.setattr(periodic, "compute_indicators", meanwhile)
    show_period(site, month)
    assert [month in each for each in named] == [False, True, False]
    assert _names(site)[MONTH] == "after it came", "the run that ends strikes its own name out only"
    assert month in waiting_periods(site)
    monkeypatch.undo()
    show_period(site, month)
    assert month not in waiting_periods(site)
    assert MONTH not in _names(site)


def test_a_period_shows_the_days_that_were_being_written_when_it_was_taken(site: Site) -> None:
    """They are stamped earlier, so that it is not named for them."""
    quarter = Period.parse("2026Q1")
    with site.engine.connect() as writer, ThreadPoolExecutor() as threads:
        write_day(writer, site.catalog, DAYS[1], whole=True)
        showing = threads.submit(show_period, site, quarter)
        wait_for_a_lock(site)
        writer.commit()
        showing.result()
    assert quarter not in waiting_periods(site)
    with site.engine.connect() as conn:
        query = (
            "SELECT totalled_at > rolled_up_at FROM mart.period, mart.daily_rollup"
            " WHERE period = '2026Q1' AND stat_date = :day"
        )
        assert conn.execute(sa.text(query), {"day": DAYS[1]}).scalar_one()
    assert verify(site).differences == []


def test_a_period_of_which_not_all_could_be_shown_still_waits(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = Period.parse(MONTH)
    _roll_up_again(site, DAYS[1])
    assert month in name_periods(site, "at first")

    def fail(*_: object) -> None:
        raise RuntimeError("the server went away")

    monkeypatch.setattr(periodic, "evaluate", fail)
    for hour in ("the next hour", "the hour after it"):
        with pytest.raises(RuntimeError, match="went away"):
            show_period(site, month)
        assert month in waiting_periods(site)
        _change(site, "UPDATE mart.period_naming SET named_at = named_at - interval '1 day'")
        assert month not in name_periods(site, hour), "its run began late, and may be tried again"
        _let_names_grow_old(site)
        assert month in name_periods(site, hour)
        assert month in name_periods(site, hour), "its task was repeated"


def _roll_up_again(site: Site, day: date) -> None:
    _change(
        site, "UPDATE mart.daily_rollup SET rolled_up_at = clock_timestamp() WHERE stat_date = :day", day=day
    )


def _let_names_grow_old(site: Site) -> None:
    _change(
        site,
        "UPDATE mart.period_naming SET named_at = named_at - CAST(:old AS interval),"
        " taken_at = taken_at - CAST(:old AS interval)",
        old=NAME_IS_OLD,
    )


def _change(site: Site, statement: str, **values: object) -> None:
    with site.engine.begin() as conn:
        conn.execute(sa.text(statement), values)


def _names(site: Site) -> dict[str, str]:
    """Periods that are named or taken, and by whom they were named."""
    with site.engine.connect() as conn:
        return {row.period: row.named_by for row in conn.execute(sa.text("SELECT * FROM mart.period_naming"))}


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
