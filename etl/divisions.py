"""Divisions: the lists that are loaded, with their validity, and who stands where on a given day."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Level
from etl.failures import Refused
from etl.warehouse import copy_csv, run_sql

COLUMNS = ["code", "name", "level", "parent_code"]
DEPTH = {level.value: depth for depth, level in enumerate(Level)}


class DivisionListError(Refused):
    """The division list cannot be loaded; the message names line and mend."""


@dataclass(frozen=True)
class DivisionChange:
    """What loading a list changed: counts of divisions."""

    listed: int
    closed: int
    opened: int


def load_divisions(engine: Engine, file: Path, valid_from: date | None, today: date) -> DivisionChange:
    """Load a division list (CSV or CSV.gz: code,name,level,parent_code), valid from a date (default: today).

    The first list is valid for all past days too. A later one ends the periods of divisions that it lacks or shows
    otherwise, and opens new ones; earlier days keep their divisions. Raises DivisionListError.
    """
    listed = _read_list(file)
    with engine.begin() as conn:
        conn.execute(sa.text("LOCK TABLE core.division_period IN EXCLUSIVE MODE"))
        start = str(valid_from or today)
        later = sa.text("SELECT bool_or(valid_from > CAST(:start AS date)) FROM core.division_period")
        is_older: bool | None = conn.execute(later, {"start": start}).scalar_one()
        if is_older:
            raise DivisionListError(f"{file}: a list valid from a day after {start} is loaded already.")
        slice_ = {"valid_from": "-infinity" if is_older is None else start}
        conn.execute(
            sa.text(
                "CREATE TEMPORARY TABLE listed (division_code text, division_name text, level text, parent_code text)"
                " ON COMMIT DROP"
            )
        )
        body = io.BytesIO()
        listed.to_csv(body, header=False, index=False)
        copy_csv(conn, "listed", ["division_code", "division_name", "level", "parent_code"], body.getvalue())
        conn.execute(
            sa.text(
                "INSERT INTO core.division (division_code) SELECT division_code FROM listed ORDER BY division_code"
                " ON CONFLICT DO NOTHING"
            )
        )
        run_sql(conn, "divisions/redo", slice_)
        closed = run_sql(conn, "divisions/close", slice_).rowcount
        opened = run_sql(conn, "divisions/open", slice_).rowcount
        conn.execute(sa.text("ANALYZE core.division, core.division_period"))
    return DivisionChange(listed=len(listed), closed=closed, opened=opened)


def _read_list(file: Path) -> pd.DataFrame:
    try:
        listed = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DivisionListError(f"{file}: not a readable CSV file ({error}).") from None
    if list(listed.columns) != COLUMNS:
        raise DivisionListError(
            f"{file}: line 1 must be {','.join(COLUMNS)}, it is {','.join(listed.columns)}."
        )
    if listed.empty:
        raise DivisionListError(f"{file}: no division below the header.")
    depth = listed["level"].map(DEPTH)
    parents = listed.set_index("code")["level"]
    parent_depth = listed["parent_code"].map(parents[~parents.index.duplicated()]).map(DEPTH)
    has_parent = listed["parent_code"] != ""
    problems = {
        "the code is not 12 digits": ~listed["code"].str.fullmatch(r"[0-9]{12}"),
        "the code stands twice": listed["code"].duplicated(keep=False),
        "the name is empty": listed["name"].str.strip() == "",
        f"the level is none of {', '.join(DEPTH)}": depth.isna(),
        "the parent is not in the list": has_parent & parent_depth.isna(),
        "the parent is not of a higher level": has_parent & (parent_depth >= depth),
    }
    for words, bad in problems.items():
        if bad.any():
            lines = ", ".join(str(number + 2) for number in np.flatnonzero(bad)[:5])
            raise DivisionListError(
                f"{file}: {words}: {int(bad.sum())} line(s), first {lines}. Nothing was loaded."
            )
    return listed


class DayDivisions:
    """The divisions as they stand on one day: which codes exist, which are active, and what is below what.

    `table` is indexed by division code; columns division_id (int), level (text, missing when inactive on the day).
    """

    def __init__(self, conn: Connection, day: date) -> None:
        columns = run_sql(conn, "divisions/of_day", {"day": day}).mappings().one()
        if columns["division_code"] is None:
            raise DivisionListError("No division is loaded. Run: python -m etl divisions load FILE")
        self.table = pd.DataFrame(dict(columns)).set_index("division_code")

    @classmethod
    def from_list(cls, file: Path) -> Self:
        """The divisions of a list (CSV), all active, without a warehouse. Raises DivisionListError."""
        listed = _read_list(file)
        numbers = pd.Series(range(1, len(listed) + 1), index=listed["code"])
        made = cls.__new__(cls)
        made.table = pd.DataFrame(
            {
                "division_id": numbers,
                "level": listed["level"].to_numpy(),
                "parent_id": listed["parent_code"].map(numbers).fillna(0).astype(int).to_numpy(),
            }
        ).rename_axis("division_code")
        return made

    def inside(self, area: Collection[str], levels: Collection[str]) -> npt.NDArray[np.bool_]:
        """Which lines of `table` are active, of one of the levels, and named in the area or below what it names."""
        table = self.table
        inside = np.asarray(table.index.isin(list(area)) & table["level"].notna())
        ids = table["division_id"].to_numpy()
        parents = table["parent_id"].to_numpy()
        is_inside = np.zeros(int(ids.max()) + 1, dtype=bool)
        is_inside[ids[inside]] = True
        for _ in DEPTH:
            inside = inside | is_inside[parents]
            is_inside[ids[inside]] = True
        return inside & table["level"].isin(list(levels)).to_numpy()
