"""Vital signs of a running stack: memory and open files of every process that lives long, and who is connected to the
databases; and the portal asked for a page meanwhile, as people do."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, Self

import httpx
import psutil
import psycopg

from bench.soak.site import MEGABYTE, Played

EVERY_S = 10
GROWTH = 1.10
SLACK_MB = 10
MORE_FILES = 5
BACKENDS = """
SELECT datname, state, count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name <> 'soak' GROUP BY 1, 2
"""


@dataclass
class Life:
    """One process, from when it was first seen. name: component and what it is in it. samples: seconds, megabytes,
    open files."""

    name: str
    samples: list[tuple[float, float, int]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.samples[-1][0] - self.samples[0][0]

    def megabytes(self, number: int) -> float:
        """The median of a quarter (0 to 3) of its life."""
        return median(megabytes for _, megabytes, _ in self._quarter(number))

    def files(self, number: int) -> tuple[float, float]:
        """The open files of a quarter of its life: a tenth of the samples has no more than the first, a tenth no fewer
        than the second."""
        tenths = quantiles((files for _, _, files in self._quarter(number)), n=10, method="inclusive")
        return tenths[0], tenths[-1]

    @property
    def is_flat(self) -> bool:
        """Whether the last quarter of its life is as the second one was, within what is allowed. What is never closed
        is there when it is idle and when it is busy; more of one alone says how busy it was, or that it was ending."""
        grown = self.megabytes(3) > self.megabytes(1) * GROWTH + SLACK_MB
        more = min(last - second for second, last in zip(self.files(1), self.files(3), strict=True))
        return not grown and more <= MORE_FILES

    def _quarter(self, number: int) -> list[tuple[float, float, int]]:
        count = len(self.samples)
        return self.samples[number * count // 4 : (number + 1) * count // 4]


@dataclass
class Vitals:
    """Takes a sample every ten seconds until it is left. most: the most connections to a database at once."""

    played: Played
    lives: dict[tuple[int, float], Life] = field(default_factory=dict)
    most: Counter[str] = field(default_factory=Counter)
    samples: int = 0
    pages: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)
    _browser: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False))

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, name="vitals", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._browser.close()

    def lived(self, seconds: float) -> list[Life]:
        """The processes that were seen for at least so long, and often enough to be judged."""
        return [each for each in self.lives.values() if each.seconds >= seconds and len(each.samples) >= 8]

    def backends(self) -> dict[str, int]:
        """How many are connected to each database now, but us."""
        with self.played.connect("postgres") as conn:
            found: Counter[str] = Counter()
            for database, _, count in conn.execute(BACKENDS):
                found[database] += count
        self.most |= found
        return dict(found)

    def _watch(self) -> None:
        with (self.played.home / "vitals.jsonl").open("w") as out:
            while not self._over.wait(EVERY_S):
                at = self.played.journal.seconds
                seen: dict[str, tuple[float, int]] = {}
                for name, main in self.played.stack.running().items():
                    with suppress(psutil.NoSuchProcess):
                        seen |= self._look_at(at, name, main)
                backends: dict[str, int] | None = None
                with suppress(psycopg.Error):
                    backends = self.backends()
                self.samples += 1
                print(
                    json.dumps({"at": round(at), "backends": backends, "processes": seen}),
                    file=out,
                    flush=True,
                )
                self.pages[self._read_a_page()] += 1

    def _look_at(self, at: float, component: str, main: psutil.Process) -> dict[str, tuple[float, int]]:
        """Take a sample of a component's processes; returns megabytes and open files of each."""
        found = {}
        for process in (main, *main.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                key = (process.pid, process.create_time())
                life = self.lives.setdefault(key, Life(component + _role(main, process)))
                with process.oneshot():
                    seen = (round(process.memory_info().rss / MEGABYTE, 1), process.num_fds())
                life.samples.append((at, *seen))
                found[f"{life.name} {process.pid}"] = seen
        return found

    def _read_a_page(self) -> str:
        """Open the portal's first page, signed in; says what came of it."""
        try:
            page = self._browser.get(self.played.stack.portal_url)
            if page.status_code == 303 or "/sign-in" in page.headers.get("location", ""):
                self._sign_in()
                page = self._browser.get(self.played.stack.portal_url)
            return str(page.status_code)
        except (httpx.HTTPError, AttributeError):
            return "no answer"

    def _sign_in(self) -> None:
        password = json.loads(self.played.stack.password_file.read_text())["admin"]
        address = f"{self.played.stack.portal_url}/sign-in"
        form: Any = re.search(r'name="token" value="([^"]+)"', self._browser.get(address).text)
        self._browser.post(address, data={"user": "admin", "password": password, "token": form[1]})


def _role(main: psutil.Process, process: psutil.Process) -> str:
    if process == main:
        return ""
    words = " ".join(process.cmdline()) or process.name()
    for part, name in (
        ("LocalExecutor", " worker"),
        ("forkserver", " forkserver"),
        ("resource_tracker", " tracker"),
    ):
        if part in words:
            return name
    return " child"
