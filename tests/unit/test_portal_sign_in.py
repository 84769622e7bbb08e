"""Signing in at the portal; no warehouse is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.portal_site import airflow_knows, portal_of, sign_in, site_at

pytestmark = pytest.mark.unit
NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(portal_of(site_at(tmp_path, NOWHERE, {"admin": None, "lanshan": "371302000000"})))


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


def test_a_wrong_password_and_an_undeclared_user_are_refused_in_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow_knows(monkeypatch, "lanshan", "somebody")
    wrong, unknown = sign_in(client, "lanshan", "guess"), sign_in(client, "somebody")
    assert (wrong.status_code, "用户名或密码不正确" in wrong.text) == (403, True)
    assert (unknown.status_code, "尚未开通门户查看权限" in unknown.text) == (403, True)
    assert client.get("/", follow_redirects=False).status_code == 303
