"""A warehouse of its own for tests about divisions: lists written in place, figures of chosen units, one platform."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.catalog import Catalog, load_catalog
from etl.divisions import DivisionLoad, load_divisions
from etl.register import register_catalog
from etl.rollup import roll_up_day
from etl.settings import Settings
from etl.warehouse import ServerAddress, migrate, open_warehouse
from tests.integration.conftest import write_singly

LATER = date(2030, 1, 1)
PLATFORM = """
- id: everybody
  family: rest
  level: [province, city, county, township, village]
  datasets: [daily]
  conn_id: x
  area: ["{area}"]
  calendar: everyday
"""
Figures = Mapping[str, Mapping[tuple[str, str], int]]
"""Code of the unit, then measure and channel."""


@dataclass(frozen=True)
class DivisionsSite:
    engine: Engine
    catalog: Catalog
    cells: Mapping[tuple[str, str], int]
    folder: Path

    def load(self, rows: str | Path, valid_from: date | None = None, **options: Any) -> DivisionLoad:
        """Load a list: a file, or the lines below the header; a mapping likewise."""
        file = rows if isinstance(rows, Path) else self.write("code,name,level,parent_code", rows)
        if "mapping" in options:
            options["mapping"] = self.write("kind,from_code,to_code,share,note", options["mapping"])
        return load_divisions(self.engine, file, valid_from, LATER, **options)

    def write(self, header: str, rows: str) -> Path:
        file = self.folder / f"{uuid.uuid4().hex}.csv"
        lines = [line.strip() for line in rows.strip().splitlines()]
        file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return file

    def submit(self, day: date, figures: Figures) -> None:
        """One submission per unit; an empty one is a nil report."""
        with self.engine.begin() as conn:
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
            batch_id = conn.execute(
                sa.text(
                    "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)"
                    " SELECT platform_id, 'daily', :day, :name, repeat('a', 64), now(), 'loaded' FROM core.platform"
                    " RETURNING batch_id"
                ),
                {"day": day, "name": uuid.uuid4().hex},
            ).scalar_one()
            conn.execute(
                sa.text(
                    "INSERT INTO core.submission (stat_date, unit_id, platform_id, batch_id, dataset, revision,"
                    " received_at, known_from, is_nil, cells, figures, row_numbers)"
                    " SELECT :day, division_id, platform_id, :batch_id, 'daily', 1, :at, :at, :is_nil,"
                    " nullif(CAST(:cells AS smallint[]), '{}'), nullif(CAST(:figures AS bigint[]), '{}'),"
                    " nullif(CAST(:cells AS integer[]), '{}')"
                    " FROM core.platform, core.division WHERE division_code = :unit"
                ),
                [
                    {
                        "day": day,
                        "batch_id": batch_id,
                        "unit": unit,
                        "at": datetime(2020, 1, 1, tzinfo=UTC),
                        "is_nil": not values,
                        "cells": sorted(self.cells[cell] for cell in values),
                        "figures": [
                            values[cell] for cell in sorted(values, key=lambda cell: self.cells[cell])
                        ],
                    }
                    for unit, values in figures.items()
                ],
            )
            conn.execute(
                sa.text(
                    "INSERT INTO mart.daily_rollup (stat_date, loaded_at) VALUES (:day, now())"
                    " ON CONFLICT (stat_date) DO UPDATE SET loaded_at = now()"
                ),
                {"day": day},
            )

    def send(
        self,
        unit: str,
        day: date,
        at: datetime,
        figures: Mapping[tuple[str, str], int] | None,
        *,
        platform: str = "everybody",
        dataset: str = "daily",
        revision: int = 1,
        known_from: datetime | None = None,
    ) -> None:
        """One accepted submission, received `at`, in place of the platform's earlier one; without figures a nil
        report, None withdraws. Known since it was received, unless said otherwise."""
        numbers = sorted((self.cells[cell], value) for cell, value in (figures or {}).items())
        params = {
            "unit": unit,
            "day": day,
            "at": at,
            "platform": platform,
            "dataset": dataset,
            "revision": revision,
            "known_from": known_from or at,
            "is_nil": figures is not None and not figures,
            "is_withdrawn": figures is None,
            "cells": [cell for cell, _ in numbers],
            "figures": [value for _, value in numbers],
            "name": uuid.uuid4().hex,
        }
        with self.engine.begin() as conn:
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), params)
            conn.execute(
                sa.text(
                    "UPDATE core.submission SET known_to = :known_from FROM core.platform, core.division"
                    " WHERE submission.platform_id = platform.platform_id AND platform = :platform"
                    " AND unit_id = division_id AND division_code = :unit AND stat_date = :day"
                    " AND dataset = :dataset AND known_to = 'infinity'"
                ),
                params,
            )
            conn.execute(
                sa.text(
                    "WITH batch AS (INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256,"
                    " pulled_at, state) SELECT platform_id, :dataset, :day, :name, repeat('a', 64), :known_from,"
                    " 'loaded' FROM core.platform WHERE platform = :platform RETURNING batch_id, platform_id)"
                    " INSERT INTO core.submission (stat_date, unit_id, platform_id, batch_id, dataset, revision,"
                    " received_at, known_from, is_nil, is_withdrawn, cells, figures, row_numbers)"
                    " SELECT :day, division_id, platform_id, batch_id, :dataset, :revision, :at, :known_from, :is_nil,"
                    " :is_withdrawn, nullif(CAST(:cells AS smallint[]), '{}'),"
                    " nullif(CAST(:figures AS bigint[]), '{}'), nullif(CAST(:cells AS integer[]), '{}')"
                    " FROM batch, core.division WHERE division_code = :unit"
                ),
                params,
            )

    def roll_up(self, day: date) -> None:
        roll_up_day(self.engine, self.catalog, day, whole=True)

    def frame(self, query: str, **params: object) -> pd.DataFrame:
        with self.engine.connect() as conn:
            result = conn.execute(sa.text(query), params)
            return pd.DataFrame(result.all(), columns=list(result.keys()))

    def values(self, query: str, **params: object) -> dict[Any, Any]:
        """Two columns as a dictionary."""
        with self.engine.connect() as conn:
            rows = conn.execute(sa.text(query), params).all()
        found = {row[0]: row[1] for row in rows}
        assert len(found) == len(rows), "each key once"
        return found

    def statistics(self, day: date, measure: str = "consultation") -> dict[str, int]:
        """Totals over channels by division code, as the mart shows them."""
        return self.values(
            "SELECT division_code, value FROM mart.daily_statistics"
            " WHERE stat_date = :day AND measure = :measure AND channel = 'all'",
            day=day,
            measure=measure,
        )

    def comparable(self, day: date, on_day: date, measure: str = "consultation") -> dict[str, int]:
        """The same on the divisions of another day."""
        return self.values(
            "SELECT division_code, value FROM mart.comparable_statistics(:day, :on_day)"
            " WHERE measure = :measure AND channel = 'all'",
            day=day,
            on_day=on_day,
            measure=measure,
        )

    def in_force(self, day: date) -> dict[str, str]:
        """Names by code of the divisions in force on a day."""
        return self.values(
            "SELECT division_code, division_name FROM core.division_period JOIN core.division USING (division_id)"
            " WHERE valid_from <= :day AND :day < valid_to",
            day=day,
        )


@contextmanager
def divisions_site(
    server: ServerAddress, folder: Path, area: str = "370000000000", platforms: str = PLATFORM
) -> Iterator[DivisionsSite]:
    """An empty warehouse, with the catalogue registered."""
    (folder / "platforms").mkdir(exist_ok=True)
    (folder / "platforms" / "all.yaml").write_text(platforms.format(area=area))
    catalog = load_catalog(folder)
    database = f"divisions_{uuid.uuid4().hex}"
    server.ensure_database(database)
    engine = open_warehouse(Settings(folder, server.url(database), "", None))
    migrate(engine)
    write_singly(engine)
    try:
        yield DivisionsSite(engine, catalog, register_catalog(engine, catalog), folder)
    finally:
        engine.dispose()
