"""Divisions: the lists that are loaded, with their validity, what changed between them, and who stands where."""

from etl.divisions.day import DayDivisions
from etl.divisions.division_list import DivisionListError
from etl.divisions.load import DivisionLoad, load_divisions, plan_divisions

__all__ = ["DayDivisions", "DivisionListError", "DivisionLoad", "load_divisions", "plan_divisions"]
