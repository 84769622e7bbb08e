"""What the warehouses take on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from bench.databases import connect
from bench.endurance.statements import SQL
from etl.warehouse import ServerAddress

DEAD = "SELECT schemaname, relname FROM pg_stat_user_tables WHERE n_dead_tup > 1000 ORDER BY 1, 2"
MADE = "SELECT sum(submissions), sum(nil), sum(figures), sum(days) FROM public.made_month"


@dataclass(frozen=True)
class Room:
    """tables: bytes, bytes of indexes, and rows of each. The rest counts what was made."""

    tables: Mapping[str, tuple[int, int, int]]
    submissions: int
    nil: int
    figures: int
    days: int

    @property
    def bytes(self) -> int:
        return sum(heap + index for heap, index, _ in self.tables.values())


def read_room(server: ServerAddress, database: str) -> Room:
    """As much as what is held needs: room of rows that earlier measurements replaced is given back first."""
    with connect(server, database, autocommit=True) as conn:
        conn.execute("SET maintenance_work_mem = '1GB'")
        for names in conn.execute(DEAD).fetchall():
            conn.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(sql.Identifier(*names)))
        query = (SQL / "sizes.sql").read_text(encoding="utf-8")
        tables = {
            name: (heap, index, rows) for name, heap, index, rows in conn.execute(query.encode()).fetchall()
        }
        return Room(tables, *(conn.execute(MADE).fetchone() or (0, 0, 0, 0)))
