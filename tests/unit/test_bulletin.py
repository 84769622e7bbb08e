"""What a bulletin says of a figure: rises, falls, nothing to compare with, nothing to show."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from etl.bulletin import charts, words
from etl.bulletin.compose import _streak
from etl.bulletin.figure import BulletinError, Figure, Writer
from etl.bulletin.tiles import lay_out
from etl.catalog import load_catalog
from etl.catalog.yaml_file import CatalogError
from etl.periods import Period
from etl.settings import SHIPPED_CATALOG

pytestmark = pytest.mark.unit


def figure(unit: str = "件", *, is_provisional: bool = False, **columns: Any) -> Figure:
    taken = {key: Decimal(value) if isinstance(value, str) else value for key, value in columns.items()}
    return Figure(
        "mart.period_statistics",
        "371300000000",
        "临沂市",
        "2026-03",
        "consultation",
        "解答法律咨询",
        unit,
        taken,
        100,
        97,
        is_provisional,
    )


def say(template: str, **given: object) -> str | None:
    """A sentence as a reader sees it."""
    sentence = Writer().sentence(template, **given)
    return None if sentence is None else sentence.html.striptags()


@pytest.mark.parametrize(
    ("columns", "unit", "said"),
    [
        ({"value": 1051, "value_last_year": 1000, "yoy": "0.051"}, "件", "同比增长5.1%"),
        ({"value": 970, "value_last_year": 1000, "yoy": "-0.03"}, "件", "同比下降3.0%"),
        ({"value": 1000, "value_last_year": 1000, "yoy": "0"}, "件", "同比持平"),
        ({"value": 10000, "value_last_year": 9999, "yoy": "0.0001"}, "件", "同比持平"),
        ({"value": "0.95", "value_last_year": "0.92", "yoy": "0.03"}, "%", "同比上升3.0个百分点"),
        ({"value": "0.9", "value_last_year": "0.9125", "yoy": "-0.0125"}, "%", "同比下降1.3个百分点"),
        ({"value": 5, "value_last_year": None, "yoy": None}, "件", "上年同期无数据"),
        ({"value": 5, "value_last_year": 0, "yoy": None}, "件", "上年同期为零，不作同比"),
        ({"value": 5, "value_last_year": 4, "yoy": None}, "件", "上年同期为初步数据，不作同比"),
    ],
)
def test_a_comparison_says_which_way_or_why_there_is_none(
    columns: dict[str, Any], unit: str, said: str
) -> None:
    assert say("{{ it | yoy }}", it=figure(unit, **columns)) == said


def test_where_nothing_can_be_compared_sentences_keep_silent_about_it() -> None:
    first, it = Writer(has_bases=False), figure(value=5)
    said = first.sentence(
        "共{{ it | value }}，{{ it | compared }}；占{{ it | value }}（{{ it | yoy }}）。", it=it
    )
    assert said is not None
    assert said.html.striptags() == "共5件；占5件。"


def test_a_year_is_compared_once() -> None:
    it = figure(value=1051, value_last_year=1000, value_previous=1000, yoy="0.051", mom="0.051")
    yearly = Writer(is_yearly=True)
    said = yearly.sentence("共{{ it | value }}，{{ it | compared }}。", it=it)
    assert said is not None
    assert said.html.striptags() == "共1,051件，同比增长5.1%。"
    alone = yearly.sentence("共{{ it | value }}，{{ it | compared }}。", it=figure(value=5))
    assert alone is not None
    assert alone.html.striptags() == "共5件，上年无数据。"


def test_provisional_figures_are_marked_and_not_compared() -> None:
    it = figure(is_provisional=True, value=1234, value_previous=1000, mom=None)
    assert say("{{ it | value }}，{{ it | mom }}", it=it) == "1,234件（初步），初步数据不作环比"
    assert say("{{ it | value }}，{{ it | compared }}", it=it) == "1,234件（初步），初步数据不作比较"


def test_a_sentence_that_lacks_its_figure_is_left_out_and_so_are_its_sources() -> None:
    writer = Writer()
    there, suppressed = figure(value=3), figure("%", value=None, answered=None)
    assert writer.sentence("共{{ a | value }}，满意率{{ b | value }}。", a=there, b=suppressed) is None
    assert writer.figures == []
    assert writer.sentence("共{{ a | value }}。", a=None) is None
    kept = writer.sentence("共{{ a | value }}。", a=there)
    assert kept is not None
    assert kept.mark == "1，报送率97.0%"
    assert "None" not in kept.html


def test_a_sentence_names_its_figures_exactly_and_the_source_holds_what_it_compares_with() -> None:
    writer = Writer()
    it = figure(value=1051, value_last_year=1000, value_previous=900, yoy="0.051", mom="0.1677")
    sentence = writer.sentence("共{{ it | value }}，{{ it | yoy }}。", it=it)
    assert sentence is not None
    assert '<data data-figure="1" data-column="yoy" value="0.051">同比增长5.1%</data>' in sentence.html
    assert [source.named for source in writer.sources()] == [{"value", "yoy", "value_last_year"}]


def test_numbers_in_a_row_are_written_as_a_span() -> None:
    writer = Writer()
    several = [figure(value=number) for number in range(5)]
    writer.sentence("{% for each in all %}{{ each | value }}{% endfor %}", all=several)
    sentence = writer.sentence(
        "{{ a | value }}{{ b | value }}{{ c | value }}", a=several[0], b=several[1], c=several[4]
    )
    assert sentence is not None
    assert sentence.mark == "1—2、5，报送率97.0%"


def test_what_platforms_wrote_never_becomes_markup() -> None:
    assert "<b>" not in Writer().sentence("平台{{ name }}。", name="<b>x</b>").html  # type: ignore[union-attr]


def test_tables_and_sentences_round_alike_and_halves_go_up() -> None:
    for ratio in ("0.00049", "0.0005", "0.12345", "-0.0125", "-0.00049"):
        said, shown = words.change(Decimal(ratio), "件"), words.signed(Decimal(ratio), "件")
        assert said.removeprefix("增长").removeprefix("下降").replace("持平", "0.0%") == shown.lstrip(
            "+\u2212"
        )
    assert words.percent(0.9995) == "100.0%"
    assert words.percent(Decimal("0.99949")) == "99.9%"
    assert words.amount(None, "件") == words.percent(None) == words.signed(None, "%") == "—"
    assert words.amount(Decimal("4.805"), "人") == "4.81"
    assert Period.parse("2026Q1").name_zh == "2026年第一季度"


def test_a_streak_needs_two_steps_one_way_and_nothing_provisional() -> None:
    def months(*values: int | None) -> list[Figure | None]:
        return [None if value is None else figure(value=value) for value in values]

    streak, direction = _streak(months(5, 2, 3, 4))
    assert ([each.value for each in streak], direction) == ([2, 3, 4], "增长")
    assert _streak(months(1, 9, 8, 7))[1] == "下降"
    assert _streak(months(3, 2, 4)) == ([], "")
    assert _streak(months(2, None, 4)) == ([], "")
    assert _streak([*months(2, 3), figure(value=4, is_provisional=True)]) == ([], "")


def test_tiles_lie_where_they_are_declared_and_the_others_below() -> None:
    catalog = load_catalog(None)
    codes = ["371302000000", "371328000000", "371399000000"]
    places = lay_out(catalog, "371300000000", codes)
    assert places["371328000000"] == (0, 1)
    assert places["371302000000"] == (2, 2)
    assert places["371399000000"][0] == 3, "below the last declared row that is used"
    auto = lay_out(catalog, "371400000000", [f"3714{number:02}000000" for number in range(11)])
    assert len(set(auto.values())) == 11


def test_missing_fonts_are_named_with_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "FONTS", tmp_path)
    charts._prepare.cache_clear()
    with pytest.raises(BulletinError, match="apt-get install fonts-noto-cjk"):
        charts.trend_chart("图", "说明", ["1月"], [1], [False])
    charts._prepare.cache_clear()


def test_a_missing_pango_is_named_with_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    from etl.bulletin.pdf import write_pdf

    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0': not found")
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BulletinError, match="libpangoft2"):
        write_pdf("<p>", tmp_path / "x.pdf")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("total: share_physical", "total: share_fysical", "key total names share_fysical"),
        ("scheme: county-monthly", "scheme: nobody", "key scheme names nobody"),
        ("[consultation, publicity_event", "[lawyer, publicity_event", "lawyer is not counted by the day"),
        ("periods: [quarter]", "periods: [month]", "period month has monthly already"),
        ("{year}年第{number}期", "{jahr}年", "cannot be filled in"),
        ("part: trend", "part: headline", "written twice: headline"),
        ("rates: [hotline_answer", "rates: [awareness_rate", "awareness_rate rests on the survey"),
    ],
)
def test_a_bulletin_that_cannot_be_made_is_refused_when_it_is_loaded(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    (tmp_path / "bulletins").mkdir()
    text = (SHIPPED_CATALOG / "bulletins" / "bulletins.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "bulletins" / "b.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=complaint):
        load_catalog(tmp_path)


def test_every_section_that_is_declared_has_sentences() -> None:
    folder = Path(words.__file__).parent / "sentences"
    catalog = load_catalog(None)
    parts = {each.part for entry in catalog.bulletins.values() for each in getattr(entry, "sections", ())}
    assert len(parts) == 7
    assert parts | {"lead"} == {file.stem for file in folder.glob("*.j2")}
