"""The portal's texts, figures and shipped files."""

from __future__ import annotations

import ast
import hashlib
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from jinja2 import nodes

from etl.catalog import load_catalog
from etl.portal import figures, frame
from etl.portal.data import NotFound
from etl.portal.frame import TEMPLATES, templates
from etl.portal.links import FileLinks, LiveLinks
from etl.portal.pages.downloads import confined
from etl.portal.words import Words, english

pytestmark = pytest.mark.unit
PORTAL = Path(frame.__file__).parent
VENDOR = PORTAL / "static" / "vendor"
SPEAKING = {"_", "later", "NotFound", "NotYours", "SignInRefused"}


def said_in_templates() -> set[str]:
    found = set()
    for file in TEMPLATES.rglob("*.html"):
        for call in templates().parse(file.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                found |= {each.value for each in call.args[:1] if isinstance(each, nodes.Const)}
    return found


def said_in_code() -> set[str]:
    found = set()
    for file in PORTAL.rglob("*.py"):
        for each in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(each, ast.Call) and each.args and isinstance(each.args[0], ast.Constant):
                name = each.func.id if isinstance(each.func, ast.Name) else getattr(each.func, "attr", "")
                if name in SPEAKING:
                    found.add(str(each.args[0].value))
    return found


def units() -> set[str]:
    catalog = load_catalog(None)
    return {each.unit for each in (*catalog.measures.values(), *catalog.indicators.values())}


def test_every_text_has_an_english_one_with_the_same_gaps() -> None:
    templates_, code = said_in_templates(), said_in_code()
    assert len(templates_) > 80
    assert len(code) > 15
    said = templates_ | code | units()
    assert said - set(english()) == set()
    for chinese, words in english().items():
        assert sorted(re.findall(r"{\w+}", chinese)) == sorted(re.findall(r"{\w+}", words)), chinese
        assert words
    assert not any(re.search(r"[\u4e00-\u9fff]", Words("en")(text)) for text in code)


def test_no_template_says_chinese_without_asking_for_its_english() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = re.sub(r"{#.*?#}|{{.*?}}|{%.*?%}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"[\u4e00-\u9fff]", text), file.name


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (figures.count(0), "0"),
        (figures.count(None), "—"),
        (figures.count(1234567), "1,234,567"),
        (figures.count(Decimal("4.105")), "4.11"),
        (figures.count(Decimal("12.00")), "12"),
        (figures.percent(Decimal("0.9834")), "98.3%"),
        (figures.percent(0), "0.0%"),
        (figures.percent(None), "—"),
        (figures.change(0.032), "+3.2%"),
        (figures.change(-0.5), "\u221250.0%"),
        (figures.change(-0.0001), "0.0%"),
        (figures.change(None), "—"),
        (figures.points(Decimal("-0.015")), "\u22121.5"),
        (figures.indicator(1, "%"), "100.0%"),
        (figures.indicator(5, "人"), "5"),
        (figures.period_name("2026-03"), "2026年3月"),
        (figures.period_name("2026Q4"), "2026年第四季度"),
        (figures.period_name("2026"), "2026年"),
        (figures.period_name("2026-03", "en"), "2026-03"),
        (figures.moment(datetime(2026, 3, 2, 16, 4, tzinfo=UTC)), "2026-03-03 00:04"),
    ],
)
def test_a_figure_is_written_so(written: str, shown: str) -> None:
    assert written == shown


def test_a_change_that_shows_as_nothing_has_no_arrow() -> None:
    ways = [figures.trend_of(value) for value in (None, 0, 0.0001, 0.01, -0.01)]
    assert ways == ["none", "flat", "flat", "up", "down"]


def test_links_between_files_are_relative_and_lead_only_to_what_was_written() -> None:
    files = {"/": "index.html", "/division/371302000000": "division/371302000000.html"}
    below = FileLinks(files, "division/371302000000.html")
    assert below.page("/", period="2026-03") == "../index.html"
    assert below.page("/division/371311000000") == ""
    assert below.file("portal.css") == "../static/portal.css"
    assert (
        LiveLinks("/portal").page("/search", words="兰山", offset=None)
        == "/portal/search?words=%E5%85%B0%E5%B1%B1"
    )


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "a/../../secret",
        "/etc/passwd",
        ".hidden",
        "a/.hidden/x",
        "link",
        "a",
        "none.xlsx",
        "a\0b",
        "",
    ],
)
def test_a_path_that_leads_out_or_nowhere_finds_no_file(tmp_path: Path, path: str) -> None:
    root = tmp_path / "issued"
    (root / "a" / ".hidden").mkdir(parents=True)
    for file in (
        tmp_path / "secret",
        root / ".hidden",
        root / "a" / ".hidden" / "x",
        root / "a" / "table.xlsx",
    ):
        file.write_text("x")
    (root / "link").symlink_to(tmp_path / "secret")
    assert confined(root, "a/table.xlsx") == root / "a" / "table.xlsx"
    with pytest.raises(NotFound):
        confined(root, path)


def test_shipped_files_are_those_that_the_list_names() -> None:
    listed = dict(
        re.findall(r"\| ([\w./-]+) \| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    there = {
        str(file.relative_to(VENDOR)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDOR.rglob("*")
        if file.is_file() and file.name != "README.md"
    }
    assert len(there) == 5
    assert listed == there
    for file in VENDOR.rglob("*.js"):
        assert (file.parent / "LICENSE").exists()
