"""The bulletin of a small Linyi: what it says is what the marts hold, on four to six pages, in three forms."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from etl.bulletin import BulletinError, words, write_bulletin
from etl.bulletin.compose import compose
from etl.bulletin.page import write_page
from etl.bulletin.read import read_facts, usual_division
from etl.catalog.bulletin import Bulletin
from etl.cli import main
from etl.indicators import compute_indicators
from etl.periods import Period
from etl.reports.compose import compose_table
from etl.reports.table import NoFigure
from etl.satisfaction import compute_satisfaction
from etl.warehouse import ServerAddress
from tests.integration.bulletin_site import CITY, HIDDEN_SAMPLE, QUARTER, SHOWN, BulletinSite, bulletin_site

pytestmark = [pytest.mark.integration, pytest.mark.slow]
MADE_ON = date(2026, 4, 8)
COUNTS = {
    "mart.ledger": "SELECT state, count(*) FROM mart.ledger WHERE stat_date BETWEEN '2026-03-01' AND '2026-03-31'"
    " GROUP BY 1",
    "quality.quarantine": "SELECT state, count(*) FROM quality.quarantine WHERE unit_code LIKE '3713%' GROUP BY 1",
    "quality.flag": "SELECT state, count(*) FROM quality.flag GROUP BY 1",
}


@dataclass(frozen=True)
class Written:
    """A bulletin as it lies in its folder."""

    html: Path
    docx: Path
    pdf: Path

    @property
    def page(self) -> str:
        return self.html.read_text(encoding="utf-8")


class Read(HTMLParser):
    """The figures that sentences name, and the rows of the list of sources."""

    def __init__(self) -> None:
        super().__init__()
        self.named: list[tuple[int, str, str]] = []
        self.rows: dict[int, list[str]] = {}
        self.columns: dict[int, dict[str, str]] = {}
        self.sentences: list[list[int]] = []
        self._row = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "tr":
            self._row = int(given["id"].removeprefix("figure-")) if "id" in given else 0
            if self._row:
                self.rows[self._row], self.columns[self._row] = [], {}
        elif tag == "td" and self._row:
            self.rows[self._row].append("")
        elif tag == "data" and "data-figure" in given:
            self.named.append((int(given["data-figure"]), given["data-column"], given["value"]))
        elif tag == "data":
            self.columns[self._row][given["data-column"]] = given["value"]
        elif given.get("class") == "sentence":
            self.sentences.append([int(number) for number in given["data-figures"].split()])

    def handle_data(self, data: str) -> None:
        if self._row and self.rows[self._row]:
            self.rows[self._row][-1] += data


@pytest.fixture(scope="module")
def site(server: ServerAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BulletinSite]:
    with bulletin_site(server, tmp_path_factory.mktemp("bulletin")) as made:
        made.fill()
        made.trouble()
        yield made


@pytest.fixture(scope="module")
def month(site: BulletinSite, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(site, tmp_path_factory.mktemp("month"))


def write(site: BulletinSite, folder: Path, period: Period = SHOWN, division: str = CITY) -> Written:
    with site.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        return Written(*write_bulletin(conn, site.site.catalog, division, period, folder, MADE_ON))


def run(*command: str | Path) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def page_of(site: BulletinSite, period: Period) -> str:
    """The page alone, for which no PDF need be made."""
    catalog = site.site.catalog
    bulletin = next(
        each for each in catalog.bulletins.values() if period.kind in getattr(each, "periods", ())
    )
    assert isinstance(bulletin, Bulletin)
    with site.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        facts = read_facts(conn, catalog, bulletin, CITY, period)
    return write_page(compose(catalog, bulletin, facts, MADE_ON), MADE_ON)


def text_of(page: str) -> str:
    return re.sub(r"<[^>]+>|\s|&#8288;", "", page.split("<body>")[1])


def test_every_figure_of_a_sentence_is_a_source_and_equals_the_mart(
    site: BulletinSite, month: Written
) -> None:
    read = Read()
    read.feed(month.page)
    assert len(read.named) > 60
    assert len(read.rows) > 30
    for number, column, value in read.named:
        assert read.columns[number][column] == value, (number, column)
    assert {number for numbers in read.sentences for number in numbers} == set(read.rows)
    compared = 0
    for number, row in read.rows.items():
        view, place, period, name = row[1], row[2][-12:], row[3], row[4].split()[-1]
        truth = mart_row(site, view, place, period, name)
        for column, shown in read.columns[number].items():
            if column in truth and shown:
                assert Decimal(shown) == pytest.approx(Decimal(str(truth[column])), abs=Decimal("1e-12")), (
                    row,
                    column,
                )
                compared += 1
    assert compared > 100


def mart_row(site: BulletinSite, view: str, division: str, period: str, name: str) -> dict[str, Any]:
    """The row behind a source, asked for in another way than the bulletin asks."""
    if view in COUNTS:
        with site.engine.connect() as conn:
            states = dict(conn.execute(sa.text(COUNTS[view])).all())
        return states | {"value": sum(states.values()), "failed": states.get("failed", 0)}
    if view == "core.submission":
        return {"value": 1, "restated_after": 1}
    condition = {
        "mart.period_statistics": "measure = :name AND channel = 'all'",
        "mart.indicator_value": "indicator = split_part(:name, '.', 1)",
        "mart.satisfaction": "channel = 'all' AND :name = 'rate'",
        "mart.evaluation": "scheme = :name",
        "mart.reporting_rate": "dataset = :name",
    }[view]
    query = f"SELECT * FROM {view} WHERE period = :period AND division_code = :division AND {condition}"
    params = {"period": period, "division": division, "name": name}
    with site.engine.connect() as conn:
        rows = [dict(row._mapping) for row in conn.execute(sa.text(query), params)]
        if name == "SD-2025":
            query = (
                "SELECT status, count(*) FROM mart.indicator_value JOIN core.indicator_version AS version"
                " ON version.position = indicator_value.position AND version.known_to = 'infinity'"
                " WHERE period = :period AND division_code = :division AND indicator_value.source = 'SD-2025'"
                " AND version.declaration ->> 'number' IS NOT NULL GROUP BY 1"
            )
            counted = dict(conn.execute(sa.text(query), params).all())
            return {key: value for key, value in counted.items() if key in ("met", "not_met", "no_data")} | {
                "value": 28
            }
    assert len(rows) == 1, (view, params)
    row = rows[0]
    if view == "mart.satisfaction":
        return row | {"value": row["rate"]}
    if view == "mart.evaluation":
        return row | {"value": row["score"]}
    if view == "mart.reporting_rate":
        return row | {"value": row["on_time_rate"]}
    if name.endswith(".denominator"):
        return {"value": row["denominator"], "completeness": row["completeness"]}
    return {key: value for key, value in row.items() if value is not None}


def test_every_sentence_with_a_figure_says_where_it_comes_from_and_how_complete_it_is(month: Written) -> None:
    marks = re.findall(r'class="mark"[^>]*>&#8288;〔([^〕]+)〕', month.page)
    assert len(marks) > 15
    without = [mark for mark in marks if "报送率" not in mark]
    assert len(without) == 4, "batches, held rows, flags and corrections are not made of submissions"
    assert "None" not in text_of(month.page)
    assert "nan" not in text_of(month.page)


def test_the_pdf_has_four_to_six_pages_its_text_and_its_fonts(site: BulletinSite, month: Written) -> None:
    pages = int(re.search(r"Pages:\s+(\d+)", run("pdfinfo", month.pdf))[1])  # type: ignore[index]
    assert 4 <= pages <= 6
    text = re.sub(r"\s", "", run("pdftotext", "-layout", month.pdf, "-"))
    with site.engine.connect() as conn:
        query = (
            "SELECT value FROM mart.period_statistics WHERE period = '2026-03' AND division_code = :city"
            " AND measure = 'consultation' AND channel = 'all'"
        )
        consultations = conn.execute(sa.text(query), {"city": CITY}).scalar_one()
    assert f"解答法律咨询{consultations:,}件" in text
    for heading in ("一、总体情况", "七、异常情况与数据质量", "附录数据来源", "2026年第3期", "临沂市司法局"):
        assert heading in text
    fonts = run("pdffonts", month.pdf).splitlines()[2:]
    assert len(fonts) >= 3
    for font in fonts:
        assert re.search(r"Noto-(Sans|Serif)-CJK-SC.*\byes\s+yes", font), font


def test_the_page_asks_for_nothing_from_outside_and_its_pictures_have_words(month: Written) -> None:
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", month.page)
    assert len(links) > 20
    assert {link.split(":")[0] if not link.startswith("#") else "#" for link in links} == {"data", "#"}
    assert "@import" not in month.page
    assert "url(" not in month.page.split("</style>")[0]
    pictures = re.findall(r'<img alt="([^"]+)"[^>]*base64,([^"]+)"', month.page)
    assert len(pictures) == 5
    for alt, body in pictures:
        svg = base64.b64decode(body).decode()
        assert len(alt) > 40
        assert "<title>图" in svg
        assert "<desc>" in svg
        assert not re.search(r"""(?:xlink:)?href=["'](?!#|data:)""", svg)
    assert 'lang="zh-CN"' in month.page


def test_the_same_warehouse_and_date_give_the_same_bytes(
    site: BulletinSite, month: Written, tmp_path: Path
) -> None:
    again = write(site, tmp_path)
    assert again.html.read_bytes() == month.html.read_bytes()
    assert again.docx.read_bytes() == month.docx.read_bytes()
    assert again.pdf.read_bytes() == month.pdf.read_bytes()


def test_the_editable_text_has_real_headings_tables_and_pictures(month: Written) -> None:
    body = docx.Document(str(month.docx))
    headings = [each.text for each in body.paragraphs if each.style.name == "Heading 1"]
    assert len(headings) == 8
    assert len(body.tables) == 5
    assert len(body.inline_shapes) == 5
    page = text_of(month.page)
    sentences = [each.text for each in body.paragraphs if each.paragraph_format.first_line_indent]
    assert len(sentences) > 8
    for sentence in sentences:
        assert re.sub(r"\s", "", sentence) in page
    source = {row.cells[0].text for row in body.tables[-1].rows[1:]}
    assert source == {str(number) for number in range(1, len(source) + 1)}


def test_libreoffice_opens_the_editable_text(month: Written, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not here: apt-get install libreoffice-writer")
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    run(office, profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, month.docx)
    made = tmp_path / f"{month.docx.stem}.pdf"
    assert 4 <= int(re.search(r"Pages:\s+(\d+)", run("pdfinfo", made))[1]) <= 7  # type: ignore[index]
    assert "规划主要指标完成情况" in re.sub(r"\s", "", run("pdftotext", made, "-"))


def test_a_suppressed_sample_stays_suppressed(site: BulletinSite, month: Written) -> None:
    with site.engine.connect() as conn:
        query = "SELECT division_name, is_shown FROM mart.satisfaction WHERE period = '2026-03' AND channel = 'all'"
        shown = dict(conn.execute(sa.text(f"{query} AND level = 'county'")).all())
        hidden = sa.text("SELECT division_name FROM core.division_period JOIN core.division USING (division_id)"
                         " WHERE division_code = :code")  # fmt: skip
        name = conn.execute(hidden, {"code": HIDDEN_SAMPLE}).scalar_one()
    kept_back = [each for each, is_shown in shown.items() if not is_shown]
    assert name in kept_back
    assert len(kept_back) >= 2, "one alone could be worked out"
    picture = next(alt for alt in re.findall(r'<img alt="([^"]+)"', month.page) if "位次" in alt)
    for each in kept_back:
        assert each not in picture
        row = re.search(rf'<td class="l">{each}</td>(.*?)</tr>', month.page)
        assert row is not None
        assert row[1].count("不公布") == 6, "sample, rate, interval; score, grade, rank"
    read = Read()
    read.feed(month.page)
    rates = [row for row in read.rows.values() if row[1] == "mart.satisfaction"]
    assert len(rates) > 5
    assert not [row for row in rates if any(each in row[2] for each in kept_back)]


def test_scores_are_hidden_alike_in_tables_bulletin_and_portal(site: BulletinSite, month: Written) -> None:
    """Most of a score stands in other tables: with three answers, the rest of it would be the hidden rate."""
    report = site.site.catalog.reports["monthly-evaluation"]
    query = "SELECT * FROM mart.evaluation WHERE period = '2026-03' AND level = 'county' AND scheme = 'county-monthly'"
    with site.engine.begin() as conn:
        table = compose_table(conn, site.site.catalog, report, None, SHOWN)
        stored = {row.division_code: row for row in conn.execute(sa.text(query))}
        conn.execute(sa.text("SET LOCAL ROLE pls_reader"))
        on_portal = {row.division_code: row for row in conn.execute(sa.text(query))}
    hidden = {code for code, row in on_portal.items() if row.score is None}
    assert HIDDEN_SAMPLE in hidden
    assert 2 <= len(hidden) < len(on_portal) == 13
    assert all(stored[code].score is not None for code in hidden)
    for code, row in on_portal.items():
        for show in ("score", "grade", "rank_in_parent", "rank_in_province"):
            cell, shown = table.cell(code, f"county-monthly.{show}"), getattr(row, show)
            assert cell == (NoFigure.SUPPRESSED if code in hidden else shown), (code, show)
        listed = re.search(rf'<td class="l">{row.division_name}</td>(.*?)</tr>', month.page)
        assert listed is not None
        said = [text.split(">")[-1] for text in listed[1].split("</td>")][4:7]
        assert said == (
            ["不公布"] * 3 if code in hidden else [words.score(row.score), row.grade, str(row.rank_in_parent)]
        )
    # The others are ranked among themselves: a gap would tell between which scores a hidden one lies.
    ranks = sorted(row.rank_in_parent for row in on_portal.values() if row.rank_in_parent is not None)
    assert len(ranks) == len(on_portal) - len(hidden)
    assert ranks == sorted(1 + sum(other < rank for other in ranks) for rank in ranks)
    names = "、".join(row.division_name for code, row in sorted(on_portal.items()) if code in hidden)
    assert f"{names}的评价得分含不予公布的满意度数据" in text_of(month.page)


def test_a_score_that_no_answers_went_into_is_shown_to_readers(site: BulletinSite, month: Written) -> None:
    scores = "SELECT * FROM mart.evaluation WHERE period = '2026-03' AND level = 'township' ORDER BY 1, 2, 3, 4, 5, 6"
    answered = (
        "SELECT DISTINCT division_code FROM mart.evaluation_item AS item"
        " JOIN core.indicator USING (indicator) JOIN core.survey_indicator USING (indicator_id)"
        " WHERE item.period = '2026-03' AND item.status = 'scored'"
    )
    with site.engine.begin() as conn:
        with_answers = set(conn.execute(sa.text(answered)).scalars())
        stored = conn.execute(sa.text(scores)).all()
        conn.execute(sa.text("SET LOCAL ROLE pls_reader"))
        read = conn.execute(sa.text(scores)).all()
    without = [row for row in stored if row.division_code not in with_answers and row.score is not None]
    assert len(without) > 5
    assert without == [row for row in read if row.division_code not in with_answers and row.score is not None]


def test_a_quarter_has_a_bulletin_of_its_own(site: BulletinSite) -> None:
    text = text_of(page_of(site, QUARTER))
    assert "关于2026年第一季度全市公共法律服务工作情况的通报" in text
    assert "2026年季度第1期" in text
    assert "上年同期和上期均无数据" in text
    assert "None" not in text


def test_provisional_figures_are_marked_and_neither_compared_nor_ranked(site: BulletinSite) -> None:
    def below(share: float) -> None:
        with site.engine.begin() as conn:
            query = "UPDATE mart.period SET provisional_below = :share WHERE period = '2026-03'"
            conn.execute(sa.text(query), {"share": share})
        compute_indicators(site.engine, site.site.catalog, SHOWN)
        compute_satisfaction(site.engine, site.site.catalog, SHOWN)

    catalog = site.site.catalog
    strict = catalog.periods["month"].model_copy(update={"provisional_below": 1.01})
    object.__setattr__(catalog, "periods", catalog.periods | {"month": strict})
    try:
        below(1.01)
        text = text_of(page_of(site, SHOWN))
    finally:
        usual = strict.model_copy(update={"provisional_below": 0.9})
        object.__setattr__(catalog, "periods", catalog.periods | {"month": usual})
        below(0.9)
    assert "件次（初步），初步数据不作比较" in text
    assert "标注“初步”的数据不作比较，也不参与排名" in text
    assert "统计上不分先后" not in text
    assert "None" not in text


def test_what_cannot_be_written_is_refused_in_words(site: BulletinSite, tmp_path: Path) -> None:
    with pytest.raises(BulletinError, match="python -m etl indicators --period 2026-04"):
        write(site, tmp_path, Period.parse("2026-04"))
    with pytest.raises(BulletinError, match="is a township; bulletins are for province, city, county"):
        write(site, tmp_path, division="371302001000")
    with pytest.raises(BulletinError, match="No division 999999999999"):
        write(site, tmp_path, division="999999999999")
    with pytest.raises(BulletinError, match="No bulletin is declared for a day"):
        write(site, tmp_path, Period.parse("2026-03-02"))
    assert list(tmp_path.iterdir()) == []


def test_the_only_city_that_reports_is_the_usual_division(site: BulletinSite) -> None:
    with site.engine.connect() as conn:
        assert usual_division(conn, SHOWN) == CITY
        with pytest.raises(BulletinError, match="is not computed"):
            usual_division(conn, Period.parse("2030-01"))


def test_the_command_writes_three_files(
    site: BulletinSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLS_WAREHOUSE", site.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PLS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLS_CATALOG", str(site.site.folder))
    for stray in site.site.folder.glob("*.csv"):
        stray.unlink()
    asked = ["bulletin", "--period", "2026-03", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert sorted(file.suffix for file in (tmp_path / "out").iterdir()) == [".docx", ".html", ".pdf"]
    refused = CliRunner().invoke(main, ["bulletin", "--period", "2031-01", "--out", str(tmp_path / "out")])
    assert refused.exit_code == 2
    assert "is not computed" in refused.output
