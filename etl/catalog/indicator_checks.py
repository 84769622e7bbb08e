"""Whether indicators fit the measures they name; each complaint is (folder, entry, words), as in consistency."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from etl.catalog.base import Level
from etl.catalog.formula import ALL, RESERVED, Divisions, Figure, Services, Term, Units
from etl.catalog.indicator import Indicator

if TYPE_CHECKING:
    from etl.catalog.models import Catalog, Measure


def indicator_contradictions(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """What no indicator can be refused for alone."""
    for code, measure in catalog.measures.items():
        if code in RESERVED:
            yield "measures", code, f"key code: {code} is a word of the formula language; choose another."
        if measure.is_service and measure.kind != "flow":
            yield "measures", code, "key is_service: only a flow is a service delivered; delete the key."
    for indicator in catalog.indicators.values():
        for words in _complaints(indicator, catalog):
            yield "indicators", indicator.code, words


def _complaints(indicator: Indicator, catalog: Catalog) -> Iterator[str]:
    unknown = [
        *_unknown("measure", _measures(indicator.parsed.terms()), catalog.measures),
        *_unknown("channel", _channels(indicator.parsed.terms()), catalog.channels),
    ]
    yield from unknown
    if unknown:
        return
    for term in indicator.parsed.terms():
        yield from _misfits(term, indicator, catalog.measures)
    yield from _time(indicator, catalog.measures)


def _unknown(what: str, names: list[str], known: Mapping[str, object]) -> Iterator[str]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = (
                f" Did you mean {near[0]}?" if near else f" Declared are {', '.join(list(known)[:12])}, …."
            )
            yield f"key formula names the {what} {name}, which is not declared.{meant}"


def _measures(terms: Sequence[Term]) -> list[str]:
    return [
        name
        for term in terms
        for name in (
            [term.measure]
            if isinstance(term, Figure)
            else [each.measure for each in term.conditions]
            if isinstance(term, Units)
            else []
        )
    ]


def _channels(terms: Sequence[Term]) -> list[str]:
    named = [term.channel for term in terms if isinstance(term, Figure | Services)]
    return [channel for channel in named if channel != ALL]


def _misfits(term: Term, indicator: Indicator, measures: Mapping[str, Measure]) -> Iterator[str]:
    """A term that some level of the indicator cannot have, or that contradicts its measure."""
    match term:
        case Figure(name, channel):
            measure = measures[name]
            if measure.kind == "stock" and channel != ALL:
                yield f"key formula: {name} is a stock, and stocks have no channel: write {name}."
            elif channel not in (ALL, *measure.channels):
                known = ", ".join(measure.channels)
                yield f"key formula: {name} is not reported in channel {channel}, only in {known}."
            yield from _nobody_below(indicator, measure.levels, f"reports {name}")
        case Units(levels, conditions):
            for condition in conditions:
                silent = [level for level in levels if level not in measures[condition.measure].levels]
                if silent:
                    named, known = ", ".join(silent), ", ".join(measures[condition.measure].levels)
                    yield (
                        f"key formula: {condition.measure} is not reported by level {named}, only by {known}:"
                        f" units({named}: …) counts nothing."
                    )
            yield from _nobody_below(indicator, levels, f"is counted by {term}")
        case Divisions(levels):
            yield from _nobody_below(indicator, levels, f"is counted by {term}")


def _nobody_below(indicator: Indicator, levels: Sequence[Level], does: str) -> Iterator[str]:
    lowest = max(level.depth for level in levels)
    empty = [level for level in indicator.levels if level.depth > lowest]
    if empty:
        yield f"key levels: at or below level {', '.join(empty)} nobody {does}: delete {', '.join(empty)}."


def _time(indicator: Indicator, measures: Mapping[str, Measure]) -> Iterator[str]:
    """Stocks belong to a month's end, flows to the whole period; neither is taken for the other."""
    formula = indicator.parsed
    for side in (formula.numerator, formula.denominator):
        stocks = [str(term) for term in side if is_stock(term, measures)]
        others = [
            str(term) for term in side if not is_stock(term, measures) and not isinstance(term, Divisions)
        ]
        if stocks and others:
            yield (
                f"key formula adds {stocks[0]}, a stock at a month's end, to {others[0]}, which is summed over the"
                " period: a stock is never summed over time."
            )
    stocks = [str(term) for term in formula.terms() if is_stock(term, measures)]
    if stocks and "day" in indicator.periods:
        yield f"key periods: {stocks[0]} is known at the end of a month only: delete day."
    if indicator.annualised:
        if is_of_month_end(formula.numerator, measures):
            yield (
                f"key annualised: {formula.numerator[0]} is not summed over time and has nothing to scale:"
                " delete the key."
            )
        over = [str(term) for term in formula.denominator if not is_of_month_end((term,), measures)]
        if over:
            yield (
                f"key annualised: a whole year's numerator would be divided by {over[0]} of the period alone:"
                " delete the key, or divide by a stock."
            )


def is_stock(term: Term, measures: Mapping[str, Measure]) -> bool:
    """Whether the term is read at the end of a month: a stock, or units counted by their stocks alone."""
    names = _measures([term])
    return bool(names) and all(measures[name].kind == "stock" for name in names)


def is_of_month_end(terms: Sequence[Term], measures: Mapping[str, Measure]) -> bool:
    """Whether nothing of these terms is summed over the period."""
    return all(is_stock(term, measures) or isinstance(term, Divisions) for term in terms)
