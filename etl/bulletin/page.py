"""The page: one HTML file that needs nothing beside it, for screens and, through WeasyPrint, for paper."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal
from importlib.resources import files

import jinja2
from markupsafe import Markup

from etl.bulletin import words
from etl.bulletin.document import Document
from etl.bulletin.figure import Figure, Source

COLUMNS = {
    "value": "本期",
    "value_previous": "上期",
    "value_last_year": "上年同期",
    "yoy": "同比",
    "mom": "环比",
    "ytd": "年初累计",
    "target": "目标",
    "attainment": "完成程度",
    "gap": "差距",
    "answered": "有效回答",
    "rate_low": "区间下限",
    "rate_high": "区间上限",
    "strict_rate": "不含基本满意",
    "response_rate": "应答率",
    "answered_share": "参评率",
    "satisfied_share": "满意率下限",
    "expected": "应报",
    "received": "实报",
    "reporting_rate": "报送率",
    "on_time": "按时",
    "late": "迟报",
    "late_after_cutoff": "补报",
    "missing": "缺报",
    "rejected": "拒收",
    "not_on_time_rate": "未按时比例",
    "loaded": "入库",
    "failed": "失败",
    "held": "待处理",
    "released": "放行",
    "discarded": "作废",
    "open": "待说明",
    "settled": "已说明或办结",
    "restated_after": "期后更正",
    "met": "达标",
    "not_met": "未达标",
    "no_data": "无数据",
    "beyond": "不考核",
}
"""Columns that sentences name, as the appendix calls them."""
RATIOS = (
    "attainment",
    "rate_low",
    "rate_high",
    "strict_rate",
    "response_rate",
    "answered_share",
    "satisfied_share",
    "reporting_rate",
    "not_on_time_rate",
)


def columns_of(source: Source) -> list[tuple[str, Decimal | int | None]]:
    """What the appendix lists of a figure, in the order of COLUMNS: what sentences say of it."""
    return [(name, source.figure.get(name)) for name in COLUMNS if name in source.named]


def shown(figure: Figure, column: str) -> str:
    """A column's value in words."""
    value = figure.get(column)
    if column in ("yoy", "mom"):
        return words.signed(value, figure.unit)
    if column == "gap":
        return words.gap(value, figure.unit)
    if column in RATIOS:
        return words.percent(value)
    if column in ("value", "value_previous", "value_last_year", "ytd", "target"):
        return words.amount(value, figure.unit) + (
            "（初步）" if column == "value" and figure.is_provisional else ""
        )
    return words.count(value)


def complete(figure: Figure) -> str:
    """Submissions received of those expected, or their share; — of what is not made of submissions."""
    if figure.expected:
        return f"{words.count(figure.received)}/{words.count(figure.expected)}"
    return words.percent(figure.completeness)


def write_page(document: Document, made_on: date) -> str:
    """The HTML text."""
    templates = files("etl.bulletin") / "templates"
    env = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    env.filters |= {
        "base64": lambda body: base64.b64encode(body).decode(),
        "columns": columns_of,
        "shown": shown,
        "exact": words.plain,
        "title_of": COLUMNS.__getitem__,
        "complete": complete,
    }
    style = (templates / "bulletin.css").read_text(encoding="utf-8")
    template = env.from_string((templates / "bulletin.html.j2").read_text(encoding="utf-8"))
    return template.render(document=document, made_on=made_on.isoformat(), style=Markup(style))
