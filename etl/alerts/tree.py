"""The divisions of a day, as the ladder climbs them."""

from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Connection

from etl.alerts.ladder import Place
from etl.catalog.base import Level
from etl.warehouse import run_sql


def read_tree(conn: Connection, day: date) -> dict[int, Place]:
    """The divisions of a day."""
    rows = run_sql(conn, "alerts/tree", {"day": day})
    return {
        row.division_id: Place(
            row.division_id, row.division_code, row.division_name, Level(row.level), row.parent_id
        )
        for row in rows
    }
