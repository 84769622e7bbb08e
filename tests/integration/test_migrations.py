"""Migrations that move what is stored: it is shown as it was before, to those who could see it then."""

from __future__ import annotations

from collections.abc import Iterator
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


OPTIONS = "SELECT reloptions FROM pg_class WHERE oid = 'mart.daily_statistics'::regclass"


@pytest.fixture
def engine(server: ServerAddress, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A warehouse without anything."""
    name = request.node.name[:60]
    server.ensure_database(name)
    made = open_warehouse(Settings(Path("/nonexistent"), server.url(name), "", None))
    yield made
    made.dispose()


def apply_before(conn: Connection, name: str) -> None:
    """The migrations before one of them."""
    conn.execute(sa.text("CREATE SCHEMA landing"))
    for file in sorted((SQL_DIR / "schema").glob("[0-9]*.sql")):
        if file.name < name:
            apply(conn, file.name)


def apply(conn: Connection, name: str) -> None:
    driver_connection(conn).execute((SQL_DIR / "schema" / name).read_bytes())


def figures(conn: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(tuple(row) for row in conn.execute(sa.text(query))) for name, query in SHOWN.items()}


def test_figures_of_before_are_shown_as_they_were_and_stand_in_one_row_each(engine: Engine) -> None:
    with engine.begin() as conn:
        apply_before(conn, "0029_sum.sql")
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
        before, guarded = figures(conn), conn.execute(sa.text(OPTIONS)).scalar_one()
        apply(conn, "0029_sum.sql")
        assert figures(conn) == before
        assert conn.execute(sa.text(OPTIONS)).scalar_one() == guarded == ["security_barrier=true"]
        rows = {
            table: conn.execute(sa.text(f"SELECT count(*) FROM mart.{table}")).scalar_one()
            for table in ("daily_sum", "period_sum", "unit_sum")
        }
    assert {name: len(found) for name, found in before.items()} == {
        "mart.daily_total": len(DAYS),
        "mart.period_total": len(PERIODS),
        "mart.period_own": len(PERIODS),
    }
    assert rows == {"daily_sum": 3, "period_sum": 2, "unit_sum": 2}


SENT = """
INSERT INTO core.division OVERRIDING SYSTEM VALUE VALUES (5, '371302001001'), (6, '371302001002');
INSERT INTO core.platform OVERRIDING SYSTEM VALUE
VALUES (2, 'p', 'rest', '{village}', '{daily}', '{371300000000}', true);
INSERT INTO landing.batch (batch_id, platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)
OVERRIDING SYSTEM VALUE
SELECT number, 2, 'daily', '2026-02-28', 'page ' || number, repeat('0', 64), now(), 'registered'
FROM generate_series(7, 8) AS number;
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, ordinal, received_at, filled_at, known_from, known_to,
    is_nil, is_withdrawn, cells, figures, row_numbers, batch_ids
) VALUES
('2026-02-28', 5, 2, 7, 'daily', 1, 0, 'epoch', '17:00', 'epoch', '2026-03-01', true, false, '{}', '{}', '{}', NULL),
('2026-02-28', 5, 2, 7, 'daily', 2, 1, 'epoch', NULL, '2026-03-01', 'infinity', false, false, '{3,4}', '{5,6}', '{1,2}',
    '{7,8}'),
('2026-03-01', 6, 2, 8, 'daily', 3, 0, 'epoch', NULL, '2026-03-01', 'infinity', false, true, '{}', '{}', '{}', NULL);
"""
SUBMISSIONS = """
SELECT
    submission_id, stat_date, unit_id, platform_id, batch_id, dataset, revision, ordinal, received_at, filled_at,
    known_from, known_to::text, is_nil, is_withdrawn, coalesce(cells, '{}'), coalesce(figures, '{}'),
    coalesce(row_numbers, '{}'), batch_ids, tableoid::regclass::text
FROM core.submission ORDER BY submission_id
"""


def test_submissions_of_before_are_the_same_and_the_next_one_follows_them(engine: Engine) -> None:
    with engine.begin() as conn:
        apply_before(conn, "0031_narrow_submission.sql")
        for day in ("2026-02-01", "2026-03-01"):
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
        driver_connection(conn).execute(SENT.encode())
        shown = "SELECT * FROM core.daily_count ORDER BY cell_id"
        sent, counted, guarded = (
            conn.execute(sa.text(query)).all() for query in (SUBMISSIONS, shown, OPTIONS)
        )
        apply(conn, "0031_narrow_submission.sql")
        assert conn.execute(sa.text(SUBMISSIONS)).all() == sent
        assert conn.execute(sa.text(shown)).all() == counted
        assert conn.execute(sa.text(OPTIONS)).all() == guarded
        assert len(sent) == 3
        assert [row.batch_id for row in counted] == [7, 8]
        empty = "SELECT count(*) FROM core.submission WHERE num_nulls(cells, figures, row_numbers) = 3"
        assert conn.execute(sa.text(empty)).scalar_one() == 2
        conn.execute(sa.text("SELECT core.ensure_month('2026-04-01')"))
        again = (
            "INSERT INTO core.submission (stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at,"
            " known_from, is_nil) VALUES (:day, 5, 2, 7, 'daily', 4, now(), now(), true) RETURNING submission_id"
        )
        assert conn.execute(sa.text(again), {"day": "2026-04-01"}).scalar_one() == sent[-1].submission_id + 1
        with pytest.raises(sa.exc.IntegrityError, match="submission_202602"):
            conn.execute(sa.text(again), {"day": "2026-02-28"})
