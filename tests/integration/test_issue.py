"""Issued tables are frozen, are corrected by new versions that say what changed, and can be proved cell for cell."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from etl.catalog import Recipient
from etl.cli import main
from etl.issue import (
    Drafted,
    IssueError,
    approve_draft,
    draft_due,
    draft_table,
    issue_table,
    refuse_draft,
    verify_issue,
)
from etl.issue.cells import FILE, Cells
from etl.reports.compose import compose_table
from etl.reports.table import Table
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.issue_site import CITY, MONTH, bring_in, with_report
from tests.integration.test_pipeline_truth import small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]


def tamper(site: Site, period: str) -> None:
    """Add 1 to the consultations of a county."""
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE mart.period_total SET value = value + 1 WHERE (period_id, division_id, cell_id) IN ("
                "SELECT total.period_id, total.division_id, total.cell_id FROM mart.period_total AS total"
                " JOIN mart.period USING (period_id) JOIN core.cell USING (cell_id)"
                " JOIN core.measure USING (measure_id) JOIN core.division USING (division_id)"
                " WHERE division.division_code = '371302000000' AND period.period = :period"
                " AND measure.measure = 'consultation' AND cell.channel_id = 0)"
            ),
            {"period": period},
        )


def compose_month(site: Site) -> Table:
    with site.engine.connect() as conn:
        return compose_table(conn, site.catalog, site.catalog.reports["test-month"], None, MONTH)


def stamps(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_restated_month_becomes_version_two_and_both_are_proved(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = with_report(open_for(simulation))
        report = site.catalog.reports["test-month"]
        bring_in(site)
        first = issue_table(site, report, None, MONTH, "张三")
        assert (first.version, first.is_new, first.cells_changed) == (1, True, None)
        before = stamps(first.folder)
        again = issue_table(site, report, None, MONTH, "张三")
        assert (again.version, again.is_new) == (1, False)
        simulation.advance()
        bring_in(site)
        second = issue_table(site, report, None, MONTH, "李四")
        assert (second.version, second.is_new) == (2, True)
        assert stamps(first.folder) == before, "an issued version never changes"
        old, new = Cells.read(first.folder / FILE), Cells.read(second.folder / FILE)
        assert second.cells_changed == len(list(old.differences(new))) > 0
        for done in (first, second):
            verdict = verify_issue(site, done.folder)
            assert verdict.findings == ()
            assert verdict.cells == len(old.rows) * len(old.columns) > 100
        book = openpyxl.load_workbook(next(second.folder.glob("*.xlsx")), read_only=True)
        said = list(book["变更说明"].iter_rows(values_only=True))
        assert sum("修订" in str(row) or "补报" in str(row) for row in said) == second.cells_changed
        shown = read_view(site, "mart.issued_table").sort_values("version")
        assert list(shown["version"]) == [1, 2]
        assert list(shown["state"]) == ["approved", "approved"]
        assert list(shown["issued_by"]) == ["张三", "李四"]
        assert shown["replaces_version"].iloc[1] == 1
        manifest = json.loads((second.folder / "manifest.json").read_text())
        assert {each["name"] for each in manifest["files"]} | {"manifest.json"} == set(stamps(second.folder))
        assert manifest["replaces"] == 1


def test_the_command_line_issues_lists_and_proves(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        bring_in(site)

        def run(*words: str, status: int = 0) -> Any:
            done = CliRunner().invoke(main, [*words, "--json"])
            assert done.exit_code == status, done.output
            return json.loads(done.stdout)

        made = run("issue", "--period", "2026-03", "--by", "张三")["tables"]
        assert [each["state"] for each in made] == ["issued"] * len(made)
        monthly = [name for name, each in site.catalog.reports.items() if "month" in each.period_kinds]
        assert [each["report"] for each in made] == monthly
        assert {each["state"] for each in run("issued", "list")} == {"approved"}
        assert run("delivery", "list") == []
        assert run("delivery", "retry")["delivered"] == 0
        for each in made:
            verdict = run("report", "--verify", each["folder"])
            assert verdict["is_proved"]
            assert verdict["cells"] > 10
        again = run("issue", "--period", "2026-03")["tables"]
        assert {each["state"] for each in again} == {"no cell has changed since"}
        book = next(Path(made[0]["folder"]).glob("*.xlsx"))
        book.write_bytes(b"another")
        assert not run("report", "--verify", str(book), status=1)["is_proved"]


def test_whatever_is_not_as_issued_is_named(tmp_path: Path, hotline_url: str, open_for: OpenFor) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = with_report(open_for(simulation))
        bring_in(site)
        done = issue_table(site, site.catalog.reports["test-month"], None, MONTH, "张三")
        copy = tmp_path / "copy"
        shutil.copytree(done.folder, copy)
        assert verify_issue(site, copy).is_proved
        assert verify_issue(site, copy / "manifest.json").is_proved
        workbook = next(copy.glob("*.xlsx"))
        alone = tmp_path / "alone.xlsx"
        shutil.copy(workbook, alone)
        assert verify_issue(site, alone).is_proved
        workbook.write_bytes(workbook.read_bytes() + b" ")
        assert any(workbook.name in each for each in verify_issue(site, copy).findings)
        shutil.copy(workbook, alone)
        with pytest.raises(IssueError, match="not issued"):
            verify_issue(site, alone)
        (copy / "manifest.json").write_text((copy / "manifest.json").read_text().replace("张三", "王五"))
        assert any("manifest" in each for each in verify_issue(site, copy).findings)
        # A figure changed behind the pipeline's back is named; one that makes the sums wrong, too.
        tamper(site, "2026-03/to_date")
        (finding,) = verify_issue(site, done.folder).findings
        assert "consultation.all.ytd" in finding
        assert "兰山区（371302000000）解答法律咨询" in finding
        tamper(site, "2026-03")
        (finding,) = verify_issue(site, done.folder).findings
        assert "无法重算" in finding
        assert "not the sum of their parts" in finding


def test_a_draft_is_issued_as_it_was_approved_and_a_refused_one_is_not(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = with_report(open_for(simulation))
        report = site.catalog.reports["test-month"]
        bring_in(site)
        draft = draft_table(site, report, None, MONTH, "系统")
        assert draft.is_new
        assert not draft_table(site, report, None, MONTH, "系统").is_new, (
            "one draft of one state of knowledge"
        )
        refuse_draft(site, draft.issue_id, "张三", "数据待核")
        assert approve_draft(site, draft.issue_id, "李四") is None
        assert not draft_table(site, report, None, MONTH, "系统").is_new, (
            "what was refused is not asked again"
        )
        simulation.advance()
        bring_in(site)
        newer = draft_table(site, report, None, MONTH, "系统")
        assert (newer.version, newer.is_new) == (1, True)
        issued = approve_draft(site, newer.issue_id, "李四")
        assert issued is not None
        assert verify_issue(site, issued.folder).is_proved
        with pytest.raises(IssueError, match="cannot be refused"):
            refuse_draft(site, newer.issue_id, "张三", "迟了")


def test_a_run_drafts_what_is_over_asks_once_and_issues_what_needs_no_approval(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = with_report(open_for(simulation))
        bring_in(site)

        def at(day: str, approval: bool = True) -> Site:
            return replace(with_report(site, approval=approval), clock=lambda: datetime.fromisoformat(day))

        early = draft_due(at("2026-03-31T20:00:00+08:00"), "2026-03", "run1")
        assert early == Drafted([], [], [])
        later = at("2026-04-20T12:00:00+08:00")
        done = draft_due(later, "2026-03", "run1")
        (question,) = done.questions
        assert "测试汇总表" in question["subject"]
        assert draft_due(later, "2026-03", "run1") == done, "a retry asks the same"
        assert draft_due(later, "2026-03", "run2").questions == [], "another run does not ask again"
        # Made up for: the run of another period finds the month over and never drafted; here it was.
        assert draft_due(later, "2026-03-02", "run3") == Drafted([], [], [])
        refuse_draft(site, question["issue_id"], "张三", "待核")
        with site.engine.begin() as conn:
            conn.execute(sa.text("DELETE FROM mart.issue"))
        free = draft_due(at("2026-04-20T12:00:00+08:00", approval=False), "2026-04-19", "run4")
        assert free == Drafted([], [f"test-month|{CITY}|2026-03|v1"], [])
        assert read_view(site, "mart.issued_table")["state"].tolist() == ["approved"]


def test_a_person_is_told_what_is_approved_and_where_its_files_are(
    tmp_path: Path, hotline_url: str, open_for: OpenFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = with_report(open_for(simulation), deliveries=("archive",))
        site = replace(site, clock=lambda: datetime.fromisoformat("2026-04-20T12:00:00+08:00"))
        bring_in(site)
        (question,) = draft_due(site, "2026-03", "run1").questions
        assert question["subject"] == "测试汇总表（临沂市，2026年3月，第1版）待批准报出"
        table = compose_month(site)
        reported = table.quality.reported[0]
        for words in (
            "**表号**：测1表",
            f"**填报单位**：临沂市（{CITY}）",
            "**报告期**：2026年3月",
            "**版次**：第1版，首次报出",
            f"（应报 {reported.expected:,}，实报 {reported.received:,}）",
            "**数据质量**：未入库 0 批",
            "**批准后**：按此稿冻结为第1版，投递至 archive",
        ):
            assert words in question["body"]
        assert str(tmp_path) in question["body"], "without a portal, where they lie"
        monkeypatch.setenv("AIRFLOW_CONN_PLS_ALERT_LINK", "https://:secret-of-the-links@portal.example.org")
        (again,) = draft_due(site, "2026-03", "run1").questions
        place = f"](https://portal.example.org/drafts/test-month/2026-03/{CITY}/v1/"
        row = read_view(site, "mart.issue").iloc[0]
        assert again["body"].count(place) == len(row["files"]) == 5
        assert "secret-of-the-links" not in again["body"]
        done = approve_draft(site, question["issue_id"], "张三")
        assert done is not None
        assert {file.suffix for file in done.folder.iterdir()} >= {".xlsx", ".csv", ".json"}
        assert not list(done.folder.glob("*.md")), "what is asked is no part of what is issued"


def test_a_table_is_issued_of_the_division_of_each_recipient(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    where = {
        "province": "370000000000",
        "city": CITY,
        "county": "371302000000",
        "silent": "371321000000",
        "town": "371302001000",
        "office": None,
    }
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = with_report(open_for(simulation), recipients=tuple(where), approval=False)
        people = {name: Recipient(id=name, name=name, division=code) for name, code in where.items()}
        site = replace(
            site,
            catalog=site.catalog.model_copy(update={"recipients": people}),
            clock=lambda: datetime.fromisoformat("2026-04-20T12:00:00+08:00"),
        )
        bring_in(site)
        done = draft_due(site, "2026-03", "run1")
        # Who lies at or above the whole area reads its table; where nobody reports there is none to make.
        assert done.issued == [f"test-month|{code}|2026-03|v1" for code in (CITY, where["county"])]
        (fault,) = done.faults
        assert "its recipient town is of 兰山街道, a township" in fault
        rows = read_view(site, "mart.issue").set_index("division_code")["row_count"]
        assert rows[where["county"]] < rows[CITY] == len(compose_month(site).rows)
        assert draft_due(site, "2026-03", "run2").issued == [], "no cell has changed"


def test_an_issue_that_was_killed_ends_as_it_would_have(
    tmp_path: Path, hotline_url: str, open_for: OpenFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = with_report(open_for(simulation))
        report = site.catalog.reports["test-month"]
        bring_in(site)
        with monkeypatch.context() as patched:
            patched.setattr("etl.issue.issue.sha256_of", lambda _: os._exit(1))
            child = os.fork()
            if child == 0:
                site.engine.dispose(close=False)
                issue_table(site, report, None, MONTH, "张三")
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        done = issue_table(site, report, None, MONTH, "李四")
        assert done.version == 1
        assert verify_issue(site, done.folder).is_proved
        assert json.loads((done.folder / "manifest.json").read_text())["issued_by"] == "张三"
