"""Notices: what happens to the pipeline itself is told to those on duty at once, beside the outbox."""

from __future__ import annotations

import logging

from etl.alerts.deliver import deliver
from etl.alerts.message import ChannelFailed, Message
from etl.clock import SHANGHAI
from etl.site import Site

log = logging.getLogger(__name__)


def tell_duty(site: Site, subject: str, body: str) -> list[str]:
    """Tell everybody on duty (alerts/delivery, duty), each by the first channel that takes it; returns whom it reached.

    Quiet hours do not hold: a pipeline that stands still is not put off to the morning. Nobody on duty, or nobody
    reached: the log has the words.
    """
    moment = site.clock()
    day = moment.astimezone(SHANGHAI).date()
    message = Message(0, "operation", "duty", "", day, (), subject, body, None, moment)
    delivery = site.catalog.delivery()
    reached = []
    for name in delivery.duty:
        recipient = site.catalog.recipients[name]
        for channel in recipient.channels(delivery.channels):
            try:
                deliver(site, recipient, channel, message, moment)
            except ChannelFailed as error:
                log.warning("notice to %s by %s failed: %s", name, channel, error)
            else:
                reached.append(name)
                break
    if not reached:
        log.error("nobody on duty was reached: %s: %s", subject, body)
    return reached
