"""Airflow on one machine, before anything is started."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import psutil
import pytest

from etl.warehouse import ServerAddress
from local.stack import COMPONENTS, HOST, PREPARATIONS, Stack, StackError, main

SERVER = ServerAddress(Path("/run/somewhere"))


def test_the_secrets_are_made_once_and_readable_by_their_owner_alone(tmp_path: Path) -> None:
    stack = Stack(tmp_path, 8080)
    first, second = stack.environment(SERVER), stack.environment(SERVER)
    names = ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY")
    assert [first[name] for name in names] == [second[name] for name in names]
    assert len({first[name] for name in names}) == 3
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"].encode()) >= 64
    files = sorted(path for path in stack.folder.iterdir() if path.is_file())
    assert [file.name for file in files] == ["passwords.json", "secrets.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (stack.folder, *files)] == [0o700, 0o600, 0o600]


def test_a_site_may_set_preferences_but_not_open_the_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "8")
    monkeypatch.setenv("AIRFLOW__API__HOST", "0.0.0.0")
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    environment = Stack(tmp_path, 8080).environment(SERVER)
    assert environment["AIRFLOW__CORE__PARALLELISM"] == "8"
    assert environment["AIRFLOW__API__HOST"] == HOST
    assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"


def test_connections_are_read_as_a_shell_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "connections.env"
    file.write_text(
        '# platforms\nexport AIRFLOW_CONN_A=\'{"conn_type": "http", "password": "a b"}\'\nAIRFLOW_CONN_B=http://b\n'
    )
    environment = Stack(tmp_path, 8080, file).environment(SERVER)
    assert environment["AIRFLOW_CONN_A"] == '{"conn_type": "http", "password": "a b"}'
    assert environment["AIRFLOW_CONN_B"] == "http://b"


@pytest.mark.parametrize("text", ["AIRFLOW_CONN_A", "AIRFLOW_CONN_A = x"])
def test_a_line_that_is_no_assignment_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "connections.env"
    file.write_text(text)
    with pytest.raises(StackError, match="NAME='value'"):
        Stack(tmp_path, 8080, file).environment(SERVER)


def test_a_taken_port_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PLS_HOME", str(tmp_path))
        for variable in ("PLS_AIRFLOW_PORT", "PLS_PORTAL_PORT"):
            with monkeypatch.context() as patched:
                patched.setenv(variable, str(port))
                assert main(["up"]) == 1
            told = capsys.readouterr().err
            assert f"Port {port} is taken" in told
            assert f"{variable}={port + 1}" in told
    assert not (tmp_path / "postgres").exists()


def test_a_port_that_is_no_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLS_AIRFLOW_PORT", "http")
    with pytest.raises(StackError, match="PLS_AIRFLOW_PORT"):
        Stack.from_env()


def test_status_and_down_of_a_home_where_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLS_HOME", str(tmp_path))
    assert main(["status"]) == 1
    assert capsys.readouterr().out.count("does not run") == 5
    assert main(["down"]) == 0
    assert capsys.readouterr().out == "Nothing was running.\n"


@pytest.mark.parametrize("survivors", [[], ["api-server", "scheduler"]])
def test_what_has_died_is_started_again_and_databases_are_made_ready_only_where_nothing_runs(
    survivors: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    running = {name: psutil.Process() for name in survivors}
    monkeypatch.setattr("local.stack.embedded_server", lambda home: SERVER)
    monkeypatch.setattr(ServerAddress, "ensure_database", lambda self, name: None)
    monkeypatch.setattr(Stack, "running", lambda self: running)
    monkeypatch.setattr(Stack, "refuse_taken_port", lambda self, names: None)
    monkeypatch.setattr(Stack, "_prepare", lambda self, name, command, environment: done.append(name))
    monkeypatch.setattr(Stack, "_launch", lambda self, name, *_: done.append(name) or psutil.Process())
    monkeypatch.setattr(Stack, "_wait_until_healthy", lambda self, found: None)
    assert Stack(tmp_path, 8080).start()
    dead = [name for name in COMPONENTS if name not in survivors]
    assert done == ([] if survivors else list(PREPARATIONS)) + dead
