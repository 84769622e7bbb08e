"""Periods: days, months, quarters and years; which months are closed, and what was counted in each."""

from etl.periods.period import Period, PeriodUnknown, in_order, periods_touched

__all__ = ["Period", "PeriodUnknown", "in_order", "periods_touched"]
