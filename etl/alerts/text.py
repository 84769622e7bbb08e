"""The words of a digest: templates of the catalogue, filled in; lists are bounded, the rest is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from etl.alerts.ladder import Place
from etl.catalog.alert import Wording
from etl.catalog.base import Level
from etl.catalog.models import Platform
from etl.clock import SHANGHAI

DATASETS = {"daily": "日报", "stocks": "月末存量数据"}
LEVELS = {
    Level.PROVINCE: "省级中心",
    Level.CITY: "市级中心",
    Level.COUNTY: "县级中心",
    Level.TOWNSHIP: "乡镇（街道）工作站",
    Level.VILLAGE: "村（社区）工作室",
}


@dataclass(frozen=True)
class Facts:
    """What a digest is about, apart from its subjects."""

    dataset: str
    stat_date: date
    due_at: datetime
    cutoff_at: datetime
    moment: datetime
    open_count: int = 0


def unit_lines(
    unit_ids: Sequence[int], tree: Mapping[int, Place], rejected: Collection[int], most: int
) -> tuple[str, str]:
    """The list (at most so many lines, the rest counted) and the counts by level."""
    places = sorted((tree[each] for each in unit_ids), key=lambda place: place.code)
    lines = []
    for place in places[:most]:
        parent = tree.get(place.parent_id) if place.parent_id else None
        where = f"{parent.name}，" if parent and place.level in (Level.VILLAGE, Level.TOWNSHIP) else ""
        remark = "，已报送但全部被退回" if place.division_id in rejected else ""
        lines.append(f"· {place.name}（{where}{place.code}{remark}）")
    if len(places) > most:
        lines.append(f"……另有{len(places) - most}个单位")
    counted = Counter(place.level for place in places)
    levels = "、".join(f"{LEVELS[level]}{counted[level]}个" for level in Level if counted[level])
    return "\n".join(lines), levels


FAMILIES = {"rest": "接口平台", "csv": "文件平台", "workbook": "工作簿平台", "database": "数据库平台"}


def platform_line(platform: Platform, units: int) -> str:
    """A platform and how many units wait for it; the reason stays in the ledger."""
    return f"{platform.id}（{FAMILIES[platform.family]}，涉及{units}个单位）"


def platform_lines(names: Sequence[str], most: int) -> str:
    """The list of platforms, at most so many lines, the rest counted."""
    lines = [f"· {name}" for name in names[:most]]
    if len(names) > most:
        lines.append(f"……另有{len(names) - most}个平台")
    return "\n".join(lines)


def fill(
    wording: Wording, recipient: str, facts: Facts, count: int, lines: str, levels: str
) -> tuple[str, str]:
    """Subject and body."""
    values = {
        "recipient": recipient,
        "dataset": DATASETS[facts.dataset],
        "day": _day(facts.dataset, facts.stat_date),
        "due": _moment(facts.due_at),
        "cutoff": _moment(facts.cutoff_at),
        "moment": _moment(facts.moment),
        "count": count,
        "levels": levels,
        "list": lines,
        "open": facts.open_count,
    }
    return wording.subject_zh.format(**values).strip(), wording.body_zh.format(**values).strip()


def _day(dataset: str, day: date) -> str:
    return f"{day.year}年{day.month}月" + (f"{day.day}日" if dataset == "daily" else "")


def _moment(moment: datetime) -> str:
    local = moment.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日{local:%H:%M}"
