"""Period: a day, month, quarter or year, by the name that tables give it."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Self

from etl.failures import Refused

Kind = Literal["day", "month", "quarter", "year", "to_date"]
MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}
YEAR, MONTH = r"(?P<year>[0-9]{4})", r"(?P<month>0[1-9]|1[0-2])"
PATTERNS: dict[Kind, re.Pattern[str]] = {
    "day": re.compile(f"{YEAR}-{MONTH}-(?P<day>[0-3][0-9])"),
    "month": re.compile(f"{YEAR}-{MONTH}"),
    "quarter": re.compile(f"{YEAR}Q(?P<quarter>[1-4])"),
    "year": re.compile(YEAR),
    "to_date": re.compile(f"{YEAR}-{MONTH}/to_date"),
}


class PeriodUnknown(Refused):
    """What names no period; the message shows how periods are written."""


@dataclass(frozen=True)
class Period:
    """A stretch of whole days in Asia/Shanghai; `ends_on` is its last day.

    to_date is the year up to the end of a month (累计), named after that month: 2026-03/to_date.
    """

    kind: Kind
    starts_on: date
    ends_on: date

    @classmethod
    def parse(cls, name: str) -> Self:
        """The period of a name such as 2026-03-02, 2026-03, 2026Q1 or 2026. Raises PeriodUnknown."""
        for kind, pattern in PATTERNS.items():
            found = pattern.fullmatch(name)
            if found is None:
                continue
            part = {key: int(value) for key, value in found.groupdict().items()}
            try:
                if kind == "day":
                    day = date(part["year"], part["month"], part["day"])
                    return cls(kind, day, day)
                first = date(part["year"], part.get("month", 3 * part.get("quarter", 1) - 2), 1)
            except ValueError:
                break
            if kind == "to_date":
                return cls(kind, first.replace(month=1), _month_end(first, 1))
            return cls(kind, first, _month_end(first, MONTHS[kind]))
        raise PeriodUnknown(
            f"{name} is not a period: write a day as 2026-03-02, a month as 2026-03, a quarter as 2026Q1,"
            " a year as 2026."
        )

    @classmethod
    def around(cls, kind: Kind, day: date) -> Self:
        """The period of a kind that a day lies in; for to_date, the one up to the end of the day's month."""
        names: dict[Kind, str] = {
            "day": day.isoformat(),
            "month": f"{day:%Y-%m}",
            "quarter": f"{day:%Y}Q{(day.month + 2) // 3}",
            "year": f"{day:%Y}",
            "to_date": f"{day:%Y-%m}/to_date",
        }
        return cls.parse(names[kind])

    @property
    def name(self) -> str:
        """How tables name it; `parse` reads it back."""
        match self.kind:
            case "day":
                return self.starts_on.isoformat()
            case "month":
                return f"{self.starts_on:%Y-%m}"
            case "quarter":
                return f"{self.starts_on:%Y}Q{(self.starts_on.month + 2) // 3}"
            case "year":
                return f"{self.starts_on:%Y}"
            case "to_date":
                return f"{self.ends_on:%Y-%m}/to_date"

    @property
    def name_zh(self) -> str:
        """How people write it: 2026年3月2日, 2026年3月, 2026年第一季度, 2026年; of a year to date, its year."""
        year, month = self.starts_on.year, self.starts_on.month
        match self.kind:
            case "day":
                return day_zh(self.starts_on)
            case "month":
                return f"{year}年{month}月"
            case "quarter":
                return f"{year}年第{'一二三四'[month // 3]}季度"
            case _:
                return f"{year}年"

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.ends_on - self.starts_on).days + 1

    def months(self) -> list[Period]:
        """The months that a month, quarter, year or year to date is made of."""
        first, months = self.starts_on, []
        while first <= self.ends_on:
            months.append(Period.around("month", first))
            first = months[-1].ends_on + timedelta(days=1)
        return months

    def to_date(self) -> list[Period]:
        """The year up to its end (累计), which stands beside a month, quarter or year; a day has none."""
        return [] if self.kind == "day" else [Period.around("to_date", self.ends_on)]

    def previous(self) -> Period:
        """The period of the same kind just before (环比). A year to date has none before it but the last year's."""
        if self.kind == "to_date":
            return self.last_year()
        return Period.around(self.kind, self.starts_on - timedelta(days=1))

    def last_year(self) -> Period:
        """The same period of the year before (同比); 29 February has the 28th."""
        end = self.ends_on
        last = monthrange(end.year - 1, end.month)[1]
        return Period.around(self.kind, date(end.year - 1, end.month, min(end.day, last)))


ORDER: tuple[Kind, ...] = ("day", "month", "quarter", "year", "to_date")


def periods_touched(days: Iterable[date]) -> list[Period]:
    """Every period in which a figure of these days counts, in order: the day, its month, its quarter, its year, and the
    year to the end of that and each later month."""
    touched: set[Period] = set()
    for day in days:
        touched |= {Period.around(kind, day) for kind in ORDER if kind != "to_date"}
        touched |= {
            Period.around("to_date", day.replace(month=month, day=1)) for month in range(day.month, 13)
        }
    return in_order(touched)


def in_order(periods: Iterable[Period]) -> list[Period]:
    """Days first, then months, quarters, years and years to date; the earlier before the later."""
    return sorted(periods, key=lambda each: (ORDER.index(each.kind), each.ends_on))


def day_zh(day: date) -> str:
    """2026年3月2日."""
    return f"{day.year}年{day.month}月{day.day}日"


def _month_end(first: date, months: int) -> date:
    last = first.replace(month=first.month + months - 1)
    return last.replace(day=monthrange(last.year, last.month)[1])
