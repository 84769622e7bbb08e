"""Causes: what became known between two versions of a table, and which of its cells it may have changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.catalog import Catalog
from etl.catalog_version import CatalogVersionError, read_catalog
from etl.issue.as_known import Known, periods_read
from etl.periods import Period
from etl.warehouse import run_sql

KINDS = {
    "late": "补报",
    "revised": "修订",
    "release": "隔离数据放行",
    "moved": "隔离数据更正后放行",
    "reopened": "重新开账后入库",
}


@dataclass(frozen=True)
class Causes:
    """Words by division; those of the divisions' changes and of declarations go for every row."""

    by_division: Mapping[str, str]
    of_divisions: str
    of_catalog: str

    def of(self, row: str, column: str) -> str:
        """What may have changed a cell of a row and a column, in Chinese: what units below it sent, changes of
        divisions, and, where neither is, or where targets and scores stand, changed declarations."""
        code = row.removesuffix("/own")
        sent = self.by_division.get(code) or (
            "" if code in self.by_division else self.by_division.get("", "")
        )
        is_judged = any(
            word in column for word in ("target", "attainment", "status", "score", "grade", "rank")
        )
        words = [sent, self.of_divisions]
        if is_judged or not any(words):
            words.append(self.of_catalog)
        return "；".join(each for each in words if each) or "上级汇总或可比数据随之变化"


def find_causes(
    conn: Connection, catalog: Catalog, period: Period, before: Known, after: Known, rows: Collection[str]
) -> Causes:
    """What became known from one state of knowledge to the other about the periods that stand in a table, for each of
    the given rows. Rows that are no divisions have the causes of the whole table."""
    read = periods_read(period)
    slice_ = {
        "first": min(each.starts_on for each in read),
        "last": max(each.ends_on for each in read),
        "since": before.moment,
        "until": after.moment,
        "codes": sorted({row.removesuffix("/own") for row in rows}),
    }
    conn.execute(sa.text("DROP TABLE IF EXISTS changed"))
    run_sql(conn, "issue/changed", slice_)
    words: dict[str, list[str]] = {}
    for each in run_sql(conn, "issue/causes", slice_):
        days = (
            f"{each.first_day}" if each.first_day == each.last_day else f"{each.first_day}至{each.last_day}"
        )
        platforms = "、".join(each.platforms[:3]) + ("等" if len(each.platforms) > 3 else "")
        words.setdefault(each.division_code, []).append(
            f"{KINDS[each.kind]}：{each.submissions}份（{days}，平台{platforms}）"
        )
    divisions = run_sql(conn, "issue/division_causes", slice_).one()
    return Causes(
        {code: "；".join(each) for code, each in words.items()},
        f"区划变更：{divisions.changes}处（{'、'.join(divisions.names[:3])}）" if divisions.changes else "",
        _declared(conn, catalog, before, after),
    )


def _declared(conn: Connection, catalog: Catalog, before: Known, after: Known) -> str:
    if before.catalog == after.catalog:
        return ""
    try:
        old = read_catalog(conn, before.catalog, catalog)
    except CatalogVersionError:
        return "制度目录有变更"
    words = []
    indicators = [code for code, each in catalog.indicators.items() if old.indicators.get(code) != each]
    if indicators:
        names = "、".join(catalog.indicators[code].name_zh for code in indicators[:3])
        words.append(f"指标或目标值变更：{len(indicators)}项（{names}）")
    schemes = [
        each
        for each in {*catalog.schemes, *old.schemes}
        if catalog.schemes.get(each) != old.schemes.get(each)
    ]
    if schemes:
        words.append(f"评价方案变更：{'、'.join(sorted(schemes))}")
    return "；".join(words) or "制度目录有变更"
