"""Personal data: identity-card and mobile numbers, found and masked (contract, "What bad input gets")."""

from __future__ import annotations

import re
import sys
import unicodedata

_FOLD = {
    code: str(unicodedata.decimal(chr(code)))
    for code in range(0x80, sys.maxunicode + 1)
    if unicodedata.category(chr(code)) == "Nd"
} | {ord("＋"): "+", ord("Ｘ"): "X", ord("ｘ"): "x"}
"""Full-width and other digits to ASCII, one character for one, so that positions stay."""

_TO_FOLD = re.compile(r"(?![0-9])\d|[+Xx]")

_GAP = r"[ \t\u00a0\u3000\-‐‑‒–—−－_.．·•()（）\u00ad\u200b-\u200d\u2060\ufeff]{0,3}"
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[1-9])"
_MONTH_DAY = rf"(?:0[1-9]|1[0-2]){_GAP}(?:0[1-9]|[12]\d|3[01])"
_PERSONAL = re.compile(
    r"(?<!\d)(?<!\d\.)(?:"
    rf"(?P<card>{_PROVINCE}\d{{4}}{_GAP}(?:18|19|20)\d\d{_GAP}{_MONTH_DAY}{_GAP}\d{{3}}{_GAP}[\dXx]"
    rf"|{_PROVINCE}\d{{4}}{_GAP}\d\d{_GAP}{_MONTH_DAY}{_GAP}\d{{3}})"
    rf"|(?:(?:\+|00)?86{_GAP}|0)?(?P<mobile>1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}})"
    r")(?!\d)"
)


def find_personal(text: str) -> bool:
    """Whether the text holds an identity-card number (18 or 15 digits) or a mobile number.

    Digits may be full-width, groups may be set apart, the country code may lead. A 12-digit division code,
    a time stamp and a long total are none: a card needs a possible date of birth, a mobile number 11 digits.
    """
    return _search(text) is not None


def mask(text: str) -> str:
    """The text with every such number masked: its first three and last two digits stay, 138******78."""
    while found := _search(text):
        group = "card" if found["card"] else "mobile"
        number = re.sub(r"[^\dXx]", "", found[group])
        masked = number[:3] + "*" * (len(number) - 5) + number[-2:]
        text = text[: found.start(group)] + masked + text[found.end(group) :]
    return text


def _search(text: str) -> re.Match[str] | None:
    return _PERSONAL.search(text.translate(_FOLD) if _TO_FOLD.search(text) else text)
