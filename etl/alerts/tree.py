"""The divisions of a day, as the ladder climbs them."""

from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Connection

from etl.alerts.ladder import Place
from etl.catalog.base import Level
from etl.warehouse import run_sql


def read_tree(conn: Connection, day: date) -> dict[int, Place]:
    """The divisions of a day."""
    return {
        number: Place(number, code, name, Level(level), parent)
        for number, code, name, level, parent in run_sql(conn, "alerts/tree", {"day": day})
    }
