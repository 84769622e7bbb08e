"""Which platform carries which unit, and declarations for a part of the province that the catalogue lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from etl.catalog import Catalog, Dataset
from simulator.world import Pair, World, WorldError

HOTLINE_COLUMNS: dict[str, Pair] = {
    "calls": ("hotline_call", "hotline"),
    "answered": ("hotline_answered", "hotline"),
    "consultations": ("consultation", "hotline"),
    "asked": ("survey_asked", "hotline"),
    "answered_survey": ("survey_answered", "hotline"),
    "very_satisfied": ("very_satisfied", "hotline"),
    "satisfied": ("satisfied", "hotline"),
    "basically_satisfied": ("basically_satisfied", "hotline"),
    "dissatisfied": ("dissatisfied", "hotline"),
    "very_dissatisfied": ("very_dissatisfied", "hotline"),
}
"""Columns of the hotline view and what they count (contract.md, D)."""

HOTLINE_ONLY: frozenset[Pair] = frozenset(
    [*HOTLINE_COLUMNS.values(), ("aware", "hotline"), ("first_choice", "hotline")]
)
"""What a county platform leaves to the hotline (ruling 6): its figures and the whole hotline survey."""


@dataclass(frozen=True)
class Area:
    """The simulated part of the province: codes of cities and counties, and of each city's townships.

    whole: nothing below the cities is left out. A part is what a small test runs on.
    """

    cities: tuple[str, ...]
    counties: tuple[str, ...]
    townships: dict[str, tuple[str, ...]]
    whole: bool

    @classmethod
    def choose(
        cls, world: World, prefix: str, counties: Sequence[str] | None, townships_per_county: int | None
    ) -> Area:
        """The cities of the prefix, cut down to some counties and some townships of each.

        Raises WorldError when a county is none of these cities'.
        """
        found = [code for city in world.cities(prefix) for code in world.children[city]]
        known = [code for code in found if world.level[code] == "county"]
        strangers = set(counties or ()) - set(known)
        if strangers:
            raise WorldError(f"no counties of the cities {prefix}…: {', '.join(sorted(strangers))}")
        kept = [code for code in known if counties is None or code in counties]
        townships: dict[str, tuple[str, ...]] = {}
        for county in kept:
            below = [unit for unit in world.children.get(county, ()) if world.level[unit] == "township"]
            city = world.parent[county]
            townships[city] = (*townships.get(city, ()), *below[:townships_per_county])
        whole = counties is None and townships_per_county is None
        return cls(tuple(townships), tuple(kept), townships, whole)


def carried_units(world: World, catalog: Catalog, dataset: Dataset = "daily") -> dict[str, list[str]]:
    """Units that each platform of a data set reports for, by platform id; a database platform's are its counties.

    A unit that several platforms cover is carried by the one declared first; the hotline adds to it.
    """
    carried: dict[str, list[str]] = {}
    taken: set[str] = set()
    for platform in catalog.platforms_of(dataset).values():
        levels = {str(level) for level in platform.level}
        units = [u for code in platform.area for u in world.below(code) if world.level[u] in levels]
        if platform.family != "database":
            units = [unit for unit in units if unit not in taken]
            taken.update(units)
        carried[platform.id] = units
    return carried


def declares(catalog: Catalog, area: Area, hotline: bool) -> bool:
    """Whether the catalogue's own platforms cover exactly the asked part of the province."""
    covered = {code for platform in catalog.platforms.values() for code in platform.area}
    has_hotline = any(platform.family == "database" for platform in catalog.platforms.values())
    asked = {*area.cities, *area.counties}
    return area.whole and has_hotline == hotline and set(area.counties) <= covered <= asked


def write_declarations(folder: Path, area: Area, hotline: bool) -> None:
    """Write platforms/simulated.yaml below the folder: a catalogue that overrides nothing but the platforms."""
    rest = [("city", code) for code in area.cities] + [("county", code) for code in area.counties]
    entries: list[dict[str, object]] = [
        _entry(f"{level}-{_short(code)}", "rest", level, [code], "everyday", ["daily", "stocks"])
        for level, code in rest
    ]
    for city in area.cities:
        townships = [city] if area.whole else list(area.townships[city])
        daily, name, both = ["daily"], _short(city), ["township", "village"]
        if townships:
            entries.append(_entry(f"township-{name}", "csv", "township", townships, "workdays", daily))
            entries.append(_entry(f"village-{name}", "workbook", "village", townships, "workdays", daily))
            entries.append(_entry(f"stocks-{name}", "rest", both, townships, "workdays", ["stocks"]))
        if hotline:
            counties = [city] if area.whole else [code for code in area.counties if code[:4] == city[:4]]
            entries.append(_entry(f"hotline-{name}", "database", "county", counties, "everyday", daily))
            if len(area.cities) > 1:
                entries[-1]["options"] = {"view": f"hotline_daily_{name}"}
    target = folder / "platforms" / "simulated.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(entries, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _entry(
    name: str, family: str, level: str | list[str], area: list[str], calendar: str, datasets: list[str]
) -> dict[str, object]:
    return {
        "id": name,
        "family": family,
        "level": level,
        "datasets": datasets,
        "conn_id": "pls_" + name.replace("-", "_"),
        "area": area,
        "calendar": calendar,
    }


def _short(code: str) -> str:
    return code[:6]
