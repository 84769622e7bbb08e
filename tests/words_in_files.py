"""What stands in a file, packed files such as workbooks included."""

from __future__ import annotations

import zipfile
from pathlib import Path


def words_of(file: Path) -> str:
    """Its text; of a packed file, that of all its parts."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as parts:
            return "".join(parts.read(name).decode(errors="replace") for name in parts.namelist())
    return file.read_text(encoding="utf-8", errors="replace")
