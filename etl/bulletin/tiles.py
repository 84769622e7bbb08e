"""Where the tiles of divisions lie: as declared, and in the order of codes where nothing is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from etl.catalog import Catalog
from etl.catalog.bulletin import TileGrid


def tiles_of(catalog: Catalog, division: str) -> TileGrid | None:
    """Where the divisions below one lie, where it is declared."""
    grids = (each for each in catalog.bulletins.values() if isinstance(each, TileGrid))
    return next((each for each in grids if each.division == division), None)


def lay_out(catalog: Catalog, division: str, codes: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Row and column from the north-west, from 0, of each code."""
    declared = tiles_of(catalog, division)
    rows = declared.rows if declared else ()
    places = {
        code: (number, column)
        for number, row in enumerate(rows)
        for column, code in enumerate(row)
        if code in codes
    }
    width = max((len(row) for row in rows), default=math.ceil(math.sqrt(1.5 * len(codes))))
    first = max((row for row, _ in places.values()), default=-1) + 1
    for number, code in enumerate(sorted(code for code in codes if code not in places)):
        places[code] = (first + number // width, number % width)
    return places
