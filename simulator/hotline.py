"""The 12348 hotline as contract.md, D: one table in a PostgreSQL that is given, and a view of it for each platform."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import URL

from etl.catalog import Platform
from simulator.deliveries import Batch, Submission
from simulator.platforms import HOTLINE_COLUMNS

TABLE = """
CREATE TABLE hotline_call_centre (
    platform text NOT NULL, county_code char(12) NOT NULL, stat_date date NOT NULL, calls int, answered int,
    answered_in_20s int, consultations int, asked int, answered_survey int, very_satisfied int, satisfied int,
    basically_satisfied int, dissatisfied int, very_dissatisfied int, updated_at timestamptz NOT NULL)
"""
VIEW = """
CREATE VIEW {view} AS
SELECT county_code, stat_date, calls, answered, answered_in_20s, consultations, asked, answered_survey,
       very_satisfied, satisfied, basically_satisfied, dissatisfied, very_dissatisfied, updated_at
FROM hotline_call_centre
WHERE platform = {platform}
"""


class HotlineDatabase:
    """The hotline's database: made anew when prepared, rewritten day by day."""

    def __init__(self, url: str) -> None:
        self.url: URL = sa.make_url(url)
        self._engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        self._written: dict[tuple[str, object], Batch] = {}

    def prepare(self, platforms: Iterable[Platform]) -> None:
        """Drop what an earlier start left, and make the empty table and the platforms' views."""
        with self._engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE IF EXISTS hotline_call_centre CASCADE"))
            connection.execute(sa.text(TABLE))
            raw = connection.connection.driver_connection
            assert isinstance(raw, psycopg.Connection)
            for platform in platforms:
                view = platform.options.get("view", "hotline_daily")
                names = {"view": sql.Identifier(view), "platform": sql.Literal(platform.id)}
                raw.execute(sql.SQL(VIEW).format(**names))

    def write(self, batches: Iterable[Batch]) -> None:
        """Put the rows of each batch's day in the place of what stood there; an unchanged batch is left alone."""
        metadata = sa.MetaData()
        with self._engine.begin() as connection:
            table = sa.Table("hotline_call_centre", metadata, autoload_with=connection)
            for batch in batches:
                if self._written.get((batch.platform, batch.stat_date)) is batch:
                    continue
                connection.execute(
                    sa.delete(table).where(
                        table.c.stat_date == batch.stat_date, table.c.platform == batch.platform
                    )
                )
                rows = [_row(batch, submission) for submission in batch.submissions]
                if rows:
                    connection.execute(sa.insert(table), rows)
                self._written[batch.platform, batch.stat_date] = batch


def _row(batch: Batch, submission: Submission) -> dict[str, object]:
    values = {(figure.measure, figure.channel): figure.value for figure in submission.figures}
    row: dict[str, object] = {column: values.get(pair) for column, pair in HOTLINE_COLUMNS.items()}
    answered = row["answered"]
    row["answered_in_20s"] = answered * 4 // 5 if isinstance(answered, int) else None
    return {
        **row,
        "platform": batch.platform,
        "county_code": submission.unit,
        "stat_date": batch.stat_date,
        "updated_at": submission.received_at,
    }
