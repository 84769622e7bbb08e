"""Plan: the formulas of a kind of period as rows that sql/indicator works on; what several of them need stands once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from etl.catalog import Catalog, Level
from etl.catalog.formula import ALL, Divisions, Figure, Reporting, Services, Term, Units
from etl.catalog.indicator import Indicator
from etl.catalog.indicator_checks import is_of_month_end, is_stock
from etl.periods.period import Kind

"""As in core.level."""
REPORTS = {"expected": "应报份数", "received": "已报份数", "on_time": "按时报送份数"}
SERVICES_ZH = "公共法律服务量"
Ref = Term | tuple[Term, ...]


class Plan:
    """What has to be looked up, and which indicators are made of it. A village's single day is its submission, and has
    none."""

    def __init__(self, catalog: Catalog, cells: Mapping[tuple[str, str], int], kind: Kind) -> None:
        self.catalog, self.cells = catalog, cells
        self.refs: dict[Ref, int] = {}
        self.needs: set[tuple[int, int]] = set()
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("refs", "cells", "conditions", "parts", "wanted")
        }
        for indicator in catalog.indicators.values():
            if is_computed(indicator, catalog, kind):
                self._add(indicator, kind)

    def as_json(self) -> str:
        """The plan as the parameter of the statements that take it."""
        needs = [{"ref_id": ref, "depth": depth} for ref, depth in sorted(self.needs)]
        return json.dumps({**self.rows, "needs": needs}, ensure_ascii=False)

    def of(self, term: Term) -> int:
        """Number of a term of an indicator that was planned."""
        return self.refs[term]

    def _add(self, indicator: Indicator, kind: Kind) -> None:
        formula, measures = indicator.parsed, self.catalog.measures
        for level in indicator.levels:
            if kind == "day" and level == Level.VILLAGE:
                continue
            depth = level.depth
            sides = [self._side(side, depth) for side in (formula.numerator, formula.denominator) if side]
            self.rows["wanted"].append(
                {
                    "indicator": indicator.code,
                    "depth": depth,
                    "numerator_id": sides[0],
                    "denominator_id": sides[1] if formula.denominator else None,
                    "factor": formula.factor,
                    "is_annualised": bool(indicator.annualised),
                    "counts_submissions": any(
                        not is_stock(term, measures) and not isinstance(term, Divisions | Reporting)
                        for term in formula.terms()
                    ),
                    "spans_days": not is_of_month_end(formula.terms(), measures),
                }
            )

    def _side(self, terms: tuple[Term, ...], depth: int) -> int:
        numbers = [self._term(term, depth) for term in terms]
        if len(numbers) == 1:
            return numbers[0]
        is_new = terms not in self.refs
        number = self.refs.setdefault(terms, len(self.refs) + 1)
        if is_new:
            self.rows["refs"].append(
                _ref(number, "sum", label="、".join(self._label(term) for term in terms))
            )
            self.rows["parts"] += [
                {"ref_id": number, "part_id": part, "parts": len(numbers)} for part in numbers
            ]
        return number

    def _term(self, term: Term, depth: int) -> int:
        is_new = term not in self.refs
        number = self.refs.setdefault(term, len(self.refs) + 1)
        self.needs.add((number, depth))
        if is_new:
            self._look_up(term, number)
        return number

    def _look_up(self, term: Term, number: int) -> None:
        measures, label = self.catalog.measures, self._label(term)
        match term:
            case Figure(name, channel) if measures[name].kind == "stock":
                row = _ref(number, "stock", label=label, stock_cell=self.cells[name, ALL])
            case Figure(name, channel):
                row = _ref(number, "flow", label=label, owing=_mask(measures[name].levels))
                self._cells_of(number, [name], channel)
            case Services(channel):
                row = _ref(number, "flow", label=label, owing=_mask(tuple(Level)))
                self._cells_of(number, self.catalog.services(), channel)
            case Units(levels, conditions):
                names = [each.measure for each in conditions]
                stocks = [name for name in names if measures[name].kind == "stock"]
                row = _ref(
                    number,
                    "unit",
                    label=label,
                    levels=_mask(levels),
                    owing=_mask(levels) if len(stocks) < len(names) else 0,
                    stock_cell=self.cells[stocks[0], ALL] if stocks else None,
                )
                for place, condition in enumerate(conditions, start=1):
                    self.rows["conditions"] += [
                        {
                            "ref_id": number,
                            "depth": level.depth,
                            "number": place,
                            "of": len(conditions),
                            "cell_id": cell,
                            "at_least": condition.at_least,
                            "is_stock": condition.measure in stocks,
                        }
                        for cell in self._own_cells(condition.measure)
                        for level in levels
                    ]
            case Divisions(levels):
                row = _ref(number, "division", label=label, levels=_mask(levels))
            case Reporting(which):
                row = _ref(number, which, label=label)
        self.rows["refs"].append(row)

    def _cells_of(self, number: int, names: list[str], channel: str) -> None:
        for name in names:
            measure = self.catalog.measures[name]
            if channel not in (ALL, *measure.channels):
                continue
            own = self._own_cells(name) if channel == ALL else [self.cells[name, channel]]
            self.rows["cells"].append(
                {"ref_id": number, "cell_id": self.cells[name, channel], "is_own": False}
            )
            self.rows["cells"] += [{"ref_id": number, "cell_id": cell, "is_own": True} for cell in own]

    def _own_cells(self, name: str) -> list[int]:
        return [self.cells[name, channel] for channel in self.catalog.measures[name].channels or (ALL,)]

    def _label(self, term: Term) -> str:
        match term:
            case Figure(name, channel):
                return self.catalog.measures[name].name_zh + self._channel(channel)
            case Services(channel):
                return SERVICES_ZH + self._channel(channel)
            case Units(_, conditions):
                return "、".join(self.catalog.measures[each.measure].name_zh for each in conditions)
            case Divisions(_):
                return "区划数"
            case Reporting(which):
                return REPORTS[which]

    def _channel(self, channel: str) -> str:
        return "" if channel == ALL else f"({self.catalog.channels[channel].name_zh})"


def is_computed(indicator: Indicator, catalog: Catalog, kind: Kind) -> bool:
    """Whether an indicator has figures for a kind of period. The year to date only accompanies what spans days and is
    asked for periods longer than a month."""
    if kind != "to_date":
        return kind in indicator.periods
    return not is_of_month_end(indicator.parsed.terms(), catalog.measures) and bool(
        {"quarter", "year"} & set(indicator.periods)
    )


def _mask(levels: tuple[Level, ...]) -> int:
    return sum(1 << level.depth for level in levels)


def _ref(
    number: int, kind: str, *, label: str, levels: int = 0, owing: int = 0, stock_cell: int | None = None
) -> dict[str, Any]:
    return {
        "ref_id": number,
        "kind": kind,
        "levels": levels,
        "owing": owing,
        "label": label,
        "stock_cell": stock_cell,
    }
