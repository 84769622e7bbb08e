"""What a reader found, as columns: every text dictionary-encoded; many batches later become one frame."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.sources.personal import any_personal, find_personal, mask

Total: TypeAlias = tuple[int, str | None, str | None, float, str]
"""A sum that a sender gives: submission (-1 = all of the batch), measure (None = all but the survey), channel (None =
all), the sum, and its place."""


@dataclass
class Texts:
    """A dictionary-encoded column of text; code -1 is null."""

    codes: npt.NDArray[np.int32]
    uniques: list[str]

    @classmethod
    def encode(cls, texts: Sequence[str | None]) -> Self:
        code: defaultdict[str | None, int] = defaultdict(itertools.count().__next__, {None: -1})
        codes = np.fromiter(map(code.__getitem__, texts), np.int32, len(texts))
        return cls(codes, [text for text in code if text is not None])

    @classmethod
    def sparse(cls, count: int, texts: Mapping[int, str]) -> Self:
        """A column of so many nulls, but for the texts at some places."""
        found = cls.encode(list(texts.values()))
        codes = np.full(count, -1, np.int32)
        codes[np.fromiter(texts, np.intp, len(texts))] = found.codes
        return cls(codes, found.uniques)

    @classmethod
    def join(cls, parts: Sequence[Texts]) -> Self:
        """The columns one after the other."""
        index: dict[str, int] = {}
        codes = []
        for part in parts:
            table = [index.setdefault(text, len(index)) for text in part.uniques]
            codes.append(np.array([*table, -1], np.int32)[part.codes])
        return cls(np.concatenate(codes), list(index))

    def __len__(self) -> int:
        return len(self.codes)

    def map(self, change: Callable[[str], str | None]) -> Texts:
        """The column with every unique text changed once; equal results become one, None becomes null."""
        changed = Texts.encode([change(text) for text in self.uniques])
        return Texts(np.append(changed.codes, np.int32(-1))[self.codes], changed.uniques)

    def texts(self) -> list[str | None]:
        """The column as it reads, one text or None for each code."""
        table = [*self.uniques, None]
        return [table[code] for code in self.codes]

    def repeat(self, counts: npt.NDArray[np.intp]) -> Texts:
        """The column with each text so many times."""
        return Texts(np.repeat(self.codes, counts), self.uniques)

    def take(self, where: npt.NDArray[Any]) -> Texts:
        return Texts(self.codes[where], self.uniques)

    def put(self, where: npt.NDArray[np.intp], texts: Texts) -> Texts:
        """The column with other texts at some places."""
        both = Texts.join([self, texts])
        codes = both.codes[: len(self.codes)]
        codes[where] = both.codes[len(self.codes) :]
        return Texts(codes, both.uniques)

    def personal(self) -> npt.NDArray[np.bool_]:
        """Where personal data stands."""
        if not any_personal(self.uniques):
            return np.zeros(len(self.codes), np.bool_)
        return np.array([*map(find_personal, self.uniques), False], np.bool_)[self.codes]

    def categorical(self) -> pd.Categorical:
        return pd.Categorical.from_codes(
            self.codes, categories=pd.Index(self.uniques, dtype="str"), validate=False
        )


@dataclass
class _Columns:
    """Columns of one length, arrays and texts."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """The columns of the parts one after the other."""
        joined = {}
        for each in fields(cls):
            columns = [getattr(part, each.name) for part in parts]
            joined[each.name] = (
                Texts.join(columns) if isinstance(columns[0], Texts) else np.concatenate(columns)
            )
        return cls(**joined)

    def texts(self) -> dict[str, Texts]:
        """The columns of text by their names."""
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: column for name, column in columns.items() if isinstance(column, Texts)}

    def masked(self) -> Self:
        """The same, every number of a person masked."""
        return replace(self, **{name: column.map(mask) for name, column in self.texts().items()})

    def frame(self) -> pd.DataFrame:
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        return pd.DataFrame(
            {
                name: column.categorical() if isinstance(column, Texts) else column
                for name, column in columns.items()
            },
            copy=False,
        )


@dataclass
class Rows(_Columns):
    """Figures. column is 0 where there is none, value NaN where it is no number, value_text null where the value came
    as a plain number; problem: words when this row is all that could be read."""

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


@dataclass
class Senders(_Columns):
    """The submissions of a batch in their order. revision is -1 where it is unreadable, received_at (microseconds, UTC)
    NaT."""

    unit: Texts
    date: Texts
    revision: npt.NDArray[np.int64]
    received_at: npt.NDArray[np.datetime64]
    filled_at: Texts
    is_nil: npt.NDArray[np.bool_]
    personal: npt.NDArray[np.bool_]
