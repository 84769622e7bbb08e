"""Run one day and die by SIGKILL in the middle of a stage: python -m tests.integration.killed_run STAGE DAY."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import etl.archive
import etl.batches
import etl.load
import etl.pull
import etl.rollup
import etl.staging
from etl.daily import run_day
from etl.site import open_site


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_statement(module: Any, name: str, times: int) -> None:
    """Die right after the given statement ran for the n-th time, its transaction still open."""
    original: Callable[..., Any] = module.run_sql
    seen = 0

    def run_sql(conn: Any, statement: str, *args: Any) -> Any:
        nonlocal seen
        result = original(conn, statement, *args)
        seen += statement == name
        if seen == times:
            die()
        return result

    module.run_sql = run_sql


def die_before_renaming(times: int) -> None:
    """Die when an object of the archive is written and has not got its name yet."""
    from fsspec.implementations.local import LocalFileSystem

    original = LocalFileSystem.mv
    seen = 0

    def mv(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == times:
            die()
        return original(self, *args, **kwargs)

    LocalFileSystem.mv = mv


STAGES: dict[str, Callable[[], None]] = {
    "archive": lambda: die_before_renaming(5),
    "register": lambda: die_at_statement(etl.batches, "batch/register", 7),
    "read": lambda: setattr(etl.pull, "gate", die),
    "stage": lambda: setattr(etl.staging, "_copy_quality", die),
    "load": lambda: die_at_statement(etl.load, "load/insert", 1),
    "loaded": lambda: die_at_statement(etl.load, "load/finish", 1),
    "roll-up": lambda: die_at_statement(etl.rollup, "rollup/reporting", 3),
}

if __name__ == "__main__":
    stage, day = sys.argv[1:]
    STAGES[stage]()
    site = open_site()
    run_day(site, date.fromisoformat(day), list(site.catalog.platforms))
