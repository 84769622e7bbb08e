"""Data Docs: complete, the same when built again, loading nothing from outside, and safe with received text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from great_expectations.render.view.view import DefaultJinjaPageView

from etl import data_docs
from etl.data_docs import ASSETS_DIR, DataDocsError, build_data_docs
from etl.settings import EXPECTATIONS_DIR
from tests.data_docs_pages import (
    DAY,
    HOSTILE,
    Page,
    archive_of,
    file_of,
    is_outside,
    loaded_by,
    save_validations,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the pages of one day."""
    home = tmp_path_factory.mktemp("built")
    save_validations(home)
    assert build_data_docs(DAY, archive_of(home), home) == home / "data_docs" / "2026-11-23" / "index.html"
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    """A copy of that home to change."""
    return shutil.copytree(built, tmp_path / "home")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def page_of(home: Path, name: str) -> Page:
    (file,) = (home / "data_docs" / DAY.isoformat() / "validations").rglob(f"{name}/*/*.html")
    return Page(file.read_text(encoding="utf-8"))


def stock_page() -> str:
    """A page as Great Expectations ships it, for what the checks must be able to find."""
    return (
        DefaultJinjaPageView()
        .env.get_template("page.j2")
        .render(sections=[], renderer_type="ValidationResultsPageRenderer", expectation_suite_name="daily")
    )


def test_nothing_is_loaded_from_outside_and_all_that_is_loaded_is_there(built: Path) -> None:
    looked_at = list(loaded_by(built / "data_docs"))
    pages = {file for file, _ in looked_at if file.suffix == ".html"}
    assert len(pages) == 7  # 3 results, 2 suites, the day's index, the list of days
    assert len(looked_at) > 100
    assert [url for _, url in looked_at if is_outside(url)] == []
    assert [url for file, url in looked_at if not file_of(file, url).is_file()] == []


def test_the_check_for_outside_references_finds_those_of_the_stock_page() -> None:
    outside = [url for url in Page(stock_page()).loads if is_outside(url)]
    assert len(outside) == 17
    assert any("full_logo_dark" in url for url in outside), "the one in the style sheet"


def test_every_link_leads_to_a_page_that_is_there(built: Path) -> None:
    links = [
        (page, url)
        for page in (built / "data_docs").rglob("*.html")
        for url in Page(page.read_text(encoding="utf-8")).links
    ]
    assert len(links) > 50
    assert [url for page, url in links if is_outside(url) or not file_of(page, url).is_file()] == []
    reached = {file_of(page, url) for page, url in links}
    assert set((built / "data_docs").rglob("*.html")) <= reached


def test_a_file_that_is_not_shipped_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(home / "data_docs")
    monkeypatch.delitem(data_docs.SHIPPED_FOR, "/jquery-3.7.1.min.js")
    with pytest.raises(DataDocsError, match=r"/jquery-3\.7\.1\.min\.js"):
        build_data_docs(DAY, archive_of(home), home)
    after = {name: text for name, text in contents(home / "data_docs").items() if ".unfinished" not in name}
    assert after == before, "the former pages stay"


def test_building_again_changes_nothing(home: Path) -> None:
    before = contents(home / "data_docs")
    assert len(before) > 40
    build_data_docs(DAY, archive_of(home), home)
    assert contents(home / "data_docs") == before


def test_the_pages_follow_the_saved_results(home: Path) -> None:
    before = contents(home / "data_docs")
    result = home / "archive/documents/validations" / DAY.isoformat() / "daily-000000013-000000013.json"
    kept = result.read_bytes()
    result.unlink()
    build_data_docs(DAY, archive_of(home), home)
    assert not any("000000013-000000013" in name for name in contents(home / "data_docs"))
    result.write_bytes(kept)
    build_data_docs(DAY, archive_of(home), home)
    assert contents(home / "data_docs") == before


def test_what_a_killed_build_left_behind_is_cleared_away(home: Path) -> None:
    before = contents(home / "data_docs")
    docs = home / "data_docs"
    (docs / DAY.isoformat()).rename(docs / f".{DAY}.former")
    (docs / f".{DAY}.unfinished").mkdir()
    (docs / f".{DAY}.unfinished" / "stray.html").write_text("stray")
    (docs / "assets" / "jquery-3.7.1" / "jquery.min.js").write_text("half a fi")
    build_data_docs(DAY, archive_of(home), home)
    assert contents(home / "data_docs") == before


def test_every_expectation_shows_its_chinese_description(built: Path) -> None:
    looked_at = 0
    for name in ("daily-000000001-000000012", "daily-000000013-000000013", "balance-000000001-000000012"):
        suite = json.loads((EXPECTATIONS_DIR / f"{name.split('-')[0]}.json").read_text(encoding="utf-8"))
        words = page_of(built, name).words
        for expectation in suite["expectations"]:
            assert words.count(expectation["description"]) == 1
            looked_at += 1
    assert looked_at > 30


def test_a_result_page_tells_how_many_values_break_a_rule_and_which(built: Path) -> None:
    words = page_of(built, "daily-000000001-000000012").words
    assert "1 个值不合规则（20%），共 6 行" in words, "value below zero: a missing value is not counted"
    assert "-2.0" in words
    assert "未通过" in words
    assert "未通过" not in page_of(built, "daily-000000013-000000013").words
    assert "5.0 ／ 6.0" in page_of(built, "balance-000000001-000000012").words


def test_received_text_stays_text(built: Path) -> None:
    page = page_of(built, "daily-000000001-000000012")
    saved = built / "archive/documents/validations" / DAY.isoformat() / "daily-000000001-000000012.json"
    assert (
        HOSTILE
        in json.loads(saved.read_text(encoding="utf-8"))["results"][6]["result"]["partial_unexpected_list"]
    )
    assert "<script>alert" not in page.text
    shown = [words for words in page.words if "elsewhere.example" in words]
    assert shown == ['＜img src="http://elsewhere.example/x.png"＞＜script＞alert(1)＜/script＞＆amp; $x']


def test_nothing_is_advertised_and_every_page_is_marked_chinese(built: Path) -> None:
    assert "newsletter" in stock_page()
    pages = [page.read_text(encoding="utf-8") for page in (built / "data_docs").rglob("*.html")]
    assert len(pages) == 7
    for text in pages:
        assert "newsletter" not in text
        assert "<footer" not in text
        assert '<html lang="zh-CN">' in text


def test_the_list_counts_each_day(home: Path) -> None:
    other = home / "archive/documents/validations" / "2026-11-22"
    other.mkdir()
    shutil.copy(
        home / "archive/documents/validations" / DAY.isoformat() / "daily-000000013-000000013.json", other
    )
    build_data_docs(DAY.replace(day=22), archive_of(home), home)
    words = Page((home / "data_docs" / "index.html").read_text(encoding="utf-8")).words
    assert words[-10:] == ["2026-11-23", "星期一", "3", "34", "7", "2026-11-22", "星期日", "1", "16", "0"]


def test_a_day_without_results_says_so(home: Path) -> None:
    index = build_data_docs(DAY.replace(day=21), archive_of(home), home)
    page = Page(index.read_text(encoding="utf-8"))
    assert any("当日没有校验结果" in words for words in page.words)
    assert [url for url in page.loads if is_outside(url) or not file_of(index, url).is_file()] == []
    assert list(index.parent.rglob("*.html")) == [index]
    words = Page((home / "data_docs" / "index.html").read_text(encoding="utf-8")).words
    assert words[-5:] == ["2026-11-21", "星期六", "0", "0", "0"]


def test_received_text_that_reads_like_a_label_is_not_translated(home: Path) -> None:
    file = home / "archive/documents/validations" / DAY.isoformat() / "daily-000000001-000000012.json"
    saved = file.read_text(encoding="utf-8")
    hostile = json.dumps(HOSTILE, ensure_ascii=False)
    assert saved.count(hostile) > 1
    file.write_text(saved.replace(hostile, '"Notes"'), encoding="utf-8")
    build_data_docs(DAY, archive_of(home), home)
    page = page_of(home, "daily-000000001-000000012")
    assert page.words.count("Notes") == 1
    assert data_docs.RECEIVED not in page.text


def test_a_result_of_an_unknown_suite_is_refused_by_name(home: Path) -> None:
    folder = home / "archive/documents/validations" / DAY.isoformat()
    shutil.copy(folder / "daily-000000013-000000013.json", folder / "weekly-1.json")
    with pytest.raises(DataDocsError, match=r"weekly-1\.json"):
        build_data_docs(DAY, archive_of(home), home)


def test_the_shipped_files_are_those_that_their_readme_lists() -> None:
    lines = re.findall(
        r"^\| \S+ \| \S+ \| [^|]+ \| (\S+) \| ([0-9a-f]{64}) \|$",
        (ASSETS_DIR / "README.md").read_text(encoding="utf-8"),
        flags=re.M,
    )
    there = contents(ASSETS_DIR)
    del there["README.md"]
    assert len(lines) > 30
    assert dict(lines) == {name: hashlib.sha256(text).hexdigest() for name, text in there.items()}
    packages = {name.split("/")[0] for name in there}
    assert packages == {name.split("/")[0] for name in there if "LICENSE" in name}


def test_shipped_scripts_are_those_whose_integrity_the_stock_page_asks_for() -> None:
    asked = re.findall(r'src="https://[^/"]+(/[^"]+)" integrity="sha384-([^"]+)"', stock_page())
    assert len(asked) == 2
    for path, integrity in asked:
        shipped = (ASSETS_DIR / data_docs.SHIPPED_FOR[path]).read_bytes()
        assert base64.b64encode(hashlib.sha384(shipped).digest()).decode() == integrity
