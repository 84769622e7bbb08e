"""What one cell says: a number, a day, a moment, a name."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson

from etl.clock import SHANGHAI

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?")
_DAY = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日?)"
    r"(?:[T ]+[0-9]{1,2}:[0-9]{2}.*)?"
)
_MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")
_COMPACT_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
FIRST_DAY = date(2004, 1, 1)
"""Known workdays begin here; no service platform did before."""
_OWN_NUMBERS = ("No", "Nl")
_LONGEST = 1_000
"""No code, name, day or number is longer. One character in half-width forms may be eighteen, so that a cell of some
megabytes is cut before it is changed; what was cut ends in … and is equal to no name."""
_HEADS = 4_096
"""So many texts are changed once: the heads of one day's workbooks are the same."""
TOO_DEEP = "（嵌套过深）"
"""The text of a JSON value that orjson does not write."""


def tidy(text: str) -> str:
    """The text in half-width forms, without space around it."""
    if text.isascii() and text.isalnum() and len(text) <= _LONGEST:
        return text
    return _tidied(_cut(text))


def name_key(text: str) -> str:
    """A name as it is compared: half-width, without any space."""
    return _spaceless(_cut(text))


def _cut(text: str) -> str:
    if len(text) > _LONGEST:
        text = text.strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


@functools.lru_cache(_HEADS)
def _tidied(text: str) -> str:
    return _half_width(text).strip(" \t\r\n\ufeff\u200b")


@functools.lru_cache(_HEADS)
def _spaceless(text: str) -> str:
    return "".join(_half_width(text).replace("\ufeff", "").replace("\u200b", "").split())


def _half_width(text: str) -> str:
    """In half-width forms. Numbers that are signs of their own, as ① ² ½, stay: 12① is not 121."""
    if text.isascii():
        return text
    if not any(unicodedata.category(sign) in _OWN_NUMBERS for sign in text):
        return unicodedata.normalize("NFKC", text)
    return "".join(
        sign if unicodedata.category(sign) in _OWN_NUMBERS else unicodedata.normalize("NFKC", sign)
        for sign in text
    )


def code_of(names: Mapping[str, str], text: str) -> str:
    """The catalogue's code for a Chinese name, else the text as received."""
    return names.get(name_key(text), text)


def name_keys(names: Mapping[str, str]) -> dict[str, str]:
    """The catalogue's names to codes, ready for `code_of`."""
    return _keys(tuple(names.items()))


@functools.cache
def _keys(names: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name_key(name): code for name, code in names}


def read_number(text: str, blanks: frozenset[str]) -> float | None:
    """The number in a text: None when it is one of the blanks (no value), NaN when it is not a number.

    Full-width digits and thousands separators are read (contract, B and C).
    """
    plain = tidy(text)
    if plain in blanks:
        return None
    plain = plain.replace("\u2212", "-")
    if not _NUMBER.fullmatch(plain):
        return math.nan
    number = float(plain.replace(",", ""))
    return number if math.isfinite(number) else math.nan


def read_day(text: str) -> date | None:
    """The calendar day in 2026-03-02, 2026/3/2, 2026年3月2日 or 20260302; None when there is none."""
    plain = tidy(text)
    found = _DAY.fullmatch(plain)
    if found:
        year, month, day = found[1], found[3] or found[5], found[4] or found[6]
    elif found := _COMPACT_DAY.fullmatch(plain):
        year, month, day = found[1], found[2], found[3]
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def is_day_of_reports(day: date, today: date) -> bool:
    """Whether a day can be reported on: it is not to come, and its workdays are known."""
    return FIRST_DAY <= day <= today


def day_text(text: str) -> str:
    """The day in ISO form when the text can be read as one, else the text as received."""
    day = read_day(text)
    return text if day is None else day.isoformat()


def month_text(text: str) -> str:
    """The last day, in ISO form, of a month written as 2026-03; else the text as received, which names no month."""
    found = _MONTH.fullmatch(text.strip())
    if found is None:
        return f"（{text}）" if read_day(text) else text
    year, month = int(found[1]), int(found[2])
    return f"{text.strip()}-{monthrange(year, month)[1]:02d}"


def read_stamp(text: str) -> datetime | None:
    """The moment (UTC) in an ISO 8601 text; without a zone it is Asia/Shanghai. None when there is none."""
    try:
        return to_utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def to_utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is Asia/Shanghai. Raises OverflowError at the calendar's ends."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def json_text(value: Any) -> str:
    """A JSON value as text: a string as it is, nothing for null."""
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # deeper than orjson writes
        return TOO_DEEP


def json_numbers(values: Sequence[Any]) -> tuple[Sequence[float], dict[int, str]]:
    """The numbers among JSON values, NaN in place of any other; and by position, what stood there."""
    if {*map(type, values)} <= {int, float}:
        return values, {}
    others = {at: json_text(value) for at, value in enumerate(values) if type(value) not in (int, float)}
    return [math.nan if at in others else value for at, value in enumerate(values)], others
