"""A small warehouse with a ladder of recipients: who reported, who was asked, and a clock that tests set."""

from __future__ import annotations

import functools
import itertools
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
import yaml

from etl.alerts import run_rounds, send_alerts
from etl.alerts.outbox import Sent
from etl.alerts.rounds import Ran
from etl.archive import Archive
from etl.catalog import load_catalog
from etl.clock import SHANGHAI
from etl.connections import Connection, ConnectionMissing
from etl.deadlines import expect_units
from etl.register import register_catalog
from etl.settings import Settings
from etl.site import Site
from etl.warehouse import ServerAddress, migrate, open_warehouse
from tests.integration.conftest import copy_database, run_command
from tests.integration.divisions_site import DivisionsSite

PROVINCE, CITY, COUNTY = "370000000000", "371300000000", "371302000000"
TOWN, OTHER = "371302001000", "371302002000"
VILLAGES = tuple(f"371302001{n:03}" for n in (1, 2)) + tuple(f"371302002{n:03}" for n in (1, 2))
DIVISIONS = f"""
    {PROVINCE},山东省,province,
    {CITY},临沂市,city,{PROVINCE}
    {COUNTY},兰山区,county,{CITY}
    {TOWN},兰山街道,township,{COUNTY}
    {OTHER},银雀山街道,township,{COUNTY}
    371302001001,甲村委会,village,{TOWN}
    371302001002,乙村委会,village,{TOWN}
    371302002001,丙村委会,village,{OTHER}
    371302002002,丁村委会,village,{OTHER}
"""
TEMPLATE = "alerts_template"
PLATFORMS = f"""
- {{id: county, family: rest, level: county, datasets: [daily, stocks], conn_id: x, area: ["{CITY}"],
   calendar: everyday, contact: county-operator}}
- {{id: town, family: rest, level: township, datasets: [daily, stocks], conn_id: x, area: ["{CITY}"],
   calendar: workdays, contact: city-operator}}
- {{id: village, family: workbook, level: village, datasets: [daily], conn_id: x, area: ["{CITY}"],
   calendar: workdays, contact: city-operator}}
"""
NAMES = {PROVINCE: "province", CITY: "city", COUNTY: "county-371302", TOWN: "town-1", OTHER: "town-2"}
CONTACTS = {
    **{name: {"name": name, "division": code} for code, name in NAMES.items()},
    "city-operator": {"name": "平台运维"},
    "county-operator": {"name": "区平台运维"},
}
"""Villages have no contact of their own, as in life."""
FRIDAY = date(2026, 3, 6)


def at(text: str) -> datetime:
    """A Shanghai time of 2026, such as 03-06T18:30."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI)


@dataclass
class AlertsSite:
    """The warehouse, its recipients' connections, and the clock."""

    divisions: DivisionsSite
    connections: dict[str, Connection] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: at("03-06T18:30"))
    _keys: Iterator[int] = field(default_factory=itertools.count)

    @property
    def site(self) -> Site:
        folder = self.divisions.folder
        return Site(
            settings=Settings(folder, "", str(folder), folder),
            engine=self.divisions.engine,
            archive=Archive(str(folder / "archive")),
            catalog=self.divisions.catalog,
            cells=self.divisions.cells,
            connect=self._connect,
            clock=lambda: self.now,
        )

    def _connect(self, conn_id: str) -> Connection:
        if conn_id not in self.connections:
            raise ConnectionMissing(f"未配置连接 {conn_id}")
        return self.connections[conn_id]

    def expect(self, day: date = FRIDAY, dataset: str = "daily") -> None:
        """Write down who owes the day."""
        with self.divisions.engine.begin() as conn:
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
        expect_units(self.divisions.engine, self.divisions.catalog, dataset, day)

    def asked(self, moment: datetime, outcome: str = "done", *platforms: str) -> None:
        """Platforms (all of them) were asked for what changed, a minute before."""
        names = list(platforms or self.divisions.catalog.platforms)
        with self.divisions.engine.begin() as conn:
            conn.execute(
                sa.text(
                    "INSERT INTO landing.pull (run_key, platform_id, kind, since, started_at, finished_at, outcome)"
                    " SELECT :key, platform_id, 'since', :at, :at, :at, :outcome FROM core.platform"
                    " WHERE platform = ANY(:names)"
                ),
                {
                    "key": f"run {next(self._keys)}",
                    "at": moment - timedelta(minutes=1),
                    "outcome": outcome,
                    "names": names,
                },
            )
            if outcome != "done":
                conn.execute(
                    sa.text(
                        "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, pulled_at, state)"
                        " SELECT platform_id, 'daily', :day, '', :at, :outcome FROM core.platform"
                        " WHERE platform = ANY(:names) ON CONFLICT DO NOTHING"
                    ),
                    {
                        "day": moment.astimezone(SHANGHAI).date(),
                        "at": moment,
                        "outcome": outcome,
                        "names": names,
                    },
                )

    def asked_for_stocks(self, moment: datetime, month_end: date) -> None:
        """All platforms were asked for the stocks of a month."""
        with self.divisions.engine.begin() as conn:
            conn.execute(
                sa.text(
                    "INSERT INTO landing.pull (run_key, platform_id, kind, stat_date, started_at, finished_at, outcome)"
                    " SELECT 'stocks', platform_id, 'month', :day, :at, :at, 'done' FROM core.platform"
                ),
                {"at": moment, "day": month_end},
            )

    def report(self, unit: str, moment: datetime, day: date = FRIDAY, dataset: str = "daily") -> None:
        """A nil report of a unit arrives."""
        depth = 3 if unit == COUNTY else 9 if unit in (TOWN, OTHER) else 12
        platform = {3: "county", 9: "town", 12: "village"}[depth]
        self.divisions.send(unit, day, moment, {}, platform=platform, dataset=dataset)

    def watch(self, moment: datetime, *, asked: bool = True) -> tuple[Ran, Sent]:
        """One run of the DAG at a moment, after the platforms were asked."""
        if asked:
            self.asked(moment)
        self.now = moment
        return run_rounds(self.site.engine, self.site.catalog, moment), send_alerts(self.site)

    def alerts(self, **where: object) -> list[Mapping[str, Any]]:
        """Rows of mart.alert in order."""
        condition = " AND ".join(f"{name} = :{name}" for name in where) or "true"
        with self.divisions.engine.connect() as conn:
            rows = conn.execute(
                sa.text(f"SELECT * FROM mart.alert WHERE {condition} ORDER BY alert_id"), where
            )
            return [dict(row._mapping) for row in rows]

    def told(self, **where: object) -> set[tuple[str, str, tuple[str, ...]]]:
        """Round, recipient and units of the alerts."""
        found = self.alerts(**where)
        rows = {(each["round"], each["recipient"], tuple(each["unit_codes"])) for each in found}
        assert len(rows) == len(found), "nothing is written twice"
        return rows

    def rows(self, query: str, **params: object) -> list[Mapping[str, Any]]:
        with self.divisions.engine.connect() as conn:
            return [dict(row._mapping) for row in conn.execute(sa.text(query), params)]


@contextmanager
def alerts_site(
    server: ServerAddress,
    folder: Path,
    contacts: Mapping[str, Mapping[str, str]] = CONTACTS,
    channel: Mapping[str, str] | None = None,
) -> Iterator[AlertsSite]:
    """Every contact has one channel, a webhook that nobody listens to unless `channel` says otherwise."""
    reach = channel or {"webhook": "http://127.0.0.1:9/hook"}
    recipients = [{"id": name, **keys, **reach} for name, keys in contacts.items()]
    for name, content in (
        ("recipients", yaml.safe_dump(recipients, allow_unicode=True)),
        ("platforms", PLATFORMS),
    ):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "all.yaml").write_text(content, encoding="utf-8")
    catalog = load_catalog(folder)
    _ensure_template(server)
    database = f"alerts_{uuid.uuid4().hex}"
    copy_database(server, TEMPLATE, database)
    engine = open_warehouse(Settings(folder, server.url(database), "", None))
    try:
        yield AlertsSite(DivisionsSite(engine, catalog, register_catalog(engine, catalog), folder))
    finally:
        engine.dispose()
        run_command(server, psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)"), database)


@functools.cache
def _ensure_template(server: ServerAddress) -> None:
    """A database with the schema and the few divisions, made once for each server."""
    server.ensure_database(TEMPLATE)
    engine = open_warehouse(Settings(Path("/nonexistent"), server.url(TEMPLATE), "", None))
    migrate(engine)
    with tempfile.TemporaryDirectory() as folder:
        DivisionsSite(engine, load_catalog(None), {}, Path(folder)).load(DIVISIONS)
    engine.dispose()


def with_delivery(alerts: AlertsSite, **changes: Any) -> None:
    """Declare the delivery otherwise."""
    catalog = alerts.divisions.catalog
    changed = catalog.delivery().model_copy(update=changes)
    alerts.divisions = replace(
        alerts.divisions,
        catalog=catalog.model_copy(update={"alerts": catalog.alerts | {"delivery": changed}}),
    )
