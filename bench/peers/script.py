"""The script that people write first. Nothing is judged, no revision is kept, and every setting is the
default one."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from bench.process import Measured, peak
from etl.settings import DIVISIONS_FILE

KEYS = ["code", "渠道", "指标", "数值"]
PARTS = ("read_csv, merge", "groupby", "to_sql")


def run_script(folder: Path, url: str) -> Measured:
    """Read the day's files, sum them at every level, write figures and totals."""
    times = [time.perf_counter()]
    divisions = pd.read_csv(DIVISIONS_FILE, dtype=str)
    files = sorted(folder.glob("*.csv.gz"))
    days = [pd.read_csv(file, encoding="gb18030", dtype={"单位代码": str}) for file in files]
    facts = pd.concat(days, ignore_index=True)
    facts = facts[~facts["指标"].isin(["合计", "零报告"])]
    facts = facts.merge(divisions, left_on="单位代码", right_on="code")
    times.append(time.perf_counter())
    totals = []
    below = facts[facts["level"] == "village"][KEYS]
    for level in ("township", "county", "city", "province"):
        above = below.merge(divisions, on="code").assign(code=lambda each: each["parent_code"])
        level_figures = pd.concat([above[KEYS], facts[facts["level"] == level][KEYS]])
        below = level_figures.groupby(["code", "渠道", "指标"], as_index=False).sum()
        totals.append(below.assign(level=level))
    times.append(time.perf_counter())
    engine = sa.create_engine(url)
    facts.to_sql("facts", engine, index=False)
    pd.concat(totals).to_sql("totals", engine, index=False)
    times.append(time.perf_counter())
    engine.dispose()
    parts = zip(PARTS, pairwise(times), strict=True)
    return Measured({part: end - start for part, (start, end) in parts}, peak())
