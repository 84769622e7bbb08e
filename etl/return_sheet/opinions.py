"""Opinions (审核意见): what is wrong with a batch, where it stands in the sender's file, and what would mend it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from etl.catalog import Catalog, Platform
from etl.return_sheet.hints import Hint, find_hints
from etl.sources import SOURCES, Pulled, Reading, Unreadable
from etl.sources.base import plain
from etl.sources.personal import mask

LONGEST_TEXT = 1_000


@dataclass(frozen=True)
class Problem:
    """Something held back: row_number of the reading (0: of the whole file), what stood there, why."""

    row_number: int
    place: str
    unit_code: str
    reason_code: str
    reason: str
    stood: str = ""
    hint: str = ""


SUM = Problem(0, "", "", "balance", "合计与各行之和不符")
"""Said of a sum of the sender's own."""


@dataclass
class Opinion:
    """What is said at one place of the file: part (sheet or file), line, column (0: the whole line)."""

    part: str
    line: int
    column: int
    problem: Problem
    is_in_question: bool = True


@dataclass
class Returned:
    """What one return sheet is made from. sums: places of the sender's sums that the rows do not add up to."""

    pulled: Pulled
    family: str
    opinions: list[Opinion]
    of_file: list[Problem]
    sums: tuple[str, ...] = ()
    listed: list[Problem] = field(default_factory=list)


def problem_of(row: Mapping[Any, Any]) -> Problem:
    """The problem in a line of the quarantine (row_number, place, unit_code, reason_code, reason, raw)."""
    raw = json.loads(row["raw"]) if isinstance(row["raw"], str) else row["raw"]
    code = row["reason_code"]
    stood = raw.get({"date": "date", "measure": "measure", "channel": "channel"}.get(code, "value"))
    if code.startswith("unit"):
        stood = raw.get("unit")
    known = (int(row["row_number"]), row["place"], row["unit_code"], code, row["reason"])
    return Problem(*known, "" if stood is None else str(stood))


def prepare(pulled: Pulled, platform: Platform, catalog: Catalog, problems: Sequence[Problem]) -> Returned:
    """Where each problem stands, which of its cells are in question, and what would mend it."""
    try:
        reading = SOURCES[platform.family].read(platform, catalog, pulled)
        held = {problem.row_number for problem in problems if problem.reason_code != "balance"}
        hints = find_hints(reading, catalog, held)
    except Unreadable:
        return Returned(pulled, platform.family, [], list(problems), (), _grouped(problems))
    opinions, of_file = [], []
    rows = reading.rows[["submission", "part", "line", "column"]].to_numpy(object).tolist()
    for problem in problems:
        if not 1 <= problem.row_number <= len(rows):
            of_file.append(problem)
            continue
        submission, part, line, column = rows[problem.row_number - 1]
        hint = hints.get(submission)
        opinion = Opinion(part, line, column, problem)
        if problem.reason_code == "balance" and (hint or -1 in hints):
            opinion.is_in_question = hint is not None and problem.row_number in hint.rows
        opinions.append(opinion)
    _hint(opinions, reading, hints)
    _place(opinions)
    sums = tuple(place for hint in hints.values() for place in hint.places)
    return Returned(pulled, platform.family, opinions, of_file, sums, _grouped(of_file, opinions))


def _hint(opinions: Iterable[Opinion], reading: Reading, hints: Mapping[int, Hint]) -> None:
    """Give each opinion the hint of its submission, when the checks compare its cell; else that of the file."""
    submissions = reading.rows["submission"].tolist()
    for opinion in opinions:
        number = opinion.problem.row_number
        own = hints.get(submissions[number - 1])
        words: tuple[str, ...] = ()
        if own and (opinion.problem.reason_code == "balance" or number in own.rows):
            words = own.words
        elif opinion.problem.reason_code == "balance" and -1 in hints:
            words = hints[-1].words
        if words:
            opinion.problem = replace(opinion.problem, hint="；".join(words))


def _place(opinions: Iterable[Opinion]) -> None:
    for opinion in opinions:
        where = (
            f"!{xl_col_to_name(opinion.column - 1)}{opinion.line}" if opinion.column else f":{opinion.line}"
        )
        opinion.problem = replace(opinion.problem, place=f"{opinion.part}{where}")


def _grouped(of_file: Sequence[Problem], opinions: Sequence[Opinion] = ()) -> list[Problem]:
    """One line for each unit and reason: a submission held back whole is one matter, not one a figure."""
    groups: dict[tuple[str, str, str], list[Problem]] = defaultdict(list)
    for problem in of_file:
        groups[problem.unit_code, problem.reason_code, problem.reason].append(problem)
    for opinion in sorted(opinions, key=lambda each: not each.is_in_question):
        problem = opinion.problem
        groups[problem.unit_code, problem.reason_code, problem.reason].append(problem)
    listed = []
    for same in groups.values():
        more = f" 等 {len(same)} 处" if len(same) > 1 else ""
        hint = next((problem.hint for problem in same if problem.hint), "")
        stood = same[0].stood if len({problem.stood for problem in same}) == 1 else ""
        listed.append(replace(same[0], place=f"{same[0].place}{more}", stood=stood, hint=hint))
    return listed


def shown(text: str) -> str:
    """A text as it may be written: masked, without what no cell holds, not too long."""
    return plain(mask(text), LONGEST_TEXT)


def words_of(problems: Iterable[Problem]) -> str:
    """Reasons and hints of one line, each once."""
    reasons, hints = [], []
    for problem in problems:
        reasons.append(problem.reason)
        hints.append(f"提示：{problem.hint}" if problem.hint else "")
    return shown("；".join(dict.fromkeys(words for words in (*reasons, *hints) if words)))
