"""The divisions that the ladder climbs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy.engine import Connection

from etl.alerts.ladder import Place
from etl.catalog.base import Level
from etl.warehouse import run_sql


def read_tree(conn: Connection, day: date, ids: Iterable[int]) -> dict[int, Place]:
    """Divisions as they stood on a day, and all above them."""
    rows = run_sql(conn, "alerts/tree", {"day": day, "ids": list(ids)})
    return {
        row.division_id: Place(
            row.division_id, row.division_code, row.division_name, Level(row.level), row.parent_id
        )
        for row in rows
    }
