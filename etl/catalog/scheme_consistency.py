"""Whether schemes and evidence fit each other, and the indicators that schemes name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations

from etl.catalog.base import Level
from etl.catalog.scheme import Direction, Evidence, Item, Scheme
from etl.periods import Period

Complaint = tuple[str, str, str]


@dataclass(frozen=True)
class KnownIndicator:
    """What a scheme must know of an indicator: the levels and kinds of period it is computed for, which direction is
    better (None: neither), and its target for a level in a period (None: there is none)."""

    levels: Collection[Level]
    periods: Collection[str]
    direction: Direction | None
    target: Callable[[Level, Period], Decimal | None]


@dataclass(frozen=True)
class Settled:
    """What an item leaves to its indicator, settled for a level and a period."""

    direction: Direction
    target: Decimal | None


class Unsettled(ValueError):
    """An item that cannot be scored as it stands; the message names what is missing and the mend."""


def settle(item: Item, known: KnownIndicator, level: Level, period: Period) -> Settled:
    """Direction and target of an item at a level in a period: its own, else the indicator's. Raises Unsettled."""
    direction = item.direction or known.direction
    if direction is None:
        raise Unsettled("the indicator has no direction: say direction: higher or direction: lower")
    if item.method == "stepped" and len(item.steps) > 1:
        rises = item.steps[0].at < item.steps[-1].at
        if rises != (direction == "higher"):
            raise Unsettled(
                f"direction is {direction}: steps are written from the worst to the best, their values"
                f" {'rising' if direction == 'higher' else 'falling'}"
            )
    if item.method in ("stepped", "rank_percentile"):
        return Settled(direction, None)
    target = known.target(level, period) if item.target is None else item.target
    if target is None:
        raise Unsettled(
            f"method {item.method} needs a target, and the indicator has none for level {level} in {period.name}:"
            " add the key target, or leave the level out of the key levels"
        )
    if item.method == "target_ratio" and (target < 0 or (target == 0 and direction == "higher")):
        raise Unsettled(f"a target above 0 was expected for method target_ratio, not {target}")
    if item.floor is not None and target == item.floor:
        raise Unsettled(f"target and floor are both {target}: nothing lies between them")
    if item.floor is not None and (target > item.floor) != (direction == "higher"):
        beyond = "above" if direction == "higher" else "below"
        raise Unsettled(
            f"direction is {direction}: a target {beyond} the floor {item.floor} was expected, not {target}"
        )
    return Settled(direction, target)


def scheme_contradictions(
    schemes: Mapping[str, Scheme], evidence: Mapping[str, Evidence]
) -> Iterator[Complaint]:
    """Versions that overlap, evidence for what is never evaluated, and evidence that counts twice."""
    for one, other in combinations(schemes.values(), 2):
        if one.code == other.code and _overlap(one, other):
            lasts = f"from {one.valid_from} to {one.valid_to or 'further notice'}"
            words = f"key valid_from: version {one.id} of {one.code} is in force {lasts}: end it before (valid_to)."
            yield "schemes", other.id, words
    for each in evidence.values():
        period = Period.parse(each.period)
        versions = [scheme for scheme in schemes.values() if scheme.code == each.scheme]
        if not versions:
            codes = {scheme.code for scheme in schemes.values()}
            yield (
                "evidence",
                each.id,
                f"key scheme names {each.scheme}, which is not declared.{_meant(each.scheme, codes)}",
            )
        elif not any(scheme.is_in_force(period) for scheme in versions):
            yield "evidence", each.id, f"key period: {each.scheme} does not evaluate {each.period}."
    for first, second in combinations(evidence.values(), 2):
        same = ("scheme", "division", "period", "kind", "sha256")
        if all(getattr(first, key) == getattr(second, key) for key in same):
            yield "evidence", second.id, f"counts the file of {first.id} once more: delete one of them."


def item_contradictions(
    schemes: Mapping[str, Scheme], known: Mapping[str, KnownIndicator]
) -> Iterator[Complaint]:
    """Items whose indicator is unknown, is not computed at a level, or lacks what the method needs."""
    for scheme in schemes.values():
        for item in scheme.items:
            for words in _item_contradictions(scheme, item, known):
                yield "schemes", scheme.id, f"item {item.indicator}: {words}"


def _item_contradictions(scheme: Scheme, item: Item, known: Mapping[str, KnownIndicator]) -> Iterator[str]:
    indicator = known.get(item.indicator)
    if indicator is None:
        yield f"the indicator is not declared.{_meant(item.indicator, known)}"
        return
    idle = [kind for kind in scheme.periods if kind not in indicator.periods]
    if idle:
        known_for = ", ".join(indicator.periods)
        yield f"the indicator is not computed for a {' or '.join(idle)}, but for: {known_for}. Leave it out."
        return
    first = Period.around(scheme.periods[0], scheme.valid_from)
    for level in scheme.levels_of(item):
        if level not in indicator.levels:
            yield (
                f"the indicator does not apply to level {level}, but to {', '.join(indicator.levels)}:"
                " name the item's levels (key levels)."
            )
            continue
        try:
            settle(item, indicator, level, first)
        except Unsettled as error:
            yield f"{error}."
            return


def _overlap(one: Scheme, other: Scheme) -> bool:
    ends = (one.valid_to or date.max, other.valid_to or date.max)
    return max(one.valid_from, other.valid_from) <= min(ends)


def _meant(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""
