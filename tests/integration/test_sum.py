"""Sums in arrays: what stood there before they did, and who reads them figure by figure."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.settings import SQL_DIR, Settings
from etl.warehouse import ServerAddress, driver_connection, open_warehouse

pytestmark = pytest.mark.integration

DAYS = [("2026-02-28", 1, 7, 3), ("2026-02-28", 1, 2, 4), ("2026-03-01", 1, 2, 5), ("2026-03-01", 9, 2, 6)]
PERIODS = [(1, 5, 3), (1, 4, 2), (8, 4, 1)]
SHOWN = {
    "mart.daily_total": "SELECT stat_date::text, division_id, cell_id, value FROM mart.daily_total",
    "mart.period_total": "SELECT division_id, cell_id, value FROM mart.period_total",
    "mart.period_own": "SELECT unit_id, cell_id, value FROM mart.period_own",
}


@pytest.fixture
def engine(server: ServerAddress) -> Engine:
    """A warehouse with the migrations of before, and no other."""
    server.ensure_database("sums")
    return open_warehouse(Settings(Path("/nonexistent"), server.url("sums"), "", None))


def apply(conn: Connection, *names: str) -> None:
    for name in names:
        driver_connection(conn).execute((SQL_DIR / "schema" / name).read_bytes())


def figures(conn: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(tuple(row) for row in conn.execute(sa.text(query))) for name, query in SHOWN.items()}


def test_figures_of_before_are_shown_as_they_were_and_stand_in_one_row_each(engine: Engine) -> None:
    names = sorted(file.name for file in (SQL_DIR / "schema").glob("[0-9]*.sql"))
    place = names.index("0029_sum.sql")
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE SCHEMA landing"))
        apply(conn, *names[:place])
        for day in ("2026-02-01", "2026-03-01"):
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
        period = conn.execute(
            sa.text("SELECT mart.ensure_period('2026-03', 'month', '2026-03-01', '2026-03-31')")
        ).scalar_one()
        insert = "INSERT INTO mart.daily_total VALUES (CAST(:a AS date), :b, :c, :d)"
        conn.execute(sa.text(insert), [dict(zip("abcd", row, strict=True)) for row in DAYS])
        for table in ("period_total", "period_own"):
            conn.execute(
                sa.text(f"INSERT INTO mart.{table} VALUES ({period}, :a, :b, :c)"),
                [dict(zip("abc", row, strict=True)) for row in PERIODS],
            )
        options = "SELECT reloptions FROM pg_class WHERE oid = 'mart.daily_statistics'::regclass"
        before, guarded = figures(conn), conn.execute(sa.text(options)).scalar_one()
        apply(conn, names[place])
        assert figures(conn) == before
        assert conn.execute(sa.text(options)).scalar_one() == guarded == ["security_barrier=true"]
        rows = {
            table: conn.execute(sa.text(f"SELECT count(*) FROM mart.{table}")).scalar_one()
            for table in ("daily_sum", "period_sum", "unit_sum")
        }
    engine.dispose()
    assert {name: len(found) for name, found in before.items()} == {
        "mart.daily_total": len(DAYS),
        "mart.period_total": len(PERIODS),
        "mart.period_own": len(PERIODS),
    }
    assert rows == {"daily_sum": 3, "period_sum": 2, "unit_sum": 2}
