"""The divisions and what each unit has to report on a day: a pure function of seed, unit and date."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.catalog import Catalog, Dataset
from simulator.rates import (
    ANSWERED,
    ANSWERS,
    DEFAULT_YEARLY,
    DERIVED,
    HOLIDAY,
    PUBLICITY_DAYS,
    SEASON,
    WEEKDAY,
    YEARLY,
    Multiple,
)

Pair = tuple[str, str]
"""Measure code and channel code."""

REPORTING_LEVELS = ("city", "county", "township", "village")
WORKDAY_LEVELS = ("township", "village")
PROVINCE_UNITS = {"city": 16, "county": 151, "township": 1_853, "village": 62_074}


class WorldError(Exception):
    """The asked part of the province does not exist; the message names it."""


def generator(seed: int, *key: str | int) -> np.random.Generator:
    """A generator that depends on nothing but the seed and the key."""
    words = [part if isinstance(part, int) else zlib.crc32(part.encode()) for part in key]
    return np.random.default_rng([seed, *words])


@dataclass(frozen=True)
class _Level:
    """How the figures of one level are drawn: roots first, then parts, in this order."""

    roots: list[Pair]
    yearly: NDArray[np.float64]
    derived: list[tuple[Pair, Pair]]


class World:
    """Divisions of a province and their figures.

    divisions: frame with code, name, level, parent_code (text), of the whole province, so that a unit's size
    does not depend on the part that is simulated.
    """

    def __init__(self, catalog: Catalog, divisions: pd.DataFrame, seed: int) -> None:
        self.catalog = catalog
        self.seed = seed
        self.divisions = divisions.sort_values("code").reset_index(drop=True)
        codes = self.divisions["code"].tolist()
        known = self.divisions[self.divisions["parent_code"].notna()]
        self.name: dict[str, str] = dict(zip(codes, self.divisions["name"].tolist(), strict=True))
        self.level: dict[str, str] = dict(zip(codes, self.divisions["level"].tolist(), strict=True))
        self.parent: dict[str, str] = dict(
            zip(known["code"].tolist(), known["parent_code"].tolist(), strict=True)
        )
        self.children: dict[str, list[str]] = {}
        for code, parent in self.parent.items():
            self.children.setdefault(parent, []).append(code)
        self._pairs: dict[tuple[str, Dataset], list[Pair]] = {}
        self._plans = {level: self._plan(level) for level in REPORTING_LEVELS}

    @classmethod
    def load(cls, catalog: Catalog, file: Path, seed: int) -> World:
        """The world of a divisions file (code,name,level,parent_code; csv, may be gzipped)."""
        return cls(catalog, pd.read_csv(file, dtype="str"), seed)

    def below(self, code: str) -> list[str]:
        """The division and all divisions below it, by the parent column."""
        found = [code]
        for unit in found:
            found.extend(self.children.get(unit, ()))
        return found

    def cities(self, prefix: str) -> list[str]:
        """The cities whose code begins with the prefix. Raises WorldError when there is none."""
        found = [code for code, level in self.level.items() if level == "city" and code.startswith(prefix)]
        if not found:
            raise WorldError(
                f"no city of the divisions list begins with {prefix!r}; use 37 for all, 3713 for Linyi"
            )
        return found

    def figures(self, day: date, units: Collection[str]) -> dict[str, dict[Pair, int]]:
        """What each of the units has done on the day: every pair its level reports, zero left out.

        Whether a unit reports that day is the platform's calendar's business, not the world's.
        """
        wanted = set(units)
        found: dict[str, dict[Pair, int]] = {unit: {} for unit in units}
        for group in sorted({self._group(unit) for unit in wanted}):
            rng = generator(self.seed, day.toordinal(), group)
            for level, codes in self._groups[group].items():
                pairs, drawn = self._draw(rng, level, day, self._weight(level, codes))
                if wanted.isdisjoint(codes):
                    continue
                for row, column in zip(*drawn.nonzero(), strict=True):
                    if codes[row] in wanted:
                        found[codes[row]][pairs[column]] = int(drawn[row, column])
        return found

    def pairs(self, level: str, dataset: Dataset = "daily") -> list[Pair]:
        """Pairs of measure and channel that a level reports in a data set, in the catalogue's order."""
        if (level, dataset) not in self._pairs:
            self._pairs[level, dataset] = [
                (measure.code, channel)
                for measure in self.catalog.measures_of(dataset)
                if level in {str(each) for each in measure.levels}
                for channel in measure.reported_in
            ]
        return self._pairs[level, dataset]

    def expected(self, level: str, day: date) -> dict[Pair, float]:
        """Mean of the roots over all units of a level of the province that day."""
        plan = self._plans[level]
        return dict(zip(plan.roots, plan.yearly * self._factors(level, day), strict=True))

    # --- drawing ---------------------------------------------------------------------------------------------

    def _plan(self, level: str) -> _Level:
        roots: list[Pair] = []
        yearly: list[float] = []
        derived: list[tuple[Pair, Pair]] = []
        reported = [m for m in self.catalog.daily_measures() if level in {str(each) for each in m.levels}]
        codes = {measure.code for measure in reported}
        for measure in reported:
            for position, channel in enumerate(measure.channels):
                pair = (measure.code, channel)
                if measure.code in ANSWERS:
                    continue
                rule = DERIVED.get(measure.code)
                whole = None if rule is None else rule.of if isinstance(rule, Multiple) else rule.whole
                if whole in codes and channel in self.catalog.measures[whole].channels:
                    derived.append((pair, (whole, channel)))
                    continue
                volume = YEARLY.get(measure.code, {}).get(level)
                if volume is None:
                    known = measure.code in YEARLY or rule is not None
                    rate = DEFAULT_YEARLY if position == 0 and not known else 0.0
                else:
                    rate = getattr(volume, channel, 0.0)
                roots.append(pair)
                yearly.append(rate)
        return _Level(roots, np.array(yearly, dtype=np.float64), _wholes_first(derived))

    def _draw(
        self, rng: np.random.Generator, level: str, day: date, weight: NDArray[np.float64]
    ) -> tuple[list[Pair], NDArray[np.int64]]:
        plan = self._plans[level]
        mean = np.outer(weight, plan.yearly * self._factors(level, day))
        drawn = rng.poisson(mean)
        columns: dict[Pair, NDArray[np.int64]] = {pair: drawn[:, i] for i, pair in enumerate(plan.roots)}
        for pair, whole in plan.derived:
            rule = DERIVED[pair[0]]
            if isinstance(rule, Multiple):
                columns[pair] = rng.poisson(columns[whole] * rule.mean)
            else:
                columns[pair] = rng.binomial(columns[whole], rule.share)
        for channel in self.catalog.measures[ANSWERED].channels:
            answered = columns.get((ANSWERED, channel))
            if answered is not None:
                answers = rng.multinomial(answered, list(ANSWERS.values()))
                columns.update({(code, channel): answers[:, i] for i, code in enumerate(ANSWERS)})
        return list(columns), np.column_stack(list(columns.values()))

    def _factors(self, level: str, day: date) -> NDArray[np.float64]:
        """Share of a year's volume that falls on the day, per root; over a year they sum to 1."""
        general = self._shape(level, day) / self._year(level, day.year)
        plan = self._plans[level]
        peak = PUBLICITY_DAYS.get((day.month, day.day), 1.0)
        return np.array(
            [general * peak if measure.startswith("publicity") else general for measure, _ in plan.roots]
        )

    def _shape(self, level: str, day: date) -> float:
        workday = self._is_workday(day)
        season = SEASON[day.month - 1]
        if level in WORKDAY_LEVELS:
            return season if workday else 0.0
        if workday:
            return season * (WEEKDAY[day.weekday()] if day.weekday() < 5 else 1.0)
        return season * (WEEKDAY[day.weekday()] if day.weekday() >= 5 else HOLIDAY)

    def _year(self, level: str, year: int) -> float:
        if (level, year) not in self._years:
            first = date(year, 1, 1)
            days = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
            self._years[level, year] = sum(self._shape(level, day) for day in days)
        return self._years[level, year]

    @cached_property
    def _years(self) -> dict[tuple[str, int], float]:
        return {}

    @cached_property
    def _is_workday(self) -> Callable[[date], bool]:
        return self.catalog.calendars["workdays"].is_workday

    # --- sizes -----------------------------------------------------------------------------------------------

    def _group(self, unit: str) -> str:
        """Units are drawn by county, so that a part of the province reports what the whole would."""
        while self.level[unit] not in ("city", "county"):
            unit = self.parent[unit]
        return unit

    @cached_property
    def _groups(self) -> dict[str, dict[str, list[str]]]:
        groups: dict[str, dict[str, list[str]]] = {}
        for code, level in self.level.items():
            if level in REPORTING_LEVELS:
                groups.setdefault(self._group(code), {}).setdefault(level, []).append(code)
        return {
            group: {lv: levels[lv] for lv in REPORTING_LEVELS if lv in levels}
            for group, levels in groups.items()
        }

    @cached_property
    def _share(self) -> dict[str, float]:
        """Each unit's share of its level's volume in the province: by villages below, and by luck."""
        villages: dict[str, int] = {}
        for code, level in self.level.items():
            unit: str | None = code if level == "village" else None
            while unit is not None:
                villages[unit] = villages.get(unit, 0) + 1
                unit = self.parent.get(unit)
        shares: dict[str, float] = {}
        for level in REPORTING_LEVELS:
            codes: list[str] = []
            luck: list[NDArray[np.float64]] = []
            for group, levels in self._groups.items():
                codes.extend(levels.get(level, ()))
                luck.append(
                    generator(self.seed, "size", group, level).lognormal(
                        0.0, 0.35, len(levels.get(level, ()))
                    )
                )
            size = np.array([villages.get(code, 1) for code in codes]) ** 0.8 * np.concatenate(luck)
            # A list that is smaller than the province does only its part of the province's work.
            part = min(1.0, len(codes) / PROVINCE_UNITS[level])
            shares.update(zip(codes, part * size / size.sum(), strict=True))
        return shares

    def _weight(self, level: str, codes: Iterable[str]) -> NDArray[np.float64]:
        return np.array([self._share[code] for code in codes])


def _wholes_first(derived: list[tuple[Pair, Pair]]) -> list[tuple[Pair, Pair]]:
    """Parts in an order in which every whole is drawn before its parts."""
    waiting = {pair for pair, _ in derived}
    ordered: list[tuple[Pair, Pair]] = []
    while waiting:
        ready = [each for each in derived if each[0] in waiting and each[1] not in waiting]
        ordered.extend(ready)
        waiting -= {pair for pair, _ in ready}
    return ordered
