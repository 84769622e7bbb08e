"""What is declared about alerts: the rungs of the ladder, how they are delivered, and their words (domain.md 6)."""

from __future__ import annotations

import string
from datetime import time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from etl.catalog.base import Code, Declared, Level, Name, Text, each_once

Reason = Literal["not_received", "missing", "outage", "cleared", "recovered"]
ChannelName = Literal["robot", "email", "webhook"]
Robot = Literal["wecom", "dingtalk", "feishu", "apprise"]
Count = Annotated[int, Field(gt=0, strict=True)]

WORDS = ("recipient", "day", "dataset", "due", "cutoff", "moment", "count", "levels", "list", "open")
"""What a text may name between braces: see etl.alerts.text."""


class Round(Declared):
    """A rung of the ladder: when it falls, which units it looks at, and whom it tells.

    It falls on the due or cut-off time of the unit's own calendar, or so many working days after it at the same hour.
    tell: the unit itself, the division of a level at or above it, or the recipients on duty. levels: the units it looks
    at. open_hours: how long it may still be run when the watch was down; a rung after the due time ends at the cut-off.
    """

    kind: Literal["round"]
    code: Code
    name_zh: Text
    after: Literal["due", "cutoff"]
    workdays: Annotated[int, Field(ge=0, le=10, strict=True)] = 0
    tell: Level | Literal["unit", "duty"]
    levels: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(each_once)] = tuple(Level)
    open_hours: Count

    @property
    def reason(self) -> Reason:
        """Before the cut-off nothing is missing yet: it is only not received."""
        return "not_received" if self.after == "due" else "missing"

    @model_validator(mode="after")
    def _due_is_today(self) -> Self:
        if self.after == "due" and self.workdays:
            raise ValueError(
                "workdays count from the cut-off: write after: cutoff, or delete the key workdays"
            )
        return self


class Delivery(Declared):
    """How what is told is delivered.

    channels: in which order a recipient's channels are tried. Nothing is sent from quiet_from to quiet_to (Shanghai
    time): it waits. A failed attempt is repeated after first_wait_minutes, then twice as long each time, `attempts`
    times, before the next channel. list_at_most: units named in a digest, the rest is counted. all_clear_at: a
    recipient gets at most one all-clear per day of figures from each of these times to the next. link_days: how long
    a link to acknowledge is good for; its secret is the password of link_conn_id, the address of the portal its host.
    profile_days: the window of mart.lateness_profile. duty: recipients who are told everything at the cut-off.
    """

    kind: Literal["delivery"]
    code: Literal["delivery"]
    calendar: Text
    channels: Annotated[tuple[ChannelName, ...], Field(min_length=1), AfterValidator(each_once)]
    quiet_from: time
    quiet_to: time
    attempts: Annotated[int, Field(ge=1, le=20, strict=True)]
    first_wait_minutes: Count
    list_at_most: Count
    all_clear_at: Annotated[tuple[time, ...], Field(min_length=1), AfterValidator(each_once)]
    mail_conn_id: Name
    link_conn_id: Name
    link_days: Count
    profile_days: Annotated[int, Field(ge=7, le=366, strict=True)]
    duty: Annotated[tuple[str, ...], AfterValidator(each_once)] = ()

    @field_validator("all_clear_at")
    @classmethod
    def _in_order(cls, times: tuple[time, ...]) -> tuple[time, ...]:
        if list(times) != sorted(times):
            raise ValueError("times in ascending order were expected")
        return times


class Wording(Declared):
    """The words of a digest, by its reason; what stands between braces is filled in."""

    kind: Literal["text"]
    code: Reason
    subject_zh: Text
    body_zh: Text

    @field_validator("subject_zh", "body_zh")
    @classmethod
    def _names_are_known(cls, words: str) -> str:
        try:
            named = [name for _, name, _, _ in string.Formatter().parse(words) if name is not None]
        except ValueError as error:
            raise ValueError(f"braces do not match: {error}") from None
        strays = sorted(set(named) - set(WORDS))
        if strays:
            raise ValueError(f"{', '.join(strays)} cannot be filled in; known are {', '.join(WORDS)}")
        return words


ALERTS: tuple[type[Declared], ...] = (Round, Delivery, Wording)
AlertEntry = Annotated[Round | Delivery | Wording, Field(discriminator="kind")]
