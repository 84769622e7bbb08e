"""A process that has everything imported and runs days in children of its own, which meet an accident at a moment.

Each line on stdin is a JSON document {environment, day, accident, moment, server}; each answer a line {status, said}.
A moment is counted in events: statements and commits sent to the warehouse, objects put into the archive, gates passed.
Accidents: "kill" (SIGKILL), "restart" (the warehouse's server crashes and is started again), "full" (no space is left).
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

import etl.pull
from etl.archive import Archive
from etl.daily import run_day
from etl.site import open_site
from etl.warehouse import embedded_server


class Accident:
    """Counts events and strikes once, at the wanted one."""

    def __init__(self, kind: str, moment: int, server: Path) -> None:
        self.kind, self.moment, self.server, self.events = kind, moment, server, 0

    def count(self, *_: Any, **__: Any) -> None:
        self.events += 1
        if self.events != self.moment:
            return
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.kind == "restart":
            crash(self.server)
            embedded_server(self.server)
        elif self.kind == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count()
            return function(*args, **kwargs)

        return counted


def crash(home: Path) -> None:
    """Stop the server without a checkpoint, as a loss of power would."""
    pid = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.02)


def run(order: dict[str, Any]) -> int:
    """One day with an accident; returns the number of events, when it ends alive."""
    os.environ.update(order["environment"])
    accident = Accident(order["accident"], order["moment"], Path(order["server"]))
    sa.event.listen(Engine, "before_cursor_execute", accident.count)
    sa.event.listen(Engine, "commit", accident.count)
    Archive.put = accident.before(Archive.put)  # type: ignore[method-assign]
    etl.pull.gate = accident.before(etl.pull.gate)
    site = open_site()
    troubles = run_day(site, date.fromisoformat(order["day"]), list(site.catalog.platforms))
    if troubles:
        raise RuntimeError(str(troubles[0]))
    return accident.events


def main() -> None:
    """Serve orders until stdin ends."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                os.write(writing, str(run(json.loads(line))).encode())
                os._exit(0)
            except BaseException as error:
                os.write(writing, f"{type(error).__name__}: {error}"[:4000].encode())
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status), "said": said}), flush=True)


if __name__ == "__main__":
    main()
