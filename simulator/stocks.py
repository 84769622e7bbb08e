"""What units keep at a month's end: a pure function of seed, unit and month.

Every unit has its luck for every stock, once and for all; with the months more units fulfil a condition and counts grow
slowly. Sized on domain.md (Shandong: 63,000 villages with a counsel, 14,000 counsels) where it says something.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etl.catalog import Measure
from simulator.rates import Part
from simulator.world import World, generator


class Condition(NamedTuple):
    """A yes or no: the share of units that say yes."""

    share: float


class Count(NamedTuple):
    """A number, by the villages in the unit: how many there are to each of them."""

    per_village: float


STOCKS: dict[str, Condition | Count | Part] = {
    "population": Count(1_640.0),
    "platform_built": Condition(0.96),
    "platform_standardised": Part("platform_built", 0.8),
    "hotline_247": Condition(0.9),
    "online_item": Count(0.3),
    "online_item_enabled": Part("online_item", 0.92),
    "village_with_counsel": Condition(0.98),
    "law_savvy_person": Count(4.0),
    "rule_of_law_leader": Count(1.5),
    "culture_site": Count(1.2),
    "lawyer": Count(0.65),
    "public_lawyer": Count(0.1),
    "company_lawyer": Count(0.05),
    "counsel_lawyer": Count(0.22),
    "notary": Count(0.02),
    "forensic_examiner": Count(0.04),
    "arbitrator": Count(0.1),
    "grassroots_worker": Count(0.1),
    "mediator": Count(5.0),
    "mediator_full_time": Part("mediator", 0.3),
    "mediation_committee": Condition(0.97),
    "mediation_committee_standardised": Part("mediation_committee", 0.85),
    "legal_aid_in_budget": Condition(1.0),
    "legal_aid_agency": Condition(1.0),
    "judicial_office_staff": Count(0.15),
    "judicial_office_purchased_staff": Part("judicial_office_staff", 0.4),
    "counsel_fund": Count(3_000.0),
    "demo_village_district": Condition(0.3),
    "demo_village_city": Part("demo_village_district", 0.4),
    "demo_village_province": Part("demo_village_city", 0.3),
    "demo_village_national": Part("demo_village_province", 0.2),
    "forensic_institution": Count(0.012),
    "forensic_institution_standardised": Part("forensic_institution", 0.5),
    "high_level_forensic_institution": Part("forensic_institution", 0.2),
    "pretraining_required": Count(0.1),
    "pretraining_attended": Part("pretraining_required", 0.9),
    "town_without_law_office": Condition(0.35),
    "party_government_organ": Count(1.0),
    "organ_with_public_lawyer": Part("party_government_organ", 0.8),
    "school": Count(0.3),
    "school_with_vice_principal": Part("school", 0.9),
}
"""How each stock is drawn; one that is not here is a condition of 90 % or a few, as its ceiling is 1 or more."""
FEW = 2.0
GROWTH = 0.002
"""By so much counts and shares grow a month."""
FIRST_MONTH = 2024 * 12
LUCKS = 64


def stocks(world: World, last_day: date, units: Collection[str]) -> dict[str, dict[str, int]]:
    """What each of the units keeps at the month's end: every stock that its level reports, zeros too, by code."""
    month = last_day.year * 12 + last_day.month - 1 - FIRST_MONTH
    villages = _villages(world)
    found: dict[str, dict[str, int]] = {}
    for level in dict.fromkeys(world.level[unit] for unit in units):
        codes = [unit for unit in units if world.level[unit] == level]
        size = np.array([villages.get(code, 1) for code in codes], dtype=np.float64)
        luck = {code: _luck(world.seed, code) for code in codes}
        declared = world.catalog.measures_of("stocks")
        measures = [each for each in declared if level in each.levels]
        columns: dict[str, NDArray[np.int64]] = {}
        for measure in _wholes_first(measures):
            place = declared.index(measure) % LUCKS
            chance = np.array([luck[code][place] for code in codes])
            columns[measure.code] = _values(measure, size, chance, month, columns)
        for row, code in enumerate(codes):
            found[code] = {measure.code: int(columns[measure.code][row]) for measure in measures}
    return found


def _values(
    measure: Measure,
    size: NDArray[np.float64],
    chance: NDArray[np.float64],
    month: int,
    columns: dict[str, NDArray[np.int64]],
) -> NDArray[np.int64]:
    rule = STOCKS.get(measure.code) or (Condition(0.9) if measure.ceiling == 1 else None)
    if isinstance(rule, Part) and rule.whole in columns:
        whole = columns[rule.whole]
        if measure.ceiling == 1:
            return whole * (chance < min(1.0, rule.share + GROWTH * month)).astype(np.int64)
        return np.floor(whole * np.minimum(1.0, rule.share + 0.2 * (chance - 0.5))).astype(np.int64)
    if isinstance(rule, Condition):
        return (chance < min(1.0, rule.share + GROWTH * month)).astype(np.int64)
    mean = size * rule.per_village if isinstance(rule, Count) else np.full(len(size), FEW)
    grown = mean * (0.6 + 0.8 * chance) * (1 + GROWTH * month)
    return np.minimum(np.rint(grown), measure.ceiling).astype(np.int64)


def _wholes_first(measures: list[Measure]) -> list[Measure]:
    """Parts after their wholes, whatever order they are declared in."""
    known = {each.code for each in measures}

    def depth(code: str) -> int:
        rule = STOCKS.get(code)
        return 1 + depth(rule.whole) if isinstance(rule, Part) and rule.whole in known else 0

    return sorted(measures, key=lambda each: depth(each.code))


def _luck(seed: int, unit: str) -> NDArray[np.float64]:
    return generator(seed, "stock", int(unit)).random(LUCKS)


def _villages(world: World) -> dict[str, int]:
    """Villages in each division."""
    villages: dict[str, int] = {}
    for code, level in world.level.items():
        unit: str | None = code if level == "village" else None
        while unit is not None:
            villages[unit] = villages.get(unit, 0) + 1
            unit = world.parent.get(unit)
    return villages
