"""Reader: the portal's own way into the warehouse: as pls_reader, reading only, a query no longer than ten seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

READER = (
    "-c timezone=Asia/Shanghai -c client_min_messages=warning -c default_transaction_read_only=on"
    " -c statement_timeout=10s -c role=pls_reader"
)


def reader_of(engine: Engine) -> Engine:
    """An engine on the same warehouse that can only read what pls_reader may."""
    return sa.create_engine(
        make_url(engine.url), pool_pre_ping=True, pool_size=10, connect_args={"options": READER}
    )


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One connection that sees one state of the warehouse: a page's figures belong together."""
    with engine.connect() as conn:
        yield conn.execution_options(isolation_level="REPEATABLE READ")
