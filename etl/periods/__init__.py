"""Periods: days, months, quarters and years; which months are closed, and what was counted in each."""

from etl.periods.period import Period, PeriodUnknown, day_zh, in_order, periods_touched

__all__ = ["Period", "PeriodUnknown", "day_zh", "in_order", "periods_touched"]
