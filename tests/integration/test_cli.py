"""The command line: what it prints, and its exit status: 0 done, 1 batches not in, 2 wrong use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from etl.archive import Archive
from etl.cli import main
from etl.data_docs import build_data_docs
from etl.settings import Settings
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.test_pipeline_truth import DAY, small_world
from tests.words_in_files import words_of

OpenFor = Callable[[Simulation], Site]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture
def empty(server: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hotline_url: str) -> None:
    """A site whose database holds nothing yet."""
    monkeypatch.setenv("PLS_WAREHOUSE", hotline_url)
    monkeypatch.setenv("PLS_HOME", str(tmp_path))
    monkeypatch.delenv("PLS_CATALOG", raising=False)


@pytest.mark.usefixtures("empty")
def test_init_applies_the_schema_once_and_says_so() -> None:
    first, again = run("init", "--json"), run("init", "--json")
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert json.loads(first.stdout)["applied"][0] == "0001_core_reference.sql"
    assert json.loads(again.stdout) == {"applied": []}


@pytest.mark.usefixtures("empty")
def test_a_site_that_is_not_ready_says_what_to_do_next() -> None:
    result = run("run-day", "--date", "2026-03-02")
    assert result.exit_code == 2
    assert "python -m etl init" in result.stderr
    run("init")
    result = run("run-day", "--date", "2026-03-02", "--platform", "nowhere")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
    assert "county-371302" in result.stderr


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run-day", "--date", "2999-01-01"], "future"),
        (["run-day", "--date", "yesterday"], "yesterday"),
        (["run-day"], "--date"),
        (["restate", "--since", "2026-03-02T00:00:00"], "zone"),
        (["quarantine", "show", "7"], "no row 7"),
        (["report", "--period", "2026-03-02", "--out", "."], "Run: python -m etl run-day --date 2026-03-02"),
        (["divisions", "load", "/nonexistent.csv"], "/nonexistent.csv"),
        (["unheard-of"], "unheard-of"),
    ],
)
def test_wrong_use_ends_with_2_and_names_the_mistake(words: list[str], said: str) -> None:
    run("init")
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.usefixtures("empty")
def test_a_bad_division_list_is_refused_with_its_line_and_nothing_is_loaded(tmp_path: Path) -> None:
    run("init")
    file = tmp_path / "list.csv"
    file.write_text(
        "code,name,level,parent_code\n370000000000,山东省,province,\n3713,临沂市,city,370000000000\n"
    )
    result = run("divisions", "load", str(file))
    assert result.exit_code == 2
    assert "not 12 digits: 1 line(s), first 3" in result.stderr
    file.write_text(file.read_text().replace("3713,", "371300000000,"))
    assert run("divisions", "load", str(file)).exit_code == 0


def test_a_day_with_an_outage_ends_with_1_names_the_platform_and_can_be_looked_into(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "outage") as simulation:
        open_for(simulation)
        result = run("run-day", "--date", DAY.isoformat())
        down = [platform for platform in simulation.catalog.platforms if platform in result.stderr]
        assert result.exit_code == 1
        assert len(down) == 1
        assert "failed" in result.stderr
        checked = run("platforms", "check", "--platform", down[0], "--json")
        assert checked.exit_code == 1
        assert json.loads(checked.stdout)[0]["answers"] is False
        missing = json.loads(
            run("submissions", "--date", DAY.isoformat(), "--status", "missing", "--json").stdout
        )
        assert missing
        assert all(row["status"] == "missing" for row in missing)
        simulation.advance()
        assert run("run-day", "--date", DAY.isoformat(), "--platform", down[0]).exit_code == 0
        assert run("platforms", "check").exit_code == 0
        written = json.loads(
            run("report", "--period", DAY.isoformat(), "--out", str(tmp_path), "--json").stdout
        )
        books = [file for file in map(Path, written["files"]) if file.suffix == ".xlsx"]
        assert len(books) == 2
        assert all(file.stat().st_size > 10_000 for file in books)


def test_a_day_of_which_nothing_came_has_a_workbook_too(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        open_for(simulation)
        before = (DAY - timedelta(days=28)).isoformat()
        assert run("run-day", "--date", before).exit_code == 0
        written = json.loads(run("report", "--period", before, "--out", str(tmp_path), "--json").stdout)
        sheets = pd.read_excel(written["files"][0], sheet_name=None, engine="calamine", header=None)
        assert len(sheets) == 6
        for sheet in list(sheets.values())[:-1]:
            total = sheet[sheet[1] == "临沂市"]
            assert total[[2, 3]].to_numpy(int).tolist() == [[238, 0]]


def test_a_row_that_is_held_back_is_listed_and_shown_with_its_reason(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "personal") as simulation:
        open_for(simulation)
        assert run("run-day", "--date", DAY.isoformat()).exit_code == 0
        held = json.loads(run("quarantine", "list", "--date", DAY.isoformat(), "--json").stdout)
        assert {row["reason_code"] for row in held} == {"personal"}
        shown = run("quarantine", "show", str(held[0]["quarantine_id"]))
        assert shown.exit_code == 0
        assert "隔离" in shown.stdout
        planted = simulation.plan.personal
        assert planted
        assert not any(text in shown.stdout for text in planted)
        # Nor does anything that is read by others: not what was printed, not a table, not a page.
        home = Settings.from_env().home
        run("report", "--period", DAY.isoformat(), "--out", str(home / "reports"))
        build_data_docs(DAY, Archive(Settings.from_env().archive), home)
        files = [
            file for part in ("reports", "data_docs") for file in (home / part).rglob("*") if file.is_file()
        ]
        assert {file.suffix for file in files} >= {".xlsx", ".csv", ".html"}
        for file in files:
            assert not any(text in words_of(file) for text in planted), file
