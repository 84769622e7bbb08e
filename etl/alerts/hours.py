"""Hours of the ladder: when a rung falls, how long it may be run, when nothing is sent. Local times are Shanghai's."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from etl.catalog.alert import Delivery, Round
from etl.catalog.models import Calendar
from etl.clock import SHANGHAI


def round_at(rung: Round, due_at: datetime, cutoff_at: datetime, calendar: Calendar) -> datetime:
    """The moment that a rung falls on for units with these times. Raises CalendarUnknown beyond the known years."""
    if rung.after == "due":
        return due_at
    local = cutoff_at.astimezone(SHANGHAI)
    return datetime.combine(calendar.workday_after(local.date(), rung.workdays), local.timetz())


def closes_at(rung: Round, falls_at: datetime, cutoff_at: datetime) -> datetime:
    """Until when a rung may be run, if it was not: a reminder is pointless after the cut-off."""
    end = falls_at + timedelta(hours=rung.open_hours)
    return min(end, cutoff_at) if rung.after == "due" else end


def after_quiet(moment: datetime, delivery: Delivery) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls into."""
    local = moment.astimezone(SHANGHAI)
    start, end = delivery.quiet_from, delivery.quiet_to
    clock = local.time()
    is_quiet = start <= clock < end if start <= end else clock >= start or clock < end
    if not is_quiet:
        return moment
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    return _at(day, end)


def all_clear_at(moment: datetime, delivery: Delivery) -> datetime:
    """The last of the declared hours of all-clears that has passed."""
    today = moment.astimezone(SHANGHAI).date()
    passed = [
        at
        for day in (today - timedelta(days=1), today)
        for each in delivery.all_clear_at
        if (at := _at(day, each)) <= moment
    ]
    return passed[-1]


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)
