"""Group robots of WeCom (企业微信), DingTalk (钉钉) and Feishu (飞书), and whatever else apprise can reach.

The three robots are spoken to directly, not through apprise 2.3.0: its hosts are fixed, while closed networks have
private ones; it takes a refusal inside an answer 200 for success (WeCom, DingTalk); it percent-encodes DingTalk's
signature twice, and knows no signature for Feishu. An Airflow connection holds each robot: address in host, token
(key) in password, the secret that signs in extra.secret. apprise serves all the rest, by the service address in the
password of the connection.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx

from etl.alerts.message import ChannelFailed, Message, without_secrets
from etl.connections import Connection

TIMEOUT_S = 10.0
LONGEST_WAIT = timedelta(hours=1)
# httpx writes whole addresses into the log, and a robot's address holds its token.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Call(NamedTuple):
    """A request to a robot."""

    path: str
    params: dict[str, str]
    json: dict[str, Any]


def _wecom(message: Message, token: str, secret: str, moment: datetime) -> Call:
    text = {"content": f"{message.subject}\n{message.text(2048 - 1 - len(message.subject.encode()))}"}
    return Call("/cgi-bin/webhook/send", {"key": token}, {"msgtype": "text", "text": text})


def _dingtalk(message: Message, token: str, secret: str, moment: datetime) -> Call:
    params = {"access_token": token}
    if secret:
        stamp = str(round(moment.timestamp() * 1000))
        params |= {"timestamp": stamp, "sign": _sign(secret, f"{stamp}\n{secret}")}
    text = {"content": f"{message.subject}\n{message.text(16_000)}"}
    return Call("/robot/send", params, {"msgtype": "text", "text": text})


def _feishu(message: Message, token: str, secret: str, moment: datetime) -> Call:
    body: dict[str, Any] = {
        "msg_type": "text",
        "content": {"text": f"{message.subject}\n{message.text(16_000)}"},
    }
    if secret:
        stamp = str(int(moment.timestamp()))
        body |= {"timestamp": stamp, "sign": _sign(f"{stamp}\n{secret}", "")}
    return Call(f"/open-apis/bot/v2/hook/{token}", {}, body)


def _sign(key: str, said: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), said.encode(), hashlib.sha256).digest()).decode()


class Service(NamedTuple):
    """How a robot's service is spoken to: the request, the key of its answer's code, the codes that mean: later."""

    call: Callable[[Message, str, str, datetime], Call]
    code: str
    busy: frozenset[int]


SERVICES = {
    "wecom": Service(_wecom, "errcode", frozenset({-1, 45009})),
    "dingtalk": Service(_dingtalk, "errcode", frozenset({-1, 130101, 410100})),
    "feishu": Service(_feishu, "code", frozenset({9499, 11232})),
}


def send_by_robot(kind: str, message: Message, connection: Connection, moment: datetime) -> None:
    """Send through a robot. Raises ChannelFailed unless the answer says that the message was taken."""
    if kind == "apprise":
        return _send_by_apprise(message, connection)
    service = SERVICES[kind]
    token, secret = connection.password, str(connection.extra.get("secret", ""))
    if not token:
        raise ChannelFailed(f"连接 {connection.conn_id} 没有 password（机器人的 token）", is_final=True)
    call = service.call(message, token, secret, moment)
    answer = post(connection.base_url() + call.path, [token, secret], params=call.params, json=call.json)
    try:
        said = answer.json()
        code = int(said[service.code])
    except (ValueError, TypeError, KeyError):
        raise ChannelFailed(f"{kind}：答复不是约定的格式", is_final=True) from None
    if code != 0:
        words = without_secrets(str(said.get("errmsg") or said.get("msg") or ""), [token, secret])
        is_busy = code in service.busy
        raise ChannelFailed(f"{kind}：{service.code} {code} {words}", is_final=not is_busy, is_down=is_busy)
    return None


@functools.cache
def _client() -> httpx.Client:
    """One for all messages, as reading the certificates takes longer than a message; no connection is kept open."""
    return httpx.Client(timeout=TIMEOUT_S, limits=httpx.Limits(max_keepalive_connections=0))


def post(url: str, secrets: list[str], **content: Any) -> httpx.Response:
    """POST once, following nothing. Raises ChannelFailed on anything but an answer 2xx; 429 and 5xx are for later."""
    try:
        answer = _client().post(url, **content)
    except httpx.HTTPError as error:
        words = f"无法连接（{type(error).__name__}：{without_secrets(str(error), secrets)}）"
        raise ChannelFailed(words, is_final=False, is_down=True) from None
    except httpx.InvalidURL:
        raise ChannelFailed("地址写法有误", is_final=True) from None
    if not answer.is_success:
        is_later = answer.status_code in (408, 425, 429) or answer.status_code >= 500
        raise ChannelFailed(
            f"HTTP {answer.status_code}",
            is_final=not is_later,
            is_down=is_later,
            retry_after=_retry_after(answer),
        )
    return answer


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """The pause that the receiver asks for, in seconds; at most an hour is waited."""
    given = answer.headers.get("retry-after", "")
    return min(timedelta(seconds=int(given)), LONGEST_WAIT) if given.isdecimal() else None


def _send_by_apprise(message: Message, connection: Connection) -> None:
    import apprise

    service = apprise.Apprise()
    if not connection.password or not service.add(connection.password):
        words = f"连接 {connection.conn_id} 的 password 不是 apprise 认识的服务地址"
        raise ChannelFailed(words, is_final=True)
    if not service.notify(title=message.subject, body=message.text(16_000)):
        raise ChannelFailed("apprise：未送达", is_final=False)
