"""Airflow and the portal on this machine: their components started one by one, on the embedded PostgreSQL, reachable
from here only.

python -m local.stack up | down | status | run -- COMMAND
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import httpx
import psutil

from etl.settings import Settings
from etl.warehouse import WarehouseError, embedded_server, stop_embedded

PROJECT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 180
GRACE_SECONDS = 8

# The components and their commands; docker-compose.yml runs the same ones, which a test holds to.
COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
    "portal": ("python", "-m", "etl", "portal", "serve"),
}
# What makes their databases ready, before any of them starts.
PREPARATIONS: dict[str, tuple[str, ...]] = {
    "migrate": ("airflow", "db", "migrate"),
    "init": ("python", "-m", "etl", "init"),
    # So many pulls run at a time over all runs: platforms are county machines.
    "pool": ("airflow", "pools", "set", "pls_platforms", "8", "平台拉取"),
}

# What a site may set otherwise in its own environment.
PREFERENCES = {
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
    "GX_ANALYTICS_ENABLED": "False",
}


class Databases(Protocol):
    """Where the databases are."""

    def url(self, database: str, driver: str = "psycopg") -> str:
        """SQLAlchemy URL of one of them."""


class StackError(Exception):
    """Airflow cannot be started or stopped as asked; the message says what to do."""


@dataclass(frozen=True)
class Stack:
    """Airflow of one PLS_HOME. connections: file of AIRFLOW_CONN_* assignments for the components, or None."""

    home: Path
    port: int
    connections: Path | None = None
    portal_port: int = 8081

    @classmethod
    def from_env(cls, home: Path | None = None, connections: Path | None = None) -> Stack:
        """Stack of PLS_AIRFLOW_PORT, PLS_PORTAL_PORT and, unless a home is given, of PLS_HOME; StackError for a bad
        port."""
        port, portal_port = _port("PLS_AIRFLOW_PORT", 8080), _port("PLS_PORTAL_PORT", 8081)
        return cls(home or Settings.from_env().home, port, connections, portal_port)

    @property
    def folder(self) -> Path:
        """AIRFLOW_HOME: secrets, logs, the record of what runs. Closed to other users."""
        return self.home.resolve() / "airflow"

    @property
    def logs(self) -> Path:
        """One log file per component, and Airflow's own folders of task logs."""
        return self.folder / "logs"

    @property
    def password_file(self) -> Path:
        """Where the password of the user `admin` stands, as JSON, readable by its owner only."""
        return self.folder / "passwords.json"

    @property
    def url(self) -> str:
        """Where the interface answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def portal_url(self) -> str:
        """Where the portal answers."""
        return f"http://{HOST}:{self.portal_port}"

    # --- environment -----------------------------------------------------------------------------------------

    def environment(self, server: Databases) -> dict[str, str]:
        """Environment of every component and of every `airflow` command. Creates the secrets when first asked."""
        keys = self._secrets()
        python_path = [str(PROJECT / "local" / "config"), str(PROJECT), os.environ.get("PYTHONPATH", "")]
        fixed = {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__SECRET_KEY": keys["api"],
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url("airflow", driver="psycopg2"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": server.url("airflow", driver="asyncpg"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.logs),
            "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(self.logs / "dag_processor"),
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__OPENLINEAGE__NAMESPACE": "pls-statistics",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
                {"type": "file", "log_file_path": str(self.logs / "openlineage.jsonl"), "append": True}
            ),
            "NO_PROXY": ",".join(filter(None, [HOST, "localhost", os.environ.get("NO_PROXY")])),
            "PLS_AIRFLOW_URL": self.url,
            "PLS_HOME": str(self.home.resolve()),
            "PLS_PORTAL_LISTEN": f"{HOST}:{self.portal_port}",
            "PYTHONPATH": os.pathsep.join(filter(None, python_path)),
        }
        return PREFERENCES | dict(os.environ) | self._connections() | fixed

    def _connections(self) -> dict[str, str]:
        if self.connections is None:
            return {}
        if not self.connections.is_file():
            raise StackError(f"There is no file of connections at {self.connections}.")
        words = shlex.split(self.connections.read_text(encoding="utf-8"), comments=True)
        pairs = [word.partition("=") for word in words if word != "export"]
        if not all(name and equals for name, equals, _ in pairs):
            raise StackError(
                f"{self.connections} must hold lines of the form NAME='value', quoted as in a shell."
            )
        return {name: value for name, _, value in pairs}

    def _secrets(self) -> dict[str, str]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        path = self.folder / "secrets.json"
        if not path.exists():
            fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            _write_private(
                path, {"api": secrets.token_urlsafe(64), "jwt": secrets.token_urlsafe(64), "fernet": fernet}
            )
        if not self.password_file.exists():
            _write_private(self.password_file, {"admin": secrets.token_urlsafe(12)})
        keys: dict[str, str] = json.loads(path.read_text())
        return keys

    # --- start and stop --------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Start what does not run yet and wait until Airflow says that it is healthy; False when it all ran already.
        Where nothing runs, the databases are made ready first.

        Raises StackError when the port is taken, or a component ends or is not healthy within three minutes.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _file_lock(self.folder / ".lock"):
            running = self.running()
            if len(running) == len(COMPONENTS):
                return False
            self.refuse_taken_port(running)
            server = embedded_server(self.home)
            server.ensure_database("airflow")
            environment = self.environment(server)
            for name, command in () if running else PREPARATIONS.items():
                self._prepare(name, command, environment)
            for name, command in COMPONENTS.items():
                if name not in running:
                    running[name] = self._launch(name, command, environment)
                    self._record(running)
            self._wait_until_healthy(running)
            return True

    def stop(self) -> list[str]:
        """End every component, then the embedded PostgreSQL; returns the names of what was running."""
        if not self.folder.exists():
            return []
        stopped = self.stop_components()
        if stop_embedded(self.home):
            stopped.append("PostgreSQL")
        return stopped

    def stop_components(self) -> list[str]:
        """End every component, and leave the embedded PostgreSQL running; returns their names."""
        with _file_lock(self.folder / ".lock"):
            running = self.running()
            _end(list(running.values()))
            self._record({})
            return list(running)

    def running(self) -> dict[str, psutil.Process]:
        """The components that run, as `start` recorded them."""
        try:
            record: dict[str, list[float]] = json.loads((self.folder / "running.json").read_text())
        except FileNotFoundError:
            return {}
        found = {}
        for name, (pid, created) in record.items():
            try:
                process = psutil.Process(int(pid))
                if process.create_time() == created and _runs(process):
                    found[name] = process
            except psutil.NoSuchProcess:
                continue
        return found

    def _record(self, running: dict[str, psutil.Process]) -> None:
        record = {name: [process.pid, process.create_time()] for name, process in running.items()}
        beside = self.folder / "running.json.new"
        beside.write_text(json.dumps(record))
        beside.replace(self.folder / "running.json")  # whole at any time: others read it meanwhile

    def _prepare(self, name: str, command: tuple[str, ...], environment: dict[str, str]) -> None:
        log = self.logs / f"{name}.log"
        with log.open("w") as out:
            ended = subprocess.run(
                native_command(command),
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        if ended.returncode != 0:
            raise StackError(f"`{' '.join(command)}` failed. The end of {log}:\n{_tail(log)}")

    def _launch(self, name: str, command: tuple[str, ...], environment: dict[str, str]) -> psutil.Process:
        with (self.logs / f"{name}.log").open("w") as out:
            started = subprocess.Popen(
                native_command(command),
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        return psutil.Process(started.pid)

    def _wait_until_healthy(self, running: dict[str, psutil.Process]) -> None:
        deadline = time.monotonic() + START_SECONDS
        unhealthy: list[str] = list(COMPONENTS)
        while time.monotonic() < deadline:
            for name, process in running.items():
                if not _runs(process):
                    log = self.logs / f"{name}.log"
                    raise StackError(f"{name} ended while starting. The end of {log}:\n{_tail(log)}")
            unhealthy = self.unhealthy()
            if not unhealthy:
                return
            time.sleep(0.5)
        raise StackError(
            f"Not healthy after {START_SECONDS} s: {', '.join(unhealthy)}. Logs are in {self.logs}."
        )

    def refuse_taken_port(self, running: Collection[str] = ()) -> None:
        """Raise StackError when another program has a port that a component which does not run needs."""
        needed = {
            "api-server": ("PLS_AIRFLOW_PORT", self.port),
            "portal": ("PLS_PORTAL_PORT", self.portal_port),
        }
        for name, port in (each for component, each in needed.items() if component not in running):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError:
                    raise StackError(
                        f"Port {port} is taken by another program. "
                        f"Choose a free one, for example: {name}={port + 1} make up"
                    ) from None

    def unhealthy(self) -> list[str]:
        """The parts that Airflow's own health report does not call healthy, and the portal where it does not read its
        warehouse; what does not answer is not healthy.

        The API that tasks talk to is made when it is first asked, which takes longer than a task waits for its answer:
        it is asked here, before the first task does.
        """
        portal = [] if self._portal_is_healthy() else ["portal"]
        try:
            answer = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5, trust_env=False)
            report = answer.raise_for_status().json()
            httpx.get(f"{self.url}/execution/health", timeout=5, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            return ["api-server", *portal]
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return [part for part in parts if report[part]["status"] != "healthy"] + portal

    def _portal_is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.portal_url}/health", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def listening(processes: Sequence[psutil.Process]) -> set[tuple[str, int]]:
    """Addresses and ports on which these processes and all below them accept connections from a network."""
    family = [*processes, *(child for process in processes for child in process.children(recursive=True))]
    return {
        (connection.laddr.ip, connection.laddr.port)
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
        or (connection.type == socket.SOCK_DGRAM and connection.laddr)
    }


def _port(variable: str, default: int) -> int:
    port = os.environ.get(variable) or str(default)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise StackError(f"{variable} is {port!r}; it must be a port number such as {default}.")
    return int(port)


def native_command(command: Sequence[str]) -> list[str]:
    """The command with the programs of this environment, whatever PATH says."""
    beside = Path(sys.executable).with_name(command[0])
    return [str(beside) if beside.exists() else command[0], *command[1:]]


def _end(processes: list[psutil.Process]) -> None:
    family = [*processes, *(child for process in processes for child in process.children(recursive=True))]
    for process in processes:
        _unless_gone(process.terminate)
    deadline = time.monotonic() + GRACE_SECONDS
    while any(map(_runs, family)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in filter(_runs, family):
        _unless_gone(process.kill)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _unless_gone(signal: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        signal()


def _write_private(path: Path, content: dict[str, str]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out)


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


# --- the commands --------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; exit status 0 done, 1 failed."""
    options = _parser().parse_args(arguments)
    try:
        return _command(options)
    except (StackError, WarehouseError) as error:
        print(error, file=sys.stderr)
        return 1


def _command(options: argparse.Namespace) -> int:
    stack = Stack.from_env(connections=options.connections)
    if stack.connections is None and (stack.home / "connections.env").is_file():
        stack = replace(stack, connections=stack.home / "connections.env")
    if options.command == "up":
        _up(stack)
    elif options.command == "down":
        stopped = stack.stop()
        print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
    elif options.command == "status":
        running = stack.running()
        for name in COMPONENTS:
            print(
                f"{name:14} {f'runs as process {running[name].pid}' if name in running else 'does not run'}"
            )
        return 0 if len(running) == len(COMPONENTS) else 1
    else:
        environment = stack.environment(embedded_server(stack.home))
        command = native_command([word for word in options.words if word != "--"])
        os.execvpe(command[0], command, environment)
    return 0


def _up(stack: Stack) -> None:
    started = time.monotonic()
    if stack.start():
        print(f"Airflow runs: {stack.url} (ready after {time.monotonic() - started:.0f} s)")
    else:
        print(f"Airflow runs already: {stack.url}")
    print(f"Portal: {stack.portal_url}")
    print(f"Log in as admin with the password in {stack.password_file}")
    print(f"Logs: {stack.logs}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument(
        "--connections", type=Path, help="file of AIRFLOW_CONN_* assignments, as a shell reads them"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start Airflow and wait until it is healthy")
    commands.add_parser("down", help="stop Airflow and the embedded PostgreSQL")
    commands.add_parser("status", help="say what runs; exit status 1 unless everything does")
    run = commands.add_parser(
        "run", help="run a command in Airflow's environment, for example: run airflow dags list"
    )
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser


if __name__ == "__main__":
    sys.exit(main())
