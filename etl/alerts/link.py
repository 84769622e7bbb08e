"""A signed link by which a recipient acknowledges an alert: the command line, a portal and a REST call verify the
same token. HMAC-SHA256 over the alert's number and the token's end, under the password of the connection that
delivery names.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from etl.connections import Connect, Connection, ConnectionMissing
from etl.failures import Refused

FEWEST_CHARACTERS = 32
PURPOSE = b"pls-alert-acknowledgement"


class TokenRefused(Refused):
    """A token that acknowledges nothing: altered, expired, or there is no secret to check it with."""


def sign(alert_id: int, expires_at: datetime, secret: str) -> str:
    """The token that acknowledges an alert until then."""
    said = f"{alert_id}.{int(expires_at.timestamp())}"
    return f"{said}.{_signature(said, secret)}"


def verify(token: str, secret: str, moment: datetime) -> int:
    """Number of the alert that a token acknowledges. Raises TokenRefused."""
    said, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(said, secret).encode()):
        raise TokenRefused("链接无效：签名不符。请使用最近一次收到的链接，或由值班人员代为确认。")
    alert_id, _, expires = said.partition(".")
    if datetime.fromtimestamp(int(expires), UTC) < moment:
        raise TokenRefused("链接已过期。请由值班人员用 python -m etl alerts ack 代为确认。")
    return int(alert_id)


def secret_of(connection: Connection) -> str:
    """The secret that a connection holds. Raises TokenRefused when it is too short to be one."""
    if len(connection.password) < FEWEST_CHARACTERS:
        raise TokenRefused(
            f"连接 {connection.conn_id} 的 password 须有至少 {FEWEST_CHARACTERS} 个字符，用于签名。"
        )
    return connection.password


def link_of(alert_id: int, moment: datetime, days: int, connect: Connect, conn_id: str) -> str | None:
    """The address that acknowledges an alert; None where no portal is set up."""
    try:
        connection = connect(conn_id)
        address = connection.base_url()
    except ConnectionMissing:
        return None
    token = sign(alert_id, moment + timedelta(days=days), secret_of(connection))
    return f"{address}/alerts/ack?token={token}"


def _signature(said: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), PURPOSE + b"\n" + said.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
