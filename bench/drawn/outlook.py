"""`python -m bench.drawn.outlook`: how far estimates of incomplete totals and forecasts of weeks are off, on drawn
years, and what they cost; writes docs/early-sight.md."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import warnings
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from time import perf_counter

import click
import numpy as np
import pandas as pd

from bench.drawn.early_sight import (
    LEVELS,
    Drawn,
    Hidden,
    Looked,
    Told,
    county_days,
    gather,
    judge,
    look,
    tell,
)
from bench.drawn.history import draw_months
from bench.drawn.outlook_cost import describe_cost
from etl.catalog import Catalog, load_catalog
from etl.catalog.early_sight import Estimate, Forecast
from etl.outlook.weeks import WEEK, count_weeks, season
from etl.periods.period import Period
from etl.plausibility.history import Array
from etl.settings import DIVISIONS_FILE

FIRST, LAST = date(2023, 7, 3), date(2026, 3, 31)
SEED = 11
MONTHS = ["2025-06", "2025-09", "2025-12", "2026-02", "2026-03"]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "early-sight.md"
ORIGINS = 10
"""From which forecasts are made, four weeks apart, the last four weeks before the end."""

HEAD = """# Early sight: what totals will come to, and what the coming weeks may bring

Written by `make outlook`, which draws, hides, estimates, forecasts and times everything below anew; nothing here is
typed. The rules stand in etl/catalog/outlook/rules.yaml.

## What it is

- **Estimated totals** (`mart.estimated_total`, `python -m etl outlook totals --period 2026-03`). While submissions of a
  month or quarter are missing, each total comes with its completeness (submissions received of those expected) and
  with what it will come to when everything is in: what was reported, plus, for each report that is missing or still
  to come, what its unit usually counts on such a day. A unit's usual count is its own (villages are counted together
  by township); how kinds of day differ (Monday to Sunday, holiday, shifted workday) and how a day has been is learnt
  from its peers at the same level; days to come are taken as the last {recent} days. The interval ({probability:.0%})
  adds up chance, the units' own ups and downs, and how well all this is known.
- **Forecasts** (`mart.forecast`, `python -m etl outlook weeks`). Weekly consultations, mediations accepted and disputes
  found of every county for the coming {horizon} weeks, by a local level model (statsmodels, UnobservedComponents) on
  square roots of weekly counts from which holidays are taken out, and beside the same week a year before of all
  counties where that is stored. Each is held against the naive way, over the last {origins} weeks: the week as the last
  one, or as the same one a year before, whichever was nearer, the calendar known to it too. A forecast is shown only
  where its mean absolute error was at least {gain:.0%} smaller; both errors are kept (`mart.forecast_measured`).
- **Unusual rises** (`mart.unusual_rise`): a last week above what the forecast made before it says it stays below with
  {rise:.1%}. It asks what has happened.

## What it is not

- Not a reported figure. Estimates stand in tables of their own, marked; nothing in `mart.period_statistics`, an
  indicator, a rank or a report takes anything from them. When the reports are in, they count.
- Not a judgement: a rise is a question, and an interval that proves too narrow is nobody's fault.
- Not for everything: without {fewest} days of history for {known:.0%} of the missing reports, or more than {ahead} days
  before a period's end, there is no estimate, and the row says why in Chinese; for years there is none at all. What a
  unit leaves out of a report that it did send is not estimated. A unit that is late because something is wrong there
  is taken as an ordinary one.
- Not measured on a real province. All below is drawn ({first} to {last}; 16 city, 151 county and 1,853 township units,
  62,074 villages): volumes, seasons and holidays are the simulator's, with good and bad days of each unit (coefficient
  of variation 0.3), market days, slow drift, genuine busy days and 1 % missed reports on top. The drawn seasons step at
  the first of a month and are alike every year: the step is harder than real ones for estimates made early in a month,
  the likeness easier for forecasts.
"""

ESTIMATES = """
## Estimates of incomplete months

Months: {months}. Eight measures, looked at when so many days were over, with so many of the reports of
these days missing: any of them, or all reports of the same units. Bias and error: sums of (estimate − complete) and of
its absolute over all totals, as a share of the complete; MAPE: mean absolute percentage error of totals of 20 and more.
Biases of single months looked at after ten days are larger than all months' together, and of either sign: the error
does not cancel. Naive: what is reported, divided by the share of the month's expected reports that is in. Within:
totals inside the {probability:.0%} interval; half width: half of it as a share of the total, where that is 20 and more.
"""


@click.command(help="Measure estimates and forecasts on drawn years, and write docs/early-sight.md.")
def main() -> None:
    """Draw once; hide and estimate; forecast as if it were then; time both in a warehouse."""
    catalog = load_catalog(None)
    estimate, forecast = catalog.outlook["estimate"], catalog.outlook["forecast"]
    assert isinstance(estimate, Estimate)
    assert isinstance(forecast, Forecast)
    _say("drawing")
    months = draw_months(catalog, pd.read_csv(DIVISIONS_FILE, dtype=str), FIRST, LAST, SEED)
    measures = list(dict.fromkeys((*estimate.measures, *forecast.measures)))
    drawn = gather(months, catalog, measures, estimate.calendar)
    del months
    days, kinds, first = county_days(drawn, [measures.index(each) for each in forecast.measures])
    page = [
        HEAD.format(
            first=FIRST, last=LAST, recent=estimate.recent_days, probability=estimate.probability,
            horizon=forecast.horizon_weeks, origins=forecast.origins + forecast.horizon_weeks - 1,
            gain=forecast.least_gain, rise=forecast.rise_probability, fewest=estimate.fewest_days,
            known=estimate.least_known, ahead=estimate.horizon_days,
        ),
        ESTIMATES.format(months=", ".join(MONTHS), probability=estimate.probability),
        *describe_estimates(drawn, estimate),
        *describe_forecasts(days, kinds, first, forecast, catalog),
        *describe_cost(catalog, days, first),
    ]  # fmt: skip
    click.echo("\n".join(page))
    PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")


# --- estimates -----------------------------------------------------------------------------------------------

LOOKS = [
    *product([10, 20], [0.1, 0.3], ["any"]),
    *product([31], [0.02, 0.1, 0.3], ["any"]),
    *product([31], [0.1, 0.3], ["same"]),
]
WORDS = {"any": "any", "same": "of the same units"}


def describe_estimates(drawn: Drawn, rule: Estimate) -> list[str]:
    """A table of all levels and looks."""
    columns = [
        "days over", "reports missing", "totals of", "bias", "error", "MAPE", "naive bias", "naive error", "naive MAPE",
        "within", "half width",
    ]  # fmt: skip
    lines = [_row(columns), _row(["---"] * len(columns))]
    for days_over, share, pattern in LOOKS:
        _say(f"estimates {days_over} {share} {pattern}")
        looked: list[Looked] = []
        for name in MONTHS:
            month = Period.parse(name)
            hidden = Hidden(month, min(days_over, month.days), share, pattern)
            looked.append(look(drawn, hidden, rule, SEED))
        for name in LEVELS:
            error = judge(looked, drawn.level, name)
            parts = [
                f"{error.bias:+.1%}", f"{error.error:.1%}", f"{error.mape:.1%}", f"{error.naive_bias:+.1%}",
                *(f"{each:.1%}" for each in (error.naive_error, error.naive_mape, error.within)),
                f"± {error.half_width:.1%}",
            ]  # fmt: skip
            over = "all" if days_over == 31 else str(days_over)
            lines.append(_row([over, f"{share:.0%} {WORDS[pattern]}", name, *parts]))
    return lines


# --- forecasts -----------------------------------------------------------------------------------------------


def describe_forecasts(days: Array, kinds: Array, first: date, rule: Forecast, catalog: Catalog) -> list[str]:
    """Tables of errors, intervals and rises, and what another library makes of it."""
    last = days.shape[1] // WEEK - rule.horizon_weeks
    origins = [last - rule.horizon_weeks * number for number in range(ORIGINS)][::-1]
    begin, end = (first + timedelta(weeks=number) for number in (origins[0], origins[-1]))
    columns = [
        "measure", "shown", "mean week", "error where shown", "as the last week", "as a year before",
        "error where not shown", "as the last week", "as a year before", "within, 1 to 4 weeks ahead",
    ]  # fmt: skip
    lines = [
        FORECASTS.format(origins=ORIGINS, begin=begin, end=end, last=min(last, rule.weeks)),
        _row(columns), _row(["---"] * len(columns)),
    ]  # fmt: skip
    asked = ["measure", "ordinary weeks asked about", "a week half as much again", "a week twice as much"]
    rises = ["", RISES, "", _row(asked), _row(["---"] * len(asked))]
    for column, code in enumerate(rule.measures):
        _say(f"forecasts {code}")
        name, values = catalog.measures[code].name_zh, days[:, :, column]
        told = tell(values, kinds, origins, rule)
        shown, hidden = told.shown, ~told.shown
        within = ((told.came >= told.lower) & (told.came <= told.upper))[shown].mean(axis=0)
        cells = [
            name,
            f"{shown.mean():.0%}",
            f"{told.came.mean():.0f}",
            *_errors(told, shown),
            *_errors(told, hidden),
        ]
        lines.append(_row([*cells, ", ".join(f"{each:.0%}" for each in within)]))
        found = [
            tell(values, kinds, origins[-4:], rule, factor) if factor > 1 else told
            for factor in (1.0, 1.5, 2.0)
        ]
        rises.append(_row([name, *(f"{each.risen[each.shown].mean():.1%}" for each in found)]))
    return [*lines, *rises, *_rival(days, kinds, origins, rule)]


FORECASTS = """
## Forecasts of counties

151 counties, {origins} origins four weeks apart from {begin} to {end}, with up to {last} weeks of history; 1 % of
reports missed. Errors are mean absolute errors of weekly totals over the weeks ahead, which no forecast has seen; the
naive ones know the calendar. Within: weeks inside the interval.
"""
RISES = """Rises: shares of the county weeks with a forecast shown that are asked about. The first is false alarms, over
all origins; the others, over the last four, count a county's last week with all below it so many times as much."""


def _errors(told: Told, on: Array) -> list[str]:
    if not on.any():
        return ["–"] * 3
    return [f"{np.abs(each - told.came)[on].mean():.1f}" for each in (told.told, told.naive, told.yearly)]


def _rival(days: Array, kinds: Array, origins: Sequence[int], rule: Forecast) -> list[str]:
    """statsforecast's AutoETS on the same weekly levels, where it is installed: it is no dependency of the project."""
    if importlib.util.find_spec("statsforecast") is None:
        return ["", "statsforecast was not installed, and was not compared."]
    from statsforecast.models import AutoETS

    ours, theirs, seconds = [], [], [0.0, 0.0]
    for origin in origins[-3:]:
        begun = perf_counter()
        told = tell(days[:, :, 0], kinds, [origin], rule)
        seconds[0] += perf_counter() - begun
        start = max(origin - rule.weeks, 0)
        fitted = (origin - start - rule.origins - rule.horizon_weeks + 1) * WEEK
        weeks = count_weeks(
            days[:, start * WEEK : origin * WEEK, 0],
            kinds[start * WEEK : (origin + rule.horizon_weeks) * WEEK], rule.horizon_weeks, fitted,
        )  # fmt: skip
        factors = season(weeks, rule.fewest_weeks + rule.origins + rule.horizon_weeks - 1)
        begun = perf_counter()
        for county in range(len(days)):
            roots = (
                pd.Series(np.sqrt(weeks.level[county] / factors[: weeks.level.shape[1]]))
                .interpolate()
                .dropna()
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mean = AutoETS(season_length=1).fit(roots.to_numpy()).predict(rule.horizon_weeks)["mean"]
            scale = (weeks.work[county] * factors)[-rule.horizon_weeks :]
            theirs.append(np.abs(mean**2 * scale - told.came[0, county]))
        seconds[1] += perf_counter() - begun
        ours.append(np.abs(told.told - told.came))
    words = RIVAL.format(
        version=importlib.metadata.version("statsforecast"), theirs=np.mean(theirs), ours=np.mean(ours),
        once=seconds[1], measured=seconds[0],
    )  # fmt: skip
    return ["", words]


RIVAL = """statsforecast {version} (AutoETS) on the same weekly levels of consultations, last three origins: mean
absolute error {theirs:.1f}, with statsmodels {ours:.1f}; {once:.0f} s for one forecast of each county, with statsmodels
{measured:.0f} s with all errors measured."""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _say(words: str) -> None:
    click.echo(f"outlook: {words}", err=True)


if __name__ == "__main__":
    main()
