"""A program measured in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Measured:
    """One run of one program: seconds by part, peak memory in bytes (0: not measured), and seconds spent inside a part
    that runs in several processes at once, which add up to more than the part took."""

    seconds: Mapping[str, float]
    peak: int = 0
    inside: Mapping[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def run_apart(function: Callable[..., T], *args: object) -> T:
    """Run in a new process, so that its memory peak is its own; what it imports is imported before it starts."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *args).result()


def peak() -> int:
    """The most memory that this program held, in bytes. resource.getrusage would not do: what it says is handed on to
    a new program by the one that started it."""
    status = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = (int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return kilobytes * 1024


def say(words: str) -> None:
    """What is being measured, for whoever waits."""
    print(f"bench: {words}", file=sys.stderr, flush=True)
