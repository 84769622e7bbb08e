"""Compare: what happened between the divisions in force and a new list. The code joins; where it changed, name, level
and parent together do, and never a name alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from etl.divisions.division_list import DEPTH
from etl.divisions.infer import Division, Guess, infer
from etl.divisions.mapping import ONE_TO_ONE, Stated

TAKEN_FROM = 0.8
"""Confidence from which an inferred change moves figures; one below it is only proposed, for a mapping to state."""


class Change(NamedTuple):
    """One change of one division. `share`: the part of its earlier figures that counts for to_code, None where they
    stay; `origin`: listed, stated or inferred. A code that the kind does not have is ''."""

    kind: str
    level: str
    from_code: str
    to_code: str
    share: Decimal | None
    origin: str
    confidence: float
    is_taken: bool
    reason: str


@dataclass(frozen=True)
class Before:
    """Divisions in force on the eve of the list, and by code the last names of those in force only earlier."""

    divisions: Mapping[str, Division]
    gone: Mapping[str, str] = field(default_factory=dict)


def compare(before: Before, new: Mapping[str, Division], stated: Iterable[Stated] = ()) -> list[Change]:
    """All changes, from the highest level down, in the order of codes. What is stated stands instead of what would be
    inferred. Every division that is gone hands its figures on: to its successors or, where none is known, to the
    nearest division above it that is left, so that no total changes.
    """
    old = before.divisions
    fates = list(stated)
    guesses = infer(old, new, fates, before.gone)
    carried = {each.from_code: each.to_code for each in fates if _hands_on(each) and each.kind != "split"}
    carried |= {each.from_code: each.to_code for each in guesses if _is_taken(each)}
    decided = set(carried) | {each.from_code for each in fates if each.kind == "split"}
    reached = set(carried.values()) | {each.to_code for each in fates if each.kind != "added"}
    renamed = {each.from_code for each in fates if each.from_code == each.to_code and each.kind != "split"}
    changes = [
        *_stated_changes(fates, old, new),
        *(
            Change(
                guess.kind,
                old[guess.from_code].level,
                guess.from_code,
                guess.to_code,
                guess.share,
                "inferred",
                guess.confidence,
                _is_taken(guess),
                guess.reason,
            )
            for guess in guesses
        ),
        *_listed_changes(old, new, carried, renamed),
        *_removed(old, new, carried, decided, fates),
        *_added(old, new, reached, before.gone, fates),
    ]
    return sorted(
        changes, key=lambda each: (DEPTH[each.level], each.from_code or each.to_code, each.kind, each.to_code)
    )


def _is_taken(guess: Guess) -> bool:
    return guess.kind != "split" and guess.confidence >= TAKEN_FROM


def _hands_on(each: Stated) -> bool:
    return each.kind == "split" or (each.kind in (*ONE_TO_ONE, "merged") and each.from_code != each.to_code)


def _stated_changes(
    fates: Iterable[Stated], old: Mapping[str, Division], new: Mapping[str, Division]
) -> Iterable[Change]:
    for each in fates:
        if each.kind in ("removed", "added"):
            continue
        share = (each.share or Decimal(1)) if _hands_on(each) else None
        words = each.note or "stated in the mapping"
        yield Change(
            each.kind,
            old[each.from_code].level,
            each.from_code,
            each.to_code,
            share,
            "stated",
            1.0,
            True,
            words,
        )


def _listed_changes(
    old: Mapping[str, Division],
    new: Mapping[str, Division],
    carried: Mapping[str, str],
    stated: Collection[str],
) -> Iterable[Change]:
    """Divisions that keep their code and show otherwise."""
    for code, now in new.items():
        was = old.get(code)
        if was is None or was == now or code in stated:
            continue

        def change(kind: str, words: str, level: str = now.level, code: str = code) -> Change:
            return Change(kind, level, code, code, None, "listed", 1.0, True, words)

        if was.name != now.name:
            yield change("renamed", f"{was.name} is now {now.name}")
        if was.parent != now.parent and carried.get(was.parent, was.parent) != now.parent:
            yield change("moved", f"from below {was.parent or 'nothing'} to below {now.parent or 'nothing'}")
        if was.level != now.level:
            yield change("relevelled", f"{was.level} is now {now.level}")


def _removed(
    old: Mapping[str, Division],
    new: Mapping[str, Division],
    carried: Mapping[str, str],
    decided: Collection[str],
    fates: Iterable[Stated],
) -> Iterable[Change]:
    notes = {each.from_code: each for each in fates if each.kind == "removed"}
    for code, was in old.items():
        if code in new or code in decided:
            continue
        heir = was.parent
        while heir and heir not in new and heir not in carried:
            heir = old[heir].parent if heir in old else ""
        heir = carried.get(heir, heir) if heir not in new else heir
        words = f"{was.name} is not in the list; its earlier figures stay with {heir or 'nobody'}"
        stated = notes.get(code)
        if stated is not None and stated.note:
            words = f"{words}: {stated.note}"
        yield Change(
            "removed", was.level, code, heir, Decimal(1), "stated" if stated else "listed", 1.0, True, words
        )


def _added(
    old: Mapping[str, Division],
    new: Mapping[str, Division],
    reached: Collection[str],
    gone: Mapping[str, str],
    fates: Iterable[Stated],
) -> Iterable[Change]:
    notes = {each.to_code: each.note for each in fates if each.kind == "added"}
    for code, now in new.items():
        if code in gone:
            words = f"{now.name} was in an earlier list as {gone[code]}: the same division"
            yield Change("returned", now.level, code, code, None, "listed", 1.0, True, words)
        elif code not in old and code not in reached:
            words = ": ".join(filter(None, (f"{now.name} is new", notes.get(code))))
            origin = "stated" if code in notes else "listed"
            yield Change("added", now.level, "", code, None, origin, 1.0, True, words)
