"""Return sheet (退回单): what a sender sent, given back with the cells in question marked and the reasons beside them.

A workbook and a CSV keep their form and come under the name of their next revision: corrected and sent again, they
replace what they correct. Readers leave the column and the sheet 审核意见 out. Whatever is written here has personal
data masked, and no text in it becomes a formula.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from etl.catalog import Catalog, Platform
from etl.return_sheet.csv_file import mark_csv
from etl.return_sheet.opinions import Problem, prepare
from etl.return_sheet.workbook import list_alone, mark_workbook
from etl.sources import Pulled
from etl.sources.base import REVIEW

_NEXT = {
    "workbook": re.compile(r"(village_[0-9]{9}_[0-9]{8})(?:_r([0-9]+))?(\.xlsx)"),
    "csv": re.compile(r"(township_[0-9]{6}_[0-9]{8})_r([0-9]+)(\.csv\.gz)"),
}


def write_return_sheet(
    pulled: Pulled,
    platform: Platform,
    catalog: Catalog,
    problems: Sequence[Problem],
    folder: Path,
    revision: int = 1,
) -> Path:
    """Write the return sheet of one batch into the folder; returns the file that goes to the sender.

    pulled: the batch's bytes as they were received. revision: the lowest that the corrected file may carry; it is at
    least the next one, and no file that is there is written over. A CSV has its .sha256 beside it. What cannot be
    opened, is too large, or is no file of the sender's (families A and D) gets a workbook with the list alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sheet = prepare(pulled, platform, catalog, problems)
    named = _NEXT[platform.family].fullmatch(pulled.name) if platform.family in _NEXT else None
    if named:
        content = mark_csv(sheet, platform) if platform.family == "csv" else mark_workbook(sheet)
        if content is not None:
            first = max(revision, int(named[2] or 1) + 1)
            return _put(folder, lambda number: f"{named[1]}_r{first + number}{named[3]}", content)
    stem = re.sub(r"[^0-9A-Za-z_.-]", "_", pulled.name)[:80] or "batch"
    content = list_alone(sheet)
    return _put(folder, lambda number: f"{stem}_{REVIEW}{f'_{number + 1}' if number else ''}.xlsx", content)


def explain(
    pulled: Pulled, platform: Platform, catalog: Catalog, problems: Sequence[Problem]
) -> list[Problem]:
    """The problems with their places and hints, those of one unit and reason in one line: as the sheet lists them."""
    return prepare(pulled, platform, catalog, problems).listed


def revision_of(name: str) -> tuple[str, int]:
    """What a file is of (all of its name but the revision), and its revision; 0 for a name of another kind."""
    named = next(filter(None, (pattern.fullmatch(name) for pattern in _NEXT.values())), None)
    return (named[1], int(named[2] or 1)) if named else (name, 0)


def _put(folder: Path, name: Callable[[int], str], content: bytes) -> Path:
    for number in itertools.count():
        file = folder / name(number)
        try:
            with file.open("xb") as opened:
                opened.write(content)
            break
        except FileExistsError:
            continue
    if file.name.endswith(".csv.gz"):
        digest = hashlib.sha256(content).hexdigest()
        file.with_name(f"{file.name}.sha256").write_text(f"{digest}  {file.name}\n", encoding="ascii")
    return file
