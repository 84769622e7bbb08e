"""Conform: the rows of several batches of one day, side by side with what is known about them.

The result is the frame that the suites look at. No row is judged here; each only gets the columns that a rule needs:
the division its unit code means, the cell its measure and channel mean, the ceiling it must keep to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.catalog import Catalog, Dataset, Level, Platform
from etl.divisions import DayDivisions
from etl.sources import Reading
from etl.sources.columns import Rows, Senders, Texts

LEVELS = [level.value for level in Level]
_STAMPS_MAY_LEAD = timedelta(days=1)
"""A database's time of update orders its rows, also where its clock is somewhat ahead of ours. One that lies further
ahead would hide every row that comes after it: it is taken for the time of our pull, as receipts are (ruling 1)."""


@dataclass(frozen=True)
class Read:
    """One batch, read: which platform it came from, when the source received it and we pulled it, what stands in it,
    figures of which data set.

    waived: of rows that a person has let go, by row number, the reason code for which each was held.
    """

    batch_id: int
    platform: Platform
    received_at: datetime | None
    pulled_at: datetime
    reading: Reading
    waived: Mapping[int, str] = field(default_factory=dict)
    dataset: Dataset = "daily"


def conform(
    reads: Sequence[Read],
    catalog: Catalog,
    cells: Mapping[tuple[str, str], int],
    divisions: DayDivisions,
    dataset: Dataset,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the rows and the submissions of some batches of one data set and day.

    Returns (rows, submissions). A nil report, and a submission without any figure, gets one stand-in row, so that the
    rules about its unit, date and contents are asked of it too; is_stand_in tells it from a figure.
    """
    submissions = _join_submissions(reads)
    rows = _join_rows(reads, submissions)
    _know_units(rows, submissions, reads, divisions)
    _know_cells(rows, catalog, cells, dataset)
    _know_repeats(rows, submissions, reads)
    return rows, submissions


def _join_submissions(reads: Sequence[Read]) -> pd.DataFrame:
    joined = Senders.join([read.reading.senders for read in reads]).frame()
    batch = np.repeat(np.arange(len(reads)), [len(read.reading.senders) for read in reads])
    joined["batch"] = batch
    joined["batch_id"] = np.array([read.batch_id for read in reads])[batch]
    received, pulled = (
        pd.Series(stamps, dtype="datetime64[us, UTC]").take(batch).set_axis(joined.index)
        for stamps in ([read.received_at for read in reads], [read.pulled_at for read in reads])
    )
    stamp = joined["received_at"].dt.tz_localize("UTC").fillna(received)
    joined["is_badly_stamped"] = stamp.isna() | (stamp > pulled)
    joined["received_at"] = stamp.where(~joined["is_badly_stamped"], pulled)
    from_database = np.array([read.platform.family == "database" for read in reads], bool)[batch]
    is_ahead = from_database & (stamp > pulled + _STAMPS_MAY_LEAD).to_numpy()
    joined["revision"] = joined["revision"].where(~is_ahead, pulled.astype(np.int64))
    joined["sent_number"] = joined.groupby(["batch_id", "unit", "revision"]).cumcount()
    return joined


def _join_rows(reads: Sequence[Read], submissions: pd.DataFrame) -> pd.DataFrame:
    """The figures of all batches, then one stand-in for each submission that is nil or has none."""
    sizes = np.array([len(read.reading.figures) for read in reads])
    first = np.concatenate([[0], np.cumsum([len(read.reading.senders) for read in reads])]).astype(np.int32)
    figures = Rows.join(
        [
            replace(read.reading.figures, submission=read.reading.figures.submission + start)
            for read, start in zip(reads, first[:-1], strict=True)
        ]
    )
    batch = np.repeat(np.arange(len(reads), dtype=np.int32), sizes)
    number = np.concatenate([np.arange(1, size + 1, dtype=np.int32) for size in sizes])
    has_none = np.bincount(figures.submission, minlength=len(submissions)) == 0
    silent = np.flatnonzero(has_none | submissions["is_nil"].to_numpy(bool)).astype(np.int32)
    if len(silent):
        of_silent = submissions["batch"].to_numpy(np.int32)[silent]
        # Numbered on from the batch's last figure, in their order.
        place = np.arange(len(silent)) - np.searchsorted(of_silent, of_silent)
        figures = Rows.join([figures, _stand_ins(silent, submissions)])
        batch = np.concatenate([batch, of_silent])
        number = np.concatenate([number, (sizes[of_silent] + place + 1).astype(np.int32)])
    rows = figures.frame()
    rows.insert(0, "batch", batch)
    rows["row_number"] = number
    rows["is_stand_in"] = np.arange(len(rows)) >= len(rows) - len(silent)
    return rows


def _stand_ins(silent: npt.NDArray[np.int32], submissions: pd.DataFrame) -> Rows:
    count = len(silent)
    unit, date = (
        Texts(np.asarray(column.cat.codes, np.int32)[silent], column.cat.categories.tolist())
        for column in (submissions["unit"], submissions["date"])
    )
    nothing, zeros = Texts.sparse(count, {}), np.zeros(count, np.int32)
    return Rows(
        silent, zeros, zeros, np.zeros(count), nothing, unit, date, nothing, nothing, nothing, nothing
    )


def _know_units(
    rows: pd.DataFrame, submissions: pd.DataFrame, reads: Sequence[Read], divisions: DayDivisions
) -> None:
    """Add division_id and level (missing when unknown or inactive), is_in_area, is_personal."""
    table = divisions.table
    places = _places(rows["unit"], divisions)
    known_ids = np.append(table["division_id"].to_numpy(np.float64), np.nan)
    level_of = pd.Categorical(table["level"], categories=LEVELS).codes
    rows["division_id"] = known_ids[places]
    rows["level"] = pd.Categorical.from_codes(np.append(level_of, -1)[places], pd.Index(LEVELS))
    platforms = {read.platform.id: read.platform for read in reads}
    number = {name: place for place, name in enumerate(platforms)}
    of_platform = np.array([number[read.platform.id] for read in reads])[rows["batch"].to_numpy()]
    in_area = np.zeros(len(rows), dtype=bool)
    for name, platform in platforms.items():
        mine = of_platform == number[name]
        in_area[mine] = np.append(divisions.inside(platform.area, platform.level), False)[places[mine]]
    rows["is_in_area"] = in_area
    rows["is_personal"] = submissions["personal"].to_numpy(bool)[rows["submission"].to_numpy()]
    submissions["division_id"] = known_ids[_places(submissions["unit"], divisions)]


def _places(unit: pd.Series[Any], divisions: DayDivisions) -> npt.NDArray[np.int64]:
    """The line of each unit in the day's divisions, -1 where it is in none."""
    return np.append(divisions.table.index.get_indexer(unit.cat.categories), -1)[unit.cat.codes.to_numpy()]


def _know_cells(
    rows: pd.DataFrame, catalog: Catalog, cells: Mapping[tuple[str, str], int], dataset: Dataset
) -> None:
    """Add cell_id (-1 when there is none), measure_at_level, measure_in_channel, ceiling."""
    measures = catalog.measures_of(dataset)
    channels = catalog.channels_of(dataset)
    names = [measure.code for measure in measures]
    measure = _numbers(rows["measure"], names)
    channel = _numbers(rows["channel"], channels)
    cell_of = np.full((len(names) + 1, len(channels) + 1), -1, dtype=np.int32)
    for place, each in enumerate(measures):
        for code in each.reported_in:
            cell_of[place, channels.index(code)] = cells[each.code, code]
    rows["cell_id"] = cell_of[measure, channel]
    rows["measure_at_level"] = _pairs(measure, names, rows["level"].cat.codes.to_numpy(), LEVELS)
    rows["measure_in_channel"] = _pairs(measure, names, channel, channels)
    rows["ceiling"] = np.append([float(each.ceiling) for each in measures], np.nan)[measure]


def _numbers(column: pd.Series[Any], known: list[str]) -> npt.NDArray[np.int64]:
    """Each row's place in the list of known codes; -1 when it is not there."""
    return np.append(pd.Index(known).get_indexer(column.cat.categories), -1)[column.cat.codes.to_numpy()]


def _pairs(
    left: npt.NDArray[Any], left_names: list[str], right: npt.NDArray[Any], right_names: list[str]
) -> pd.Categorical[str]:
    both = np.where((left >= 0) & (right >= 0), left.astype(np.int32) * len(right_names) + right, -1)
    return pd.Categorical.from_codes(both, pd.Index([f"{a}@{b}" for a in left_names for b in right_names]))


def _know_repeats(rows: pd.DataFrame, submissions: pd.DataFrame, reads: Sequence[Read]) -> None:
    """Add figure_key (one per submission and cell), is_duplicate (an equal figure stood before it), is_ambiguous."""
    is_figure = (
        (rows["cell_id"].to_numpy() >= 0) & rows["value"].notna().to_numpy() & ~rows["is_stand_in"].to_numpy()
    )
    key = rows["submission"].to_numpy(np.float64) * (1 << 15) + rows["cell_id"].to_numpy()
    rows["figure_key"] = np.where(is_figure, key, np.nan)
    rows["is_duplicate"] = False
    again = np.zeros(len(rows), dtype=bool)
    if _has_twins(rows.loc[is_figure, "submission"].to_numpy(), rows.loc[is_figure, "cell_id"].to_numpy()):
        again = is_figure & rows["figure_key"].duplicated(keep=False).to_numpy()
    if again.any():
        twice = rows.loc[again, ["figure_key", "value"]]
        is_equal = twice.groupby("figure_key")["value"].transform("nunique") == 1
        rows.loc[twice.index, "is_duplicate"] = is_equal & twice["figure_key"].duplicated()
    rows["is_ambiguous"] = False
    for twins in _twin_records(submissions, reads):
        theirs = rows[rows["submission"].isin(twins)]
        contents = {
            frozenset(zip(part["cell_id"], part["value"], strict=True))
            for _, part in theirs.groupby("submission")
        }
        if len(contents) > 1:
            rows.loc[theirs.index, "is_ambiguous"] = True


def _has_twins(submission: npt.NDArray[np.int32], cell: npt.NDArray[np.int32]) -> bool:
    """Whether a cell stands twice in one submission: ticked off, which costs a fifth of hashing."""
    if not len(cell):
        return False
    width = int(cell.max()) + 1
    is_seen = np.zeros((int(submission.max()) + 1) * width, dtype=bool)
    is_seen[submission.astype(np.int64) * width + cell] = True
    return int(np.count_nonzero(is_seen)) < len(cell)


def _twin_records(submissions: pd.DataFrame, reads: Sequence[Read]) -> list[list[int]]:
    """Records of a database that share unit, day and update time: nothing says which of them is the later one."""
    from_database = [position for position, read in enumerate(reads) if read.platform.family == "database"]
    mine = submissions[submissions["batch"].isin(from_database)]
    groups = mine.groupby(["batch", "unit", "date", "revision"]).indices.values()
    return [list(mine.index[places]) for places in groups if len(places) > 1]
