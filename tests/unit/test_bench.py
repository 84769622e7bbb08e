"""The benchmark measures what it says: the day it makes, the files it packs, the page it writes."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from bench.day import (
    DAY,
    cities_of,
    declare,
    dense_day,
    pack_files,
    pack_pages,
    platform_id,
    read_divisions,
    realistic_day,
    spoiled,
)
from bench.peers.environment import LOCK, peer_versions
from bench.proof import Unequal, prove_same
from bench.report import Line, describe
from etl.catalog import Catalog, load_catalog
from etl.sources import SOURCES, pulled_of


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def test_the_dense_day_has_every_cell_of_twelve_measures_in_three_channels(catalog: Catalog) -> None:
    day = dense_day(catalog, 50)
    assert len(day.units) == 50
    assert len(day.figures) == 50 * 12 * 3
    assert not day.figures.duplicated(["unit", "measure", "channel"]).any()
    assert (read_divisions()["level"] == "village").sum() * 12 * 3 == 2_234_664


def test_most_units_of_the_realistic_day_report_nil(catalog: Catalog) -> None:
    day = realistic_day(catalog, 3000)
    speaking = day.figures["unit"].nunique()
    assert 0.1 < speaking / len(day.units) < 0.4
    assert set(day.units["level"]) == {"village", "township", "county"}


def test_the_product_reads_every_figure_of_the_files_as_it_was_made(catalog: Catalog, tmp_path: Path) -> None:
    declare(tmp_path / "platforms", cities_of(read_divisions()))
    own = load_catalog(tmp_path)
    day = realistic_day(catalog, 800)
    files = pack_files(day, catalog)
    assert len(files) == day.units["unit"].str[:6].nunique()
    found, units = 0, 0
    for name, body in files.items():
        assert (
            gzip.decompress(body)
            .decode("gb18030")
            .startswith("单位代码,统计日期,渠道,指标,数值,填报时间,版次\r\n")
        )
        reading = SOURCES["csv"].read(
            own.platforms[platform_id(name.split("_")[1])], own, pulled_of(DAY, name, (body,))
        )
        assert reading.notes == []
        found += reading.rows["value"].sum()
        units += len(reading.submissions)
    assert found == day.figures["value"].sum() > 0
    assert units == len(day.units)


def test_the_product_reads_every_figure_of_the_pages_as_it_was_made(catalog: Catalog) -> None:
    day = realistic_day(catalog, 800)
    pages = pack_pages(day)
    assert len(pages) == -(-len(day.units) // 500) > 1
    platform = next(each for each in catalog.platforms.values() if each.family == "rest")
    reading = SOURCES["rest"].read(platform, catalog, pulled_of(DAY, "submissions", pages))
    assert reading.notes == []
    assert reading.rows["value"].sum() == day.figures["value"].sum() > 0
    assert len(reading.submissions) == len(day.units)


@pytest.mark.parametrize(
    ("line", "goal", "verdict"),
    [
        (Line("ours / floor", 2.0, "", at_most=2), "≤ 2", "met"),
        (Line("ours / floor", 2.1, "", at_most=2), "≤ 2", "**missed**"),
        (Line("speed", 0.6, "", at_least=0.6), "≥ 0.6", "met"),
        (Line("speed", 0.59, "", at_least=0.6), "≥ 0.6", "**missed**"),
        (Line("share", 7.0, ""), "", ""),
    ],
)
def test_a_line_says_whether_its_goal_is_met(line: Line, goal: str, verdict: str) -> None:
    assert (line.goal, line.verdict) == (goal, verdict)


def test_the_page_names_every_goal_that_is_missed() -> None:
    lines = [
        Line("restated / whole", 0.0312, "12 ms, whole 0.38 s", at_most=0.05),
        Line("archive to mart / floor", 3.0, "6.0 s, floor 2.0 s", at_most=2),
    ]
    page = describe(lines, ["Compared: 360."], ["PostgreSQL 18"], (0.5, 1.5))
    assert "| restated / whole | 0.0312 | ≤ 0.05 | met | 12 ms, whole 0.38 s |" in page
    assert "| archive to mart / floor | 3 | ≤ 2 | **missed** | 6.0 s, floor 2.0 s |" in page
    assert "Goals missed: archive to mart / floor." in page
    assert "No goal is missed." in describe(lines[:1], [], [], (0, 0))


def test_programs_that_found_different_things_are_not_compared() -> None:
    prove_same("read", 7, 7)
    for ours, theirs in ((7, 8), (0, 0)):
        with pytest.raises(Unequal):
            prove_same("read", ours, theirs)


def test_the_peers_are_pinned_with_hashes_apart_from_the_product() -> None:
    assert [each.split()[0] for each in peer_versions()] == ["dbt-core", "dbt-postgres", "polars"]
    lock = LOCK.read_text()
    assert lock.count("==") == len(re.findall(r"^\S+==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE)) > 3
    assert "://" not in lock
    product = Path(__file__).parents[2] / "requirements.lock"
    assert not [line for line in product.read_text().splitlines() if line.startswith(("dbt-", "polars"))]


def test_one_figure_in_a_hundred_of_the_spoiled_day_is_below_zero(catalog: Catalog) -> None:
    day = dense_day(catalog, 500)
    share = (spoiled(day).figures["value"] < 0).mean()
    assert 0.008 < share < 0.012
    assert not (day.figures["value"] < 0).any()
