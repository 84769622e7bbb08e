"""From what a reader found to the frames of a `Reading`: masked, numbered, every text dictionary-encoded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from etl.sources.base import LONGEST_WORDS, Reading, Unreadable, plain
from etl.sources.personal import any_personal, find_personal, mask

_LONGEST_TIME = 100
"""Characters of 填报时间 that are kept: it is the only text of a sender that is loaded as it stands."""
_MAX_ROWS = 1_000_000
"""A city whose every village reports every measure in every channel stays below."""
_TOO_MANY = f"超过 {_MAX_ROWS:,} 个数，整份退回"
_MAX_SENT = 1_000
"""So often may one batch hold the same revision of a unit: they are numbered in the warehouse."""
_MAY_BE_PERSONAL = 1e10
"""Numbers from here on have the eleven digits of a mobile number."""


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
class Texts:
    """A dictionary-encoded column of text; code -1 is null."""

    codes: npt.NDArray[np.int32]
    uniques: list[str]

    @classmethod
    def encode(cls, texts: Sequence[str | None]) -> Texts:
        array = pa.array(texts, pa.string()).dictionary_encode()
        return cls(array.indices.fill_null(-1).to_numpy(zero_copy_only=False), array.dictionary.to_pylist())

    def map(self, change: Callable[[str], str | None]) -> Texts:
        """The column with every unique text changed once; equal results become one, None becomes null."""
        changed = Texts.encode([change(text) for text in self.uniques])
        table = np.append(changed.codes, np.int32(-1))
        return Texts(table[self.codes].astype(np.int32), changed.uniques)

    def texts(self) -> list[str | None]:
        """The column as it reads, one text or None for each code."""
        table = [*self.uniques, None]
        return [table[code] for code in self.codes]

    def take(self, where: npt.NDArray[np.bool_]) -> Texts:
        return Texts(self.codes[where], self.uniques)

    def put(self, where: npt.NDArray[np.intp], texts: Texts) -> Texts:
        """The column with other texts at some places."""
        both = self.append(texts)
        codes = both.codes[: len(self.codes)]
        codes[where] = both.codes[len(self.codes) :]
        return Texts(codes, both.uniques)

    def append(self, other: Texts) -> Texts:
        index = {text: code for code, text in enumerate(self.uniques)}
        table = [index.setdefault(text, len(index)) for text in other.uniques]
        codes = np.array([*table, -1], np.int32)[other.codes]
        return Texts(np.concatenate([self.codes, codes]).astype(np.int32), list(index))

    def personal(self) -> npt.NDArray[np.bool_]:
        """Where personal data stands."""
        if not any_personal(self.uniques):
            return np.zeros(len(self.codes), np.bool_)
        return np.array([*map(find_personal, self.uniques), False], np.bool_)[self.codes]

    def categorical(self) -> pd.Categorical:
        return pd.Categorical.from_codes(
            self.codes, categories=pd.Index(self.uniques, dtype="str"), validate=False
        )


_TEXTS = ("part", "unit", "date", "measure", "channel", "value_text", "problem")


@dataclass
class Rows:
    """The figures as columns of one length."""

    submission: npt.NDArray[np.int32]
    line: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    part: Texts
    unit: Texts
    date: Texts
    measure: Texts
    channel: Texts
    value_text: Texts
    problem: Texts

    def append(self, other: Rows) -> Rows:
        return Rows(
            np.concatenate([self.submission, other.submission]),
            np.concatenate([self.line, other.line]),
            np.concatenate([self.column, other.column]),
            np.concatenate([self.value, other.value]),
            *(getattr(self, name).append(getattr(other, name)) for name in _TEXTS),
        )

    def masked(self) -> Rows:
        """The same, every number of a person masked."""
        return replace(self, **{name: getattr(self, name).map(mask) for name in _TEXTS})


@dataclass
class Draft:
    """Collects what a reader finds, figure by figure; `reading` makes the frames. Raises Unreadable when there are
    too many.

    rows columns: submission int32, row_number int32 (from 1), part category, line int32, column int32
    (0 = none), unit, date, measure, channel category, value float64 (NaN = not a number), value_text
    category (null where the value came as a plain number), problem category (words when this row is all
    that could be read).
    submissions columns: submission int32, unit, date str, revision int64 (-1 = unreadable), received_at
    datetime64[us, UTC] (NaT = unreadable), filled_at str or None, is_nil bool, personal bool.
    totals columns: submission int32 (-1 = all of the batch), measure (None = all but the survey), channel
    (None = all), total float64, place str.
    """

    submissions: list[Submission] = field(default_factory=list)
    notes: list[tuple[int, str, str]] = field(default_factory=list)
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _totals: list[tuple[int, str | None, str | None, float, str]] = field(default_factory=list)

    def submit(self, submission: Submission) -> int:
        """The index of a new submission."""
        self.submissions.append(submission)
        return len(self.submissions) - 1

    def figure(
        self,
        submission: int,
        place: tuple[str, int, int],
        day: str,
        measure: str,
        channel: str,
        value: float,
        text: str | None,
    ) -> None:
        """One row. place is part, line and column; text is what stood there unless a plain number did."""
        unit = self.submissions[submission].unit
        self._rows.append((submission, *place, unit, day, measure, channel, value, text, None))
        if len(self._rows) > _MAX_ROWS:
            raise Unreadable(_TOO_MANY)

    def problem(self, submission: int, place: tuple[str, int, int], day: str, text: str, words: str) -> None:
        """One row for what could not be read into figures; the text is masked before it is shortened."""
        if find_personal(text):
            self.submissions[submission].personal = True
        unit = self.submissions[submission].unit
        self._rows.append((submission, *place, unit, day, "", "", math.nan, mask(text)[:500], words))
        if len(self._rows) > _MAX_ROWS:
            raise Unreadable(_TOO_MANY)

    def total(
        self, submission: int, measure: str | None, channel: str | None, total: float, place: str
    ) -> None:
        """A sum that the sender gives; one that is not a number is noted, not kept."""
        if math.isnan(total):
            self.notes.append((submission, "bad_total", f"{place} 的合计不是数字"))
        else:
            self._totals.append((submission, measure, channel, total, place))

    def reading(self, columns: Rows | None = None) -> Reading:
        """The frames; `columns` holds figures that were read in bulk.

        Every text is masked; a submission that holds personal data is marked.
        """
        sent = Counter((one.unit, one.revision) for one in self.submissions)
        if sent and (most := sent.most_common(1)[0])[1] > _MAX_SENT:
            words = f"单位 {mask(most[0][0])[:64]} 的同一版次出现 {most[1]:,} 次"
            raise Unreadable(f"{words}，超过 {_MAX_SENT:,} 次，整份退回")
        rows = columns
        if rows is None:
            rows = _columns(self._rows)
        elif self._rows:
            rows = rows.append(_columns(self._rows))
        self._mark_personal(rows)
        if any(submission.personal for submission in self.submissions):
            rows = rows.masked()
        notes = [(index, code, _kept(words, LONGEST_WORDS)) for index, code, words in self.notes]
        return Reading(_rows_frame(rows), self._submissions_frame(), self._totals_frame(), notes)

    def _mark_personal(self, rows: Rows) -> None:
        found = np.zeros(len(rows.submission), np.bool_)
        for name in _TEXTS:
            found |= getattr(rows, name).personal()
        large = np.flatnonzero(np.abs(rows.value) >= _MAY_BE_PERSONAL)
        if large.size:
            numbers = Texts.encode([f"{value:.0f}" for value in rows.value[large]])
            hit = numbers.personal()
            found[large[hit]] = True
            rows.value[large[hit]] = math.nan
            rows.value_text = rows.value_text.put(large[hit], numbers.take(hit))
        for index in np.unique(rows.submission[found]):
            self.submissions[index].personal = True
        for name in ("unit", "date", "filled_at"):
            own = Texts.encode([getattr(submission, name) for submission in self.submissions])
            for index in np.flatnonzero(own.personal()):
                self.submissions[index].personal = True

    def _submissions_frame(self) -> pd.DataFrame:
        each = self.submissions
        filled = Texts.encode([one.filled_at for one in each]).map(lambda text: _kept(text, _LONGEST_TIME))
        units, dates = [one.unit for one in each], [one.date for one in each]
        if any(one.personal for one in each):
            units, dates = list(map(mask, units)), list(map(mask, dates))
        return pd.DataFrame(
            {
                "submission": np.arange(len(each), dtype=np.int32),
                "unit": pd.Series(units, dtype="str"),
                "date": pd.Series(dates, dtype="str"),
                "revision": np.array([one.revision for one in each], np.int64),
                "received_at": pd.Series([one.received_at for one in each], dtype="datetime64[us, UTC]"),
                "filled_at": pd.Series(filled.texts(), dtype="object"),
                "is_nil": np.array([one.is_nil for one in each], np.bool_),
                "personal": np.array([one.personal for one in each], np.bool_),
            }
        )

    def _totals_frame(self) -> pd.DataFrame:
        each = self._totals
        return pd.DataFrame(
            {
                "submission": np.array([one[0] for one in each], np.int32),
                "measure": pd.Series(_masked_list([one[1] for one in each]), dtype="object"),
                "channel": pd.Series(_masked_list([one[2] for one in each]), dtype="object"),
                "total": np.array([one[3] for one in each], np.float64),
                "place": pd.Series(_masked_list([one[4] for one in each]), dtype="str"),
            }
        )


def _columns(table: Sequence[tuple[Any, ...]]) -> Rows:
    submission, part, line, column, unit, day, measure, channel, value, text, problem = (
        zip(*table, strict=True) if table else ((),) * 11
    )
    return Rows(
        np.array(submission, np.int32),
        np.array(line, np.int32),
        np.array(column, np.int32),
        np.array(value, np.float64),
        *(Texts.encode(texts) for texts in (part, unit, day, measure, channel, text, problem)),
    )


def _kept(text: str, longest: int) -> str:
    """A text of the sender's as it may be stored."""
    return plain(mask(text), longest)


def _masked_list(texts: list[str | None]) -> list[str | None]:
    if not any_personal(text for text in texts if text):
        return texts
    return [text and mask(text) for text in texts]


def _rows_frame(rows: Rows) -> pd.DataFrame:
    text = {name: getattr(rows, name).categorical() for name in _TEXTS}
    return pd.DataFrame(
        {
            "submission": rows.submission,
            "row_number": np.arange(1, len(rows.submission) + 1, dtype=np.int32),
            "part": text["part"],
            "line": rows.line,
            "column": rows.column,
            "unit": text["unit"],
            "date": text["date"],
            "measure": text["measure"],
            "channel": text["channel"],
            "value": rows.value,
            "value_text": text["value_text"],
            "problem": text["problem"],
        },
        copy=False,
    )
