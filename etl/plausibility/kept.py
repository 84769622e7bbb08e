"""Kept: the fits of a day, so that units restated later are judged without reading their peers' months again."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy.engine import Connection

from etl.catalog.rules import History
from etl.plausibility.fit import Fit
from etl.warehouse import run_sql

KEPT_DAYS = 31
"""Calendar days before the newest day of which fits are kept, some two megabytes each for a province."""
FORM = 1
"""Number of the way of fitting: counted up with every change of it, so that older fits are not used."""


@dataclass(frozen=True)
class Fits:
    """What was fitted when the day was judged whole: of units' own figures, and of divisions' totals."""

    fitted_at: datetime
    own: Fit
    totals: Fit


def keep_fits(conn: Connection, day: date, fits: Fits, rule: History) -> None:
    """Keep the fits of a day in the place of older ones; forget those of days long before the newest."""
    slice_ = {
        "day": day,
        "moment": fits.fitted_at,
        "made_with": _made_with(rule),
        "own": _packed(fits.own),
        "totals": _packed(fits.totals),
    }
    run_sql(conn, "plausibility/keep_fit", slice_)
    run_sql(conn, "plausibility/forget_fits", {"kept_days": KEPT_DAYS})


def read_fits(conn: Connection, day: date, rule: History) -> Fits | None:
    """The fits of a day, if they are kept and were made by this rule."""
    kept = run_sql(conn, "plausibility/kept_fit", {"day": day, "made_with": _made_with(rule)}).one_or_none()
    return None if kept is None else Fits(kept.fitted_at, _unpacked(kept.own), _unpacked(kept.totals))


def _made_with(rule: History) -> str:
    return f"{FORM}: {rule.model_dump_json()}"


def _packed(fit: Fit) -> bytes:
    body = io.BytesIO()
    np.savez(body, **vars(fit))
    return zlib.compress(body.getvalue(), level=1)


def _unpacked(body: bytes) -> Fit:
    with np.load(io.BytesIO(zlib.decompress(body)), allow_pickle=False) as arrays:
        return Fit(**arrays)
