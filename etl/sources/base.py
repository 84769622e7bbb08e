"""What the four families of source share: one protocol, what a pull brings, what a reading is."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol, TypeAlias, TypeVar

import numpy as np
import pandas as pd
import tenacity
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etl.catalog import Catalog, Dataset, Platform
from etl.connections import Connection
from etl.sources.columns import Rows, Senders, Total

MAX_BYTES = 50_000_000
"""A body, or a file unpacked, holds at most 50 MB (contract, A, B and C)."""

REVIEW = "审核意见"
"""The column, and the sheet, that a return sheet adds to what the sender sent: readers leave it out."""

Seen: TypeAlias = tuple[str, int, datetime]
"""A file the ledger knows: its name, its size in bytes, and `Pulled.received_at`."""


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
LONGEST_WORDS = 1_000


def printable(text: str) -> str:
    """A text as a database and a terminal can hold it: without control characters, marks that turn the direction of
    writing, or halves of characters."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(words: str, longest: int = LONGEST_WORDS) -> str:
    """Words as a database, a log and a terminal can hold them: printable, shortened, without line ends."""
    return printable(" ".join(words[:longest].split()))


class Unreadable(Exception):
    """The bytes are complete, yet not what the contract promises: the batch is rejected. Words in Chinese."""

    def __init__(self, words: str) -> None:
        super().__init__(plain(words))


@dataclass(frozen=True)
class Failure:
    """Why a pull is not whole: `failed` is transient and was retried, `rejected` is never retried blindly."""

    state: Literal["failed", "rejected"]
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", plain(self.message))


class PullFailed(Exception):
    """A platform did not deliver; carries the failure and the bytes that arrived all the same."""

    def __init__(self, failure: Failure, parts: Sequence[bytes] = ()) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.parts = tuple(parts)


@dataclass(frozen=True)
class Pulled:
    """What one pull brought for one batch, unread.

    stat_date is the statistical day; of stocks, the last day of their month.
    name is the file's name, `submissions`, `submissions-since-<day of the pull>` or `stocks` for a REST platform,
    `hotline_daily` for a database, and empty when a folder could not be reached at all.
    parts are the pages in order, the one file, or the rows as JSON lines; what arrived, on failure too.
    received_at (UTC) is the source's receipt stamp of the file; None where each submission has its own.
    sha256 is the hex digest of the parts in order.
    """

    stat_date: date
    name: str
    parts: tuple[bytes, ...]
    received_at: datetime | None
    sha256: str
    failure: Failure | None
    dataset: Dataset = "daily"


@dataclass
class Listing:
    """The batches of one pull. `ignored` and `waiting` are complete once `pulled` is exhausted.

    ignored: names that are not of the contract, and links that leave the root, each with the reason.
    waiting: files not counted yet (no .sha256, still being written): the next pull looks again.
    """

    pulled: Iterable[Pulled]
    ignored: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


@dataclass
class Reading:
    """One batch as it was read, as columns; many batches become one frame in `etl.conform`.

    sums: what the sender's own totals say. notes: (submission or -1, check code, words). scope: the six digits of the
    county whose day a CSV file replaces whole in its scope_revision (a unit it leaves out is withdrawn); of rows of
    such a file that a person let go, which replace nothing whole, scope alone; None for the other families.
    """

    figures: Rows
    senders: Senders
    sums: list[Total]
    notes: list[tuple[int, str, str]]
    scope: str | None = None
    scope_revision: int | None = None

    @functools.cached_property
    def rows(self) -> pd.DataFrame:
        """The figures as a frame, with row_number (from 1); texts are categories."""
        frame = self.figures.frame()
        frame.insert(1, "row_number", np.arange(1, len(frame) + 1, dtype=np.int32))
        return frame

    @functools.cached_property
    def submissions(self) -> pd.DataFrame:
        """The senders as a frame: unit and date str, received_at datetime64[us, UTC], filled_at str or None."""
        frame = self.senders.frame().astype({"unit": "str", "date": "str"})
        frame.insert(0, "submission", np.arange(len(frame), dtype=np.int32))
        frame["received_at"] = frame["received_at"].dt.tz_localize("UTC")
        frame["filled_at"] = pd.Series(self.senders.filled_at.texts(), dtype="object")
        return frame

    @functools.cached_property
    def totals(self) -> pd.DataFrame:
        """The sums as a frame: submission, measure, channel, total, place."""
        return totals_frame(self.sums)


def totals_frame(sums: Sequence[Total]) -> pd.DataFrame:
    """Sums as a frame: submission int32, measure and channel str or None, total float64, place str."""
    submission, measure, channel, total, place = zip(*sums, strict=True) if sums else ((),) * 5
    return pd.DataFrame(
        {
            "submission": np.array(submission, np.int32),
            "measure": pd.Series(measure, dtype="object"),
            "channel": pd.Series(channel, dtype="object"),
            "total": np.array(total, np.float64),
            "place": pd.Series(place, dtype="str"),
        }
    )


class Source(Protocol):
    """One family of platform. Stocks come over REST alone: `Rest.pull_month`."""

    def pull_day(
        self, platform: Platform, connection: Connection, day: date, known: Container[Seen]
    ) -> Listing:
        """Bring one day as it stands. A failure is returned in its `Pulled`, never raised."""

    def pull_since(
        self, platform: Platform, connection: Connection, since: datetime, known: Container[Seen]
    ) -> Listing:
        """Bring what was received since then (zone-aware), of any day (ruling 10)."""

    def check(self, platform: Platform, connection: Connection) -> str:
        """Authenticate and read one small thing; says in a Chinese line what it found. Raises PullFailed."""

    def read(self, platform: Platform, catalog: Catalog, pulled: Pulled) -> Reading:
        """Turn the bytes into rows: the same bytes, the same rows. Raises Unreadable."""


class Options(BaseModel):
    """The options that every family knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = Field(default=4, ge=1, le=20)
    timeout_s: float = Field(default=30, gt=0, le=3600)


AnyOptions = TypeVar("AnyOptions", bound=Options)


def read_options(model: type[AnyOptions], platform: Platform) -> AnyOptions:
    """The platform's options. Raises Unreadable naming platform, key and what was expected."""
    try:
        return model.model_validate(platform.options)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"])
        known = "、".join(model.model_fields)
        words = f"平台 {platform.id} 的声明有误：options.{key} {first['msg']}；可用的键：{known}"
        raise Unreadable(words) from None


def pulled_of(
    day: date,
    name: str,
    parts: Sequence[bytes],
    received_at: datetime | None = None,
    failure: Failure | None = None,
    dataset: Dataset = "daily",
) -> Pulled:
    """A `Pulled` with the digest of its parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return Pulled(day, name, tuple(parts), received_at, digest.hexdigest(), failure, dataset)


def backoff(first_wait_s: float) -> tenacity.wait.wait_base:
    """Pauses between attempts: doubling from first_wait_s up to 30 s, with jitter."""
    return tenacity.wait_exponential(first_wait_s, max=30) + tenacity.wait_random(0, first_wait_s)
