"""A table goes through Airflow to the office: drafted, approved by a person and delivered, or refused and not.

Answers come through the REST API, and on Airflow's own page in a browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from etl.daily import run_day
from etl.periodic import show_period
from etl.periods import Period
from etl.site import open_site
from tests.conftest import require_program
from tests.e2e.browser.conftest import PICTURES, WIDE
from tests.e2e.conftest import DAYS, Running

DAG = "consolidated_tables"
REPORTS = """
- id: e2e-day
  title: 端到端日报
  number: 测1表
  period_kinds: [day]
  columns:
    - {kind: reporting, shows: [expected, received, reporting_rate]}
    - {kind: measures, measures: [consultation]}
  deliveries: [share]
"""


def show(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring both days in, unless an earlier test has."""
    for name, value in running.simulation.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PLS_CATALOG", str(running.simulation.catalog_dir))
    monkeypatch.setenv("PLS_HOME", str(running.stack.home))
    monkeypatch.delenv("PLS_WAREHOUSE", raising=False)
    site = open_site()
    for day in DAYS:
        run_day(site, day, list(site.catalog.platforms))
        show_period(site, Period.around("day", day))
    site.engine.dispose()


@pytest.fixture(scope="module")
def share(running: Running) -> Iterator[Path]:
    """Where the report is delivered to; both days are in the marts."""
    share = running.stack.home / "share"
    share.mkdir()
    catalog = running.simulation.catalog_dir
    assert catalog is not None
    for folder, text in (
        ("reports", REPORTS),
        ("deliveries", json.dumps([{"id": "share", "kind": "folder", "path": str(share)}])),
    ):
        (catalog / folder).mkdir()
        (catalog / folder / "e2e.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as monkeypatch:
        show(running, monkeypatch)
    running.api.unpause(DAG)
    yield share
    for folder in ("reports", "deliveries"):
        (catalog / folder / "e2e.yaml").unlink()
        (catalog / folder).rmdir()


def test_an_approved_table_is_issued_and_delivered_and_a_refused_one_is_not(
    running: Running, share: Path
) -> None:
    # The later day first: it is the last one that is over, which every run makes up for.
    for day, choice, why, state in (
        (DAYS[1], "退回", "数据待核实", "refused"),
        (DAYS[0], "批准", "", "delivered"),
    ):
        run_id = running.api.start(DAG, {"period": day.isoformat()})
        asked, run = running.api.answer(DAG, run_id, choice, why, seconds=300)
        assert run.state == "success", running.reasons(DAG, run_id)
        assert any("端到端日报" in each and Period.around("day", day).name_zh in each for each in asked)
        row = running.read(
            "SELECT * FROM mart.issued_table WHERE report = 'e2e-day' AND period = :day", day=day.isoformat()
        )
        assert row["state"].tolist() == [state]
        assert row["decided_by"].tolist() == ["admin"]
        assert (row["reason"].iloc[0] or "") == why
    delivered = [file for file in share.rglob("*") if file.is_file()]
    assert {file.parent.parent.parent.name for file in delivered} == {DAYS[0].isoformat()}
    assert {"manifest.json", "cells.json.gz"} < {file.name for file in delivered}
    assert any(file.suffix == ".xlsx" for file in delivered)


def test_a_person_approves_on_airflows_own_page_and_the_table_is_delivered(
    running: Running, share: Path
) -> None:
    day = DAYS[1]
    catalog = running.simulation.catalog_dir
    assert catalog is not None
    declared = catalog / "reports" / "page.yaml"
    declared.write_text(REPORTS.replace("e2e-day", "e2e-page").replace("端到端日报", "端到端审批表"))
    try:
        run_id = running.api.start(DAG, {"period": day.isoformat()})
        next(running.api.questions(DAG, run_id, seconds=300))
        with sync_playwright() as playwright:
            chromium = require_program("chromium", "chromium")
            # As root there is no sandbox to be had; nothing but Airflow's own pages is opened.
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            approve_on_page(browser.new_context(viewport=WIDE, locale="zh-CN").new_page(), running)
            browser.close()
        # What else the run asks, where this test runs alone.
        _, run = running.api.answer(DAG, run_id, "批准", "", seconds=300)
        assert run.state == "success", running.reasons(DAG, run_id)
    finally:
        declared.unlink()
    row = running.read(
        "SELECT * FROM mart.issued_table WHERE report = 'e2e-page' AND period = :day", day=day.isoformat()
    ).iloc[0]
    assert (row["state"], row["decided_by"]) == ("delivered", "admin")
    delivered = share / "e2e-page" / day.isoformat()
    assert any(file.suffix == ".xlsx" for file in delivered.rglob("*"))


def approve_on_page(page: Page, running: Running) -> None:
    """Sign in, find the question among those that wait, read it, press 批准."""
    page.set_default_timeout(90_000)
    page.goto(f"{running.stack.url}/required_actions?response_received=false")
    password = json.loads(running.stack.password_file.read_text())["admin"]
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")
    day = Period.around("day", DAYS[1]).name_zh
    # After the cut-off of the day before, in the morning, that day's table waits too.
    page.get_by_role("link", name=f"端到端审批表（临沂市，{day}").click()
    button = page.get_by_test_id("hitl-option-批准")
    expect(button).to_be_enabled(timeout=90_000)
    expect(page.get_by_test_id("hitl-option-退回")).to_be_enabled()
    text = page.locator("body").inner_text()
    for words in (
        f"端到端审批表（临沂市，{day}，第1版）待批准报出",
        "表号：测1表",
        f"报告期：{day}",
        "首次报出",
        "报送率",
        "投递至 share",
        "端到端审批表_临沂市_",
    ):
        assert words in text
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "airflow-approve.png", full_page=True)
    button.click()
    page.get_by_text("响应成功").wait_for()
