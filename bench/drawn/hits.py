"""What was found of what was planted, and what was found where nothing was: docs/plausibility.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from bench.drawn.history import CLASSES, LEVELS, Fault, Months

COUNTS = ("tenfold", "digit_twice", "count_limit")
FINDS = {
    "tenfold": COUNTS,
    "digit_lost": COUNTS,
    "digit_twice": COUNTS,
    "copied_day": ("repeated_day",),
    "copied_village": ("repeated_village",),
    "level_shift": ("level_shift",),
    "village_gap": ("village_gap",),
    "village_sum": ("village_sum",),
    "period_end": ("period_end",),
    "heaping": ("heaping",),
    "all_satisfied": ("all_satisfied",),
}
"""Which rules find a kind of fault."""
SHIFT_DAYS = 21
"""A shift of level that is found later than this is not found."""
WORDS = {
    "tenfold": "a zero too many",
    "digit_lost": "the last digit lost",
    "digit_twice": "a digit typed twice",
    "copied_day": "a report copied from the one before",
    "copied_village": "a village that sends the same figures for seven reports",
    "level_shift": "one measure of a county and all below it doubled or halved for good",
    "village_gap": "a county's villages count 40 % of their consultations from a day on",
    "village_sum": "a county reports its villages' sum of consultations as its own for 14 days",
    "period_end": "one measure counted four times in the last three reports of March",
    "heaping": "a county's figures from 10 on rounded to five, for months",
    "all_satisfied": "a county in which nobody is ever dissatisfied",
}


def match_faults(faults: Sequence[Fault], flags: pd.DataFrame) -> pd.DataFrame:
    """The faults as a frame with is_found: asked about by a rule that is there for them, on the figure, the report or
    the months in question; and is_named: by the very rule of that name."""
    by_unit: dict[Any, pd.DataFrame] = dict(iter(flags.groupby("unit_code")))
    frame = pd.DataFrame([vars(fault) for fault in faults])
    found = [_found_by(fault, by_unit.get(fault.unit)) for fault in faults]
    frame["is_found"] = [bool(rules) for rules in found]
    frame["is_named"] = [
        (fault.kind if fault.kind != "digit_lost" else "tenfold") in rules
        for fault, rules in zip(faults, found, strict=True)
    ]
    return frame


def _found_by(fault: Fault, flags: pd.DataFrame | None) -> set[str]:
    if flags is None:
        return set()
    last = fault.day
    if fault.kind in ("level_shift", "village_gap"):
        last = min(last, fault.first_day + timedelta(days=SHIFT_DAYS))
    is_mine = flags["check_code"].isin(FINDS[fault.kind]) & flags["stat_date"].between(fault.first_day, last)
    if fault.measure is not None:
        is_mine &= (flags["measure"] == fault.measure) & (flags["channel"] == fault.channel)
    return set(flags.loc[is_mine, "check_code"])


def describe_hits(matched: pd.DataFrame) -> list[str]:
    """A table of what was found of each kind, then one by size for slips and one by run for copies."""
    lines = ["| planted | faults | found | named as such |", "| --- | --- | --- | --- |"]
    for kind, words in WORDS.items():
        mine = matched[matched["kind"] == kind]
        named = _share(mine["is_named"]) if kind in ("tenfold", "digit_lost", "digit_twice") else ""
        lines.append(f"| {words} | {len(mine)} | {_share(mine['is_found'])} | {named} |")
    lines += ["", "Slips of the pen, by the true figure:", ""]
    slips = ("tenfold", "digit_lost", "digit_twice")
    lines += [
        "| true figure | " + " | ".join(WORDS[kind] for kind in slips) + " |",
        "| --- | --- | --- | --- |",
    ]
    for low, high in CLASSES:
        is_of = matched["of"].between(low, high)
        cells = [_share_of(matched[is_of & (matched["kind"] == kind)]["is_found"]) for kind in slips]
        lines.append(f"| {_between(low, high)} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Copied reports, by how many have been sent with the same figures before, and by what they say:",
        "",
    ]
    lines += [
        "| level | figures in the report that are not zero | 1st copy | 2nd | 3rd | 4th and 5th |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    copies = matched[matched["kind"] == "copied_day"]
    for level, low, high in (
        ("county", 1, 999),
        ("township", 7, 999),
        ("township", 4, 6),
        ("township", 1, 3),
    ):
        mine = copies[(copies["level"] == level) & copies["figures"].between(low, high)]
        runs = [mine[mine["of"].between(first, last)] for first, last in ((1, 1), (2, 2), (3, 3), (4, 5))]
        words = "any" if level == "county" else _between(low, high)
        lines.append(
            f"| {level} | {words} | " + " | ".join(_share_of(each["is_found"]) for each in runs) + " |"
        )
    return lines


def describe_alarms(
    months: Months, days: Sequence[int], flags: pd.DataFrame, rules: Sequence[str]
) -> list[str]:
    """A table of flags in months without faults: every one is a false alarm. days: numbers of those judged."""
    judged = {level: int(months.sent[level][list(days)].sum()) for level in LEVELS}
    total = sum(judged.values())
    lines = [
        "| rule | "
        + " | ".join(f"{level}, {judged[level]:,} unit-days" for level in LEVELS)
        + " | villages | per 1,000 unit-days |",
        "| --- |" + " --- |" * (len(LEVELS) + 2),
    ]
    for rule in rules:
        mine = flags[flags["check_code"] == rule]
        counts = [int((mine["level"] == level).sum()) for level in (*LEVELS, "village")]
        lines.append(
            f"| {rule} | " + " | ".join(map(str, counts)) + f" | {1_000 * sum(counts[:3]) / total:.2f} |"
        )
    above = flags[flags["level"] != "village"]
    lines.append(f"| **all** | | | | | **{1_000 * len(above) / total:.2f}** |")
    return lines


def describe_limits(
    matched: pd.DataFrame, months: Months, days: Sequence[int], flags: pd.DataFrame
) -> list[str]:
    """The goals beside what was measured, in words that follow from the numbers."""
    total = sum(int(months.sent[level][list(days)].sum()) for level in LEVELS)
    lines = []
    for kind, rules in (("tenfold", COUNTS), ("copied_day", ("repeated_day",))):
        found = matched.loc[matched["kind"] == kind, "is_found"].mean()
        is_alarm = flags["check_code"].isin(rules) & (flags["level"] != "village")
        alarms = 1_000 * int(is_alarm.sum()) / total
        verdict = "reached" if found >= GOAL and alarms <= MOST_ALARMS else "not reached"
        lines.append(
            f"- {WORDS[kind]}: {found:.1%} found at {alarms:.2f} false alarms per 1,000 unit-days of"
            f" {', '.join(rules)}; goal {GOAL:.0%} at {MOST_ALARMS:.0f} at most: {verdict}."
        )
    copies = matched[matched["kind"] == "copied_day"]
    for words, mine in (
        ("of a county", copies[copies["level"] == "county"]),
        (
            "of a township, of 7 figures or more that are not zero",
            copies[(copies["level"] == "township") & (copies["figures"] >= 7)],
        ),
        ("of a township, of fewer", copies[(copies["level"] == "township") & (copies["figures"] < 7)]),
    ):
        lines.append(f"  - copies {words}: {_share_of(mine['is_found'])}")
    return [*lines, "", *REASONS]


GOAL, MOST_ALARMS = 0.9, 1.0
REASONS = [
    """A township reports four figures on an ordinary day, most of them 1 or 2. That the same ones come again on the
next day happens by chance in one of some ten to some hundred cases, so a single copy of a quiet report cannot be told
from an honest one at one false alarm per 1,000; several copies in a row can. A lost digit can be told only where
volumes are large beside a unit's good and bad days; a slip from 1 to 10 only where 10 never happens."""
]


def _share(found: pd.Series) -> str:
    return f"{found.mean():.0%}" if len(found) else "–"


def _share_of(found: pd.Series) -> str:
    return f"{found.mean():.0%} of {len(found)}" if len(found) else "–"


def _between(low: int, high: int) -> str:
    if high > 900:
        return f"{low} and more"
    return str(low) if low == high else f"{low}–{high}"
