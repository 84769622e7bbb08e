"""Balance: the balance checks of the catalogue that one submission can answer, asked of each as a whole.

A check is asked only where it can be answered: a total over rows of which one is held back, or could not be read, says
nothing about the others. A figure that came twice counts once; a sender's total may count it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etl.catalog import AtMost, Catalog, SenderTotal, SumEquals
from etl.conform import Read
from etl.sources.base import totals_frame
from etl.validation import validate

COLUMNS = ["submission", "check_code", "subject", "stated", "equal_to", "at_most"]


@dataclass(frozen=True)
class Imbalance:
    """Great Expectations' document; reasons: what does not fit in each submission held for it (Chinese, English);
    remarks: submission, check and words (Chinese) where a warning does not fit: it loads and is flagged."""

    document: dict[str, Any]
    reasons: dict[int, tuple[str, str]]
    remarks: list[tuple[int, str, str]]


def find_imbalances(
    rows: pd.DataFrame,
    is_held: np.ndarray[Any, np.dtype[np.bool_]],
    reads: Sequence[Read],
    catalog: Catalog,
) -> Imbalance | None:
    """Ask of every submission the checks that one submission can answer; None when there is nothing to ask.

    rows: conformed rows, duplicates included. is_held: rows that are held back.
    Source of the rules: domain.md section 2, ruling 13.
    """
    columns = ["batch", "submission", "measure", "channel", "value", "problem", "is_duplicate"]
    sent = rows[columns].assign(is_held=is_held)[~rows["is_stand_in"].to_numpy()]
    figures = sent[~sent["is_duplicate"].to_numpy(bool)]
    asked = []
    for check in catalog.checks.values():
        if isinstance(check, SenderTotal):
            asked.append(_sender_totals(check, rows, sent, reads, catalog))
        elif isinstance(check, SumEquals):
            asked.append(_sums(check, figures))
        elif check.scope == "submission":
            asked.append(_pairs(check, figures))
    questions = (
        pd.concat([each for each in asked if len(each)], ignore_index=True) if any(map(len, asked)) else None
    )
    if questions is None:
        return None
    validation = validate("balance", questions[COLUMNS], {})
    names = {code: each.name_zh for code, each in catalog.measures.items()}
    names |= {code: each.name_zh for code, each in catalog.channels.items()} | {"all": ""}
    reasons: dict[int, tuple[str, str]] = {}
    remarks: list[tuple[int, str, str]] = []
    for broken in validation.broken:
        found: Iterable[Any] = questions[broken.rows].itertuples()
        for row in found:
            check = catalog.checks[row.check_code]
            other = row.at_most if np.isnan(row.equal_to) else row.equal_to
            numbers = f"{row.stated:.0f} / {other:.0f}"
            subject_zh = "".join(names.get(word, word) for word in row.subject.split())
            message_zh = f"{check.message_zh}（{subject_zh}：{numbers}）"
            if check.severity == "critical":
                reasons.setdefault(
                    row.submission, (message_zh, f"{check.message_en} ({row.subject}: {numbers})")
                )
            else:
                remarks.append((row.submission, row.check_code, message_zh))
    return Imbalance(validation.document, reasons, remarks)


def _sender_totals(
    check: SenderTotal, rows: pd.DataFrame, sent: pd.DataFrame, reads: Sequence[Read], catalog: Catalog
) -> pd.DataFrame:
    """The sender's totals against the rows they are for; a total of a whole file is asked of all its submissions."""
    figures = sent.assign(once=sent["value"].where(~sent["is_duplicate"].to_numpy(bool)))
    unread = sent[sent["problem"].notna() | (sent["measure"] == "")]
    totals = _join_totals(reads)
    if totals.empty:
        return totals.reindex(columns=COLUMNS)
    surveys = [measure.code for measure in catalog.daily_measures() if measure.kind == "survey"]
    answers = []
    for keys, stated in totals.groupby(["of_batch", "of_measure", "of_channel"]):
        of_batch, of_measure, of_channel = keys
        scope = figures if of_measure else figures[~figures["measure"].isin(surveys)]
        by = [name for name, used in (("measure", of_measure), ("channel", of_channel)) if used]
        sender = "batch" if of_batch else "submission"
        by = [*by, sender]
        sums = (
            scope.groupby(by, observed=True)
            .agg(value=("once", "sum"), with_twice=("value", "sum"), is_held=("is_held", "any"))
            .reset_index()
        )
        sums = sums.astype({name: "str" for name in by if name in ("measure", "channel")})
        stated = stated[~stated[sender].isin(unread[sender])]
        answers.append(stated.merge(sums, on=by, how="left"))
    joined = pd.concat(answers, ignore_index=True)
    joined = joined[~joined["is_held"].fillna(False).astype(bool)]
    joined["equal_to"] = joined["value"].fillna(0.0)
    joined["equal_to"] = joined["equal_to"].where(joined["with_twice"] != joined["total"], joined["total"])
    whole_file = joined["of_batch"]
    members = rows[["batch", "submission"]].drop_duplicates()
    spread = joined[whole_file].drop(columns="submission").merge(members, on="batch")
    joined = pd.concat([joined[~whole_file], spread], ignore_index=True)
    return joined.assign(
        check_code=check.code,
        stated=joined["total"],
        at_most=np.nan,
        subject=joined["measure"].fillna("合计") + " " + joined["channel"].fillna(""),
    )[COLUMNS]


def _join_totals(reads: Sequence[Read]) -> pd.DataFrame:
    joined = totals_frame([total for read in reads for total in read.reading.sums])
    batch = np.repeat(np.arange(len(reads)), [len(read.reading.sums) for read in reads])
    first = np.concatenate([[0], np.cumsum([len(read.reading.senders) for read in reads])])
    return joined.assign(
        batch=batch,
        of_batch=joined["submission"] < 0,
        of_measure=joined["measure"].notna(),
        of_channel=joined["channel"].notna(),
        submission=joined["submission"] + first[batch],
    )


def _sums(check: SumEquals, figures: pd.DataFrame) -> pd.DataFrame:
    """Per submission and channel that has the whole and any part: the parts' sum."""
    wide = _wide(figures, [*check.parts, check.whole])
    parts = wide[[name for name in check.parts if name in wide]]
    return _questions(check.code, check.whole, wide, equal_to=parts.sum(axis=1, min_count=1))


def _pairs(check: AtMost, figures: pd.DataFrame) -> pd.DataFrame:
    wide = _wide(figures, [check.part, check.whole])
    whole = wide[check.whole] if check.whole in wide else pd.Series(np.nan, index=wide.index)
    return _questions(check.code, check.part, wide, at_most=whole)


def _questions(code: str, subject: str, wide: pd.DataFrame, **compared: pd.Series[float]) -> pd.DataFrame:
    if subject not in wide:
        return pd.DataFrame(columns=COLUMNS)
    asked = wide.reset_index()[["submission", "channel"]].assign(
        check_code=code, stated=wide[subject].to_numpy(), equal_to=np.nan, at_most=np.nan
    )
    for name, values in compared.items():
        asked[name] = values.to_numpy()
    asked["subject"] = subject + " " + asked["channel"].astype("str")
    return asked[asked["stated"].notna() & (asked["equal_to"].notna() | asked["at_most"].notna())][COLUMNS]


def _wide(figures: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    """One row per submission and channel, one column per measure; a submission with a held figure among them is left
    out."""
    mine = figures[figures["measure"].isin(measures)]
    held = mine.loc[mine["is_held"], "submission"].unique()
    mine = mine[~mine["submission"].isin(held)].astype({"measure": "str", "channel": "str"})
    return mine.pivot_table(index=["submission", "channel"], columns="measure", values="value", aggfunc="sum")
