"""Indicators: what the catalogue's formulas give for every division and period, in the warehouse."""

from etl.indicators.compute import compute_indicators
from etl.indicators.explain import IndicatorExplanation, explain_indicator

__all__ = ["IndicatorExplanation", "compute_indicators", "explain_indicator"]
