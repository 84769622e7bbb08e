"""Read: a period's survey from the warehouse, as arrays over divisions and channels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlalchemy as sa
from pyarrow import csv
from sqlalchemy.engine import Connection

from etl.catalog import Catalog
from etl.periods.period import Period
from etl.satisfaction.rates import Floats, Ints
from etl.satisfaction.suppress import (
    Answers,
    detail_alone,
    detail_of_sum,
    detail_over_time,
)
from etl.warehouse import driver_connection, run_sql

DELIVERED, ASKED, ANSWERED, AWARE, FIRST_CHOICE = range(5)
AWARE_ANSWERED, FIRST_CHOICE_ANSWERED, FIRST_ANSWER = 5, 6, 7
"""Roles of figures; the answers of the catalogue's score follow in its order."""


@dataclass(frozen=True)
class Survey:
    """A period's figures. divisions: one row each, with `above`, the row of the division above (-1: none).
    figures and own: by division, channel and role, the division's and its own unit's; nan where nothing was
    reported."""

    divisions: pd.DataFrame
    figures: Floats
    own: Floats


def roles(catalog: Catalog) -> list[str]:
    """Measures by role, from ASKED on. The denominators of awareness and first choice count the answers of
    submissions that carry them (ruling 18)."""
    named = ["survey_asked", "survey_answered", "aware", "first_choice"]
    return [*named, "answered_on_aware", "answered_on_first_choice", *catalog.satisfaction_rule().score]


def channel_ids(conn: Connection, catalog: Catalog) -> list[int]:
    """Numbers of the channels, in the catalogue's order."""
    known = {row.channel: row.channel_id for row in conn.execute(sa.text("SELECT * FROM core.channel"))}
    return [int(known[channel]) for channel in catalog.channels]


def read_survey(conn: Connection, catalog: Catalog, period_id: int, channels: Sequence[int]) -> Survey:
    """The period's divisions and figures."""
    survey = roles(catalog)
    run_sql(conn, "satisfaction/read_divisions", {"period_id": period_id})
    params = {"period_id": period_id, "survey": survey, "services": catalog.services()}
    run_sql(conn, "satisfaction/read_figures", params)
    divisions = read_table(conn, "satisfaction_division").sort_values("division_code", ignore_index=True)
    ids = pd.Index(divisions["division_id"])
    divisions["above"] = ids.get_indexer(pd.Index(divisions["parent_id"].fillna(0).astype(np.int64)))
    read = read_table(conn, "satisfaction_read")
    at = ids.get_indexer(pd.Index(read["division_id"]))
    read, at = read[at >= 0], at[at >= 0]
    place = np.asarray(channels).searchsorted(read["channel_id"], sorter=np.argsort(channels))
    place = np.argsort(channels)[place]
    shape = (len(divisions), len(channels), 1 + len(survey))
    own, total = np.full(shape, np.nan), np.full(shape, np.nan)
    is_own = read["is_own"].to_numpy(dtype=bool)
    values, role = read["value"].to_numpy(dtype=np.float64), read["role"].to_numpy(dtype=np.int64)
    own[at[is_own], place[is_own], role[is_own]] = values[is_own]
    total[at[~is_own], place[~is_own], role[~is_own]] = values[~is_own]
    is_leaf = divisions["is_leaf"].to_numpy(dtype=bool)
    total[is_leaf] = own[is_leaf]
    return Survey(divisions, total, own)


def read_detail(
    conn: Connection, catalog: Catalog, period: Period, period_id: int, channels: Sequence[int]
) -> pd.Series[int]:
    """What is shown of each division that has answers (suppress), by division_id.

    Decided from the period and its months alone, so that it is the same in whatever order periods are
    computed.
    """
    fewest = catalog.satisfaction_rule().fewest_shown
    months = _months(conn, period)
    numbers = [period_id, *(month_id for month_id, _ in months)]
    run_sql(conn, "satisfaction/read_answers", {"period_ids": numbers})
    read = read_table(conn, "satisfaction_answer")
    codes = read[["division_id", "division_code"]].drop_duplicates().sort_values("division_code")
    ids = pd.Index(codes["division_id"])
    whole, *parts = [_answers(read[read["period_id"] == number], ids, channels) for number in numbers]
    adds_up = bool(parts) and np.array_equal(np.sum([part.counts for part in parts], axis=0), whole.counts)
    if not len(ids):
        detail = np.zeros(0, dtype=np.int64)
    elif not parts:
        detail = detail_alone(whole, fewest)
    elif not adds_up:
        # Months that are there hide what they hide in the whole, too.
        detail = detail_of_sum([detail_alone(each, fewest) for each in (whole, *parts)])
    else:
        detail = _detail_of_months(period, [month for _, month in months], parts, fewest)
    return pd.Series(detail, index=ids)


def _detail_of_months(
    period: Period, months: Sequence[Period], parts: Sequence[Answers], fewest: int
) -> Ints:
    """A whole quarter or year may show what its parts hide, as far as that gives nothing away. What is still
    under way, and a year to date, shows what its whole quarters and other months show."""
    place = {month.starts_on: number for number, month in enumerate(months)}
    quarters, single = [], []
    for name in dict.fromkeys(Period.around("quarter", month.starts_on) for month in months):
        numbers = [place[month.starts_on] for month in name.months() if month.starts_on in place]
        if len(numbers) == 3:
            quarters.append(numbers)
        else:
            single += numbers
    if len(quarters) == 4 or (period.kind == "quarter" and quarters):
        return detail_over_time(parts, quarters, fewest)
    details = [detail_alone(parts[number], fewest) for number in single]
    for quarter in quarters:
        inside = [parts[number] for number in quarter]
        details.append(detail_over_time(inside, [range(3)], fewest))
    return detail_of_sum(details)


def _months(conn: Connection, period: Period) -> list[tuple[int, Period]]:
    if period.kind == "month":
        return []
    rows = run_sql(conn, "totals/months", {"first": period.starts_on, "last": period.ends_on})
    return [(row.period_id, Period.parse(row.period)) for row in rows]


def _answers(read: pd.DataFrame, ids: pd.Index[int], channels: Sequence[int]) -> Answers:
    at = ids.get_indexer(pd.Index(read["division_id"]))
    parent = np.full(len(ids), -1, dtype=np.int64)
    parent[at] = ids.get_indexer(pd.Index(read["parent_id"].fillna(0).astype(np.int64)))
    counts = np.zeros((len(ids), len(channels)), dtype=np.int64)
    order = np.argsort(channels)
    place = order[np.asarray(channels).searchsorted(read["channel_id"], sorter=order)]
    counts[at, place] = read["value"]
    return Answers(parent, counts)


def read_table(conn: Connection, name: str) -> pd.DataFrame:
    """All rows of a temporary table, in no order."""
    body = io.BytesIO()
    with (
        driver_connection(conn).cursor() as cursor,
        cursor.copy(f"COPY {name} TO STDOUT (FORMAT csv, HEADER)") as copy,
    ):
        for block in copy:
            body.write(block)
    body.seek(0)
    convert = csv.ConvertOptions(true_values=["t"], false_values=["f"])
    frame: pd.DataFrame = csv.read_csv(body, convert_options=convert).to_pandas()
    return frame
