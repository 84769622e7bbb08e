"""The province through Airflow: all its platforms are declared, the days chosen, and the time told apart."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from etl.catalog import load_catalog
from etl.clock import SHANGHAI
from etl.daily import plan_groups
from etl.settings import DIVISIONS_FILE
from local.province import Measured, describe, working_days
from local.timing import Step, steps_of
from simulator.platforms import Area, carried_units, write_declarations
from simulator.world import World


def test_every_platform_of_the_province_is_declared_and_every_unit_carried_once(tmp_path: Path) -> None:
    world = World.load(load_catalog(None), DIVISIONS_FILE, seed=7)
    write_declarations(tmp_path, Area.choose(world, "37", None, None), hotline=True)
    catalog = load_catalog(tmp_path)
    daily = catalog.platforms_of("daily")
    assert Counter((each.family, *each.level) for each in daily.values()) == {
        ("rest", "city"): 16,
        ("rest", "county"): 151,
        ("csv", "township"): 16,
        ("workbook", "village"): 16,
        ("database", "county"): 16,
    }
    assert len({each.options["view"] for each in daily.values() if each.family == "database"}) == 16
    carried = carried_units(world, catalog)
    by_family = {
        family: [unit for name, units in carried.items() if daily[name].family == family for unit in units]
        for family in ("csv", "workbook", "database")
    }
    assert [len(units) for units in by_family.values()] == [1_853, 62_074, 151]
    assert all(len(set(units)) == len(units) for units in by_family.values())
    files = {family: {world.parent[unit] for unit in by_family[family]} for family in ("csv", "workbook")}
    assert [len(parents) for parents in files.values()] == [151, 1_853]
    groups = plan_groups(catalog)
    assert len(groups) == 12
    assert sorted(name for group in groups for name in group) == sorted(daily)


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2026-11-26T18:29", "2026-11-23", "2026-11-25"),
        ("2026-11-26T18:30", "2026-11-24", "2026-11-26"),
        ("2026-11-23T09:00", "2026-11-18", "2026-11-22"),
        ("2026-10-08T20:00", "2026-09-29", "2026-10-08"),
    ],
)
def test_the_days_hold_three_working_days(now: str, first: str, last: str) -> None:
    calendar = load_catalog(None).calendars["workdays"]
    days = working_days(datetime.fromisoformat(now).replace(tzinfo=SHANGHAI), calendar)
    assert [days[0], days[-1]] == [date.fromisoformat(first), date.fromisoformat(last)]
    assert sum(map(calendar.is_workday, days)) == 3
    assert len(days) == (days[-1] - days[0]).days + 1


def task(
    logs: Path, index: int, queued: int, start: int, begin: int, done: int, end: int
) -> dict[str, object]:
    """A task as Airflow tells of it, with its log; the numbers are seconds past noon."""

    def at(second: int) -> str:
        return datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC).isoformat()

    lines = [
        (start, "::group::Pre Execute"),
        (begin, "::endgroup::"),
        (done, "Done. Returned value was: None"),
    ]
    log = logs / "dag_id=d" / "run_id=r" / "task_id=t" / f"map_index={index}" / "attempt=1.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "\n".join(json.dumps({"timestamp": at(second), "event": words}) for second, words in lines)
    )
    names = {"dag_id": "d", "dag_run_id": "r", "task_id": "t", "map_index": index, "try_number": 1}
    return names | {"queued_when": at(queued), "start_date": at(start), "end_date": at(end)}


def test_a_task_waits_starts_up_works_and_ends(tmp_path: Path) -> None:
    tasks = [task(tmp_path, 0, 1, 2, 4, 9, 10), task(tmp_path, 1, 2, 6, 7, 8, 9)]
    (step,) = steps_of(tasks, tmp_path, datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert (step.name, step.tasks, step.first, step.last) == ("t", 2, 1.0, 10.0)
    assert (step.queued, step.starting, step.working, step.closing) == (5.0, 3.0, 6.0, 2.0)
    (log,) = tmp_path.rglob("map_index=1/attempt=1.log")
    log.write_text(log.read_text().replace("Done.", "Undone."))
    with pytest.raises(ValueError, match="Done"):
        steps_of(tasks, tmp_path, datetime(2026, 3, 2, 12, tzinfo=UTC))


def test_the_page_says_how_long_each_day_took_and_where_it_went() -> None:
    step = Step("load_and_roll_up", 1, 90.0, 101.5, 0.5, 1.0, 9.5, 0.5)
    cpu = {"tasks": 60.0, "PostgreSQL": 12.25}
    batches = {"rest": 167, "csv": 151, "workbook": 1_853, "database": 16}
    day = Measured("2026-03-02", 101.5, 140.2, [step], cpu, batches, 32_698)
    page = describe(load_catalog(None), [day], {"province": 132}, 0.5)
    for line in (
        "The 17 simulated platforms of daily figures of the 1 cities",
        "| 2026-03-02 | **102 s** | 140 s | 167 | 151 | 1,853 | 16 | 32,698 |",
        "| together | 72.2 |",
        "| load_and_roll_up | 1 | 90.0 | 101.5 | 0.5 | 1.0 | 9.5 | 0.5 |",
        "and equal: province 132;",
    ):
        assert line in page
