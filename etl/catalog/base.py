"""Base: the words that every declaration of the catalogue is made of."""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item", bound=Hashable)


def each_once(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items; raises ValueError naming those that are written twice."""
    twice = {str(item) for item in items if items.count(item) > 1}
    if twice:
        raise ValueError(f"each was expected once, written twice: {', '.join(sorted(twice))}")
    return items


CODE_PATTERN = r"^[a-z][a-z0-9_]{1,63}$"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
DIVISION_PATTERN = r"^[0-9]{12}$"

Code = Annotated[str, Field(pattern=CODE_PATTERN)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
DivisionCode = Annotated[str, Field(pattern=DIVISION_PATTERN)]
Text = Annotated[str, Field(min_length=1)]


class Level(StrEnum):
    """Levels of administrative division, from the top."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"

    @property
    def depth(self) -> int:
        """1 for the province to 5 for villages, as core.level."""
        return list(Level).index(self) + 1


class Declared(BaseModel):
    """What every declaration has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)
