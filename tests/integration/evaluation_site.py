"""A warehouse for tests of the evaluation: a small province, figures written by hand, schemes in place."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Engine

from etl.catalog import Catalog, Level, load_catalog
from etl.catalog.scheme import Evidence, Scheme
from etl.evaluation import Change, KnownIndicator, compare_scheme, evaluate
from etl.periods import Period
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import divisions_site

PERIOD = Period.parse("2026-03")
PROVINCE, CITY, OTHER_CITY = "370000000000", "371300000000", "371400000000"
A, B, C, D = "371302000000", "371303000000", "371402000000", "371403000000"
COUNTIES = (A, B, C, D)
"""A and B below one city, C and D below the other."""
TOWN = "371302001000"
DIVISIONS = f"""
    {PROVINCE},山东省,province,
    {CITY},临沂市,city,{PROVINCE}
    {OTHER_CITY},德州市,city,{PROVINCE}
    {A},甲县,county,{CITY}
    {B},乙县,county,{CITY}
    {C},丙县,county,{OTHER_CITY}
    {D},丁县,county,{OTHER_CITY}
    {TOWN},一镇,township,{A}
"""

KINDS = ("month", "quarter", "year")
Figure = Decimal | int | str | None
"""A value; None for no data, "n/a" for nothing to divide by."""


def known(**targets: float | None) -> dict[str, KnownIndicator]:
    """Indicators for which higher is better, at all levels, with a target or none."""
    return {code: indicator(target) for code, target in targets.items()}


def indicator(
    target: float | None = None,
    direction: Any = "higher",
    levels: Sequence[Level] = tuple(Level),
) -> KnownIndicator:
    value = None if target is None else Decimal(str(target))
    return KnownIndicator(levels, KINDS, direction, lambda level, period: value)


def item(code: str, weight: float, method: str, **keys: Any) -> dict[str, Any]:
    return {
        "indicator": code,
        "category": "服务效果",
        "aspect": "业务开展",
        "weight": weight,
        "method": method,
        **keys,
    }


def scheme(*items: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {
        "id": "ours-v1",
        "code": "ours",
        "name_zh": "试行方案",
        "valid_from": date(2026, 1, 1),
        "levels": ["county"],
        "periods": ["month"],
        "missing": "zero",
        "most_bonus": 5,
        "items": list(items),
    } | keys


@dataclass(frozen=True)
class EvaluationSite:
    engine: Engine
    folder: Path

    def catalog(self, schemes: Sequence[dict[str, Any]], evidence: Sequence[dict[str, Any]] = ()) -> Catalog:
        """The shipped catalogue with these schemes and their evidence; their indicators are made up (see `known`)."""
        taken = [Scheme.model_validate(each) for each in schemes]
        context = {"folder": self.folder / "evidence"}
        proofs = [Evidence.model_validate(each, context=context) for each in evidence]
        return load_catalog(None).model_copy(
            update={
                "schemes": {each.id: each for each in taken},
                "evidence": {each.id: each for each in proofs},
            }
        )

    def evidence(
        self, name: str, division: str, kind: str, points: float | None, **keys: Any
    ) -> dict[str, Any]:
        """An entry, and its file."""
        body = f"证明材料 {name}".encode()
        (self.folder / "evidence").mkdir(exist_ok=True)
        (self.folder / "evidence" / f"{name}.pdf").write_bytes(body)
        entry = {
            "id": name,
            "scheme": "ours",
            "division": division,
            "period": PERIOD.name,
            "kind": kind,
            "points": points,
            "reason": "省级通报",
            "file": f"{name}.pdf",
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        return {key: value for key, value in (entry | keys).items() if value is not None}

    def figures(
        self, by_indicator: Mapping[str, Mapping[str, Figure]], provisional: Sequence[str] = ()
    ) -> None:
        """Write the period's figures anew: value by indicator and division."""
        with self.engine.begin() as conn:
            period_id = conn.execute(
                sa.text("SELECT mart.ensure_period(:name, :kind, :first, :last)"),
                {"name": PERIOD.name, "kind": PERIOD.kind, "first": PERIOD.starts_on, "last": PERIOD.ends_on},
            ).scalar_one()
            conn.execute(sa.text("UPDATE mart.period SET indicated_at = now()"))
            conn.execute(sa.text("DELETE FROM mart.indicator_figure"))
            for code, values in by_indicator.items():
                conn.execute(
                    sa.text("INSERT INTO core.indicator (indicator) VALUES (:code) ON CONFLICT DO NOTHING"),
                    {"code": code},
                )
                for division, value in values.items():
                    status = {"n/a": "not_applicable", None: "no_data"}.get(value)
                    conn.execute(
                        sa.text(
                            "INSERT INTO mart.indicator_figure (period_id, division_id, indicator_id, numerator,"
                            " denominator, value, status, is_provisional) SELECT :period_id, division_id, indicator_id,"
                            " CAST(:value AS numeric), 1, CAST(:value AS numeric), :status, :is_provisional"
                            " FROM core.division, core.indicator"
                            " WHERE division_code = :division AND indicator = :code"
                        ),
                        {
                            "period_id": period_id,
                            "division": division,
                            "code": code,
                            "value": None if status else value,
                            "status": status,
                            "is_provisional": division in provisional,
                        },
                    )

    def evaluate(self, catalog: Catalog, indicators: Mapping[str, KnownIndicator]) -> list[str]:
        return evaluate(self.engine, catalog, PERIOD, indicators)

    def compare(
        self, catalog: Catalog, entry: dict[str, Any], indicators: Mapping[str, KnownIndicator]
    ) -> list[Change]:
        file = self.folder / "what_if.txt"
        file.write_text(yaml.safe_dump([entry], allow_unicode=True), encoding="utf-8")
        return compare_scheme(self.engine, catalog, file, PERIOD, indicators)

    def read(self, table: str) -> pd.DataFrame:
        with self.engine.connect() as conn:
            result = conn.execute(sa.text(f"SELECT * FROM {table}"))
            return pd.DataFrame(result.all(), columns=list(result.keys()), dtype=object)

    def column(self, name: str, **where: str) -> dict[str, Any]:
        """A column of mart.evaluation by division, narrowed by equal columns."""
        rows = self.read("mart.evaluation")
        for key, value in where.items():
            rows = rows[rows[key] == value]
        found = dict(zip(rows["division_code"], rows[name], strict=True))
        assert len(found) == len(rows), "each division once"
        return found

    def item(self, division: str, code: str) -> dict[str, Any]:
        """The one row of mart.evaluation_item."""
        rows = self.read("mart.evaluation_item")
        rows = rows[(rows["division_code"] == division) & (rows["indicator"] == code)]
        assert len(rows) == 1
        return dict(rows.iloc[0])


@contextmanager
def evaluation_site(server: ServerAddress, folder: Path) -> Iterator[EvaluationSite]:
    """A warehouse with the divisions above and no figures."""
    home = folder / uuid.uuid4().hex
    home.mkdir()
    with divisions_site(server, home) as made:
        made.load(DIVISIONS)
        for file in home.glob("*.csv"):
            file.unlink()
        yield EvaluationSite(made.engine, home)
