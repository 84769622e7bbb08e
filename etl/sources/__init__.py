"""The four families of source platform (contract.md), behind one protocol."""

from etl.sources.base import (
    Failure,
    Listing,
    Pulled,
    PullFailed,
    Reading,
    Seen,
    Source,
    Unreadable,
    pulled_of,
)
from etl.sources.csv_files import CsvFiles
from etl.sources.database import Database
from etl.sources.rest import Rest
from etl.sources.workbooks import Workbooks

REST = Rest()
SOURCES: dict[str, Source] = {
    "rest": REST,
    "csv": CsvFiles(),
    "workbook": Workbooks(),
    "database": Database(),
}
"""Source by the family that a platform's declaration names."""

__all__ = [
    "REST",
    "SOURCES",
    "Failure",
    "Listing",
    "PullFailed",
    "Pulled",
    "Reading",
    "Seen",
    "Source",
    "Unreadable",
    "pulled_of",
]
