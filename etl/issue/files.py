"""Files: what an issued table consists of, written whole or not at all, and never changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from etl.issue.cells import Cells
from etl.reports.changes import Changes
from etl.reports.table import Table

MANIFEST = "manifest.json"


def write_files(
    table: Table, cells: Cells, folder: Path, made_on: date, changes: Changes | None, version: int
) -> list[Path]:
    """Write workbook, exchange files and cells of a table into a folder; the same table gives the same bytes."""
    from etl.reports.exchange import write_exchange
    from etl.reports.workbook import write_workbook

    workbook = write_workbook(table, folder, made_on, changes=changes, version=version)
    return [workbook, *write_exchange(table, folder), cells.write(folder)]


def described(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Name, bytes and SHA-256 of each."""
    return [
        {"name": file.name, "bytes": file.stat().st_size, "sha256": sha256_of(file)} for file in sorted(files)
    ]


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes its name when it is whole; one of that name goes. A writer that is killed
    leaves nothing under the name."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    unfinished.mkdir()
    try:
        yield unfinished
        for file in unfinished.iterdir():
            _sync(file)
        if folder.exists():
            old = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
            folder.rename(old)
            shutil.rmtree(old)
        unfinished.rename(folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
