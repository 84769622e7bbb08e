"""Plausibility over time (核实性): questions about figures that look unusual beside their own history."""

from etl.plausibility.judge import flag_day

__all__ = ["flag_day"]
