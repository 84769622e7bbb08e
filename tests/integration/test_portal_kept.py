"""Pages that the portal keeps: made once however many look, and never shown when anything of them was written since."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from etl.daily import restate, run_day
from etl.divisions import load_divisions
from etl.periodic import show_period
from etl.periods import Period
from etl.portal import data
from etl.register import register_catalog
from etl.settings import DIVISIONS_FILE
from etl.site import Site
from simulator.simulation import Simulation
from tests.portal_site import portal_of, site_at

pytestmark = pytest.mark.integration
DAY, MONTH, MONTH_END = date(2026, 3, 2), "2026-03", date(2026, 3, 31)
CITY, COUNTY, OTHER = "371300000000", "371302000000", "371311000000"
VIEWERS = {"all": None, "second": None, "lanshan": COUNTY}
PAGES = {
    "overview": "/",
    "county": f"/division/{COUNTY}?period={MONTH}",
    "search": "/search?words=兰山",
    "month": f"/figure?division={CITY}&period={MONTH}&measure=consultation",
    "day": f"/figure?division={CITY}&period={DAY}&measure=consultation",
    "stock": f"/figure?division={COUNTY}&period={MONTH}&measure=lawyer",
    "indicator": f"/indicator?division={CITY}&period={MONTH}&indicator=reporting_rate",
    "evaluation": f"/evaluation/{COUNTY}?period={MONTH}&scheme=county-monthly",
}


@pytest.fixture
def simulation(tmp_path: Path, hotline_url: str) -> Simulation:
    return Simulation(
        home=tmp_path / "simulated",
        days=[DAY],
        scenario="restated",
        hotline_url=hotline_url,
        counties=[COUNTY, OTHER],
        townships_per_county=1,
    )


@contextmanager
def portal(site: Site) -> Iterator[Callable[[str], TestClient]]:
    """A portal's server that has kept nothing yet; its client by user."""
    shown = site_at(site.settings.home, site.settings.warehouse, VIEWERS)
    app = portal_of(shown, user_header="x-user", trusted_proxy="testclient")
    yield lambda user: TestClient(app, headers={"x-user": user})
    app.state.reader.dispose()
    shown.engine.dispose()


def texts(client: TestClient) -> dict[str, str]:
    return {name: client.get(path).text for name, path in PAGES.items()}


def renamed(file: Path) -> Path:
    """The list of divisions with one county under another name."""
    text = gzip.decompress(DIVISIONS_FILE.read_bytes()).decode()
    assert text.count("兰山区") == 1
    file.write_bytes(gzip.compress(text.replace("兰山区", "兰山新区").encode()))
    return file


def test_whatever_is_written_shows_at_once_on_every_page_that_was_kept(
    simulation: Simulation, tmp_path: Path, open_for: Callable[[Simulation], Site]
) -> None:
    with simulation:
        site = open_for(simulation)
        everyone, stocks = list(site.catalog.daily_platforms()), list(site.catalog.platforms_of("stocks"))
        assert run_day(site, DAY, everyone) == []
        show_period(site, Period.parse(MONTH))

        def restated() -> None:
            simulation.advance()
            assert restate(site, everyone, simulation.plan.since) == ([DAY], [])

        def other_words() -> None:
            measures = dict(site.catalog.measures)
            name = {"name_zh": "法律咨询服务"}
            measures["consultation"] = measures["consultation"].model_copy(update=name)
            register_catalog(site.engine, site.catalog.model_copy(update={"measures": measures}))

        steps: list[tuple[Callable[[], object], set[str]]] = [
            (lambda: run_day(site, MONTH_END, stocks, "stocks"), {"county", "stock"}),
            (restated, {"day"}),
            (lambda: show_period(site, Period.parse(MONTH)), {"overview", "county", "month", "evaluation"}),
            (other_words, {"overview", "county", "month", "day"}),
            (
                lambda: load_divisions(site.engine, renamed(tmp_path / "l.csv.gz"), date(2026, 3, 15), DAY),
                {"county", "search", "stock", "evaluation"},
            ),
        ]
        with portal(site) as client_of:
            client = client_of("all")
            kept = texts(client)
            for write, changes in steps:
                write()
                with portal(site) as another:
                    fresh = texts(another("all"))
                again = texts(client)
                assert again == fresh
                assert again == texts(client)
                differing = {name for name in PAGES if again[name] != kept[name]}
                assert changes <= differing, f"{write}: nothing would be noticed on {changes - differing}"
                kept = again
            assert all(client.get(path).status_code == 200 for path in PAGES.values())


def test_a_page_is_made_once_for_all_who_may_see_it_and_shown_with_the_name_of_each(
    simulation: Simulation, open_for: Callable[[Simulation], Site]
) -> None:
    with simulation:
        site = open_for(simulation)
        assert run_day(site, DAY, list(site.catalog.daily_platforms())) == []
        show_period(site, Period.parse(MONTH))
    path = PAGES["county"]
    with portal(site) as client_of:
        reader = client_of("all").app.state.reader  # type: ignore[attr-defined]
        asked: list[str] = []
        sa.event.listen(reader, "before_cursor_execute", lambda *each: asked.append(each[2]))
        first = client_of("all").get(path).text
        made = len(asked)
        second = client_of("second").get(path).text
        assert (made > 5, len(asked) - made) == (True, 1), "the state alone is asked for"
        assert '<span class="user">second</span>' in second
        assert first.replace(">all</span>", ">second</span>") == second
        own = client_of("lanshan").get(path).text
        assert len(asked) - made > 5, "who sees only a part has pages of their own"
        assert (f"/division/{CITY}" in first, f"/division/{CITY}" in own) == (True, False)
        assert client_of("lanshan").get(f"/division/{CITY}?period={MONTH}").status_code == 403
        english = client_of("all").get(f"{path}&lang=en").text
        assert "Reporting rate" in english


def test_what_was_not_missing_before_a_cut_off_is_missing_after_it(
    simulation: Simulation, open_for: Callable[[Simulation], Site]
) -> None:
    with simulation:
        site = open_for(simulation)
    soon = (
        "INSERT INTO core.expected_day (stat_date, dataset, platform_ids, due_at, cutoff_at, known_from, unit_ids)"
        " VALUES (:day, 'daily', '{1}', now(), clock_timestamp() + interval '1 second', now(), '{}')"
    )
    with site.engine.begin() as conn:
        conn.execute(sa.text(soon), {"day": DAY})
    with site.engine.connect() as conn:
        before = data.state(conn)
        assert data.state(conn) == before
        conn.execute(sa.text("SELECT pg_sleep(1.1)"))
        assert data.state(conn) != before
