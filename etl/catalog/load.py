"""Load the catalogue: YAML in, checked models out; a bad declaration is refused with file, entry, key and mend."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from etl.catalog.alert import ALERTS, AlertEntry
from etl.catalog.base import CODE_PATTERN, DIVISION_PATTERN, NAME_PATTERN, Declared
from etl.catalog.bulletin import BULLETINS, BulletinEntry
from etl.catalog.consistency import contradictions
from etl.catalog.delivery import BUCKET_PATTERN, DELIVERIES, DeliveryTarget
from etl.catalog.early_sight import EARLY_SIGHT, EarlySight
from etl.catalog.indicator import Indicator, Source, Target
from etl.catalog.models import (
    EMAIL_PATTERN,
    TIME_PATTERN,
    WEBHOOK_PATTERN,
    AtMost,
    Calendar,
    Catalog,
    Channel,
    Check,
    Measure,
    Override,
    Platform,
    Recipient,
    Retention,
    SenderTotal,
    SumEquals,
)
from etl.catalog.report import GROUPS, Report
from etl.catalog.rules import RULES, Backlog, Rule
from etl.catalog.scheme import Evidence, Grade, Item, Scheme, Step
from etl.catalog.survey import Satisfaction
from etl.catalog.timeliness import Completeness, ReportingException
from etl.catalog.viewer import Viewer
from etl.catalog.yaml_file import CatalogError, Written, read_yaml
from etl.settings import SHIPPED_CATALOG

log = logging.getLogger(__name__)

PATTERN_WORDS = {
    CODE_PATTERN: "small letters, digits and _ were expected, beginning with a letter",
    NAME_PATTERN: "letters, digits, _ . and - were expected, beginning with a letter or digit",
    DIVISION_PATTERN: "a division code of 12 digits was expected",
    TIME_PATTERN: 'a time of day was expected, in quotes like "18:00"',
    EMAIL_PATTERN: "an address like name@example.org was expected",
    BUCKET_PATTERN: "a bucket's name of small letters, digits, . and - was expected",
    WEBHOOK_PATTERN: "an address beginning with http:// or https:// was expected",
}


@dataclass(frozen=True)
class _Folder:
    """A subfolder of the catalogue: what an entry is, and the key that names it.

    about: the folder that its entries speak of: where a site replaces that one, the project's own entries here fall
    away with it, unless the site has its own.
    """

    name: str
    entry: Any
    models: tuple[type[Declared], ...]
    key: str
    is_required: bool = True
    about: str | None = None


@dataclass(frozen=True)
class _Place:
    """Where an entry stands: file, number and name, its first line, and the lines of its keys."""

    words: str
    written: Written

    def say(self, words: str) -> str:
        """A sentence about the entry; one that begins with `key NAME` gets the line of that key."""
        named = re.match(r"key (\w+)", words)
        line = self.written.lines.get(named[1] if named else "", self.written.line)
        return f"{self.words}, line {line}: {words}"

    def __str__(self) -> str:
        return f"{self.words}, line {self.written.line}"


FOLDERS = {
    folder.name: folder
    for folder in (
        _Folder("channels", Channel, (Channel,), "code"),
        _Folder("measures", Measure, (Measure,), "code"),
        _Folder("calendars", Calendar, (Calendar, Override), "name"),
        _Folder("recipients", Recipient, (Recipient,), "id", is_required=False),
        _Folder("deliveries", DeliveryTarget, DELIVERIES, "id", is_required=False),
        _Folder("platforms", Platform, (Platform,), "id"),
        _Folder("checks", Check, (SenderTotal, SumEquals, AtMost), "code"),
        _Folder("plausibility", Rule, RULES, "kind"),
        _Folder("backlogs", Backlog, (Backlog,), "code", is_required=False),
        _Folder("retention", Retention, (Retention,), "what", is_required=False),
        _Folder("exceptions", ReportingException, (ReportingException,), "id", is_required=False),
        _Folder("periods", Completeness, (Completeness,), "kind"),
        _Folder("alerts", AlertEntry, ALERTS, "code"),
        _Folder(
            "indicators", Indicator, (Indicator, Target, Source), "code", is_required=False, about="measures"
        ),
        _Folder("schemes", Scheme, (Scheme, Item, Step, Grade), "id", is_required=False, about="indicators"),
        _Folder("evidence", Evidence, (Evidence,), "id", is_required=False, about="schemes"),
        _Folder("satisfaction", Satisfaction, (Satisfaction,), "kind", is_required=False, about="measures"),
        _Folder("outlook", EarlySight, EARLY_SIGHT, "kind", is_required=False, about="measures"),
        _Folder("bulletins", BulletinEntry, BULLETINS, "id", is_required=False, about="schemes"),
        _Folder("viewers", Viewer, (Viewer,), "user", is_required=False),
        _Folder("reports", Report, (Report, *GROUPS), "id", is_required=False, about="measures"),
    )
}


def load_catalog(overrides: Path | None) -> Catalog:
    """The project's catalogue; a subfolder of `overrides` replaces the project's whole subfolder of that name.

    Raises CatalogError.
    """
    if overrides is not None:
        _refuse_strays(overrides)
    sources: dict[tuple[str, str], _Place] = {}
    declared: dict[str, dict[str, Any]] = {}
    for name in FOLDERS:
        channels = list(declared["channels"]) if name == "measures" else None
        declared[name] = _declared(name, overrides, sources, channels)
    catalog = Catalog(**declared)
    complaints = [sources[folder, entry].say(words) for folder, entry, words in contradictions(catalog)]
    if complaints:
        raise CatalogError("\n".join(complaints))
    return catalog


def _refuse_strays(overrides: Path) -> None:
    """Whatever in the folder would be passed over in silence."""
    if not overrides.is_dir():
        raise CatalogError(
            f"PLS_CATALOG names {overrides}: a folder was expected. Make it, or unset PLS_CATALOG."
        )
    known = ", ".join(f"{name}/" for name in FOLDERS)
    for path in sorted(overrides.iterdir()):
        if path.name.startswith("."):
            continue
        is_declared = path.is_dir() or path.suffix in (".yaml", ".yml")
        if is_declared and not (path.is_dir() and path.name in FOLDERS):
            raise CatalogError(
                f"{path}: not part of a catalogue; its folders are {known} and every file stands in one of them."
                " Rename it or move it."
            )
    for name in FOLDERS:
        for path in sorted((overrides / name).rglob("*")):
            inside = path.relative_to(overrides / name).parts
            if any(part.startswith(".") for part in inside) or path.suffix not in (".yaml", ".yml"):
                continue
            if len(inside) > 1 or path.suffix == ".yml":
                raise CatalogError(
                    f"{path}: would not be read. Move it to {overrides / name / path.stem}.yaml."
                )


def _declared(
    folder: str,
    overrides: Path | None,
    sources: dict[tuple[str, str], _Place],
    channels: list[str] | None = None,
) -> dict[str, Any]:
    """The entries of a folder by their names; where each one stands is noted in sources."""
    kind = FOLDERS[folder]
    place = _place_of(kind, overrides)
    if place is None:
        return {}
    adapter = TypeAdapter(kind.entry)
    entries: dict[str, Any] = {}
    for file, number, written in _entries(place):
        entry: dict[str, Any] = written
        where = _Place(f"{file}, entry {number} ({kind.key} {entry.get(kind.key, 'missing')})", written)
        if channels is not None:
            entry = _complete_measure(entry, file, channels)
        try:
            declared = adapter.validate_python(entry, context={"folder": file.parent})
        except ValidationError as error:
            raise CatalogError(where.say(words_for(error, kind))) from None
        name = getattr(declared, kind.key)
        if name in entries:
            raise CatalogError(
                f"{where}: key {kind.key}: {name} is declared already in {sources[folder, name]}."
                f" Give one of them another {kind.key} or delete it."
            )
        entries[name] = declared
        sources[folder, name] = where
    if not entries and kind.is_required:
        raise CatalogError(f"{place}: declares nothing; a *.yaml file with at least one entry was expected.")
    return entries


def _place_of(folder: _Folder, overrides: Path | None) -> Path | None:
    """Where a folder's entries stand; None where the project's own fell away."""
    if overrides is not None and (overrides / folder.name).is_dir():
        return overrides / folder.name
    if (
        folder.about is not None
        and _place_of(FOLDERS[folder.about], overrides) != SHIPPED_CATALOG / folder.about
    ):
        log.warning("%s replaces %s/: the project's %s/ fall away", overrides, folder.about, folder.name)
        return None
    return SHIPPED_CATALOG / folder.name


def _complete_measure(entry: dict[str, Any], file: Path, channels: list[str]) -> dict[str, Any]:
    """A measure's kind is the file it stands in, when it says none; a flow without channels is reported in all."""
    entry = {"kind": file.stem} | entry
    return {"channels": [] if entry["kind"] == "stock" else channels} | entry


def _entries(place: Path) -> Iterator[tuple[Path, int, Written]]:
    for file in sorted(place.glob("*.yaml")):
        if file.name.startswith("."):
            continue
        entries = read_yaml(file)
        if not isinstance(entries, list):
            raise CatalogError(f"{file}: a list of entries was expected, each beginning with '- '.")
        for number, entry in enumerate(entries, start=1):
            if not isinstance(entry, Written):
                raise CatalogError(
                    f"{file}, entry {number}: keys and values were expected, not {entry!r:.80}."
                )
            yield file, number, entry


def words_for(error: ValidationError, folder: _Folder) -> str:
    """What is wrong with an entry of a folder, in sentences that name the key and the mend."""
    kinds = {
        str(model.model_fields["kind"].annotation) for model in folder.models if "kind" in model.model_fields
    }
    known = list(dict.fromkeys(name for model in folder.models for name in model.model_fields))
    sentences = []
    for each in error.errors():
        path = [str(step) for step in each["loc"] if not any(f"'{step}'" in kind for kind in kinds)]
        key = ".".join(path) or "(the entry)"
        given = "" if isinstance(each["input"], dict) else f" is {each['input']!r:.80}"
        match each["type"]:
            case "extra_forbidden":
                near = difflib.get_close_matches(path[-1], known, n=1)
                meant = f"did you mean {near[0]}?" if near else "delete it."
                sentences.append(f"key {key} is not known: {meant} Known keys are {', '.join(known)}.")
            case "missing":
                sentences.append(f"key {key} is missing: add it.")
            case "union_tag_not_found":
                sentences.append(f"key kind is missing; one of {each['ctx']['discriminator']} was expected.")
            case "union_tag_invalid":
                sentences.append(
                    f"key kind is {each['ctx']['tag']}; one of {each['ctx']['expected_tags']} was expected."
                )
            case "string_pattern_mismatch":
                sentences.append(f"key {key}{given}: {PATTERN_WORDS[each['ctx']['pattern']]}.")
            case "string_type" if isinstance(each["input"], int | float):
                sentences.append(f"key {key}{given}: text was expected, write it in quotes.")
            case "value_error":
                sentences.append(f"key {key}{given}: {each['msg'].removeprefix('Value error, ')}.")
            case _:
                sentences.append(f"key {key}{given}: {each['msg'].replace('Input should be', 'expected')}.")
    return " ".join(sentences)
