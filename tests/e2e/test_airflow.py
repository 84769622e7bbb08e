"""The whole way through a real scheduler: a backfilled range, a platform that refuses us, and its healing."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime

import httpx
import pandas as pd
import pytest
import sqlalchemy as sa

from etl.alerts.heartbeat import find_faults
from etl.catalog import load_catalog
from local.api import Run
from local.stack import COMPONENTS, HOST, listening
from simulator.plan import FIRST, SECOND
from simulator.truth import Truth
from tests.e2e.conftest import DAYS, Running
from tests.words_in_files import words_of

DAG = "daily_statistics"
FIGURES = "SELECT * FROM mart.daily_statistics WHERE stat_date = ANY(:days)"


def differences(running: Running, truth: Truth) -> pd.DataFrame:
    mart = running.read(FIGURES, days=DAYS)
    assert len(truth.daily) > 1000
    assert set(mart["level"]) == {"city", "county", "township", "village"} | (
        {"province"} & set(mart["level"])
    )
    return truth.differences(mart)


@pytest.fixture(scope="module")
def first_runs(running: Running) -> list[Run]:
    """Both days, backfilled from the command line."""
    for dag in ("period_indicators", DAG):
        running.api.unpause(dag)
    printed = running.airflow(
        *("backfill", "create", "--dag-id", DAG, "--max-active-runs", "1"),
        *("--from-date", DAYS[0].isoformat(), "--to-date", f"{DAYS[-1]}T23:59:59"),
    )
    assert "Created backfill Dag run" in printed
    return running.api.wait(DAG, [day.isoformat() for day in DAYS], seconds=400)


@pytest.fixture(scope="module")
def healed(running: Running, first_runs: list[Run]) -> Run:
    """The run of restatements after the platform takes our token again."""
    running.simulation.advance()
    running.api.unpause("restatements")
    return running.api.trigger("restatements", seconds=400)


def test_nothing_listens_beyond_this_machine(running: Running) -> None:
    processes = running.stack.running()
    assert set(processes) == set(COMPONENTS)
    assert listening(list(processes.values())) == {
        (HOST, running.stack.port),
        (HOST, running.stack.portal_port),
    }


def test_the_interface_wants_a_password(running: Running) -> None:
    asked = httpx.get(f"{running.stack.url}/api/v2/dags", trust_env=False)
    assert asked.status_code == 401
    wrong = {"username": "admin", "password": "admin"}
    refused = httpx.post(f"{running.stack.url}/auth/token", json=wrong, trust_env=False)
    assert refused.status_code == 401


def test_secrets_stand_in_no_log_and_in_no_file_of_others(running: Running) -> None:
    for name in ("passwords.json", "secrets.json"):
        file = running.stack.folder / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for secret in httpx.Response(200, content=file.read_bytes()).json().values():
            logs = [path for path in running.stack.logs.rglob("*.log") if path.is_file()]
            assert len(logs) >= len(COMPONENTS)
            assert not [log for log in logs if secret in log.read_text(errors="replace")]


def test_a_second_start_finds_it_running(running: Running) -> None:
    before = {name: process.pid for name, process in running.stack.running().items()}
    assert running.stack.start() is False
    assert {name: process.pid for name, process in running.stack.running().items()} == before


def test_a_platform_that_refuses_us_fails_its_own_task_and_the_run(
    running: Running, first_runs: list[Run]
) -> None:
    assert [(run.partition, run.state) for run in first_runs] == [(day.isoformat(), "failed") for day in DAYS]
    for run in first_runs:
        failed = running.api.failed_tasks(DAG, run.run_id)
        pulled = [name for name in failed if name.startswith("pull_and_gate")]
        assert len(pulled) == 1
        assert set(failed) - set(pulled) == {"confirm_complete"}
        note = running.api.note(DAG, run.run_id)
        assert note.startswith("未完成：confirm_complete；pull_and_gate（"), note
        assert "county-3713" in note


def test_every_period_of_the_days_is_shown(running: Running, first_runs: list[Run]) -> None:
    assert len(first_runs) == len(DAYS)
    names = {name for day in DAYS for name in (day.isoformat(), f"{day:%Y-%m}", f"{day:%Y}")}
    runs = running.api.wait("period_indicators", sorted(names), seconds=400)
    reasons = "\n".join(running.reasons("period_indicators", run.run_id) for run in runs)
    assert {run.state for run in runs} == {"success"}, reasons
    shown = running.read("SELECT period, count(*) AS rows FROM mart.indicator_value GROUP BY period")
    assert names <= set(shown["period"])
    assert running.read(
        "SELECT * FROM mart.period_statistics WHERE period = :month", month=f"{DAYS[0]:%Y-%m}"
    ).size


def test_the_lineage_of_the_runs_stands_in_a_file(running: Running, first_runs: list[Run]) -> None:
    assert len(first_runs) == len(DAYS)
    lines = (running.stack.logs / "openlineage.jsonl").read_text().splitlines()
    jobs = {json.loads(line)["job"]["name"] for line in lines if line.startswith("{")}
    assert f"{DAG}.load_and_roll_up" in jobs


def test_the_rest_of_the_day_is_loaded_to_the_last_unit(running: Running, first_runs: list[Run]) -> None:
    assert len(first_runs) == len(DAYS)
    wrong = differences(running, running.simulation.truth(FIRST))
    assert wrong.empty, f"\n{wrong.to_string()}"


def test_every_day_has_its_workbook_all_the_same(running: Running, first_runs: list[Run]) -> None:
    assert len(first_runs) == len(DAYS)
    books = [file.name for file in (running.stack.home / "reports").rglob("*.xlsx")]
    for day in DAYS:
        assert any(day.isoformat() in name or f"{day:%Y%m%d}" in name for name in books), books


def test_restatements_heals_it(running: Running, healed: Run) -> None:
    assert healed.state == "success", running.reasons("restatements", healed.run_id)
    wrong = differences(running, running.simulation.truth(SECOND, "restate"))
    assert wrong.empty, f"\n{wrong.to_string()}"


def test_running_the_failed_days_again_succeeds_and_changes_nothing(
    running: Running, first_runs: list[Run], healed: Run
) -> None:
    assert healed.state == "success"
    before = running.read(FIGURES, days=DAYS)
    running.api.wait_for_backfills(DAG, seconds=120)
    running.airflow(
        *("backfill", "create", "--dag-id", DAG, "--max-active-runs", "1", "--reprocess-behavior", "failed"),
        *("--from-date", DAYS[0].isoformat(), "--to-date", f"{DAYS[-1]}T23:59:59"),
    )
    again = [
        run
        for run in running.api.wait(DAG, [day.isoformat() for day in DAYS], seconds=400)
        if run not in first_runs
    ]
    reasons = "\n".join(running.reasons(DAG, run.run_id) for run in again)
    assert [(run.partition, run.state) for run in again] == [(day.isoformat(), "success") for day in DAYS], (
        reasons
    )
    keys = ["stat_date", "division_code", "measure", "channel"]
    after = running.read(FIGURES, days=DAYS)
    pd.testing.assert_frame_equal(
        after.sort_values(keys, ignore_index=True), before.sort_values(keys, ignore_index=True)
    )


HOLD = """
INSERT INTO quality.quarantine
    (batch_id, row_number, place, unit_code, stat_date, reason_code, reason, reason_en, raw)
SELECT
    count.batch_id, 999999, 'x', division.division_code, count.stat_date, 'value', '数值超过上限', 'above the ceiling',
    jsonb_build_object(
        'unit', division.division_code, 'date', count.stat_date, 'measure', measure.measure, 'channel', channel.channel,
        'value', count.value + 1, 'revision', submission.revision
    )
FROM core.daily_count AS count
JOIN core.submission USING (stat_date, submission_id)
JOIN core.division ON division.division_id = count.unit_id
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
JOIN core.channel USING (channel_id)
WHERE count.stat_date = :day AND measure.measure = 'consultation'
ORDER BY count.unit_id, count.cell_id
LIMIT 1
RETURNING quarantine_id, raw
"""


def test_a_row_that_a_person_lets_go_in_airflow_counts(running: Running, healed: Run) -> None:
    assert healed.state == "success"
    with running.engine.begin() as conn:
        held = conn.execute(sa.text(HOLD), {"day": DAYS[0]}).one()
    running.api.unpause("quarantine_desk")
    run_id = running.api.start("quarantine_desk", {"date": DAYS[0].isoformat()})
    asked, run = running.api.answer("quarantine_desk", run_id, "放行", "电话核实", seconds=200)
    assert asked[0].startswith(f"{DAYS[0]} ")
    assert asked[0].endswith("value：1 行待处理")
    assert run.state == "success", running.reasons("quarantine_desk", run_id)
    decided = running.read("SELECT * FROM quality.decision WHERE quarantine_id = :id", id=held.quarantine_id)
    assert (decided["action"].iloc[0], decided["reason"].iloc[0]) == ("released", "电话核实")
    assert decided["decided_by"].iloc[0] == "admin"
    shown = running.read(
        "SELECT count.value FROM core.daily_count AS count JOIN landing.batch USING (batch_id)"
        " WHERE batch.kind = 'release' AND count.stat_date = :day",
        day=DAYS[0],
    )
    assert shown["value"].tolist() == [held.raw["value"]]


def test_the_watch_runs_its_rounds_and_the_night_keeps_house(running: Running, healed: Run) -> None:
    assert healed.state == "success"
    running.api.unpause("submission_watch")
    watched = running.api.trigger("submission_watch", seconds=200)
    assert watched.state == "success", running.reasons("submission_watch", watched.run_id)
    assert running.read("SELECT * FROM mart.alert WHERE round IS NOT NULL").shape[0] > 0
    running.api.unpause("housekeeping")
    kept = running.api.trigger("housekeeping", seconds=300)
    faults = find_faults(running.engine, load_catalog(None), datetime.now(UTC))
    assert running.api.failed_tasks("housekeeping", kept.run_id) == (["confirm_watched"] if faults else [])
    assert [fault for fault in faults if not fault.startswith("日历 ")] == []
    backups = [path for path in (running.stack.home / "backups").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in backups) > 100_000


def test_no_secret_of_a_platform_stands_in_a_log_a_report_or_a_page(running: Running, healed: Run) -> None:
    assert healed.state == "success"
    said = [json.loads(text) for text in running.simulation.environment().values()]
    secrets = {connection["password"] for connection in said if connection.get("password")}
    assert len(secrets) >= 3
    assert min(map(len, secrets)) >= 12
    looked_at = {"logs": 0, "reports": 0, "data_docs": 0}
    folders = (running.stack.logs, running.stack.home / "reports", running.stack.home / "data_docs")
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                found = [each for each in secrets if each in words_of(file)]
                assert not found, f"{file} shows a secret of a platform"
                looked_at[folder.name] += 1
    assert all(looked_at.values()), looked_at
