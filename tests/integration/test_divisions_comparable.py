"""Figures of past days on the divisions of later ones (可比口径), and roll-ups where a level is skipped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa

from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, Figures, divisions_site
from tests.integration.test_postgresql_15 import old_server  # noqa: F401

pytestmark = pytest.mark.integration
PAST, SPRING, SUMMER, AUTUMN = date(2026, 1, 5), date(2026, 3, 1), date(2026, 6, 1), date(2026, 9, 1)
PHYSICAL, NETWORK = ("consultation", "physical"), ("consultation", "network")
UPPER = """
    370000000000,山东省,province,
    371300000000,临沂市,city,370000000000
    371302000000,兰山区,county,371300000000
    371302001000,兰山街道,township,371302000000
    371302002000,银雀山街道,township,371302000000
"""
A = "371302001001,甲村委会,village,371302001000\n"
B = "371302001002,乙村委会,village,371302001000\n"
C = "371302002003,丙村委会,village,371302002000\n"
CODE_A, CODE_B, CODE_C = "371302001001", "371302001002", "371302002003"
TOWN, OTHER_TOWN, PROVINCE = "371302001000", "371302002000", "370000000000"


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[DivisionsSite]:
    with divisions_site(server, tmp_path) as made:
        yield made


def consultations(**values: int) -> Figures:
    codes = {"a": CODE_A, "b": CODE_B, "c": CODE_C, "town": TOWN}
    return {codes[name]: {PHYSICAL: value} for name, value in values.items()}


def assert_province_is_the_same(site: DivisionsSite, day: date, on_day: date) -> None:
    """For every measure and channel: as the mart shows the day, and on the later day's divisions."""
    shown = site.frame(
        "SELECT measure, channel, value FROM mart.daily_statistics WHERE stat_date = :day AND level = 'province'"
        " AND value IS NOT NULL ORDER BY 1, 2",
        day=day,
    )
    comparable = site.frame(
        "SELECT measure, channel, value FROM mart.comparable_statistics(:day, :on_day) WHERE level = 'province'"
        " ORDER BY 1, 2",
        day=day,
        on_day=on_day,
    )
    assert len(shown) >= 2
    pd.testing.assert_frame_equal(shown, comparable)


def test_a_merger_adds_counts(site: DivisionsSite) -> None:
    site.load(UPPER + A + B + C)
    site.submit(PAST, consultations(a=3, b=4, c=9, town=1))
    site.roll_up(PAST)
    site.load(UPPER + A + C, SUMMER, mapping=f"merged,{CODE_B},{CODE_A},,并入")
    comparable = site.comparable(PAST, SUMMER)
    assert comparable[CODE_A] == 7
    assert comparable[TOWN] == 8
    assert CODE_B not in comparable
    assert site.statistics(PAST)[CODE_B] == 4, "the past day itself stays as it was"
    assert_province_is_the_same(site, PAST, SUMMER)


def test_a_merger_across_parents_moves_the_counts_between_them(site: DivisionsSite) -> None:
    site.load(UPPER + A + B + C)
    site.submit(PAST, consultations(a=3, b=4, c=9))
    site.roll_up(PAST)
    site.load(UPPER + A + C, SUMMER, mapping=f"merged,{CODE_B},{CODE_C},,")
    comparable = site.comparable(PAST, SUMMER)
    assert (comparable[TOWN], comparable[OTHER_TOWN], comparable[PROVINCE]) == (3, 13, 16)


@pytest.mark.parametrize(
    ("value", "parts"), [(10, (6, 3, 1)), (1, (1, 0, 0)), (7, (4, 2, 1)), (0, (0, 0, 0))]
)
def test_a_split_shares_counts_out_in_whole_numbers_that_add_up(
    site: DivisionsSite, value: int, parts: tuple[int, int, int]
) -> None:
    """Largest remainder: 7 × (0.6, 0.27, 0.13) = 4.2, 1.89, 0.91, so 4 and, by remainder, 2 and 1."""
    site.load(UPPER + A + C)
    site.submit(PAST, consultations(a=value, c=100))
    site.roll_up(PAST)
    new = UPPER + A + B + C + "371302001009,丁村委会,village,371302001000"
    mapping = (
        f"split,{CODE_A},{CODE_A},0.6,\nsplit,{CODE_A},{CODE_B},0.27,\nsplit,{CODE_A},371302001009,0.13,"
    )
    site.load(new, SUMMER, mapping=mapping)
    comparable = site.comparable(PAST, SUMMER)
    assert (comparable[CODE_A], comparable[CODE_B], comparable["371302001009"]) == parts
    assert sum(parts) == value
    assert_province_is_the_same(site, PAST, SUMMER)


def test_a_split_without_stated_shares_moves_nothing(site: DivisionsSite) -> None:
    """Two townships in the place of one: what is inferred from the villages is only proposed."""
    old, parts = "371302005000", ("371302006000", "371302007000")
    villages = [f"37130200500{n},村{n}村委会,village," for n in range(1, 5)]
    site.load(
        UPPER + f"{old},旧镇,township,371302000000\n" + "\n".join(village + old for village in villages)
    )
    site.submit(PAST, {old: {PHYSICAL: 10}, **{f"37130200500{n}": {PHYSICAL: n} for n in range(1, 5)}})
    site.roll_up(PAST)
    towns = "".join(f"{code},新{code[8]}镇,township,371302000000\n" for code in parts)
    moved = "\n".join(village + parts[n // 2] for n, village in enumerate(villages))
    loaded = site.load(UPPER + towns + moved, SUMMER)
    proposed = [
        (change.kind, change.to_code, str(change.share)) for change in loaded.changes if not change.is_taken
    ]
    assert proposed == [("split", parts[0], "0.5000"), ("split", parts[1], "0.5000")]
    comparable = site.comparable(PAST, SUMMER)
    assert (comparable[parts[0]], comparable[parts[1]], comparable["371302000000"]) == (3, 7, 20)
    assert_province_is_the_same(site, PAST, SUMMER)
    mapping = "".join(
        f"split,{old},{part},{share},\n" for part, share in zip(parts, ("0.3", "0.7"), strict=True)
    )
    site.load(UPPER + towns + moved, SUMMER, mapping=mapping)
    comparable = site.comparable(PAST, SUMMER)
    assert (comparable[parts[0]], comparable[parts[1]], comparable["371302000000"]) == (6, 14, 20)


def test_a_division_gone_without_a_known_successor_leaves_its_figures_with_its_parent(
    site: DivisionsSite,
) -> None:
    site.load(UPPER + A + B + C)
    site.submit(PAST, consultations(a=3, b=4, c=9))
    site.roll_up(PAST)
    site.load(UPPER + A + C, SUMMER)
    comparable = site.comparable(PAST, SUMMER)
    assert (comparable[CODE_A], comparable[TOWN]) == (3, 7)
    assert_province_is_the_same(site, PAST, SUMMER)


def test_changes_of_several_lists_are_followed_one_after_the_other(site: DivisionsSite) -> None:
    site.load(UPPER + A + B + C)
    site.submit(PAST, consultations(a=8, b=4, c=1))
    site.roll_up(PAST)
    d, e = "371302001011,丁村委会,village,371302001000\n", "371302002012,戊村委会,village,371302002000\n"
    site.load(UPPER + A + d + C, SPRING, mapping=f"recoded,{CODE_B},371302001011,,")
    site.load(
        UPPER + d + e + C,
        SUMMER,
        mapping=f"split,{CODE_A},371302001011,0.5,\nsplit,{CODE_A},371302002012,0.5,",
    )
    site.load(UPPER + d + C, AUTUMN, mapping=f"merged,371302002012,{CODE_C},,")
    assert site.comparable(PAST, SPRING)["371302001011"] == 4
    assert site.comparable(PAST, SUMMER)["371302001011"] == 8
    assert site.comparable(PAST, SUMMER)["371302002012"] == 4
    assert (site.comparable(PAST, AUTUMN)["371302001011"], site.comparable(PAST, AUTUMN)[CODE_C]) == (8, 5)
    for on_day in (PAST, SPRING, SUMMER, AUTUMN):
        assert_province_is_the_same(site, PAST, on_day)


def test_on_its_own_divisions_a_day_is_what_it_is(site: DivisionsSite) -> None:
    site.load(UPPER + A + B + C)
    site.submit(PAST, {CODE_A: {PHYSICAL: 3, NETWORK: 2}, CODE_B: {NETWORK: 5}, TOWN: {PHYSICAL: 1}})
    site.roll_up(PAST)
    columns = "division_code, division_name, level, parent_code, stat_date, measure, channel, value"
    order = "ORDER BY division_code, measure, channel"
    shown = site.frame(f"SELECT {columns} FROM mart.daily_statistics WHERE value > 0 {order}")
    same = site.frame(f"SELECT {columns} FROM mart.comparable_statistics(:day, :day) {order}", day=PAST)
    assert len(shown) > 10
    pd.testing.assert_frame_equal(shown, same)


def test_a_comparison_gives_the_past_day_plain_and_on_the_divisions_of_the_day(site: DivisionsSite) -> None:
    site.load(UPPER + A + B + C)
    site.load(UPPER + A + C, SUMMER, mapping=f"merged,{CODE_B},{CODE_A},,")
    site.submit(PAST, consultations(a=3, b=4, c=9))
    site.submit(SUMMER, consultations(a=14, c=9))
    for day in (PAST, SUMMER):
        site.roll_up(day)
    compared = site.frame(
        "SELECT division_code, value, value_past, value_past_comparable FROM mart.daily_comparison(:on_day, :day)"
        " WHERE measure = 'consultation' AND channel = 'all'",
        on_day=SUMMER,
        day=PAST,
    ).set_index("division_code")
    assert compared.loc[CODE_A].tolist() == [14, 3, 7]
    assert compared.loc[PROVINCE].tolist() == [23, 16, 16]
    assert compared.loc[CODE_B, "value_past"] == 4
    assert compared.loc[CODE_B, ["value", "value_past_comparable"]].isna().all()


def test_figures_cannot_be_put_on_the_divisions_of_an_earlier_day(site: DivisionsSite) -> None:
    site.load(UPPER + A)
    site.submit(SUMMER, consultations(a=1))
    with pytest.raises(sa.exc.DBAPIError, match="earlier day"):
        site.comparable(SUMMER, PAST)


def test_whatever_happens_to_divisions_the_provinces_total_stays(site: DivisionsSite) -> None:
    """Random lists of three years with random mappings; every measure and channel, every pair of days."""
    chance = random.Random(20260302)
    towns = [f"3713020{n:02}000" for n in range(1, 9)]
    head = UPPER.split("371302001000")[0]
    days = [PAST, SPRING, SUMMER, AUTUMN]
    before: dict[str, str] = {}
    for number, day in enumerate(days):
        chosen = chance.sample(towns, 6)
        villages = {f"{chance.choice(chosen)[:9]}{chance.randrange(1, 20):03}" for _ in range(60)}
        parents = {code: f"{code[:9]}000" for code in villages}
        rows = [f"{code},{code[7:9]}镇,township,371302000000" for code in chosen]
        rows += [f"{code},村{code[6:]}村委会,village,{parent}" for code, parent in parents.items()]
        mapping = []
        for code in sorted(before.keys() - villages):
            fate = chance.choice(["merged", "split", "silence"])
            heirs = chance.sample(sorted(villages), 3)
            if fate == "merged":
                mapping.append(f"merged,{code},{heirs[0]},,")
            elif fate == "split":
                mapping += [
                    f"split,{code},{heir},{part},"
                    for heir, part in zip(heirs, ("0.5", "0.3", "0.2"), strict=True)
                ]
        options = {"mapping": "\n".join(mapping)} if mapping else {}
        loaded = site.load(head + "\n".join(rows), day if number else None, **options)
        assert not number or loaded.counts()["removed"] > 5
        before = parents
        units = [*chosen, *villages, "371302000000"]
        site.submit(
            day,
            {
                code: {PHYSICAL: chance.randrange(20), ("publicity_event", "network"): chance.randrange(5)}
                for code in units
            },
        )
        site.roll_up(day)
    for n, day in enumerate(days):
        for on_day in days[n:]:
            assert_province_is_the_same(site, day, on_day)


def test_a_division_that_moves_under_its_code_takes_its_earlier_figures_along(site: DivisionsSite) -> None:
    site.load(UPPER + A + B + C)
    site.submit(PAST, consultations(a=3, b=4, c=9))
    site.roll_up(PAST)
    site.load(UPPER + A + B.replace(f",{TOWN}", f",{OTHER_TOWN}") + C, SUMMER)
    comparable = site.comparable(PAST, SUMMER)
    assert (comparable[TOWN], comparable[OTHER_TOWN], comparable[CODE_B]) == (3, 13, 4)
    assert site.statistics(PAST)[TOWN] == 7


def test_changes_are_followed_on_postgresql_15_too(
    old_server: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    class Server15(ServerAddress):
        def ensure_database(self, database: str) -> None:
            with psycopg.connect(
                host=str(old_server), user="postgres", dbname="postgres", autocommit=True
            ) as conn:
                conn.execute(f"CREATE DATABASE {database}".encode())

    with divisions_site(Server15(old_server), tmp_path) as site:
        site.load(UPPER + A + B + C)
        site.submit(PAST, consultations(a=3, b=5, c=9))
        site.roll_up(PAST)
        site.load(
            UPPER + A + C, SUMMER, mapping=f"split,{CODE_B},{CODE_A},0.5,\nsplit,{CODE_B},{CODE_C},0.5,"
        )
        assert site.comparable(PAST, SUMMER)[CODE_A] == 6
        assert site.comparable(PAST, SUMMER)[CODE_C] == 11
        assert_province_is_the_same(site, PAST, SUMMER)


# --- levels that are skipped ---------------------------------------------------------------------------------------


def test_roll_ups_are_right_where_a_township_stands_directly_below_a_city(
    server: ServerAddress, tmp_path: Path
) -> None:
    """Dongguan: no counties, the city's code listed again as one; beside it a city with counties, and a placeholder."""
    rows = """
        440000000000,广东省,province,
        440100000000,广州市,city,440000000000
        440103000000,荔湾区,county,440100000000
        440103001000,沙面街道,township,440103000000
        440103001001,翠洲社区居委会,village,440103001000
        440199000000,空置县,county,440100000000
        441900000000,东莞市,city,440000000000
        441900000000,东莞市,county,441900000000
        441900003000,东城街道,township,441900000000
        441900003001,岗贝社区居委会,village,441900003000
        441900003002,花园新村社区居委会,village,441900003000
    """
    with divisions_site(server, tmp_path, area="440000000000") as site:
        loaded = site.load(rows)
        assert loaded.listed == 10
        site.submit(
            PAST,
            {
                "440103001001": {PHYSICAL: 1},
                "441900000000": {PHYSICAL: 20},
                "441900003000": {PHYSICAL: 300},
                "441900003001": {PHYSICAL: 4000, NETWORK: 50000},
                "441900003002": {},
            },
        )
        site.roll_up(PAST)
        totals = {
            "440000000000": 54321,
            "440100000000": 1,
            "440103000000": 1,
            "440103001000": 1,
            "440103001001": 1,
            "441900000000": 54320,
            "441900003000": 54300,
            "441900003001": 54000,
        }
        shown = site.statistics(PAST)
        assert {code: shown[code] for code in totals} == totals
        assert site.comparable(PAST, PAST) == totals
        reporting = site.frame(
            "SELECT DISTINCT division_code, units_expected, units_reported FROM mart.daily_statistics"
        ).set_index("division_code")
        assert reporting.loc["440000000000"].tolist() == [10, 5]
        assert reporting.loc["441900000000"].tolist() == [4, 4]
