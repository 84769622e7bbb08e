"""deploy/helm/values.yaml says what the native stack and the DAGs say. No cluster and no chart is needed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from etl.runs import PULLS
from local.stack import PREPARATIONS, PROJECT


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "deploy/helm/values.yaml").read_text("utf-8"))
    return found


def test_the_databases_are_prepared_as_they_are_natively(values: dict[str, Any]) -> None:
    assert values["migrateDatabaseJob"]["args"][-1].splitlines() == [
        " ".join(command) for command in PREPARATIONS.values()
    ]


def test_workers_import_what_is_heavy_before_they_fork(values: dict[str, Any]) -> None:
    shipped = (PROJECT / "local/config/airflow_local_settings.py").read_text("utf-8")
    assert values["airflowLocalSettings"] == shipped


def test_one_worker_keeps_what_people_open_and_the_others_pull(values: dict[str, Any]) -> None:
    celery = values["workers"]["celery"]
    assert (celery["replicas"], celery["queue"]) == (1, f"default,{PULLS}")
    assert "persistentVolumeClaim" in celery["extraVolumes"][0]
    (pulls,) = celery["sets"]
    assert pulls["queue"] == PULLS
    assert "emptyDir" in pulls["extraVolumes"][0]


def test_it_runs_the_airflow_that_the_project_pins(values: dict[str, Any]) -> None:
    pinned = re.search(r'"apache-airflow==([\d.]+)"', (PROJECT / "pyproject.toml").read_text("utf-8"))
    assert pinned
    assert values["airflowVersion"] == pinned[1]


def test_no_secret_stands_in_it() -> None:
    text = (PROJECT / "deploy/helm/values.yaml").read_text("utf-8")
    lines = [line.partition("#")[0] for line in text.splitlines()]
    assert not [line for line in lines if re.search(r"://[^/\s]*:[^/\s]+@", line)]
    assert len(re.findall(r"SecretName: |secretName: |jwtSecretName: ", text)) >= 6
