"""Send alerts and die by SIGKILL after the n-th was delivered and before it is marked:
python -m tests.integration.killed_sender N MOMENT."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from etl.alerts import outbox
from etl.site import open_site

if __name__ == "__main__":
    times, moment = int(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    deliver: Callable[..., None] = outbox.deliver
    seen = 0

    def deliver_and_die(*args: Any) -> None:
        global seen
        deliver(*args)
        seen += 1
        if seen == times:
            os.kill(os.getpid(), signal.SIGKILL)

    outbox.deliver = deliver_and_die
    outbox.send_alerts(replace(open_site(), clock=lambda: moment))
