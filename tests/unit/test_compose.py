"""docker-compose.yml: valid, closed to other machines, and running what runs natively. No engine is needed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.cli.cli_parser import get_parser

from local.stack import COMPONENTS, PREPARATIONS, PROJECT
from simulator.__main__ import main as simulator

COMPOSE = PROJECT / "docker-compose.yml"
JOBS = {"init"}
NO_SECRET = {"PLS_UID", "DEMO_START"}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    assert len(found) == 15
    return found


def _validate(file: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("check-jsonschema")
    return subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_file_follows_the_compose_specification() -> None:
    checked = _validate(COMPOSE)
    assert checked.returncode == 0, checked.stdout


def test_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    text = COMPOSE.read_text(encoding="utf-8")
    assert text.count("  postgres:\n    image:") == 1
    broken.write_text(text.replace("  postgres:\n    image:", "  postgres:\n    imagge:"), encoding="utf-8")
    checked = _validate(broken)
    assert checked.returncode == 1
    assert "imagge" in checked.stdout


def test_the_airflow_components_run_the_commands_that_run_natively(
    services: dict[str, dict[str, Any]],
) -> None:
    assert {name: tuple(services[name]["command"]) for name in COMPONENTS} == COMPONENTS
    prepared = services["init"]["command"][-1].splitlines()
    assert prepared[1:] == [" ".join(command) for command in PREPARATIONS.values()]


def test_airflow_understands_the_commands_of_the_workers(services: dict[str, dict[str, Any]]) -> None:
    workers = [service for name, service in services.items() if name.startswith("worker-")]
    assert len(workers) == 2
    for worker in workers:
        airflow, *words = worker["command"]
        parsed = get_parser().parse_args(words)
        assert (airflow, parsed.queues, parsed.skip_serve_logs) == ("airflow", "default,pulls", True)


def test_the_simulator_understands_its_command_and_listens_where_others_reach_it(
    services: dict[str, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = services["simulator"]["command"][-1].replace("${DEMO_START:-}", "2026-03-02")
    *start, command = line.partition("serve ")
    assert start == ["exec python -m simulator ", "serve "]
    words = shlex.split(command)
    assert words[words.index("--host") + 1] == "simulator"
    words[words.index("--home") + 1] = str(tmp_path)
    # A word that it does not know ends it with status 2 before anything is served; the last one is unknown on purpose.
    with pytest.raises(SystemExit):
        simulator(["serve", *words, "--unknown"])
    assert "error: unrecognized arguments: --unknown" in capsys.readouterr().err


def test_the_portal_holds_none_of_airflows_secrets_and_writes_nowhere_but_in_its_home(
    services: dict[str, dict[str, Any]],
) -> None:
    portal = services["portal"]
    assert portal["read_only"] is True
    assert portal["cap_drop"] == ["ALL"]
    assert portal["volumes"] == ["home:/opt/pls/home"]
    assert not [name for name in portal["environment"] if name.startswith("AIRFLOW")]
    assert "env_file" not in portal


def test_ports_are_published_to_this_machine_only(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert sorted(ports) == [f"127.0.0.1:{port}:{port}" for port in (3000, 8025, 8080, 8081, 9090)]
    assert not any(service.get("network_mode") == "host" for service in services.values())


def test_every_image_is_pinned_and_every_service_is_watched(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+[\w.-]*", service["image"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        if name in JOBS:
            assert service["restart"] == "on-failure:3"
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_every_secret_comes_from_the_environment_and_has_no_default() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    used = dict(re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", text))
    assert len(used) > len(NO_SECRET)
    for name, rest in used.items():
        if name not in NO_SECRET:
            assert rest == f":?set {name} in .env", f"{name} has a default or may be missing"
    assert not re.findall(r"(?<!\$)\$\w", text), "a variable without braces cannot be required"


def test_the_example_environment_names_every_secret_and_gives_none() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text(encoding="utf-8"))) - {"PLS_UID"}
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(given) == used
    assert set(given.values()) == {""}


def test_no_url_of_the_stack_holds_a_written_password(services: dict[str, dict[str, Any]]) -> None:
    settings = [
        str(value) for service in services.values() for value in service.get("environment", {}).values()
    ]
    with_password = [value for value in settings if re.search(r"://[^/@]*:[^/@]+@", value)]
    assert with_password
    assert all(re.search(r"://\w*:\$\{\w+:\?[^}]*\}@", value) for value in with_password)
