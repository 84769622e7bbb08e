"""Whether what is declared about alerts is whole and fits the rest of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from etl.catalog.alert import Delivery, Reason, Round, Wording
from etl.catalog.models import Catalog


def alert_contradictions(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Folder, entry, and what is wrong: a part of the ladder that is not there, or a name that nobody declares."""
    first = next(iter(catalog.alerts))
    entries = list(catalog.alerts.values())
    if not any(isinstance(each, Round) for each in entries):
        yield "alerts", first, "beside it an entry of kind round was expected: add it, or nobody is told."
    texts = {each.code for each in entries if isinstance(each, Wording)}
    for reason in get_args(Reason):
        if reason not in texts:
            yield "alerts", first, f"beside it an entry of kind text and code {reason} was expected: add it."
    delivery = next((each for each in entries if isinstance(each, Delivery)), None)
    if delivery is None:
        yield "alerts", first, "beside it an entry of kind delivery was expected: add it."
        return
    calendar = catalog.calendars.get(delivery.calendar)
    if calendar is None:
        known = ", ".join(catalog.calendars)
        yield "alerts", "delivery", f"key calendar names {delivery.calendar}; declared are: {known}."
    elif calendar.days != "work":
        yield "alerts", "delivery", f"key calendar: {delivery.calendar} has no working days to count."
    for name in delivery.duty:
        if name not in catalog.recipients:
            yield "alerts", "delivery", f"key duty names {name}, which is not declared in recipients/."
