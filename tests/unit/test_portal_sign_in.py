"""Signing in at the portal, and what goes round every answer; no warehouse is asked."""

from __future__ import annotations

import json
import re
import stat
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from etl.failures import Refused
from etl.portal.shield import LARGEST_BODY
from etl.portal.sign_in import TRIES, TRIES_SECONDS, Doors, SignInRefused, Tries, session_secret
from etl.site import Site
from tests.portal_site import NOW, airflow_knows, portal_of, sign_in, site_at

pytestmark = pytest.mark.unit
NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/none"
VIEWERS = {"admin": None, "lanshan": "371302000000"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_at(tmp_path, NOWHERE, VIEWERS)


@pytest.fixture
def client(site: Site) -> TestClient:
    return TestClient(portal_of(site))


def session_of(client: TestClient) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(b64decode(client.cookies["pls_portal"].split(".")[0]))
    return held


def test_whom_airflow_and_the_catalogue_know_comes_in(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = airflow_knows(monkeypatch, "lanshan")
    answer = sign_in(client, "lanshan", next="/division/371302000000")
    assert (answer.status_code, answer.headers["location"]) == (303, "/division/371302000000")
    assert asked == ["lanshan"]
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert set(session_of(client)) == {"user", "since", "token"}


def test_a_wrong_password_and_an_undeclared_user_are_refused_in_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow_knows(monkeypatch, "lanshan", "somebody")
    wrong, unknown = sign_in(client, "lanshan", "guess"), sign_in(client, "somebody")
    assert (wrong.status_code, "用户名或密码不正确" in wrong.text) == (403, True)
    assert (unknown.status_code, "尚未开通门户查看权限" in unknown.text) == (403, True)
    assert client.get("/", follow_redirects=False).status_code == 303


def test_an_airflow_that_does_not_answer_lets_nobody_in(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(*_: object, **__: object) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr("etl.portal.sign_in.httpx.post", post)
    answer = sign_in(client, "admin")
    assert (answer.status_code, "没有应答" in answer.text) == (403, True)


def test_a_form_without_the_sessions_token_is_refused_before_airflow_is_asked(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = airflow_knows(monkeypatch, "admin")
    assert sign_in(client, "admin", token="forged").status_code == 400
    other = TestClient(client.app)
    assert other.post("/sign-in", data={"user": "admin", "password": "x", "token": ""}).status_code == 400
    assert asked == []


@pytest.mark.parametrize("target", ["//elsewhere.test/", "https://elsewhere.test", "/\\elsewhere.test", ""])
def test_after_signing_in_nobody_is_sent_elsewhere(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    airflow_knows(monkeypatch, "admin")
    assert sign_in(client, "admin", next=target).headers["location"] == "/"


def test_an_address_that_failed_too_often_waits(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = airflow_knows(monkeypatch, "admin")
    for _ in range(TRIES):
        assert sign_in(client, "admin", "guess").status_code == 403
    assert sign_in(client, "admin").status_code == 429
    assert len(asked) == TRIES
    now = [0.0]
    tries = Tries(clock=lambda: now[0])
    for _ in range(TRIES):
        tries.note_failure("10.0.0.1")
    with pytest.raises(SignInRefused, match="五分钟"):
        tries.refuse_too_many("10.0.0.1")
    tries.refuse_too_many("10.0.0.2")
    now[0] = TRIES_SECONDS + 1
    tries.refuse_too_many("10.0.0.1")
    assert tries.failed == {}


def test_a_session_ends_after_eight_hours_and_when_the_user_leaves_the_catalogue(
    site: Site, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow_knows(monkeypatch, "admin")
    sign_in(client, "admin")
    state = client.app.state  # type: ignore[attr-defined]
    reached = client.get("/downloads", follow_redirects=False).status_code
    assert reached == 503, "signed in: it asks the warehouse, which is not there"
    state.site = replace(site, clock=lambda: NOW + timedelta(hours=8, seconds=1))
    assert client.get("/downloads", follow_redirects=False).status_code == 303
    gone = site.catalog.model_copy(update={"viewers": {}})
    state.site = replace(site, catalog=gone)
    assert client.get("/downloads", follow_redirects=False).status_code == 303


def test_signing_out_needs_the_token_and_ends_the_session(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow_knows(monkeypatch, "admin")
    sign_in(client, "admin")
    client.post("/sign-out", data={"token": "forged"})
    assert client.get("/downloads", follow_redirects=False).status_code == 503
    client.post("/sign-out", data={"token": session_of(client)["token"]})
    assert client.get("/downloads", follow_redirects=False).status_code == 303


def test_a_forged_session_is_nobodys(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow_knows(monkeypatch, "lanshan")
    sign_in(client, "lanshan")
    payload, *rest = client.cookies["pls_portal"].split(".")
    assert len(rest) == 2
    forged = b64decode(payload).replace(b"lanshan", b"admin")
    from base64 import b64encode

    client.cookies.clear()
    client.cookies.set("pls_portal", ".".join([b64encode(forged).decode(), *rest]))
    assert client.get("/downloads", follow_redirects=False).status_code == 303


def test_a_users_header_counts_from_the_trusted_proxy_alone(site: Site) -> None:
    app = portal_of(site, user_header="x-user", trusted_proxy="10.0.0.9")
    headers = {"x-user": "lanshan"}
    proxy, stranger = (TestClient(app, client=(address, 1)) for address in ("10.0.0.9", "10.0.0.8"))
    assert proxy.get("/downloads", headers=headers, follow_redirects=False).status_code == 503
    assert stranger.get("/downloads", headers=headers, follow_redirects=False).status_code == 303
    unknown = proxy.get("/downloads", headers={"x-user": "nobody"})
    assert (unknown.status_code, "尚未开通" in unknown.text) == (403, True)
    without = TestClient(portal_of(site), client=("10.0.0.9", 1))
    assert without.get("/downloads", headers=headers, follow_redirects=False).status_code == 303


def test_half_a_proxy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLS_PORTAL_USER_HEADER", "x-user")
    with pytest.raises(Refused, match="belong together"):
        Doors.from_env()


def test_the_sessions_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    key = session_secret(tmp_path)
    assert (session_secret(tmp_path), len(key) >= 48) == (key, True)
    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "portal", tmp_path / "portal" / "secret")
    ]
    assert modes == [0o700, 0o600]


@pytest.mark.parametrize(
    "path", ["/sign-in", "/", "/nowhere", "/static/portal.css", "/health", "/division/1"]
)
def test_every_answer_keeps_the_page_to_itself(client: TestClient, path: str) -> None:
    headers = client.get(path, follow_redirects=False).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == (
        "max-age=3600" if path.startswith("/static/") else "private, no-cache"
    )


def test_a_request_larger_than_a_form_is_refused(client: TestClient) -> None:
    body = b"user=" + b"a" * LARGEST_BODY
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-in", content=body, headers=form).status_code == 413
    streamed = client.post("/sign-in", content=iter([body[:100], body[100:]]), headers=form)
    assert streamed.status_code >= 400


def test_everything_but_signing_in_and_out_and_taking_note_is_only_looked_at(client: TestClient) -> None:
    changing = {
        (route.path, method)  # type: ignore[attr-defined]
        for route in client.app.routes  # type: ignore[attr-defined]
        for method in getattr(route, "methods", ())
        if method not in ("GET", "HEAD")
    }
    assert changing == {("/sign-in", "POST"), ("/sign-out", "POST"), ("/alerts/ack", "POST")}
    refused = client.post("/downloads")
    assert (refused.status_code, "只能查看" in refused.text) == (405, True)


def test_a_page_that_is_not_there_says_so_in_the_readers_language(client: TestClient) -> None:
    assert "没有这个页面" in client.get("/nowhere").text
    english = client.get("/nowhere?lang=en")
    assert "There is no such page" in english.text
    assert 'lang="en"' in english.text
    assert "There is no such page" in client.get("/nowhere").text, "the choice is kept"
    assert "没有这个页面" in client.get("/nowhere?lang=zh").text


def test_nothing_on_a_page_comes_from_outside_or_stands_inline(client: TestClient) -> None:
    page = client.get("/sign-in").text
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"', page)
    assert len(addresses) > 5
    assert [each for each in addresses if not each.startswith(("/", "#"))] == []
    assert not re.search(r"<style|style=|\son\w+=|<script>", page)
    for each in addresses:
        if each.startswith("/static/"):
            assert client.get(each).status_code == 200, each
