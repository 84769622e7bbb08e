"""Sign-in: who somebody is, as Airflow's user database or a proxy in front says; what they may see, as viewers/ says.

Credentials are handed to Airflow's POST /auth/token, which every auth manager answers, and are kept nowhere. The
session is a signed cookie that holds a name and a time; what the name may see is read from the
catalogue at each request.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import Request

from etl.catalog import Catalog
from etl.failures import Refused
from etl.portal.viewer import Viewer

SESSION_HOURS = 8
TRIES = 10
TRIES_SECONDS = 300
LONGEST_WORD = 200


class SignInRefused(Refused):
    """The name or the password is not right, or may not see anything; the message is for the person."""


@dataclass(frozen=True)
class Doors:
    """How people come in. airflow_url: whose user database decides. user_header: header that names the user, taken
    from the address trusted_proxy alone; both are empty where no proxy signs people in."""

    airflow_url: str
    user_header: str = ""
    trusted_proxy: str = ""

    @classmethod
    def from_env(cls) -> Doors:
        """Read PLS_AIRFLOW_URL, PLS_PORTAL_USER_HEADER and PLS_PORTAL_TRUSTED_PROXY. Raises Refused for half of it."""
        url = os.environ.get("PLS_AIRFLOW_URL") or "http://127.0.0.1:8080"
        header = os.environ.get("PLS_PORTAL_USER_HEADER") or ""
        proxy = os.environ.get("PLS_PORTAL_TRUSTED_PROXY") or ""
        if bool(header) != bool(proxy):
            raise Refused(
                "PLS_PORTAL_USER_HEADER and PLS_PORTAL_TRUSTED_PROXY belong together: a header that anybody may send"
                " signs nobody in. Set both, or neither."
            )
        if not url.startswith(("http://", "https://")):
            raise Refused(
                f"PLS_AIRFLOW_URL is {url!r}: an address such as http://127.0.0.1:8080 was expected."
            )
        return cls(url.rstrip("/"), header, proxy)


@dataclass
class Tries:
    """How often an address may try: TRIES failures in TRIES_SECONDS."""

    clock: Callable[[], float] = time.monotonic
    failed: dict[str, deque[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refuse_too_many(self, address: str) -> None:
        """Raise SignInRefused when the address has failed too often."""
        with self.lock:
            self._forget()
            if len(self.failed.get(address, ())) >= TRIES:
                raise SignInRefused("登录失败次数过多，请五分钟后再试。")

    def note_failure(self, address: str) -> None:
        """Count a failure."""
        with self.lock:
            self.failed.setdefault(address, deque(maxlen=TRIES)).append(self.clock())

    def _forget(self) -> None:
        since = self.clock() - TRIES_SECONDS
        for address in list(self.failed):
            times = self.failed[address]
            while times and times[0] < since:
                times.popleft()
            if not times:
                del self.failed[address]


def check_password(doors: Doors, user: str, password: str) -> None:
    """Ask Airflow whether this is the user's password. Raises SignInRefused when it is not, or Airflow is not there."""
    if not user or not password or max(len(user), len(password)) > LONGEST_WORD:
        raise SignInRefused("用户名或密码不正确。")
    try:
        answer = httpx.post(
            f"{doors.airflow_url}/auth/token",
            json={"username": user, "password": password},
            timeout=10,
            trust_env=False,
        )
    except httpx.HTTPError:
        raise SignInRefused("暂时无法核对密码：用户库（Airflow）没有应答，请稍后再试。") from None
    if answer.status_code in (400, 401, 403, 404, 422):
        raise SignInRefused("用户名或密码不正确。")
    if answer.is_error or not answer.json().get("access_token"):
        raise SignInRefused("暂时无法核对密码：用户库（Airflow）没有应答，请稍后再试。")


def viewer_named(catalog: Catalog, user: str) -> Viewer:
    """What a user may see. Raises SignInRefused for one who is not declared in viewers/."""
    declared = catalog.viewers.get(user)
    if declared is None:
        raise SignInRefused("您的账号尚未开通门户查看权限，请联系省厅系统管理员。")
    return Viewer(user, declared.division)


def viewer_of(request: Request) -> Viewer | None:
    """Who asks: whom the trusted proxy names, or whom the session names; None: nobody has signed in.

    Raises SignInRefused when the proxy names somebody who may see nothing.
    """
    state = request.app.state
    doors: Doors = state.doors
    if doors.user_header and request.client is not None and request.client.host == doors.trusted_proxy:
        named = request.headers.get(doors.user_header)
        if named:
            return viewer_named(state.site.catalog, named)
    session: Mapping[str, object] = request.session
    user, since = session.get("user"), session.get("since")
    if not isinstance(user, str) or not isinstance(since, int):
        return None
    if not 0 <= state.site.clock().timestamp() - since < SESSION_HOURS * 3600:
        return None
    declared = state.site.catalog.viewers.get(user)
    return None if declared is None else Viewer(user, declared.division)


def session_secret(home: Path) -> str:
    """The key that sessions are signed with, made when first asked, readable by its owner alone."""
    path = home / "portal" / "secret"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8")
