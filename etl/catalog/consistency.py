"""Whether the declarations of a catalogue fit each other."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from etl.catalog.alert_consistency import alert_contradictions
from etl.catalog.bulletin_consistency import bulletin_contradictions
from etl.catalog.delivery_consistency import delivery_contradictions
from etl.catalog.indicator_checks import indicator_contradictions
from etl.catalog.models import AtMost, Catalog, Channel, Measure, Recipient, SenderTotal, SumEquals
from etl.catalog.report_checks import report_contradictions
from etl.catalog.rules import (
    WINDOWS,
    AllSatisfied,
    Backlog,
    History,
    LevelShift,
    Queue,
    RepeatedDay,
    VillageGap,
)
from etl.catalog.scheme_consistency import item_contradictions, scheme_contradictions
from etl.catalog.scheme_indicators import known_indicators

RESERVED_NAMES = ("合计", "零报告")
"""What stands in place of a measure's name in a township file and means something else (contract.md, B)."""

Complaint = tuple[str, str, str]
"""Folder, entry, and what is wrong with it."""


def contradictions(catalog: Catalog) -> Iterator[Complaint]:
    """What no entry can be refused for alone: names that nobody declares, and names that two share."""
    for code, measure in catalog.measures.items():
        for channel in measure.channels:
            yield from _dangling("measures", code, "channels", channel, catalog.channels)
    for measure in catalog.carried_measures():
        reported = {each.code: each for each in catalog.daily_measures()}
        for key in ("sums", "carrying"):
            yield from _dangling("measures", measure.code, key, getattr(measure, key), reported)
    for platform in catalog.platforms.values():
        yield from _dangling("platforms", platform.id, "calendar", platform.calendar, catalog.calendars)
        yield from _dangling("platforms", platform.id, "contact", platform.contact, catalog.recipients)
    for recipient in catalog.recipients.values():
        yield from _dangling(
            "recipients", recipient.id, "escalates_to", recipient.escalates_to, catalog.recipients
        )
        if _escalates_in_a_circle(recipient, catalog.recipients):
            yield (
                "recipients",
                recipient.id,
                "key escalates_to leads back to the entry itself: break the circle.",
            )
    for check in catalog.checks.values():
        yield from _check_contradictions(check, catalog)
    yield from _plausibility_contradictions(catalog)
    yield from report_contradictions(catalog)
    for backlog in catalog.backlogs.values():
        yield from _backlog_contradictions(backlog, catalog)
    for kind in ("day", "month", "quarter", "year", "to_date"):
        if kind not in catalog.periods:
            first = next(iter(catalog.periods))
            yield "periods", first, f"beside it an entry of kind {kind} was expected: add it."
    yield from alert_contradictions(catalog)
    yield from delivery_contradictions(catalog)
    yield from scheme_contradictions(catalog.schemes, catalog.evidence)
    yield from item_contradictions(catalog.schemes, known_indicators(catalog.indicators))
    yield from indicator_contradictions(catalog)
    if catalog.satisfaction:
        yield from _satisfaction_contradictions(catalog)
    yield from _outlook_contradictions(catalog)
    yield from bulletin_contradictions(catalog)
    yield from _shared_names("measures", catalog.measures)
    yield from _shared_names("channels", catalog.channels)


def _dangling(
    folder: str, entry: str, key: str, name: str | None, known: Mapping[str, Any]
) -> Iterator[Complaint]:
    if name is None or name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    shown = ", ".join(list(known)[:12]) + (", …" if len(known) > 12 else "")
    meant = f" Did you mean {near[0]}?" if near else ""
    yield (
        folder,
        entry,
        f"key {key} names {name}, which is not declared; declared are: {shown or 'none'}.{meant}",
    )


def _check_contradictions(check: SenderTotal | SumEquals | AtMost, catalog: Catalog) -> Iterator[Complaint]:
    key = "parts/whole" if isinstance(check, SumEquals) else "part/whole"
    for code in check.measures():
        yield from _dangling("checks", check.code, key, code, catalog.measures)
    measures = [catalog.measures[code] for code in check.measures() if code in catalog.measures]
    if len(measures) < 2 or len(measures) < len(check.measures()):
        return
    together = f"{', '.join(measure.code for measure in measures)}"
    if len(set(check.measures())) < len(measures):
        yield "checks", check.code, f"key {key} compares a measure with itself: {together}."
    elif len({measure.kind == "stock" for measure in measures}) > 1:
        yield "checks", check.code, f"key {key} compares a stock with what is counted by the day: {together}."
    elif not set.intersection(*(set(measure.levels) for measure in measures)):
        yield "checks", check.code, f"key {key}: no level reports all of {together}, it could never fail."
    elif measures[0].kind != "stock" and not set.intersection(
        *(set(measure.channels) for measure in measures)
    ):
        yield "checks", check.code, f"key {key}: no channel has all of {together}, it could never fail."
    elif measures[0].kind == "stock" and isinstance(check, AtMost) and check.scope == "year_to_date":
        yield "checks", check.code, "key scope: submission was expected, stocks do not add up over time."


def _plausibility_contradictions(catalog: Catalog) -> Iterator[Complaint]:
    """Every rule reads the same past and fills the same queue, so both are declared; no window is longer than that
    past."""
    history, queue = catalog.rule(History), catalog.rule(Queue)
    for kind, found in (("history", history), ("queue", queue)):
        if found is None:
            first = next(iter(catalog.plausibility))
            yield "plausibility", first, f"beside it an entry of kind {kind} was expected: add it."
    if queue is not None:
        yield from _dangling("plausibility", "queue", "calendar", queue.calendar, catalog.calendars)
    for kind, rule in catalog.plausibility.items():
        windows = {name: getattr(rule, name) for name in WINDOWS if hasattr(rule, name)}
        if isinstance(rule, LevelShift | VillageGap):
            windows["recent_days + quiet_days"] = rule.recent_days + rule.quiet_days
        for name, days in windows.items():
            if history is not None and days > history.days:
                yield (
                    "plausibility",
                    kind,
                    f"key {name} is {days}: at most {history.days} were expected, the days of kind history.",
                )
        if isinstance(rule, AllSatisfied):
            for name in (rule.answered, *rule.dissatisfied):
                yield from _dangling("plausibility", kind, "answered/dissatisfied", name, catalog.measures)
        if isinstance(rule, RepeatedDay):
            for name in chain.from_iterable(rule.follows.items()):
                yield from _dangling("plausibility", kind, "follows", name, catalog.measures)


def _backlog_contradictions(backlog: Backlog, catalog: Catalog) -> Iterator[Complaint]:
    yield from _dangling("backlogs", backlog.code, "check", backlog.check, catalog.checks)
    check = catalog.checks.get(backlog.check)
    if check is not None and not (isinstance(check, AtMost) and check.scope == "year_to_date"):
        yield (
            "backlogs",
            backlog.code,
            f"key check: {backlog.check} is not over the year to date: delete the entry.",
        )
    twins = [
        each.code
        for each in catalog.backlogs.values()
        if (each.check, each.year) == (backlog.check, backlog.year)
        and each.units.keys() & backlog.units.keys()
    ]
    if len(twins) > 1:
        yield (
            "backlogs",
            backlog.code,
            f"key units: the same unit stands in {' and '.join(twins)}: delete one.",
        )


def _satisfaction_contradictions(catalog: Catalog) -> Iterator[Complaint]:
    """The answers are those that a balance check says to make up the whole, and every list is of them."""
    folder = entry = "satisfaction"
    rule = catalog.satisfaction_rule()
    yield from _dangling(folder, entry, "calendar", rule.calendar, catalog.calendars)
    for answer in rule.score:
        yield from _dangling(folder, entry, "score", answer, catalog.measures)
    for key in ("satisfied", "strictly_satisfied", "dissatisfied"):
        for answer in getattr(rule, key):
            yield from _dangling(folder, entry, key, answer, rule.score)
    if not set(rule.strictly_satisfied) <= set(rule.satisfied):
        yield folder, entry, "key strictly_satisfied: only answers of satisfied were expected."
    if set(rule.satisfied) & set(rule.dissatisfied):
        yield folder, entry, "key dissatisfied: an answer is either satisfied or dissatisfied."
    if rule.fewest_ranked < rule.fewest_shown:
        yield folder, entry, f"key fewest_ranked: at least fewest_shown ({rule.fewest_shown}) was expected."


def _outlook_contradictions(catalog: Catalog) -> Iterator[Complaint]:
    for kind, rule in catalog.outlook.items():
        yield from _dangling("outlook", kind, "calendar", rule.calendar, catalog.calendars)
        for code in rule.measures:
            yield from _dangling("outlook", kind, "measures", code, catalog.measures)
            if code in catalog.measures and catalog.measures[code].kind == "stock":
                yield (
                    "outlook",
                    kind,
                    f"key measures: {code} is a stock, which does not add up over days: delete it.",
                )


def _escalates_in_a_circle(recipient: Recipient, known: Mapping[str, Recipient]) -> bool:
    passed: set[str] = set()
    following = recipient.escalates_to
    while following is not None and following in known and following not in passed:
        if following == recipient.id:
            return True
        passed.add(following)
        following = known[following].escalates_to
    return False


def _shared_names(
    folder: str, declared: Mapping[str, Measure] | Mapping[str, Channel]
) -> Iterator[Complaint]:
    """Files name measures and channels in Chinese; a name that means two things cannot be read back."""
    owners: dict[str, str] = {_plain(name): "" for name in RESERVED_NAMES}
    for code, each in declared.items():
        owner = owners.setdefault(_plain(each.name_zh), code)
        if owner != code:
            taken = (
                f"is the name of {owner} already" if owner else "has a meaning of its own in township files"
            )
            yield folder, code, f"key name_zh: {each.name_zh} {taken}; choose another."


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())
