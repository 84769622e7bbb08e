"""Definitions: what the columns of a table mean (指标解释)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from etl.catalog import Catalog, Level, Measure
from etl.catalog.indicator import Indicator
from etl.catalog.report import EvaluationColumns, IndicatorColumns, Report, SatisfactionColumns
from etl.reports.columns import indicators_of
from etl.reports.table import Column, Definition
from etl.rounding import percent

LEVEL_NAMES = {
    Level.PROVINCE: "省",
    Level.CITY: "市",
    Level.COUNTY: "县(市、区)",
    Level.TOWNSHIP: "乡镇(街道)",
    Level.VILLAGE: "村(社区)",
}
SHOWS = {
    "mom": (
        "环比",
        "%",
        "本期÷上期－1；比率类指标为本期－上期(百分点)。上期缺少、为零或为初步数时不比较，记“—”",
    ),
    "yoy": (
        "同比",
        "%",
        "本期÷上年同期－1；比率类指标为本期－上年同期(百分点)。上年同期缺少、为零或为初步数时不比较，记“—”",
    ),
    "ytd": ("累计", "", "本年1月起至报告期末的合计"),
    "reporting_rate": ("报送率", "%", "实报÷应报；每个单位每个应报日计一份"),
    "on_time_rate": ("按时报送率", "%", "按时报送÷应报；按时指不晚于规定的报送时限"),
    "attainment": ("完成程度", "%", "本期值÷目标值；越低越好的指标为目标值÷本期值"),
}


def definitions_of(catalog: Catalog, report: Report, columns: Sequence[Column]) -> tuple[Definition, ...]:
    """The definition of everything that the columns show, each once, in their order."""
    found = [*_of_columns(catalog, columns), *_of_groups(catalog, report), *_of_shows(columns)]
    return tuple({each.code: each for each in found}.values())


def _of_columns(catalog: Catalog, columns: Sequence[Column]) -> Iterator[Definition]:
    for column in columns:
        parts = column.key.split(".")
        code = parts[1] if parts[0] == "trend" else parts[0]
        if code in catalog.measures:
            yield _of_measure(catalog, catalog.measures[code])


def _of_measure(catalog: Catalog, measure: Measure) -> Definition:
    levels = (
        "各级"
        if set(measure.levels) == set(Level)
        else "、".join(LEVEL_NAMES[level] for level in Level if level in measure.levels)
    )
    channels = "、".join(catalog.channels[code].name_zh for code in measure.channels)
    words = f"由{levels}报送" + (f"；平台：{channels}" if channels else "；月末时点数")
    return Definition(
        measure.code, measure.name_zh, measure.unit, words + (f"；{measure.note}" if measure.note else "")
    )


def _of_groups(catalog: Catalog, report: Report) -> Iterator[Definition]:
    for group in report.columns:
        match group:
            case IndicatorColumns():
                for code in indicators_of(catalog, group):
                    yield _of_indicator(catalog, catalog.indicators[code])
            case SatisfactionColumns():
                yield from _of_satisfaction(catalog)
            case EvaluationColumns():
                for scheme in catalog.schemes.values():
                    grades = "，".join(f"{grade.name}≥{grade.at_least}分" for grade in scheme.grades)
                    yield Definition(
                        scheme.code,
                        scheme.name_zh,
                        "分",
                        f"满分100分，{len(scheme.items)}项指标按权重计分；等次：{grades}；位次按同级单位排列，并列同位",
                    )


def _of_indicator(catalog: Catalog, indicator: Indicator) -> Definition:
    formula = indicator.parsed
    top, below = (
        "＋".join(_term(catalog, str(term)) for term in side)
        for side in (formula.numerator, formula.denominator)
    )
    words = f"{top}÷{below}" if below else top
    if formula.factor != 1:
        words += f"×{formula.factor}"
    return Definition(
        indicator.code, indicator.name_zh, indicator.unit, f"{words}；来源：{indicator.source.key}"
    )


def _term(catalog: Catalog, term: str) -> str:
    """A term of a formula with the names of its measures in place of their codes."""
    for code in sorted(catalog.measures, key=len, reverse=True):
        term = term.replace(code, catalog.measures[code].name_zh)
    for level, name in LEVEL_NAMES.items():
        term = term.replace(level, name)
    for word, name in (
        ("units", "单位数"),
        ("divisions", "区划数"),
        ("reports_received", "实报"),
        ("reports_expected", "应报"),
        ("reports_on_time", "按时报送"),
        ("services", "全部服务量"),
        (" and ", "且"),
        (" >= ", "≥"),
    ):
        term = term.replace(word, name)
    return term


def _of_satisfaction(catalog: Catalog) -> Iterator[Definition]:
    rule = catalog.satisfaction_rule()
    names = "、".join(catalog.measures[code].name_zh for code in rule.satisfied)
    yield Definition("satisfaction.rate", "满意率", "%", f"({names})÷回答份数")
    yield Definition(
        "satisfaction.interval",
        "区间",
        "%",
        f"满意率的{percent(rule.confidence, 0)}威尔逊置信区间，样本越小区间越宽",
    )
    yield Definition("satisfaction.answered_share", "参评率", "%", "回答份数÷服务量")
    yield Definition(
        "satisfaction.satisfied_share", "满意占服务量", "%", "满意份数÷服务量：未回答者均视为不满意时的下限"
    )
    yield Definition("satisfaction.awareness", "知晓率、首选率", "%", "知晓(首选)份数÷回答份数")
    scores = "、".join(f"{catalog.measures[code].name_zh}{value}" for code, value in rule.score.items())
    yield Definition("satisfaction.score", "满意度得分", "分", f"每份回答计分的平均：{scores}")
    yield Definition(
        "satisfaction.enough",
        "样本",
        "",
        f"回答不足{rule.fewest_ranked}份的标“样本不足”，不参与排名；不足{rule.fewest_shown}份的，以及可据以推算出的，"
        "不予公布；上级的合计仍包含全部回答",
    )


def _of_shows(columns: Sequence[Column]) -> Iterator[Definition]:
    shown = {column.key.rpartition(".")[2] for column in columns}
    for show, (name, unit, words) in SHOWS.items():
        if show in shown:
            yield Definition(show, name, unit, words)
