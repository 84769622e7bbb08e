"""From what a reader found to a `Reading`: masked, numbered, every text dictionary-encoded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np

from etl.sources.base import LONGEST_WORDS, Reading, Unreadable, plain
from etl.sources.columns import Rows, Senders, Texts, Total
from etl.sources.personal import any_personal, find_personal, mask

_LONGEST_TIME = 100
"""Characters of 填报时间 that are kept: it is the only text of a sender that is loaded as it stands."""
_MAX_ROWS = 1_000_000
"""A city whose every village reports every measure in every channel stays below."""
_TOO_MANY = f"超过 {_MAX_ROWS:,} 个数，整份退回"
_MAX_SENT = 1_000
"""So often may one batch hold the same revision of a unit: they are numbered in the warehouse."""
_MAY_BE_PERSONAL = 1e10
"""Whole numbers from here on have the eleven digits of a mobile number; broken ones may, with a point among them."""

Line: TypeAlias = tuple[int, str, int, str, int]
"""Where figures stood: submission, part, line, day, and how many there are of it."""


@dataclass(slots=True)
class Submission:
    """One unit's figures for one day, as found. received_at is UTC, None when the stamp cannot be read."""

    unit: str
    date: str
    revision: int
    received_at: datetime | None
    filled_at: str | None = None
    is_nil: bool = False
    personal: bool = False


@dataclass
class Draft:
    """Collects what a reader finds, line by line; `reading` makes the columns. Raises Unreadable when there is too
    much."""

    submissions: list[Submission] = field(default_factory=list)
    notes: list[tuple[int, str, str]] = field(default_factory=list)
    searched: set[str] = field(default_factory=set)
    """Texts that a reader has found to hold no personal data."""
    _lines: list[Line] = field(default_factory=list)
    _measures: list[str] = field(default_factory=list)
    _channels: list[str] = field(default_factory=list)
    _values: list[float] = field(default_factory=list)
    _columns: list[int] = field(default_factory=list)
    _texts: dict[int, str] = field(default_factory=dict)
    _problems: dict[int, str] = field(default_factory=dict)
    _totals: list[Total] = field(default_factory=list)

    def submit(self, submission: Submission) -> int:
        """The index of a new submission."""
        self.submissions.append(submission)
        return len(self.submissions) - 1

    def figures(
        self,
        lines: Sequence[Line],
        measures: Sequence[str],
        channels: Sequence[str],
        values: Sequence[float],
        columns: Sequence[int] | None = None,
        texts: Mapping[int, str] | None = None,
    ) -> None:
        """The figures of some lines, one after the other. texts: by position, what stood there unless a plain number
        did."""
        if texts:
            start = len(self._values)
            self._texts |= {start + at: text for at, text in texts.items()}
        self._lines += lines
        self._measures += measures
        self._channels += channels
        self._values += values
        self._columns += columns or [0] * len(values)
        if len(self._values) > _MAX_ROWS:
            raise Unreadable(_TOO_MANY)

    def problem(
        self, submission: int, place: tuple[str, int], day: str, text: str, words: str, column: int = 0
    ) -> None:
        """One row for what could not be read into figures; the text is masked before it is shortened."""
        if find_personal(text):
            self.submissions[submission].personal = True
        self._problems[len(self._values)] = words
        line = (submission, *place, day, 1)
        self.figures([line], [""], [""], [math.nan], [column], {0: mask(text)[:500]})

    def total(
        self, submission: int, measure: str | None, channel: str | None, total: float, place: str
    ) -> None:
        """A sum that the sender gives; one that is not a number is noted, not kept."""
        if math.isnan(total):
            self.notes.append((submission, "bad_total", f"{place} 的合计不是数字"))
        else:
            self._totals.append((submission, measure, channel, total, place))

    def reading(self, columns: Rows | None = None) -> Reading:
        """What was found; `columns` holds figures that were read in bulk.

        Every text is masked; a submission that holds personal data is marked.
        """
        sent = Counter((one.unit, one.revision) for one in self.submissions)
        if sent and (most := sent.most_common(1)[0])[1] > _MAX_SENT:
            words = f"单位 {mask(most[0][0])[:64]} 的同一版次出现 {most[1]:,} 次"
            raise Unreadable(f"{words}，超过 {_MAX_SENT:,} 次，整份退回")
        rows = self._rows()
        if columns is not None:
            rows = Rows.join([columns, rows]) if len(rows) else columns
        senders = _senders(self.submissions)
        _mark_personal(rows, senders, self.searched)
        if senders.personal.any():
            rows, senders = rows.masked(), senders.masked()
        senders.filled_at = senders.filled_at.map(lambda text: plain(text, _LONGEST_TIME))
        notes = [(index, code, plain(mask(words), LONGEST_WORDS)) for index, code, words in self.notes]
        return Reading(rows, senders, _masked_totals(self._totals), notes)

    def _rows(self) -> Rows:
        submission, part, line, day, lengths = zip(*self._lines, strict=True) if self._lines else ((),) * 5
        count, counts = len(self._values), np.array(lengths, np.intp)
        return Rows(
            np.repeat(np.array(submission, np.int32), counts),
            np.repeat(np.array(line, np.int32), counts),
            np.array(self._columns, np.int32),
            np.array(self._values, np.float64),
            Texts.encode(part).repeat(counts),
            Texts.encode([self.submissions[index].unit for index in submission]).repeat(counts),
            Texts.encode(day).repeat(counts),
            Texts.encode(self._measures),
            Texts.encode(self._channels),
            Texts.sparse(count, self._texts),
            Texts.sparse(count, self._problems),
        )


def _mark_personal(rows: Rows, senders: Senders, searched: set[str]) -> None:
    """Mark the senders of whom anything holds personal data; a number that is one becomes a text."""
    columns = [*rows.texts().values(), *senders.texts().values()]
    is_broken = np.abs(rows.value - np.rint(rows.value)) > 0
    large = np.flatnonzero(is_broken | (np.abs(rows.value) >= _MAY_BE_PERSONAL))
    if not large.size and not any_personal(set().union(*(column.uniques for column in columns)) - searched):
        return
    found = np.zeros(len(rows), np.bool_)
    for column in rows.texts().values():
        found |= column.personal()
    if large.size:
        numbers = Texts.encode([_digits(value) for value in rows.value[large].tolist()])
        hit = numbers.personal()
        found[large[hit]] = True
        rows.value[large[hit]] = math.nan
        rows.value_text = rows.value_text.put(large[hit], numbers.take(hit))
    senders.personal[rows.submission[found]] = True
    for column in senders.texts().values():
        senders.personal |= column.personal()


def _digits(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else str(value)


def _senders(each: Sequence[Submission]) -> Senders:
    stamps: dict[datetime | None, int] = {}
    received = [stamps.setdefault(one.received_at, len(stamps)) for one in each]
    moments = [stamp and stamp.astimezone(UTC).replace(tzinfo=None) for stamp in stamps]
    return Senders(
        Texts.encode([one.unit for one in each]),
        Texts.encode([one.date for one in each]),
        np.array([one.revision for one in each], np.int64),
        np.array(moments, "datetime64[us]")[received] if each else np.empty(0, "datetime64[us]"),
        Texts.encode([one.filled_at for one in each]),
        np.array([one.is_nil for one in each], np.bool_),
        np.array([one.personal for one in each], np.bool_),
    )


def _masked_totals(totals: list[Total]) -> list[Total]:
    """Their measures and channels masked; places are words of our own."""
    if not any_personal({text for _, *names, _, _ in totals for text in names if text}):
        return totals
    return [
        (index, measure and mask(measure), channel and mask(channel), total, place)
        for index, measure, channel, total, place in totals
    ]
