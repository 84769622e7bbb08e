"""The first page: the viewer's highest division at a glance."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from etl.portal import data
from etl.portal.frame import Asked, Page

router = APIRouter()


@router.get("/")
def overview(asked: Page, period: str | None = None) -> Response:
    """Headline figures, the divisions below, trend, channels, indicators."""
    return asked.show("overview.html", content(asked, period))


def content(asked: Asked, period: str | None) -> dict[str, Any]:
    """What the page shows of a period; None: the last month that is whole."""
    chosen = period or data.latest_period(asked.conn)
    if chosen is None:
        return {"overview": None, "periods": [], "period": None}
    return {
        "overview": data.overview(asked.conn, asked.viewer, chosen),
        "periods": data.periods(asked.conn),
        "period": chosen,
    }
