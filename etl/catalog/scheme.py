"""Schemes of performance evaluation (考核方案), and evidence of bonuses, deductions and vetoes (domain.md section 4).

Values, targets, floors and steps are in the unit in which the indicator is stored: rates as ratios (1 = 100 %). Points
are out of 100, weights sum to 100. All numbers are decimal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from etl.catalog.base import Code, Declared, DivisionCode, Level, Name, Text, each_once
from etl.periods import Period, PeriodUnknown

Category = Literal["业务规范", "服务效果", "社会评价"]
Aspect = Literal["基础设施", "人员配备", "业务开展"]
Method = Literal["target_ratio", "efficacy", "stepped", "rank_percentile", "pass_fail"]
Direction = Literal["higher", "lower"]
Number = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24)]
Points = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False, max_digits=24)]
Weight = Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False, max_digits=24)]
Levels = Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)]

NEEDED: Mapping[Method, tuple[str, ...]] = {"efficacy": ("floor",), "stepped": ("steps",)}
"""Keys that a method cannot do without. The target comes from the indicator when an item names none."""
ALLOWED: Mapping[Method, tuple[str, ...]] = {
    "target_ratio": ("target", "cap"),
    "efficacy": ("target", "floor", "lowest", "highest"),
    "stepped": ("steps",),
    "rank_percentile": (),
    "pass_fail": ("target",),
}


class Step(Declared):
    """A value that reaches `at` (from below where higher is better, from above where lower is) earns `points`."""

    at: Number
    points: Points


class Item(Declared):
    """An indicator in a scheme, and how its value becomes points of 100.

    - target_ratio (目标值法): value ÷ target, at most cap; where lower is better target ÷ value.
    - efficacy (功效系数法): 60 + 40 × (value − floor) ÷ (target − floor), held between lowest and highest.
    - stepped (分档): the points of the best step that is reached; below all of them 0.
    - rank_percentile (排名): of the other divisions of the level, the share that is not better.
    - pass_fail: 100 when the target is met, else 0.

    direction and target are the indicator's unless stated; levels are the scheme's unless stated.
    """

    indicator: Code
    category: Category
    aspect: Aspect
    weight: Weight
    method: Method
    levels: Levels | None = None
    direction: Direction | None = None
    target: Number | None = None
    floor: Number | None = None
    cap: Annotated[Number, Field(gt=0)] = Decimal(1)
    lowest: Points = Decimal(0)
    highest: Points = Decimal(100)
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _keys_fit_the_method(self) -> Self:
        for key in NEEDED.get(self.method, ()):
            if key not in self.model_fields_set:
                raise ValueError(f"{self.indicator}: method {self.method} needs the key {key}: add it")
        parameters = {"target", "floor", "cap", "lowest", "highest", "steps"}
        for key in sorted(parameters & self.model_fields_set - set(ALLOWED[self.method])):
            raise ValueError(
                f"{self.indicator}: method {self.method} has no use for the key {key}: delete it"
            )
        if self.lowest >= self.highest:
            raise ValueError(f"{self.indicator}: lowest below highest was expected")
        return self

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        if self.method != "stepped":
            return self
        if not self.steps:
            raise ValueError(f"{self.indicator}: at least one step was expected")
        rises = {after.at > before.at for before, after in pairwise(self.steps)}
        better = all(after.points > before.points for before, after in pairwise(self.steps))
        equal = any(after.at == before.at for before, after in pairwise(self.steps))
        if equal or not better or len(rises) > 1:
            raise ValueError(
                f"{self.indicator}: steps are written from the worst to the best; at and points of each must"
                " go beyond those of the one before"
            )
        return self


class Grade(Declared):
    """A grade (等次) from a score on."""

    name: Text
    at_least: Points


class Scheme(Declared):
    """One version of a scheme; versions of a scheme share its code. valid_to is its last day, None: until replaced.

    A period is evaluated by the version that its last day falls to. missing: what becomes of the weight of an indicator
    without data: zero (it scores 0) or spread over the rest. What does not apply is always spread. most_bonus: points
    that bonuses add at most.
    """

    id: Name
    code: Name
    name_zh: Text
    valid_from: date
    valid_to: date | None = None
    levels: Levels
    periods: Annotated[
        tuple[Literal["month", "quarter", "year"], ...], Field(min_length=1), AfterValidator(each_once)
    ]
    missing: Literal["zero", "spread"]
    most_bonus: Points
    grades: Annotated[tuple[Grade, ...], Field(min_length=1)] = (
        Grade(name="优秀", at_least=Decimal(90)),
        Grade(name="良好", at_least=Decimal(80)),
        Grade(name="合格", at_least=Decimal(60)),
        Grade(name="不合格", at_least=Decimal(0)),
    )
    items: tuple[Item, ...]
    note: str = ""

    @field_validator("grades")
    @classmethod
    def _grades_fall_to_zero(cls, grades: tuple[Grade, ...]) -> tuple[Grade, ...]:
        falls = all(before.at_least > after.at_least for before, after in pairwise(grades))
        if not falls or grades[-1].at_least != 0:
            raise ValueError("grades from the best to the worst were expected, the last one at_least 0")
        each_once(tuple(grade.name for grade in grades))
        return grades

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} lies before valid_from {self.valid_from}")
        codes = [item.indicator for item in self.items]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"items name the same indicator twice: {', '.join(twice)}. Delete one of each")
        weights = sum(item.weight for item in self.items)
        if weights != 100:
            raise ValueError(
                f"the weights of the items sum to {weights}; 100 was expected, change them by {100 - weights}"
            )
        for item in self.items:
            strays = [level for level in item.levels or () if level not in self.levels]
            if strays:
                raise ValueError(
                    f"{item.indicator}: level {', '.join(strays)} is not evaluated by this scheme: delete it"
                )
        idle = [
            level for level in self.levels if not any(level in self.levels_of(item) for item in self.items)
        ]
        if idle:
            raise ValueError(f"no item is for level {', '.join(idle)}: add one, or delete the level")
        return self

    def levels_of(self, item: Item) -> tuple[Level, ...]:
        """The levels that an item of this scheme is for."""
        return item.levels or self.levels

    def is_in_force(self, period: Period) -> bool:
        """Whether this version evaluates the period: its kind, by its last day."""
        last = self.valid_to or date.max
        return period.kind in self.periods and self.valid_from <= period.ends_on <= last


class Evidence(Declared):
    """A bonus (加分), deduction (扣分) or veto (一票否决) of a division in a period, and the file that proves it.

    scheme is the scheme's code. file stands beside the entry's own file; sha256 is its digest, checked when the
    catalogue loads.
    """

    id: Name
    scheme: Name
    division: DivisionCode
    period: Text
    kind: Literal["bonus", "deduction", "veto"]
    points: Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False, max_digits=24)] | None = None
    reason: Text
    file: Text
    sha256: Text

    @field_validator("period")
    @classmethod
    def _is_a_period(cls, period: str) -> str:
        try:
            return Period.parse(period).name
        except PeriodUnknown as error:
            raise ValueError(str(error).removesuffix(".")) from None

    @model_validator(mode="after")
    def _points_follow_kind(self) -> Self:
        if self.kind == "veto" and self.points is not None:
            raise ValueError("a veto has no points: delete the key points")
        if self.kind != "veto" and self.points is None:
            raise ValueError(f"key points is missing: a {self.kind} says how many points of 100")
        return self

    @field_validator("sha256")
    @classmethod
    def _file_is_the_one_named(cls, sha256: str, info: ValidationInfo) -> str:
        if info.context is None:
            return (
                sha256  # read back from a version of the catalogue that was kept: checked when it was loaded
            )
        folder: Path = info.context["folder"]
        name = info.data.get("file", "")
        if Path(name).name != name or name.startswith("."):
            raise ValueError(f"file {name}: the name of a file in {folder} was expected, without a path")
        place = folder / name
        if not place.is_file():
            raise ValueError(f"file {name} is not there: put it at {place}")
        with place.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != sha256.lower():
            raise ValueError(f"the file {name} has {digest}: it is another file, or was changed")
        return digest
