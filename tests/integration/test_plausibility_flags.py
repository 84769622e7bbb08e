"""Flags in the warehouse: raised once, queued, explained, closed; and the warnings over the year to date."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.engine import Engine

from etl.catalog import Catalog, Recipient, load_catalog
from etl.catalog.rules import Backlog
from etl.cli import main
from etl.daily import load_and_roll_up, run_day
from etl.plausibility import flag_day
from etl.plausibility.desk import FlagRefused, close_flag, explain_flag, list_flags
from etl.plausibility.pairs import take_month
from etl.register import register_catalog
from etl.rollup import roll_up_day, waiting_days
from etl.settings import Settings
from etl.site import Site
from etl.warehouse import open_warehouse
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.test_pipeline_truth import small_world

DAY = date(2026, 3, 20)
COUNTIES = ["371302000000", "371311000000", "371312000000", "371321000000", "371322000000", "371323000000"]
VILLAGE = "371302001001"
MEANS = {("consultation", "physical"): 40, ("lawyer_case", "physical"): 12, ("notary_case", "physical"): 20}


def clock() -> datetime:
    return datetime(2026, 3, 21, 8, tzinfo=UTC)


Figures = dict[tuple[str, str], int]


class Warehouse:
    """A warehouse whose submissions are written straight into the tables."""

    def __init__(self, url: str, catalog: Catalog) -> None:
        self.catalog = catalog
        self.engine: Engine = open_warehouse(Settings(Path("/nonexistent"), url, "", None))
        self.cells = register_catalog(self.engine, catalog)

    def send(self, unit: str, day: date, figures: Figures) -> None:
        """The unit's figures of the day, in the place of what was there: as a restatement leaves it."""
        slice_ = {
            "unit": unit,
            "day": day,
            "cells": [self.cells[pair] for pair in figures],
            "figures": list(figures.values()),
            "rows": list(range(len(figures))),
            "nil": not figures,
        }
        with self.engine.begin() as conn:
            for query in SEND:
                conn.execute(sa.text(query), slice_)

    def judge(self, day: date = DAY) -> int:
        """Roll the day up and judge it; returns how many flags of it are not closed."""
        roll_up_day(self.engine, self.catalog, day, whole=True)
        return flag_day(self.engine, self.catalog, day)

    def restate(self, sent: Mapping[str, Figures], day: date = DAY) -> bool:
        """Units send the day anew, and what changed is rolled up and judged; returns whether the day was judged
        whole."""
        before = self.fitted_at(day)
        for unit, figures in sent.items():
            self.send(unit, day, figures)
            with self.engine.begin() as conn:
                conn.execute(sa.text(WAIT), {"unit": unit, "day": day})
        roll_up_day(self.engine, self.catalog, day, whole=False)
        flag_day(self.engine, self.catalog, day)
        return self.fitted_at(day) != before

    def figures_of(self, unit: str, day: date) -> Figures:
        """What counts of the unit on the day."""
        query = """
            SELECT cells, figures FROM core.submission JOIN core.division ON division_id = unit_id
            WHERE stat_date = :day AND division_code = :unit AND known_to = 'infinity'
        """
        pair_of = {cell: pair for pair, cell in self.cells.items()}
        with self.engine.connect() as conn:
            found = conn.execute(sa.text(query), {"unit": unit, "day": day}).one()
        return {pair_of[cell]: value for cell, value in zip(found.cells, found.figures, strict=True)}

    def fitted_at(self, day: date = DAY) -> datetime | None:
        with self.engine.connect() as conn:
            query = "SELECT fitted_at FROM quality.day_fit WHERE stat_date = :day"
            found: datetime | None = conn.execute(sa.text(query), {"day": day}).scalar_one_or_none()
            return found

    def open_flags(self) -> dict[tuple[Any, ...], str]:
        """The message of each flag that is not closed, by what it is about."""
        flags = self.flags()
        mine = flags[(flags["state"] != "closed") & (flags["stat_date"] == DAY)].astype(object)
        about = mine[["unit_code", "check_code", "measure", "channel", "value", "effect"]]
        about = about.where(about.notna(), None)
        return dict(zip(about.itertuples(index=False, name=None), mine["message"], strict=True))

    def flags(self) -> pd.DataFrame:
        with self.engine.connect() as conn:
            result = conn.execute(sa.text("SELECT * FROM quality.flag ORDER BY flag_id"))
            return pd.DataFrame(result.all(), columns=list(result.keys()))


WAIT = """
UPDATE mart.daily_rollup
SET units_waiting = units_waiting || division_id, units_unjudged = units_unjudged || division_id
FROM core.division
WHERE stat_date = :day AND division_code = :unit
"""
SEND = [
    "SELECT core.ensure_month(CAST(:day AS date))",
    """
    INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)
    SELECT platform_id, 'daily', :day, :unit, repeat('0', 64), now(), 'loaded' FROM core.platform LIMIT 1
    ON CONFLICT DO NOTHING
    """,
    """
    UPDATE core.submission SET known_to = clock_timestamp() WHERE stat_date = :day AND known_to = 'infinity'
        AND unit_id = (SELECT division_id FROM core.division WHERE division_code = :unit)
    """,
    """
    INSERT INTO core.submission (
        stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures,
        row_numbers
    )
    SELECT
        :day, division_id, batch.platform_id, batch_id, 'daily', 1, now(), clock_timestamp(), :nil,
        nullif(CAST(:cells AS smallint[]), '{}'), nullif(CAST(:figures AS bigint[]), '{}'),
        nullif(CAST(:rows AS integer[]), '{}')
    FROM core.division, landing.batch
    WHERE division_code = :unit AND source_name = :unit AND stat_date = :day
    """,
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture
def warehouse(database: Callable[[], str], catalog: Catalog) -> Iterator[Warehouse]:
    made = Warehouse(database(), catalog)
    yield made
    made.engine.dispose()


@pytest.fixture
def months(warehouse: Warehouse) -> Warehouse:
    """Six weeks of ordinary figures of six counties, the day itself among them."""
    rng = np.random.default_rng(3)
    for unit in COUNTIES:
        for back in range(42, -1, -1):
            figures = {pair: int(rng.poisson(mean)) for pair, mean in MEANS.items()}
            warehouse.send(unit, DAY - timedelta(days=back), figures)
    return warehouse


ORDINARY = {
    ("consultation", "physical"): 41,
    ("lawyer_case", "physical"): 11,
    ("notary_case", "physical"): 23,
}
TENFOLD = ORDINARY | {("lawyer_case", "physical"): 120}


def test_ordinary_figures_raise_no_flag(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, ORDINARY)
    assert months.judge() == 0
    assert months.flags().empty


def test_a_flag_says_what_whom_it_asks_by_when_and_what_it_does_to_the_total(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    assert months.judge() == 1
    (flag,) = months.flags().to_dict("records")
    assert (flag["check_code"], flag["unit_code"], flag["stat_date"]) == ("tenfold", COUNTIES[0], DAY)
    assert (flag["measure"], flag["channel"], flag["level"], flag["value"]) == (
        "lawyer_case",
        "physical",
        "county",
        120,
    )
    assert (flag["state"], flag["assignee"]) == ("open", COUNTIES[0])
    assert flag["batch_id"] is not None
    assert 95 <= flag["effect"] <= 115
    published = read_total(months, "lawyer_case")
    assert flag["score"] == pytest.approx(flag["effect"] / published, abs=0.02)
    assert flag["due_date"] > flag["stat_date"]
    assert "120" in flag["message"]
    assert "12，" in flag["message"]


def read_total(warehouse: Warehouse, measure: str) -> int:
    query = (
        "SELECT value FROM mart.daily_statistics"
        " WHERE stat_date = :day AND level = 'province' AND measure = :measure AND channel = 'all'"
    )
    with warehouse.engine.connect() as conn:
        return int(conn.execute(sa.text(query), {"day": DAY, "measure": measure}).scalar_one())


def test_nothing_is_held_back_for_a_flag(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    roll_up_day(months.engine, months.catalog, DAY, whole=True)
    before = read_total(months, "lawyer_case")
    assert flag_day(months.engine, months.catalog, DAY) == 1
    assert read_total(months, "lawyer_case") == before > 120


def test_judging_a_day_again_changes_nothing(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.send(VILLAGE, DAY, {("mediation_settled", "physical"): 3})
    assert months.judge() == 2
    before = months.flags()
    assert flag_day(months.engine, months.catalog, DAY) == 2
    assert months.judge() == 2
    pd.testing.assert_frame_equal(months.flags(), before)


def test_a_flag_that_a_restatement_answers_is_closed_with_the_reason_and_opens_again_with_the_figure(
    months: Warehouse,
) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.judge()
    number = int(months.flags().at[0, "flag_id"])
    explain_flag(months.engine, months.catalog, number, "王芳", "本日集中办结上月积案一百余件", clock)
    months.send(COUNTIES[0], DAY, ORDINARY)
    assert months.judge() == 0
    (closed,) = months.flags().to_dict("records")
    assert (closed["state"], closed["closed_by"]) == ("closed", "system")
    assert "重新核算" in closed["closing_reason"]
    months.send(COUNTIES[0], DAY, TENFOLD)
    assert months.judge() == 1
    (again,) = months.flags().to_dict("records")
    assert (again["flag_id"], again["state"], again["explained_by"]) == (number, "explained", "王芳")
    assert again["closed_by"] is None


def test_another_wrong_figure_is_another_question(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.judge()
    months.send(COUNTIES[0], DAY, TENFOLD | {("lawyer_case", "physical"): 130})
    assert months.judge() == 1
    assert months.flags()[["value", "state"]].to_numpy().tolist() == [[120, "closed"], [130, "open"]]


def test_a_flag_that_a_person_closed_stays_closed(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.judge()
    number = int(months.flags().at[0, "flag_id"])
    explain_flag(months.engine, months.catalog, number, "王芳", "本日集中办结上月积案一百余件", clock)
    close_flag(months.engine, number, "李强", "说明已采纳", clock)
    assert months.judge() == 0
    assert months.flags()["state"].tolist() == ["closed"]


@pytest.mark.parametrize(
    "text", ["核实无误", "经核实，数据无误。", "  情况属实！", "已核实，数据真实准确", "无误", "。。。", "ok"]
)
def test_a_bare_confirmation_is_no_explanation(months: Warehouse, text: str) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.judge()
    number = int(months.flags().at[0, "flag_id"])
    with pytest.raises(FlagRefused, match="不是说明"):
        explain_flag(months.engine, months.catalog, number, "王芳", text, clock)
    assert months.flags()["state"].tolist() == ["open"]


def test_a_flag_is_closed_only_once_explained_and_only_by_a_person(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.judge()
    number = int(months.flags().at[0, "flag_id"])
    with pytest.raises(FlagRefused, match="flags explain"):
        close_flag(months.engine, number, "李强", "说明已采纳", clock)
    with pytest.raises(FlagRefused, match="姓名"):
        explain_flag(months.engine, months.catalog, number, "system", "本日集中办结上月积案一百余件", clock)
    with pytest.raises(FlagRefused, match="no flag 999"):
        close_flag(months.engine, 999, "李强", "说明已采纳", clock)


def test_the_queue_begins_with_the_largest_effect_on_the_published_total(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, ORDINARY | {("consultation", "physical"): 400})
    months.send(COUNTIES[1], DAY, TENFOLD)
    months.send(COUNTIES[2], DAY, ORDINARY | {("consultation", "physical"): 3})
    assert months.judge() == 3
    queue = list_flags(months.engine, DAY, None)
    scores = [line["score"] for line in queue]
    assert scores == sorted(scores, reverse=True)
    assert [line["unit_code"] for line in queue] == COUNTIES[:3]
    assert list_flags(months.engine, DAY - timedelta(days=1), None) == []
    assert list_flags(months.engine, DAY, "closed") == []


def test_the_one_asked_is_the_recipient_declared_for_the_unit_or_above_it(months: Warehouse) -> None:
    recipient = Recipient(id="justice-371300", name="临沂市司法局", division="371300000000")
    months.catalog = months.catalog.model_copy(update={"recipients": {recipient.id: recipient}})
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.send(VILLAGE, DAY, {("mediation_settled", "physical"): 3})
    months.judge()
    assert months.flags()["assignee"].tolist() == ["justice-371300"] * 2


def test_a_day_that_is_not_rolled_up_has_no_flags(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD)
    assert flag_day(months.engine, months.catalog, DAY) == 0
    assert months.flags().empty


# --- what changed, and nothing else ------------------------------------------------------------------------------

TOWNSHIP = "371302001000"


@pytest.mark.parametrize("seed", range(6))
def test_judging_what_changed_finds_what_judging_the_whole_day_finds_of_it(
    months: Warehouse, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    for back in range(30):
        figures = {pair: int(rng.poisson(mean / 8)) for pair, mean in MEANS.items()}
        months.send(TOWNSHIP, DAY - timedelta(days=back), figures)
        months.send(VILLAGE, DAY - timedelta(days=back), {("consultation", "physical"): int(rng.poisson(6))})
    months.send(COUNTIES[5], DAY, TENFOLD)
    months.judge()
    yesterday = months.figures_of(COUNTIES[1], DAY - timedelta(days=1))
    wrong: list[Mapping[str, Figures]] = [
        {COUNTIES[0]: TENFOLD},
        {COUNTIES[1]: yesterday},
        {TOWNSHIP: {("consultation", "physical"): 90, ("lawyer_case", "physical"): 0}},
        {COUNTIES[2]: {("consultation", "physical"): 0}, VILLAGE: {("mediation_settled", "physical"): 3}},
        {VILLAGE: {("consultation", "physical"): 900}},
        {COUNTIES[0]: ORDINARY, COUNTIES[3]: {}, COUNTIES[4]: TENFOLD},
    ]
    found = 0
    for number in rng.permutation(len(wrong)):
        touched = {*wrong[number], *(COUNTIES[:1] if {TOWNSHIP, VILLAGE} & wrong[number].keys() else ())}

        def split(touched: set[str] = touched) -> tuple[dict[Any, str], dict[Any, str]]:
            flags = months.open_flags()
            mine = {key: words for key, words in flags.items() if key[0] in touched}
            return mine, {key: words for key, words in flags.items() if key not in mine}

        _, others = split()
        assert not months.restate(wrong[number]), "only what changed is judged"
        partly, still = split()
        assert still == others
        months.judge()
        assert split()[0] == partly
        found += len(partly)
    assert found > 6


def test_a_county_keeps_its_own_questions_when_a_village_below_it_restates(months: Warehouse) -> None:
    months.send(COUNTIES[0], DAY, TENFOLD | {("mediation_settled", "physical"): 3})
    assert months.judge() == 2
    assert not months.restate({VILLAGE: {("consultation", "physical"): 1}})
    flags = months.flags()
    assert flags["unit_code"].tolist() == COUNTIES[:1] * 2
    assert flags["state"].tolist() == ["open", "open"]


def test_units_whose_history_was_restated_too_and_month_ends_are_judged_whole(months: Warehouse) -> None:
    months.judge()
    assert not months.restate({COUNTIES[0]: TENFOLD})
    months.send(COUNTIES[1], DAY - timedelta(days=3), ORDINARY)
    assert not months.restate({COUNTIES[0]: ORDINARY}), "the history of a peer"
    assert months.restate({COUNTIES[1]: TENFOLD})
    month_end = date(2026, 3, 31)
    months.send(COUNTIES[0], month_end, ORDINARY)
    months.judge(month_end)
    assert months.restate({COUNTIES[0]: TENFOLD}, month_end)


def test_a_unit_that_is_loaded_and_not_rolled_up_yet_is_judged_once_it_is(months: Warehouse) -> None:
    months.judge()
    months.send(COUNTIES[0], DAY, TENFOLD)
    with months.engine.begin() as conn:
        conn.execute(sa.text(WAIT), {"unit": COUNTIES[0], "day": DAY})
        conn.execute(sa.text("UPDATE mart.daily_rollup SET units_unjudged = '{}'"))
    flag_day(months.engine, months.catalog, DAY)
    roll_up_day(months.engine, months.catalog, DAY, whole=False)
    assert flag_day(months.engine, months.catalog, DAY) == 1


# --- villages that repeat themselves -------------------------------------------------------------------------

SAME = {("consultation", "physical"): 4, ("publicity_event", "physical"): 2}


def test_a_village_that_says_the_same_in_five_reports_is_asked_once_nil_reports_between(
    warehouse: Warehouse,
) -> None:
    for back in (11, 9, 8, 4):
        warehouse.send(VILLAGE, DAY - timedelta(days=back), SAME)
    warehouse.send(VILLAGE, DAY - timedelta(days=6), {})
    warehouse.send(VILLAGE, DAY, SAME)
    assert warehouse.judge() == 1
    assert warehouse.flags()["check_code"].tolist() == ["repeated_village"]
    assert warehouse.judge() == 1


@pytest.mark.parametrize(
    ("earlier", "figures"),
    [
        ((11, 9, 8), [SAME] * 3),
        ((11, 9, 8, 4), [SAME, SAME, SAME | {("consultation", "physical"): 5}, SAME]),
        ((40, 39, 38, 37), [SAME] * 4),
    ],
)
def test_four_reports_or_one_that_differs_or_long_ago_are_no_repetition(
    warehouse: Warehouse, earlier: tuple[int, ...], figures: list[dict[Any, int]]
) -> None:
    for back, each in zip(earlier, figures, strict=True):
        warehouse.send(VILLAGE, DAY - timedelta(days=back), each)
    warehouse.send(VILLAGE, DAY, SAME)
    assert warehouse.judge() == 0


# --- pairs over the year to date -----------------------------------------------------------------------------

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""
ACCEPTED, SETTLED = ("mediation_accepted", "physical"), ("mediation_settled", "physical")
RECEIVED, RESOLVED = ("complaint_received", "hotline"), ("complaint_resolved", "network")


def test_a_part_above_its_whole_over_the_year_is_flagged_and_loaded(warehouse: Warehouse) -> None:
    warehouse.send(VILLAGE, date(2026, 1, 15), {ACCEPTED: 2, SETTLED: 1})
    warehouse.send(VILLAGE, date(2026, 3, 2), {SETTLED: 1})
    assert warehouse.judge(date(2026, 1, 15)) == 0
    assert warehouse.judge(date(2026, 3, 2)) == 0, "1 + 1 settled of 2 accepted"
    warehouse.send(VILLAGE, DAY, {SETTLED: 1})
    assert warehouse.judge() == 1
    (flag,) = warehouse.flags().to_dict("records")
    assert (flag["check_code"], flag["unit_code"], flag["effect"]) == ("settled_accepted", VILLAGE, 1)
    assert (flag["level"], flag["measure"], flag["channel"]) == ("village", "mediation_settled", "all")
    assert "调解成功 3，调解受理 2" in flag["message"]
    assert read_total(warehouse, "mediation_settled") == 1


def test_days_of_one_month_that_are_judged_side_by_side_keep_the_sum_of_both(warehouse: Warehouse) -> None:
    """The one that comes later waits, and then sees what came meanwhile."""
    first, second = date(2026, 2, 2), date(2026, 2, 3)
    warehouse.send(VILLAGE, first, {ACCEPTED: 2})
    roll_up_day(warehouse.engine, warehouse.catalog, first, whole=True)
    with ThreadPoolExecutor(1) as thread, warehouse.engine.begin() as other:
        take_month(other, first)
        judged = thread.submit(flag_day, warehouse.engine, warehouse.catalog, first)
        waiting = sa.text(WAITING)
        deadline = time.monotonic() + 60
        while not other.execute(waiting).scalar_one():
            assert not judged.done(), "it waits for the month"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        warehouse.send(VILLAGE, second, {ACCEPTED: 3})
        other.commit()
        assert judged.result() == 0
    with warehouse.engine.connect() as conn:
        assert conn.execute(sa.text("SELECT value FROM quality.month_sum")).scalars().all() == [5]


def test_last_years_cases_do_not_count(warehouse: Warehouse) -> None:
    warehouse.send(VILLAGE, date(2025, 12, 31), {SETTLED: 5})
    warehouse.send(VILLAGE, date(2026, 1, 2), {ACCEPTED: 1, SETTLED: 1})
    warehouse.judge(date(2025, 12, 31))
    assert warehouse.judge(date(2026, 1, 2)) == 0


def test_a_declared_opening_backlog_counts_with_the_whole_over_channels(
    warehouse: Warehouse, catalog: Catalog
) -> None:
    warehouse.send(COUNTIES[0], DAY, {RECEIVED: 1, RESOLVED: 3})
    assert warehouse.judge() == 1
    assert "多出 2" in warehouse.flags().at[0, "message"]
    backlog = Backlog(code="open_2026", check="resolved_received", year=2026, units={COUNTIES[0]: 2})
    warehouse.catalog = catalog.model_copy(update={"backlogs": {backlog.code: backlog}})
    assert warehouse.judge() == 0
    assert warehouse.flags()["state"].tolist() == ["closed"]
    older = backlog.model_copy(update={"year": 2025})
    warehouse.catalog = catalog.model_copy(update={"backlogs": {older.code: older}})
    assert warehouse.judge() == 1


def test_a_pair_is_asked_about_once_until_it_is_closed(warehouse: Warehouse, catalog: Catalog) -> None:
    warehouse.send(VILLAGE, DAY, {SETTLED: 1})
    warehouse.send(VILLAGE, DAY + timedelta(days=3), {SETTLED: 1})
    assert warehouse.judge() == 1
    assert warehouse.judge(DAY + timedelta(days=3)) == 0
    explain_flag(warehouse.engine, catalog, 1, "王芳", "上年受理、今年调成，期初未结将补报", clock)
    close_flag(warehouse.engine, 1, "李强", "说明已采纳", clock)
    assert warehouse.judge(DAY + timedelta(days=3)) == 1


def test_a_restated_month_counts_as_it_is_now(warehouse: Warehouse) -> None:
    earlier = date(2026, 2, 10)
    warehouse.send(VILLAGE, earlier, {ACCEPTED: 3})
    warehouse.send(VILLAGE, DAY, {SETTLED: 2})
    warehouse.judge(earlier)
    assert warehouse.judge() == 0
    warehouse.send(VILLAGE, earlier, {})
    warehouse.judge(earlier)
    assert warehouse.judge() == 1


# --- in the day's run, and by command ------------------------------------------------------------------------


def test_a_days_run_judges_it_and_a_day_that_was_not_judged_waits(
    tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        day = simulation.plan.days[0]
        run_day(site, day, list(site.catalog.platforms))
        assert waiting_days(site.engine) == []
        roll_up_day(site.engine, site.catalog, day, whole=True)
        assert waiting_days(site.engine) == [day]
        load_and_roll_up(site, day, whole=False)
        assert waiting_days(site.engine) == []
        flags = read_view(site, "quality.flag")
        assert flags[flags["score"].notna()].empty, "a first day has no history"


def test_flags_are_listed_explained_and_closed_by_command(
    months: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLS_WAREHOUSE", months.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PLS_HOME", str(tmp_path))
    monkeypatch.delenv("PLS_CATALOG", raising=False)
    months.send(COUNTIES[0], DAY, TENFOLD)
    months.judge()

    def run(*words: str) -> tuple[int, Any]:
        result = CliRunner().invoke(main, ["flags", *words, "--json"])
        return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else result.stderr

    status, (line,) = run("list", "--date", DAY.isoformat())
    assert (status, line["check_code"], line["state"]) == (0, "tenfold", "open")
    number = str(line["flag_id"])
    status, words = run("explain", number, "--by", "王芳", "--why", "核实无误")
    assert status == 2
    assert "不是说明" in words
    assert run("explain", number, "--by", "王芳", "--why", "集中办结上月积案")[0] == 0
    assert run("close", number, "--by", "李强", "--why", "说明已采纳")[0] == 0
    assert run("list") == (0, [])
    assert run("list", "--state", "closed")[1][0]["closed_by"] == "李强"
