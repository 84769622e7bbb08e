"""Settings: what the environment says, and where the files stand that the project ships."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """A folder that the project ships: in an installed wheel inside the package, in a checkout beside it.

    Raises FileNotFoundError when the installation is incomplete.
    """
    places = (PACKAGE / "_shipped" / name, PACKAGE.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"The installation is incomplete: there is no folder {name}/ at {places[0]} nor at {places[1]}."
        " Install pls-statistics again, or run it from a whole checkout."
    )


SQL_DIR = shipped("sql")
EXPECTATIONS_DIR = shipped("expectations")
DIVISIONS_FILE = shipped("data") / "divisions_shandong_2023.csv.gz"
SHIPPED_CATALOG = PACKAGE / "catalog"


@dataclass(frozen=True)
class Settings:
    """Where a site keeps its things (interface: environment).

    home: archive, embedded database, reports. warehouse: `embedded` or a postgresql+psycopg:// URL, never shown.
    archive: folder or fsspec URL of the landing archive. catalog: folder of catalogue overrides, or None.
    """

    home: Path
    warehouse: str = field(repr=False)
    archive: str
    catalog: Path | None

    @classmethod
    def from_env(cls) -> Settings:
        """Read PLS_HOME, PLS_WAREHOUSE, PLS_ARCHIVE and PLS_CATALOG; an empty variable counts as not set."""
        home = _folder(os.environ.get("PLS_HOME") or "var")
        catalog = os.environ.get("PLS_CATALOG")
        return cls(
            home=home,
            warehouse=os.environ.get("PLS_WAREHOUSE") or "embedded",
            archive=os.environ.get("PLS_ARCHIVE") or str(home / "archive"),
            catalog=_folder(catalog) if catalog else None,
        )


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()
