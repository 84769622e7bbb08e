"""Airflow reads every DAG file again every half minute: it must not import what takes seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DAGS = sorted((Path(__file__).parents[2] / "dags").glob("*.py"))
HEAVY = {"great_expectations", "pandas", "pyarrow", "scipy"}


@pytest.mark.parametrize("file", DAGS, ids=lambda file: file.stem)
def test_reading_a_dag_file_imports_nothing_heavy(file: Path) -> None:
    program = f"import runpy, sys; runpy.run_path({str(file)!r}); print('LOADED', *sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    loaded = set(ended.stdout.rpartition("LOADED")[2].split())
    assert "airflow.sdk" in loaded
    assert loaded & HEAVY == set()
