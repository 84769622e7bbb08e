"""Pairs: the warnings among the balance checks, over the year to date, with the backlog that units opened with."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.catalog import AtMost, Catalog
from etl.plausibility.finding import Finding, Published
from etl.plausibility.history import TOTAL
from etl.warehouse import run_sql

MONTH_LOCK = 7_300_024


def find_unbalanced_pairs(
    conn: Connection, catalog: Catalog, day: date, published: Published, units: Collection[int] | None
) -> list[Finding]:
    """Units of all levels, all or these, of which a part exceeds its whole from 1 January to the day, over channels
    (ruling 13).

    Looked at are units that have such figures on the day; a pair is asked about once while its flag is not closed.
    Their sums by month are kept in quality.month_sum, so that the cost of a day is that of its month.
    """
    checks = [
        check
        for check in catalog.checks.values()
        if isinstance(check, AtMost) and check.severity == "warning" and check.scope == "year_to_date"
    ]
    if not checks:
        return []
    measures = sorted({measure for check in checks for measure in check.measures()})
    cells = [line.cell_id for line in run_sql(conn, "register/known") if line.measure in measures]
    month = day.replace(day=1)
    slice_ = {
        "day": day,
        "units": units,
        "cells": cells,
        "month": month,
        "month_end": (month + timedelta(days=31)).replace(day=1) - timedelta(days=1),
        "year": day.replace(month=1, day=1),
    }
    take_month(conn, day)
    run_sql(conn, "plausibility/asked", slice_)
    conn.execute(sa.text("ANALYZE asked"))
    for step in ("month_figures", "forget_month", "keep_month"):
        run_sql(conn, f"plausibility/{step}", slice_)
    pairs = [{"check_code": each.code, "part": each.part, "whole": each.whole} for each in checks]
    backlogs = [
        {"check_code": each.code, "unit_code": unit, "value": count}
        for each in checks
        for unit, count in catalog.opening_backlog(each.code, day.year).items()
    ]
    found = run_sql(
        conn,
        "plausibility/year_to_date",
        slice_ | {"pairs": json.dumps(pairs), "backlogs": json.dumps(backlogs)},
    )
    days = (day - date(day.year, 1, 1)).days + 1
    findings = []
    for line in found:
        check = catalog.checks[line.check_code]
        excess = line.part_value - line.whole_value - line.backlog_value
        part, whole = (catalog.measures[code].name_zh for code in check.measures())
        findings.append(
            Finding(
                check_code=check.code,
                unit_code=line.unit_code,
                level=line.level,
                measure=line.measure,
                channel=TOTAL,
                value=line.part_value,
                effect=excess,
                score=published.share(line.measure, excess, days),
                message=(
                    f"{check.message_zh}：本年累计{part} {line.part_value}，{whole} {line.whole_value}，"
                    f"申报的期初未结 {line.backlog_value}，多出 {excess}；请核对或补充申报期初未结"
                ),
            )
        )
    return findings


def take_month(conn: Connection, day: date) -> None:
    """Let one transaction at a time write the sums of a day's month, until it ends: days of one month are judged side
    by side, and the later one is to see the figures of the one before."""
    slice_ = {"key": MONTH_LOCK, "month": day.replace(day=1).toordinal()}
    conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key, :month)"), slice_)
