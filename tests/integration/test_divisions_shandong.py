"""The five real lists of Shandong, one after the other, against counts taken from the files themselves."""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from etl.divisions import DivisionLoad
from etl.settings import DIVISIONS_FILE
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, divisions_site

pytestmark = [pytest.mark.integration, pytest.mark.slow]
CUT_OFF = {
    2019: date(2019, 10, 31),
    2020: date(2020, 6, 30),
    2021: date(2021, 10, 31),
    2022: date(2022, 10, 31),
    2023: date(2023, 6, 30),
}
FILES = {year: DIVISIONS_FILE.parent / f"divisions_shandong_{year}.csv.gz" for year in CUT_OFF}
FILES |= {
    year: Path(__file__).parents[1] / "data" / f"divisions_shandong_{year}.csv.gz"
    for year in range(2019, 2023)
}
PAST = date(2020, 3, 2)
Rows = dict[str, tuple[str, str, str]]


def read(year: int) -> Rows:
    """code → name, level, parent_code, read without the loader."""
    with gzip.open(FILES[year], "rt", encoding="utf-8-sig", newline="") as stream:
        rows = [
            (row["code"], (row["name"], row["level"], row["parent_code"])) for row in csv.DictReader(stream)
        ]
    listed = dict(rows)
    assert len(listed) == len(rows)
    return listed


@pytest.fixture(scope="module")
def lists() -> dict[int, Rows]:
    return {year: read(year) for year in CUT_OFF}


@pytest.fixture(scope="module")
def site(
    server: ServerAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DivisionsSite, dict[int, DivisionLoad]]]:
    with divisions_site(server, tmp_path_factory.mktemp("shandong")) as made:
        loads = {}
        for year, day in CUT_OFF.items():
            loads[year] = made.load(FILES[year], day, strict=True)
            if year == 2019:
                submit_and_roll_up(made)
        yield made, loads


def submit_and_roll_up(site: DivisionsSite) -> None:
    """On a day of the first list: figures of 5,000 units and of all above the village."""
    chance = random.Random(3)
    first = read(2019)
    units = sorted(code for code, (_, level, _) in first.items() if level != "village")
    units += chance.sample(sorted(first.keys() - set(units)), 5000)
    measures = ["consultation", "publicity_event", "mediation_accepted", "dispute_found", "satisfied"]
    cells = [cell for cell in site.cells if cell[0] in measures and cell[1] != "all"]
    site.submit(
        PAST, {unit: {cell: chance.randrange(1, 30) for cell in chance.sample(cells, 4)} for unit in units}
    )
    site.roll_up(PAST)


Loaded = tuple[DivisionsSite, dict[int, DivisionLoad]]


def test_the_lists_are_the_real_ones(lists: dict[int, Rows]) -> None:
    """domain.md section 1: from 2020 to 2021, 18,398 village codes lost and 5,386 gained."""
    before = {code for code, row in lists[2020].items() if row[1] == "village"}
    after = {code for code, row in lists[2021].items() if row[1] == "village"}
    assert (len(before - after), len(after - before)) == (18_398, 5_386)


@pytest.mark.parametrize("year", [2020, 2021, 2022, 2023])
def test_additions_removals_and_renamings_are_as_counted_from_the_files(
    year: int, site: Loaded, lists: dict[int, Rows]
) -> None:
    before, after = lists[year - 1], lists[year]
    lost, gained, both = (
        before.keys() - after.keys(),
        after.keys() - before.keys(),
        before.keys() & after.keys(),
    )
    known = set().union(*(lists[earlier] for earlier in CUT_OFF if earlier < year))
    taken = [change for change in site[1][year].changes if change.is_taken]
    gone = [change for change in taken if change.share is not None]
    assert sorted(change.from_code for change in gone) == sorted(lost), "each hands its figures on, once"
    assert {change.to_code for change in gone} <= after.keys()
    came = {change.to_code for change in taken if change.kind in ("added", "returned")}
    came |= {change.to_code for change in gone if change.to_code in gained}
    assert came == gained
    assert {change.to_code for change in taken if change.kind == "returned"} == gained & known
    renamed = {change.from_code for change in taken if change.kind == "renamed"}
    assert renamed == {code for code in both if before[code][0] != after[code][0]}
    moved = {change.from_code for change in taken if change.kind == "moved" and change.share is None}
    assert moved == {code for code in both if before[code][2] != after[code][2]}
    assert len(lost) > 800
    assert len(gained) > 800
    assert len(renamed) > 2000


@pytest.mark.parametrize("year", list(CUT_OFF))
def test_on_every_cut_off_day_exactly_the_list_is_in_force(
    year: int, site: Loaded, lists: dict[int, Rows]
) -> None:
    query = (
        "SELECT division.division_code, period.division_name, period.level, coalesce(parent.division_code, '')"
        " FROM core.division_period AS period JOIN core.division USING (division_id)"
        " LEFT JOIN core.division AS parent ON parent.division_id = period.parent_id"
        " WHERE period.valid_from <= :day AND :day < period.valid_to"
    )
    eve_of_next = CUT_OFF[year + 1] - timedelta(days=1) if year < 2023 else date(2026, 1, 1)
    for day in (CUT_OFF[year], eve_of_next):
        rows = site[0].frame(query, day=day)
        in_force = {row[0]: tuple(row[1:]) for row in rows.itertuples(index=False)}
        assert len(rows) == len(in_force)
        assert in_force == lists[year]


def test_no_inferred_change_joins_by_name_alone(site: Loaded, lists: dict[int, Rows]) -> None:
    """A village that goes on under another code stays below the same county, or below that county's successor."""
    checked = 0
    for year in range(2020, 2024):
        before, after = lists[year - 1], lists[year]
        heir = {
            change.from_code: change.to_code
            for change in site[1][year].changes
            if change.is_taken and change.share is not None
        }
        for change in site[1][year].changes:
            if change.level == "village" and change.origin == "inferred" and change.is_taken:
                assert change.kind in ("recoded", "moved")
                county = before[before[change.from_code][2]][2]
                now = after[after[change.to_code][2]][2]
                townships = before[change.from_code][2], after[change.to_code][2]
                assert heir.get(county, county) == now or heir.get(*townships[:1]) == townships[1]
                checked += 1
    assert checked > 5000


def changes_of(load: DivisionLoad, code: str) -> list[tuple[str, str, str]]:
    return [
        (each.kind, each.from_code, each.to_code)
        for each in load.changes
        if each.is_taken and each.from_code == code
    ]


def test_a_street_of_the_zone_came_to_hedong_district_with_all_its_villages(site: Loaded) -> None:
    load = site[1][2020]
    street, now = "371372001000", "371312009000"
    assert changes_of(load, street) == [("moved", street, now)]
    assert changes_of(load, "371372000000") == [("merged", "371372000000", "371312000000")]
    assert changes_of(load, "371372001001") == [("recoded", "371372001001", "371312009001")]


def test_the_zone_of_jinan_changed_its_code_only(site: Loaded) -> None:
    zone = "370171000000"
    [change] = [each for each in site[1][2023].changes if each.from_code == zone]
    assert (change.kind, change.to_code, change.confidence) == ("recoded", "370176000000", 0.95)
    below = [
        each
        for each in site[1][2023].changes
        if each.from_code.startswith("370171") and each.from_code != zone
    ]
    assert len(below) > 50
    assert all(each.to_code.startswith("370176") for each in below if each.is_taken)


def test_the_village_that_grew_by_a_merger_kept_its_code_and_changed_its_name(site: Loaded) -> None:
    [change] = [each for each in site[1][2022].changes if each.from_code == "371726112217"]
    assert (change.kind, change.reason) == ("renamed", "东魏庄村委会 is now 魏闫冯村村民委员会")


def test_eleven_codes_vanish_and_come_back_as_the_same_divisions(
    site: Loaded, lists: dict[int, Rows]
) -> None:
    back = {
        code
        for code in set().union(*lists.values())
        if "101" in "".join(str(int(code in lists[year])) for year in CUT_OFF).replace("1001", "101")
    }
    assert len(back) == 11
    returned = {each.to_code for load in site[1].values() for each in load.changes if each.kind == "returned"}
    assert returned == back
    rows = site[0].frame(
        "SELECT division_code, count(DISTINCT division_id) AS ids, count(*) AS periods FROM core.division"
        " JOIN core.division_period USING (division_id) WHERE division_code = ANY(:codes) GROUP BY 1",
        codes=sorted(back),
    )
    assert rows["ids"].tolist() == [1] * 11
    assert (rows["periods"] >= 2).all()


def test_virtual_villages_and_development_zones_are_where_the_parent_column_puts_them(
    site: Loaded, lists: dict[int, Rows]
) -> None:
    """Codes ending in 498 and 598, counties xx71 to xx76; nothing is told from the digits."""
    last = lists[2023]
    virtual = {code for code, row in last.items() if row[1] == "village" and code[-3:] in ("498", "598")}
    zones = {code for code, row in last.items() if row[1] == "county" and "71" <= code[4:6] <= "76"}
    assert len(virtual) == 14
    assert len(zones) > 5
    parents = site[0].values(
        "SELECT division.division_code, parent.division_code FROM core.division_period AS period"
        " JOIN core.division USING (division_id) JOIN core.division AS parent ON parent.division_id = period.parent_id"
        " WHERE period.valid_to = 'infinity'"
    )
    assert {code: parents[code] for code in virtual | zones} == {
        code: last[code][2] for code in virtual | zones
    }


@pytest.mark.parametrize("year", list(CUT_OFF))
def test_the_provinces_total_is_the_same_on_the_divisions_of_every_year(
    year: int, site: Loaded, lists: dict[int, Rows]
) -> None:
    """Every measure and channel; and every division that figures are put on is in force then."""
    on_day = CUT_OFF[year] if year > 2019 else PAST
    shown = site[0].frame(
        "SELECT measure, channel, value FROM mart.daily_statistics WHERE stat_date = :day AND level = 'province'"
        " ORDER BY 1, 2",
        day=PAST,
    )
    comparable = site[0].frame(
        "SELECT * FROM mart.comparable_statistics(:day, :on_day)", day=PAST, on_day=on_day
    )
    assert set(comparable["division_code"]) <= lists[year].keys()
    province = comparable.loc[comparable["level"] == "province", ["measure", "channel", "value"]]
    province = province.sort_values(["measure", "channel"], ignore_index=True)
    assert len(province) > 10
    pd.testing.assert_frame_equal(shown, province)
    cities = comparable[comparable["level"] == "city"].groupby(["measure", "channel"])["value"].sum()
    own = (
        site[0]
        .frame(
            "SELECT measure, channel, value FROM core.daily_count JOIN core.cell USING (cell_id)"
            " JOIN core.measure USING (measure_id) JOIN core.channel USING (channel_id)"
            " JOIN core.division ON division_id = unit_id WHERE division_code = '370000000000'"
        )
        .set_index(["measure", "channel"])["value"]
    )
    total = province.set_index(["measure", "channel"])["value"].drop(index="all", level="channel")
    assert (cities.drop(index="all", level="channel").add(own, fill_value=0) == total).all()


def test_a_share_of_every_division_adds_up_to_one_and_leads_to_one_in_force(site: Loaded) -> None:
    sums = site[0].frame(
        "SELECT division_id, sum(share) AS share, bool_and(EXISTS (SELECT FROM core.division_period AS period"
        " WHERE period.division_id = successor_id AND period.valid_to = 'infinity')) AS is_in_force"
        " FROM core.division_successor('2020-03-02', '2026-01-01') GROUP BY division_id"
    )
    assert len(sums) == 79_334
    assert (sums["share"] == 1).all()
    assert sums["is_in_force"].all()


def test_what_was_known_before_each_list_can_still_be_asked_for(site: Loaded, lists: dict[int, Rows]) -> None:
    moments = site[0].values(
        "SELECT effective_date, min(known_from) FROM core.division_change GROUP BY effective_date"
    )
    for year in range(2020, 2024):
        moment = moments[CUT_OFF[year]] - timedelta(microseconds=1)
        rows = site[0].frame(
            "SELECT division_code, division_name FROM core.division_period_as_of(:moment) JOIN core.division"
            " USING (division_id) WHERE valid_to = 'infinity'",
            moment=moment,
        )
        assert dict(rows.itertuples(index=False)) == {code: row[0] for code, row in lists[year - 1].items()}


def test_what_is_inferred_from_the_real_lists_changes_only_with_the_rules(site: Loaded) -> None:
    """Not a truth, a record: whoever changes etl/divisions/infer.py sees here what it does to real lists."""
    taken = {
        year: dict(Counter(each.kind for each in load.changes if each.is_taken and each.origin == "inferred"))
        for year, load in site[1].items()
    }
    assert taken == {
        2019: {},
        2020: {"recoded": 3174, "moved": 284, "merged": 6},
        2021: {"recoded": 1144, "moved": 109, "merged": 3},
        2022: {"recoded": 420, "moved": 52, "merged": 2},
        2023: {"recoded": 594, "moved": 21, "merged": 1},
    }
