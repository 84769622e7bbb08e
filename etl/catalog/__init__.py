"""The catalogue: everything that is declared, in YAML beside this file or in the folder that PLS_CATALOG names."""

from etl.catalog.base import Level
from etl.catalog.load import load_catalog
from etl.catalog.models import (
    AtMost,
    Calendar,
    CalendarUnknown,
    Catalog,
    Channel,
    Check,
    Dataset,
    Measure,
    Platform,
    Recipient,
    SenderTotal,
    SumEquals,
)
from etl.catalog.yaml_file import CatalogError

__all__ = [
    "AtMost",
    "Calendar",
    "CalendarUnknown",
    "Catalog",
    "CatalogError",
    "Channel",
    "Check",
    "Dataset",
    "Level",
    "Measure",
    "Platform",
    "Recipient",
    "SenderTotal",
    "SumEquals",
    "load_catalog",
]
