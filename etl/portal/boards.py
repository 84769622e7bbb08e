"""Boards: who is late, what is held back, and what a figure is made of, as the portal shows them.

The same conventions as etl.portal.data: questions are asked of what `data.look` found, in the viewer's own part of
the tree, lists come a page at a time with rows_total, and nothing rests on surveys but what is published (ruling 18).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.engine import Connection

from etl.catalog import Catalog
from etl.catalog.formula import Divisions, Figure, Formula, Reporting, Services, Term, Units
from etl.portal import data
from etl.portal.data import Here, NotFound, Rows
from etl.portal.viewer import Viewer

OUTSTANDING = ("missing", "rejected", "waiting")
STATUSES = (*OUTSTANDING, "late_after_cutoff", "late", "on_time", "not_expected")


def last_day(conn: Connection) -> date | None:
    """The last day whose submissions were counted."""
    found: date | None = _rows(conn, "last_day")[0]["day"]
    return found


# --- submissions ---------------------------------------------------------------------------------------------


def counts(here: Here, day: date, dataset: str) -> dict[str, Any]:
    """How many have reported a data set of a day, under a division.

    division: place with path. counted_at: None where nothing is counted yet, or where it is counted as it is asked for.
    reporting: of the division and all below. children: the same of those directly below that owe anything.
    """
    if dataset == "daily":
        return data.board(here, day)
    rows = _rows(here.conn, "counts", day=day, dataset=dataset, division_id=here.division_id)
    own = [row for row in rows if row["division_id"] == here.division_id]
    return {
        "division": here.place,
        "day": day,
        "counted_at": None,
        "reporting": own[0] if own else None,
        "children": [row for row in rows if row["division_id"] != here.division_id],
    }


def units(
    here: Here,
    day: date,
    dataset: str,
    statuses: Sequence[str] | None,
    level: str | None,
    deep: bool,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    """Units of a division and directly below it, with `deep` all below, as they stand on a day: {rows, rows_total}.

    Each: place, status (one of STATUSES), due_at, cutoff_at, received_at, revision, is_nil, is_partial, is_restated,
    reminders (what was sent about it, the latest first). statuses and level narrow it.
    """
    page = data.page_of(
        here.conn,
        "boards/units",
        limit,
        offset,
        day=day,
        dataset=dataset,
        division_id=here.division_id,
        depth=0 if deep else 1,
        level=level,
        statuses=list(statuses) if statuses else None,
    )
    codes = [row["division_code"] for row in page["rows"]]
    sent: dict[str, Rows] = {code: [] for code in codes}
    for reminder in _rows(here.conn, "reminders", day=day, dataset=dataset, units=codes):
        sent[reminder["unit_code"]].append(reminder)
    for row in page["rows"]:
        row["reminders"] = sent[row["division_code"]]
    return page


def unit(here: Here, day: date, dataset: str) -> dict[str, Any]:
    """One unit: division (place with path), profile (how it kept its deadlines up to the day, None: never expected),
    reminders of the day."""
    profile = _rows(here.conn, "lateness", division_id=here.division_id, dataset=dataset, day=day)
    return {
        "division": here.place,
        "profile": profile[0] if profile else None,
        "reminders": _rows(here.conn, "reminders", day=day, dataset=dataset, units=[here.code]),
    }


# --- quality -------------------------------------------------------------------------------------------------


def quality(
    conn: Connection,
    viewer: Viewer,
    day: date,
    reason: str | None,
    platform: str | None,
    limit: int,
    offsets: dict[str, int],
) -> dict[str, Any]:
    """What of a day was held back or remarked on. Of platforms, those whose whole area the viewer sees.

    reasons: by reason_code and platform rows, held, released, discarded, corrected, example. held, questions, batches:
    a page each, from `offsets` by name. remarks: by check. closed: months that take no change, with rows_waiting.
    """
    own = _own(conn, viewer, day)
    return {
        "day": day,
        "reasons": _rows(conn, "held_reasons", day=day, **own),
        "held": data.page_of(
            conn,
            "boards/held",
            limit,
            offsets.get("held", 0),
            day=day,
            reason=reason,
            platform=platform,
            **own,
        ),
        "questions": data.page_of(
            conn, "boards/questions", limit, offsets.get("questions", 0), day=day, codes=own["codes"]
        ),
        "remarks": _rows(conn, "remarks", day=day, **own),
        "batches": data.page_of(conn, "boards/batches", limit, offsets.get("batches", 0), day=day, **own),
        "closed": _rows(conn, "closed_months", **own),
    }


def _own(conn: Connection, viewer: Viewer, day: date) -> dict[str, Any]:
    """What bounds lists about units and platforms: codes and platforms; None: everything."""
    if viewer.division_code is None:
        return {"codes": None, "platforms": []}
    here = data.look(conn, viewer, viewer.division_code)
    codes = [row["division_code"] for row in _rows(conn, "codes", division_id=here.division_id, day=day)]
    return {
        "codes": codes,
        "platforms": [row["platform"] for row in _rows(conn, "platforms", codes=codes)],
    }


# --- provenance ----------------------------------------------------------------------------------------------


def parts(
    here: Here,
    period: str,
    measure: str,
    channel: str,
    moment: datetime | None,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    """What a figure sums: `data.figure_parts`.

    moment: as known then, of days and stocks; value is then the sum of the parts. adds_up: whether the parts are the
    figure that is shown (None: nothing to hold it against).
    """
    found = data.figure_parts(here, period, measure, channel, limit, offset, moment)
    shown = found["value"]
    found["value_now"] = shown
    if moment is not None:
        found["value"] = found["parts_sum"]
    found["adds_up"] = None if moment is not None else (found["parts_sum"] or 0) == (shown or 0)
    return found


def indicator(here: Here, catalog: Catalog, indicator: str, limit: int, offset: int) -> dict[str, Any]:
    """An indicator opened into the terms of its formula.

    division, figure (of the row of `data.indicators` what is shown), formula, terms: side (numerator | denominator),
    term, kind (figure | services | units | divisions | reporting), value, and what opens it further: figures (measure,
    channel, value). counted: a page of the units that the first term of kind units counts, and the measure of its
    first condition. What rests on surveys has no terms.
    """
    conn, known = here.conn, here.shown
    place = {"division_id": here.division_id, "period_id": known["period_id"]}
    found = _rows(conn, "indicator", **place, indicator=indicator)
    if not found or indicator not in catalog.indicators:
        raise NotFound(f"{here.code} 在 {known['period']} 没有指标 {indicator}。")
    formula = catalog.indicators[indicator].parsed
    answer: dict[str, Any] = {
        "division": here.place,
        "figure": found[0],
        "formula": str(formula),
        "rests_on_survey": rests_on_survey(catalog, formula),
        "terms": [],
        "counted": None,
    }
    if answer["rests_on_survey"]:
        return answer
    figures = {
        (row["measure"], row["channel"]): row["value"]
        for row in _rows(conn, "figures", period=known["period"], division_id=here.division_id)
    }
    for side, summed in (("numerator", formula.numerator), ("denominator", formula.denominator)):
        for term in summed:
            opened = _opened(conn, catalog, term, figures, place, known["ends_on"])
            if isinstance(term, Units) and answer["counted"] is None:
                answer["counted"] = _units_counted(conn, term, place, limit, offset) | {
                    "term": str(term),
                    "measure": term.conditions[0].measure,
                }
            answer["terms"].append({"side": side, "term": str(term), **opened})
    for side in ("numerator", "denominator"):
        values = [term["value"] for term in answer["terms"] if term["side"] == side]
        stored = found[0][side]
        answer[f"{side}_adds_up"] = None if not values or None in values else sum(values) == stored
    return answer


def rests_on_survey(catalog: Catalog, formula: Formula) -> bool:
    """Whether a term is made of survey answers."""
    return any(
        isinstance(term, Figure) and catalog.measures[term.measure].kind not in ("flow", "stock")
        for term in formula.terms()
    )


def _opened(
    conn: Connection,
    catalog: Catalog,
    term: Term,
    figures: dict[tuple[str, str], Any],
    place: dict[str, int],
    day: date,
) -> dict[str, Any]:
    match term:
        case Figure(measure, channel):
            row = {"measure": measure, "channel": channel, "value": figures.get((measure, channel))}
            return {"kind": "figure", "value": row["value"], "figures": [row]}
        case Services(channel):
            rows = [
                {"measure": each, "channel": channel, "value": figures[each, channel]}
                for each in catalog.services()
                if figures.get((each, channel)) is not None
            ]
            value = sum(row["value"] for row in rows) if rows else None
            return {"kind": "services", "value": value, "figures": rows}
        case Units():
            value = _units_counted(conn, term, place, 1, 0)["rows_total"]
            return {"kind": "units", "value": value, "figures": []}
        case Divisions(levels):
            asked = {"division_id": place["division_id"], "day": day, "levels": list(levels)}
            return {
                "kind": "divisions",
                "value": _rows(conn, "divisions_counted", **asked)[0]["value"],
                "figures": [],
            }
        case Reporting(which):
            found = _rows(conn, "reporting", **place)
            return {"kind": "reporting", "value": found[0][which] if found else None, "figures": []}


def _units_counted(
    conn: Connection, term: Term, place: dict[str, int], limit: int, offset: int
) -> dict[str, Any]:
    assert isinstance(term, Units)
    return data.page_of(
        conn,
        "boards/units_counted",
        limit,
        offset,
        **place,
        levels=list(term.levels),
        measures=[each.measure for each in term.conditions],
        fewest=[each.at_least for each in term.conditions],
    )


# --- evaluation ----------------------------------------------------------------------------------------------


def evaluation(here: Here, scheme: str, limit: int, offset: int) -> dict[str, Any]:
    """`data.evaluation` with `division` (place with path) and `siblings`: a page of the scores of its level under its
    parent; none where the parent is outside the viewer's part."""
    found = data.evaluation(here, scheme)
    sees_parent = len(here.place["path"]) > 1
    siblings: dict[str, Any] = {"rows": [], "rows_total": 0}
    if sees_parent:
        siblings = data.page_of(
            here.conn,
            "boards/siblings",
            limit,
            offset,
            period=here.shown["period"],
            scheme=scheme,
            level=here.place["level"],
            parent=here.place["parent_code"],
        )
    return found | {"division": here.place, "siblings": siblings, "sees_siblings": sees_parent}


def _rows(conn: Connection, name: str, **params: object) -> Rows:
    return data.rows_of(conn, f"boards/{name}", **params)
