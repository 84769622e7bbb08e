"""Deadlines: who is expected to report on a day, and by when (domain.md, section 6; rulings 3 and 4)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection, Engine

from etl.catalog import Calendar, Catalog
from etl.clock import SHANGHAI
from etl.load import is_closed, take_day
from etl.warehouse import plan_for_bulk, run_sql


class Deadline(NamedTuple):
    """What arrives until due_at is on time, until cutoff_at late, later it was missing. Instants, to the second."""

    due_at: datetime
    cutoff_at: datetime


def deadlines(catalog: Catalog, dataset: str, day: date) -> dict[str, Deadline]:
    """The platforms, by id, whose units are expected to report a day, with their deadlines; of stocks, those that
    deliver them, for the last day of a month.

    Raises CalendarUnknown for a day of a year that nobody declared. A cut-off beyond the known years is guessed, Monday
    to Friday being worked: the days before it are to be loaded all the same, and rolled up anew they get the true one.
    """
    found = {}
    for platform in catalog.platforms.values():
        calendar = catalog.calendars[platform.calendar]
        if dataset not in platform.datasets:
            continue
        if dataset == "stocks":
            if day.day == monthrange(day.year, day.month)[1]:
                found[platform.id] = _stock_deadline(calendar, _workdays(catalog, calendar), day)
        elif calendar.expects(day):
            found[platform.id] = Deadline(
                _at(day, calendar.due), _at(_next_day(calendar, day), calendar.cutoff)
            )
    return found


def expectations(catalog: Catalog, dataset: str, day: date) -> dict[str, Any]:
    """The same as parameters of sql/rollup/touch_all, with the divisions that are excused."""
    due = deadlines(catalog, dataset, day)
    return {
        "day": day,
        "dataset": dataset,
        "expecting": list(due),
        "due": [each.due_at for each in due.values()],
        "cutoff": [each.cutoff_at for each in due.values()],
        "excused": [
            each.division
            for each in catalog.exceptions.values()
            if dataset in each.datasets and each.first_day <= day <= each.last_day
        ],
    }


def expect_units(engine: Engine, catalog: Catalog, dataset: str, day: date) -> None:
    """Write down which units are expected to report a day and by when; those of the daily data set are written by its
    roll-up. One transaction; run again, it changes nothing, nor does it in a closed month."""
    with engine.begin() as conn:
        moment = take_day(conn, day)
        if not is_closed(conn, day):
            plan_for_bulk(conn)
            run_sql(conn, "rollup/touch_all", expectations(catalog, dataset, day))
            write_expected(conn, dataset, day, moment)


def write_expected(conn: Connection, dataset: str, day: date, moment: datetime) -> None:
    """Keep, as known from `moment`, what sql/rollup/touch_all found out."""
    run_sql(conn, "rollup/expect", {"dataset": dataset, "day": day, "moment": moment})


def _next_day(calendar: Calendar, day: date) -> date:
    if calendar.days == "every":
        return day + timedelta(days=1)
    return calendar.workday_after(day, 1, is_guess=True)


def _stock_deadline(calendar: Calendar, workdays: Calendar, day: date) -> Deadline:
    due, cutoff = (
        workdays.workday_after(day, calendar.stocks_workday + late, is_guess=True) for late in (0, 1)
    )
    return Deadline(_at(due, calendar.due), _at(cutoff, calendar.cutoff))


def _workdays(catalog: Catalog, calendar: Calendar) -> Calendar:
    """Working days are counted in the calendar that is about them, also for those who report every day."""
    return next((each for each in catalog.calendars.values() if each.days == "work"), calendar)


def _at(day: date, hour: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(hour), SHANGHAI)
