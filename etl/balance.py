"""Balance: the critical balance checks of the catalogue, asked of each submission as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etl.catalog import Catalog
from etl.conform import Read
from etl.validation import validate

COLUMNS = ["submission", "check_code", "subject", "channel", "stated", "equal_to", "at_most"]


@dataclass(frozen=True)
class Imbalance:
    """Great Expectations' document, and per submission that is out of balance what does not fit (Chinese, English)."""

    document: dict[str, Any]
    reasons: dict[int, tuple[str, str]]
