"""Metrics: the state of the pipeline as Prometheus reads it, asked of the warehouse each time."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.engine import Connection

from etl.clock import SHANGHAI
from etl.site import Site
from etl.warehouse import run_sql


class WarehouseCollector(Collector):
    """Reads everything in one snapshot of the warehouse; docs/howto/monitoring.md lists the names."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()

    def describe(self) -> list[Metric]:
        """Nothing is known before it is asked for: registering must not read the warehouse."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families; one reader at a time."""
        moment = self._site.clock()
        with self._lock, self._site.engine.connect() as conn:
            conn.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            found = [*_submissions(conn, moment), *_traffic(conn), *_state(conn, moment)]
        horizon = GaugeMetricFamily(
            "pls_calendar_horizon_days",
            "Days from today to the last one whose workdays are known",
            labels=["calendar"],
        )
        today = moment.astimezone(SHANGHAI).date()
        for name, last in self._site.catalog.horizons(today).items():
            horizon.add_metric([name], (last - today).days)
        yield from found
        yield horizon


def _submissions(conn: Connection, moment: datetime) -> Iterator[Metric]:
    units = GaugeMetricFamily(
        "pls_submissions",
        "Units by status, of the newest statistical day past a cut-off",
        labels=["dataset", "level", "status"],
    )
    day = GaugeMetricFamily(
        "pls_submissions_day_timestamp_seconds", "Midnight (Shanghai) of that day", labels=["dataset"]
    )
    days: dict[str, float] = {}
    for row in run_sql(conn, "metrics/submissions", {"moment": moment}):
        units.add_metric([row.dataset, row.level, row.status], row.units)
        days[row.dataset] = datetime.combine(row.stat_date, datetime.min.time(), SHANGHAI).timestamp()
    for dataset, midnight in days.items():
        day.add_metric([dataset], midnight)
    yield units
    yield day


def _traffic(conn: Connection) -> Iterator[Metric]:
    rows = CounterMetricFamily(
        "pls_rows", "Rows received, by what became of them", labels=["family", "outcome"]
    )
    for row in run_sql(conn, "metrics/rows"):
        rows.add_metric([row.family, row.outcome], row.rows)
    yield rows
    batches = GaugeMetricFamily("pls_batches", "Batches by state", labels=["family", "state"])
    for row in run_sql(conn, "metrics/batches"):
        batches.add_metric([row.family, row.state], row.batches)
    yield batches
    pulls = CounterMetricFamily("pls_pulls", "Pulls that ended", labels=["family", "outcome"])
    seconds = CounterMetricFamily("pls_pull_seconds", "Seconds that pulls took", labels=["family", "outcome"])
    for row in run_sql(conn, "metrics/pulls"):
        pulls.add_metric([row.family, row.outcome], row.pulls)
        seconds.add_metric([row.family, row.outcome], row.seconds)
    yield pulls
    yield seconds


def _state(conn: Connection, moment: datetime) -> Iterator[Metric]:
    fresh = run_sql(conn, "metrics/freshness").one()
    if fresh.newest_day is not None:
        midnight = datetime.combine(fresh.newest_day, datetime.min.time(), SHANGHAI)
        yield GaugeMetricFamily(
            "pls_newest_day_timestamp_seconds",
            "Midnight (Shanghai) of the newest day in the marts",
            midnight.timestamp(),
        )
        yield GaugeMetricFamily(
            "pls_rolled_up_timestamp_seconds", "When the marts were last written", fresh.rolled_up_at
        )
    yield GaugeMetricFamily(
        "pls_days_waiting", "Days with something loaded that the marts do not show", fresh.days_waiting
    )
    held = GaugeMetricFamily(
        "pls_quarantine_rows", "Rows held back, by reason and state", labels=["reason", "state"]
    )
    for row in run_sql(conn, "metrics/quarantine"):
        held.add_metric([row.reason_code, row.state], row.rows)
    yield held
    alerts = GaugeMetricFamily("pls_alerts", "Alerts in the outbox by state", labels=["state"])
    sent_at = 0.0
    for row in run_sql(conn, "metrics/alerts"):
        alerts.add_metric([row.state], row.alerts)
        sent_at = max(sent_at, row.sent_at or 0.0)
    yield alerts
    yield GaugeMetricFamily(
        "pls_alert_sent_timestamp_seconds", "When the last alert went out; 0: none did", sent_at
    )
    watch = run_sql(conn, "metrics/watch", {"moment": moment}).one()
    yield GaugeMetricFamily(
        "pls_watch_round_timestamp_seconds",
        "When the watch last ran a round; 0: never",
        watch.round_at or 0.0,
    )
    yield GaugeMetricFamily(
        "pls_alert_overdue_seconds",
        "How long the oldest alert waits that should have gone out",
        watch.overdue_seconds or 0.0,
    )


def write_metrics(site: Site, file: Path) -> None:
    """Write all metrics to a file for node_exporter's textfile collector; it appears whole or not at all."""
    unfinished = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        unfinished.write_bytes(generate_latest(_registry(site)))  # type: ignore[no-untyped-call]
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def metrics_server(site: Site, host: str, port: int) -> WSGIServer:
    """A server that answers /metrics; call its serve_forever."""
    return make_server(host, port, make_wsgi_app(_registry(site)), _Threads, _Quiet)


def _registry(site: Site) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(WarehouseCollector(site))
    return registry


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not logged."""
