"""Mapping: what an office states about changed divisions, in a CSV file of kind,from_code,to_code,share,note."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from etl.divisions.division_list import DivisionListError, read_text_table

COLUMNS = ["kind", "from_code", "to_code", "share", "note"]
ONE_TO_ONE = ("renamed", "recoded", "moved")
KINDS = (*ONE_TO_ONE, "merged", "split", "removed", "added")


@dataclass(frozen=True)
class Stated:
    """One line of a mapping; a code that the kind does not have is ''."""

    line: int
    kind: str
    from_code: str
    to_code: str
    share: Decimal | None
    note: str


def read_mapping(file: Path, before: Collection[str], after: Collection[str]) -> list[Stated]:
    """Read and check a mapping between the divisions in force before and those of the new list.

    renamed, recoded, moved: one division goes on under a new code. merged: counts for to_code, with others. split: one
    line per part, shares adding up to 1; to_code may be from_code itself. removed: no successor. added: no predecessor.
    Raises DivisionListError naming file and line.
    """
    table = read_text_table(file, COLUMNS)
    stated = []
    for line, (kind, from_code, to_code, share, note) in enumerate(table.itertuples(index=False), start=2):
        problem = _problem(kind, from_code, to_code, share, before, after)
        if problem:
            raise DivisionListError(f"{file}: line {line}: {problem}. Nothing was loaded.")
        stated.append(Stated(line, kind, from_code, to_code, Decimal(share) if share else None, note))
    _check_together(file, stated)
    return stated


def _problem(
    kind: str, from_code: str, to_code: str, share: str, before: Collection[str], after: Collection[str]
) -> str | None:
    """What is wrong with a line by itself."""
    if kind not in KINDS:
        return f"the kind {kind!r} is none of {', '.join(KINDS)}"
    if (from_code == "") != (kind == "added"):
        return f"{kind} needs {'no' if kind == 'added' else 'a'} from_code"
    if (to_code == "") != (kind == "removed"):
        return f"{kind} needs {'no' if kind == 'removed' else 'a'} to_code"
    if from_code and from_code not in before:
        return f"{from_code} was not in force before the list"
    if to_code and to_code not in after:
        return f"{to_code} is not in the new list"
    if kind == "added" and to_code in before:
        return f"{to_code} was in force before"
    if kind not in ("split", "added") and from_code in after and from_code != to_code:
        return f"{from_code} is in the new list still; only a split can share its figures out"
    if kind in ("recoded", "moved") and to_code in before and from_code != to_code:
        return f"{to_code} was in force before; write merged, if {from_code} became a part of it"
    if kind == "merged" and from_code == to_code:
        return f"{from_code} cannot be merged into itself"
    return _share_problem(kind, share)


def _share_problem(kind: str, share: str) -> str | None:
    if kind != "split":
        return "only a split has a share" if share else None
    try:
        is_share = 0 < Decimal(share) <= 1
    except InvalidOperation:
        is_share = False
    return None if is_share else f"the share {share!r} is not a number above 0 and up to 1, such as 0.6"


def _check_together(file: Path, stated: list[Stated]) -> None:
    """One code has one fate: one line, or the parts of a split with shares that add up to 1."""
    fates: dict[str, list[Stated]] = {}
    for each in stated:
        fates.setdefault(each.from_code or f"added {each.to_code}", []).append(each)
    for code, lines in fates.items():
        where = ", ".join(str(each.line) for each in lines)
        if {each.kind for each in lines} == {"split"}:
            total = sum(each.share or Decimal(0) for each in lines)
            if total != 1:
                raise DivisionListError(
                    f"{file}: lines {where}: the shares of {code} add up to {total}, not to 1. Nothing was loaded."
                )
            if len({each.to_code for each in lines}) < len(lines):
                raise DivisionListError(
                    f"{file}: lines {where}: a part of {code} stands twice. Nothing was loaded."
                )
        elif len(lines) > 1:
            raise DivisionListError(
                f"{file}: lines {where}: {code} has more than one fate. Nothing was loaded."
            )
