"""What the portal reads: the views' own figures, of the viewer's own divisions, as pls_reader and nothing more."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.daily import run_day
from etl.periodic import show_period
from etl.periods import Period
from etl.portal import boards, data
from etl.portal.reader import reader_of, snapshot
from etl.portal.viewer import Viewer
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.conftest import read_view

pytestmark = pytest.mark.integration
DAYS = [date(2026, 3, day) for day in (2, 3)]
MONTH = "2026-03"
PROVINCE, CITY, COUNTY, OTHER = "370000000000", "371300000000", "371302000000", "371311000000"
EVERYBODY, COUNTY_VIEWER = Viewer("省厅"), Viewer("兰山区", COUNTY)


@pytest.fixture
def site(tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]) -> Site:
    """Two days of two counties, their stocks, and the periods shown."""
    simulation = Simulation(
        home=tmp_path / "platforms",
        days=DAYS,
        hotline_url=hotline_url,
        counties=[COUNTY, OTHER],
        townships_per_county=1,
        transport="file",
    )
    with simulation:
        site = open_for(simulation)
        for day in DAYS:
            assert run_day(site, day, list(site.catalog.daily_platforms())) == []
        assert run_day(site, date(2026, 3, 31), list(site.catalog.platforms_of("stocks")), "stocks") == []
    for name in (MONTH, "2026Q1", "2026", f"{MONTH}/to_date"):
        show_period(site, Period.parse(name))
    return site


@pytest.fixture
def reader(site: Site) -> Iterator[Connection]:
    engine = reader_of(site.engine)
    with snapshot(engine) as conn:
        yield conn
    engine.dispose()


def rows_of(site: Site, view: str, **where: object) -> list[dict[str, Any]]:
    frame = read_view(site, view, **where).astype(object)
    return frame.where(frame.notna(), None).to_dict("records")


def test_the_portal_shows_the_views_own_figures_and_nothing_of_surveys(
    site: Site, reader: Connection
) -> None:
    survey = {name for name, each in site.catalog.measures.items() if each.kind == "survey"}
    levels, compared, left_out = set(), 0, set()
    for period in (MONTH, "2026Q1", "2026"):
        expected: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        for row in rows_of(site, "mart.period_statistics", period=period):
            if row["measure"] in survey:
                left_out.add(row["measure"])
                continue
            levels.add(row["level"])
            expected.setdefault(row["division_code"], {})[row["measure"], row["channel"]] = row
        chosen = [PROVINCE, CITY, COUNTY, OTHER, *sorted(expected)[-6:]]
        for code in chosen:
            shown = data.division(data.look(reader, EVERYBODY, code, period))
            found = {
                (measure["measure"], channel): {**measure, **figure}
                for measure in shown["measures"]
                for channel, figure in measure["channels"].items()
            }
            assert found.keys() == expected[code].keys()
            for key, row in expected[code].items():
                for name in ("value", "value_previous", "value_last_year", "mom", "yoy", "ytd", "expected"):
                    assert found[key][name] == row[name], (code, period, key, name)
                    compared += 1
    assert levels == {"province", "city", "county", "township", "village"}
    assert left_out >= {"survey_answered", "dissatisfied"}
    assert compared > 1000


def test_a_question_is_planned_once_for_whatever_it_is_asked_about(reader: Connection) -> None:
    assert reader.execute(sa.text("SHOW plan_cache_mode")).scalar_one() == "force_generic_plan"


def test_children_carry_the_figures_and_the_reporting_of_the_views(site: Site, reader: Connection) -> None:
    rates = {
        row["division_code"]: row
        for row in rows_of(site, "mart.reporting_rate", period=MONTH, dataset="daily")
        if row["stat_date"] is None
    }
    values = {
        row["division_code"]: row["value"]
        for row in rows_of(
            site, "mart.period_statistics", period=MONTH, measure="consultation", channel="all"
        )
    }
    seen = 0
    todo = [PROVINCE]
    while todo:
        page = data.children(
            data.look(reader, EVERYBODY, todo.pop(), MONTH), measures=["consultation"], limit=500
        )
        assert page["rows_total"] == len(page["rows"])
        for row in page["rows"]:
            if row["has_children"]:
                todo.append(row["division_code"])
            if row["expected"]:
                for name in ("expected", "received", "on_time", "late", "missing", "reporting_rate"):
                    assert row[name] == rates[row["division_code"]][name], name
                    seen += 1
            value = row["values"].get("consultation", {}).get("value")
            assert value == values.get(row["division_code"])
    assert seen > 20


def test_a_page_of_children_ends_where_it_should_and_says_how_many_there_are(
    site: Site, reader: Connection
) -> None:
    city = data.look(reader, EVERYBODY, CITY, MONTH)
    whole = data.children(city, limit=500)
    first = data.children(city, limit=1)
    second = data.children(city, limit=1, offset=1)
    assert len(whole["rows"]) == whole["rows_total"] >= 2
    assert [*first["rows"], *second["rows"]] == whole["rows"][:2]
    assert first["rows_total"] == whole["rows_total"]


def test_a_trend_shows_what_the_months_show(site: Site, reader: Connection) -> None:
    for code in (PROVINCE, COUNTY):
        shown = data.trend(data.look(reader, EVERYBODY, code), "consultation")
        [month] = [row for row in shown["rows"] if row["period"] == MONTH]
        expected = {
            row["channel"]: row
            for row in rows_of(site, "mart.period_statistics", period=MONTH, division_code=code)
            if row["measure"] == "consultation"
        }
        assert month["value"] == expected["all"]["value"] > 0
        for channel, value in month["channels"].items():
            assert value == (expected[channel]["value"] if channel in expected else 0)
    province = data.look(reader, EVERYBODY, PROVINCE)
    assert data.trend(province, "lawyer")["rows"][-1]["value"] > 0
    with pytest.raises(data.NotFound):
        data.trend(province, "survey_answered")


def test_indicators_satisfaction_and_scores_are_those_of_the_views(site: Site, reader: Connection) -> None:
    city = data.look(reader, EVERYBODY, CITY, MONTH)
    shown = {row["indicator"]: row for row in data.indicators(city)}
    expected = rows_of(site, "mart.indicator_value", period=MONTH, division_code=CITY)
    assert len(expected) > 20
    for row in expected:
        for name in ("value", "target", "attainment", "status"):
            assert shown[row["indicator"]][name] == row[name]
    asked = {row["channel"]: row for row in data.satisfaction(city)}
    for row in rows_of(site, "mart.satisfaction", period=MONTH, division_code=CITY):
        assert asked[row["channel"]]["answered"] == row["answered"]
    assert "all" in asked
    county = data.look(reader, EVERYBODY, COUNTY, MONTH)
    scores = data.schemes(county)
    assert scores
    for score in scores:
        opened = data.evaluation(county, score["scheme"])
        assert opened["total"]["score"] == score["score"]
        assert len(opened["items"]) == len(
            rows_of(site, "mart.evaluation_item", period=MONTH, division_code=COUNTY, scheme=score["scheme"])
        )


def test_a_viewer_sees_their_own_divisions_and_no_others(site: Site, reader: Connection) -> None:
    assert data.look(reader, EVERYBODY, None).code == PROVINCE
    here = data.look(reader, COUNTY_VIEWER, None, MONTH)
    assert [each["division_code"] for each in here.place["path"]] == [COUNTY]
    assert data.overview(here)["division"]["division_code"] == COUNTY
    for period in (None, MONTH):
        for stranger in (PROVINCE, CITY, OTHER):
            with pytest.raises(data.NotYours):
                data.look(reader, COUNTY_VIEWER, stranger, period)
        with pytest.raises(data.NotFound):
            data.look(reader, COUNTY_VIEWER, "999999999999", period)
    # Nothing else finds a division by its code: whatever is asked is asked of what was looked up.
    takes_viewer = [
        (module.__name__, name)
        for module in (data, boards)
        for name, each in inspect.getmembers(module, inspect.isfunction)
        if "viewer" in inspect.signature(each).parameters and each.__module__ == module.__name__
    ]
    assert [name for _, name in takes_viewer] == [
        "_own_id",
        "_place",
        "issued",
        "look",
        "search",
        "_own",
        "quality",
    ]
    found = data.search(reader, COUNTY_VIEWER, "37", limit=500)
    assert found
    assert {row["division_code"][:6] for row in found} == {COUNTY[:6]}


def test_search_finds_codes_by_their_beginning_and_names_by_any_part(site: Site, reader: Connection) -> None:
    assert data.search(reader, EVERYBODY, "371302")[0]["division_code"] == COUNTY
    assert data.search(reader, EVERYBODY, "兰山")[0]["division_name"].startswith("兰山")
    narrowed = data.search(reader, EVERYBODY, "临沂 兰山 村", limit=50)
    assert narrowed
    assert all("临沂" in row["path_names"] and "村" in row["division_name"] for row in narrowed)
    assert data.search(reader, EVERYBODY, "100%_") == []
    assert data.search(reader, EVERYBODY, "  ") == []


def test_the_board_tells_every_unit_s_status_as_the_view_does(site: Site, reader: Connection) -> None:
    here = data.look(reader, EVERYBODY, COUNTY)
    board = data.board(here, DAYS[0])
    assert board["counted_at"] is not None
    expected = {
        row["unit_code"]: row
        for row in rows_of(site, "mart.submission_status", stat_date=DAYS[0], dataset="daily")
    }

    def units(statuses: list[str] | None) -> list[dict[str, Any]]:
        found = boards.units(here, DAYS[0], "daily", statuses, None, False, limit=500, offset=0)
        return list(found["rows"])

    shown = units(None)
    assert shown
    assert {row["division_code"] for row in shown} <= expected.keys()
    for row in shown:
        for name in ("status", "received_at", "revision", "is_nil", "is_partial"):
            assert row[name] == expected[row["division_code"]][name]
    [county] = rows_of(site, "mart.reporting_rate", stat_date=DAYS[0], dataset="daily", division_code=COUNTY)
    for name in ("expected", "received", "on_time", "missing"):
        assert board["reporting"][name] == county[name]
    assert sum(row["expected"] for row in board["children"]) <= county["expected"]
    assert {row["status"] for row in units(["on_time"])} <= {"on_time"}


def test_a_figure_opens_into_days_and_a_day_into_the_rows_of_files(site: Site, reader: Connection) -> None:
    county = data.look(reader, EVERYBODY, COUNTY)
    month = data.figure_parts(county, MONTH, "consultation")
    assert month["kind"] == "days"
    assert month["value"] == month["parts_sum"] > 0
    assert [row["stat_date"] for row in month["rows"]] == DAYS
    for opened in month["rows"]:
        day = data.figure_parts(county, opened["stat_date"].isoformat(), "consultation", limit=500)
        assert day["kind"] == "submissions"
        assert day["value"] == opened["value"] == day["parts_sum"]
        assert sum(row["value"] for row in day["rows"]) == day["value"]
        assert all(row["source_name"] and row["sha256"] for row in day["rows"])
    stock = data.figure_parts(county, MONTH, "lawyer")
    assert stock["value"] == stock["parts_sum"]
    for name in ("survey_answered", "dissatisfied", "answered_on_aware"):
        with pytest.raises(data.NotFound):
            data.figure_parts(county, MONTH, name)


def test_what_is_issued_is_empty_before_anything_was(site: Site, reader: Connection) -> None:
    if reader.execute(sa.text("SELECT to_regclass('mart.issued_table')")).scalar() is None:
        assert data.issued(reader, EVERYBODY) == {"rows": [], "rows_total": 0}
