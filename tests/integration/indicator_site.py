"""A small province for tests about indicators: facts written straight into the tables that the roll-ups fill, and an
independent recomputation of every indicator in plain Python."""

from __future__ import annotations

from calendar import isleap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog, Level
from etl.catalog.formula import Divisions, Figure, Reporting, Services, Term, Units
from etl.catalog.indicator import Indicator
from etl.indicators import compute_indicators
from etl.periods.period import Period
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, divisions_site

DEPTHS = {level.value: depth for depth, level in enumerate(Level, start=1)}
PROVINCE, CITY, COUNTY, COUNTY2 = "370000000000", "371300000000", "371302000000", "371311000000"
TOWN, TOWN2, TOWN3 = "371302001000", "371302002000", "371311001000"
VILLAGE, VILLAGE2, VILLAGE3, VILLAGE4 = "371302001001", "371302001002", "371302002003", "371311001004"
TREE = f"""
    {PROVINCE},山东省,province,
    {CITY},临沂市,city,{PROVINCE}
    {COUNTY},兰山区,county,{CITY}
    {COUNTY2},罗庄区,county,{CITY}
    {TOWN},兰山街道,township,{COUNTY}
    {TOWN2},银雀山街道,township,{COUNTY}
    {TOWN3},罗庄街道,township,{COUNTY2}
    {VILLAGE},甲村委会,village,{TOWN}
    {VILLAGE2},乙村委会,village,{TOWN}
    {VILLAGE3},丙村委会,village,{TOWN2}
    {VILLAGE4},丁村委会,village,{TOWN3}
"""
Cell = tuple[str, str]
Report = tuple[int, int, int]
"""Submissions expected, received, on time."""


@dataclass
class Facts:
    """What is known of one period. flows: own figures by unit; stocks: own month-end figures by unit; nil: units that
    reported nil; reports: own submissions by unit."""

    flows: dict[str, dict[Cell, int]] = field(default_factory=dict)
    stocks: dict[str, dict[str, int]] = field(default_factory=dict)
    nil: set[str] = field(default_factory=set)
    reports: dict[str, Report] = field(default_factory=dict)


@dataclass(frozen=True)
class Tree:
    """Divisions of a day: level and parent by code."""

    level: Mapping[str, str]
    parent: Mapping[str, str | None]

    def below(self, code: str) -> list[str]:
        """The division and all below it."""
        return [each for each in self.level if code in self.above(each)]

    def above(self, code: str) -> list[str]:
        """The division and all above it."""
        chain: list[str] = []
        at: str | None = code
        while at is not None:
            chain.append(at)
            at = self.parent[at]
        return chain


@dataclass(frozen=True)
class IndicatorSite:
    site: DivisionsSite

    @property
    def engine(self) -> Engine:
        return self.site.engine

    def tree(self, day: date) -> Tree:
        rows = self.site.frame(
            "SELECT d.division_code, p.level, u.division_code AS parent FROM core.division_period AS p"
            " JOIN core.division AS d USING (division_id) LEFT JOIN core.division AS u ON u.division_id = p.parent_id"
            " WHERE p.valid_from <= :day AND :day < p.valid_to",
            day=day,
        ).astype(object)
        rows = rows.where(rows.notna(), None)
        codes = rows["division_code"]
        return Tree(
            dict(zip(codes, rows["level"], strict=True)), dict(zip(codes, rows["parent"], strict=True))
        )

    def clear(self) -> None:
        """Forget all facts and what was made of them."""
        with self.engine.begin() as conn:
            conn.execute(
                sa.text(
                    "TRUNCATE core.submission, mart.indicator_figure, mart.unit_sum, mart.period_sum, mart.period,"
                    " mart.period_reporting, mart.daily_sum, mart.daily_reporting, mart.daily_rollup,"
                    " mart.stock_reporting, mart.stock_total, mart.stock_carried CASCADE"
                )
            )

    def put(self, period: Period, facts: Facts) -> None:
        """Write the facts of a month, quarter, year or year to date as its roll-ups would (0010)."""
        tree = self.tree(period.ends_on)
        with self.engine.begin() as conn:
            ids: dict[str, int] = dict(
                conn.execute(sa.text("SELECT division_code, division_id FROM core.division")).all()
            )
            number = conn.execute(
                sa.text("SELECT mart.ensure_period(:n, :k, :f, :l)"),
                {"n": period.name, "k": period.kind, "f": period.starts_on, "l": period.ends_on},
            ).scalar_one()
            for table in ("period_own", "period_total", "period_reporting"):
                conn.execute(sa.text(f"DELETE FROM mart.{table} WHERE period_id = {number}"))
            self._put_flows(conn, number, facts, tree, ids)
            self._put_reporting(conn, number, period.ends_on, facts, tree, ids)
            self._put_stocks(conn, period.ends_on, facts, tree, ids)
            conn.execute(
                sa.text(
                    "INSERT INTO mart.daily_rollup (stat_date, loaded_at, rolled_up_at)"
                    " SELECT day::date, now(), now() FROM generate_series(CAST(:f AS date), :l, '1 day') AS day"
                    " ON CONFLICT (stat_date) DO UPDATE SET rolled_up_at = now()"
                ),
                {"f": period.starts_on, "l": period.ends_on},
            )

    def _put_flows(
        self, conn: Connection, number: int, facts: Facts, tree: Tree, ids: dict[str, int]
    ) -> None:
        totals: dict[tuple[str, int], int] = defaultdict(int)
        leaves = set(tree.level) - set(tree.parent.values())
        for unit, cells in facts.flows.items():
            for (measure, channel), value in cells.items():
                self._insert(conn, "period_own", number, ids[unit], self.site.cells[measure, channel], value)
                for code in tree.above(unit):
                    if code not in leaves:
                        for each in (channel, "all"):
                            totals[code, self.site.cells[measure, each]] += value
        for (code, cell), value in totals.items():
            self._insert(conn, "period_total", number, ids[code], cell, value)

    @staticmethod
    def _insert(conn: Connection, table: str, *values: int) -> None:
        conn.execute(sa.text(f"INSERT INTO mart.{table} VALUES ({', '.join(map(str, values))})"))

    @staticmethod
    def _put_reporting(
        conn: Connection, number: int, last_day: date, facts: Facts, tree: Tree, ids: dict[str, int]
    ) -> None:
        for code in tree.level:
            below = tree.below(code)
            expected, received, on_time = (
                sum(facts.reports.get(unit, (0, 0, 0))[n] for unit in below) for n in range(3)
            )
            mask = 0
            for unit in facts.nil & set(below):
                mask |= 1 << DEPTHS[tree.level[unit]]
            conn.execute(
                sa.text(
                    "INSERT INTO mart.period_reporting VALUES"
                    " (:number, :id, :day, :leaf, 1, :expected, :received, :on_time, 0, :received, :mask)"
                ),
                {
                    "number": number,
                    "id": ids[code],
                    "day": last_day,
                    "leaf": len(below) == 1,
                    "expected": expected,
                    "received": received,
                    "on_time": on_time,
                    "mask": mask,
                },
            )

    def _put_stocks(self, conn: Connection, day: date, facts: Facts, tree: Tree, ids: dict[str, int]) -> None:
        """Submissions of stocks, and what their roll-up makes of them: every unit of a measure's levels owes it."""
        conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
        conn.execute(sa.text("DELETE FROM core.submission WHERE stat_date = :day"), {"day": day})
        for table in ("stock_reporting", "stock_total"):
            conn.execute(sa.text(f"DELETE FROM mart.{table} WHERE stat_date = :day"), {"day": day})
        batch = conn.execute(
            sa.text(
                "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)"
                " SELECT platform_id, 'stocks', :day, clock_timestamp()::text, repeat('a', 64), now(), 'loaded'"
                " FROM core.platform RETURNING batch_id, platform_id"
            ),
            {"day": day},
        ).one()
        for unit, stocks in facts.stocks.items():
            conn.execute(
                sa.text(
                    "INSERT INTO core.submission (stat_date, unit_id, platform_id, batch_id, dataset, revision,"
                    " received_at, known_from, is_nil, cells, figures, row_numbers) VALUES (:day, :unit, :platform,"
                    " :batch, 'stocks', 1, :at, :at, false, :cells, :figures, :cells)"
                ),
                {
                    "day": day,
                    "unit": ids[unit],
                    "platform": batch.platform_id,
                    "batch": batch.batch_id,
                    "at": datetime(2020, 1, 1, tzinfo=UTC),
                    "cells": [self.site.cells[name, "all"] for name in stocks],
                    "figures": list(stocks.values()),
                },
            )
        for code in tree.level:
            below = tree.below(code)
            conn.execute(
                sa.text(
                    "INSERT INTO mart.stock_reporting VALUES (:day, :id, :leaf, true, :reported, false, :lacking)"
                ),
                {
                    "day": day,
                    "id": ids[code],
                    "leaf": len(below) == 1,
                    "reported": code in facts.stocks,
                    "lacking": [
                        self.site.cells[name, "all"]
                        for name, each in self.site.catalog.measures.items()
                        if each.kind == "stock"
                        and tree.level[code] in each.levels
                        and name not in facts.stocks.get(code, ())
                    ],
                },
            )
            for name, measure in self.site.catalog.measures.items():
                owing = [unit for unit in below if tree.level[unit] in measure.levels]
                said = [facts.stocks[unit][name] for unit in owing if name in facts.stocks.get(unit, ())]
                if measure.kind != "stock" or not owing or len(below) == 1:
                    continue
                conn.execute(
                    sa.text(
                        "INSERT INTO mart.stock_total VALUES (:day, :id, :cell, :value, :owed, :said, NULL)"
                    ),
                    {
                        "day": day,
                        "id": ids[code],
                        "cell": self.site.cells[name, "all"],
                        "value": sum(said) if said else None,
                        "owed": len(owing),
                        "said": len(said),
                    },
                )

    def compute(self, *names: str, catalog: Catalog | None = None) -> None:
        for name in names:
            compute_indicators(self.engine, catalog or self.site.catalog, Period.parse(name))

    def values(self, period: str, indicator: str | None = None) -> pd.DataFrame:
        """Rows of mart.indicator_value, by division and indicator."""
        rows = self.site.frame(
            "SELECT * FROM mart.indicator_value WHERE period = :period"
            " AND (CAST(:indicator AS text) IS NULL OR indicator = :indicator)",
            period=period,
            indicator=indicator,
        )
        return rows.set_index(["division_code", "indicator"]).sort_index()

    def row(self, period: str, indicator: str, division: str = PROVINCE) -> Any:
        return self.values(period, indicator).loc[division, indicator]


@contextmanager
def indicator_site(server: ServerAddress, folder: Path, tree: str = TREE) -> Iterator[IndicatorSite]:
    with divisions_site(server, folder) as site:
        site.load(tree)
        yield IndicatorSite(site)


# --- the same in plain Python -------------------------------------------------------------------------------------

Reckoned = tuple[int | None, int | None, Fraction | None]
"""Numerator, denominator and value; None: missing, or nothing to divide by."""


def reckon(
    indicator: Indicator, code: str, period: Period, facts: Facts, tree: Tree, catalog: Catalog
) -> Reckoned:
    """An indicator of a division from the units' own facts, by the definitions of domain.md section 3 alone."""

    def summed(terms: tuple[Term, ...]) -> int | None:
        values = [_reckon_term(term, tree.below(code), facts, tree, catalog) for term in terms]
        return None if None in values else sum(value for value in values if value is not None)

    formula = indicator.parsed
    numerator = summed(formula.numerator)
    denominator = summed(formula.denominator) if formula.denominator else None
    if numerator is None or (formula.denominator and not denominator):
        return numerator, denominator, None
    value = Fraction(numerator * formula.factor, denominator or 1)
    if indicator.annualised:
        value *= Fraction(366 if isleap(period.ends_on.year) else 365, period.days)
    return numerator, denominator, value


def _reckon_term(term: Term, units: list[str], facts: Facts, tree: Tree, catalog: Catalog) -> int | None:
    measures = catalog.measures

    def owed_nil(levels: tuple[str, ...]) -> int | None:
        return 0 if any(unit in facts.nil and tree.level[unit] in levels for unit in units) else None

    def flows(names: list[str], channel: str) -> list[int]:
        return [
            value
            for unit in units
            for (name, way), value in facts.flows.get(unit, {}).items()
            if name in names and channel in (way, "all")
        ]

    match term:
        case Figure(name) if measures[name].kind == "stock":
            said = [facts.stocks[unit][name] for unit in units if name in facts.stocks.get(unit, {})]
            return sum(said) if said else None
        case Figure(name, channel):
            counted = flows([name], channel)
            return sum(counted) if counted else owed_nil(measures[name].levels)
        case Services(channel):
            counted = flows([name for name, each in measures.items() if each.is_service], channel)
            return sum(counted) if counted else owed_nil(tuple(Level))
        case Units(levels, conditions):
            asked = [unit for unit in units if tree.level[unit] in levels]
            answers = [[_own(unit, each.measure, facts, catalog) for each in conditions] for unit in asked]
            told = [answer for answer in answers if None not in answer]
            if not told:
                is_flow = any(measures[each.measure].kind != "stock" for each in conditions)
                return owed_nil(levels) if is_flow else None
            return sum(
                all(value >= each.at_least for value, each in zip(answer, conditions, strict=True))  # type: ignore[operator]
                for answer in told
            )
        case Divisions(levels):
            return sum(tree.level[unit] in levels for unit in units)
        case Reporting(which):
            place = ["expected", "received", "on_time"].index(which)
            return sum(facts.reports.get(unit, (0, 0, 0))[place] for unit in units)


def _own(unit: str, name: str, facts: Facts, catalog: Catalog) -> int | None:
    if catalog.measures[name].kind == "stock":
        return facts.stocks.get(unit, {}).get(name)
    own = [value for (each, _), value in facts.flows.get(unit, {}).items() if each == name]
    return sum(own) if own else None
