"""What if (试算): a scheme in a file beside the ones in force, on the same figures; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog, CatalogError
from etl.catalog.scheme import Scheme
from etl.catalog.scheme_consistency import KnownIndicator, item_contradictions
from etl.catalog.scheme_file import load_scheme
from etl.evaluation.evaluate import not_indicated, schemes_in_force
from etl.evaluation.score import score_divisions
from etl.evaluation.terms import EvaluationError, terms_for
from etl.periods import Period
from etl.warehouse import run_sql


@dataclass(frozen=True)
class Change:
    """A division by the scheme in force (…_before; None where no scheme in force evaluates it) and by the file's.

    Scores in points of 100. rank_change: ranks gained in the province; None where there is no rank before or after.
    """

    division_code: str
    division_name: str
    level: str
    parent_code: str | None
    scheme_before: str | None
    score_before: Decimal | None
    score: Decimal | None
    grade_before: str | None
    grade: str | None
    rank_in_parent_before: int | None
    rank_in_parent: int | None
    rank_in_province_before: int | None
    rank_in_province: int | None
    rank_change: int | None
    is_provisional: bool


def compare_scheme(
    engine: Engine, catalog: Catalog, file: Path, period: Period, known: Mapping[str, KnownIndicator]
) -> list[Change]:
    """Score a period by the scheme in a file, and show the change against the scheme in force of the same code, or else
    of each that evaluates the same level; by level and new rank. The file's own dates do not matter.

    Raises CatalogError for a bad scheme, EvaluationError for a period that it cannot score.
    """
    scheme = load_scheme(file)
    complaints = [words for _, _, words in item_contradictions({scheme.id: scheme}, known)]
    if complaints:
        raise CatalogError("\n".join(f"{file}: {words}" for words in complaints))
    if period.kind not in scheme.periods:
        raise EvaluationError(
            f"{file}: {scheme.id} evaluates {', '.join(scheme.periods)}; {period.name} is a {period.kind}."
        )
    in_force = schemes_in_force(catalog, period)
    bases = [each for each in in_force if each.code == scheme.code] or in_force
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        period_id = run_sql(conn, "evaluation/find_period", {"period": period.name}).scalar_one_or_none()
        if period_id is None:
            raise not_indicated(period)

        def score(one: Scheme) -> list[dict[str, Any]]:
            return _scores(conn, one, catalog, period, period_id, known)

        after = score(scheme)
        before = {base.code: {row["division_code"]: row for row in score(base)} for base in bases}
        conn.rollback()
    return [
        change
        for row in after
        for change in (
            [
                _change(row, rows[row["division_code"]], code)
                for code, rows in before.items()
                if row["division_code"] in rows
            ]
            or [_change(row, {}, None)]
        )
    ]


def _scores(
    conn: Connection,
    scheme: Scheme,
    catalog: Catalog,
    period: Period,
    period_id: int,
    known: Mapping[str, KnownIndicator],
) -> list[dict[str, Any]]:
    score_divisions(conn, terms_for(scheme, catalog.evidence.values(), known, period), period, period_id)
    return [dict(row._mapping) for row in run_sql(conn, "evaluation/read_scores", {"day": period.ends_on})]


def _change(after: Mapping[str, Any], before: Mapping[str, Any], code: str | None) -> Change:
    ranks = (before.get("rank_in_province"), after["rank_in_province"])
    return Change(
        division_code=after["division_code"],
        division_name=after["division_name"],
        level=after["level"],
        parent_code=after["parent_code"],
        scheme_before=code,
        score_before=before.get("score"),
        score=after["score"],
        grade_before=before.get("grade"),
        grade=after["grade"],
        rank_in_parent_before=before.get("rank_in_parent"),
        rank_in_parent=after["rank_in_parent"],
        rank_in_province_before=ranks[0],
        rank_in_province=ranks[1],
        rank_change=None if None in ranks else ranks[0] - ranks[1],
        is_provisional=after["is_provisional"],
    )
