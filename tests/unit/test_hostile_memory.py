"""The worst that fits within the limits of the contract is read, or refused in words, within bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.hostile_inputs import HELD, IN_MEMORY, WORST

BOUND_MB = 1_500
"""docs/hostile-input.md: what one process that reads one batch holds at most, its libraries (180 MB) included."""
LONGEST_S = 120
ROOT = Path(__file__).resolve().parents[2]

REFUSED = {
    "csv_bomb": "50 MB",
    "csv_empty_lines": "1,000,000 行",
    "csv_ragged_lines": "列数与表头不一致",
    "csv_quoted_lines": "种不同的内容",
    "csv_columns": "100,007 列",
    "workbook_bomb": "50 MB",
    "workbook_cells": "超出限度",
    "workbook_shared": "20,000,000 字",
    "workbook_merged": "合并单元格",
    "workbook_errors": "错误值",
    "workbook_strings": "1,000,000 条",
    "rest_brackets": "过多",
    "rest_numbers": "过多",
    "rest_deep": "过多",
    "database_lines": "同一版次",
}
"""What stands in the answer; all others are read."""


def in_a_process_of_its_own(name: str, file: Path) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.unit.hostile_inputs", name, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_the_measure_sees_what_a_process_holds(tmp_path: Path) -> None:
    assert in_a_process_of_its_own(IN_MEMORY, tmp_path)["peak"] >= HELD / 1_100_000


@pytest.mark.slow
@pytest.mark.parametrize("name", WORST)
def test_the_worst_input_is_answered_within_the_bound(name: str, tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(WORST[name][1]())
    found = in_a_process_of_its_own(name, file)
    assert found["peak"] <= BOUND_MB, found
    assert REFUSED.get(name, "rows") in found["answer"]
    assert found["answer"] != "0 rows" or name in ("csv_short_lines", "csv_wide_lines")
