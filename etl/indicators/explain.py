"""Explain an indicator: the terms of its formula with their values, and the figures under each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.catalog.formula import Divisions, Figure, Reporting, Services, Term, Units
from etl.failures import Refused
from etl.indicators.compute import prepare
from etl.indicators.plan import Plan
from etl.periods.period import Period
from etl.warehouse import run_sql


class IndicatorUnexplained(Refused):
    """There is no such value, or it is older than what it is made of; the message says what to do."""


@dataclass(frozen=True)
class IndicatorExplanation:
    """A row of mart.indicator_value (without its comparisons), the terms of its formula, and the figures under them.

    terms: side, term, value (null: missing), note_zh. parts: term, unit_code, unit_name, stat_date, measure, channel,
    value; those with a channel are figures of mart.daily_statistics, which `explain` opens further.
    """

    figure: dict[str, Any]
    formula: str
    terms: list[dict[str, Any]]
    parts: list[dict[str, Any]]


def explain_indicator(
    engine: Engine, catalog: Catalog, division: str, period: Period, indicator: str
) -> IndicatorExplanation:
    """Open one value. Raises IndicatorUnexplained when there is none, or when its terms have changed since."""
    asked = {"division": division, "period": period.name, "indicator": indicator}
    with engine.begin() as conn:
        found = run_sql(conn, "explain/indicator_value", asked).one_or_none()
        if found is None or indicator not in catalog.indicators:
            raise IndicatorUnexplained(
                f"mart.indicator_value has no row for {division}, {period.name}, {indicator}."
                " Look whether the period is computed: python -m etl indicators --help"
            )
        formula = catalog.indicators[indicator].parsed
        plan = prepare(conn, catalog, period, found.period_id)
        terms = [
            _term(conn, plan, side, term, found.division_id)
            for side, summed in (("numerator", formula.numerator), ("denominator", formula.denominator))
            for term in summed
        ]
        _hold_together(found, terms)
        span = {"division": division, "first_day": period.starts_on, "last_day": period.ends_on}
        parts = [
            {"term": str(term), **row}
            for term in formula.terms()
            for row in _parts(conn, catalog, term, period, {**span, "period_id": found.period_id})
        ]
    return IndicatorExplanation(dict(found._mapping), str(formula), terms, parts)


def _term(conn: Connection, plan: Plan, side: str, term: Term, division_id: int) -> dict[str, Any]:
    query = sa.text("SELECT value, note_zh FROM base WHERE ref_id = :ref AND division_id = :division")
    row = conn.execute(query, {"ref": plan.of(term), "division": division_id}).one_or_none()
    return {
        "side": side,
        "term": str(term),
        "value": row.value if row else None,
        "note_zh": row.note_zh if row else None,
    }


def _hold_together(found: Any, terms: list[dict[str, Any]]) -> None:
    """The value's numerator and denominator are the sums of the terms as they are now."""
    for side, stored in (("numerator", found.numerator), ("denominator", found.denominator)):
        values = [term["value"] for term in terms if term["side"] == side]
        now = None if not values or None in values else sum(values)
        if now != stored:
            raise IndicatorUnexplained(
                f"the {side} was computed as {stored} and is {now} by the figures of now: compute the period again,"
                f" python -m etl indicators --period {found.period}"
            )


def _parts(
    conn: Connection, catalog: Catalog, term: Term, period: Period, span: dict[str, Any]
) -> list[dict[str, Any]]:
    match term:
        case Figure(name) if catalog.measures[name].kind == "stock":
            rows = run_sql(conn, "explain/indicator_stocks", {**span, "measures": [name], "levels": None})
        case Figure(name, channel):
            rows = run_sql(conn, "explain/indicator_days", {**span, "measures": [name], "channel": channel})
        case Services(channel):
            services = {"measures": catalog.services(), "channel": channel}
            rows = run_sql(conn, "explain/indicator_days", {**span, **services})
        case Units(levels, conditions):
            names = [each.measure for each in conditions]
            asked = {**span, "measures": names, "levels": list(levels)}
            parts = [dict(row._mapping) for row in run_sql(conn, "explain/indicator_stocks", asked)]
            if period.kind != "day":
                parts += [dict(row._mapping) for row in run_sql(conn, "explain/indicator_own", asked)]
            return parts
        case Reporting(which):
            rows = run_sql(conn, "explain/indicator_reports", {**span, "which": which})
        case Divisions(levels):
            rows = run_sql(conn, "explain/indicator_divisions", {**span, "levels": list(levels)})
    return [dict(row._mapping) for row in rows]
