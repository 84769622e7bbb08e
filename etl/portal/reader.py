"""Reader: the portal's own way into the warehouse: as pls_reader, reading only, a query no longer than ten seconds.

Its questions are few, and asked again and again about a few rows: planning them, views upon views, takes ten times as
long as reading the rows. So each is prepared when a connection first asks it, and planned once for whatever it is asked
about; functions whose plan rests on what they are given say so themselves. Citus alone plans nothing before it knows
what is asked about (docs/howto/citus.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

READER = (
    "-c timezone=Asia/Shanghai -c client_min_messages=warning -c default_transaction_read_only=on"
    " -c statement_timeout=10s -c role=pls_reader -c jit=off"
)
PLAN_ONCE = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', false)
WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')
"""


def reader_of(engine: Engine) -> Engine:
    """An engine on the same warehouse that can only read what pls_reader may; a few connections, which know their
    questions, for as many people as come."""
    reader = sa.create_engine(
        make_url(engine.url),
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=0,
        pool_use_lifo=True,
        connect_args={"options": READER, "prepare_threshold": 0},
    )
    sa.event.listen(reader, "connect", _plan_once)
    return reader


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One connection that sees one state of the warehouse: a page's figures belong together."""
    with engine.connect() as conn:
        yield conn.execution_options(isolation_level="REPEATABLE READ")
        # Nothing was written; but after a rollback psycopg forgets what it has prepared.
        conn.commit()


def _plan_once(connection: Any, _: object) -> None:
    connection.execute(PLAN_ONCE)
    connection.commit()
