"""The terms of an evaluation: a scheme with everything settled that it leaves to indicators, for one period."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from etl.catalog.base import Level
from etl.catalog.scheme import Evidence, Item, Scheme
from etl.catalog.scheme_consistency import KnownIndicator, Unsettled, settle
from etl.failures import Refused
from etl.periods import Period

KEPT = ("id", "division", "kind", "points", "reason", "file", "sha256")


class EvaluationError(Refused):
    """A period that cannot be evaluated as things stand; the message says why and what to do."""


@dataclass(frozen=True)
class Terms:
    """rules: one per indicator and level (columns: mart.evaluation_rule). evidence: what is declared for the period."""

    scheme: Scheme
    rules: list[dict[str, Any]]
    evidence: list[dict[str, Any]]

    def content(self) -> str:
        """All that a score depends on beside the figures, as JSON that is the same for the same terms."""
        return canonical(
            {
                "scheme": self.scheme.code,
                "version": self.scheme.id,
                "most_bonus": str(self.scheme.most_bonus),
                "grades": self.grades(),
                "rules": self.rules,
                "evidence": self.evidence,
            }
        )

    def grades(self) -> list[dict[str, Any]]:
        """Grades with their thresholds, in points."""
        return [grade.model_dump(mode="json") for grade in self.scheme.grades]


def terms_for(
    scheme: Scheme, evidence: Iterable[Evidence], known: Mapping[str, KnownIndicator], period: Period
) -> Terms:
    """The scheme's terms for a period. Raises EvaluationError where the indicators leave an item without its target."""
    rules = [
        _rule(scheme, item, position, level, known, period)
        for position, item in enumerate(scheme.items, start=1)
        for level in scheme.levels
    ]
    counted = [
        each.model_dump(mode="json", include=set(KEPT))
        for each in sorted(evidence, key=lambda each: each.id)
        if each.scheme == scheme.code and each.period == period.name
    ]
    return Terms(scheme, rules, counted)


def canonical(content: Any) -> str:
    """JSON in which equal content is written in the same way."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _rule(
    scheme: Scheme,
    item: Item,
    position: int,
    level: Level,
    known: Mapping[str, KnownIndicator],
    period: Period,
) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "level": level.value,
        "indicator": item.indicator,
        "position": position,
        "category": item.category,
        "aspect": item.aspect,
        "weight": str(item.weight),
        "method": item.method,
        "missing": scheme.missing,
        "applies": level in scheme.levels_of(item),
    }
    if not rule["applies"]:
        return rule
    if item.indicator not in known:
        raise EvaluationError(f"Scheme {scheme.id}: the indicator {item.indicator} is not declared.")
    try:
        settled = settle(item, known[item.indicator], level, period)
    except Unsettled as error:
        raise EvaluationError(f"Scheme {scheme.id}, item {item.indicator}: {error}.") from None
    return rule | {
        "is_lower_better": settled.direction == "lower",
        "target": None if settled.target is None else str(settled.target),
        "floor": None if item.floor is None else str(item.floor),
        "cap": str(item.cap),
        "lowest": str(item.lowest),
        "highest": str(item.highest),
        "steps": [step.model_dump(mode="json") for step in item.steps],
    }
