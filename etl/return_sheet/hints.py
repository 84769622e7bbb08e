"""Hints: where one changed cell would satisfy the balance checks that a submission breaks."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from etl.catalog import AtMost, Catalog, SenderTotal, SumEquals
from etl.sources import Reading

Cell: TypeAlias = tuple[str, str]
"""Measure and channel, by their codes."""
MOST_HINTS = 3
MOST_FIGURES = 20_000
"""In a workbook with more figures, no cell is looked for that would mend a total of the whole file."""


@dataclass(frozen=True)
class Hint:
    """Words for the sender; rows (row_number of the reading) and places of sums that the broken checks compare."""

    words: tuple[str, ...]
    rows: frozenset[int]
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Balance:
    """parts sum to (or are at most) whole; a whole that is no cell is a sum the sender wrote at a place."""

    title: str
    parts: tuple[Cell, ...]
    whole: Cell | float
    is_bound: bool
    place: str = ""

    def stated(self, figures: Mapping[Cell, float]) -> float:
        return figures[self.whole] if isinstance(self.whole, tuple) else self.whole

    def holds(self, figures: Mapping[Cell, float]) -> bool:
        total, stated = sum(figures[part] for part in self.parts), self.stated(figures)
        return not total > stated if self.is_bound else total == stated

    def cells(self) -> tuple[Cell, ...]:
        return (*self.parts, self.whole) if isinstance(self.whole, tuple) else self.parts

    def mended(self, figures: Mapping[Cell, float]) -> Iterator[tuple[Cell, float]]:
        """Each cell with the value that would satisfy this balance alone."""
        known = {cell: 0.0 if math.isnan(figures[cell]) else figures[cell] for cell in self.cells()}
        total = sum(known[part] for part in self.parts)
        stated = known[self.whole] if isinstance(self.whole, tuple) else self.whole
        for part in self.parts:
            yield part, known[part] + stated - total
        if isinstance(self.whole, tuple):
            yield self.whole, total


def find_hints(reading: Reading, catalog: Catalog, held: Collection[int] = ()) -> dict[int, Hint]:
    """Hints by submission of the reading, -1 for the whole file; a submission in balance has none.

    held: row_numbers that are held back for another reason; their values count as not known.

    Rules: the critical checks of the catalogue (domain.md section 2, ruling 13). A change is named only when after it
    every check of the submission holds. First come changes that mend the file's own total too, then slips of the hand
    (a digit typed twice, two changed places, a zero too many).
    """
    figures, rows = _figures(reading, catalog, held)
    columns: dict[Cell, float] = {}
    for mine in figures.values():
        for cell, value in mine.items():
            columns[cell] = columns.get(cell, 0.0) + value
    of_file = list(_totals(reading, -1, columns, catalog))
    lacking = {
        balance.parts[0]: balance.stated(columns) - columns[balance.parts[0]]
        for balance in of_file
        if len(balance.parts) == 1
    }
    hints = {}
    for submission, mine in figures.items():
        balances = [*_checks(mine, catalog), *_totals(reading, submission, mine, catalog)]
        hint = _hint(mine, balances, lacking, rows[submission], catalog)
        if hint:
            hints[submission] = hint
    whole_file = _file_hint(reading, figures, columns, of_file, catalog)
    if whole_file:
        hints[-1] = whole_file
    return hints


def is_slip(written: float, meant: float) -> bool:
    """Whether one number is the other with a digit wrong, twice, left out or out of place, or a zero too many."""
    if math.isnan(written):
        return True
    one, other = f"{written:.0f}", f"{meant:.0f}"
    if len(one) == len(other):
        wrong = [at for at in range(len(one)) if one[at] != other[at]]
        swapped = len(wrong) == 2 and one[wrong[0]] == other[wrong[1]] and one[wrong[1]] == other[wrong[0]]
        return swapped or (len(wrong) == 1 and len(one) > 1)
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return len(longer) - len(shorter) == 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )


def _figures(
    reading: Reading, catalog: Catalog, held: Collection[int]
) -> tuple[dict[int, dict[Cell, float]], dict[int, dict[Cell, int]]]:
    """Value and row_number of each cell; a submission with one that stands twice, differing, is left out."""
    figures: dict[int, dict[Cell, float]] = {}
    numbers: dict[int, dict[Cell, int]] = {}
    doubtful: set[int] = set()
    known = {measure.code for measure in catalog.daily_measures()}
    rows = reading.rows[reading.rows["measure"].isin(known) & reading.rows["problem"].isna()]
    columns = (rows[name].tolist() for name in ("submission", "measure", "channel", "value", "row_number"))
    for submission, measure, channel, value, number in zip(*columns, strict=True):
        mine = figures.setdefault(submission, {})
        value = math.nan if number in held else value
        if (measure, channel) in mine and mine[measure, channel] != value:
            doubtful.add(submission)
        mine[measure, channel] = value
        numbers.setdefault(submission, {}).setdefault((measure, channel), number)
    return {key: mine for key, mine in figures.items() if key not in doubtful}, numbers


def _checks(figures: Mapping[Cell, float], catalog: Catalog) -> Iterator[_Balance]:
    for check in catalog.checks.values():
        if check.severity != "critical":
            continue
        for channel in {channel for _, channel in figures}:
            if isinstance(check, SumEquals):
                parts = tuple((part, channel) for part in check.parts if (part, channel) in figures)
                if parts and (check.whole, channel) in figures:
                    title = check.message_zh.replace("不等于", "应等于")
                    yield _Balance(title, parts, (check.whole, channel), is_bound=False)
            elif isinstance(check, AtMost) and {(check.part, channel), (check.whole, channel)} <= set(
                figures
            ):
                names = catalog.measures[check.part].name_zh, catalog.measures[check.whole].name_zh
                title = f"{names[0]}应不大于{names[1]}"
                yield _Balance(title, ((check.part, channel),), (check.whole, channel), is_bound=True)


def _totals(
    reading: Reading, submission: int, figures: Mapping[Cell, float], catalog: Catalog
) -> Iterator[_Balance]:
    """The sums that the sender gives: of this submission, or of the whole file for -1."""
    if not any(isinstance(check, SenderTotal) for check in catalog.checks.values()):
        return
    unread = reading.rows.loc[reading.rows["problem"].notna(), "submission"]
    if len(unread) if submission < 0 else submission in set(unread):
        return
    for total in reading.totals[reading.totals["submission"] == submission].itertuples():
        measure = total.measure if isinstance(total.measure, str) else None
        channel = total.channel if isinstance(total.channel, str) else None
        parts = tuple(
            cell
            for cell in figures
            if (cell[0] == measure if measure else catalog.measures[cell[0]].kind != "survey")
            and channel in (None, cell[1])
        )
        what = (
            f"{_name(catalog, measure) or '各指标'}{f'（{_channel(catalog, channel)}）' if channel else ''}"
        )
        yield _Balance(f"{what}合计应等于各行之和", parts, float(str(total.total)), False, str(total.place))


def _hint(
    figures: dict[Cell, float],
    balances: list[_Balance],
    lacking: Mapping[Cell, float],
    numbers: Mapping[Cell, int],
    catalog: Catalog,
) -> Hint | None:
    """lacking: what the file's total of a cell has more than its rows."""
    broken = [balance for balance in balances if not balance.holds(figures)]
    if not broken:
        return None
    found: dict[tuple[str, float], tuple[int, str]] = {}
    for balance in broken:
        for cell, value in balance.mended(figures):
            if not 0 <= value <= catalog.measures[cell[0]].ceiling or value % 1:
                continue
            changed = {**figures, cell: value}
            if all(each.holds(changed) for each in balances):
                rank = 2 if not is_slip(figures[cell], value) else 1
                if lacking.get(cell):
                    rank = 0 if lacking[cell] == value - figures[cell] else 3
                name = f"“{_name(catalog, cell[0])}”（{_channel(catalog, cell[1])}）"
                found[name, value] = rank, f"{balance.title}：若{name}改为 {value:.0f} 即平衡"
        if not isinstance(balance.whole, tuple) and len(broken) == 1:
            total = sum(figures[part] for part in balance.parts)
            if not math.isnan(total):
                name = f"合计（{balance.place}）"
                rank = 1 if is_slip(balance.whole, total) else 2
                found[name, total] = rank, f"{balance.title}：若{name}改为 {total:.0f} 即平衡"
    best = sorted(found.values(), key=lambda each: each[0])
    is_certain = bool(best) and best[0][0] == 0
    words = [words for rank, words in best if rank == 0 or not is_certain]
    cells = {cell for balance in broken for cell in balance.cells()}
    places = tuple(balance.place for balance in broken if balance.place)
    return Hint(tuple(words[:MOST_HINTS]), frozenset(numbers[cell] for cell in cells), places)


def _file_hint(
    reading: Reading,
    figures: Mapping[int, Mapping[Cell, float]],
    columns: Mapping[Cell, float],
    of_file: Iterable[_Balance],
    catalog: Catalog,
) -> Hint | None:
    """For sums of a whole file: the sum that would fit, and the one cell whose slip of the hand would explain it."""
    words: list[str] = []
    places: list[str] = []
    for balance in of_file:
        total = sum(columns[part] for part in balance.parts)
        if math.isnan(total) or balance.holds(columns):
            continue
        places.append(balance.place)
        words.append(f"{balance.title}：各行之和为 {total:.0f}，若合计（{balance.place}）改为该数即平衡")
        slips = list(_slips(figures, balance, reading, total, catalog))
        if len(slips) == 1:
            words.insert(0, f"{balance.title}：若 {slips[0]} 即平衡")
    return Hint(tuple(words[: MOST_HINTS * 2]), frozenset(), tuple(places)) if words else None


def _slips(
    figures: Mapping[int, Mapping[Cell, float]],
    balance: _Balance,
    reading: Reading,
    total: float,
    catalog: Catalog,
) -> Iterator[str]:
    if isinstance(balance.whole, tuple) or len(reading.figures) > MOST_FIGURES:
        return
    units = reading.submissions["unit"].tolist()
    for submission, mine in figures.items():
        for cell in balance.parts:
            if cell not in mine:
                continue
            value = mine[cell] + balance.whole - total
            changed = {**mine, cell: value}
            fits = 0 <= value <= catalog.measures[cell[0]].ceiling and is_slip(mine[cell], value)
            if fits and all(each.holds(changed) for each in _checks(changed, catalog)):
                yield (
                    f"{units[submission]} 的“{_name(catalog, cell[0])}”（{_channel(catalog, cell[1])}）"
                    f"由 {mine[cell]:.0f} 改为 {value:.0f}"
                )


def _name(catalog: Catalog, measure: str | None) -> str:
    if measure is None:
        return ""
    return catalog.measures[measure].name_zh if measure in catalog.measures else measure


def _channel(catalog: Catalog, channel: str) -> str:
    return catalog.channels[channel].name_zh if channel in catalog.channels else channel


def words_of(hints: Iterable[Hint]) -> str:
    """The hints in one line."""
    return "；".join(dict.fromkeys(words for hint in hints for words in hint.words))
