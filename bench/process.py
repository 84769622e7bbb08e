"""A program measured in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """One run of one program: seconds by part, peak memory of its process in bytes (0: not measured)."""

    seconds: Mapping[str, float]
    peak: int = 0

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def run_apart(function: Callable[..., dict[str, float]], *args: object) -> Measured:
    """Run in a new process, so that its memory peak is its own; what it imports is imported before it starts."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_run, function, *args).result()


def _run(function: Callable[..., dict[str, float]], *args: object) -> Measured:
    return Measured(function(*args), _peak())


def _peak() -> int:
    """The most memory that this program held, in bytes. resource.getrusage would not do: what it says is handed on to
    a new program by the one that started it."""
    status = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = (int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return kilobytes * 1024
