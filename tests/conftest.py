"""What every test may use, and how a test gets its mark: from the folder it stands in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
KINDS = ("unit", "integration", "dags", "e2e")


def require_program(name: str, apt: str) -> str:
    """Path of a program that pip cannot bring. Without it the test is skipped, naming the package; in CI it fails."""
    path = shutil.which(name)
    if path is not None:
        return path
    words = f"{name} is not installed; on Debian: apt-get install {apt}"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its folder's name."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        if kind in KINDS:
            item.add_marker(kind)
