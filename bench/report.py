"""The page: one table of ratios, each with its goal, and the machine that they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    "pandas",
    "numpy",
    "pyarrow",
    "orjson",
    "python-calamine",
    "httpx",
    "asyncssh",
    "great-expectations",
    "sqlalchemy",
    "psycopg",
)


@dataclass(frozen=True)
class Line:
    """What is compared, the ratio of the best times, the times in words, and what the ratio should be, if anything."""

    what: str
    ratio: float
    words: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return f"≥ {self.at_least:g}" if self.at_least is not None else ""

    @property
    def verdict(self) -> str:
        if not self.goal:
            return ""
        is_met = self.at_most is None or self.ratio <= self.at_most
        return "met" if is_met and (self.at_least is None or self.ratio >= self.at_least) else "**missed**"


def describe(
    lines: Sequence[Line], notes: Iterable[str], versions: Iterable[str], load: tuple[float, float]
) -> str:
    """The page, in Markdown. notes: further paragraphs. versions: of what no package of the project tells. load: the
    machine's load average before and after."""
    table = [["what", "ratio", "goal", "", "measured"], ["---"] * 5]
    table += [[each.what, f"{each.ratio:.3g}", each.goal, each.verdict, each.words] for each in lines]
    missed = [each.what for each in lines if each.verdict not in ("", "met")]
    return "\n".join(
        [
            *("| " + " | ".join(cells) + " |" for cells in table),
            "",
            f"Goals missed: {'; '.join(missed)}." if missed else "No goal is missed.",
            "",
            *(line for note in notes for line in (note, "")),
            f"Machine: {_machine()}; load average {load[0]:.1f} before, {load[1]:.1f} after.",
            f"Versions: Python {platform.python_version()}, "
            + ", ".join([*versions, *(f"{package} {version(package)}" for package in PACKAGES)])
            + ".",
        ]
    )


def seconds_of(parts: Mapping[str, float]) -> str:
    """`COPY 0.48 s, GROUP BY 0.51 s`."""
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts.items())


def _machine() -> str:
    info = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {kilobytes / (1 << 20):.0f} GB"
