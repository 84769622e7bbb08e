"""Timeliness: who is excused from reporting, and below which share of reporting a period's figures are provisional."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from etl.catalog.base import Declared, DivisionCode, Name, Text, each_once


class ReportingException(Declared):
    """A division, with all below it, that need not report for some days (domain.md, section 6): first_day to last_day,
    both included. Month-end figures are excused where the month's last day is among them."""

    id: Name
    division: DivisionCode
    datasets: Annotated[
        tuple[Literal["daily", "stocks"], ...], Field(min_length=1), AfterValidator(each_once)
    ]
    first_day: date
    last_day: date
    reason: Text

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} lies before first_day {self.first_day}: mend one")
        return self


class Completeness(Declared):
    """provisional_below: the share of expected submissions, 0 to 1, below which figures of a kind of period are marked
    provisional (初步), and neither ranked nor compared (domain.md, section 3)."""

    kind: Literal["day", "month", "quarter", "year", "to_date"]
    provisional_below: Annotated[float, Field(ge=0, le=1, strict=True)]
