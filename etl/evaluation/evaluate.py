"""Evaluate: score a period by every scheme in force, and keep the scores with the terms that they were made by."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.catalog.scheme import Scheme
from etl.catalog.scheme_consistency import KnownIndicator
from etl.evaluation.score import score_divisions
from etl.evaluation.terms import EvaluationError, canonical, digest_of, terms_for
from etl.periods import Period
from etl.warehouse import run_sql

SCHEME_LOCK = 7_300_006


def evaluate(
    engine: Engine, catalog: Catalog, period: Period, known: Mapping[str, KnownIndicator]
) -> list[str]:
    """Score the divisions of a period by each scheme in force on its last day, from mart.indicator_figure; returns the
    schemes' codes.

    One transaction; run again on the same figures it writes the same scores. Raises EvaluationError when the period's
    indicators are not there or a target is missing.
    """
    register_schemes(engine, catalog)
    with engine.begin() as conn:
        return write_scores(conn, catalog, period, known)


def write_scores(
    conn: Connection, catalog: Catalog, period: Period, known: Mapping[str, KnownIndicator]
) -> list[str]:
    """The same in the caller's transaction, of schemes that are registered."""
    schemes = schemes_in_force(catalog, period)
    begun = run_sql(conn, "evaluation/begin", {"period": period.name}).one_or_none()
    if begun is None and not schemes:
        return []
    if begun is None:
        raise not_indicated(period)
    run_sql(conn, "evaluation/forget", {"period_id": begun.period_id})
    for scheme in schemes:
        terms = terms_for(scheme, catalog.evidence.values(), known, period)
        score_divisions(conn, terms, period, begun.period_id)
        kept = {
            "period_id": begun.period_id,
            "version": scheme.id,
            "version_digest": digest_of(content_of(scheme)),
            "digest": digest_of(terms.content()),
            "terms": terms.content(),
            "moment": begun.evaluated_at,
        }
        kept["scheme_id"] = run_sql(conn, "evaluation/keep_run", kept).scalar_one()
        for table in ("rules", "parts", "scores", "evidence"):
            run_sql(conn, f"evaluation/keep_{table}", kept | {"evidence": canonical(terms.evidence)})
    return [scheme.code for scheme in schemes]


def schemes_in_force(catalog: Catalog, period: Period) -> list[Scheme]:
    """The versions that evaluate a period, in declared order."""
    return [scheme for scheme in catalog.schemes.values() if scheme.is_in_force(period)]


def register_schemes(engine: Engine, catalog: Catalog) -> None:
    """Keep what the schemes declare, as known from now on where it differs from what was known (ruling 5)."""
    with engine.begin() as conn:
        write_schemes(conn, catalog)


def write_schemes(conn: Connection, catalog: Catalog) -> None:
    """The same in the caller's transaction."""
    wanted = {scheme.id: digest_of(content_of(scheme)) for scheme in catalog.schemes.values()}
    if _known(conn) == wanted:
        return
    conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEME_LOCK})
    known = _known(conn)
    moment = conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    gone = [version for version, digest in known.items() if wanted.get(version) != digest]
    run_sql(conn, "evaluation/close_versions", {"versions": gone, "moment": moment})
    for scheme in catalog.schemes.values():
        if known.get(scheme.id) == wanted[scheme.id]:
            continue
        run_sql(conn, "evaluation/add_scheme", {"scheme": scheme.code})
        row = {
            "scheme": scheme.code,
            "version": scheme.id,
            "scheme_name": scheme.name_zh,
            "digest": wanted[scheme.id],
            "content": content_of(scheme),
            "moment": moment,
        }
        run_sql(conn, "evaluation/add_version", row)


def content_of(scheme: Scheme) -> str:
    """What a version of a scheme declares, as JSON; the same for the same declaration."""
    return canonical(scheme.model_dump(mode="json"))


def not_indicated(period: Period) -> EvaluationError:
    """What is said when there is nothing to evaluate yet."""
    return EvaluationError(
        f"The indicators of {period.name} are not computed. Run: python -m etl indicators --period {period.name}"
    )


def _known(conn: Connection) -> dict[str, str]:
    return {row.version: row.digest for row in run_sql(conn, "evaluation/known_versions")}
