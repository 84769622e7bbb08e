"""A portal to be asked questions: an app on some warehouse, an Airflow that knows passwords, people who signed in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient

from etl.archive import Archive
from etl.catalog import load_catalog
from etl.catalog.viewer import Viewer as Declared
from etl.clock import SHANGHAI
from etl.connections import connection_from_env
from etl.portal.app import create_app
from etl.portal.sign_in import Doors
from etl.settings import Settings
from etl.site import Site

NOW = datetime(2026, 4, 8, 16, 0, tzinfo=SHANGHAI)
AIRFLOW = "http://airflow.test"
PASSWORD = "correct-horse"


def site_at(home: Path, url: str, viewers: Mapping[str, str | None]) -> Site:
    """A site on a database (which need not answer), with these viewers by name."""
    declared = {user: Declared(user=user, division=code) for user, code in viewers.items()}
    return Site(
        settings=Settings(home, url, str(home / "archive"), None),
        engine=sa.create_engine(url),
        archive=Archive(str(home / "archive")),
        catalog=load_catalog(None).model_copy(update={"viewers": declared}),
        cells={},
        connect=connection_from_env,
        clock=lambda: NOW,
    )


def portal_of(site: Site, **doors: str) -> FastAPI:
    return create_app(site, replace(Doors(AIRFLOW), **doors))


def airflow_knows(monkeypatch: pytest.MonkeyPatch, *users: str) -> list[str]:
    """Airflow answers as its simple auth manager does; gives the names it is asked about."""
    asked: list[str] = []

    def post(url: str, json: dict[str, str], **_: object) -> httpx.Response:
        assert url == f"{AIRFLOW}/auth/token"
        asked.append(json["username"])
        is_right = json["username"] in users and json["password"] == PASSWORD
        answer = {"access_token": "t"} if is_right else {"detail": "Invalid credentials"}
        return httpx.Response(201 if is_right else 401, json=answer, request=httpx.Request("POST", url))

    monkeypatch.setattr("etl.portal.sign_in.httpx.post", post)
    return asked


def sign_in(client: TestClient, user: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    """Fill in the form as a browser does."""
    form = client.get("/sign-in").text
    found = re.search(r'name="token" value="([^"]+)"', form)
    assert found is not None
    sent = {"user": user, "password": password, "token": found[1], **more}
    return client.post("/sign-in", data=sent, follow_redirects=False)
