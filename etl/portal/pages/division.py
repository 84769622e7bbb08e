"""A division in a period: what it did, over time, against targets, how content people were, what is below it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from etl.catalog.base import DIVISION_PATTERN
from etl.portal import data
from etl.portal.frame import Asked, Page
from etl.portal.pages.overview import HEADLINES, TREND_MONTHS, by_channel, headlines

CHILDREN = 100
"""Divisions below on one page."""
router = APIRouter()
Code = Annotated[str, Path(pattern=DIVISION_PATTERN)]
Offset = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/division/{code}")
def division(
    asked: Page,
    request: Request,
    code: Code,
    period: str | None = None,
    measure: str = HEADLINES[0],
    offset: Offset = 0,
) -> Response:
    """Everything of one division; asked by htmx for another measure, its trend alone."""
    if request.headers.get("hx-target") == "trend":
        here = data.look(asked.conn, asked.viewer, code)
        return asked.show("trend.html", {"trend": data.trend(here, measure, TREND_MONTHS)})
    return asked.keep(
        "division.html", lambda page: content(page, code, period, measure, offset), period, measure, offset
    )


def content(
    asked: Asked, code: str, period: str | None, measure: str = HEADLINES[0], offset: int = 0
) -> dict[str, Any]:
    """What the page shows. period: None: the last month that is whole."""
    known = data.periods(asked.conn)
    chosen = period or data.latest_period(known)
    if chosen is None:
        raise data.NotFound("还没有汇总数据。")
    here = data.look(asked.conn, asked.viewer, code, chosen, known)
    found = data.division(here)
    below = data.children(here, limit=CHILDREN, offset=offset)
    return {
        "shown": found,
        "division": found["division"],
        "periods": known,
        "period": chosen,
        "headlines": headlines(found["measures"]),
        "trend": data.trend(here, measure, TREND_MONTHS),
        "indicators": data.indicators(here),
        "satisfaction": by_channel(asked, data.satisfaction(here)),
        "schemes": data.schemes(here),
        "children": below["rows"],
        "children_total": below["rows_total"],
        "offset": offset,
        "page_size": CHILDREN,
    }
