"""The first page: the viewer's highest division at a glance; and the same for a screen on the wall."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from etl.portal import data
from etl.portal.frame import Asked, Page

HEADLINES = (
    "consultation",
    "mediation_accepted",
    "legal_aid_accepted",
    "document_drafted",
    "publicity_audience",
)
"""Measures whose figures stand large."""
TREND_MONTHS = 24
router = APIRouter()


@router.get("/")
def overview(asked: Page, period: str | None = None) -> Response:
    """Headline figures, the divisions below, trend, channels, indicators, who is late today."""
    today = board_of_today(asked)
    return asked.keep("overview.html", lambda page: content(page, period, today), period, live=today)


@router.get("/wall")
def wall(asked: Page) -> Response:
    """The same of the last month, large, made anew every minute."""
    today = board_of_today(asked)
    return asked.keep(
        "overview.html", lambda page: content(page, None, today) | {"is_wall": True}, live=today
    )


def board_of_today(asked: Asked) -> dict[str, Any] | None:
    """Who has reported today at the viewer's highest division; None: nothing is there to be reported."""
    try:
        here = data.look(asked.conn, asked.viewer, None)
    except data.NotFound:
        return None
    return data.board(here, asked.site.today())


def content(asked: Asked, period: str | None, today: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the page shows of a period; None: the last month that is whole. today: `board_of_today`, if it is shown."""
    known = data.periods(asked.conn)
    chosen = period or data.latest_period(known)
    if chosen is None:
        return {"overview": None, "periods": [], "period": None}
    here = data.look(asked.conn, asked.viewer, None, chosen, known)
    whole = data.overview(here)
    whole["services"] = by_channel(asked, whole["services"])
    return {
        "is_wall": False,
        "overview": whole,
        "periods": known,
        "period": chosen,
        "headlines": headlines(whole["measures"]),
        "trend": data.trend(here, HEADLINES[0], TREND_MONTHS),
        "today": today,
    }


def by_channel(asked: Asked, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the catalogue's order of channels, the total first."""
    order = ["all", *asked.site.catalog.channels]
    return sorted(
        rows, key=lambda row: order.index(row["channel"]) if row["channel"] in order else len(order)
    )


def headlines(measures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The measures that stand large, those that have a figure."""
    found = {each["measure"]: each for each in measures}
    return [found[name] for name in HEADLINES if name in found and "all" in found[name]["channels"]]
