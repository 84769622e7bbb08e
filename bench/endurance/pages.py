"""Pages of the portal, each asked some times of the application itself, on one of the databases."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from starlette.testclient import TestClient

from bench.day import read_divisions
from bench.endurance.clock import Clock, Spent
from bench.endurance.make import MODEL
from etl.catalog import Level
from etl.catalog.viewer import Viewer
from etl.portal.app import create_app
from etl.portal.sign_in import Doors
from etl.site import Site

REPEATS = 9
USER, HEADER = "bench", "x-user"


def ask_pages(site: Site, clock: Clock, area: str) -> dict[str, Spent]:
    """What one answer of each page takes: the medians, the first answer left out."""
    viewers = {USER: Viewer(user=USER, division=None)}
    seen = replace(site, catalog=site.catalog.model_copy(update={"viewers": viewers}))
    app = create_app(seen, Doors("http://127.0.0.1:1", HEADER, "testclient"))
    with TestClient(app, headers={HEADER: USER}) as client:
        found = {}
        for name, path in _paths(area).items():
            answer = client.get(path)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
            spent = [clock.measure(lambda path=path: client.get(path)) for _ in range(REPEATS)]  # type: ignore[misc]
            found[name] = Spent(median(each.cpu for each in spent), median(each.wall for each in spent))
    app.state.reader.dispose()
    return found


def _paths(area: str) -> dict[str, str]:
    divisions = read_divisions()
    mine = divisions[divisions["code"].str.startswith(area)]
    city, county, township, village = (
        mine.loc[mine["level"] == level, "code"].iloc[0]
        for level in (Level.CITY, Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE)
    )
    month, day = MODEL.name, MODEL.starts_on
    return {
        "overview": f"/?period={month}",
        "city": f"/division/{city}?period={month}",
        "county": f"/division/{county}?period={month}",
        "township with its villages": f"/division/{township}?period={month}",
        "village": f"/division/{village}?period={month}",
        "search": "/search?words=村",
        "submissions of a day": f"/submissions?day={day}",
        "quality of a day": f"/quality?day={day}",
        "what a month's figure sums": f"/figure?division={county}&period={month}&measure=consultation",
        "what a day's figure sums": f"/figure?division={county}&period={day}&measure=consultation",
    }
