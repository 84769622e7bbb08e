"""The portal in a real browser: what people do there, and that every page can be used by everybody."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute
from playwright.sync_api import BrowserContext, Page

from etl.portal.app import create_app
from etl.portal.export import export_portal
from etl.portal.sign_in import Doors
from tests.conftest import require_program
from tests.e2e.browser.conftest import NARROW, WIDE, Portal, is_here, picture, signed_in
from tests.e2e.browser.warehouse import COUNTIES, DAYS, MONTH

CITY, COUNTY, OTHER = "371300000000", *COUNTIES
TOWNSHIP, VILLAGE = "371302001000", "371302001001"
DAY = DAYS[-1]
FIGURE = f"/figure?division={CITY}&period={MONTH.name}&measure=consultation"
OF_DAY = f"/figure?division={CITY}&period={DAY}&measure=consultation"

# Every page of the portal, by route; a route that is not here fails the test below.
PAGES = {
    "/sign-in": ["/sign-in"],
    "/alerts/ack": ["/alerts/ack?token=1.1.x"],
    "/": ["/"],
    "/wall": ["/wall"],
    "/division/{code}": [f"/division/{code}?period={MONTH.name}" for code in (CITY, COUNTY, VILLAGE)],
    "/search": ["/search?words=%E5%85%B0%E5%B1%B1"],
    "/submissions": [
        f"/submissions?day={DAY}&under={CITY}",
        f"/submissions?day={DAY}&under={COUNTY}&deep=true&status=",
        f"/submissions?day={MONTH.ends_on}&dataset=stocks&under={COUNTY}&status=on_time",
    ],
    "/submissions/unit/{code}": [f"/submissions/unit/{VILLAGE}?day={DAY}"],
    "/quality": [f"/quality?day={day}" for day in DAYS],
    "/figure": [
        FIGURE,
        OF_DAY,
        f"{OF_DAY}&as_of=2026-03-01T00:00",
        f"/figure?division={CITY}&period={MONTH.name}&measure=lawyer",
    ],
    "/indicator": [
        f"/indicator?division={CITY}&period={MONTH.name}&indicator={name}"
        for name in ("services_per_10000", "sd_village_counsel", "reporting_rate", "satisfaction_rate")
    ],
    "/evaluation/{code}": [f"/evaluation/{COUNTY}?period={MONTH.name}&scheme=county-monthly"],
    "/downloads": ["/downloads"],
}
NO_PAGES = {
    "/health": "plain text for the watch",
    "/submissions/counts": "a part of /submissions",
    "/issued/{report}/{period}/{division}/{version}/{name}": "files",
    "/drafts/{report}/{period}/{division}/{version}/{name}": "files",
    "/data-docs/assets/{path:path}": "files",
    "/data-docs/{path:path}": "Great Expectations' own pages (tests/integration/test_data_docs_browser.py)",
    "/data-docs": "leads to /downloads",
}
VISITS = [path for paths in PAGES.values() for path in paths]


def test_every_route_is_visited_or_is_no_page(portal: Portal) -> None:
    routes = {
        route.path
        for route in create_app(portal.site, Doors("http://127.0.0.1:1")).routes
        if isinstance(route, APIRoute) and "GET" in route.methods
    }
    assert len(routes) > 10
    assert routes == set(PAGES) | set(NO_PAGES)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
def test_no_page_has_a_serious_finding_of_axe_or_scrolls_sideways(
    context: BrowserContext, portal: Portal, size: dict[str, int]
) -> None:
    form = context.new_page()
    form.goto(f"{portal.url}/sign-in")
    assert serious(form) == []
    page = signed_in(context, portal, "admin")
    page.set_viewport_size(size)
    seen = 0
    problems = []
    for path in VISITS:
        answer = page.goto(portal.url + path)
        assert answer is not None
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")
        problems += [f"{path}: {each}" for each in serious(page)]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            problems.append(f"{path}: wider than {size['width']} px")
        picture(
            page, f"{size['width']}-{re.sub(r'[^a-z0-9]+', '-', unquote(path))[:70].strip('-') or 'overview'}"
        )
        seen += 1
    assert seen == len(VISITS)
    assert not problems, "\n".join(problems)


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:150]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_axe_would_tell_of_a_picture_without_words(context: BrowserContext, tmp_path: Path) -> None:
    page = context.new_page()
    (tmp_path / "page.html").write_text(
        "<html lang=en><title>x</title><main><h1>x</h1><img src='x.png'></main>"
    )
    page.goto((tmp_path / "page.html").as_uri())
    assert any("image-alt" in each for each in serious(page))


def test_an_address_elsewhere_would_be_told_of() -> None:
    assert is_here("http://127.0.0.1:8081/x")
    assert not is_here("https://cdn.example.org/x.js")
    assert not is_here("http://127.0.0.1.example.org/")


def test_people_drill_down_from_the_province_to_a_village(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.url}/?period={MONTH.name}")
    for name in ("临沂市", "兰山区", "兰山街道", "前十社区居民委员会"):
        page.locator("main tbody a", has_text=re.compile(f"^{name}$")).first.click()
        page.wait_for_selector(f"h1:has-text('{name}')")
    assert VILLAGE in page.url
    assert page.locator(".breadcrumb li").count() == 5


def test_people_find_a_division_by_name_and_by_code(page: Page, portal: Portal) -> None:
    for words in ("银雀山", "371302002"):
        page.goto(f"{portal.url}/")
        page.fill(".search input", words)
        page.press(".search input", "Enter")
        page.wait_for_url("**/search?**")
        page.locator("main a", has_text="银雀山街道").first.click()
        page.wait_for_selector("h1:has-text('银雀山街道')")


def test_the_language_is_kept_from_page_to_page(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.url}/quality?day={DAY}")
    assert "隔离的行" in page.inner_text("main")
    page.click(".site-tools a:has-text('English')")
    page.wait_for_selector("html[lang=en]")
    page.goto(f"{portal.url}/quality?day={DAY}")
    assert "Rows held back" in page.inner_text("main")
    picture(page, "english-quality")
    page.goto(f"{portal.url}/?lang=zh")
    assert page.get_attribute("html", "lang") == "zh-CN"


def test_the_board_counts_as_the_warehouse_does_and_names_who_is_late(page: Page, portal: Portal) -> None:
    with portal.site.engine.connect() as conn:
        rows = conn.execute(
            sa.text(
                "SELECT status, count(*) FROM mart.submission_status WHERE stat_date = :day AND dataset = 'daily'"
                " AND is_expected AND unit_code LIKE '371302%' GROUP BY status"
            ),
            {"day": DAY},
        )
        counted = {row[0]: row[1] for row in rows}
    assert counted["missing"] > 50, counted
    page.goto(f"{portal.url}/submissions?day={DAY}&under={COUNTY}&deep=true&status=missing")
    headlines = page.locator("#counts .headline")
    shown = dict(
        zip(headlines.locator("dt").all_inner_texts(), headlines.locator("dd").all_inner_texts(), strict=True)
    )
    assert int(shown["应报"]) == sum(counted.values())
    assert int(shown["缺报"]) == counted["missing"]
    assert int(shown["按时"]) == counted["on_time"]
    units = page.locator("section[aria-labelledby=units-title] tbody tr")
    assert units.count() == 50
    assert f"共 {counted['missing']} 行" in page.inner_text(".pager")
    assert "linyi-office" in units.first.inner_text()
    page.click(".pager a[rel=next]")
    page.wait_for_url("**offset=50**")
    assert units.count() == min(50, counted["missing"] - 50)
    units.first.locator("a").first.click()
    page.wait_for_selector("#profile")
    assert "3" in page.locator(".headline", has_text="应报日").inner_text()


def test_the_counts_come_again_without_the_page(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.url}/submissions?day={DAY}&under={COUNTY}")
    page.evaluate("document.querySelector('h1').dataset.kept = 'yes'")
    with page.expect_response("**/submissions/counts**") as answer:
        page.evaluate(
            "htmx.ajax('GET', document.querySelector('#counts').getAttribute('hx-get'),"
            " {target: '#counts', swap: 'outerHTML'})"
        )
    assert answer.value.status == 200
    assert page.locator("#counts").get_attribute("hx-trigger") == "every 60s"
    assert page.locator("h1").get_attribute("data-kept") == "yes"


def test_a_figure_opens_into_days_and_a_day_into_rows_of_files_that_add_up(
    page: Page, portal: Portal
) -> None:
    page.goto(f"{portal.url}/division/{CITY}?period={MONTH.name}")
    page.locator("a[href*='/figure?'][href*='measure=consultation']").first.click()
    page.wait_for_selector("h2#parts")
    month = number(page.inner_text(".sum .headline-value"))
    days = [number(text) for text in page.locator("#main tbody td:nth-of-type(1)").all_inner_texts()]
    assert len(days) == len(DAYS)
    assert sum(days) == month > 0
    page.locator("tbody a", has_text=str(DAY)).click()
    page.wait_for_selector("table.parts")
    rows = page.locator("table.parts tbody tr")
    total = number(page.inner_text(".sum .headline-value"))
    found = [number(text) for text in rows.locator("td:nth-of-type(2)").all_inner_texts()]
    assert sum(found) == total == days[-1]
    with portal.site.engine.connect() as conn:
        known = set(conn.execute(sa.text("SELECT left(sha256, 12) FROM mart.ledger")).scalars())
    digests = {text.split()[0] for text in rows.locator("td.digest").all_inner_texts()}
    assert digests <= known
    assert digests


def number(text: str) -> int:
    return int(text.replace(",", "").strip())


def test_a_figure_is_shown_as_it_was_known_before_it_came(page: Page, portal: Portal) -> None:
    page.goto(portal.url + OF_DAY)
    now = number(page.inner_text(".sum .headline-value"))
    page.fill("input[name=as_of]", "2026-03-04T12:00:00")
    page.click(".filters button")
    page.wait_for_url("**as_of=2026**")
    assert page.inner_text(".sum .headline-value") == "—"
    assert f"现在为 {now}" in page.inner_text(".sum")


def test_survey_figures_open_nowhere(page: Page, portal: Portal) -> None:
    for measure in ("satisfied", "survey_answered", "dissatisfied"):
        for period in (MONTH.name, str(DAY)):
            answer = page.goto(f"{portal.url}/figure?division={TOWNSHIP}&period={period}&measure={measure}")
            assert answer is not None
            assert answer.status == 404
    page.goto(f"{portal.url}/indicator?division={CITY}&period={MONTH.name}&indicator=satisfaction_rate")
    assert "不展开到单位" in page.inner_text("main")
    assert page.locator("a[href*='/figure?']").count() == 0


def test_a_score_opens_into_parts_that_add_up(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.url}/division/{COUNTY}?period={MONTH.name}")
    page.locator("section[aria-labelledby=evaluation] tbody a").first.click()
    page.wait_for_selector("table.items")
    rows = page.locator("table.items tbody tr")
    weights = [float(text) for text in rows.locator("td:nth-of-type(2)").all_inner_texts()]
    assert sum(weights[:-1]) == pytest.approx(100)
    assert page.locator("section[aria-labelledby=siblings] tbody tr").count() >= 2


def test_what_platforms_sent_is_text_and_never_markup(page: Page, portal: Portal) -> None:
    hostile = "<script>document.title='owned'</script>"
    with portal.site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO quality.quarantine (batch_id, row_number, place, unit_code, stat_date, reason_code,"
                " reason, reason_en, raw) SELECT min(batch_id), 999999, :x, :x, :day, 'structure', :x, :x,"
                " jsonb_build_object('line', CAST(:x AS text)) FROM mart.ledger WHERE platform = 'county-371302'"
            ),
            {"x": hostile, "day": DAYS[0]},
        )
    page.goto(f"{portal.url}/quality?day={DAYS[0]}&reason=structure")
    assert hostile in page.inner_text("#held")
    page.click("#held summary")
    assert hostile in page.inner_text("#held pre")
    assert page.title() != "owned"


def test_what_is_held_back_of_the_survey_shows_no_answers(page: Page, portal: Portal) -> None:
    with portal.site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO quality.quarantine (batch_id, row_number, place, unit_code, stat_date, reason_code,"
                " reason, reason_en, raw) SELECT min(batch_id), 999998, 'row-of-survey', :unit, :day, 'balance',"
                " '回答份数 77431 不符', 'x', jsonb_build_object('measure', 'very_satisfied', 'value', 77432)"
                " FROM mart.ledger WHERE platform = 'county-371302'"
            ),
            {"unit": VILLAGE, "day": DAYS[1]},
        )
    page.goto(f"{portal.url}/quality?day={DAYS[1]}&reason=balance")
    assert "row-of-survey" in page.content()
    assert "7743" not in page.content()


def test_a_figure_that_is_not_the_sum_of_its_parts_says_so(page: Page, portal: Portal) -> None:
    add = sa.text(
        "UPDATE mart.daily_sum AS total SET figures[array_position(cells, cell.cell_id)] ="
        " figures[array_position(cells, cell.cell_id)] + :more FROM core.cell_name AS cell, core.division"
        " WHERE total.stat_date = :day AND cell.cell_id = ANY(total.cells) AND cell.measure = 'consultation'"
        " AND cell.channel = 'all' AND division.division_id = total.division_id AND division.division_code = :code"
    )
    asked = {"day": DAYS[1], "code": COUNTY}
    path = f"/figure?division={COUNTY}&period={DAYS[1]}&measure=consultation"
    page.goto(portal.url + path)
    assert "与显示的数相符" in page.inner_text(".page-head")
    with portal.site.engine.begin() as conn:
        assert conn.execute(add, asked | {"more": 1}).rowcount == 1
    page.goto(portal.url + path)
    assert "与显示的数不符" in page.inner_text(".page-head .problem")
    with portal.site.engine.begin() as conn:
        conn.execute(add, asked | {"more": -1})


def test_a_wrong_password_lets_nobody_in(context: BrowserContext, portal: Portal) -> None:
    page = context.new_page()
    page.goto(f"{portal.url}/quality")
    assert "/sign-in" in page.url
    page.fill("input[name=user]", "admin")
    page.fill("input[name=password]", "wrong")
    page.press("input[name=password]", "Enter")
    page.wait_for_selector("text=用户名或密码不正确")
    page.goto(f"{portal.url}/")
    assert "/sign-in" in page.url


def test_a_county_user_sees_their_own_subtree_and_nothing_beside_it(
    county_page: Page, portal: Portal
) -> None:
    county_page.goto(f"{portal.url}/?period={MONTH.name}")
    assert "兰山区" in county_page.inner_text("h1")
    beyond = [
        f"/division/{OTHER}?period={MONTH.name}",
        f"/division/{CITY}?period={MONTH.name}",
        f"/submissions?day={DAY}&under={OTHER}",
        f"/submissions/counts?day={DAY}&under={CITY}",
        f"/submissions/unit/371311001000?day={DAY}",
        FIGURE,
        f"/indicator?division={OTHER}&period={MONTH.name}&indicator=services_per_10000",
        f"/evaluation/{OTHER}?period={MONTH.name}&scheme=county-monthly",
    ]
    for path in beyond:
        answer = county_page.goto(portal.url + path)
        assert answer is not None
        assert answer.status == 403, path
    county_page.goto(f"{portal.url}/evaluation/{COUNTY}?period={MONTH.name}&scheme=county-monthly")
    assert "罗庄区" not in county_page.inner_text("body")
    for day in DAYS:
        county_page.goto(f"{portal.url}/quality?day={day}")
        assert "371311" not in county_page.inner_text("main")
        assert "county-371302" in county_page.inner_text("main")
    picture(county_page, "county-user-quality")


def test_the_keyboard_alone_reaches_a_figures_source(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.url}/division/{CITY}?period={MONTH.name}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(150):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "(() => {const e = document.activeElement;"
            " return [e.getAttribute('href'), getComputedStyle(e).outlineStyle]})()"
        )
        if at[0] and "/figure?" in at[0]:
            assert at[1] != "none", "the focus is not to be seen"
            page.keyboard.press("Enter")
            page.wait_for_selector("h2#parts")
            return
    raise AssertionError("no figure was reached")


def test_pages_print_on_paper_without_what_only_screens_need(
    page: Page, portal: Portal, tmp_path: Path
) -> None:
    page.goto(f"{portal.url}/evaluation/{COUNTY}?period={MONTH.name}&scheme=county-monthly")
    page.emulate_media(media="print")
    assert not page.is_visible(".site-nav")
    file = tmp_path / "page.pdf"
    page.pdf(path=file, format="A4")
    text = subprocess.run(
        [require_program("pdftotext", "poppler-utils"), "-layout", str(file), "-"],
        capture_output=True,
        text=True,
    ).stdout
    assert "得分构成" in text
    assert "每万人提供公共法律服务量" in text.replace("\n", "").replace(" ", "")


def test_the_downloads_page_says_what_there_is(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.url}/downloads")
    assert page.inner_text("h1").strip()
    missing = page.goto(f"{portal.url}/issued/monthly/2026-03/{CITY}/v1/none.xlsx")
    assert missing is not None
    assert missing.status == 404


def test_the_pages_as_files_open_without_a_server(
    context: BrowserContext, portal: Portal, tmp_path: Path
) -> None:
    made = export_portal(portal.site, MONTH.name, tmp_path / "pages", CITY)
    assert made.pages > 3
    page = context.new_page()
    page.goto(made.index.as_uri())
    assert "临沂市" in page.inner_text("h1")
    page.locator("main tbody a", has_text="兰山区").first.click()
    page.wait_for_selector("h1:has-text('兰山区')")
    assert page.url.startswith("file://")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert serious(page) == []
    picture(page, "as-a-file")
