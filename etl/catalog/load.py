"""Load the catalogue: YAML in, checked models out; a bad declaration is refused with file, entry, key and mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from etl.catalog.models import AtMost, Calendar, Catalog, Channel, Check, Measure, Platform, Recipient, SumEquals
from etl.settings import SHIPPED_CATALOG

LARGEST_FILE = 5_000_000


class CatalogError(Exception):
    """A declaration that cannot be taken: names file, entry, key and what was expected."""


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call]
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is written twice", key_node.start_mark)
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def load_catalog(overrides: Path | None) -> Catalog:
    """The project's catalogue; a subfolder of `overrides` replaces the project's whole subfolder of that name.

    Raises CatalogError.
    """
    if overrides is not None and not overrides.is_dir():
        raise CatalogError(f"PLS_CATALOG names {overrides}, which is not a folder.")
    channels = _declared("channels", overrides, Channel, "code")
    measures = _declared("measures", overrides, Measure, "code", _complete_measure(list(channels)))
    catalog = Catalog(
        channels=channels,
        measures=measures,
        platforms=_declared("platforms", overrides, Platform, "id"),
        calendars=_declared("calendars", overrides, Calendar, "name"),
        checks=_declared("checks", overrides, Check, "code"),
        recipients=_declared("recipients", overrides, Recipient, "id", may_be_empty=True),
    )
    for complaint in _dangling(catalog):
        raise CatalogError(complaint)
    return catalog


def _complete_measure(channels: list[str]) -> Any:
    """A measure's kind is the file it stands in; one that names no channel is reported in all of them."""

    def complete(entry: dict[str, Any], file: Path) -> dict[str, Any]:
        return {"kind": file.stem, "channels": channels} | entry

    return complete


def _declared(
    folder: str, overrides: Path | None, model: Any, key: str, complete: Any = None, *, may_be_empty: bool = False
) -> dict[str, Any]:
    place = SHIPPED_CATALOG / folder
    if overrides is not None and (overrides / folder).is_dir():
        place = overrides / folder
    adapter = TypeAdapter(model)
    entries: dict[str, Any] = {}
    for file, number, entry in _entries(place):
        where = f"{file}, entry {number} ({entry.get(key, f'no {key}')})"
        try:
            declared = adapter.validate_python(complete(entry, file) if complete else entry)
        except ValidationError as error:
            raise CatalogError(f"{where}: {_words(error)}") from None
        name = getattr(declared, key)
        if name in entries:
            raise CatalogError(f"{where}: {key} {name} is declared before; give it another {key} or delete one.")
        entries[name] = declared
    if not entries and not may_be_empty:
        raise CatalogError(f"{place}: declares nothing; at least one entry in a *.yaml file was expected.")
    return entries


def _entries(place: Path) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for file in sorted(place.glob("*.yaml")):
        if file.stat().st_size > LARGEST_FILE:
            raise CatalogError(f"{file}: larger than {LARGEST_FILE:,} bytes; no catalogue file is.")
        try:
            entries = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CatalogError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from None
        if not isinstance(entries, list):
            raise CatalogError(f"{file}: a list of entries was expected, each beginning with '- '.")
        for number, entry in enumerate(entries, start=1):
            if not isinstance(entry, Mapping):
                raise CatalogError(f"{file}, entry {number}: keys and values were expected, it is {entry!r}.")
            yield file, number, dict(entry)


def _words(error: ValidationError) -> str:
    sentences = []
    for each in error.errors():
        key = ".".join(str(step) for step in each["loc"] if step not in ("sender_total", "sum_equals", "at_most"))
        if each["type"] == "extra_forbidden":
            sentences.append(f"key {key} is not known; mend or delete it.")
        elif each["type"] == "missing":
            sentences.append(f"key {key} is missing.")
        else:
            sentences.append(f"key {key or '(entry)'} is {each['input']!r}: {each['msg']}.")
    return " ".join(sentences)


def _dangling(catalog: Catalog) -> Iterator[str]:
    """References to what nobody declares."""
    for measure in catalog.measures.values():
        for channel in measure.channels:
            if channel not in catalog.channels:
                yield _reference("measures", measure.code, "channels", channel, catalog.channels)
    for platform in catalog.platforms.values():
        if platform.calendar not in catalog.calendars:
            yield _reference("platforms", platform.id, "calendar", platform.calendar, catalog.calendars)
        if platform.contact is not None and platform.contact not in catalog.recipients:
            yield _reference("platforms", platform.id, "contact", platform.contact, catalog.recipients)
    for check in catalog.checks.values():
        for measure_code in _measures_of(check):
            if measure_code not in catalog.measures:
                yield _reference("checks", check.code, "measure", measure_code, catalog.measures)
    for recipient in catalog.recipients.values():
        if recipient.escalates_to is not None and recipient.escalates_to not in catalog.recipients:
            yield _reference("recipients", recipient.id, "escalates_to", recipient.escalates_to, catalog.recipients)


def _measures_of(check: Check) -> tuple[str, ...]:
    if isinstance(check, SumEquals):
        return (*check.parts, check.whole)
    return (check.part, check.whole) if isinstance(check, AtMost) else ()


def _reference(folder: str, entry: str, key: str, value: str, known: Mapping[str, Any]) -> str:
    names = list(known)
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"{folder}/, entry {entry}: key {key} names {value}, which is not declared; declared are: {shown or 'none'}."
