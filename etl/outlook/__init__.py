"""Early sight: estimates of totals while submissions are missing, and forecasts of the coming weeks."""

from etl.outlook.estimate import estimate_period
from etl.outlook.forecast import forecast_counties

__all__ = ["estimate_period", "forecast_counties"]
