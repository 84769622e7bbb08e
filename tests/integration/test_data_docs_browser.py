"""Data Docs in a real browser, from the file system: everything loads, nothing from outside, icons and tables work."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from etl.data_docs import build_data_docs
from tests.conftest import require_program
from tests.data_docs_pages import DAY, archive_of, save_validations

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # the browser's own errands, too, find no host
    "--remote-debugging-pipe",
]
WAIT = 60.0


@dataclass
class Browser:
    """A browser spoken to through its debugging pipe: JSON messages, each ended by a zero byte."""

    to_browser: int
    from_browser: int
    events: list[dict[str, Any]] = field(default_factory=list)
    buffer: bytes = b""
    sent: int = 0
    session: str | None = None

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.sent:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def receive(self) -> dict[str, Any]:
        end = time.monotonic() + WAIT
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.from_browser], [], [], end - time.monotonic())
            assert ready, f"the browser did not answer within {WAIT:.0f} s"
            piece = os.read(self.from_browser, 1 << 16)
            assert piece, "the browser ended"
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def open(self, page: Path) -> None:
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        self.wait_until_loaded()

    def wait_until_loaded(self) -> None:
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        self.tell("document.fonts.ready.then(() => true)")

    def tell(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    def seen(self, method: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") == method]

    def requested(self) -> list[str]:
        return [each["request"]["url"] for each in self.seen("Network.requestWillBeSent")]

    def troubles(self) -> list[str]:
        failed = [each["errorText"] for each in self.seen("Network.loadingFailed")]
        thrown = [each["exceptionDetails"]["text"] for each in self.seen("Runtime.exceptionThrown")]
        logged = [
            each["entry"]["text"] for each in self.seen("Log.entryAdded") if each["entry"]["level"] == "error"
        ]
        return failed + thrown + logged


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Browser]:
    commands, to_browser = os.pipe()
    from_browser, answers = os.pipe()
    process = subprocess.Popen(
        [
            "bash",
            "-c",
            f'exec "$0" "$@" 3<&{commands} 4>&{answers}',
            program,
            *FLAGS,
            f"--user-data-dir={profile}",
        ],
        pass_fds=(commands, answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands)
    os.close(answers)
    try:
        browser = Browser(to_browser, from_browser)
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            browser.call(f"{domain}.enable")
        yield browser
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(to_browser)
        os.close(from_browser)


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    save_validations(home)
    build_data_docs(DAY, archive_of(home), home)
    return home / "data_docs"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(require_program("chromium", "chromium"), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def test_every_page_loads_whole_and_only_from_the_file_system(docs: Path, browser: Browser) -> None:
    pages = sorted(docs.rglob("*.html"))
    assert len(pages) == 7
    for page in pages:
        browser.open(page)
        requested = browser.requested()
        assert len(requested) >= (2 if page.parent == docs else 18), page
        assert [url for url in requested if not url.startswith(("file://", "data:"))] == [], page
        assert browser.troubles() == [], page
        assert browser.tell("[...document.images].filter(each => !each.naturalWidth).length") == 0, page
        assert browser.tell("document.body.scrollWidth <= window.innerWidth"), page


def test_icons_and_tables_of_the_index_work(docs: Path, browser: Browser) -> None:
    browser.open(docs / DAY.isoformat() / "index.html")
    fonts = "[...document.fonts].filter(each => each.status === 'loaded').map(each => each.family)"
    assert "Font Awesome 6 Free" in "".join(browser.tell(fonts))
    assert browser.tell("document.querySelectorAll('.ge-failed-icon').length") == 2
    assert browser.tell("document.querySelectorAll('.ge-success-icon').length") == 1
    assert "显示第 1 到第 3 条记录，总共 3 条记录" in browser.tell("document.body.innerText")
    browser.events.clear()
    browser.tell("document.querySelector('.ge-failed-icon').click()")
    browser.wait_until_loaded()
    assert "/validations/" in browser.tell("location.href")
    assert "只看未通过" in browser.tell("document.body.innerText")


def test_the_failed_only_button_hides_what_passed(docs: Path, browser: Browser) -> None:
    (page,) = (docs / DAY.isoformat()).rglob("daily-000000001-000000012/*/daily.html")
    browser.open(page)
    assert "指标在该渠道报送" in browser.tell("document.body.innerText")
    browser.tell("$.fx.off = true; hideSucceededValidations()")
    assert "指标在该渠道报送" not in browser.tell("document.body.innerText")
    assert "数值不为负" in browser.tell("document.body.innerText")


def test_the_browser_would_tell_of_missing_files_and_of_outside_ones(
    docs: Path, browser: Browser, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<img src="missing.png"><script src="http://127.0.0.1:9/x.js"></script><script>nope()</script>'
    )
    browser.open(page)
    assert "http://127.0.0.1:9/x.js" in browser.requested()
    assert len(browser.seen("Network.loadingFailed")) == 2
    assert len(browser.seen("Runtime.exceptionThrown")) == 1
