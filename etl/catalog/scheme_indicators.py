"""What schemes need to know of the catalogue's indicators."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from etl.catalog.base import Level
from etl.catalog.indicator import Indicator
from etl.catalog.scheme_consistency import KnownIndicator
from etl.periods import Period


def known_indicators(indicators: Mapping[str, Indicator]) -> dict[str, KnownIndicator]:
    """Levels, periods, direction and targets of indicators, by code.

    The target of a period is the next that falls due for the level, after the last one that; a trend is no target to
    score by, nor is one that is meant for whole years in a shorter period.
    """
    return {code: _known(indicator) for code, indicator in indicators.items()}


def _known(indicator: Indicator) -> KnownIndicator:
    def target(level: Level, period: Period) -> Decimal | None:
        if indicator.annualised is False and period.kind != "year":
            return None
        schedule = [each for each in indicator.targets if each.levels is None or level in each.levels]
        coming = [each for each in schedule if each.by is None or period.ends_on <= each.by]
        chosen = (coming or schedule[-1:])[:1]
        return chosen[0].value if chosen else None

    return KnownIndicator(
        indicator.levels,
        indicator.periods,
        None if indicator.direction == "none" else indicator.direction,
        target,
    )
