"""The benchmark measures what it says: the day it makes, the files it packs, the page it writes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bench.__main__ import declare
from bench.day import DAY, dense_day, pack_files, read_divisions, realistic_day, spoiled
from bench.further import Ratio
from bench.process import Measured
from bench.product import platform_id
from bench.report import Shape, describe
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
    declare(tmp_path / "platforms")
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


def test_the_page_shows_the_ratios_of_the_same_repeat() -> None:
    shape = Shape("dense", submissions=10, rows=360, compared={"village": 360})
    shape.product = [
        Measured({"tasks": 4.0, "load": 2.0}, 1 << 20, {"read": 7.0}),
        Measured({"tasks": 5.0, "load": 5.0}, 1 << 20),
    ]
    shape.floor = [Measured({"COPY": 2.0}), Measured({"COPY": 2.0})]
    shape.peer = Measured({"to_sql": 60.0}, 2 << 20)
    ratio = Ratio("restated / whole", "≤ 1/20", 0.0312, "12 ms, whole 0.38 s")
    page = describe([shape], [ratio], "18", (0.5, 1.5))
    assert "| restated / whole | ≤ 1/20 | 0.031 | 12 ms, whole 0.38 s |" in page
    assert "| 3.00 ×, median 4.00 × |" in page
    assert "| 10.0 ×, median 8.0 × |" in page
    assert "| archive to mart | tasks | 4.00 s | 67% |" in page
    assert "| archive to mart | inside the tasks, added up: read | 7.00 s |  |" in page
    assert "dense village 360" in page


def test_one_figure_in_a_hundred_of_the_spoiled_day_is_below_zero(catalog: Catalog) -> None:
    day = dense_day(catalog, 500)
    share = (spoiled(day).figures["value"] < 0).mean()
    assert 0.008 < share < 0.012
    assert not (day.figures["value"] < 0).any()
