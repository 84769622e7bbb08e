"""A synthetic provincial day: who reports what, and the files in which it arrives."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import yaml

from etl.catalog import Catalog, Level, Measure
from etl.settings import DIVISIONS_FILE

DAY = date(2026, 3, 2)
HEADER = "单位代码,统计日期,渠道,指标,数值,填报时间,版次"
DENSE_MEASURES = 12
SEED = 20260302
PAGE_SIZE = 500
FIRST_CITY, FIRST_VILLAGES = "3701", 5_758
"""The city whose villages come first in the list, and how many it has: days of no more villages are its own."""
SHARE_SPOILED = 0.01
SHARE_REPORTING = 0.17
"""Of the villages of a realistic day; the others report nil. Townships and counties always have something."""


@dataclass(frozen=True)
class Day:
    """units: division codes that report. figures: unit, measure, channel (codes), value; one row per figure.

    A unit without a figure reports nil. has_totals: a sender's own total stands below each unit's figures.
    """

    shape: str
    units: pd.DataFrame
    figures: pd.DataFrame
    has_totals: bool


def read_divisions() -> pd.DataFrame:
    """The shipped list: code, name, level, parent_code, all text."""
    return pd.read_csv(DIVISIONS_FILE, dtype=str, keep_default_na=False)


def dense_day(catalog: Catalog, villages: int) -> Day:
    """Every village fills in every cell: 12 measures in three channels."""
    units = _reporting_units(villages, [Level.VILLAGE])
    cells = _cells(_flows(catalog, Level.VILLAGE)[:DENSE_MEASURES])
    figures = units.merge(cells, how="cross")[["unit", "measure", "channel"]]
    figures["value"] = np.random.default_rng(SEED).poisson(8, len(figures))
    return Day("dense", units, figures, has_totals=False)


def spoiled(day: Day) -> Day:
    """The same day with one figure in a hundred below zero."""
    is_bad = np.random.default_rng(SEED).random(len(day.figures)) < SHARE_SPOILED
    value = day.figures["value"]
    return replace(day, figures=day.figures.assign(value=value.where(~is_bad, -value - 1)))


def realistic_day(catalog: Catalog, villages: int) -> Day:
    """Villages, townships and counties report; most villages nil, the others some of their cells."""
    units = _reporting_units(villages, [Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE])
    random = np.random.default_rng(SEED)
    is_busy = (units["level"] != Level.VILLAGE) | (random.random(len(units)) < SHARE_REPORTING)
    parts = []
    for level, share in ((Level.COUNTY, 0.6), (Level.TOWNSHIP, 0.5), (Level.VILLAGE, 0.3)):
        cells = _cells(_flows(catalog, level))
        mine = units[is_busy & (units["level"] == level)].merge(cells, how="cross")
        parts.append(mine[random.random(len(mine)) < share])
    figures = pd.concat(parts).sort_values("unit", kind="stable", ignore_index=True)
    figures["value"] = random.poisson(4, len(figures)) + 1
    return Day("realistic", units, figures[["unit", "measure", "channel", "value"]], has_totals=True)


def platform_id(county: str) -> str:
    """The platform that keeps the files of a county (its code or the first six digits): one for each city."""
    return f"city-{county[:4]}"


def cities_of(divisions: pd.DataFrame, prefix: str = "") -> list[str]:
    """Codes of the cities among divisions; of those whose codes begin so."""
    cities = divisions.loc[divisions["level"] == Level.CITY, "code"]
    return cities[cities.str.startswith(prefix)].tolist()


def declare(folder: Path, cities: Iterable[str]) -> None:
    """One platform of files for each city, to which counties, townships and villages report."""
    folder.mkdir(parents=True, exist_ok=True)
    declared = [
        {
            "id": platform_id(city),
            "family": "csv",
            "level": ["county", "township", "village"],
            "datasets": ["daily"],
            "conn_id": "pls_bench",
            "area": [city],
            "calendar": "everyday",
        }
        for city in cities
    ]
    (folder / "bench.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")


def pack_files(day: Day, catalog: Catalog, on: date = DAY) -> dict[str, bytes]:
    """The day as township platforms send it (contract, B): one gzipped GB18030 file per county, by file name."""
    measure = {code: each.name_zh for code, each in catalog.measures.items()}
    channel = {code: each.name_zh for code, each in catalog.channels.items()}
    figures = day.figures.assign(
        measure=day.figures["measure"].map(measure), channel=day.figures["channel"].map(channel)
    )
    parts = [figures]
    if day.has_totals:
        totals = figures.groupby(["unit", "channel"], as_index=False)["value"].sum()
        parts.append(totals.assign(measure="合计"))
    nil = day.units.loc[~day.units["unit"].isin(day.figures["unit"]), ["unit"]]
    parts.append(nil.assign(measure="零报告", channel="实体", value=0))
    lines = pd.concat(parts).sort_values("unit", kind="stable")
    minute = lines["unit"].str[-4:].astype(int) % 60
    text = (
        lines["unit"]
        + f",{on.isoformat()},"
        + lines["channel"]
        + ","
        + lines["measure"]
        + ","
        + lines["value"].astype(str)
        + f",{on.isoformat()} 17:"
        + minute.astype(str).str.zfill(2)
        + ":00,1"
    )
    files = {}
    for county, mine in text.groupby(lines["unit"].str[:6]):
        body = "\r\n".join([HEADER, *mine, ""]).encode("gb18030")
        files[f"township_{county}_{on:%Y%m%d}_r1.csv.gz"] = gzip.compress(body, compresslevel=6, mtime=0)
    return files


def pack_pages(day: Day) -> tuple[bytes, ...]:
    """The day as a county platform lists it (contract, A): pages of 500 submissions."""
    values: dict[str, list[dict[str, object]]] = {unit: [] for unit in day.units["unit"]}
    for unit, measure, channel, value in day.figures.itertuples(index=False):
        values[unit].append({"measure": measure, "channel": channel, "value": value})
    items = [
        {
            "unit": unit,
            "date": DAY.isoformat(),
            "revision": 1,
            "submitted_at": f"{DAY}T17:21:09+08:00",
            "values": mine,
        }
        for unit, mine in values.items()
    ]
    return tuple(
        page_of(items[start : start + PAGE_SIZE], len(items), start // PAGE_SIZE + 1)
        for start in range(0, len(items), PAGE_SIZE)
    )


def page_of(items: list[dict[str, object]], total: int, number: int = 1) -> bytes:
    """One page of a list of submissions (contract, A)."""
    data = {"total": total, "page": number, "size": PAGE_SIZE, "items": items}
    return orjson.dumps({"code": 0, "msg": "ok", "data": data})


def _reporting_units(villages: int, levels: list[Level]) -> pd.DataFrame:
    """The first villages of the list, and those of the wanted levels above them: unit, level."""
    divisions = read_divisions().sort_values("code")
    chosen = divisions[divisions["level"] == Level.VILLAGE].head(villages)
    above = divisions["code"].isin(set(chosen["parent_code"])) | divisions["code"].isin(
        set(chosen["code"].str[:6] + "000000")
    )
    is_wanted = divisions["level"].isin([level.value for level in levels])
    mine = divisions[is_wanted & (above | divisions["code"].isin(chosen["code"]))]
    return mine[["code", "level"]].rename(columns={"code": "unit"}).reset_index(drop=True)


def _flows(catalog: Catalog, level: Level) -> list[Measure]:
    """Flow measures that units of this level report in every channel."""
    every = tuple(catalog.channels)
    return [
        each
        for each in catalog.daily_measures()
        if each.kind == "flow" and level in each.levels and set(each.channels) == set(every)
    ]


def _cells(measures: list[Measure]) -> pd.DataFrame:
    pairs = [(each.code, channel) for each in measures for channel in each.channels]
    return pd.DataFrame(pairs, columns=["measure", "channel"])
