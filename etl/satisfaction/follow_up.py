"""Follow-up (回访): every dissatisfied answer is called back within so many working days, as recorded by
people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.engine import Connection, Engine

from etl.catalog import CalendarUnknown, Catalog
from etl.clock import SHANGHAI, Clock
from etl.failures import Refused
from etl.periods.period import Period
from etl.warehouse import run_sql


class FollowUpRefused(Refused):
    """The follow-up cannot be recorded like this; the message says why and what to do."""


@dataclass(frozen=True)
class FollowUp:
    """What was done about a unit's dissatisfied answers of a day in a channel: how many people were called
    back, when (Asia/Shanghai), what came of it, by whom, and what they were dissatisfied with."""

    unit: str
    day: date
    channel: str
    people: int
    done_on: date
    result: str
    by: str
    reason: str


def write_dissatisfied(
    conn: Connection, catalog: Catalog, period: Period, unit_id: int | None = None
) -> None:
    """Write what is to be followed up of the period's days, of all units or one, from the submissions that
    count.

    A deadline beyond the days that the calendar knows stays open until they are declared and this is run
    again.
    """
    rule = catalog.satisfaction_rule()
    slice_: dict[str, Any] = {
        "first_day": period.starts_on,
        "last_day": period.ends_on,
        "unit_id": unit_id,
        "answers": list(rule.dissatisfied),
    }
    run_sql(conn, "follow_up/take")
    run_sql(conn, "follow_up/forget", slice_)
    days = [period.starts_on + timedelta(days=number) for number in range(period.days)]
    due = [_deadline_if_known(catalog, day) for day in days]
    run_sql(conn, "follow_up/write", {**slice_, "days": days, "due_days": due})


def _deadline_if_known(catalog: Catalog, day: date) -> date | None:
    rule = catalog.satisfaction_rule()
    try:
        return catalog.calendars[rule.calendar].workday_after(day, rule.follow_up_workdays)
    except CalendarUnknown:
        return None


def list_follow_ups(
    engine: Engine, division: str | None, state: str | None, today: date
) -> list[dict[str, Any]]:
    """What is to be followed up of a division and all below it, or everywhere: all, open, overdue or done."""
    params = {"division": division, "state": state, "today": today}
    with engine.connect() as conn:
        return [dict(line._mapping) for line in run_sql(conn, "follow_up/list", params)]


def record_follow_up(engine: Engine, catalog: Catalog, done: FollowUp, clock: Clock) -> int:
    """Keep that people were called back; returns its number. Raises FollowUpRefused, also for more people
    than were dissatisfied."""
    _refuse_nonsense(catalog, done, clock().astimezone(SHANGHAI).date())
    with engine.begin() as conn:
        params: dict[str, Any] = {"unit": done.unit, "day": done.day, "channel": done.channel}
        unit_id = run_sql(conn, "follow_up/unit", params).scalar_one_or_none()
        if unit_id is None:
            raise FollowUpRefused(
                f"{done.day} 没有单位 {done.unit}。 (There was no unit {done.unit} on that day.)"
            )
        write_dissatisfied(conn, catalog, Period.around("day", done.day), unit_id)
        params["unit_id"] = unit_id
        state = run_sql(conn, "follow_up/state", params).one_or_none()
        due, before = (state.due, state.done) if state is not None else (0, 0)
        if before + done.people > due:
            raise FollowUpRefused(
                f"{done.unit} {done.day} {catalog.channels[done.channel].name_zh}渠道共有不满意回答 {due} 份，"
                f"已回访 {before} 份，不能再登记 {done.people} 份。 (Only {due - before} of {due} dissatisfied answers"
                f" are left to be followed up, not {done.people}.)"
            )
        more = {"people": done.people, "done_on": done.done_on, "result": done.result.strip()}
        names = {"name": done.by.strip(), "reason": done.reason.strip(), "moment": clock()}
        return int(run_sql(conn, "follow_up/record", params | more | names).scalar_one())


def _refuse_nonsense(catalog: Catalog, done: FollowUp, today: date) -> None:
    if done.channel not in catalog.channels:
        known = ", ".join(catalog.channels)
        raise FollowUpRefused(f"没有渠道 {done.channel}。 (Channels are {known}.)")
    if done.people < 1:
        raise FollowUpRefused("回访份数至少为 1。 (At least one person was expected.)")
    if not done.day <= done.done_on <= today:
        raise FollowUpRefused(
            f"回访日期 {done.done_on} 应在测评日期 {done.day} 与今天 {today} 之间。"
            f" (A day between {done.day} and {today} was expected.)"
        )
    if not (done.result.strip() and done.by.strip() and done.reason.strip()):
        raise FollowUpRefused(
            "须写明回访结果、回访人和不满意原因。"
            " (Say what came of it, who called, and what people were dissatisfied with.)"
        )
