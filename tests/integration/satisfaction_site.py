"""A warehouse with a handful of divisions, and period totals written straight into it, as the period step
would."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from etl.catalog import Catalog, load_catalog
from etl.catalog.models import Measure
from etl.divisions import load_divisions
from etl.periods.period import Period
from etl.register import register_catalog
from etl.satisfaction import compute_satisfaction
from etl.settings import Settings
from etl.warehouse import ServerAddress, migrate, open_warehouse
from tests.integration.conftest import copy_database, write_singly

TEMPLATE = "satisfaction_template"
CARRIED = ("answered_on_aware", "answered_on_first_choice")
ANSWERS = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
Figures = Mapping[str, Mapping[tuple[str, str], int]]
"""Own figures by division code, then measure and channel."""


@dataclass(frozen=True)
class SatisfactionSite:
    engine: sa.Engine
    catalog: Catalog
    cells: Mapping[tuple[str, str], int]
    parents: Mapping[str, str | None]

    def total(
        self,
        name: str,
        own: Figures,
        *,
        received: Mapping[str, int] | None = None,
        nil: Mapping[str, int] | None = None,
        days_known: int | None = None,
    ) -> int:
        """Write the totals of a period: each unit's own figures, and their sums for the divisions above.
        received: of ten expected submissions."""
        period = Period.parse(name)
        with self.engine.begin() as conn:
            number = conn.execute(
                sa.text("SELECT mart.ensure_period(:name, :kind, :first, :last)"),
                {"name": name, "kind": period.kind, "first": period.starts_on, "last": period.ends_on},
            ).scalar_one()
            for table in ("period_own", "period_total", "period_reporting"):
                conn.execute(
                    sa.text(f"DELETE FROM mart.{table} WHERE period_id = :number"), {"number": number}
                )
            ids: dict[str, int] = {
                row.division_code: row.division_id
                for row in conn.execute(sa.text("SELECT * FROM core.division"))
            }
            inner = set(self.parents.values())
            totals: dict[tuple[int, int], int] = {}
            for code, figures in own.items():
                for (measure, channel), value in figures.items():
                    row = {"p": number, "d": ids[code], "c": self.cells[measure, channel], "v": value}
                    conn.execute(sa.text("INSERT INTO mart.period_own VALUES (:p, :d, :c, :v)"), row)
                    above: str | None = code
                    while above is not None:
                        if above in inner:
                            for label in (channel, "all"):
                                key = ids[above], self.cells[measure, label]
                                totals[key] = totals.get(key, 0) + value
                        above = self.parents[above]
            rows = [{"p": number, "d": d, "c": c, "v": v} for (d, c), v in totals.items()]
            if rows:
                conn.execute(sa.text("INSERT INTO mart.period_total VALUES (:p, :d, :c, :v)"), rows)
            conn.execute(
                sa.text(
                    "INSERT INTO mart.period_reporting VALUES"
                    " (:p, :d, :last, :leaf, :known, 10, :received, :received, 0, :received, :nil)"
                ),
                [
                    {
                        "p": number,
                        "d": ids[code],
                        "last": period.ends_on,
                        "leaf": code not in inner,
                        "known": period.days if days_known is None else days_known,
                        "received": (received or {}).get(code, 10),
                        "nil": (nil or {}).get(code, 0),
                    }
                    for code in self.parents
                ],
            )
            conn.execute(
                sa.text("UPDATE mart.period SET totalled_at = now() WHERE period_id = :number"),
                {"number": number},
            )
        return int(number)

    def compute(self, name: str, catalog: Catalog | None = None) -> None:
        compute_satisfaction(self.engine, catalog or self.catalog, Period.parse(name))

    def rows(self, name: str, channel: str = "all") -> dict[str, Any]:
        """mart.satisfaction of a period and channel by division code."""
        query = "SELECT * FROM mart.satisfaction WHERE period = :name AND channel = :channel"
        with self.engine.connect() as conn:
            return {
                row.division_code: row
                for row in conn.execute(sa.text(query), {"name": name, "channel": channel})
            }

    def run(self, query: str, **params: object) -> list[Any]:
        with self.engine.begin() as conn:
            result = conn.execute(sa.text(query), params)
            return list(result) if result.returns_rows else []


def with_services(catalog: Catalog, *services: str) -> Catalog:
    """The catalogue with these measures alone counted as services, and with the carried denominators."""
    measures = {
        code: each.model_copy(update={"is_service": code in services})
        for code, each in catalog.measures.items()
    }
    for code in CARRIED:
        carried = {"code": code, "name_zh": code, "name_en": code, "unit": "份", "kind": "survey"}
        measures.setdefault(code, Measure(**carried, channels=tuple(catalog.channels), ceiling=1000))
    return catalog.model_copy(update={"measures": measures})


def survey(
    *answers: int, channel: str = "physical", asked: int | None = None, **more: int
) -> dict[tuple[str, str], int]:
    """One unit's survey in a channel: how many gave each of the five answers."""
    counts = {"survey_asked": sum(answers) if asked is None else asked, "survey_answered": sum(answers)}
    counts |= dict(zip(ANSWERS, answers, strict=False)) | more
    return {(measure, channel): value for measure, value in counts.items()}


@contextmanager
def satisfaction_site(
    server: ServerAddress, folder: Path, divisions: str, *services: str
) -> Iterator[SatisfactionSite]:
    """divisions: lines of code,name,level,parent_code."""
    name = f"satisfaction_{uuid.uuid4().hex}"
    _ensure_template(server)
    copy_database(server, TEMPLATE, name)
    engine = open_warehouse(Settings(folder, server.url(name), "", None))
    try:
        lines = [line.strip() for line in divisions.strip().splitlines()]
        file = folder / "divisions.csv"
        file.write_text("\n".join(["code,name,level,parent_code", *lines]) + "\n", encoding="utf-8")
        load_divisions(engine, file, None, date(2026, 1, 1))
        catalog = with_services(load_catalog(None), *services)
        parents = {fields[0]: fields[3] or None for fields in (line.split(",") for line in lines)}
        yield SatisfactionSite(engine, catalog, register_catalog(engine, catalog), parents)
    finally:
        engine.dispose()


def _ensure_template(server: ServerAddress) -> None:
    """A database with the schema alone, to be copied."""
    server.ensure_database(TEMPLATE)
    engine = open_warehouse(Settings(Path("/nonexistent"), server.url(TEMPLATE), "", None))
    migrate(engine)
    write_singly(engine)
    engine.dispose()


def random_survey(random: np.random.Generator, most: int) -> dict[tuple[str, str], int]:
    """Some answers in some channels."""
    figures: dict[tuple[str, str], int] = {}
    for channel in ("physical", "hotline", "network"):
        if random.random() < 0.6:
            figures |= survey(*random.integers(0, most, size=5).tolist(), channel=channel)
    return figures
