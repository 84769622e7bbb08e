"""Personal data: identity-card and mobile numbers, found and masked (contract, "What bad input gets")."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable

_FOLD = {
    code: str(unicodedata.decimal(chr(code)))
    for code in range(0x80, sys.maxunicode + 1)
    if unicodedata.category(chr(code)) == "Nd"
} | {ord("＋"): "+", ord("Ｘ"): "X", ord("ｘ"): "x"}
"""Full-width and other digits to ASCII, one character for one, so that positions stay."""

_TO_FOLD = re.compile(r"(?![0-9])\d|[+Xx]")

_GAP = r"[ \t\u00a0\u3000\-‐‑‒–—−－_.．·•()（）\u00ad\u200b-\u200d\u2060\ufeff]{0,3}"
_PROVINCE = (
    "(?:(?<=1)[1-5]|(?<=2)[1-3]|(?<=3)[1-7]|(?<=4)[1-6]|(?<=5)[0-4]"
    "|(?<=6)[1-5]|(?<=7)1|(?<=8)[1-3]|(?<=9)[1-9])"
)
_MONTH_DAY = rf"(?:0[1-9]|1[0-2]){_GAP}(?:0[1-9]|[12]\d|3[01])"
_ALONE = r"(?<!\d\d)(?<!\d\.\d)"
"""After a first digit: no other digit stands before it. Tested second, for a pattern that begins with its
digits is searched many times faster."""
_CARD = re.compile(
    rf"[1-9]{_ALONE}{_PROVINCE}\d{{4}}{_GAP}"
    rf"(?:(?:18|19|20)\d\d{_GAP}{_MONTH_DAY}{_GAP}\d{{3}}{_GAP}[\dXx]|\d\d{_GAP}{_MONTH_DAY}{_GAP}\d{{3}})(?!\d)"
)
_PREFIXES = "".join(rf"|(?<={prefix}1)(?<!\d{prefix}1)" for prefix in ("0", "86", "0086"))
_MOBILE = re.compile(rf"1(?:{_ALONE}{_PREFIXES})[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)")

_HARMLESS = re.compile(r"[1-9][0-9]{11}|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}").fullmatch
"""A division code or a moment, as most texts are: known by its shape in a fifth of the time that searching takes."""


def find_personal(text: str) -> bool:
    """Whether the text holds an identity-card number (18 or 15 digits) or a mobile number.

    Digits may be full-width, groups may be set apart, the country code may lead. A 12-digit division code,
    a time stamp and a long total are none: a card needs a possible date of birth, a mobile number 11 digits.
    """
    if len(text) < 11:
        return False
    folded = _folded(text)
    return bool(_CARD.search(folded) or _MOBILE.search(folded))


def any_personal(texts: Iterable[str]) -> bool:
    """Whether any of the texts holds such a number; far faster than asking one by one."""
    return find_personal("\n".join([text for text in texts if not _HARMLESS(text)]))


def mask(text: str) -> str:
    """The text with every such number masked: its first three and last two digits stay, 138******78."""
    if not find_personal(text):
        return text
    while True:
        folded = _folded(text)
        pieces, end = [], 0
        for found in sorted((*_CARD.finditer(folded), *_MOBILE.finditer(folded)), key=re.Match.start):
            if found.start() >= end:
                number = re.sub(r"[^\dXx]", "", found[0])
                pieces += [text[end : found.start()], number[:3], "*" * (len(number) - 5), number[-2:]]
                end = found.end()
        if not pieces:
            return text
        text = "".join(pieces) + text[end:]


def _folded(text: str) -> str:
    return text.translate(_FOLD) if not text.isascii() and _TO_FOLD.search(text) else text
