"""Charts: sober, in colours that people who do not tell red from green can tell apart (Okabe and Ito); each value that
matters stands beside its mark."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from etl.bulletin import words
from etl.bulletin.figure import BulletinError
from etl.rounding import Number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

FONTS = Path("/usr/share/fonts")
FONT_FILES = ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc")
FONT = "Noto Sans CJK SC"
BLUE, ORANGE, SKY, GREY, LIGHT, INK = "#0072B2", "#D55E00", "#56B4E9", "#8A8A8A", "#D9D9D9", "#222222"
SHADES = ("#F2F2F2", "#D6E6F2", "#9CC6E0", "#4C97C4", "#1F5F8B")
STEPS = (0.02, 0.05, 0.10, 0.20)
"""Shares not on time at which the next shade begins."""
WIDTH = 6.5
"""Inches between the margins of the page."""


@dataclass(frozen=True)
class Drawn:
    """A chart as vectors and as pixels."""

    svg: bytes
    png: bytes


@functools.cache
def _prepare() -> None:
    """Fonts and habits of all charts. The collections hold a face for each region: the one of the mainland is named.

    Raises BulletinError where the fonts are not there.
    """
    import matplotlib
    from matplotlib import font_manager

    matplotlib.use("Agg")
    for name in FONT_FILES:
        found = next(FONTS.rglob(name), None)
        if found is None:
            raise BulletinError(
                f"The font {name} is not on this machine, and charts need it. Install Debian's package"
                " fonts-noto-cjk: apt-get install fonts-noto-cjk"
            )
        font_manager.fontManager.addfont(str(found))


def _draw(height: float, paint: Any, title: str, alt: str, width: float = WIDTH) -> Drawn:
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    _prepare()
    habits: Any = {
        "font.family": [FONT],
        "font.size": 8.5,
        "text.color": INK,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.6,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.unicode_minus": False,
        "svg.fonttype": "path",
        "svg.hashsalt": title,
    }
    with matplotlib.rc_context(habits):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        paint(canvas)
        svg, png = io.BytesIO(), io.BytesIO()
        nothing = dict.fromkeys(("Date", "Creator"))
        canvas.savefig(svg, format="svg", metadata=nothing)
        canvas.savefig(png, format="png", dpi=220, metadata={"Software": None})
    return Drawn(_named(svg.getvalue(), title, alt), png.getvalue())


def _named(svg: bytes, title: str, alt: str) -> bytes:
    """The picture with its title and description, for those who cannot see it."""
    head, sep, rest = svg.partition(b"<defs>")
    start, _, tail = head.rpartition(b">")
    words_ = f"<title>{escape(title)}</title><desc>{escape(alt)}</desc>".encode()
    start = start.replace(b"<svg ", b'<svg role="img" ', 1)
    return start + b">" + words_ + tail + sep + rest


def _bare(axes: Axes, *, left: bool = False) -> None:
    for side in ("top", "right", *(() if left else ("left",))):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)


def trend_chart(
    title: str, alt: str, labels: Sequence[str], values: Sequence[int | None], provisional: Sequence[bool]
) -> Drawn:
    """A line over the months from zero; hollow where provisional, broken where nothing is known."""

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        places = range(len(labels))
        heights = [float("nan") if value is None else float(value) for value in values]
        axes.plot(places, heights, color=BLUE, linewidth=1.6)
        known = [number for number in places if values[number] is not None]
        top = max((heights[number] for number in known), default=1) or 1
        for number in known:
            face = "white" if provisional[number] else BLUE
            axes.plot(number, heights[number], "o", color=BLUE, markerfacecolor=face, markersize=4.5)
            axes.annotate(
                words.count(values[number]), (number, heights[number]), (0, 6), textcoords="offset points",
                ha="center", fontsize=7.5, fontweight="bold" if number == len(labels) - 1 else "normal",
            )  # fmt: skip
        axes.set_ylim(0, top * 1.18)
        axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_xticks(list(places), labels)
        axes.set_yticks([])
        _bare(axes)

    return _draw(1.55, paint, title, alt)


def share_chart(
    title: str, alt: str, rows: Sequence[tuple[str, Sequence[Number | None]]], names: Sequence[str]
) -> Drawn:
    """A bar for each period, cut into the channels' shares."""
    colours, hatches = (BLUE, ORANGE, LIGHT, SKY, GREY), ("", "", "", "", "")

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        for number, (_, shares) in enumerate(rows):
            left = 0.0
            for place, share in enumerate(shares):
                if share is None:
                    continue
                width = float(share)
                axes.barh(
                    number, width, left=left, color=colours[place % 5], hatch=hatches[place % 5], height=0.56,
                    edgecolor="white", label=names[place] if number == 0 else None,
                )  # fmt: skip
                if width > 0.04:
                    ink = INK if place in (2, 3) else "white"
                    axes.text(
                        left + width / 2, number, words.percent(share), ha="center", va="center", color=ink
                    )
                left += width
        axes.set_yticks(range(len(rows)), [label for label, _ in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xticks([])
        _bare(axes)
        axes.spines["bottom"].set_visible(False)
        axes.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(names), frameon=False, handlelength=1
        )

    return _draw(0.5 + 0.27 * len(rows), paint, title, alt)


def interval_chart(
    title: str,
    alt: str,
    rows: Sequence[tuple[str, float, float, float, bool, str]],
    whole: float | None,
    whole_name: str,
) -> Drawn:
    """A dot with its interval for each division; hollow where it is not ranked. rows: name, rate, low, high, whether
    it is ranked, words on the right."""

    from matplotlib.ticker import MultipleLocator

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        lowest = min([low for _, _, low, _, _, _ in rows] + ([whole] if whole is not None else [1.0]))
        left = max(0.0, int(lowest * 20) / 20)
        for number, (_, rate, low, high, is_ranked, remark) in enumerate(rows):
            axes.plot([low, high], [number, number], color=BLUE if is_ranked else GREY, linewidth=1.6)
            axes.plot(
                rate, number, "o", color=BLUE if is_ranked else GREY, markersize=5,
                markerfacecolor=BLUE if is_ranked else "white", clip_on=False,
            )  # fmt: skip
            axes.text(1.012, number, remark, va="center", fontsize=7.5, transform=axes.get_yaxis_transform())
        if whole is not None:
            axes.axvline(whole, color=ORANGE, linewidth=1, linestyle=(0, (4, 2)))
            axes.text(
                whole, -0.85, f"{whole_name}{words.percent(whole)}", ha="center", va="bottom", color=ORANGE,
                fontsize=7.5,
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.8)
        axes.set_xlim(left, 1.0)
        axes.xaxis.set_major_locator(MultipleLocator(0.05 if left >= 0.75 else 0.1))
        axes.xaxis.set_major_formatter(lambda value, _: words.percent(value, 0))
        axes.grid(axis="x", color="#EEEEEE", linewidth=0.6)
        axes.set_axisbelow(True)
        _bare(axes)

    return _draw(0.5 + 0.185 * len(rows), paint, title, alt)


def target_chart(title: str, alt: str, rows: Sequence[tuple[str, float, str]]) -> Drawn:
    """A dot for each indicator at what it has reached of its target. rows: name, attainment, met or not_met."""
    cap = 1.5

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        for number, (_, attainment, status) in enumerate(rows):
            shown = min(attainment, cap)
            is_met = status == "met"
            colour = BLUE if is_met else ORANGE
            axes.plot([0, shown], [number, number], color=LIGHT, linewidth=1, zorder=1)
            axes.plot(
                shown, number, "o" if is_met else "D", color=colour, markersize=4.5, zorder=2, clip_on=False
            )
            more = "≥" if attainment > cap else ""
            axes.text(
                cap + 0.03, number, f"{more}{words.percent(cap if more else attainment, 0)}", va="center",
                fontsize=7, color=colour,
            )  # fmt: skip
        axes.axvline(1, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows], fontsize=7.5)
        axes.set_ylim(len(rows) - 0.4, -0.7)
        axes.set_xlim(0, cap)
        axes.set_xticks([0, 0.5, 1, 1.5], ["0", "50%", "目标=100%", "150%"])
        _bare(axes)

    return _draw(0.4 + 0.142 * len(rows), paint, title, alt)


def tile_map(
    title: str,
    alt: str,
    places: Mapping[str, tuple[int, int]],
    names: Mapping[str, str],
    shares: Mapping[str, Number],
) -> Drawn:
    """A tile for each division, darker where more was not on time. shares: not on time, 0 to 1; none: hatched."""
    from matplotlib.patches import Patch, Rectangle

    rows = max(row for row, _ in places.values()) + 1
    columns = max(column for _, column in places.values()) + 1

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        for code, (row, column) in places.items():
            share = shares.get(code)
            shade = None if share is None else sum(share >= step for step in STEPS)
            face = "white" if shade is None else SHADES[shade]
            axes.add_patch(
                Rectangle(
                    (column + 0.03, row + 0.04), 0.94, 0.92, facecolor=face, linewidth=0.5,
                    edgecolor=LIGHT if shade is None else GREY,
                    hatch="////" if shade is None else None,
                )
            )  # fmt: skip
            ink = "white" if shade is not None and shade >= 3 else INK
            axes.text(
                column + 0.5, row + 0.36, _short(names[code]), ha="center", va="center", fontsize=8, color=ink
            )
            axes.text(
                column + 0.5, row + 0.7, words.percent(share), ha="center", va="center", fontsize=8.5, color=ink,
                fontweight="bold",
            )  # fmt: skip
        axes.set_xlim(0, columns)
        axes.set_ylim(rows, 0)
        axes.axis("off")
        limits = [0.0, *STEPS]
        labels = [
            f"{words.percent(limits[n], 0)}—{words.percent(limits[n + 1], 0)}"
            if n + 1 < len(limits)
            else f"{words.percent(limits[n], 0)}以上"
            for n in range(len(limits))
        ]
        handles: list[Any] = [
            Patch(facecolor=SHADES[n], edgecolor=GREY, linewidth=0.5, label=labels[n])
            for n in range(len(limits))
        ]
        axes.legend(
            handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, title="未按时报送比例",
            title_fontsize=8, fontsize=8, handlelength=1.4,
        )  # fmt: skip

    return _draw(0.15 + 0.42 * rows, paint, title, alt)


def _short(name: str) -> str:
    """A name that fits on a tile."""
    for long, short in (("高新技术产业开发区", "高新区"), ("经济技术开发区", "经开区")):
        name = name.replace(long, short)
    return name if len(name) <= 7 else name[:6] + "…"
