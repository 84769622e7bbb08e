"""Score: the divisions of a period by the terms of a scheme, in temporary tables of the transaction."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.evaluation.terms import EvaluationError, Terms, canonical
from etl.periods import Period
from etl.warehouse import run_sql


def score_divisions(conn: Connection, terms: Terms, period: Period, period_id: int) -> None:
    """Make the temporary tables rule, place, part and total (columns: sql/evaluation), instead of earlier ones.

    Raises EvaluationError when something that the terms name is not there to be evaluated.
    """
    conn.execute(sa.text("DROP TABLE IF EXISTS pg_temp.rule, pg_temp.place, pg_temp.part, pg_temp.total"))
    scheme = terms.scheme
    evidence = canonical(terms.evidence)
    run_sql(conn, "evaluation/rule", {"rules": canonical(terms.rules)})
    levels = [level.value for level in scheme.levels]
    run_sql(conn, "evaluation/place", {"day": period.ends_on, "levels": levels, "period_id": period_id})
    conn.execute(sa.text("ANALYZE rule, place"))
    unplaced = run_sql(conn, "evaluation/unplaced", {"evidence": evidence}).scalars().all()
    if unplaced:
        raise EvaluationError(
            f"Scheme {scheme.id}, {period.name}: not among what is evaluated: {'; '.join(unplaced)}."
            " Correct the entry, or compute the period's indicators first."
        )
    run_sql(conn, "evaluation/part", {"period_id": period_id})
    run_sql(
        conn,
        "evaluation/total",
        {
            "most_bonus": scheme.most_bonus,
            "evidence": evidence,
            "grades": canonical(terms.grades()),
            "period_id": period_id,
        },
    )
