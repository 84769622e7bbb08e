"""The portal as people meet it: its own process on a small real warehouse, a stand-in for Airflow's user database, and
Debian's Chromium. Every request of the browser is recorded, and none may leave this machine."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from etl.settings import Settings
from etl.site import Site
from etl.warehouse import embedded_server, open_warehouse, stop_embedded
from tests.conftest import require_program
from tests.e2e.browser.warehouse import COUNTIES, environment, fill, simulation

PROJECT = Path(__file__).resolve().parents[3]
PICTURES = PROJECT / "build" / "browser"
"""Screenshots of the last run, for people to look at."""
HOST = "127.0.0.1"
ADMIN, COUNTY_USER = "admin", "lanshan"
VIEWERS = f"- {{user: {ADMIN}, division: null}}\n- {{user: {COUNTY_USER}, division: '{COUNTIES[0]}'}}\n"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@dataclass(frozen=True)
class Portal:
    """url: of the portal. password: of both users. site: of its warehouse."""

    url: str
    password: str
    site: Site


@pytest.fixture(scope="package")
def portal() -> Iterator[Portal]:
    """The portal's own process."""
    # Not pytest's own folder: as root, the embedded server must be able to enter this one.
    home = Path(tempfile.mkdtemp(prefix="pls-portal-", dir="/var/tmp"))
    home.chmod(0o755)
    before = dict(os.environ)
    password = secrets.token_urlsafe(12)
    users = _serve_users(password)
    process = None
    site = None
    try:
        server = embedded_server(home)
        server.ensure_database("hotline")
        server.ensure_database("pls")
        platforms = simulation(home / "platforms", server.url("hotline"))
        viewers = platforms.catalog_dir / "viewers"
        viewers.mkdir(parents=True)
        (viewers / "viewers.yaml").write_text(VIEWERS)
        with platforms:
            settings = environment(home, server.url("pls"), platforms)
            os.environ.update(settings)
            site = fill(open_warehouse(Settings(home, server.url("pls"), "", None)), platforms)
        with socket.create_server((HOST, 0)) as probe:
            port = probe.getsockname()[1]
        airflow = f"http://{HOST}:{users.server_address[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "etl", "portal", "serve", "--listen", f"{HOST}:{port}"],
            cwd=PROJECT,
            env=before | dict(settings) | {"PLS_AIRFLOW_URL": airflow},
            stdin=subprocess.DEVNULL,
        )
        _wait_until_healthy(f"http://{HOST}:{port}", process)
        yield Portal(f"http://{HOST}:{port}", password, site)
    finally:
        if process is not None:
            process.terminate()
            process.wait(timeout=20)
        users.shutdown()
        if site is not None:
            site.engine.dispose()
        os.environ.clear()
        os.environ.update(before)
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for the session."""
    path = require_program("chromium", "chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # As root there is no sandbox to be had; nothing but our own pages is opened.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
    print(f"\nscreenshots: {PICTURES}")


@pytest.fixture
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser without memory. Afterwards: every request stayed on this machine, and no page's script failed."""
    opened = chromium.new_context(viewport=WIDE, locale="zh-CN")
    opened.set_default_timeout(20_000)
    asked: list[str] = []
    failed: list[str] = []
    opened.on("request", lambda each: asked.append(each.url))
    opened.on("weberror", lambda each: failed.append(str(each.error)))
    yield opened
    opened.close()
    assert asked, "the browser asked for nothing: what was tested?"
    outside = [url for url in asked if not is_here(url)]
    assert not outside, outside
    assert not failed, failed


def is_here(url: str) -> bool:
    """Whether an address stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in ("file", "data", "blob", "about") or parts.hostname == HOST


@pytest.fixture
def page(context: BrowserContext, portal: Portal) -> Page:
    """A page of somebody who sees everything, at the first page."""
    return signed_in(context, portal, ADMIN)


@pytest.fixture
def county_page(context: BrowserContext, portal: Portal) -> Page:
    """The same of a county's user."""
    return signed_in(context, portal, COUNTY_USER)


def signed_in(context: BrowserContext, portal: Portal, user: str) -> Page:
    opened = context.new_page()
    opened.goto(f"{portal.url}/")
    opened.fill("input[name=user]", user)
    opened.fill("input[name=password]", portal.password)
    opened.press("input[name=password]", "Enter")
    opened.wait_for_selector(".site-nav")
    return opened


def picture(page: Page, name: str) -> None:
    """Keep what the page looks like."""
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def _serve_users(password: str) -> ThreadingHTTPServer:
    """What the portal asks of Airflow: POST /auth/token with a user and a password."""

    class Users(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = asked["username"] in (ADMIN, COUNTY_USER) and asked["password"] == password
            body = json.dumps({"access_token": "token"} if known else {}).encode()
            self.send_response(201 if known else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Users)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the portal ended by itself"
        try:
            if httpx.get(f"{url}/health", trust_env=False).text == "healthy":
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise AssertionError("the portal did not answer within a minute")
