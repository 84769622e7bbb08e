"""Receivers on loopback that speak the protocols of the channels: group robots, a webhook, a mail server.

The robots check what the real ones check (token, signature and its time, size) and refuse as they do: inside an
answer 200. Signatures are computed here from the vendors' descriptions, apart from the code under test.
"""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

TOKEN, SECRET = "tok3n-0123456789", "SECabcdef0123456789"


class Receiver:
    """What arrived, by kind and text, and answers to give before any other: (status, headers, body)."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        self.received: list[tuple[str, str]] = []
        self.documents: list[dict[str, Any]] = []
        self.answers: deque[tuple[int, dict[str, str], bytes]] = deque()
        self.requests = 0
        self.address = ""

    def take(self, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """Answer one request as the service would."""
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        document = json.loads(body)
        if parts.path == "/cgi-bin/webhook/send":
            return 200, json.dumps(self._wecom(query, document)).encode()
        if parts.path == "/robot/send":
            return 200, json.dumps(self._dingtalk(query, document, len(body))).encode()
        if parts.path.startswith("/open-apis/bot/v2/hook/"):
            return 200, json.dumps(self._feishu(parts.path.rpartition("/")[2], document, len(body))).encode()
        if parts.path == "/hook":
            return self._hook(headers, body, document), b""
        return 404, b""

    def _wecom(self, query: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        if query.get("key") != TOKEN:
            return {"errcode": 93000, "errmsg": f"invalid webhook url {query.get('key')}"}
        content = document["text"]["content"]
        if document["msgtype"] != "text" or len(content.encode()) > 2048:
            return {"errcode": 40058, "errmsg": "exceed max length 2048"}
        self.received.append(("wecom", content))
        return {"errcode": 0, "errmsg": "ok"}

    def _dingtalk(self, query: dict[str, str], document: dict[str, Any], size: int) -> dict[str, Any]:
        if query.get("access_token") != TOKEN:
            return {"errcode": 300005, "errmsg": "token is not exist"}
        stamp = query.get("timestamp", "0")
        expected = hmac.digest(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), "sha256")
        if abs(int(stamp) / 1000 - self.moment.timestamp()) > 3600:
            return {"errcode": 310000, "errmsg": "invalid timestamp"}
        if query.get("sign") != base64.b64encode(expected).decode():
            return {"errcode": 310000, "errmsg": "sign not match"}
        if document["msgtype"] != "text" or size > 20_000:
            return {"errcode": 40035, "errmsg": "bad message"}
        self.received.append(("dingtalk", document["text"]["content"]))
        return {"errcode": 0, "errmsg": "ok"}

    def _feishu(self, token: str, document: dict[str, Any], size: int) -> dict[str, Any]:
        if token != TOKEN:
            return {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}
        stamp = document.get("timestamp", "0")
        expected = hmac.digest(f"{stamp}\n{SECRET}".encode(), b"", "sha256")
        is_near = abs(int(stamp) - self.moment.timestamp()) <= 3600
        if not is_near or document.get("sign") != base64.b64encode(expected).decode():
            return {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}
        if document["msg_type"] != "text" or size > 20_000:
            return {"code": 9499, "msg": "Bad Request"}
        self.received.append(("feishu", document["content"]["text"]))
        return {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    def _hook(self, headers: Any, body: bytes, document: dict[str, Any]) -> int:
        stamp = headers.get("X-PLS-Timestamp", "")
        expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        if "X-PLS-Signature" in headers and headers["X-PLS-Signature"] != f"sha256={expected}":
            return 401
        self.documents.append(document)
        self.received.append(("webhook", document.get("text") or document.get("message", "")))
        return 204


@contextmanager
def http_receiver(moment: datetime) -> Iterator[Receiver]:
    """Robots and webhook on one port of loopback."""
    receiver = Receiver(moment)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests += 1
            if receiver.answers:
                status, headers, answer = receiver.answers.popleft()
            else:
                (status, answer), headers = receiver.take(self.path, self.headers, body), {}
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MailServer:
    """A mail server that wants a login; `refuse` holds answers by address, such as 550 or 451."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self.password = password
        self.refuse: dict[str, str] = {}
        self.messages: list[EmailMessage] = []
        self.addressees: list[str] = []

    async def handle_RCPT(self, *arguments: Any) -> str:  # noqa: N802
        _server, _session, envelope, address, _options = arguments
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        self.addressees += envelope.rcpt_tos
        return "250 OK"

    def authenticate(self, *args: Any) -> AuthResult:
        data = args[-1]
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == self.password.encode(), handled=False)


@contextmanager
def mail_server(password: str = "m4il-passw0rd") -> Iterator[MailServer]:
    """A mail server on a free port of loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = MailServer(port, password)
    controller = Controller(
        made,
        hostname="127.0.0.1",
        port=port,
        authenticator=made.authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
