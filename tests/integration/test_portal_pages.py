"""The portal's pages on a small real warehouse: what is on them, who sees them, and the same pages as files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from etl.daily import run_day
from etl.failures import Refused
from etl.periodic import show_period
from etl.periods import Period
from etl.portal.export import export_portal
from etl.site import Site
from etl.warehouse import ServerAddress
from simulator.simulation import Simulation
from tests.integration.conftest import copy_database, read_view, run_command
from tests.portal_site import portal_of, site_at

pytestmark = pytest.mark.integration
DAY, MONTH = date(2026, 3, 2), "2026-03"
PROVINCE, CITY, COUNTY, OTHER = "370000000000", "371300000000", "371302000000", "371311000000"
OTHER_NAME = "罗庄区"
HOSTILE = "甲<script>alert(1)</script>&村"
VIEWERS = {"all": None, "lanshan": COUNTY}


@pytest.fixture(scope="module")
def site(server: ServerAddress, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A day of two counties, their stocks, the month shown, and a village whose name is an attack."""
    from etl.connections import connection_from_env
    from etl.site import open_site

    home = tmp_path_factory.mktemp("portal")
    copy_database(server, template, "portal_pages")
    server.ensure_database("portal_pages_hotline")
    simulation = Simulation(
        home=home / "platforms",
        days=[DAY],
        hotline_url=server.url("portal_pages_hotline"),
        counties=[COUNTY, OTHER],
        townships_per_county=1,
        transport="file",
    )
    with pytest.MonkeyPatch.context() as patched, simulation:
        for name, value in simulation.environment().items():
            patched.setenv(name, value)
        patched.setenv("PLS_HOME", str(home))
        patched.setenv("PLS_WAREHOUSE", server.url("portal_pages"))
        patched.setenv("PLS_CATALOG", str(simulation.catalog_dir))
        loaded = open_site(connection_from_env)
        assert run_day(loaded, DAY, list(loaded.catalog.daily_platforms())) == []
        assert run_day(loaded, date(2026, 3, 31), list(loaded.catalog.platforms_of("stocks")), "stocks") == []
    show_period(loaded, Period.parse(MONTH))
    with loaded.engine.begin() as conn:
        renamed = conn.execute(
            sa.text(
                "UPDATE core.division_period SET division_name = :name WHERE division_id = ("
                "SELECT division_id FROM mart.daily_reporting JOIN core.division USING (division_id)"
                " WHERE is_leaf AND units_expected > 0 AND division_code LIKE '371302%' ORDER BY 1 LIMIT 1)"
            ),
            {"name": HOSTILE},
        )
        assert renamed.rowcount >= 1
    found = site_at(home, server.url("portal_pages"), VIEWERS)
    yield found
    found.engine.dispose()
    loaded.engine.dispose()
    run_command(server, psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)"), "portal_pages")


@pytest.fixture(scope="module")
def client_of(site: Site) -> Iterator[Callable[[str], TestClient]]:
    app = portal_of(site, user_header="x-user", trusted_proxy="testclient")
    yield lambda user: TestClient(app, headers={"x-user": user})
    app.state.reader.dispose()


@pytest.fixture
def client(client_of: Callable[[str], TestClient]) -> TestClient:
    return client_of("all")


def value_of(site: Site, code: str, measure: str) -> int:
    rows = read_view(
        site, "mart.period_statistics", period=MONTH, division_code=code, measure=measure, channel="all"
    )
    assert len(rows) == 1
    return int(rows["value"].iloc[0])


def test_the_first_page_shows_the_provinces_figures_with_their_completeness(
    site: Site, client: TestClient
) -> None:
    page = client.get("/").text
    assert "山东省" in page
    consultations = f"{value_of(site, PROVINCE, 'consultation'):,}"
    assert re.search(rf'<span class="headline-value"><a [^>]*>{consultations}</a></span>', page)
    rate = read_view(site, "mart.reporting_rate", dataset="daily", period=MONTH, division_code=PROVINCE)
    assert f"实报 <b>{int(rate['received'].iloc[0]):,}</b>" in page
    assert "环比" in page
    assert "同比" in page
    assert "2026年3月" in page


def test_from_the_province_links_lead_down_to_a_village_and_back_up(client: TestClient) -> None:
    code, seen = PROVINCE, [PROVINCE]
    for _ in range(4):
        page = client.get(f"/division/{code}").text
        below = [each for each in re.findall(r'href="/division/(\d{12})[^"]*"', page) if each not in seen]
        assert below, f"nothing below {code}"
        reporting = [each for each in below if each.startswith(COUNTY[:6])] or below
        code = reporting[0]
        seen.append(code)
    village = client.get(f"/division/{code}").text
    assert "村（社区）" in village
    crumbs = village[
        village.index('class="breadcrumb"') : village.index("</nav>", village.index("breadcrumb"))
    ]
    assert re.findall(r"/division/(\d{12})", crumbs) == seen[:-1]


def test_a_division_shows_measures_indicators_satisfaction_and_trend(site: Site, client: TestClient) -> None:
    page = client.get(f"/division/{COUNTY}?period={MONTH}").text
    for measure in ("consultation", "mediation_accepted", "lawyer"):
        name = site.catalog.measures[measure].name_zh
        assert f'<th scope="row">{name}</th>' in page
        assert f"{value_of(site, COUNTY, measure):,}</a>" in page
    indicators = read_view(site, "mart.indicator_value", period=MONTH, division_code=COUNTY)
    assert len(indicators) > 20
    assert all(name in page for name in indicators["indicator_name"])
    assert "95% 威尔逊区间" in page
    assert 'data-chart="trend"' in page
    part = client.get(f"/division/{COUNTY}?measure=mediation_accepted", headers={"hx-target": "trend"}).text
    assert part.lstrip().startswith('<div id="trend"')
    assert "调解受理" in part


def test_a_division_is_found_by_name_and_by_code_with_and_without_script(client: TestClient) -> None:
    for words in ("兰山区", "371302", "临沂 兰山"):
        assert f'href="/division/{COUNTY}"' in client.get("/search", params={"words": words}).text
    part = client.get("/search", params={"words": "兰山区"}, headers={"hx-target": "search-found"}).text
    assert "<html" not in part
    assert COUNTY in part
    assert "没有找到" in client.get("/search", params={"words": "%"}).text
    assert client.get("/search", params={"words": "x" * 61}).status_code == 400


def test_a_name_that_is_an_attack_is_shown_as_words(client: TestClient) -> None:
    found = client.get("/search", params={"words": "甲<"}).text
    code = re.search(r'href="/division/(\d{12})"', found)
    assert code is not None
    for page in (found, client.get(f"/division/{code[1]}").text):
        assert "<script>alert" not in page
        assert "甲&lt;script&gt;alert(1)&lt;/script&gt;&amp;村" in page


def test_english_names_measures_and_keeps_the_figures(site: Site, client: TestClient) -> None:
    page = client.get(f"/division/{COUNTY}?lang=en").text
    assert site.catalog.measures["consultation"].name_en in page
    assert f"{value_of(site, COUNTY, 'consultation'):,}</a>" in page
    assert "Reporting rate" in page
    chinese = re.sub(r'<(\w+)[^>]*lang="zh-CN"[^>]*>.*?</\1>', "", page, flags=re.DOTALL)
    body = re.sub(r"<title>.*?</title>|中文", "", chinese, flags=re.DOTALL)
    assert re.findall(r"[\u4e00-\u9fff]+", body) == []


@pytest.mark.parametrize("period", ["2026-13", "next", "2026-03-02", "2031-01", "<b>"])
def test_a_period_that_is_none_or_has_no_figures_is_said_so(client: TestClient, period: str) -> None:
    answer = client.get("/", params={"period": period})
    assert answer.status_code == 404
    assert "<b>" not in answer.text.split("<main")[1].split("</main>")[0].replace("<b>0</b>", "")


OUTSIDE = {
    "code": OTHER,
    "division": OTHER,
    "under": OTHER,
    "division_code": OTHER,
    "report": "monthly",
    "period": MONTH,
    "version": "v1",
    "name": "table.xlsx",
    "path": "index.html",
    "scheme": "sd",
    "measure": "consultation",
    "indicator": "reporting_rate",
    "channel": "all",
    "day": DAY.isoformat(),
}
PUBLIC = {"/sign-in", "/health", "/alerts/ack", "/data-docs/assets/{path:path}", "/static"}


def pages_of(app: object) -> list[tuple[str, dict[str, str], bool]]:
    """Every page that takes a sign-in, with a division outside wherever it takes one: address, query, and whether it
    takes one. A parameter that is not in OUTSIDE is an error here: say what it is."""
    found = []
    for route in app.routes:  # type: ignore[attr-defined]
        if route.path in PUBLIC or "GET" not in (getattr(route, "methods", None) or ()):
            continue
        parts = {each.name for each in route.dependant.path_params}
        asked = {each.name for each in route.dependant.query_params}
        address = route.path.replace(":path", "").format(**{name: OUTSIDE[name] for name in parts})
        query = {name: OUTSIDE[name] for name in asked if name in OUTSIDE}
        names = {"code", "division", "under", "division_code"} & (parts | asked)
        found.append((address, query, bool(names)))
    return found


def test_a_county_user_sees_no_page_of_another_division_and_nothing_of_it_on_their_own(
    client_of: Callable[[str], TestClient],
) -> None:
    county, everybody = client_of("lanshan"), client_of("all")
    pages = pages_of(county.app)
    assert len(pages) >= 7
    assert sum(takes for _, _, takes in pages) >= 2
    for address, query, takes_division in pages:
        answer = county.get(address, params=query, follow_redirects=False)
        if takes_division:
            assert answer.status_code in (403, 404), address
        assert OTHER_NAME not in answer.text.replace(f"{OTHER_NAME}不在您的查看范围内", ""), address
    for above in (CITY, PROVINCE):
        assert county.get(f"/division/{above}").status_code == 403
    assert county.get("/search", params={"words": OTHER_NAME}).text.count("/division/") == 0
    first = county.get("/").text
    assert '<h1><span lang="zh-CN">兰山区</span>' in first
    assert CITY not in county.get(f"/division/{COUNTY}").text, "the way up ends with their own"
    assert OTHER_NAME in everybody.get(f"/division/{CITY}").text


def test_nobody_sees_a_page_without_signing_in(site: Site) -> None:
    stranger = TestClient(portal_of(site))
    pages = pages_of(stranger.app)
    for address, query, _ in pages:
        answer = stranger.get(address, params=query, follow_redirects=False)
        if address == "/data-docs":
            continue
        assert (answer.status_code, answer.headers["location"].startswith("/sign-in?next=")) == (303, True), (
            address
        )
    part = stranger.get("/search?words=a", headers={"hx-request": "true"})
    assert (part.status_code, "/sign-in" in part.headers["hx-redirect"]) == (204, True)


def test_issued_files_are_given_to_their_own_and_nothing_else_is(
    site: Site, client_of: Callable[[str], TestClient]
) -> None:
    home = site.settings.home
    for division in (COUNTY, OTHER):
        folder = home / "reports" / "issued" / "monthly" / MONTH / division / "v1"
        folder.mkdir(parents=True)
        (folder / "table.xlsx").write_bytes(b"workbook")
    (home / "secret.txt").write_text("secret")
    county = client_of("lanshan")
    own = county.get(f"/issued/monthly/{MONTH}/{COUNTY}/v1/table.xlsx")
    assert (own.content, "attachment" in own.headers["content-disposition"]) == (b"workbook", True)
    assert county.get(f"/issued/monthly/{MONTH}/{OTHER}/v1/table.xlsx").status_code == 403
    # Each part of the address is one name: what goes up, however written, finds nothing.
    for report in ("..", "%2e%2e", "%2e%2e%2f%2e%2e", "monthly%2f..%2f.."):
        answer = county.get(f"/issued/{report}/{MONTH}/{COUNTY}/v1/table.xlsx")
        assert answer.status_code in (400, 404), report
    sideways = f"/issued/monthly/{MONTH}/{COUNTY}/%2e%2e/{OTHER}%2fv1%2ftable.xlsx"
    assert county.get(sideways).status_code in (400, 404)


def test_drafts_are_for_those_who_see_everything(site: Site, client_of: Callable[[str], TestClient]) -> None:
    folder = site.settings.home / "reports" / "drafts" / "monthly" / MONTH / COUNTY / "v1"
    folder.mkdir(parents=True)
    (folder / "table.xlsx").write_bytes(b"draft")
    address = f"/drafts/monthly/{MONTH}/{COUNTY}/v1/table.xlsx"
    assert client_of("all").get(address).content == b"draft"
    assert client_of("lanshan").get(address).status_code == 403
    for report in ("..", "%2e%2e", "%2e%2e%2f%2e%2e", "..%2fissued%2fmonthly"):
        answer = client_of("all").get(f"/drafts/{report}/{MONTH}/{COUNTY}/v1/table.xlsx")
        assert answer.status_code in (400, 404), report


def test_data_docs_are_for_those_who_see_everything_and_run_apart_from_the_session(
    site: Site, client_of: Callable[[str], TestClient]
) -> None:
    docs = site.settings.home / "data_docs"
    (docs / "assets").mkdir(parents=True, exist_ok=True)
    (docs / "index.html").write_text("<p>docs</p>")
    (docs / "assets" / "a.css").write_text("a{}")
    assert client_of("lanshan").get("/data-docs/index.html").status_code == 403
    answer = client_of("all").get("/data-docs/index.html")
    assert (answer.status_code, answer.text) == (200, "<p>docs</p>")
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in answer.headers["content-security-policy"]
    asset = TestClient(portal_of(site)).get("/data-docs/assets/a.css")
    assert (asset.status_code, asset.headers["access-control-allow-origin"]) == (200, "*")
    assert "access-control-allow-origin" not in answer.headers
    assert TestClient(portal_of(site)).get("/data-docs/assets/%2e%2e/index.html").status_code != 200
    assert client_of("all").get("/data-docs/%2e%2e/secret.txt").status_code == 404


def test_the_portal_reads_and_cannot_write(client: TestClient) -> None:
    engine = client.app.state.reader  # type: ignore[attr-defined]
    with engine.connect() as conn, pytest.raises(sa.exc.InternalError, match="read-only"):
        conn.execute(sa.text("CREATE TEMP TABLE t AS SELECT 1"))
    with engine.connect() as conn, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        conn.execute(sa.text("SELECT * FROM core.submission"))
    assert client.get("/health").text == "healthy"


class Addresses(HTMLParser):
    """What a page leads to, its anchors, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.inline = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [str(given[name]) for name in ("href", "src", "action") if given.get(name) is not None]
        self.anchors |= {str(given["id"])} if "id" in given else set()
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline += 1
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.inline += 1


@pytest.fixture(scope="module")
def files(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = export_portal(site, MONTH, tmp_path_factory.mktemp("export") / "portal", CITY)
    assert made.pages == len(list(made.index.parent.rglob("*.html"))) > 5
    return made.index.parent


def test_the_pages_as_files_lead_nowhere_outside_and_nowhere_dead(files: Path) -> None:
    pages = {file: Addresses(file.read_text(encoding="utf-8")) for file in files.rglob("*.html")}
    followed = 0
    for file, page in pages.items():
        assert page.inline == 0, file
        assert "Content-Security-Policy" in file.read_text(encoding="utf-8")
        for link in page.links:
            parts = urlsplit(link)
            assert (parts.scheme, parts.netloc, parts.path.startswith("/")) == ("", "", False), (file, link)
            target = (file.parent / parts.path).resolve() if parts.path else file
            assert target.is_file(), (file, link)
            assert target.is_relative_to(files)
            if parts.fragment:
                assert parts.fragment in pages[target].anchors, (file, link)
            followed += 1
    assert followed > 50
    assert "<form method" not in (files / "index.html").read_text(encoding="utf-8")


def test_the_pages_as_files_show_what_the_portal_shows(site: Site, files: Path) -> None:
    index = (files / "index.html").read_text(encoding="utf-8")
    assert f'<span class="headline-value">{value_of(site, CITY, "consultation"):,}</span>' in index
    county = (files / "division" / f"{COUNTY}.html").read_text(encoding="utf-8")
    assert f"{value_of(site, COUNTY, 'mediation_accepted'):,}" in county
    places = (files / "places.js").read_text(encoding="utf-8")
    assert f'["兰山区","临沂市","division/{COUNTY}.html"]' in places
    township = next(
        file for file in (files / "division").iterdir() if re.match(r"371302(?!000)\d{3}000", file.name)
    )
    assert "甲&lt;script&gt;" in township.read_text(encoding="utf-8"), (
        "villages stand in their township's page"
    )


def test_an_export_replaces_an_earlier_one_and_nothing_else(site: Site, files: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(Refused, match="not of an earlier export"):
        export_portal(site, MONTH, tmp_path / "mine", COUNTY)
    first = export_portal(site, MONTH, tmp_path / "portal", COUNTY)
    (first.index.parent / "division" / "stray.html").write_text("x")
    again = export_portal(site, MONTH, tmp_path / "portal", COUNTY)
    assert again == first
    assert not (first.index.parent / "division" / "stray.html").exists()
    same = first.index.read_bytes()
    export_portal(site, MONTH, tmp_path / "portal", COUNTY)
    assert first.index.read_bytes() == same
