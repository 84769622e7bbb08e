"""Explain: a score opened into its parts, each with the indicator's value under it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Engine

from etl.evaluation.terms import EvaluationError
from etl.periods import Period
from etl.warehouse import run_sql

ROUNDING = Decimal("1e-9")
"""Each part is rounded by itself, the score once (mart.evaluation_score)."""


@dataclass(frozen=True)
class ScoreExplanation:
    """total: the row of mart.evaluation. items: the indicators in the scheme's order, with numerator, denominator and
    value. evidence: bonuses, deductions and vetoes with their files."""

    total: dict[str, Any]
    items: list[dict[str, Any]]
    evidence: list[dict[str, Any]]


def explain_evaluation(engine: Engine, division: str, period: Period, scheme: str) -> ScoreExplanation:
    """Open one score of mart.evaluation. Raises EvaluationError when there is none.

    The parts, bonus and deduction add up to the score, or this is a defect of the warehouse and says so.
    """
    key = {"division": division, "period": period.name, "scheme": scheme}
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        found = run_sql(conn, "evaluation/explain_score", key).one_or_none()
        if found is None:
            raise EvaluationError(
                f"mart.evaluation has no score of {division} in {period.name} by scheme {scheme}."
                " Look which it has, or compute the period: python -m etl indicators --help"
            )
        items = [dict(row._mapping) for row in run_sql(conn, "evaluation/explain_items", key)]
        evidence = [dict(row._mapping) for row in run_sql(conn, "evaluation/explain_evidence", key)]
    scores = [item["score"] for item in items if item["score"] is not None]
    made = max(Decimal(0), sum(scores, Decimal(0)) + found.bonus - found.deduction)
    if (found.score is None) != (not scores) or abs(made - (found.score or 0)) > ROUNDING:
        raise RuntimeError(f"{key}: the score is {found.score}, its parts add up to {made}")
    return ScoreExplanation(dict(found._mapping), items, evidence)
