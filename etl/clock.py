"""The clock and its zone: days are calendar days in Asia/Shanghai, times are kept in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now, in UTC: what a clock says unless a test sets another."""
    return datetime.now(UTC)
