"""A scheme in a file outside the catalogue, to be tried."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from etl.catalog.load import FOLDERS, words_for
from etl.catalog.scheme import Scheme
from etl.catalog.yaml_file import CatalogError, read_yaml


def load_scheme(file: Path) -> Scheme:
    """The one scheme of the file, which is written like one of the catalogue. Raises CatalogError."""
    entries = read_yaml(file)
    if not isinstance(entries, list) or len(entries) != 1:
        raise CatalogError(f"{file}: a list of one scheme was expected, beginning with '- '.")
    try:
        return Scheme.model_validate(entries[0])
    except ValidationError as error:
        raise CatalogError(f"{file}: {words_for(error, FOLDERS['schemes'])}") from None
