"""Submissions (报送进度): who has reported a day, who is late and was reminded; how one unit keeps its deadlines."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from etl.catalog.base import DIVISION_PATTERN
from etl.portal import boards, data
from etl.portal.frame import Asked, Page
from etl.portal.words import later

UNITS = 50
"""Units on one page."""
REFRESH_SECONDS = 60
DATASETS = {"daily": later("日报"), "stocks": later("月末存量")}
STATUSES = {
    "missing": later("缺报"),
    "rejected": later("全部被隔离"),
    "waiting": later("未到截止时间"),
    "late_after_cutoff": later("截止后补报"),
    "late": later("迟报"),
    "on_time": later("按时"),
    "not_expected": later("无须报送"),
}
OUTCOMES = {
    "open": later("尚未报送"),
    "arrived_before": later("催报前已报送"),
    "arrived": later("催报后已报送"),
}
STATES = {
    "pending": later("待发送"),
    "sent": later("已发送"),
    "acknowledged": later("已确认"),
    "failed": later("发送失败"),
    "moot": later("无须发送"),
    "no_contact": later("没有联系人"),
}
router = APIRouter()
Code = Annotated[str, Path(pattern=DIVISION_PATTERN)]
Under = Annotated[str | None, Query(pattern=DIVISION_PATTERN)]
Offset = Annotated[int, Query(ge=0, le=100_000)]
Dataset = Literal["daily", "stocks"]
Status = Literal[
    "",
    "outstanding",
    "missing",
    "rejected",
    "waiting",
    "late_after_cutoff",
    "late",
    "on_time",
    "not_expected",
]
Level = Literal["", "province", "city", "county", "township", "village"]


@router.get("/submissions")
def submissions(
    asked: Page,
    day: date | None = None,
    dataset: Dataset = "daily",
    under: Under = None,
    status: Status = "outstanding",
    level: Level = "",
    deep: bool = False,
    offset: Offset = 0,
) -> Response:
    """The board of a day: counts per division below, and the units that a reader asks for."""
    return asked.show("submissions.html", content(asked, day, dataset, under, status, level, deep, offset))


def content(
    asked: Asked,
    day: date | None,
    dataset: str = "daily",
    under: str | None = None,
    status: str = "outstanding",
    level: str = "",
    deep: bool = False,
    offset: int = 0,
) -> dict[str, Any]:
    """What the page shows. day: None: the last day that is counted."""
    chosen = day or boards.last_day(asked.conn) or asked.site.today()
    statuses = boards.OUTSTANDING if status == "outstanding" else [status] if status else None
    here = data.look(asked.conn, asked.viewer, under)
    units = boards.units(here, chosen, dataset, statuses, level or None, deep, limit=UNITS, offset=offset)
    query = {"day": chosen, "dataset": dataset, "under": under, "status": status}
    return counted(asked, here, chosen, dataset, under) | {
        "units": units["rows"],
        "units_total": units["rows_total"],
        "query": query | {"level": level or None, "deep": "true" if deep else None},
        "status": status,
        "level": level,
        "deep": deep,
        "offset": offset,
        "page_size": UNITS,
        "rounds": _rounds(asked),
        "statuses": STATUSES,
        "outcomes": OUTCOMES,
        "states": STATES,
        "datasets": DATASETS,
    }


@router.get("/submissions/counts")
def counts(asked: Page, day: date, dataset: Dataset = "daily", under: Under = None) -> Response:
    """The counts alone, which the board asks for again."""
    here = data.look(asked.conn, asked.viewer, under)
    return asked.show("submissions_counts.html", counted(asked, here, day, dataset, under))


def counted(asked: Asked, here: data.Here, day: date, dataset: str, under: str | None) -> dict[str, Any]:
    """The counts of a board."""
    return {
        "board": boards.counts(here, day, dataset),
        "day": day,
        "dataset": dataset,
        "under": under,
        "refresh_seconds": REFRESH_SECONDS,
        "as_of": asked.site.clock(),
    }


@router.get("/submissions/unit/{code}")
def unit(asked: Page, code: Code, day: date | None = None, dataset: Dataset = "daily") -> Response:
    """One unit: how it has kept its deadlines, and what it was sent about the day."""
    chosen = day or boards.last_day(asked.conn) or asked.site.today()
    found = boards.unit(data.look(asked.conn, asked.viewer, code), chosen, dataset)
    names = {"rounds": _rounds(asked), "outcomes": OUTCOMES, "states": STATES, "datasets": DATASETS}
    return asked.show("submissions_unit.html", found | names | {"day": chosen, "dataset": dataset})


def _rounds(asked: Asked) -> dict[str, str]:
    """Names of the rungs of the ladder, by code."""
    return {
        getattr(each, "code", ""): getattr(each, "name_zh", "") for each in asked.site.catalog.alerts.values()
    }
