"""The soak disturbs everything, by a plan that can be repeated, and notices what grows."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bench.soak.disturbances import KINDS, plan
from bench.soak.site import build_clock, played_days, set_clock
from bench.soak.vitals import Life
from tests.conftest import require_program

CLOCKS = """
import sys, time
for line in sys.stdin:
    before = time.monotonic()
    time.sleep(0.01)
    print(time.time(), time.monotonic() - before, flush=True)
"""


def test_every_kind_of_disturbance_comes_once_before_any_comes_again() -> None:
    first = list(itertools.islice(plan(random.Random("7|first")), len(KINDS) + 50))
    assert sorted(first[: len(KINDS)]) == sorted(KINDS)
    assert set(first[len(KINDS) :]) <= set(KINDS)
    assert list(itertools.islice(plan(random.Random("7|first")), len(first))) == first
    assert list(itertools.islice(plan(random.Random("8|first")), len(first))) != first


def test_the_days_leave_out_where_a_restatement_begins_to_look_back() -> None:
    days = played_days(6, datetime(2026, 3, 20, 1, tzinfo=UTC))
    assert days == [date(2026, 3, day) for day in (9, 10, 11, 15, 16, 17)]


def test_what_grows_through_its_life_is_not_flat() -> None:
    def life(megabytes: float, files: float = 0) -> Life:
        moments = range(400)
        return Life(
            "x", [(at * 10, 200 + megabytes * at / 400, round(9 + files * at / 400)) for at in moments]
        )

    assert life(10).is_flat
    assert not life(150).is_flat
    assert not life(0, files=40).is_flat
    grown_at_first = Life("x", [(at * 10, 200 if at > 50 else 50, 9) for at in range(400)])
    assert grown_at_first.is_flat
    busier_at_last = Life("x", [(at * 10, 200, 20 if at % 10 < at / 50 else 13) for at in range(400)])
    assert busier_at_last.is_flat
    fewer_now_and_then = Life("x", [(at * 10, 200, 18 if 100 < at < 150 else 26) for at in range(400)])
    assert fewer_now_and_then.is_flat
    leaking_to_its_end = Life("x", [(at * 10, 200, 9 + at // 10 if at < 395 else 4) for at in range(400)])
    assert not leaking_to_its_end.is_flat


def test_a_clock_that_jumps_leaves_alone_what_counts_from_the_start(tmp_path: Path) -> None:
    require_program("cc", "gcc libc6-dev")
    preloaded = os.environ | build_clock(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", CLOCKS],
        env=preloaded,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        for seconds in (0, 7200, -7200, 0):
            set_clock(tmp_path / "clock", seconds)
            asked.stdin.write("\n")
            asked.stdin.flush()
            told, slept = map(float, asked.stdout.readline().split())
            assert told - datetime.now(UTC).timestamp() == pytest.approx(seconds, abs=5)
            assert 0.01 <= slept < 5
        asked.stdin.close()
