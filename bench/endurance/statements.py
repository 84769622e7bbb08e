"""The statements of bench/sql/endurance, one a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult

SQL = Path(__file__).resolve().parent.parent / "sql" / "endurance"


def run(conn: Connection, name: str, params: dict[str, Any]) -> CursorResult[Any]:
    """Execute bench/sql/endurance/<name>.sql with bound parameters."""
    return conn.execute(sa.text((SQL / f"{name}.sql").read_text(encoding="utf-8")), params)
