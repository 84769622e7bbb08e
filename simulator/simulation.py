"""The handle: every platform of a part of the province, served on loopback, with the truth about it."""

from __future__ import annotations

import json
import secrets
import shlex
import shutil
import socket
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from etl.catalog import Catalog, Dataset, load_catalog
from etl.periods import Period
from etl.settings import DIVISIONS_FILE
from simulator.files import FileTree
from simulator.hotline import HotlineDatabase
from simulator.plan import FIRST, SECOND, Plan, Redo
from simulator.platforms import Area, declares, write_declarations
from simulator.rest import Asked, RestFault, RestPlatform, RestServer
from simulator.scenarios import plant
from simulator.sftp import SftpServer
from simulator.truth import Truth, truth_of
from simulator.world import World

CONTROL_CONNECTION = "pls_simulator_control"
SURVEY_KEYS = {"survey_asked": "asked", "survey_answered": "answered"}


class Simulation:
    """The platforms of contract.md for some days and the stocks of their months; a context manager that serves them
    between enter and exit.

    home: folder for trees, declarations and connections.env. prefix: of the cities' codes, 37 for the province.
    days: the simulated days. scenario: one name of simulator.scenarios, or several; stock_scenario: the same for the
    stocks of the days' months. months: days of further months whose stocks are served. hotline_url: SQLAlchemy URL of
    a PostgreSQL database that may be written to; without it no hotline is declared and counties report it
    themselves. counties, townships_per_county: cut the area down. catalog: a catalogue folder whose platforms are
    served; without it, the shipped one where it declares exactly this area, else one that is generated.
    transport: how township and village files are reached. host: the address that the platforms listen on, which their
    connections name.
    """

    def __init__(
        self,
        home: Path,
        days: Sequence[date],
        prefix: str = "3713",
        seed: int = 7,
        scenario: str | Sequence[str] = "clean",
        stock_scenario: str = "clean",
        months: Sequence[date] = (),
        hotline_url: str | None = None,
        counties: Sequence[str] | None = None,
        townships_per_county: int | None = None,
        catalog: Path | None = None,
        transport: Literal["sftp", "file"] = "sftp",
        host: str = "127.0.0.1",
    ) -> None:
        self.home = home
        self.phase = FIRST
        shipped = load_catalog(catalog)
        world = World.load(shipped, DIVISIONS_FILE, seed)
        area = Area.choose(world, prefix, counties, townships_per_county)
        self.catalog_dir = catalog
        if catalog is None and not declares(shipped, area, hotline_url is not None):
            self.catalog_dir = home / "catalog"
            write_declarations(self.catalog_dir, area, hotline_url is not None)
        self.catalog: Catalog = load_catalog(self.catalog_dir)
        self.plan = Plan(world, self.catalog, days)
        plant(self.plan, [scenario] if isinstance(scenario, str) else list(scenario))
        self._transport = transport
        self._host = host
        self._tree = FileTree(world, home / "files")
        self._hotline = HotlineDatabase(hotline_url) if hotline_url else None
        self._token = {platform.id: secrets.token_urlsafe(24) for platform in self.catalog.platforms.values()}
        self._control_token = secrets.token_urlsafe(24)
        self._stock_scenario = stock_scenario
        self._months = months
        self._truths: dict[tuple[int, Redo], Truth] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Prepare the first phase and serve it."""
        shutil.rmtree(self._tree.folder, ignore_errors=True)
        for platform in self.catalog.platforms.values():
            if platform.family in ("csv", "workbook"):
                self._tree.root(platform.id)
        if self._hotline is not None:
            self._hotline.prepare(p for p in self.catalog.platforms.values() if p.family == "database")
        self._publish(FIRST)
        self._tree.write_foreign(self.plan.foreign)
        closing = self.plan.divisions_after_closing()
        if closing is not None:
            self.divisions_after_closing.parent.mkdir(parents=True, exist_ok=True)
            closing.to_csv(self.divisions_after_closing, index=False)
        self._rest.start()
        self._sftp.start()

    def stop(self) -> None:
        """Stop serving; what was written under home stays."""
        self._rest.stop()
        self._sftp.stop()

    def advance(self) -> None:
        """Begin the second phase: what is late, restated or mended is there from now on."""
        self._publish(SECOND)
        self.phase = SECOND

    def environment(self) -> dict[str, str]:
        """AIRFLOW_CONN_* variables of all declared platforms, as JSON. They hold the tokens and passwords."""
        return {
            f"AIRFLOW_CONN_{platform.conn_id.upper()}": json.dumps(self._connection(platform.id))
            for platform in self.catalog.platforms.values()
        }

    def control_environment(self) -> dict[str, str]:
        """The AIRFLOW_CONN_* variable by which another process moves the phase on (POST /_control)."""
        port = self._control_socket.getsockname()[1]
        return {
            f"AIRFLOW_CONN_{CONTROL_CONNECTION.upper()}": json.dumps(self._http(port, self._control_token))
        }

    def write_connections(self) -> Path:
        """Write home/connections.env, readable by its owner alone, and return its path.

        Shell assignments, one a line; PLS_CATALOG is among them when the declarations were generated or given.
        """
        lines = {**self.environment(), **self.control_environment()}
        if self.catalog_dir is not None:
            lines["PLS_CATALOG"] = str(self.catalog_dir.resolve())
        path = self.home / "connections.env"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in lines.items()))
        return path

    def truth(self, phase: int, redo: Redo = "run-day") -> Truth:
        """What a correct pipeline ends with after phase 1, or after phase 2 pulled again as redo says."""
        if (phase, redo) not in self._truths:
            self._truths[phase, redo] = truth_of(self.plan, phase, redo)
        return self._truths[phase, redo]

    @cached_property
    def stocks(self) -> Plan:
        """What the platforms deliver of the months that the days lie in, and of further ones; made when it is first
        asked for."""
        months = {Period.around("month", day).ends_on for day in (*self.plan.days, *self._months)}
        plan = Plan(self.plan.world, self.catalog, sorted(months), "stocks")
        plant(plan, [self._stock_scenario])
        return plan

    def stock_truth(self, phase: int) -> Truth:
        """The same for stocks: daily has the last day of a month for stat_date."""
        return truth_of(self.stocks, phase)

    @property
    def asked(self) -> list[Asked]:
        """Every request to a REST platform so far."""
        return list(self._rest.asked)

    @property
    def divisions_after_closing(self) -> Path:
        """Divisions list to load from the first day in scenario unit_inactive; absent in the others."""
        return self.home / "divisions_after_closing.csv"

    def files_root(self, platform: str) -> Path:
        """Root folder of a township or village platform on this machine."""
        return self._tree.root(platform)

    # --- serving ---------------------------------------------------------------------------------------------

    def _publish(self, phase: int) -> None:
        batches = self.plan.batches(phase)
        self._tree.write(batch for batch in batches if batch.family in ("csv", "workbook"))
        if self._hotline is not None:
            self._hotline.write(batch for batch in batches if batch.family == "database")

    @cached_property
    def _control_socket(self) -> socket.socket:
        return socket.create_server((self._host, 0))

    @cached_property
    def _rest(self) -> RestServer:
        control = Starlette(routes=[Route("/_control", self._control, methods=["GET", "POST"])])
        return RestServer(list(self._rest_platforms.values()), [(self._control_socket, control)])

    @cached_property
    def _rest_platforms(self) -> dict[str, RestPlatform]:
        keys = {
            m.code: SURVEY_KEYS.get(m.code, m.code)
            for m in self.catalog.daily_measures()
            if m.kind == "survey"
        }
        return {
            platform.id: RestPlatform(
                platform.id,
                self._token[platform.id],
                lambda dataset, name=platform.id: self._plan_of(dataset).listed(self.phase, name),  # type: ignore[misc]
                lambda dataset, name=platform.id: self._fault(dataset, name),  # type: ignore[misc]
                keys,
                self._host,
            )
            for platform in self.catalog.platforms.values()
            if platform.family == "rest"
        }

    def _plan_of(self, dataset: Dataset) -> Plan:
        return self.stocks if dataset == "stocks" else self.plan

    def _fault(self, dataset: Dataset, platform: str) -> RestFault | None:
        return self._plan_of(dataset).rest_faults.get(platform) if self.phase == FIRST else None

    @cached_property
    def _sftp(self) -> SftpServer:
        files = [p.id for p in self.catalog.platforms.values() if p.family in ("csv", "workbook")]
        return SftpServer(self._tree.folder, {name: self._token[name] for name in files}, self._host)

    async def _control(self, request: Request) -> JSONResponse:
        if request.headers.get("Authorization") != f"Bearer {self._control_token}":
            return JSONResponse({"error": "bad token"}, 401)
        if request.method == "POST":
            asked = await request.json()
            if asked != {"phase": SECOND}:
                return JSONResponse({"error": 'the body is {"phase": 2}'}, 422)
            if self.phase == FIRST:
                self.advance()
        return JSONResponse({"phase": self.phase, "since": self.plan.since.isoformat()})

    def _connection(self, platform_id: str) -> dict[str, object]:
        platform = self.catalog.platforms[platform_id]
        if platform.family == "rest":
            return self._http(self._rest_platforms[platform_id].port, self._token[platform_id])
        if platform.family == "database":
            return self._database_connection()
        if self._transport == "file":
            return {"conn_type": "file", "extra": {"path": str(self._tree.root(platform_id).resolve())}}
        return {
            "conn_type": "sftp",
            "host": self._host,
            "port": self._sftp.port,
            "login": platform_id,
            "password": self._token[platform_id],
            "extra": {"root": f"/{platform_id}", "host_key": self._sftp.host_key},
        }

    def _database_connection(self) -> dict[str, object]:
        if self._hotline is None:
            raise ValueError("the catalogue declares a database platform: give hotline_url")
        url = self._hotline.url
        connection = {
            "conn_type": "postgres",
            "host": url.host,
            "port": url.port,
            "login": url.username,
            "password": url.password,
            "schema": url.database,
            "extra": dict(url.query) or None,
        }
        return {key: value for key, value in connection.items() if value is not None}

    def _http(self, port: int, token: str) -> dict[str, object]:
        return {"conn_type": "http", "host": self._host, "schema": "http", "port": port, "password": token}
