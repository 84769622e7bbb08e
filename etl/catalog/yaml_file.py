"""One YAML file of the catalogue, read without surprises: no code, no key twice, no endless aliases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from etl.failures import Refused

LARGEST_FILE = 1_000_000
"""Bytes. A province's platforms take some 50,000."""
MOST_VALUES = 500_000
"""Values in one file once its aliases are followed."""


class CatalogError(Refused):
    """A declaration that cannot be taken: names file, entry, key, what was expected and the mend."""


class Written(dict[Any, Any]):
    """A mapping that knows on which line of the file it begins, and on which each of its keys stands."""

    line = 0
    lines: Mapping[str, int] = MappingProxyType({})


class _Loader(yaml.CSafeLoader):
    """Safe YAML that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is a word", key_node.start_mark)
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value} is written twice: delete one", key_node.start_mark
                )
            seen.add(key_node.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _written(loader: _Loader, node: yaml.MappingNode) -> Iterator[Written]:
    mapping = Written()
    mapping.line = node.start_mark.line + 1
    mapping.lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    yield mapping
    mapping.update(loader.construct_mapping(node))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _written)


def read_yaml(file: Path) -> Any:
    """What one catalogue file says. Raises CatalogError naming the file, and the line where YAML knows it."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise CatalogError(
                f"{file}: at most {LARGEST_FILE:,} bytes were expected. Divide it into several files."
            )
        content = yaml.load(file.read_bytes(), Loader=_Loader)
    except OSError as error:
        raise CatalogError(f"{file}: cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CatalogError(f"{file}: is not YAML in UTF-8: {' '.join(str(error).split())}.") from None
    if _is_endless(content):
        raise CatalogError(
            f"{file}: its aliases (*name) unfold to more than {MOST_VALUES:,} values. Write them out."
        )
    return content


def _is_endless(content: Any) -> bool:
    waiting, seen = [content], 0
    while waiting and seen <= MOST_VALUES:
        value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return bool(waiting)
