"""Evaluation (绩效评价): a score broken into its parts, beside those it is ranked with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from etl.catalog.base import DIVISION_PATTERN
from etl.portal import boards, data
from etl.portal.frame import Asked, Page
from etl.portal.words import later

SIBLINGS = 50
"""Divisions of one level on one page."""
METHODS = {
    "target_ratio": later("目标值法"),
    "efficacy": later("功效系数法"),
    "stepped": later("分档计分"),
    "rank_percentile": later("排名计分"),
    "pass_fail": later("达标计分"),
}
KINDS = {"bonus": later("加分"), "deduction": later("扣分"), "veto": later("一票否决")}
ITEM_STATUSES = {
    "scored": later("已计分"),
    "missing": later("缺少数据"),
    "not_applicable": later("不适用"),
}
router = APIRouter()
Code = Annotated[str, Path(pattern=DIVISION_PATTERN)]
Short = Annotated[str, Query(max_length=80)]
Offset = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/evaluation/{code}")
def evaluation(asked: Page, code: Code, period: Short, scheme: Short, offset: Offset = 0) -> Response:
    """A division's score by a scheme."""
    return asked.keep(
        "evaluation.html", lambda page: content(page, code, period, scheme, offset), period, scheme, offset
    )


def content(asked: Asked, code: str, period: str, scheme: str, offset: int = 0) -> dict[str, Any]:
    """What the page shows."""
    here = data.look(asked.conn, asked.viewer, code, period)
    found = boards.evaluation(here, scheme, limit=SIBLINGS, offset=offset)
    return found | {
        "period": period,
        "scheme": scheme,
        "query": {"period": period, "scheme": scheme},
        "offset": offset,
        "page_size": SIBLINGS,
        "methods": METHODS,
        "evidence_kinds": KINDS,
        "item_statuses": ITEM_STATUSES,
    }
