"""Provenance: what a figure or an indicator is made of, down to the file and the row. Never kept: it is how somebody
sees that a figure is not the sum of its parts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from etl.catalog.base import DIVISION_PATTERN
from etl.clock import SHANGHAI
from etl.failures import Refused
from etl.portal import boards, data
from etl.portal.frame import Asked, Page
from etl.portal.words import later

PARTS = 50
"""Parts on one page."""
SIDES = {"numerator": later("分子"), "denominator": later("分母")}
router = APIRouter()
Division = Annotated[str, Query(pattern=DIVISION_PATTERN)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Short = Annotated[str, Query(max_length=80)]


class MomentUnknown(Refused):
    """The moment asked for is not a time."""


@router.get("/figure")
def figure(
    asked: Page,
    division: Division,
    period: Short,
    measure: Short,
    channel: Short = "all",
    as_of: Short = "",
    offset: Offset = 0,
) -> Response:
    """What a figure sums: the days of a period, the submissions of a day or of a month's stock."""
    return asked.show(
        "figure.html", content(asked, division, period, measure, channel, as_of or None, offset)
    )


def content(
    asked: Asked,
    division: str,
    period: str,
    measure: str,
    channel: str = "all",
    as_of: str | None = None,
    offset: int = 0,
) -> dict[str, Any]:
    """What the page shows. as_of: a time in Shanghai as a browser's form sends it, or ISO 8601 with zone."""
    moment = _moment(as_of)
    here = data.look(asked.conn, asked.viewer, division)
    found = boards.parts(here, period, measure, channel, moment, limit=PARTS, offset=offset)
    query = {"division": division, "period": period, "measure": measure, "channel": channel}
    return {
        "figure": found,
        "division": found["division"],
        "query": query | {"as_of": as_of},
        "as_of": as_of,
        "moment_asked": moment,
        "offset": offset,
        "page_size": PARTS,
    }


@router.get("/indicator")
def indicator(
    asked: Page, division: Division, period: Short, indicator: Short, offset: Offset = 0
) -> Response:
    """What an indicator's value is made of."""
    catalog = asked.site.catalog
    here = data.look(asked.conn, asked.viewer, division, period)
    found = boards.indicator(here, catalog, indicator, limit=PARTS, offset=offset)
    query = {"division": division, "period": period, "indicator": indicator}
    names = {"sides": SIDES, "measures": catalog.measures}
    return asked.show(
        "indicator.html",
        found | names | {"period": period, "query": query, "offset": offset, "page_size": PARTS},
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise MomentUnknown("时间应写作 2026-03-03 09:00。") from None
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)
