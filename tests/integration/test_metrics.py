"""What Prometheus reads is what the warehouse says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from etl.catalog import load_catalog
from etl.cli import main
from etl.daily import run_day
from etl.metrics import metrics_server, write_metrics
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.test_pipeline_truth import DAY, small_world

pytestmark = pytest.mark.integration
Values = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture
def site(tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]) -> Site:
    """A day on which one platform refuses us and some rows are held back."""
    with small_world(tmp_path, hotline_url, "value_text") as simulation:
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
    return site


def parse(text: str) -> Values:
    """Sample values by name and label values."""
    found: Values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_the_textfile_holds_what_the_views_say(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "pls.prom"
    write_metrics(site, file)
    shown = parse(file.read_text())
    assert [path.name for path in tmp_path.glob("*.prom")] == ["pls.prom"]
    ledger = read_view(site, "mart.ledger")
    for outcome in ("loaded", "quarantined", "duplicate", "superseded"):
        total = sum(value for labels, value in shown["pls_rows_total"].items() if labels[1] == outcome)
        assert total == ledger[f"rows_{outcome}"].sum()
    status = read_view(site, "mart.submission_status", dataset="daily", stat_date=DAY)
    counted = status.groupby(["dataset", "level", status["status"].fillna("waiting")]).size()
    assert len(counted) > 2
    assert shown["pls_submissions"] == {labels: float(number) for labels, number in counted.items()}
    held = read_view(site, "quality.quarantine").groupby(["reason_code", "state"]).size()
    assert shown["pls_quarantine_rows"] == {labels: float(number) for labels, number in held.items()}
    assert len(held) > 0
    newest = datetime.fromtimestamp(shown["pls_newest_day_timestamp_seconds"][()], UTC)
    assert newest.isoformat() == f"{DAY - timedelta(days=1)}T16:00:00+00:00"
    assert shown["pls_days_waiting"][()] == 0
    assert shown["pls_watch_round_timestamp_seconds"][()] == 0
    assert sum(shown["pls_pulls_total"].values()) == len(read_view(site, "landing.pull")) > 3


def test_the_server_answers_on_its_address_only_and_asks_anew_each_time(site: Site) -> None:
    with metrics_server(site, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        first = httpx.get(url, headers=accept, trust_env=False)
        assert first.status_code == 200
        assert "openmetrics" in first.headers["content-type"]
        before = parse(first.text)["pls_quarantine_rows"]
        with site.engine.begin() as conn:
            conn.exec_driver_sql("UPDATE quality.quarantine SET state = 'discarded'")
        after = parse(httpx.get(url, headers=accept, trust_env=False).text)["pls_quarantine_rows"]
        server.shutdown()
    assert {state for _, state in before} == {"held"}
    assert {state for _, state in after} == {"discarded"}


def test_the_calendar_horizon_is_the_last_day_whose_workdays_are_known() -> None:
    calendar = load_catalog(None).calendars["workdays"]
    assert calendar.last_known_day(date(2026, 11, 26)) == date(2026, 12, 31)
    extended = calendar.model_validate(
        calendar.model_dump() | {"overrides": ({"year": 2027, "holidays": (date(2027, 1, 1),)},)}
    )
    assert extended.last_known_day(date(2026, 11, 26)) == date(2027, 12, 31)
    assert calendar.last_known_day(date(2031, 5, 1)) == date(2031, 5, 1), "nothing is known any more"


@pytest.mark.parametrize(
    "words", [[], ["--listen", "9109"], ["--listen", "x:y"], ["--out", "a", "--listen", "b:1"]]
)
def test_a_wrong_address_is_refused_in_words(words: list[str]) -> None:
    assert CliRunner().invoke(main, ["metrics", *words]).exit_code == 2


def test_an_empty_warehouse_has_metrics_too(
    tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
    write_metrics(site, tmp_path / "pls.prom")
    shown = parse((tmp_path / "pls.prom").read_text())
    assert shown["pls_days_waiting"] == {(): 0}
    assert "pls_newest_day_timestamp_seconds" not in shown
