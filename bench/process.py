"""A program measured in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass


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
    seconds = function(*args)
    return Measured(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
