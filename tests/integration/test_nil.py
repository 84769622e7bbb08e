"""Nothing is 0 that nobody said is: a nil report, one with survey answers, and a submission without any value."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from etl.daily import run_day
from etl.periodic import show_period
from etl.periods import Period
from etl.site import Site
from etl.verify import verify
from simulator.simulation import Simulation
from tests.integration.conftest import read_view

pytestmark = pytest.mark.integration
DAY = date(2026, 3, 2)
HEADER = "单位代码,统计日期,渠道,指标,数值,填报时间,版次"
COUNTY = "371302"
NIL, WITH_SURVEY, SILENT = (f"{COUNTY}{number:03d}000" for number in (1, 2, 3))
COUNTED = "services_per_10000"
LINES = [
    f"{NIL},{DAY},实体,零报告,0,,1",
    f"{WITH_SURVEY},{DAY},实体,零报告,0,,1",
    f"{WITH_SURVEY},{DAY},实体,测评份数,30,,1",
    f"{WITH_SURVEY},{DAY},实体,回答份数,20,,1",
    f"{SILENT},{DAY},实体,解答法律咨询,-,,1",
]


@pytest.fixture
def site(tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]) -> Site:
    """A day of one county's townships, whose file is written by hand, and its month."""
    simulation = Simulation(
        home=tmp_path / "platforms",
        days=[DAY],
        hotline_url=hotline_url,
        counties=[f"{COUNTY}000000"],
        townships_per_county=4,
        transport="file",
    )
    with simulation:
        site = open_for(simulation)
        (platform,) = (each.id for each in site.catalog.platforms.values() if each.family == "csv")
        (file,) = (simulation.files_root(platform) / f"{DAY:%Y%m%d}").glob("*_r1.csv.gz")
        packed = gzip.compress("\n".join([HEADER, *LINES]).encode("gb18030"), mtime=0)
        file.write_bytes(packed)
        digest = hashlib.sha256(packed).hexdigest()
        Path(f"{file}.sha256").write_text(f"{digest}  {file.name}\n")
        assert run_day(site, DAY, [platform]) == []
    show_period(site, Period.parse("2026-03"))
    return site


def shown(site: Site, unit: str, measure: str, view: str = "mart.daily_statistics", **where: Any) -> Any:
    rows = read_view(site, view, division_code=unit, **where)
    mine = rows[(rows["measure"] == measure) & (rows["channel"] == "all")]["value"]
    return None if mine.empty or mine.isna().all() else mine.item()


def test_only_who_says_so_has_nothing(site: Site) -> None:
    day: dict[str, Any] = {"stat_date": DAY}
    month: dict[str, Any] = {"view": "mart.period_statistics", "period": "2026-03"}
    for slice_ in (day, month):
        said = [shown(site, unit, "consultation", **slice_) for unit in (NIL, WITH_SURVEY, SILENT)]
        assert said == [0, 0, None]
        assert shown(site, WITH_SURVEY, "survey_answered", **slice_) == 20
    status = read_view(site, "mart.submission_status", stat_date=DAY, dataset="daily").set_index("unit_code")
    mine = status.loc[[NIL, WITH_SURVEY, SILENT]]
    assert mine["is_nil"].tolist() == [True, True, False]
    assert mine["received_at"].notna().all()
    indicator = read_view(site, "mart.indicator_value", period="2026-03", indicator=COUNTED).set_index(
        "division_code"
    )
    values = indicator.loc[[NIL, WITH_SURVEY, SILENT], "numerator"]
    assert [None if pd.isna(value) else value for value in values] == [0, 0, None]
    assert verify(site).differences == []


def test_the_day_as_it_was_known_is_the_day(site: Site) -> None:
    with site.engine.connect() as conn:
        query = sa.text("SELECT * FROM mart.daily_statistics_as_of(clock_timestamp(), :day)")
        known = pd.DataFrame(conn.execute(query, {"day": DAY}).all())
    shown_ = read_view(site, "mart.daily_statistics", stat_date=DAY)
    keys = ["division_code", "measure", "channel"]
    assert len(shown_) > 5
    pd.testing.assert_frame_equal(
        known.set_index(keys).sort_index()[["value"]],
        shown_.set_index(keys).sort_index()[["value"]],
        check_dtype=False,
    )


def test_who_says_nothing_is_flagged_and_the_ledger_adds_up(site: Site) -> None:
    flags = read_view(site, "quality.flag", check_code="no_figures")
    assert flags["unit_code"].tolist() == [SILENT]
    (rows,) = read_view(site, "mart.ledger").to_dict("records")
    assert (rows["rows_received"], rows["rows_loaded"]) == (2, 2)
