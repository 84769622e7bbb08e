"""Early sight on a drawn province: what is hidden of a month, what is estimated of it, and what weeks were to bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np

from bench.drawn.history import Months
from etl.catalog import Catalog
from etl.catalog.early_sight import Estimate, Forecast
from etl.outlook.missing import Tally, expect_missing, sum_up
from etl.outlook.model import Outlook, forecast_series
from etl.outlook.weeks import WEEK, count_weeks
from etl.periods.period import Period
from etl.plausibility.history import Array, day_kinds
from simulator.world import generator

OWN = ("city", "county", "township")
LEVELS = ("province", *OWN)
MISSED = 0.01
"""Of the villages' reports of the days before the period, which the history knows nothing of."""
Pattern = Literal["any", "same"]


@dataclass(frozen=True)
class Drawn:
    """What a province counted of some measures, over channels.

    Strata are the units of cities, counties and townships, then each township's villages. own: by stratum (without
    villages), day and measure; sent: by stratum (without villages) and day. villages: by day, lines of number of the
    village, measure and count; township: of each village. due: by stratum and day. below: pairs of stratum and
    division, divisions: how many, level: of each.
    """

    days: list[date]
    kinds: Array
    own: Array
    sent: Array
    villages: list[tuple[Array, Array, Array]]
    township: Array
    due: Array
    group: Array
    below: Array
    level: Array


def gather(months: Months, catalog: Catalog, measures: Sequence[str], calendar: str) -> Drawn:
    """The drawn months in the strata of an estimate."""
    parent, codes = months.world.parent, months.codes
    units = [code for level in OWN for code in codes[level]]
    number_of = {code: number for number, code in enumerate(units)}
    own = np.concatenate([_over_channels(months, level, measures) for level in OWN], axis=1).transpose(
        1, 0, 2
    )
    sent = np.concatenate([months.sent[level] for level in OWN], axis=1).T
    works = np.array([catalog.calendars[calendar].is_workday(day) for day in months.days])
    places = {code: number for number, code in enumerate(codes["township"])}
    township = np.array([places[parent[code]] for code in codes["village"]])
    level = np.concatenate([np.full(len(codes[name]), number) for number, name in enumerate(OWN)])
    due = np.where((level == OWN.index("township"))[:, None], works, True).astype(float)
    pooled = np.bincount(township, minlength=len(places))[:, None] * works
    column_of = {measure: column for column, measure in enumerate(measures)}
    pairs = np.array([column_of.get(measure, -1) for measure, _ in months.pairs["village"]])
    villages = [(rows[k], pairs[columns[k]], values[k]) for rows, columns, values in months.villages
                for k in [pairs[columns.astype(int)] >= 0]]  # fmt: skip
    below = []
    for number, code in enumerate(units):
        above: str | None = code
        while above is not None:
            place = number_of.get(above, len(units))
            below.append((number, place))
            if code in places:
                below.append((len(units) + places[code], place))
            above = parent.get(above)
    kinds = day_kinds(months.days, catalog.calendars[calendar])
    return Drawn(
        months.days, kinds, own, sent, villages, township, np.concatenate([due, pooled]),
        np.concatenate([level, np.full(len(places), len(OWN))]), np.array(below).T,
        np.append(level + 1, 0),
    )  # fmt: skip


def _over_channels(months: Months, level: str, measures: Sequence[str]) -> Array:
    pairs = months.pairs[level]
    of_measure = [[n for n, (code, _) in enumerate(pairs) if code == measure] for measure in measures]
    return np.stack([months.values[level][:, :, columns].sum(axis=2) for columns in of_measure], axis=2)


# --- estimates -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hidden:
    """What is missing of a month when it is looked at: days over, share of reports missing of these, and whether these
    are any reports, or all of the same units."""

    month: Period
    days_over: int
    share: float
    pattern: Pattern


@dataclass(frozen=True)
class Looked:
    """By division and measure: what was reported, what it came to, estimate and limits; the naive estimate: reported
    by the share of the reports of the whole month that is in."""

    reported: Array
    complete: Array
    estimate: Array
    lower: Array
    upper: Array
    naive: Array


def look(drawn: Drawn, hidden: Hidden, rule: Estimate, seed: int) -> Looked:
    """Hide, estimate, and give what it came to."""
    tally, complete = hide(drawn, hidden, rule, seed)
    below, divisions = drawn.below, len(drawn.level)

    def total(parts: Array) -> Array:
        summed = np.zeros((divisions, parts.shape[1]))
        np.add.at(summed, below[1], parts[below[0]])
        return summed

    missing = sum_up(expect_missing(tally, rule), tally.group, below, divisions, rule.probability)
    reported = total(tally.values[:, tally.is_asked].sum(axis=1))
    came = total(tally.sent[:, tally.is_asked].sum(axis=1)[:, None])
    lacks = total((tally.missing * tally.is_asked).sum(axis=1)[:, None])
    naive = reported / np.maximum(came / np.maximum(came + lacks, 1), 1e-9)
    return Looked(
        reported,
        total(complete),
        reported + missing.mean,
        reported + missing.lower,
        reported + missing.upper,
        naive,
    )


def hide(drawn: Drawn, hidden: Hidden, rule: Estimate, seed: int) -> tuple[Tally, Array]:
    """The history and the month without what is hidden, and the complete counts of the month by stratum."""
    first = (hidden.month.starts_on - drawn.days[0]).days
    window = slice(first - rule.history_days, first + hidden.month.days)
    over = first + hidden.days_over
    rng = generator(seed, "hidden", str(hidden))
    units = len(drawn.own)
    numbers = np.arange(window.start, window.stop)
    is_asked = numbers >= first
    shape = (units, 1) if hidden.pattern == "same" else (units, len(numbers))
    is_hidden = is_asked & (rng.random(shape) < hidden.share) | (numbers >= over)
    sent = drawn.sent[:, window] & (drawn.due[:units, window] > 0) & ~is_hidden
    own = drawn.own[:, window].astype(np.float64)
    strata, measures = len(drawn.due), own.shape[2]
    values = np.zeros((strata, len(numbers), measures))
    values[:units] = own * sent[:, :, None]
    complete = np.zeros((strata, measures))
    complete[:units] = own[:, is_asked].sum(axis=1)
    counts = np.zeros((strata, len(numbers)))
    counts[:units] = sent
    townships = strata - units
    always = rng.random(len(drawn.township)) < hidden.share
    for column, day in enumerate(numbers):
        rows, columns, figures = drawn.villages[day]
        if is_asked[column]:
            np.add.at(complete, (units + drawn.township[rows], columns), figures)
        if day >= over or not drawn.due[units:, day].any():
            continue
        share = hidden.share if is_asked[column] else MISSED
        is_same = is_asked[column] and hidden.pattern == "same"
        is_in = ~always if is_same else rng.random(len(drawn.township)) >= share
        counts[units:, column] = np.bincount(drawn.township[is_in], minlength=townships)
        kept = is_in[rows]
        np.add.at(values, (units + drawn.township[rows[kept]], column, columns[kept]), figures[kept])
    missing = np.maximum(drawn.due[:, window] - counts, 0)
    return Tally(drawn.kinds[window], drawn.group, counts, missing, values, is_asked), complete


@dataclass(frozen=True)
class Error:
    """At one level, over divisions and measures: bias and absolute error of the sum as shares of what it came to; mean
    absolute percentage error where it came to 20 and more; the same two of the naive estimate; share of totals within
    the interval, and half its width there as a share."""

    cells: int
    bias: float
    error: float
    mape: float
    naive_bias: float
    naive_error: float
    naive_mape: float
    within: float
    half_width: float


def judge(looked: Sequence[Looked], level: Array, name: str) -> Error:
    """The errors of several looks at one level."""
    on = level == LEVELS.index(name)

    def all_of(part: str) -> Array:
        return np.concatenate([getattr(each, part)[on].ravel() for each in looked])

    complete, estimate, naive, lower, upper = (
        all_of(part) for part in ("complete", "estimate", "naive", "lower", "upper")
    )
    is_counted = complete + upper > 0
    is_large = complete >= 20
    large = np.maximum(complete, 1)

    def mape(found: Array) -> float:
        return float((np.abs(found - complete) / large)[is_large].mean())

    return Error(
        int(is_counted.sum()),
        float((estimate - complete).sum() / complete.sum()),
        float(np.abs(estimate - complete).sum() / complete.sum()),
        mape(estimate),
        float((naive - complete).sum() / complete.sum()),
        float(np.abs(naive - complete).sum() / complete.sum()),
        mape(naive),
        float(((complete >= lower) & (complete <= upper))[is_counted].mean()),
        float(((upper - lower) / 2 / large)[is_large].mean()),
    )


# --- forecasts -----------------------------------------------------------------------------------------------


def county_days(drawn: Drawn, columns: Sequence[int]) -> tuple[Array, Array, date]:
    """Daily totals of counties, by county, day and measure, from the first Monday to the last Sunday; the kinds of
    these days; and the first."""
    counties = np.flatnonzero(drawn.level[:-1] == LEVELS.index("county"))
    units = len(drawn.own)
    totals = np.zeros((len(drawn.level), len(drawn.days), len(columns)))
    strata = np.zeros((len(drawn.due), len(drawn.days), len(columns)))
    strata[:units] = drawn.own[:, :, list(columns)] * drawn.sent[:, :, None]
    place = {column: number for number, column in enumerate(columns)}
    for day, (rows, measures, figures) in enumerate(drawn.villages):
        wanted = np.isin(measures, list(columns))
        numbers = np.array([place[int(each)] for each in measures[wanted]], dtype=int)
        np.add.at(strata, (units + drawn.township[rows[wanted]], day, numbers), figures[wanted])
    np.add.at(totals, drawn.below[1], strata[drawn.below[0]])
    monday = (-drawn.days[0].weekday()) % WEEK
    length = (len(drawn.days) - monday) // WEEK * WEEK
    stretch = slice(monday, monday + length)
    return totals[counties, stretch], drawn.kinds[stretch], drawn.days[monday]


@dataclass(frozen=True)
class Told:
    """One measure's forecasts from some origins: whether shown, what came, what was told, its limits; what the last
    week before was forecast to stay below; by origin, county and week ahead."""

    shown: Array
    came: Array
    told: Array
    lower: Array
    upper: Array
    naive: Array
    yearly: Array
    risen: Array


def tell(days: Array, kinds: Array, origins: Sequence[int], rule: Forecast, factor: float = 1.0) -> Told:
    """Forecast one measure from weeks by number, as if it were then. factor: the last week before counts so many times
    as much, with all below it."""
    ahead = rule.horizon_weeks
    weekly = days.reshape(len(days), -1, WEEK).sum(axis=2)
    parts: list[tuple[Any, ...]] = []
    for origin in origins:
        start = max(origin - rule.weeks, 0)
        past = days[:, start * WEEK : origin * WEEK].copy()
        past[:, -WEEK:] *= factor
        fitted = past.shape[1] - (rule.origins + ahead - 1) * WEEK
        weeks = count_weeks(past, kinds[start * WEEK : (origin + ahead) * WEEK], ahead, fitted)
        found: list[Outlook] = [each for each in forecast_series(weeks, rule) if each is not None]
        work = weeks.work[:, -ahead:]
        parts.append(
            (
                [each.model_error <= (1 - rule.least_gain) * each.naive_error for each in found],
                weekly[:, origin : origin + ahead],
                [each.value for each in found],
                [each.lower for each in found],
                [each.upper for each in found],
                work * weeks.level[:, -1:],
                weekly[:, origin - 52 : origin - 52 + ahead],
                [
                    each.observed > each.limit and each.observed - each.expected >= rule.least_rise
                    for each in found
                ],
            )
        )
    return Told(*(np.stack([np.array(part[number]) for part in parts]) for number in range(8)))
