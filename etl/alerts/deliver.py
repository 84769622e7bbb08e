"""Deliver: one message by one channel."""

from __future__ import annotations

import logging
import traceback
from datetime import datetime

from etl.alerts.mail import send_by_mail
from etl.alerts.message import ChannelFailed, Message
from etl.alerts.robots import send_by_robot
from etl.alerts.webhook import send_by_webhook
from etl.catalog.alert import ChannelName
from etl.catalog.models import Recipient
from etl.failures import Refused
from etl.site import Site

log = logging.getLogger(__name__)


def deliver(
    site: Site, recipient: Recipient, channel: ChannelName, message: Message, moment: datetime
) -> None:
    """Send a message by one channel of a recipient. Raises ChannelFailed, whatever goes wrong."""
    try:
        match channel:
            case "email":
                assert recipient.email is not None
                connection = site.connect(site.catalog.delivery().mail_conn_id)
                send_by_mail(recipient.email, message, connection)
            case "robot":
                assert recipient.robot is not None
                assert recipient.robot_conn_id is not None
                send_by_robot(recipient.robot, message, site.connect(recipient.robot_conn_id), moment)
            case "webhook":
                assert recipient.webhook is not None
                conn_id = recipient.webhook_conn_id
                secret = site.connect(conn_id).password if conn_id else None
                send_by_webhook(recipient.webhook, message, secret, moment)
    except ChannelFailed:
        raise
    except Refused as error:
        raise ChannelFailed(str(error), is_final=True) from None
    except Exception as error:
        # A fault of ours stops no other message. The log has where, not what: the words may hold a secret.
        log.error("alert %s\n%s", message.alert_id, "".join(traceback.format_tb(error.__traceback__)))
        raise ChannelFailed(f"程序出错（{type(error).__name__}），位置见日志", is_final=True) from None
