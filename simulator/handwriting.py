"""The many ways in which people write a whole number, and the fields for nothing."""

from __future__ import annotations

import random

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def full_width(number: int) -> str:
    """The number in full-width digits: １２."""
    return str(number).translate(_FULL_WIDTH)


def with_commas(number: int) -> str:
    """The number with thousands separators: 1,204."""
    return f"{number:,}"


def csv_number(number: int, rng: random.Random) -> str:
    """A number as it may stand in a township's CSV field (contract.md, B)."""
    chance = rng.random()
    if chance < 0.03:
        return full_width(number)
    if number >= 1_000 and chance < 0.6:
        return f'"{with_commas(number)}"'
    return str(number)


def csv_nothing(rng: random.Random) -> str:
    """A CSV field that holds no value (contract.md, B)."""
    return rng.choice(("-", "—", ""))


def identity_card(rng: random.Random) -> str:
    """An invented identity-card number with a right check digit."""
    body = f"371302{rng.randint(1960, 1999)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{rng.randint(0, 999):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def mobile_number(rng: random.Random) -> str:
    """An invented mobile number."""
    return f"1{rng.choice('358')}{rng.randint(0, 999_999_999):09d}"
