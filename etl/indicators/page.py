"""The page docs/indicators.md: every indicator with its formula, targets, source and quote, written from the catalogue.

`python -m etl.indicators.page` prints it; `make indicators` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from etl.catalog import Catalog, load_catalog
from etl.catalog.indicator import PERCENT, Indicator, Target

SOURCES = {
    "SD-2025": "Shandong, 山东省公共法律服务体系建设规划(2022-2025年), as forwarded by Linyi on 2022-12-05",
    "FJ-2017": "Fujian, 深入推进公共法律服务平台建设的实施意见, 闽司〔2017〕299号, 2017-11-10",
    "LYG-2018": "Lianyungang, implementation opinions on public legal services covering town and country, 2018-11-16",
    "SUZ-2016": "Suzhou, exploration and practice of an integrated public legal service system, 2016-04-18",
    "LY-2025": "Lvyuan district, 14th five-year plan for public legal services, draft for comment",
    "specification": "activity indicators (业务活动指标), which every consolidated table carries, without target",
}
LEVELS = {"province": "省", "city": "市", "county": "县", "township": "乡", "village": "村"}
PERIODS = {"day": "日", "month": "月", "quarter": "季", "year": "年"}
NATURES = {"binding": "约束性", "expected": "预期性", None: ""}
TRENDS = {"rising": "逐年上升", "falling": "逐年下降"}
HEAD = """# Indicators (评价指标)

Written from `etl/catalog/indicators/` by `make indicators`; nothing here is typed. Formulas are explained in
[howto/new-indicator.md](howto/new-indicator.md). Quotes of SD-2025 are the rows of its table of main indicators; those
of the other documents are the project's own summary of them, in English, until they are set against the documents'
words. Targets without a day are always in force; of several, the next one due.
"""


def indicator_page(catalog: Catalog) -> str:
    """The page, in Markdown."""
    return "\n".join([HEAD, *_sections(catalog)])


def _sections(catalog: Catalog) -> Iterator[str]:
    for key, title in SOURCES.items():
        mine = [each for each in catalog.indicators.values() if each.source.key == key]
        if not mine:
            continue
        yield f"## {key}: {title}\n"
        yield "| 序号 | 指标 | 公式 | 单位 | 级别 | 报告期 | 目标 | 性质 | 出处 |"
        yield "|---|---|---|---|---|---|---|---|---|"
        for indicator in mine:
            yield f"| {' | '.join(_cells(indicator))} |"
        yield ""


def _cells(indicator: Indicator) -> list[str]:
    source = indicator.source
    remarks = [f"“{source.quote}”（{source.place}）", source.note or "", indicator.reference or ""]
    if source.is_inferred:
        remarks.insert(1, "推定：")
    return [
        str(indicator.number or ""),
        f"{indicator.name_zh}<br>{indicator.name_en}<br>`{indicator.code}`",
        f"`{indicator.formula}`"
        + {None: "", True: "<br>折算为全年", False: "<br>只按全年评价"}[indicator.annualised],
        indicator.unit,
        "".join(LEVELS[level] for level in indicator.levels),
        "".join(PERIODS[period] for period in indicator.periods),
        "<br>".join(_target(target, indicator) for target in indicator.targets),
        NATURES[indicator.nature],
        " ".join(filter(None, remarks)),
    ]


def _target(target: Target, indicator: Indicator) -> str:
    if target.trend is not None:
        return TRENDS[target.trend]
    assert target.value is not None
    is_rate = indicator.unit == PERCENT
    amount = f"{(target.value * (100 if is_rate else 1)).normalize():f}" + ("%" if is_rate else "")
    words = ("≤" if target.at_most is not None else "≥") + amount
    if target.levels is not None:
        words += f"（{''.join(LEVELS[level] for level in target.levels)}）"
    return words if target.by is None else f"{words}，{target.by}前"


if __name__ == "__main__":
    print(indicator_page(load_catalog(None)), end="")
