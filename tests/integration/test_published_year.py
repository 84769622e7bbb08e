"""A published year, fed through the platforms and spread over a city, comes out of the yearly table exactly."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etl.daily import run_day
from etl.periods import periods_touched
from etl.periods.totals import total_period
from etl.settings import DIVISIONS_FILE
from tests.integration.conftest import read_view

pytestmark = pytest.mark.integration
CITY = "371300000000"
DAYS = [date(2015, 1, 5), date(2015, 2, 27), date(2015, 6, 8), date(2015, 12, 31)]
# SUZ-2016 (domain.md, section 3), with the levels that report each.
PUBLISHED = {
    "consultation": (138_031, "city county township village"),
    "publicity_audience": (187_308, "county township village"),
    "mediation_accepted": (27_143, "county township village"),
    "notary_consultation": (53_970, "county township"),
    "advice_to_government": (1_205, "county township"),
    "advice_to_village": (3_454, "village"),
    "document_drafted": (1_976, "county township village"),
}
PLATFORM = f"""
- id: whole-city
  family: csv
  level: [city, county, township, village]
  datasets: [daily]
  conn_id: whole_city
  area: ["{CITY}"]
  calendar: everyday
"""


@dataclass
class Feed:
    """A platform's folder and its declaration."""

    home: Path

    @property
    def catalog_dir(self) -> Path:
        (self.home / "catalog" / "platforms").mkdir(parents=True, exist_ok=True)
        (self.home / "catalog" / "platforms" / "city.yaml").write_text(PLATFORM)
        return self.home / "catalog"

    def environment(self) -> dict[str, str]:
        connection = {"conn_type": "file", "extra": {"path": str(self.home / "files")}}
        return {"AIRFLOW_CONN_WHOLE_CITY": json.dumps(connection)}

    def write(self, county: str, day: date, lines: list[str]) -> None:
        folder = self.home / "files" / f"{day:%Y%m%d}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"township_{county[:6]}_{day:%Y%m%d}_r1.csv.gz"
        header = "单位代码,统计日期,渠道,指标,数值,填报时间,版次"
        packed = gzip.compress("\r\n".join([header, *lines, ""]).encode("gb18030"))
        (folder / name).write_bytes(packed)
        (folder / f"{name}.sha256").write_text(f"{hashlib.sha256(packed).hexdigest()}  {name}\n")


def units() -> pd.DataFrame:
    """The city's units, by their parents, with the county whose file they stand in; two villages a township."""
    listed = pd.read_csv(DIVISIONS_FILE, dtype=str, keep_default_na=False)
    parent, level = (
        dict(zip(listed["code"], listed[name], strict=True)) for name in ("parent_code", "level")
    )
    lines, taken = [], defaultdict(int)
    for code in listed["code"]:
        above = [code]
        while above[-1] in parent and parent[above[-1]]:
            above.append(parent[above[-1]])
        if CITY not in above:
            continue
        taken[parent[code]] += 1
        if level[code] == "village" and taken[parent[code]] > 2:
            continue
        county = next((each for each in above if level[each] == "county"), "371302000000")
        lines.append({"unit": code, "level": level[code], "county": county})
    return pd.DataFrame(lines)


def test_the_published_totals_of_a_year_come_out_exactly(
    tmp_path: Path, open_for: Callable[[Any], Any]
) -> None:
    feed = Feed(tmp_path)
    site = open_for(feed)
    rng = np.random.default_rng(2016)
    names = {each.code: each.name_zh for each in site.catalog.measures.values()}
    channels = list(site.catalog.channels.values())
    everyone = units()
    assert everyone["level"].value_counts()["county"] == 13
    lines: dict[tuple[str, date], list[str]] = defaultdict(list)
    for measure, (published, levels) in PUBLISHED.items():
        senders = everyone[everyone["level"].isin(levels.split())]
        cells = [
            (unit, county, day, channel)
            for unit, county in zip(senders["unit"], senders["county"], strict=True)
            for day in DAYS
            for channel in channels
        ]
        for (unit, county, day, channel), value in zip(
            cells, rng.multinomial(published, np.full(len(cells), 1 / len(cells))), strict=True
        ):
            if value:
                words = [unit, str(day), channel.name_zh, names[measure], str(value), f"{day} 17:00:00", "1"]
                lines[county, day].append(",".join(words))
    for (county, day), rows in lines.items():
        feed.write(county, day, rows)
    for day in DAYS:
        assert run_day(site, day, ["whole-city"]) == []
    assert read_view(site, "quality.quarantine").empty
    for period in periods_touched(DAYS):
        total_period(site.engine, site.catalog, period)

    year = read_view(site, "mart.period_statistics", period="2015", division_code=CITY, channel="all")
    found = dict(zip(year["measure"], year["value"], strict=True))
    assert found == {measure: total for measure, (total, _) in PUBLISHED.items()}
    assert year["is_provisional"].all(), "four days are no year"
    quarters = pd.concat(
        read_view(site, "mart.period_statistics", period=f"2015Q{n}", division_code=CITY) for n in (1, 2, 4)
    )
    quarters = quarters[quarters["channel"] != "all"]
    assert quarters.groupby("measure")["value"].sum().to_dict() == found
    counties = read_view(site, "mart.period_statistics", period="2015", level="county", channel="all")
    assert counties["division_code"].nunique() == 13
    below = counties.groupby("measure")["value"].sum()
    assert below["advice_to_village"] == found["advice_to_village"]
    assert below["consultation"] < found["consultation"], "the city's own centre reports too"
