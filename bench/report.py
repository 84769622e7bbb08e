"""The measurements as a page: ratios first, then where the time goes."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.further import Ratio
from bench.process import Measured

GOALS = {"floor": "goal ≤ 4, stretch ≤ 3", "script": "goal ≥ 10"}
PACKAGES = ("pandas", "numpy", "pyarrow", "great-expectations", "sqlalchemy", "psycopg")
MEGABYTE = 1 << 20


@dataclass
class Shape:
    """What was measured on one shape of day. compared: figures proved equal, by level."""

    name: str
    submissions: int
    rows: int
    product: list[Measured] = field(default_factory=list)
    floor: list[Measured] = field(default_factory=list)
    peer: Measured | None = None
    compared: dict[str, int] = field(default_factory=dict)


def describe(shapes: list[Shape], ratios: list[Ratio], server: str, load: tuple[float, float]) -> str:
    """The page, in Markdown. load: the machine's load average before and after."""
    return "\n".join(
        [
            *_table(["", *(shape.name for shape in shapes)], _summary(shapes)),
            "",
            *_table(
                ["", "goal", "ratio", "best times"],
                [[each.what, each.goal, f"{each.value:.3f}", each.words] for each in ratios],
            ),
            "",
            *(line for shape in shapes for line in _parts(shape)),
            "Compared figure by figure with the floor, channel totals included, and equal: "
            + "; ".join(
                f"{shape.name} " + ", ".join(f"{level} {count:,}" for level, count in shape.compared.items())
                for shape in shapes
            )
            + ".",
            "",
            f"Machine: {_machine()}; load average {load[0]:.1f} before, {load[1]:.1f} after.",
            f"Versions: Python {platform.python_version()}, PostgreSQL {server}, "
            + ", ".join(f"{package} {version(package)}" for package in PACKAGES)
            + ".",
        ]
    )


def _summary(shapes: list[Shape]) -> list[list[str]]:
    def row(label: str, cell: Callable[[Shape], str]) -> list[str]:
        return [label, *(cell(shape) for shape in shapes)]

    def script(shape: Shape, cell: Callable[[Measured], str]) -> str:
        return cell(shape.peer) if shape.peer else ""

    return [
        row("submissions", lambda shape: f"{shape.submissions:,}"),
        row("figures", lambda shape: f"{shape.rows:,}"),
        row("repeats", lambda shape: f"{len(shape.product)}"),
        row(
            f"**archive to mart / floor** ({GOALS['floor']})", lambda shape: _two(_ratios(shape), "{:.2f} ×")
        ),
        row(
            f"**script / archive to mart** ({GOALS['script']})",
            lambda shape: script(
                shape,
                lambda peer: _two([peer.total / run.total for run in shape.product], "{:.1f} ×", best=max),
            ),
        ),
        row("archive to mart", lambda shape: _two([run.total for run in shape.product], "{:.2f} s")),
        row("floor", lambda shape: _two([run.total for run in shape.floor], "{:.2f} s")),
        row("script (once)", lambda shape: script(shape, lambda peer: f"{peer.total:.1f} s")),
        row(
            "archive to mart, figures per second",
            lambda shape: _two([shape.rows / run.total for run in shape.product], "{:,.0f}", best=max),
        ),
        row(
            "archive to mart, memory peak",
            lambda shape: f"{max(run.peak for run in shape.product) / MEGABYTE:,.0f} MB",
        ),
        row(
            "script, memory peak", lambda shape: script(shape, lambda peer: f"{peer.peak / MEGABYTE:,.0f} MB")
        ),
    ]


def _ratios(shape: Shape) -> list[float]:
    return [run.total / floor.total for run, floor in zip(shape.product, shape.floor, strict=True)]


def _two(values: list[float], form: str, best: Callable[[list[float]], float] = min) -> str:
    """The best and the median; one of them when it was measured once."""
    if len(values) == 1:
        return form.format(values[0])
    return f"{form.format(best(values))}, median {form.format(median(values))}"


def _parts(shape: Shape) -> list[str]:
    """Where the time goes, in the best run of each program."""
    best = {
        "archive to mart": min(shape.product, key=lambda run: run.total),
        "floor": min(shape.floor, key=lambda run: run.total),
    }
    if shape.peer:
        best["script"] = shape.peer
    lines = [
        [program, part, f"{seconds:.2f} s", f"{seconds / run.total:.0%}"]
        for program, run in best.items()
        for part, seconds in run.seconds.items()
    ]
    lines += [
        [program, f"inside the tasks, added up: {part}", f"{seconds:.2f} s", ""]
        for program, run in best.items()
        for part, seconds in run.inside.items()
    ]
    return [*_table([f"{shape.name}, best run", "stage", "time", "share"], lines), ""]


def _table(head: list[str], lines: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines)]


def _machine() -> str:
    info = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {kilobytes / (1 << 20):.0f} GB"
