"""Counts: figures of the day outside the limits of their own history, and typing errors that explain them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from etl.catalog import Catalog
from etl.catalog.rules import CountLimit, DigitTwice, Tenfold, TypingError
from etl.plausibility.baseline import Baseline
from etl.plausibility.finding import Finding, Published, ask, shown, subject_of
from etl.plausibility.history import Array, Figures


def find_count_faults(
    figures: Figures, baseline: Baseline, published: Published, catalog: Catalog
) -> list[Finding]:
    """Each figure is asked about once: as a tenfold error, else as a digit typed twice, else as outside its limits."""
    taken: set[int] = set()
    found: list[Finding] = []
    for kind in (Tenfold, DigitTwice):
        rule = catalog.rule(kind)
        if isinstance(rule, Tenfold | DigitTwice):
            for series in _outside(figures, baseline, rule):
                words = _slip(figures, baseline, rule, series) if series not in taken else None
                if words is not None:
                    taken.add(series)
                    found.append(_finding(figures, baseline, published, rule.kind, series, words))
    limit = catalog.rule(CountLimit)
    if limit is not None:
        for series in _outside(figures, baseline, limit):
            if series not in taken:
                is_high = figures.values[series, -1] > baseline.usual(series)
                words = f"{'高于' if is_high else '低于'}通常范围，请核对；属实的请说明原因"
                found.append(_finding(figures, baseline, published, limit.kind, series, words))
    return found


def _outside(figures: Figures, baseline: Baseline, rule: CountLimit | TypingError) -> list[int]:
    """Series whose figure of the day lies outside the rule's limits, far enough to matter."""
    today, expected = figures.values[:, -1].astype(np.float64), baseline.expected[:, -1]
    is_asked = (
        baseline.is_ready
        & figures.of_levels(rule.levels)
        & ~np.isnan(today)
        & ~(baseline.is_lumpy & (today == 0))
        & (np.abs(np.nan_to_num(today) - expected) >= rule.least_effect)
    )
    series = np.flatnonzero(is_asked)
    value = today[series]
    tail = np.minimum(baseline.upper_tail(series, value), baseline.lower_tail(series, value))
    deviations = np.abs(baseline.deviations(series, value))
    is_out = np.where(baseline.is_by_logs[series], deviations > rule.deviations, tail < rule.tail)
    return [int(each) for each in series[is_out]]


def _slip(figures: Figures, baseline: Baseline, rule: Tenfold | DigitTwice, series: int) -> str | None:
    """What was meant, where one slip of the pen explains the figure; None where none does."""
    value, expected = int(figures.values[series, -1]), baseline.usual(series)
    if isinstance(rule, DigitTwice):
        for mended in _without_a_double(value):
            if value > expected and _is_plausible(baseline, rule, series, mended):
                return f"若重复录入了一位数字，应为 {mended}，属通常范围，请核对"
    elif value > expected:
        if value % 10 == 0 and _is_plausible(baseline, rule, series, value // 10):
            return f"若多录一个零，应为 {value // 10}，属通常范围，请核对"
    elif value > 0 and _is_plausible(baseline, rule, series, value * 10 + 4):
        return f"若漏录末位数字，应为 {value * 10} 至 {value * 10 + 9}，属通常范围，请核对"
    return None


def _without_a_double(value: int) -> Iterator[int]:
    """The number with one of two equal neighbouring digits taken out, for each such pair."""
    digits = str(value)
    mended = {
        int(digits[:place] + digits[place + 1 :])
        for place in range(1, len(digits))
        if digits[place] == digits[place - 1]
    }
    yield from sorted(mended - {0})


def _is_plausible(baseline: Baseline, rule: TypingError, series: int, value: int) -> bool:
    one, values = np.array([series]), np.array([float(value)])
    if baseline.is_by_logs[series]:
        return bool(abs(baseline.deviations(one, values)[0]) <= rule.plausible_deviations)
    tail: Array = np.minimum(baseline.upper_tail(one, values), baseline.lower_tail(one, values))
    return bool(tail[0] >= rule.plausible_tail)


def _finding(
    figures: Figures, baseline: Baseline, published: Published, check: str, series: int, words: str
) -> Finding:
    subject = subject_of(figures, series)
    value, expected = int(figures.values[series, -1]), baseline.usual(series)
    unit = subject.unit
    message = f"{subject.name}报送 {value} {unit}，按本单位同类日的历史约为 {shown(expected)} {unit}；{words}"
    return ask(check, subject, value, value - expected, message, published)
