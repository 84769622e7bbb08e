"""A generic webhook: the digest as JSON, signed where a connection holds a secret.

X-PLS-Signature is `sha256=` and the hex HMAC-SHA256 of `<X-PLS-Timestamp>.<body>`; alert_id stays the same when a
message is sent again, so that a receiver can drop the second one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime

from etl.alerts.message import Message
from etl.alerts.robots import post

LONGEST_BODY = 64_000
MOST_CODES = 10_000


def send_by_webhook(url: str, message: Message, secret: str | None, moment: datetime) -> None:
    """POST the digest. Raises ChannelFailed on anything but an answer 2xx."""
    body = json.dumps(
        {
            "alert_id": message.alert_id,
            "reason": message.reason,
            "round": message.round,
            "dataset": message.dataset,
            "stat_date": message.stat_date.isoformat(),
            "count": len(message.codes),
            "codes": message.codes[:MOST_CODES],
            "subject": message.subject,
            "text": message.text(LONGEST_BODY),
            "acknowledge": message.link,
        },
        ensure_ascii=False,
    ).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if secret:
        stamp = str(int(moment.timestamp()))
        signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers |= {"X-PLS-Timestamp": stamp, "X-PLS-Signature": f"sha256={signature}"}
    post(url, [secret or "", url], content=body, headers=headers)
