"""Villages: a county's own figures beside the sum of its villages, which are too sparse to be judged one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from etl.catalog import Level
from etl.catalog.rules import VillageGap, VillageSum
from etl.plausibility.finding import Finding, Published, Subject, ask, shown
from etl.plausibility.history import TOTAL, Array, Figures

WEEK = 7


@dataclass(frozen=True)
class VillageSums:
    """By county, measure and day, over channels: what the county itself reported (NaN: nothing came) and the sum of its
    villages; by county and day: villages expected, and of these reported."""

    counties: Array
    measures: list[str]
    own: Array
    villages: Array
    expected: Array
    reported: Array


def sum_villages(totals: Figures, own: Figures, expected: Array, reported: Array) -> VillageSums:
    """What is left of the counties' totals without their own figures and their townships'.

    expected, reported: villages by line of `totals.divisions` and day.
    """
    counties = np.flatnonzero((totals.divisions["level"] == Level.COUNTY.value).to_numpy())
    code_of = totals.cells["measure"]
    measures = list(dict.fromkeys(code_of.loc[np.unique(totals.cell)]))
    column_of = {measure: column for column, measure in enumerate(measures)}
    shape = (len(counties), len(measures), len(totals.days))
    place_of = np.full(len(totals.divisions), -1)
    place_of[counties] = np.arange(len(counties))
    total = np.zeros(shape)
    # Of no figures at all, pandas makes a column of floats.
    measure_of = code_of.loc[totals.cell].map(column_of).to_numpy(np.int64)
    _add(total, place_of[totals.owner], measure_of, totals.values)
    # A unit's own figures belong to the county that it is, or that it lies in.
    of_code = {code: number for number, code in enumerate(totals.divisions["code"])}
    ids = dict(zip(own.divisions["division_id"], own.divisions["code"], strict=True))
    is_county = (own.divisions["level"] == Level.COUNTY.value).to_numpy()
    is_township = (own.divisions["level"] == Level.TOWNSHIP.value).to_numpy()
    above = np.where(is_county, own.divisions["code"], own.divisions["parent_id"].map(ids))
    county_of = np.array([place_of[of_code[code]] if code in of_code else -1 for code in above])
    column = own.cells["measure"].loc[own.cell].map(column_of).fillna(-1).to_numpy(np.int64)
    by_county, by_township = np.zeros(shape), np.zeros(shape)
    for mask, into in ((is_county, by_county), (is_township, by_township)):
        chosen = mask[own.owner] & (column >= 0)
        _add(into, county_of[own.owner[chosen]], column[chosen], own.values[chosen])
    line_of = {code: line for line, code in enumerate(own.divisions["code"])}
    lines = [line_of.get(code, -1) for code in totals.divisions["code"].iloc[counties]]
    is_sent = np.array([own.sent[line] if line >= 0 else np.zeros(shape[2], bool) for line in lines]).reshape(
        shape[0], shape[2]
    )
    return VillageSums(
        counties=counties,
        measures=measures,
        own=np.where(is_sent[:, None, :], by_county, np.nan),
        villages=np.maximum(total - by_county - by_township, 0),
        expected=expected[counties],
        reported=reported[counties],
    )


def _add(into: Array, rows: Array, columns: Array, values: Array) -> None:
    is_placed = rows >= 0
    np.add.at(into, (rows[is_placed], columns[is_placed]), np.nan_to_num(values[is_placed]))


def find_village_gaps(
    sums: VillageSums, totals: Figures, published: Published, rule: VillageGap
) -> list[Finding]:
    """Counties whose villages of late sum to something else than the county's own figure leads to expect, when what
    villages that have not reported would explain is taken off. Said when it begins to hold."""
    holds, expected, explained, actual = _gaps(sums, rule, 0)
    for back in range(1, rule.quiet_days + 1):
        if not holds.any():
            break
        holds = holds & ~_gaps(sums, rule, back)[0]
    found = []
    for county, column, subject in _subjects(sums, totals, holds):
        gap = expected[county, column] - actual[county, column]
        rest = gap - explained[county, column]
        unit = subject.unit
        message = (
            f"{subject.name}最近 {rule.recent_days} 天所辖村（社区）合计 {shown(actual[county, column])} {unit}，"
            f"按本县自报数与以往比例约为 {shown(expected[county, column])} {unit}，相差 {shown(gap)} {unit}；"
            f"其中未报送的村（社区）可解释约 {shown(explained[county, column])} {unit}，"
            f"其余 {shown(rest)} {unit} 请说明原因"
        )
        found.append(
            ask(rule.kind, subject, actual[county, column], -rest, message, published, rule.recent_days)
        )
    return found


def _gaps(sums: VillageSums, rule: VillageGap, back: int) -> tuple[Array, Array, Array, Array]:
    """By county and measure, as of so many days back: whether the gap is out of bounds, the villages' sum expected were
    all in, how much of it late villages explain, and the sum there is."""
    end = sums.own.shape[2] - back
    cut = end - rule.recent_days
    # Days on which the county reported and villages were due; a county works on holidays too.
    is_asked = ~np.isnan(sums.own) & (sums.expected > 0)[:, None, :]
    own, villages = np.where(is_asked, np.nan_to_num(sums.own), 0), np.where(is_asked, sums.villages, 0)
    missing, missing_before = (_missing(sums, part) for part in (slice(cut, end), slice(0, cut)))
    full = villages[:, :, :cut].sum(axis=2) / np.maximum(1 - missing_before, 0.05)
    per_own = full / np.maximum(own[:, :, :cut].sum(axis=2), 1)
    own_recent, actual = own[:, :, cut:end].sum(axis=2), villages[:, :, cut:end].sum(axis=2)
    expected = per_own * own_recent
    explained = expected * missing
    fitting = expected - explained
    log = np.log((actual + 0.5) / (fitting + 0.5))
    deviations = np.abs(log) / _unrest(own[:, :, :cut], villages[:, :, :cut], fitting, own_recent, rule)
    holds = (
        (np.abs(log) >= np.log(rule.ratio))
        & (deviations >= rule.deviations)
        & (np.abs(actual - fitting) >= rule.least_effect)
        & (fitting > 0)
    )
    return holds, expected, explained, actual


def _missing(sums: VillageSums, part: slice) -> Array:
    expected, reported = sums.expected[:, part].sum(axis=1), sums.reported[:, part].sum(axis=1)
    return np.asarray(np.clip(1 - reported / np.maximum(expected, 1), 0, 1)[:, None])


def _unrest(own: Array, villages: Array, fitting: Array, own_recent: Array, rule: VillageGap) -> Array:
    """Spread of the logarithm of the ratio of villages to own, from the weeks before, and no less than chance."""
    weeks = own.shape[2] // WEEK
    shape = (*own.shape[:2], weeks, WEEK)
    own_weeks, village_weeks = (
        each[:, :, -weeks * WEEK :].reshape(shape).sum(axis=3) for each in (own, villages)
    )
    is_empty = own_weeks + village_weeks == 0
    by_week = np.where(is_empty, 0, np.log((village_weeks + 0.5) / (own_weeks + 0.5)))
    count = np.maximum((~is_empty).sum(axis=2), 1)
    middle = by_week.sum(axis=2) / count
    variance = np.where(is_empty, 0, (by_week - middle[:, :, None]) ** 2).sum(axis=2) / count
    sums = fitting, own_recent, own.sum(axis=2), villages.sum(axis=2)
    by_chance = sum(1 / np.maximum(each, 1) for each in sums)
    return np.asarray(np.sqrt(np.maximum(variance * WEEK / rule.recent_days, by_chance) + 1e-4))


def find_village_sums(
    sums: VillageSums, totals: Figures, published: Published, rule: VillageSum
) -> list[Finding]:
    """Counties whose own figure has now for so many days with villages' figures been equal to their villages' sum."""
    own, villages = np.nan_to_num(sums.own), sums.villages
    is_asked = villages >= rule.least_value
    is_equal = is_asked & (own == villages)
    # How many asked days there have been from each day on; the newest is number 1.
    number = np.cumsum(is_asked[:, :, ::-1], axis=2)[:, :, ::-1]
    last = is_asked & (number <= rule.reports)
    holds = is_equal[:, :, -1] & ((last & is_equal).sum(axis=2) == rule.reports)
    before = is_asked & (number == rule.reports + 1)
    holds &= ~(before & is_equal).any(axis=2)
    found = []
    for county, column, subject in _subjects(sums, totals, holds):
        value = round(own[county, column, -1])
        message = (
            f"{subject.name}本县自报数最近 {rule.reports} 次均与所辖村（社区）合计相等"
            f"（本日均为 {value} {subject.unit}）；自报数不应包含下级数据，请核对是否重复计算"
        )
        found.append(ask(rule.kind, subject, value, value, message, published))
    return found


def _subjects(sums: VillageSums, totals: Figures, holds: Array) -> Iterator[tuple[int, int, Subject]]:
    """County, measure and what a question about them is about, wherever something holds."""
    names = totals.cells.drop_duplicates("measure").set_index("measure")
    for county, column in zip(*np.nonzero(holds), strict=True):
        measure = sums.measures[column]
        code = str(totals.divisions.at[int(sums.counties[county]), "code"])
        name, unit = (str(names.at[measure, each]) for each in ("measure_name", "unit"))
        yield int(county), int(column), Subject(code, Level.COUNTY.value, measure, TOTAL, name, unit)
