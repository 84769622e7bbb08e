"""Two workers that share nothing but Redis, the warehouse and an archive at an S3 server; one of them is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

import simulator.rest
from etl.clock import SHANGHAI
from local.api import Api, Run
from local.hosts import Hosts, hosts_on_slow_platforms, open_store
from simulator.plan import FIRST
from simulator.simulation import Simulation
from tests.conftest import require_program

DAG = "daily_statistics"
# Whole: what came late has come by now.
DAYS = [datetime.now(SHANGHAI).date() - timedelta(days=back) for back in (4, 3)]
COUNTIES = [f"3713{number}000000" for number in ("02", "11", "12", "21", "22", "23", "24", "25", "26", "27")]
ANSWER_S, HELD_S = 4.0, 600.0
"""Seconds that a county platform takes for an answer, so that all tasks are under way at once; and while a host is to
die before any has come."""


@dataclass(frozen=True)
class Site:
    """hosts and api: Airflow. simulation: the platforms. engine: the warehouse. store: what leads to the archive."""

    hosts: Hosts
    api: Api
    simulation: Simulation
    engine: sa.Engine
    store: dict[str, str]

    def run(self, day: date) -> str:
        return self.api.start(DAG, {}, partition=day.isoformat())

    def figures(self, day: date) -> pd.DataFrame:
        query = sa.text("SELECT * FROM mart.daily_statistics WHERE stat_date = :day")
        with self.engine.connect() as conn:
            result = conn.execute(query, {"day": day})
            return pd.DataFrame(result.all(), columns=list(result.keys()))

    def assert_equal_to_truth(self, day: date) -> None:
        truth = self.simulation.truth(FIRST)
        wrong = truth.differences(self.figures(day))
        wrong = wrong[wrong["stat_date"].astype(str) == day.isoformat()]
        assert (truth.daily["stat_date"].astype(str) == day.isoformat()).sum() > 500
        assert wrong.empty, f"\n{wrong.to_string()}"

    def documents(self, day: date) -> int:
        folder = f"{self.store['PLS_ARCHIVE']}/documents/validations/{day}"
        return len(open_store(self.store).ls(folder))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Airflow with the hosts `first`, which also publishes, and `second`, which only pulls."""
    require_program("redis-server", apt="redis-server")
    with hosts_on_slow_platforms(DAYS, COUNTIES) as played:
        hosts = played.hosts
        hosts.start_worker("first", "default,pulls")
        hosts.start_worker("second", "pulls")
        engine = sa.create_engine(played.server.url("pls"))
        with Api(hosts.stack) as api:
            api.unpause(DAG)
            yield Site(hosts, api, played.simulation, engine, played.store)
        engine.dispose()


@pytest.fixture(scope="module")
def shared(site: Site) -> tuple[Run, list[dict[str, object]]]:
    """A day that both hosts pull; its tasks."""
    simulator.rest.SLOW_S = ANSWER_S
    run = site.api.wait_for(DAG, site.run(DAYS[0]), seconds=400)
    return run, site.api.pulls(DAG, run.run_id)


@pytest.fixture(scope="module")
def bereft(site: Site, shared: object) -> tuple[Run, list[dict[str, object]], set[int]]:
    """A day during which the second host dies; its tasks, and the numbers of those that died with it."""
    assert shared
    simulator.rest.SLOW_S = HELD_S
    run_id = site.run(DAYS[1])
    asked = len(site.simulation.asked)
    deadline = time.monotonic() + 120
    while True:
        pulls = site.api.pulls(DAG, run_id)
        dying = {
            each["map_index"] for each in pulls if (each["state"], each["hostname"]) == ("running", "second")
        }
        with site.engine.connect() as conn:
            begun = conn.execute(
                sa.text("SELECT count(*) FROM landing.pull WHERE run_key = :key AND finished_at IS NULL"),
                {"key": run_id},
            ).scalar_one()
        # In mid-batch: every task has begun, none of the county platforms has answered yet.
        if len(dying) == 2 and begun >= 12 and len(site.simulation.asked) == asked:
            break
        assert time.monotonic() < deadline, (pulls, begun)
        time.sleep(0.1)
    site.hosts.kill_worker("second")
    simulator.rest.SLOW_S = ANSWER_S
    run = site.api.wait_for(DAG, run_id, seconds=500)
    return run, site.api.pulls(DAG, run_id), dying


def test_both_hosts_pull_a_day_and_it_ends_in_the_truth(
    site: Site, shared: tuple[Run, list[dict[str, object]]]
) -> None:
    run, pulls = shared
    assert run.state == "success", site.api.failed_tasks(DAG, run.run_id)
    assert len(pulls) == 4
    assert {each["hostname"] for each in pulls} == {"first", "second"}
    assert {each["try_number"] for each in pulls} == {1}
    site.assert_equal_to_truth(DAYS[0])


def test_what_people_open_is_on_the_first_host_alone_and_tells_of_both(
    site: Site, shared: tuple[Run, list[dict[str, object]]]
) -> None:
    assert shared[0].state == "success"
    first = site.hosts.home_of("first")
    assert len(list((first / "reports").rglob("*.xlsx"))) >= 1
    summary = json.loads((first / "data_docs" / DAYS[0].isoformat() / "summary.json").read_text())
    assert summary["validations"] == site.documents(DAYS[0])
    assert summary["validations"] >= 4
    assert list(site.hosts.home_of("second").rglob("*")) == []


def test_a_host_that_dies_in_mid_batch_loses_nothing(
    site: Site, bereft: tuple[Run, list[dict[str, object]], set[int]]
) -> None:
    run, pulls, died = bereft
    assert run.state == "success", site.api.failed_tasks(DAG, run.run_id)
    assert {each["map_index"] for each in pulls if each["try_number"] != 1} == died
    assert {each["hostname"] for each in pulls} == {"first"}
    site.assert_equal_to_truth(DAYS[1])


def test_archive_ledger_and_roll_ups_are_whole_after_it(
    site: Site, bereft: tuple[Run, list[dict[str, object]], set[int]]
) -> None:
    assert bereft[0].state == "success"
    told = json.loads(site.hosts.run("third", "python", "-m", "etl", "verify", "--json"))
    assert told["differences"] == []
    assert told["objects"] > 20
    assert told["days"] >= 2
