"""Divisions of a day: which codes exist, which are in force, and what is below what."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy.engine import Connection

from etl.divisions.division_list import DEPTH, DivisionListError, read_division_list
from etl.warehouse import run_sql


class DayDivisions:
    """Divisions of some codes, and all above them, as they stand on one day: which exist, which are active, and what is
    below what.

    `table` is indexed by division code; columns division_id (int), level (text, missing when inactive on the day).
    """

    def __init__(self, conn: Connection, day: date, codes: Collection[str]) -> None:
        possible = [code for code in codes if re.fullmatch("[0-9]{12}", code)]
        columns = {**run_sql(conn, "divisions/of_day", {"day": day, "codes": possible}).mappings().one()}
        if not columns.pop("is_any_loaded"):
            raise DivisionListError("No division is loaded. Run: python -m etl divisions load FILE")
        numbers = {"division_id": np.int64, "parent_id": np.int64}
        self.table = pd.DataFrame(columns).astype(numbers).set_index("division_code")

    @classmethod
    def from_list(cls, file: Path) -> Self:
        """The divisions of a list (CSV), all active, without a warehouse. Raises DivisionListError."""
        listed = read_division_list(file, strict=False).table
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
        is_inside = np.zeros(int(ids.max(initial=0)) + 1, dtype=bool)
        is_inside[ids[inside]] = True
        for _ in DEPTH:
            inside = inside | is_inside[parents]
            is_inside[ids[inside]] = True
        return inside & table["level"].isin(list(levels)).to_numpy()
