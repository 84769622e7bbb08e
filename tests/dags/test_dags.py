"""The DAG files: they load, they are the ones that the interface names, and they stay thin."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.dags
DAGS = Path(__file__).parents[2] / "dags"
EXPECTED = {
    "consolidated_tables",
    "daily_statistics",
    "housekeeping",
    "monthly_stocks",
    "outlook",
    "period_indicators",
    "quarantine_desk",
    "restatements",
    "submission_watch",
}
OPERATORS = 2
"""Tasks that are an operator of Airflow's own: the desk's question to a person, and that about a table."""
HEAVY = {"pandas", "sqlalchemy", "great_expectations", "httpx", "etl"}
LIGHT = "etl.runs"
"""What the DAGs share; it loads nothing but Airflow's own."""


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Any:
    os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(DAGS))


def test_every_dag_of_the_interface_loads_and_no_other(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == EXPECTED == {file.stem for file in DAGS.glob("*.py")}


def test_every_task_calls_a_function_of_etl_that_exists(bag: Any) -> None:
    from etl import tasks

    looked_at = 0
    for file in DAGS.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "tasks"
            ):
                assert callable(getattr(tasks, node.attr)), node.attr
                looked_at += 1
    assert looked_at == sum(len(dag.tasks) for dag in bag.dags.values()) - OPERATORS > 0


def test_a_dag_file_fits_on_a_screen_and_imports_nothing_heavy() -> None:
    files = list(DAGS.glob("*.py"))
    for file in files:
        tree = ast.parse(file.read_text())
        imported = {
            name if name == LIGHT else name.split(".")[0]
            for node in tree.body
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not imported & HEAVY, f"{file.name} imports {imported & HEAVY}"
        assert len(file.read_text().splitlines()) <= 80, file.name
    assert len(files) == len(EXPECTED)


def test_no_dag_fails_fast_because_airflow_would_call_the_run_a_success(bag: Any) -> None:
    assert bag.dags
    for dag in bag.dags.values():
        assert not dag.fail_fast


# A task that runs whatever happened before it hides the failure, unless another of the run's last tasks looks for it.
SEEN_BY_ANOTHER = {
    "daily_statistics": "confirm_complete",
    "monthly_stocks": "confirm_complete",
    "restatements": "confirm_complete",
}


def test_no_failure_ends_as_a_success(bag: Any) -> None:
    looked_at = 0
    for dag in bag.dags.values():
        for task in dag.tasks:
            ends = [task, *task.get_flat_relatives(upstream=False)]
            shows = [
                end
                for end in ends
                if not end.downstream_task_ids
                and all(
                    each.trigger_rule != "all_done"
                    for each in ends
                    if each is not task and (each is end or end.task_id in each.get_flat_relative_ids())
                )
            ]
            seen_by = SEEN_BY_ANOTHER.get(dag.dag_id)
            assert shows or seen_by in {end.task_id for end in ends}, f"{dag.dag_id}.{task.task_id}"
            looked_at += 1
    assert looked_at > len(bag.dags)


def test_retry_rules_name_exceptions_that_exist(bag: Any) -> None:
    from airflow.sdk.module_loading import import_string

    named = 0
    for dag in bag.dags.values():
        for task in dag.tasks:
            for rule in task.retry_policy.rules if task.retry_policy else ():
                exception = (
                    import_string(rule.exception) if isinstance(rule.exception, str) else rule.exception
                )
                assert issubclass(exception, Exception)
                named += 1
    assert named > 0


def test_a_city_is_asked_in_at_most_twelve_mapped_tasks() -> None:
    from etl.catalog import load_catalog
    from etl.daily import plan_groups

    catalog = load_catalog(None)
    groups = plan_groups(catalog)
    assert 1 < len(groups) <= 12
    asked = [name for group in groups for name in group]
    assert sorted(asked) == sorted(
        name for name, each in catalog.platforms.items() if "daily" in each.datasets
    )


def test_stocks_are_asked_of_the_platforms_that_deliver_them() -> None:
    from etl.catalog import load_catalog
    from etl.daily import plan_groups

    groups = plan_groups(load_catalog(None), "stocks")
    asked = [name for group in groups for name in group]
    assert 1 < len(groups) <= 12
    assert len(asked) == 15
    assert {"city-371300", "stocks-371300"} <= set(asked)
    assert not {"township-371300", "village-371300", "hotline-371300"} & set(asked)


@pytest.mark.parametrize(
    ("evening", "month"),
    [
        ("2026-04-05T18:30:00+08:00", "2026-03"),
        ("2026-04-24T18:30:00+08:00", "2026-03"),
        ("2026-01-05T18:30:00+08:00", "2025-12"),
        ("2026-03-08T18:30:00+08:00", "2026-02"),
    ],
)
def test_every_evening_that_asks_for_stocks_asks_for_the_month_before(
    evening: str, month: str, bag: Any
) -> None:
    import pendulum
    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable = coerce_to_core_timetable(bag.dags["monthly_stocks"].timetable)
    run_date = pendulum.parse(evening).in_timezone("UTC")
    assert timetable._get_partition_info(run_date)[1] == month


def test_etl_is_imported_without_airflow() -> None:
    code = "import sys, etl.cli, etl.daily; sys.exit(any(name.split('.')[0] == 'airflow' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=DAGS.parent, check=False).returncode == 0


def test_what_a_day_changes_reaches_the_periods_that_it_counts_in_and_no_other(bag: Any) -> None:
    from airflow.sdk import PartitionedAssetTimetable

    timetable = bag.dags["period_indicators"].timetable
    assert isinstance(timetable, PartitionedAssetTimetable)
    periods = timetable.asset_condition.uri
    emitting = {
        task.dag_id
        for dag in bag.dags.values()
        for task in dag.tasks
        if periods in [asset.uri for asset in task.outlets]
    }
    assert emitting == {"daily_statistics", "monthly_stocks", "quarantine_desk", "restatements"}


def test_every_dag_tells_those_on_duty_of_a_failed_run_and_the_daily_one_of_a_late_one(bag: Any) -> None:
    from airflow.sdk.module_loading import import_string

    assert bag.dags
    for dag in bag.dags.values():
        assert type(dag.on_failure_callback).__name__ == "TellDuty", dag.dag_id
        assert {task.owner for task in dag.tasks} == {"pls-statistics"}, dag.dag_id
    (deadline,) = bag.dags["daily_statistics"].deadline
    assert deadline.interval.total_seconds() == 90 * 60
    assert callable(import_string(deadline.callback.path))


def test_what_the_dags_share_loads_nothing_heavy() -> None:
    heavy = ("pandas", "great_expectations", "etl.site")
    loaded = f"import sys, etl.runs; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_pulls_share_a_pool_that_is_made_before_airflow_starts(bag: Any) -> None:
    from local.stack import PREPARATIONS

    pulling = [task for dag in bag.dags.values() for task in dag.tasks if task.task_id.startswith("pull_")]
    assert len(pulling) == 3
    assert {task.pool for task in pulling} == {PREPARATIONS["pool"][3]}


def test_a_failed_run_is_noted_with_what_is_incomplete_and_other_dags_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from types import SimpleNamespace

    from etl import plugin
    from etl.plugin import LONGEST, PlsPlugin

    (listener,) = PlsPlugin.listeners
    tasks = [
        SimpleNamespace(task_id="pull_and_gate", rendered_map_index="county-371302, hotline", state="failed"),
        SimpleNamespace(task_id="pull_and_gate", rendered_map_index="county-371311", state="success"),
        SimpleNamespace(task_id="confirm_complete", rendered_map_index=None, state="failed"),
    ]
    monkeypatch.setattr(plugin, "object_session", lambda run: None)
    run = SimpleNamespace(dag_id="daily_statistics", note=None, get_task_instances=lambda session: tasks)
    listener.on_dag_run_failed(run, "")
    assert run.note == "未完成：confirm_complete；pull_and_gate（county-371302, hotline）"
    tasks *= 200
    listener.on_dag_run_failed(run, "")
    assert len(run.note) == LONGEST
    other = SimpleNamespace(dag_id="somebody_elses", note=None, get_task_instances=lambda session: tasks)
    listener.on_dag_run_failed(other, "")
    assert other.note is None


def test_airflow_finds_the_plugin_where_the_package_is_installed() -> None:
    from importlib.metadata import entry_points

    from etl.plugin import PlsPlugin

    (point,) = entry_points(group="airflow.plugins", name="pls_statistics")
    assert point.load() is PlsPlugin


def test_the_owners_name_leads_to_the_page_that_the_environment_names() -> None:
    shown = "import etl.runs; print(etl.runs.OURS['owner_links'])"
    for page, links in (
        ("mailto:ops@example.org", "{'pls-statistics': 'mailto:ops@example.org'}"),
        ("", "{}"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", shown],
            env=os.environ | {"PLS_OWNER_PAGE": page},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip().splitlines()[-1] == links


def test_the_name_of_a_mapped_task_fits_its_column_however_many_platforms_it_has(bag: Any) -> None:
    """Airflow refuses the end of a task whose name is longer than 250 characters, after all its work."""
    from jinja2 import Environment

    looked_at = 0
    for dag in bag.dags.values():
        for task in dag.tasks:
            template = task.map_index_template
            if template:
                for length in range(200, 300):
                    name = Environment().from_string(template).render(platforms=["x" * length])
                    assert len(name) == min(length, 250), task.task_id
                looked_at += 1
    assert looked_at == 3
