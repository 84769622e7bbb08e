"""What the DAGs' tasks call: one function each, on the site that the task's environment names.

Connections come from Airflow here; the command line reads the same AIRFLOW_CONN_* variables itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any

import sqlalchemy as sa

from etl import alerts, daily, delivery, desk, issue, periodic, pull
from etl.catalog import Dataset
from etl.connections import Connection, ConnectionMissing, connection_from_airflow
from etl.data_docs import build_data_docs
from etl.failures import (
    AlertsFailed,
    DayIncomplete,
    PlatformsFailed,
    PlatformsRejected,
    TablesIncomplete,
)
from etl.housekeeping import backup, retention
from etl.outlook import forecast_counties
from etl.periods import Period
from etl.reports.publish import write_tables
from etl.site import Site, confirm_clock, open_site


def plan_groups(dataset: Dataset = "daily") -> list[list[str]]:
    """Ids of the platforms to ask, in one group per mapped task."""
    with _site() as site:
        return daily.plan_groups(site.catalog, dataset)


def pull_and_gate(platforms: Sequence[str], day: date, run_key: str) -> None:
    """Bring a day of some platforms through archive and gate. Raises PlatformsFailed, PlatformsRejected at the end."""
    with _site() as site:
        confirm_clock(site)
        _complain(pull.pull_day(site, platforms, day, run_key))


def pull_stocks(platforms: Sequence[str], month: str, run_key: str) -> None:
    """The same for the stocks of a month (YYYY-MM)."""
    with _site() as site:
        confirm_clock(site)
        _complain(pull.pull_day(site, platforms, Period.parse(month).ends_on, run_key, "stocks"))


def pull_changes(platforms: Sequence[str], run_key: str) -> None:
    """The same for what some platforms received since they were last asked, and for days that failed before."""
    with _site() as site:
        confirm_clock(site)
        _complain(pull.pull_changes(site, platforms, None, run_key))


def load_and_roll_up(day: date) -> None:
    """Load what the gate has passed of a day, and write its totals at every level."""
    with _site() as site:
        daily.load_and_roll_up(site, day, whole=True)


def load_and_roll_up_stocks(month: str) -> None:
    """Load what the gate has passed of a month's stocks (YYYY-MM), and write them at every level."""
    with _site() as site:
        daily.load_and_roll_up(site, Period.parse(month).ends_on, whole=True, dataset="stocks")


def show_changes() -> list[str]:
    """Load and roll up every day that something new has come for; returns the days, YYYY-MM-DD."""
    with _site() as site:
        return [day.isoformat() for day in daily.show_changes(site)]


def show_stock_changes() -> list[str]:
    """The same for stocks; returns the months, YYYY-MM."""
    with _site() as site:
        return [f"{day:%Y-%m}" for day in daily.show_changes(site, "stocks")]


def name_periods(by: str, of: date | None = None) -> list[str]:
    """Names of the periods that do not show yet what was rolled up, and for which no run waits already; of a day, those
    that it is in. by: the run that asks."""
    with _site() as site:
        return [each.name for each in periodic.name_periods(site, by, of)]


def show_period(period: str) -> None:
    """Make anew what the marts show of a period, by its name."""
    with _site() as site:
        periodic.show_period(site, Period.parse(period))


def forecast() -> None:
    """Forecast the coming weeks of every county."""
    with _site() as site:
        forecast_counties(site.engine, site.catalog, site.today())


def publish_day(day: date) -> None:
    """Write the day's tables and its Data Docs."""
    with _site() as site:
        folder = site.settings.home / "reports"
        write_tables(site.engine, site.catalog, Period.around("day", day), folder, site.today())
        build_data_docs(day, site.archive, site.settings.home)


def confirm_complete(run_key: str) -> None:
    """Raise DayIncomplete naming every platform that a run could not bring in, with the reason."""
    with _site() as site:
        missing = pull.unfinished(site, run_key)
    if missing:
        raise DayIncomplete(f"{len(missing)} platform(s) not in: " + "; ".join(missing))


def list_held(day: str) -> list[dict[str, Any]]:
    """What of a day (YYYY-MM-DD) waits for a person's decision: ids, subject and body of each group."""
    with _site() as site:
        return [asdict(group) for group in desk.held_groups(site, date.fromisoformat(day))]


def decide_held(
    group: Mapping[str, Any], answer: Mapping[str, Any], *, release: str, discard: str
) -> dict[str, list[str]]:
    """Carry out what a person chose for a group, in the words that stand for releasing and discarding its rows; any
    other word leaves them. Returns what was rolled up again: days and months by asset."""
    (choice,) = answer["chosen_options"]
    user = answer.get("responded_by_user") or {}
    by = user.get("name") or user.get("id") or "Airflow"
    why = (answer["params_input"].get("why") or "").strip()
    if choice not in (release, discard):
        return {}
    if not why:
        raise desk.DeskError(f"{choice}须写明理由：请清除本任务及 decide 任务，重新答复。")
    with _site() as site:
        if choice == discard:
            desk.discard(site, group["ids"], by, why)
            return {}
        done = desk.release(site, group["ids"], by, why)
    return {
        "pls://core/daily": [day.isoformat() for day in done.days],
        "pls://core/stocks": [f"{day:%Y-%m}" for day in done.month_ends],
    }


def draft_tables(period: str, run_key: str) -> dict[str, Any]:
    """Draft the tables that are due as a period is shown anew: questions to people, keys of tables issued without
    asking, and faults."""
    with _site() as site:
        return asdict(issue.draft_due(site, period, run_key))


def decide_table(
    question: Mapping[str, Any], answer: Mapping[str, Any], *, approve: str, refuse: str
) -> list[str]:
    """Carry out what a person chose for a draft, in the words that stand for approving and refusing it: it is issued
    and delivered, or refused. Returns the keys of the tables issued. Raises TablesIncomplete when a target did not take
    it."""
    (choice,) = answer["chosen_options"]
    user = answer.get("responded_by_user") or {}
    by = user.get("name") or user.get("id") or "Airflow"
    why = (answer["params_input"].get("why") or "").strip()
    if choice == refuse and user and not why:
        raise issue.IssueError(f"{refuse}须写明理由：请清除本任务及 approve 任务，重新答复。")
    with _site() as site:
        if choice != approve:
            issue.refuse_draft(site, question["issue_id"], by, why or "期限内无人批准")
            return []
        if issue.approve_draft(site, question["issue_id"], by) is None:
            print(f"{question['subject']}：已由新稿取代，不报出")
            return []
        _deliver(site, [])
    return [question["key"]]


def deliver_waiting(faults: Sequence[str]) -> None:
    """Deliver what is issued and not delivered everywhere. Raises TablesIncomplete naming what a target did not take,
    and the tables that could not be drafted."""
    with _site() as site:
        _deliver(site, faults)


def _deliver(site: Site, faults: Sequence[str]) -> None:
    done = delivery.deliver_tables(site)
    missing = [*faults, *done.waiting, *done.failed]
    if missing:
        raise TablesIncomplete("; ".join(missing))


def tell_of_run(what: str, dag_id: str, run_id: str, partition: str | None) -> None:
    """Tell those on duty what befell a run, with the platforms that it could not bring in."""
    with _site() as site:
        missing = pull.unfinished(site, run_id)
        lines = [f"运行：{run_id}", *(f"未取得：{each}" for each in missing)]
        alerts.tell_duty(site, f"{dag_id} {partition or ''} {what}".replace("  ", " "), "\n".join(lines))


def confirm_watched() -> None:
    """Raise RuntimeError when the watch has fallen silent, its messages do not go out, or the workdays soon end."""
    with _site() as site:
        faults = alerts.find_faults(site.engine, site.catalog, site.clock())
    if faults:
        raise RuntimeError("；".join(faults))


def back_up() -> None:
    """Back up the embedded warehouse; one on a server of its own is left to its operators."""
    with _site() as site:
        if site.settings.warehouse == "embedded":
            backup.back_up(site.settings, site.clock())


def tidy() -> None:
    """Let go of what has served its time. Raises RuntimeError naming what the warehouse could not give back."""
    with _site("pls_owner") as site:
        done = retention.tidy(site)
    if done.kept:
        raise RuntimeError(f"{len(done.kept)} object(s) kept: " + "; ".join(done.kept))


def tend_database() -> None:
    """Give freed space back to use and take statistics anew."""
    with (
        _site("pls_owner") as site,
        site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn,
    ):
        conn.execute(sa.text("VACUUM (ANALYZE)"))


def run_rounds() -> dict[str, int]:
    """Write what the ladder has recipients be told by now, and the all-clears; returns what was done."""
    with _site() as site:
        return asdict(alerts.run_rounds(site.engine, site.catalog, site.clock()))


def name_missing() -> list[str]:
    """Who has not reported by a cut-off of today, in words for whoever is on duty; printed and returned."""
    with _site() as site:
        named = alerts.name_missing(site.engine, site.catalog, site.clock())
    print(*named, sep="\n")
    return named


def send_alerts() -> dict[str, int]:
    """Send what waits in the outbox; returns what was sent, postponed and given up. Raises AlertsFailed."""
    with _site() as site:
        done = alerts.send_alerts(site)
    if done.failed:
        raise AlertsFailed(f"{done.failed} alert(s) reached nobody: python -m etl alerts list --state failed")
    return asdict(done)


@contextmanager
def _site(role: str = "pls_loader") -> Iterator[Site]:
    site = open_site(_connect, role)
    try:
        yield site
    finally:
        site.engine.dispose()


def _connect(conn_id: str) -> Connection:
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return connection_from_airflow(AirflowConnection.get(conn_id))
    except AirflowNotFoundException:
        raise ConnectionMissing(f"未配置平台连接 {conn_id}：请在 Airflow 中建立该连接") from None


def _complain(troubles: Sequence[pull.Trouble]) -> None:
    words = "; ".join(
        f"{each.platform} {each.stat_date} {each.name} {each.state}: {each.message}" for each in troubles
    )
    if any(each.state == "failed" for each in troubles):
        raise PlatformsFailed(words)
    if troubles:
        raise PlatformsRejected(words)
