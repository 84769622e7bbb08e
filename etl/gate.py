"""The gate: which rows of the batches of a day may go on, and why the others are held back.

Every row that came in ends in one of three places here: a staged submission, the quarantine, or a collapsed
duplicate. The rules are the suites under expectations/; what they need to know (known codes, levels, ceilings) comes
from the catalogue and from the divisions of the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from string import Formatter
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from etl.balance import find_imbalances
from etl.catalog import Catalog, Dataset
from etl.conform import Read, conform
from etl.divisions import DayDivisions
from etl.sources.base import printable
from etl.validation import Validation, validate

LONGEST_TEXT = 500
REASON_COLUMNS = ["reason_code", "reason", "reason_en"]
QUARANTINE_COLUMNS = [
    "batch_id",
    "row_number",
    "place",
    "unit_code",
    "received_at",
    *REASON_COLUMNS,
    "raw",
]
STAGED_COLUMNS = [
    "batch_id", "unit_id", "revision", "sent_number", "received_at", "filled_at", "is_nil", "is_rejected",
]  # fmt: skip
LOOKED_AT = [
    "problem", "is_personal", "division_id", "level", "is_in_area", "date", "measure", "channel", "measure_at_level",
    "measure_in_channel", "value", "ceiling", "figure_key", "is_ambiguous",
]  # fmt: skip
BALANCE = "balance"
NIL_HELD, EMPTY = "nil_held", "no_figures"
FLAG_COLUMNS = ["batch_id", "unit_code", "check_code", "message"]


@dataclass(frozen=True)
class Gated:
    """What the gate decided for some batches of one data set and day.

    staged: one row per submission of a known unit: STAGED_COLUMNS; indexed by submission.
    figures: one row per accepted figure: submission, cell_id, value, row_number; in that order.
    quarantine: QUARANTINE_COLUMNS; flags: FLAG_COLUMNS.
    tally: rows_received, rows_quarantined, rows_duplicate, scope, scope_revision of each batch_id.
    documents: Great Expectations' results by suite name.
    """

    stat_date: date
    staged: pd.DataFrame
    figures: pd.DataFrame
    quarantine: pd.DataFrame
    flags: pd.DataFrame
    tally: list[dict[str, Any]]
    documents: dict[str, dict[str, Any]]

    def without(self, batch_ids: Sequence[int]) -> Gated:
        """What was decided for the other batches."""
        staged, quarantine, flags = (
            frame[~frame["batch_id"].isin(batch_ids)] for frame in (self.staged, self.quarantine, self.flags)
        )
        return replace(
            self,
            staged=staged,
            figures=self.figures[self.figures["submission"].isin(staged.index)],
            quarantine=quarantine,
            flags=flags,
            tally=[each for each in self.tally if each["batch_id"] not in batch_ids],
        )


def gate(
    reads: Sequence[Read],
    catalog: Catalog,
    cells: Mapping[tuple[str, str], int],
    divisions: DayDivisions,
    day: date,
    today: date,
    dataset: Dataset = "daily",
) -> Gated:
    """Judge the batches of one data set and day together, by the suite of the data set's name.

    `cells` are the warehouse's numbers of (measure, channel). `today` is the calendar day in Asia/Shanghai; a day
    after it lies in the future. Which input gets which answer: contract, table of bad input.
    """
    rows, submissions = conform(reads, catalog, cells, divisions, dataset)
    judged = rows[~rows["is_duplicate"]] if rows["is_duplicate"].any() else rows
    validation = validate(dataset, judged[LOOKED_AT], _parameters(catalog, day, today, dataset))
    waived = _waived(judged, reads)
    held = _hold_rows(judged, validation, waived, reads, day)
    documents: dict[str, dict[str, Any]] = {dataset: validation.document}
    imbalance = find_imbalances(rows, rows.index.isin(held.index), reads, catalog)
    remarks = imbalance.remarks if imbalance else []
    if imbalance is not None:
        documents["balance"] = imbalance.document
        held = pd.concat([held, _hold_submissions(judged, held.index, waived, imbalance.reasons)])
    is_accepted = ~judged.index.isin(held.index)
    accepted = judged.loc[is_accepted, ["submission", "is_stand_in", "cell_id", "value", "row_number"]]
    is_silent = judged.loc[held.index, "is_stand_in"].to_numpy(bool)
    quarantine = _describe(judged.loc[held.index[~is_silent]], held[~is_silent], submissions, reads)
    silent = _describe(judged.loc[held.index[is_silent]], held[is_silent], submissions, reads)
    silent["is_nil"] = submissions["is_nil"].to_numpy()[judged.loc[held.index[is_silent], "submission"]]
    staged = _stage(submissions, accepted)
    return Gated(
        stat_date=day,
        staged=staged[STAGED_COLUMNS],
        figures=_figures(accepted[~accepted["is_stand_in"].to_numpy()]),
        quarantine=quarantine,
        flags=_flags(submissions, staged, reads, silent, remarks),
        tally=_tally(rows, quarantine, reads),
        documents=documents,
    )


def _parameters(catalog: Catalog, day: date, today: date, dataset: Dataset) -> dict[str, list[str]]:
    measures = catalog.measures_of(dataset)
    return {
        "days": [day.isoformat()] if day <= today else [],
        "measures": [measure.code for measure in measures],
        "channels": catalog.channels_of(dataset),
        "measures_at_levels": [f"{each.code}@{level.value}" for each in measures for level in each.levels],
        "measures_in_channels": [
            f"{each.code}@{channel}" for each in measures for channel in each.reported_in
        ],
    }


def _waived(judged: pd.DataFrame, reads: Sequence[Read]) -> npt.NDArray[np.object_]:
    """Of each row, the reason code that a person has waived for it; empty for nearly all."""
    waived = np.full(len(judged), "", dtype=object)
    for position, read in enumerate(reads):
        if read.waived:
            mine = np.flatnonzero(judged["batch"].to_numpy() == position)
            waived[mine] = [read.waived.get(number, "") for number in judged["row_number"].to_numpy()[mine]]
    return waived


def _hold_rows(
    judged: pd.DataFrame,
    validation: Validation,
    waived: npt.NDArray[np.object_],
    reads: Sequence[Read],
    day: date,
) -> pd.DataFrame:
    """Reason of each row that breaks an expectation: the first one declared that it breaks, unless it is one that a
    person may waive and has waived."""
    first = np.full(len(judged), -1, dtype=np.int32)
    for number, broken in reversed(list(enumerate(validation.broken))):
        is_waived = (waived == broken.meta["reason_code"]) & broken.meta.get("waivable", False)
        first[broken.rows & ~is_waived] = number
    parts = []
    for number in np.unique(first[first >= 0]):
        meta = validation.broken[number].meta
        facts = judged.iloc[np.flatnonzero(first == number)]
        words = _words(facts) | {
            "ceiling": ["" if np.isnan(ceiling) else f"{ceiling:.0f}" for ceiling in facts["ceiling"]],
            "platform": [reads[batch].platform.id for batch in facts["batch"]],
            "stat_date": [day.isoformat()] * len(facts),
            "month": [f"{day:%Y-%m}"] * len(facts),
        }
        reasons = {name: _filled(meta[name], words, len(facts)) for name in ("reason", "reason_en")}
        parts.append(
            pd.DataFrame({"reason_code": meta["reason_code"]} | reasons, index=facts.index, dtype=object)
        )
    if not parts:
        return pd.DataFrame(columns=REASON_COLUMNS, index=judged.index[:0], dtype=object)
    return pd.concat(parts).sort_index()


def _filled(template: str, words: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """The sentence once for each row, its {names} replaced by the row's words."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    by_place = template.format(**{name: f"{{{place}}}" for place, name in enumerate(names)})
    return list(map(by_place.format, *(words[name] for name in names))) if names else [template] * count


def _words(rows: pd.DataFrame) -> dict[str, list[str]]:
    """What stood in each row, as it may be shown; each different text is made fit once."""
    words = {}
    for name in ("unit", "date", "measure", "channel", "level", "problem", "part", "value_text"):
        column: Any = rows[name].array.remove_unused_categories()
        texts = [*map(_shown, column.categories), ""]
        words[name] = [texts[code] for code in column.codes]
    numbers = ("" if np.isnan(value) else f"{value:.15g}" for value in rows["value"])
    has_text = rows["value_text"].notna()
    words["value"] = [
        text if has else number
        for text, has, number in zip(words["value_text"], has_text, numbers, strict=True)
    ]
    return words


def _hold_submissions(
    judged: pd.DataFrame,
    held: pd.Index[Any],
    waived: npt.NDArray[np.object_],
    reasons: Mapping[int, tuple[str, str]],
) -> pd.DataFrame:
    """A submission that is out of balance is held back whole, but for rows let go by a person who knows that."""
    is_theirs = judged["submission"].isin(list(reasons)) & ~judged.index.isin(held) & (waived != BALANCE)
    theirs = judged.loc[is_theirs, "submission"]
    words = [(BALANCE, *reasons[number]) for number in theirs]
    return pd.DataFrame(words, columns=REASON_COLUMNS, index=theirs.index, dtype=object)


def _describe(
    rows: pd.DataFrame, held: pd.DataFrame, submissions: pd.DataFrame, reads: Sequence[Read]
) -> pd.DataFrame:
    """The quarantine's lines: where the row stood, what stood there, and why it is held back."""
    words = _words(rows)
    numbers = np.array([read.batch_id for read in reads])
    of_rows = submissions[["revision", "received_at"]].iloc[rows["submission"]]
    columns = [words[name] for name in ("unit", "date", "measure", "channel", "value")]
    raw = zip(*columns, rows["is_stand_in"], of_rows["revision"], strict=True)
    return pd.DataFrame(
        {
            "batch_id": numbers[rows["batch"].to_numpy()],
            "row_number": rows["row_number"].to_numpy(),
            "place": list(map(_place, words["part"], rows["line"], rows["column"])),
            "unit_code": [unit[:64] for unit in words["unit"]],
            "received_at": of_rows["received_at"].array,
            **{name: held[name].to_numpy() for name in REASON_COLUMNS},
            "raw": [
                orjson.dumps(
                    {
                        "unit": unit,
                        "date": day,
                        "measure": measure,
                        "channel": channel,
                        "value": None if is_stand_in else value,
                        "revision": int(revision),
                    }
                ).decode()
                for unit, day, measure, channel, value, is_stand_in, revision in raw
            ],
        },
        columns=QUARANTINE_COLUMNS,
    )


def _place(part: str, line: int, column: int) -> str:
    if column:
        return f"{part}!{xl_col_to_name(column - 1)}{line}"
    return f"{part}:{line}" if line else part


def _shown(text: Any) -> str:
    return "" if pd.isna(text) else printable(str(text)[:LONGEST_TEXT])


def _stage(submissions: pd.DataFrame, accepted: pd.DataFrame) -> pd.DataFrame:
    """Submissions of known units; one of which every row is held back is rejected and will replace nothing. One that
    says nothing without being a nil report is empty: nothing is 0 for it (ruling 12)."""
    staged = submissions[submissions["division_id"].notna() & (submissions["revision"] >= 0)].copy()
    staged["unit_id"] = staged["division_id"].astype(np.int64)
    stood = accepted.loc[accepted["is_stand_in"], "submission"]
    staged["is_nil"] &= staged.index.isin(stood)
    staged["is_empty"] = staged.index.isin(stood) & ~staged["is_nil"]
    staged["is_rejected"] = ~staged.index.isin(accepted["submission"])
    return staged


def _figures(accepted: pd.DataFrame) -> pd.DataFrame:
    order = np.lexsort((accepted["cell_id"].to_numpy(), accepted["submission"].to_numpy()))
    figures = accepted[["submission", "cell_id", "value", "row_number"]].iloc[order]
    return figures.assign(value=figures["value"].astype(np.int64))


def _flags(
    submissions: pd.DataFrame,
    staged: pd.DataFrame,
    reads: Sequence[Read],
    silent: pd.DataFrame,
    remarks: Sequence[tuple[int, str, str]],
) -> pd.DataFrame:
    """The readers' remarks; balance checks that only warn; receipt stamps that are missing or later than our pull
    (ruling 1); submissions that say nothing; and nil reports that are held back: they are no rows, so the quarantine,
    whose rows the ledger counts, is not their place."""
    stamped = submissions[submissions["is_badly_stamped"]]
    lines: list[tuple[int, str | None, str, str]] = [
        (batch_id, _shown(unit)[:64], "bad_stamp", "接收时间缺失或晚于采集时间，按采集时间计")
        for batch_id, unit in zip(stamped["batch_id"], stamped["unit"], strict=True)
    ]
    empty = staged[staged["is_empty"]]
    lines += [
        (batch_id, _shown(unit)[:64], EMPTY, "报送中没有任何数值，也不是零报告：视为已报送，不按零计")
        for batch_id, unit in zip(empty["batch_id"], empty["unit"], strict=True)
    ]
    lines += [
        (batch_id, unit, NIL_HELD, f"{'零报告' if is_nil else '没有数值的报送'}未采用：{reason}")
        for batch_id, unit, reason, is_nil in zip(
            *(silent[name] for name in ("batch_id", "unit_code", "reason", "is_nil")), strict=True
        )
    ]
    for number, code, message in remarks:
        sender: Any = submissions.loc[number]
        lines.append((sender["batch_id"], _shown(sender["unit"])[:64], code, message))
    for read in reads:
        units = read.reading.senders.unit
        for number, code, message in read.reading.notes:
            unit = None if number < 0 else _shown(units.uniques[units.codes[number]])[:64]
            lines.append((read.batch_id, unit, code, message[:LONGEST_TEXT]))
    return pd.DataFrame(lines, columns=FLAG_COLUMNS, dtype=object).drop_duplicates()


def _tally(rows: pd.DataFrame, quarantine: pd.DataFrame, reads: Sequence[Read]) -> list[dict[str, Any]]:
    """Rows received, held back and collapsed per batch, and what the batch replaces whole."""
    figures = rows[~rows["is_stand_in"]]
    received = np.bincount(figures["batch"], minlength=len(reads))
    duplicate = np.bincount(figures.loc[figures["is_duplicate"].astype(bool), "batch"], minlength=len(reads))
    held = quarantine.groupby("batch_id").size()
    return [
        {
            "batch_id": read.batch_id,
            "rows_received": int(received[position]),
            "rows_quarantined": int(held.get(read.batch_id, 0)),
            "rows_duplicate": int(duplicate[position]),
            "scope": read.reading.scope,
            "scope_revision": read.reading.scope_revision,
        }
        for position, read in enumerate(reads)
    ]
