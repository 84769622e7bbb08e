"""Quality: what was held back, asked about, failed or waits for a closed month; to be read, with what acts on it."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from etl.portal import boards
from etl.portal.frame import Asked, Page
from etl.portal.words import later

ROWS = 20
"""Rows of each list on one page."""
REASONS = {
    "unit_unknown": later("单位代码不存在"),
    "unit_outside_area": later("单位不在平台辖区"),
    "unit_inactive": later("单位当日不在册"),
    "measure": later("指标项不识别"),
    "channel": later("渠道不识别"),
    "level": later("该层级不报此指标"),
    "value": later("数值有误"),
    "date": later("日期有误"),
    "conflict": later("数据冲突"),
    "personal": later("含个人信息"),
    "balance": later("不符合审核关系"),
    "structure": later("格式不合要求"),
    "period_locked": later("所属月份已封账"),
}
STATES = {
    "held": later("待处理"),
    "released": later("已放行"),
    "discarded": later("已作废"),
    "corrected": later("来源已更正"),
    "open": later("待核实"),
    "explained": later("已说明"),
    "closed": later("已关闭"),
    "loaded": later("已入库"),
    "failed": later("失败"),
    "rejected": later("拒收"),
    "registered": later("已登记"),
    "gated": later("已审核"),
}
CHECKS = {
    "tenfold": later("疑似多写或少写一位"),
    "digit_twice": later("疑似重复键入"),
    "repeated_day": later("与前期整日重复"),
    "repeated_village": later("与他村整表重复"),
    "level_shift": later("水平突变"),
    "heaping": later("尾数集中"),
    "all_satisfied": later("全部满意"),
    "count_limit": later("数量异常"),
    "nil_held": later("零报告被隔离"),
    "no_figures": later("报送没有数值"),
    "period_locked": later("所属月份已封账"),
    "bad_stamp": later("接收时间异常"),
}
router = APIRouter()
Offset = Annotated[int, Query(ge=0, le=100_000)]
Short = Annotated[str | None, Query(max_length=80)]


@router.get("/quality")
def quality(
    asked: Page,
    day: date | None = None,
    reason: Short = None,
    platform: Short = None,
    held: Offset = 0,
    questions: Offset = 0,
    batches: Offset = 0,
) -> Response:
    """The quarantine and quality board of a day."""
    offsets = {"held": held, "questions": questions, "batches": batches}
    return asked.show("quality.html", content(asked, day, reason, platform, offsets))


def content(
    asked: Asked, day: date | None, reason: str | None, platform: str | None, offsets: dict[str, int]
) -> dict[str, Any]:
    """What the page shows. day: None: the last day that is counted."""
    chosen = day or boards.last_day(asked.conn) or asked.site.today()
    reason, platform = reason or None, platform or None
    found = boards.quality(asked.conn, asked.viewer, chosen, reason, platform, ROWS, offsets)
    for row in found["held"]["rows"]:
        row["raw"] = None if row["raw"] is None else json.dumps(row["raw"], ensure_ascii=False, indent=1)
    checks = {code: check.message_zh for code, check in asked.site.catalog.checks.items()}
    return found | {
        "reason": reason,
        "platform": platform,
        "offsets": offsets,
        "query": {"day": chosen, "reason": reason, "platform": platform},
        "page_size": ROWS,
        "reason_names": REASONS,
        "state_names": STATES,
        "check_names": CHECKS | checks,
    }
