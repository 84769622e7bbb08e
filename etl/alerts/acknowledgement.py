"""Acknowledgement (知悉确认): who takes note of an alert is not told of its units again, for no reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Engine

from etl.alerts.link import secret_of, verify
from etl.failures import Refused
from etl.site import Site
from etl.warehouse import run_sql


class AlertUnknown(Refused):
    """There is no alert of this number that could be acknowledged."""


@dataclass(frozen=True)
class Acknowledged:
    """Whose alert it was, and who took note first, and when."""

    alert_id: int
    recipient: str
    by: str
    at: datetime


def acknowledge(engine: Engine, alert_id: int, by: str, moment: datetime) -> Acknowledged:
    """Take note of an alert; one that is still to be sent is not sent any more. Raises AlertUnknown."""
    with engine.begin() as conn:
        row = run_sql(
            conn, "alerts/acknowledge", {"alert_id": alert_id, "by": by, "moment": moment}
        ).one_or_none()
    if row is None:
        raise AlertUnknown(f"No alert {alert_id} that can be acknowledged. See: python -m etl alerts list")
    return Acknowledged(row.alert_id, row.recipient, row.acknowledged_by, row.acknowledged_at)


def acknowledge_by_link(site: Site, token: str) -> Acknowledged:
    """Take note by the token of a link, on behalf of its recipient. Raises TokenRefused, AlertUnknown."""
    secret = secret_of(site.connect(site.catalog.delivery().link_conn_id))
    moment = site.clock()
    return acknowledge(site.engine, verify(token, secret, moment), "链接确认", moment)
