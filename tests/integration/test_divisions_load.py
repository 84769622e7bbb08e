"""Loading one division list after another: history, known time, and what is said about figures already there."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from etl.cli import main
from etl.divisions import DayDivisions, DivisionListError, plan_divisions
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import LATER, DivisionsSite, divisions_site

pytestmark = pytest.mark.integration
SPRING, SUMMER, AUTUMN = date(2026, 3, 1), date(2026, 6, 1), date(2026, 9, 1)
UPPER = """
    370000000000,山东省,province,
    371300000000,临沂市,city,370000000000
    371302000000,兰山区,county,371300000000
    371302001000,兰山街道,township,371302000000
"""
LOWER = "371302001001,甲村委会,village,371302001000\n371302001002,乙村委会,village,371302001000"
FIRST = UPPER + LOWER
WITHOUT_B = UPPER + "371302001001,甲村委会,village,371302001000"
NOW = "SELECT clock_timestamp()"
# Python has no date for -infinity.
COLUMNS = "division_id, valid_from::text, valid_to::text, division_name, level, parent_id"
PERIODS = f"SELECT {COLUMNS}, known_from FROM core.division_period ORDER BY 1, 2"
ENDED = "SELECT division_id FROM core.division_period WHERE valid_to < 'infinity'"
UNROLLED = "SELECT stat_date FROM mart.daily_rollup WHERE rolled_up_at IS NULL OR rolled_up_at < loaded_at"


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[DivisionsSite]:
    with divisions_site(server, tmp_path) as made:
        yield made


def kinds(site: DivisionsSite) -> dict[str, int]:
    return site.values(
        "SELECT kind, count(*) FROM core.division_change WHERE known_to = 'infinity' AND is_taken GROUP BY kind"
    )


def test_the_first_list_is_valid_for_all_past_days_and_changes_nothing(site: DivisionsSite) -> None:
    loaded = site.load(FIRST, SPRING)
    assert (loaded.listed, loaded.opened, loaded.closed, loaded.valid_from) == (6, 6, 0, None)
    assert len(site.in_force(date(1980, 1, 1))) == 6
    assert kinds(site) == {}


def test_past_days_keep_their_divisions_and_later_days_have_the_new_ones(site: DivisionsSite) -> None:
    site.load(FIRST)
    site.load(UPPER + "371302001001,甲社区居委会,village,371302001000", SUMMER)
    assert site.in_force(SPRING)["371302001001"] == "甲村委会"
    assert site.in_force(SUMMER)["371302001001"] == "甲社区居委会"
    assert "371302001002" in site.in_force(SPRING)
    assert "371302001002" not in site.in_force(SUMMER)
    assert kinds(site) == {"renamed": 1, "removed": 1}


def test_a_division_that_vanishes_and_comes_back_is_the_same(site: DivisionsSite) -> None:
    site.load(FIRST)
    query = "SELECT division_code, division_id FROM core.division"
    before = site.values(query)
    site.load(WITHOUT_B, SPRING)
    site.load(FIRST, SUMMER)
    assert site.values(query) == before
    assert kinds(site) == {"removed": 1, "returned": 1}
    site.submit(date(2026, 2, 1), {"371302001002": {("consultation", "physical"): 7}})
    assert site.comparable(date(2026, 2, 1), SUMMER)["371302001002"] == 7
    assert "371302001002" not in site.comparable(date(2026, 2, 1), SPRING)
    assert site.comparable(date(2026, 2, 1), SPRING)["371302001000"] == 7


def test_the_same_list_again_writes_nothing_and_another_for_the_same_day_replaces_it(
    site: DivisionsSite,
) -> None:
    site.load(FIRST)
    site.load(WITHOUT_B, SUMMER)
    changes = "SELECT change_id, kind, known_from, known_to::text FROM core.division_change ORDER BY 1"
    periods, recorded = site.frame(PERIODS), site.frame(changes)
    again = site.load(WITHOUT_B, SUMMER)
    assert (again.opened, again.closed) == (0, 0)
    pd.testing.assert_frame_equal(site.frame(PERIODS), periods)
    pd.testing.assert_frame_equal(site.frame(changes), recorded)
    site.load(FIRST, SUMMER)
    assert site.frame(ENDED).empty
    assert kinds(site) == {}
    assert len(site.frame("SELECT kind FROM core.division_change WHERE known_to < 'infinity'")) == 1


def test_a_list_for_an_earlier_day_than_one_in_force_is_refused(site: DivisionsSite) -> None:
    site.load(FIRST)
    site.load(WITHOUT_B, SUMMER)
    with pytest.raises(DivisionListError, match="valid from a day after 2026-03-01"):
        site.load(FIRST, SPRING)


def test_divisions_can_be_asked_for_as_they_were_known_at_any_earlier_moment(site: DivisionsSite) -> None:
    """Ruling 5: at each moment the function gives, row for row, what the table held at that moment."""
    moments, snapshots = [], []
    lists = [
        (FIRST, None),
        (WITHOUT_B, SPRING),
        (FIRST, SPRING),
        (FIRST.replace("乙村委会", "丙村委会"), SUMMER),
        (UPPER, AUTUMN),
    ]
    for rows, day in lists:
        site.load(rows, day)
        moments.append(site.frame(NOW).iat[0, 0])
        snapshots.append(site.frame(f"SELECT {COLUMNS} FROM core.division_period ORDER BY 1, 2"))
    assert len({snapshot.to_csv() for snapshot in snapshots}) == 4, "the third list takes the second back"
    for moment, snapshot in zip(moments, snapshots, strict=True):
        asked = site.frame(
            f"SELECT {COLUMNS} FROM core.division_period_as_of(:moment) ORDER BY 1, 2", moment=moment
        )
        pd.testing.assert_frame_equal(asked, snapshot)
    before_all = site.frame("SELECT division_id FROM core.division_period_as_of('2000-01-01T00:00Z')")
    assert before_all.empty
    assert len(site.frame("SELECT division_id FROM core.division_period_as_of('infinity')")) == len(
        snapshots[-1]
    )


def test_successors_can_be_asked_for_as_they_were_known(site: DivisionsSite) -> None:
    site.load(FIRST)
    site.load(WITHOUT_B, SUMMER)
    moment = site.frame(NOW).iat[0, 0]
    site.load(WITHOUT_B, SUMMER, mapping="merged,371302001002,371302001001,,并入甲村")
    query = (
        "SELECT after.division_code, successor.share FROM core.division_successor('2026-03-01', '2026-06-01', {})"
        " AS successor JOIN core.division ON division.division_id = successor.division_id"
        " JOIN core.division AS after ON after.division_id = successor.successor_id"
        " WHERE division.division_code = '371302001002'"
    )
    assert list(site.values(query.format("'infinity'"))) == ["371302001001"]
    assert list(site.values(query.format(":moment"), moment=moment)) == ["371302001000"]


def test_a_unit_closed_on_a_day_is_expected_before_it_and_not_after(site: DivisionsSite) -> None:
    site.load(FIRST)
    site.load(WITHOUT_B, SUMMER)
    for day in (date(2026, 5, 31), SUMMER):
        site.submit(day, {"371302001001": {}})
        site.roll_up(day)
    expected = site.values(
        "SELECT stat_date, units_expected FROM mart.daily_reporting JOIN core.division USING (division_id)"
        " WHERE division_code = '370000000000'"
    )
    assert expected == {date(2026, 5, 31): 6, SUMMER: 5}
    with site.engine.connect() as conn:
        units = ["371302001001", "371302001002"]
        after = DayDivisions(conn, SUMMER, units)
        before = DayDivisions(conn, date(2026, 5, 31), units)
    level = ["village"]
    assert int(before.inside(["371300000000"], level).sum()) == 2
    assert int(after.inside(["371300000000"], level).sum()) == 1
    assert "371302001002" in after.table.index, "a closed unit is told from an unknown one"
    with site.engine.connect() as conn:
        strangers = [DayDivisions(conn, SUMMER, units) for units in ([], ["999999999999", "张三", "\x00"])]
    assert [int(each.inside(["371300000000"], level).sum()) for each in strangers] == [0, 0]


def test_a_list_valid_from_a_past_day_flags_what_it_takes_out_of_totals_and_lets_the_days_be_rolled_up_again(
    site: DivisionsSite,
) -> None:
    site.load(FIRST)
    for day in (SPRING, SUMMER):
        site.submit(day, {"371302001002": {("consultation", "physical"): 7}, "371302001001": {}})
        site.roll_up(day)
    assert site.frame(UNROLLED).empty
    loaded = site.load(WITHOUT_B, SUMMER)
    assert (loaded.days, loaded.unexpected) == (1, 1)
    assert site.frame(UNROLLED)["stat_date"].tolist() == [SUMMER]
    flags = site.frame("SELECT unit_code, stat_date, check_code, state FROM quality.flag").values.tolist()
    assert flags == [["371302001002", SUMMER, "unit_closed", "open"]]
    site.roll_up(SUMMER)
    assert site.statistics(SPRING)["370000000000"] == 7
    assert site.statistics(SUMMER)["370000000000"] == 0
    site.load(FIRST, SUMMER)
    site.roll_up(SUMMER)
    assert site.statistics(SUMMER)["370000000000"] == 7
    assert site.frame("SELECT state FROM quality.flag")["state"].tolist() == ["closed"]


def test_a_plan_writes_nothing(site: DivisionsSite) -> None:
    site.load(FIRST)
    before = site.frame(PERIODS)
    codes = site.frame("SELECT * FROM core.division")
    file = site.write("code,name,level,parent_code", UPPER + "371302001003,丙村委会,village,371302001000")
    plan = plan_divisions(site.engine, file, SUMMER, LATER)
    assert plan.counts() == {"removed": 2, "added": 1}
    pd.testing.assert_frame_equal(site.frame(PERIODS), before)
    pd.testing.assert_frame_equal(site.frame("SELECT * FROM core.division"), codes)
    assert kinds(site) == {}


def test_the_plan_is_shown_before_it_is_applied(site: DivisionsSite) -> None:
    site.load(FIRST)
    seen: list[int] = []

    def announce(plan: object) -> None:
        with site.engine.connect() as conn:
            seen.append(len(conn.execute(sa.text(ENDED)).all()))

    site.load(WITHOUT_B, SUMMER, announce=announce)
    assert seen == [0]
    assert len(site.frame(ENDED)) == 1


def test_a_mapping_for_the_first_list_is_refused(site: DivisionsSite) -> None:
    with pytest.raises(DivisionListError, match="nothing is loaded yet"):
        site.load(FIRST, mapping="removed,371302001002,,,")
    assert site.frame("SELECT * FROM core.division").empty


# --- the command ---------------------------------------------------------------------------------------------


@pytest.fixture
def at_site(site: DivisionsSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DivisionsSite:
    monkeypatch.setenv("PLS_WAREHOUSE", site.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PLS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PLS_CATALOG", raising=False)
    return site


def test_the_command_asks_nothing_shows_the_plan_and_applies_it(at_site: DivisionsSite) -> None:
    at_site.load(FIRST)
    file = at_site.write("code,name,level,parent_code", UPPER.replace("兰山街道", "兰山新街道"))
    done = CliRunner().invoke(main, ["divisions", "load", str(file), "--from", "2026-06-01"])
    assert done.exit_code == 0, done.output
    assert "兰山街道 is now 兰山新街道" in done.stdout
    assert done.stdout.index("renamed") < done.stdout.index("4 divisions listed: 1 opened, 3 closed.")
    assert len(at_site.in_force(SUMMER)) == 4


def test_the_command_can_only_plan_and_writes_what_it_infers_as_a_mapping_to_state(
    at_site: DivisionsSite, tmp_path: Path
) -> None:
    at_site.load(FIRST)
    rows = WITHOUT_B + "\n371302001005,乙社区居委会,village,371302001000"
    file, proposals = at_site.write("code,name,level,parent_code", rows), tmp_path / "proposals.csv"
    words = ["divisions", "load", str(file), "--from", "2026-06-01"]
    planned = CliRunner().invoke(main, [*words, "--plan", "--json", "--propose", str(proposals)])
    assert planned.exit_code == 0, planned.output
    [change] = json.loads(planned.stdout)["changes"]
    assert (change["kind"], change["from_code"], change["to_code"], change["origin"]) == (
        "recoded",
        "371302001002",
        "371302001005",
        "inferred",
    )
    assert kinds(at_site) == {}
    with proposals.open(encoding="utf-8-sig") as stream:
        assert [row["kind"] for row in csv.DictReader(stream)] == ["recoded"]
    stated = CliRunner().invoke(main, [*words, "--mapping", str(proposals), "--json"])
    assert stated.exit_code == 0, stated.output
    assert json.loads(stated.stdout)["kinds"] == {"recoded": 1}
    assert at_site.frame("SELECT origin FROM core.division_change")["origin"].tolist() == ["stated"]


def test_the_command_refuses_a_doubtful_list_when_strict_and_names_the_line(at_site: DivisionsSite) -> None:
    file = at_site.write("code,name,level,parent_code", FIRST + "\n371302001002,乙村,village,371302001000")
    refused = CliRunner().invoke(main, ["divisions", "load", str(file), "--strict"])
    assert refused.exit_code == 2
    assert "line 8: code 371302001002" in refused.stderr
    assert at_site.frame("SELECT * FROM core.division").empty
    done = CliRunner().invoke(main, ["divisions", "load", str(file)])
    assert done.exit_code == 0, done.output
    assert "line 8: code 371302001002" in done.stdout
    assert at_site.in_force(SUMMER)["371302001002"] == "乙村委会"
