"""Seconds that work took: on the wall, and of the processors, in this process and in PostgreSQL's for its clients.

Processor seconds are not lengthened by what else the machine does. PostgreSQL's own writers are left out: what they
write was made by somebody earlier.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PARENT, OWN, WAITED_FOR = 1, slice(11, 13), slice(13, 15)
"""Fields of /proc/<pid>/stat after the name: the parent's number; user and system ticks, its own and its children's
that have ended."""


@dataclass(frozen=True)
class Spent:
    """cpu: processor seconds. wall: seconds from start to end."""

    cpu: float
    wall: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu + other.cpu, self.wall + other.wall)


class Clock:
    """Measures work that uses the embedded server of a home."""

    def __init__(self, home: Path) -> None:
        self.postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])

    def measure(self, work: Callable[[], object]) -> Spent:
        cpu, wall = self._cpu(), time.perf_counter()
        work()
        return Spent(self._cpu() - cpu, time.perf_counter() - wall)

    def _cpu(self) -> float:
        ticks = sum(_fields(self.postmaster)[WAITED_FOR])
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if _serves_a_client(process):
                    fields = _fields(int(process.name))
                    ticks += sum(fields[OWN]) if fields[PARENT] == self.postmaster else 0
            except (FileNotFoundError, ProcessLookupError):
                continue
        return time.process_time() + ticks / TICK


def _fields(number: int) -> list[int]:
    after_name = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return [0 if field.isalpha() else int(field) for field in after_name]


def _serves_a_client(process: Path) -> bool:
    title = (process / "cmdline").read_bytes()
    return title.startswith((b"postgres: postgres ", b"postgres: parallel worker"))
