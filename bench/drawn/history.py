"""A province's months as they might be, straight into the warehouse's tables, with faults planted in them.

Volumes, seasons, holidays and how figures hang together are the simulator's (simulator/rates.py); on top of its chance
come what a unit's days have of their own: good and bad days, market days, slow drift, genuine busy days, missed
reports.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from simulator.world import Pair, World, generator

Array = npt.NDArray[Any]
LEVELS = ("city", "county", "township")
"""Whose units' figures are kept day by day; villages are drawn one by one and kept as far as they are not nil."""
GOOD_AND_BAD_DAYS = 0.3
"""Coefficient of variation of what a unit's whole day has more or less than usual."""
DRIFT = 0.01
"""Standard deviation of the logarithm of a unit's level from one day to the next."""
MARKET_UNITS, MARKET_DAY = 0.3, 1.5
BUSY_DAYS, BUSY = 0.003, 2.5
"""Genuine: days on which a unit does so many times as much as usual. Nothing is wrong with them."""
MISSED = 0.01
LATE = 0.6
"""Of the villages of a county whose villages are late."""


@dataclass(frozen=True)
class Fault:
    """What was planted: in the unit's figure of the day (measure and channel), its report, or its months.

    of: the true figure, or which copy of the report it is. figures: how many in the report are not zero. first_day:
    from which day on the unit's figures are touched.
    """

    kind: str
    unit: str
    level: str
    first_day: date
    day: date
    measure: str | None = None
    channel: str | None = None
    of: int = 0
    figures: int = 0


@dataclass
class Months:
    """Own figures by level: days × units × pairs; sent: days × units. villages: per day the village's number in
    `codes`, the pair's number and the figure. late: by county and day, the share of its villages that has not
    reported."""

    world: World
    days: list[date]
    codes: dict[str, list[str]]
    pairs: dict[str, list[Pair]]
    values: dict[str, Array]
    sent: dict[str, Array]
    villages: list[tuple[Array, Array, Array]]
    late: dict[tuple[str, int], float] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, day: date) -> int:
        """Number of the day."""
        return (day - self.days[0]).days


class _Drawn(World):
    """The simulator's world, drawn for whole levels at once with a factor for each unit."""

    def units(self, level: str) -> list[str]:
        return [code for code, each in self.level.items() if each == level]

    def draw_level(self, level: str, day: date, factor: Array) -> tuple[list[Pair], Array]:
        rng = generator(self.seed, day.toordinal(), level, "months")
        return self._draw(rng, level, day, self._weight(level, self.units(level)) * factor)


def draw_months(catalog: Any, divisions: pd.DataFrame, first: date, last: date, seed: int) -> Months:
    """Draw every unit of the province from the first day to the last."""
    world = _Drawn(catalog, divisions, seed)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    is_workday = catalog.calendars["workdays"].is_workday
    codes = {level: world.units(level) for level in (*LEVELS, "village")}
    months = Months(world, days, codes, {}, {}, {}, [])
    for level in LEVELS:
        rng = generator(seed, "habits", level)
        shape = (len(days), len(codes[level]))
        factor = rng.gamma(1 / GOOD_AND_BAD_DAYS**2, GOOD_AND_BAD_DAYS**2, shape)
        factor *= np.exp(np.cumsum(rng.normal(0, DRIFT, shape), axis=0))
        factor *= np.where(rng.random(shape) < BUSY_DAYS, BUSY, 1)
        market = np.where(rng.random(shape[1]) < MARKET_UNITS, rng.integers(0, 5, shape[1]), -1)
        weekday = np.array([day.weekday() for day in days])
        factor *= np.where(weekday[:, None] == market[None, :], MARKET_DAY, 1)
        drawn = [world.draw_level(level, day, factor[number]) for number, day in enumerate(days)]
        months.pairs[level] = drawn[0][0]
        months.values[level] = np.stack([values for _, values in drawn]).astype(np.int32)
        works = np.array([level != "township" or is_workday(day) for day in days])
        months.sent[level] = works[:, None] & (rng.random(shape) >= MISSED)
    for day in days:
        if is_workday(day):
            months.pairs["village"], values = world.draw_level("village", day, np.ones(len(codes["village"])))
            rows, columns = values.nonzero()
            months.villages.append((rows, columns, values[rows, columns]))
        else:
            months.villages.append((np.zeros(0, int), np.zeros(0, int), np.zeros(0, int)))
    return months


# --- faults --------------------------------------------------------------------------------------------------

CLASSES = ((1, 1), (2, 4), (5, 9), (10, 29), (30, 99), (100, 10**6))


class Planter:
    """Plants faults in the days from one on; no report is touched twice."""

    def __init__(self, months: Months, start: date, seed: int) -> None:
        self.months = months
        self.start = months.place(start)
        self.rng = generator(seed, "faults")
        self._touched: set[tuple[str, int, int]] = set()

    def plant(self) -> None:
        """All kinds, the ones that touch whole months first."""
        self._habits()
        self._shifts()
        self._village_faults()
        self._period_ends()
        self._copies()
        self._village_copies()
        self._slips("tenfold", 100, CLASSES, lambda value: value * 10)
        self._slips("digit_lost", 100, CLASSES[3:], lambda value: value // 10)
        self._slips("digit_twice", 100, CLASSES, self._twice)

    def _free(self, level: str, unit: int, days: Iterable[int]) -> bool:
        return not any((level, unit, day) in self._touched for day in days)

    def _touch(self, level: str, unit: int, days: Iterable[int]) -> None:
        self._touched.update((level, unit, day) for day in days)

    def _note(
        self,
        kind: str,
        level: str,
        unit: int,
        first: int,
        day: int,
        pair: Pair | None = None,
        of: int = 0,
        figures: int = 0,
    ) -> None:
        months = self.months
        measure, channel = pair if pair is not None else (None, None)
        code = months.codes[level][unit]
        months.faults.append(
            Fault(kind, code, level, months.days[first], months.days[day], measure, channel, of, figures)
        )

    def _twice(self, value: int) -> int:
        digits = str(value)
        place = int(self.rng.integers(len(digits)))
        return int(digits[: place + 1] + digits[place:])

    def _slips(self, kind: str, each: int, classes: tuple[tuple[int, int], ...], slip: Any) -> None:
        """So many of each class of true values, wherever such values stand."""
        for low, high in classes:
            places = []
            for level in LEVELS:
                values = self.months.values[level][self.start :]
                sent = self.months.sent[level][self.start :, :, None]
                hits = np.argwhere((values >= low) & (values <= high) & sent)
                places.append(np.column_stack([np.full(len(hits), LEVELS.index(level)), hits]))
            found = np.concatenate(places)
            planted = 0
            for number in self.rng.permutation(len(found)):
                number_of_level, day, unit, pair = (int(part) for part in found[number])
                level, day = LEVELS[number_of_level], day + self.start
                if not self._free(level, unit, [day]):
                    continue
                true = int(self.months.values[level][day, unit, pair])
                self.months.values[level][day, unit, pair] = slip(true)
                self._touch(level, unit, [day])
                self._note(kind, level, unit, day, day, self.months.pairs[level][pair], true)
                planted += 1
                if planted == each:
                    break

    def _copies(self) -> None:
        """A report sent again on the unit's next one, two, three or five reporting days."""
        last = len(self.months.days)
        for level, each in (("county", 25), ("township", 60)):
            sent, values = self.months.sent[level], self.months.values[level]
            for length in (1, 2, 3, 5):
                planted = 0
                while planted < each:
                    unit = int(self.rng.integers(sent.shape[1]))
                    base = int(self.rng.integers(self.start, last - 1))
                    following = np.flatnonzero(sent[base + 1 :, unit])[:length] + base + 1
                    days = [base, *(int(day) for day in following)]
                    is_usable = sent[base, unit] and values[base, unit].any() and len(following) == length
                    if not is_usable or not self._free(level, unit, days):
                        continue
                    values[following, unit] = values[base, unit]
                    self._touch(level, unit, days)
                    for copy in days[1:]:
                        number = days.index(copy)
                        self._note(
                            "copied_day",
                            level,
                            unit,
                            copy,
                            copy,
                            of=number,
                            figures=int((values[base, unit] > 0).sum()),
                        )
                    planted += 1

    def _village_copies(self) -> None:
        """Thirty villages with the same three figures on seven working days in a row."""
        months = self.months
        pairs = [
            months.pairs["village"].index((code, "physical"))
            for code in ("consultation", "publicity_event", "document_drafted")
        ]
        for unit in self.rng.choice(len(months.codes["village"]), 30, replace=False):
            first = int(self.rng.integers(self.start, len(months.days) - 30))
            days = [day for day in range(first, len(months.days)) if len(months.villages[day][0])][:7]
            for day in days:
                rows, columns, values = months.villages[day]
                stay = rows != unit
                months.villages[day] = (
                    np.append(rows[stay], [unit] * 3), np.append(columns[stay], pairs), np.append(values[stay], [3, 1,
                    2]),
                )  # fmt: skip
            self._note("copied_village", "village", int(unit), days[0], days[-1])

    def _counties(self, count: int, used: set[int]) -> list[int]:
        free = [unit for unit in self.rng.permutation(len(self.months.codes["county"])) if unit not in used]
        used.update(free[:count])
        return [int(unit) for unit in free[:count]]

    def _habits(self) -> None:
        """Over all the months: figures from 10 on rounded to 5, and nobody ever dissatisfied."""
        self._used: set[int] = set()
        values, pairs = self.months.values["county"], self.months.pairs["county"]
        last = len(self.months.days) - 1
        everyday = range(len(self.months.days))
        counted = [n for n, (measure, _) in enumerate(pairs) if "satisfied" not in measure]
        for unit in self._counties(10, self._used):
            mine = values[:, unit, counted]
            values[:, unit, counted] = np.where(mine >= 10, 5 * np.round(mine / 5), mine)
            self._touch("county", unit, everyday)
            self._note("heaping", "county", unit, 0, last)
        for unit in self._counties(10, self._used):
            for number, (measure, channel) in enumerate(pairs):
                if measure in ("dissatisfied", "very_dissatisfied"):
                    values[:, unit, pairs.index(("satisfied", channel))] += values[:, unit, number]
                    values[:, unit, number] = 0
            self._touch("county", unit, everyday)
            self._note("all_satisfied", "county", unit, 0, last)

    def _scale(self, county: int, measure: str, days: slice, factor: float, levels: tuple[str, ...]) -> None:
        """Multiply a measure of a county and of what lies below it, by chance so that it stays a count."""
        world, code = self.months.world, self.months.codes["county"][county]
        for level in levels:
            if level == "village":
                self._scale_villages(code, measure, days, factor)
                continue
            mine = [
                n for n, each in enumerate(self.months.codes[level]) if code in (each, world.parent[each])
            ]
            for number, pair in enumerate(self.months.pairs[level]):
                if pair[0] == measure:
                    part = self.months.values[level][days, mine, number]
                    self.months.values[level][days, mine, number] = self._scaled(part, factor)

    def _scale_villages(self, county: str, measure: str, days: slice, factor: float) -> None:
        world = self.months.world
        is_mine = np.array(
            [world.parent[world.parent[code]] == county for code in self.months.codes["village"]]
        )
        columns = [n for n, pair in enumerate(self.months.pairs["village"]) if pair[0] == measure]
        for day in range(*days.indices(len(self.months.days))):
            rows, pairs, values = self.months.villages[day]
            chosen = is_mine[rows] & np.isin(pairs, columns)
            values[chosen] = self._scaled(values[chosen], factor)

    def _let_villages_be_late(self, county: str, days: range) -> None:
        world = self.months.world
        is_late = np.array(
            [world.parent[world.parent[code]] == county for code in self.months.codes["village"]]
        )
        is_late &= self.rng.random(len(is_late)) < LATE
        for day in days:
            rows, pairs, values = self.months.villages[day]
            stay = ~is_late[rows]
            self.months.villages[day] = rows[stay], pairs[stay], values[stay]
            self.months.late[county, day] = LATE

    def _scaled(self, values: Array, factor: float) -> Array:
        if factor < 1:
            return self.rng.binomial(values, factor)
        return values + self.rng.poisson(values * (factor - 1))

    def _shifts(self) -> None:
        """From a day on a county with all below it counts a measure twice as much, or half."""
        last = len(self.months.days) - 1
        choices = (
            "consultation",
            "document_drafted",
            "dispute_found",
            "notary_case",
            "lawyer_case",
            "hotline_call",
        )
        for number, unit in enumerate(self._counties(24, self._used)):
            first = int(self.rng.integers(self.start + 5, last - 16))
            measure, factor = choices[number % len(choices)], (2.0, 0.5)[number // len(choices) % 2]
            self._scale(unit, measure, slice(first, None), factor, (*LEVELS[1:], "village"))
            self._touch("county", unit, range(first, last + 1))
            self._note("level_shift", "county", unit, first, last, (measure, "all"))

    def _village_faults(self) -> None:
        """Villages that no longer count half of a measure; villages that report late, which is no fault of figures; and
        counties that report their villages' sum as their own."""
        last = len(self.months.days) - 1
        for unit in self._counties(10, self._used):
            first = int(self.rng.integers(self.start + 5, last - 16))
            self._scale(unit, "consultation", slice(first, None), 0.4, ("village",))
            self._touch("county", unit, range(first, last + 1))
            self._note("village_gap", "county", unit, first, last, ("consultation", "all"))
        for unit in self._counties(10, self._used):
            first = int(self.rng.integers(self.start + 5, last - 16))
            self._let_villages_be_late(self.months.codes["county"][unit], range(first, first + 14))
        sums = self._village_sums("consultation")
        pairs = self.months.pairs["county"]
        columns = [n for n, pair in enumerate(pairs) if pair[0] == "consultation"]
        for unit in self._counties(8, self._used):
            first = int(self.rng.integers(self.start + 5, last - 16))
            self.months.sent["county"][first : first + 14, unit] = True
            self.months.values["county"][first : first + 14, unit, columns] = 0
            self.months.values["county"][first : first + 14, unit, columns[0]] = sums[
                first : first + 14, unit
            ]
            self._touch("county", unit, range(first, first + 14))
            self._note("village_sum", "county", unit, first, first + 13, ("consultation", "all"))

    def _village_sums(self, measure: str) -> Array:
        world = self.months.world
        number_of = {code: number for number, code in enumerate(self.months.codes["county"])}
        county = np.array(
            [number_of.get(world.parent[world.parent[code]], -1) for code in self.months.codes["village"]]
        )
        columns = [n for n, pair in enumerate(self.months.pairs["village"]) if pair[0] == measure]
        sums = np.zeros((len(self.months.days), len(number_of)), dtype=np.int64)
        for day, (rows, pairs, values) in enumerate(self.months.villages):
            chosen = np.isin(pairs, columns) & (county[rows] >= 0)
            np.add.at(sums[day], county[rows[chosen]], values[chosen])
        return sums

    def _period_ends(self) -> None:
        """The last three reports of the last month count one measure four times, where it comes to ten in three usual
        ones."""
        for level, count in (("county", 20), ("township", 20)):
            sent, values = self.months.sent[level], self.months.values[level]
            planted = 0
            for unit in self.rng.permutation(sent.shape[1]):
                days = np.flatnonzero(sent[:, unit])[-3:]
                usual = np.median(values[self.start :, unit][sent[self.start :, unit]], axis=0)
                pair = int(usual.argmax())
                if usual[pair] * 3 < 10 or not self._free(level, int(unit), days.tolist()):
                    continue
                values[days, unit, pair] = self.rng.poisson(4 * usual[pair], 3)
                self._touch(level, int(unit), days.tolist())
                last = len(self.months.days) - 1
                self._note("period_end", level, int(unit), int(days[0]), last, self.months.pairs[level][pair])
                planted += 1
                if planted == count:
                    break


# --- into the tables -----------------------------------------------------------------------------------------

SUBMISSION = ["stat_date", "unit_id", "platform_id", "batch_id", "dataset", "revision", "received_at", "known_from",
              "is_nil", "cells", "figures", "row_numbers"]  # fmt: skip


def load_months(conn: psycopg.Connection, months: Months, cells: dict[Pair, int]) -> None:
    """Write submissions, totals of counties and above, reporting, and that each day is rolled up."""
    ids: dict[str, int] = dict(
        conn.execute("SELECT division_code, division_id FROM core.division").fetchall()
    )
    conn.execute("SET session_replication_role = replica")
    platform = conn.execute("SELECT min(platform_id) FROM core.platform").fetchone()[0]  # type: ignore[index]
    for number, day in enumerate(months.days):
        conn.execute("SELECT core.ensure_month(%s)", (day,))
        batch = conn.execute(
            "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)"
            " VALUES (%s, 'daily', %s, 'months', repeat('0', 64), now(), 'loaded') RETURNING batch_id",
            (platform, day),
        ).fetchone()[0]  # type: ignore[index]
        figures = _figures(months, number, ids, cells)
        _copy(
            conn,
            "core.submission",
            _submissions(figures, _senders(months, number, ids), day, platform, batch),
        )
        _copy(conn, "mart.daily_sum", _totals(months, figures, ids, cells, day))
        _copy(conn, "mart.daily_reporting", _reporting(months, number, ids, day))
        stamp = datetime.combine(day, time(12), UTC)
        conn.execute(
            "INSERT INTO mart.daily_rollup (stat_date, loaded_at, rolled_up_at) VALUES (%s, %s, %s)",
            (day, stamp, stamp),
        )
    conn.commit()


def _figures(months: Months, day: int, ids: dict[str, int], cells: dict[Pair, int]) -> pd.DataFrame:
    parts = []
    for level in LEVELS:
        values = months.values[level][day] * months.sent[level][day][:, None]
        rows, columns = values.nonzero()
        parts.append((level, rows, columns, values[rows, columns]))
    parts.append(("village", *months.villages[day]))
    frames = []
    for level, rows, columns, values in parts:
        numbers = np.array([ids[code] for code in months.codes[level]])
        cell = np.array([cells[pair] for pair in months.pairs[level]])
        frames.append(
            pd.DataFrame({"unit": numbers[rows], "cell": cell[columns], "value": values.astype(np.int64)})
        )
    figures = pd.concat(frames)
    return figures[figures["value"] > 0].sort_values(["unit", "cell"], ignore_index=True)


def _senders(months: Months, day: int, ids: dict[str, int]) -> Array:
    sent = [
        ids[code]
        for level in LEVELS
        for code, is_ in zip(months.codes[level], months.sent[level][day], strict=True)
        if is_
    ]
    villages = np.unique(months.villages[day][0])
    return np.array(sorted(sent + [ids[months.codes["village"][row]] for row in villages]))


def _submissions(figures: pd.DataFrame, senders: Array, day: date, platform: int, batch: int) -> pa.Table:
    mine = figures[figures["unit"].isin(senders)]
    counts = mine.groupby("unit").size().reindex(senders, fill_value=0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    stamp = f"{day} 17:00:00+08"

    def literal(values: Array) -> pa.Array:
        lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(values).cast(pa.string()))
        text = pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")
        return pc.if_else(pa.array(counts > 0), text, None)

    columns = [str(day), senders, platform, batch, "daily", 1, stamp, stamp, counts == 0]
    arrays = [pa.array(np.full(len(senders), each) if np.isscalar(each) else each) for each in columns]
    arrays += [
        literal(mine["cell"].to_numpy()),
        literal(mine["value"].to_numpy()),
        literal(np.ones(len(mine), dtype=int)),
    ]
    return pa.table(arrays, names=SUBMISSION)


def _totals(
    months: Months, figures: pd.DataFrame, ids: dict[str, int], cells: dict[Pair, int], day: date
) -> pa.Table:
    """Totals over channels of counties, cities and the province."""
    all_of = {cell: cells[pair[0], "all"] for pair, cell in cells.items()}
    levels = {ids[code]: level for code, level in months.world.level.items()}
    parent = {ids[code]: ids[above] for code, above in months.world.parent.items()}
    above: dict[int, list[int]] = {}
    for unit in figures["unit"].unique():
        chain, at = [], int(unit)
        while at is not None:
            if levels[at] in ("county", "city", "province"):
                chain.append(at)
            at = parent.get(at)  # type: ignore[assignment]
        above[int(unit)] = chain
    spread = figures.assign(cell=figures["cell"].map(all_of), division=figures["unit"].map(above))
    by_unit = spread.groupby(["unit", "cell"], as_index=False).agg(
        value=("value", "sum"), division=("division", "first")
    )
    totals = by_unit.explode("division").groupby(["division", "cell"], as_index=False)["value"].sum()
    of_division = totals.astype({"cell": "str", "value": "str"}).groupby("division")
    cells, figures = ("{" + of_division[column].agg(",".join) + "}" for column in ("cell", "value"))
    return pa.table(
        {
            "stat_date": np.full(len(cells), str(day)),
            "division_id": cells.index.to_numpy(np.int64),
            "cells": cells.to_numpy(),
            "figures": figures.to_numpy(),
        }
    )


def _reporting(months: Months, day: int, ids: dict[str, int], stat_date: date) -> pa.Table:
    world = months.world
    is_workday = bool(world.catalog.calendars["workdays"].is_workday(stat_date))
    lines: dict[str, list[int]] = {}
    for level in LEVELS:
        for code, is_sent in zip(months.codes[level], months.sent[level][day], strict=True):
            is_expected = level != "township" or is_workday
            lines[code] = [int(is_expected), int(is_sent), int(is_expected), int(is_sent)]
    for code in months.codes["township"] if is_workday else ():
        villages = len(world.children.get(code, ()))
        late = months.late.get((world.parent[code], day), 0.0)
        lines[code][0] += villages
        lines[code][1] += round(villages * (1 - late))
    for level, above in (("township", "county"), ("county", "city")):
        for code in months.codes[level]:
            parent = world.parent[code]
            if world.level[parent] == above:
                lines[parent][0] += lines[code][0]
                lines[parent][1] += lines[code][1]
    counts = np.array(list(lines.values()))
    return pa.table(
        {
            "stat_date": np.full(len(lines), str(stat_date)),
            "division_id": np.array([ids[code] for code in lines]),
            "is_leaf": np.zeros(len(lines), dtype=bool),
            "is_expected": counts[:, 2] > 0,
            "is_reported": counts[:, 3] > 0,
            "has_figures": counts[:, 3] > 0,
            "units_expected": counts[:, 0],
            "units_reported": counts[:, 1],
        }
    )


def _copy(conn: psycopg.Connection, table: str, lines: pa.Table) -> None:
    body = io.BytesIO()
    csv.write_csv(lines, body, csv.WriteOptions(include_header=False, quoting_style="needed"))
    with conn.cursor().copy(
        f"COPY {table} ({', '.join(lines.column_names)}) FROM STDIN (FORMAT csv)"
    ) as copy:
        copy.write(body.getvalue())
