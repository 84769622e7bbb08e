"""A digest as a row of the outbox: its words, and the earliest time at which it may be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from etl.alerts.hours import after_quiet
from etl.alerts.ladder import Digest
from etl.alerts.text import Facts, fill
from etl.catalog import Catalog
from etl.catalog.alert import Reason

OPEN = ("not_received", "missing", "outage")
"""Reasons of which an all-clear is told."""


def outbox_row(
    catalog: Catalog,
    key: Mapping[str, Any],
    reason: Reason,
    level: str,
    digest: Digest,
    facts: Facts,
    lines: str,
    levels: str,
) -> dict[str, Any]:
    """The row for sql/alerts/write.sql."""
    declared = catalog.recipients.get(digest.recipient) if digest.recipient else None
    name = declared.name if declared else digest.recipient or "（未登记接收人）"
    subject, body = fill(catalog.wording(reason), name, facts, len(digest.subject_ids), lines, levels)
    return {
        **key,
        "reason": reason,
        "recipient": digest.recipient,
        "level": str(level),
        "subject_ids": list(digest.subject_ids),
        "open_ids": list(digest.subject_ids) if reason in OPEN else [],
        "gap_ids": list(digest.gap_ids),
        "subject": subject,
        "body": body,
        "created_at": facts.moment,
        "not_before": after_quiet(facts.moment, catalog.delivery()),
    }
