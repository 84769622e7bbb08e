"""Dissatisfied people are called back within 15 working days, and the loop is counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from etl.cli import main
from etl.periods.period import Period
from etl.register import register_catalog
from etl.satisfaction import compute_satisfaction
from etl.satisfaction.follow_up import FollowUp, FollowUpRefused, list_follow_ups, record_follow_up
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, divisions_site
from tests.integration.satisfaction_site import survey

pytestmark = pytest.mark.integration
PROVINCE, COUNTY, TOWN, VILLAGE = "370000000000", "371302000000", "371302001000", "371302001001"
DIVISIONS = f"""
    {PROVINCE},山东省,province,
    371300000000,临沂市,city,{PROVINCE}
    {COUNTY},兰山区,county,371300000000
    {TOWN},兰山街道,township,{COUNTY}
    {VILLAGE},甲村委会,village,{TOWN}
"""
DAY = date(2026, 4, 27)
DUE = date(2026, 5, 20)
CALL = FollowUp(TOWN, DAY, "physical", 1, date(2026, 5, 6), "已解释，表示理解", "王芳", "等候时间长")


def clock() -> datetime:
    return datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[DivisionsSite]:
    with divisions_site(server, tmp_path) as made:
        made.load(DIVISIONS)
        made.submit(DAY, {TOWN: survey(30, 0, 0, 2, 1), VILLAGE: survey(20, 0, 0, 1)})
        yield made


def total(site: DivisionsSite) -> None:
    """The totals of April of whatever was submitted."""
    period = Period.parse("2026-04")
    with site.engine.begin() as conn:
        params: dict[str, Any] = {"first": period.starts_on, "last": period.ends_on}
        params["p"] = conn.execute(
            sa.text("SELECT mart.ensure_period(:name, :kind, :first, :last)"),
            params | {"name": period.name, "kind": period.kind},
        ).scalar_one()
        for table in ("period_own", "period_total", "period_reporting"):
            conn.execute(sa.text(f"DELETE FROM mart.{table} WHERE period_id = :p"), params)
        conn.execute(
            sa.text(
                "INSERT INTO mart.period_own SELECT :p, unit_id, cell_id, sum(value) FROM core.daily_count"
                " WHERE stat_date BETWEEN :first AND :last GROUP BY unit_id, cell_id"
            ),
            params,
        )
        conn.execute(
            sa.text(
                "INSERT INTO mart.period_total SELECT :p, division_id, cell_id, sum(value) FROM mart.daily_total"
                " WHERE stat_date BETWEEN :first AND :last GROUP BY division_id, cell_id"
            ),
            params,
        )
        conn.execute(
            sa.text(
                "INSERT INTO mart.period_reporting SELECT :p, division_id, max(stat_date), bool_and(is_leaf),"
                " :last - CAST(:first AS date) + 1, 1, 1, 1, 0, 1, 0 FROM mart.daily_reporting"
                " WHERE stat_date BETWEEN :first AND :last GROUP BY division_id"
            ),
            params,
        )


def compute(site: DivisionsSite) -> None:
    site.roll_up(DAY)
    total(site)
    compute_satisfaction(site.engine, site.catalog, Period.parse("2026-04"))


def loop(site: DivisionsSite) -> dict[str, tuple[Any, ...]]:
    frame = site.frame("SELECT * FROM mart.follow_up WHERE period = '2026-04'")
    names = ["due", "in_time", "late", "open", "surplus", "open_due_on"]
    return {row.division_code: tuple(getattr(row, name) for name in names) for row in frame.itertuples()}


def test_the_loop_counts_due_in_time_late_and_open(site: DivisionsSite) -> None:
    compute(site)
    assert loop(site)[TOWN] == loop(site)[COUNTY] == (4, 0, 0, 4, 0, DUE)
    record_follow_up(site.engine, site.catalog, CALL, clock)
    record_follow_up(site.engine, site.catalog, replace(CALL, done_on=DUE), clock)
    late = replace(CALL, unit=VILLAGE, done_on=date(2026, 5, 21))
    record_follow_up(site.engine, site.catalog, late, clock)
    assert loop(site)[VILLAGE] == (1, 0, 1, 0, 0, None)
    assert loop(site)[PROVINCE] == (4, 2, 1, 1, 0, DUE)


def test_what_is_followed_up_can_be_recorded_before_the_month_is_computed(site: DivisionsSite) -> None:
    record_follow_up(site.engine, site.catalog, CALL, clock)
    (town,) = list_follow_ups(site.engine, None, None, date(2026, 5, 6))
    assert (town["unit_code"], town["due"], town["in_time"], town["open"]) == (TOWN, 3, 1, 2)
    compute(site)
    assert loop(site)[TOWN] == (4, 1, 0, 3, 0, DUE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"people": 4}, "共有不满意回答 3 份，已回访 0 份，不能再登记 4 份"),
        ({"channel": "hotline"}, "Only 0 of 0"),
        ({"channel": "letter"}, "Channels are physical"),
        ({"people": 0}, "At least one person"),
        ({"done_on": date(2026, 4, 26)}, "A day between 2026-04-27 and 2026-06-01"),
        ({"done_on": date(2026, 6, 2)}, "A day between"),
        ({"result": "  "}, "须写明回访结果"),
        ({"unit": "379999999999"}, "没有单位 379999999999"),
        ({"day": date(2026, 4, 24)}, "Only 0 of 0"),
    ],
)
def test_what_cannot_be_is_refused_in_words(site: DivisionsSite, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FollowUpRefused, match=words):
        record_follow_up(site.engine, site.catalog, replace(CALL, **changes), clock)
    assert site.frame("SELECT * FROM quality.follow_up").empty


def test_never_more_are_followed_up_than_were_dissatisfied(site: DivisionsSite) -> None:
    record_follow_up(site.engine, site.catalog, replace(CALL, people=2), clock)
    record_follow_up(site.engine, site.catalog, CALL, clock)
    with pytest.raises(FollowUpRefused, match="已回访 3 份"):
        record_follow_up(site.engine, site.catalog, CALL, clock)


def test_a_restatement_that_takes_dissatisfied_answers_away_leaves_a_surplus(site: DivisionsSite) -> None:
    record_follow_up(site.engine, site.catalog, replace(CALL, people=3), clock)
    compute(site)
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE core.submission SET known_to = now() WHERE unit_id ="
                " (SELECT division_id FROM core.division WHERE division_code = :code)"
            ),
            {"code": TOWN},
        )
    site.submit(DAY, {TOWN: survey(32, 0, 0, 1)})
    compute(site)
    assert loop(site)[TOWN] == (2, 1, 0, 1, 2, DUE), "one of the town's own, one open in the village"
    assert len(site.frame("SELECT * FROM quality.follow_up")) == 1


def test_small_samples_are_not_given_away_by_the_loop(site: DivisionsSite) -> None:
    site.submit(date(2026, 4, 28), {"371302001001": survey(1)})
    compute(site)
    assert VILLAGE in loop(site)
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE mart.satisfaction_figure SET is_hidden = true"))
    assert loop(site) == {}


def test_computing_again_changes_nothing_of_the_loop(site: DivisionsSite) -> None:
    record_follow_up(site.engine, site.catalog, CALL, clock)
    compute(site)
    before = site.frame("SELECT * FROM quality.dissatisfied ORDER BY stat_date, unit_id, channel_id")
    compute(site)
    after = site.frame("SELECT * FROM quality.dissatisfied ORDER BY stat_date, unit_id, channel_id")
    assert len(before) == 2
    assert before.equals(after)


def test_follow_ups_are_listed_and_recorded_on_the_command_line(
    site: DivisionsSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLS_WAREHOUSE", str(site.engine.url))
    monkeypatch.setenv("PLS_HOME", str(tmp_path / "home"))
    register_catalog(site.engine, site.catalog)
    compute(site)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["follow-up", *words])
        return result.exit_code, result.output

    call = ("--unit", TOWN, "--date", "2026-04-27", "--channel", "physical", "--done", "2026-05-06")
    said = ("--result", "已解释", "--reason", "等候时间长", "--by", "王芳")
    code, output = run("record", *call, *said, "--json")
    assert code == 0, output
    assert json.loads(output)["follow_up_id"] == 1
    code, output = run("record", *call, *said, "--people", "9")
    assert (code, "不能再登记 9 份" in output) == (2, True)
    listed = json.loads(run("list", "--division", COUNTY, "--state", "overdue", "--json")[1])
    assert [(row["unit_code"], row["open"], row["due_on"]) for row in listed] == [
        (TOWN, 2, "2026-05-20"),
        (VILLAGE, 1, "2026-05-20"),
    ]
    assert json.loads(run("list", "--state", "done", "--json")[1]) == []
