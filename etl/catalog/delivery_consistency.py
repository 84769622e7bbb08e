"""Whether reports and places of delivery name what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from etl.catalog.delivery import EmailTarget

if TYPE_CHECKING:
    from etl.catalog.models import Catalog


def delivery_contradictions(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Folder, entry and complaint of each contradiction."""
    for report in catalog.reports.values():
        for name in report.deliveries:
            if name not in catalog.deliveries:
                known = ", ".join(catalog.deliveries) or "none"
                yield (
                    "reports",
                    report.id,
                    f"key deliveries names {name}, which is not declared; known are {known}.",
                )
    for target in catalog.deliveries.values():
        if not isinstance(target, EmailTarget):
            continue
        for name in target.to:
            if name not in catalog.recipients:
                yield (
                    "deliveries",
                    target.id,
                    f"key to names {name}, which is no recipient: declare it or delete it.",
                )
            elif catalog.recipients[name].email is None:
                yield "deliveries", target.id, f"key to names {name}, who has no email: add it there."
