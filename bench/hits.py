"""What was found of what was planted, and what was found where nothing was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd

from bench.history import LEVELS, Fault

COUNTS = ("tenfold", "digit_twice", "count_limit")
FINDS = {
    "tenfold": COUNTS,
    "digit_lost": COUNTS,
    "digit_twice": COUNTS,
    "copied_day": ("repeated_day",),
    "level_shift": ("level_shift",),
    "village_gap": ("village_gap",),
    "village_sum": ("village_sum",),
    "period_end": ("period_end",),
    "heaping": ("heaping",),
    "all_satisfied": ("all_satisfied",),
    "copied_village": ("repeated_village",),
}
"""Which rules find a kind of fault."""
OF_TOTALS = ("level_shift", "village_gap")
"""Rules about what lies below a county too: a fault below it is what they may rightly ask about."""
AFTER = 21
"""Days for which a fault is still in the windows of rules that look at several."""


def match_faults(faults: list[Fault], flags: pd.DataFrame) -> pd.DataFrame:
    """The faults as a frame with is_found: by a rule that is there for them, on the figure, report or months in question."""
    by_unit = {unit: mine for unit, mine in flags.groupby("unit_code")}
    frame = pd.DataFrame([vars(fault) for fault in faults])
    frame["is_found"] = [_is_found(fault, by_unit.get(fault.unit)) for fault in faults]
    return frame


def _is_found(fault: Fault, flags: pd.DataFrame | None) -> bool:
    if flags is None:
        return False
    mine = flags[flags["check_code"].isin(FINDS[fault.kind])]
    last = fault.day
    if fault.kind in ("level_shift", "village_gap"):
        last = min(last, fault.first_day + timedelta(days=AFTER))
    mine = mine[(mine["stat_date"] >= fault.first_day) & (mine["stat_date"] <= last)]
    if fault.measure is not None:
        mine = mine[(mine["measure"] == fault.measure) & (mine["channel"] == fault.channel)]
    return bool(len(mine))


def false_alarms(faults: list[Fault], flags: pd.DataFrame, parent: dict[str, str]) -> pd.DataFrame:
    """Flags where nothing was planted: neither in the unit on the day, nor in the days that the rule looks at."""
    planted: dict[str, list[Fault]] = {}
    below: dict[str, list[Fault]] = {}
    for fault in faults:
        planted.setdefault(fault.unit, []).append(fault)
        for unit in (fault.unit, parent.get(fault.unit, "")):
            below.setdefault(unit, []).append(fault)

    def is_false(flag: object) -> bool:
        rule, unit, day = flag.check_code, flag.unit_code, flag.stat_date  # type: ignore[attr-defined]
        reach = 0 if rule in (*COUNTS, "repeated_day") else AFTER if rule in ALL_RULES else 366
        near: Callable[[Fault], bool] = lambda each: each.first_day <= day <= each.day + timedelta(days=reach)
        return not any(near(each) for each in (below if rule in OF_TOTALS else planted).get(unit, ()))

    return flags[[is_false(flag) for flag in flags.itertuples()]]


ALL_RULES = sorted({rule for rules in FINDS.values() for rule in rules})
