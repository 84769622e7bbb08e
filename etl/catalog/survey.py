"""Satisfaction (满意度): how answers become rates, which samples are too small, how dissatisfied people are
followed up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from etl.catalog.base import Declared, each_once
from etl.catalog.formula import Figure

if TYPE_CHECKING:
    from etl.catalog.models import Catalog

Answers = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(each_once)]
Count = Annotated[int, Field(gt=0, strict=True)]


class Satisfaction(Declared):
    """Everything that a rate of satisfaction depends on (domain.md, section 5).

    score: what each of the five answers is worth, 0 to 100. satisfied: answers that count for the rate
    (满意率); strictly_satisfied: for the one beside it. dissatisfied: answers that are followed up (回访)
    within follow_up_workdays of a calendar. confidence: of every interval, 0 to 1. fewest_shown,
    fewest_ranked: answers below which a division's rates are not shown, not ranked. weighting: whether a
    parent's rate is also given as if each channel and level had answered as often as it delivered services
    (services), each division below by its population (population), or not.
    """

    kind: Literal["satisfaction"]
    score: Annotated[dict[str, Annotated[int, Field(ge=0, le=100, strict=True)]], Field(min_length=1)]
    satisfied: Answers
    strictly_satisfied: Answers
    dissatisfied: Answers
    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    fewest_shown: Count
    fewest_ranked: Count
    weighting: Literal["services", "population", "none"]
    follow_up_workdays: Count
    calendar: str


def survey_channels(catalog: Catalog, indicator: str) -> set[str]:
    """Channels of the survey figures that an indicator is made of; none where it rests on no survey."""
    return {
        term.channel
        for term in catalog.indicators[indicator].parsed.terms()
        if isinstance(term, Figure) and catalog.measures[term.measure].kind in ("survey", "carried")
    }
