"""Whether bulletins speak of what is declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from etl.catalog.bulletin import Bulletin, TileGrid
from etl.catalog.survey import survey_channels

if TYPE_CHECKING:
    from etl.catalog.models import Catalog


def bulletin_contradictions(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Folder, entry and what is wrong: unknown names, and two entries for one thing."""
    taken: dict[str, str] = {}
    for entry in catalog.bulletins.values():
        if isinstance(entry, TileGrid):
            uses = [f"division {entry.division}"]
        else:
            uses = [f"period {period}" for period in entry.periods]
            yield from _unknown_names(entry, catalog)
        for use in uses:
            owner = taken.setdefault(use, entry.id)
            if owner != entry.id:
                yield "bulletins", entry.id, f"{use} has {owner} already: delete one of them."


def _unknown_names(entry: Bulletin, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    schemes = {scheme.code for scheme in catalog.schemes.values()}
    for key, names, known in (
        ("measures", entry.measures, set(catalog.measures)),
        ("total", (entry.total,), set(catalog.indicators)),
        ("shares", entry.shares, set(catalog.indicators)),
        ("rates", entry.rates, set(catalog.indicators)),
        ("scheme", (entry.scheme,), schemes),
    ):
        for name in names:
            if name not in known:
                yield (
                    "bulletins",
                    entry.id,
                    f"key {key} names {name}, which is not declared: mend or delete it.",
                )
    numbered = tuple(
        code
        for code, each in catalog.indicators.items()
        if each.source.key == entry.targets and each.number is not None
    )
    for key, names in (
        ("total", (entry.total,)),
        ("shares", entry.shares),
        ("rates", entry.rates),
        ("targets", numbered),
    ):
        for name in names:
            if name in catalog.indicators and survey_channels(catalog, name):
                yield (
                    "bulletins",
                    entry.id,
                    f"key {key}: {name} rests on the survey: the part ranking shows satisfaction, suppressed.",
                )
    for name in entry.measures:
        if name in catalog.measures and catalog.measures[name].kind != "flow":
            yield (
                "bulletins",
                entry.id,
                f"key measures: {name} is not counted by the day: only measures of kind flow were expected.",
            )
    for name in entry.shares:
        if name in catalog.indicators and catalog.indicators[name].kind != "rate":
            yield "bulletins", entry.id, f"key shares: {name} is not a rate: only shares were expected."
