"""Township files as contract.md, B: gzipped CSV in GB18030 with a .sha256 beside it."""

from __future__ import annotations

import gzip
import hashlib
import random
from datetime import timedelta

from etl.catalog import Catalog
from simulator.deliveries import Batch, Submission
from simulator.handwriting import csv_nothing, csv_number
from simulator.world import World

HEADER = "单位代码,统计日期,渠道,指标,数值,填报时间,版次"
WRONG_HEADER = "单位,日期,渠道,指标,数量,填报时间,版次"
UNPACKED_LIMIT = 50 * 1024 * 1024


def csv_bytes(world: World, batch: Batch) -> bytes:
    """The packed file; the same batch always gives the same bytes."""
    rng = random.Random(f"{world.seed}|{batch.name}|hand")
    newline = rng.choice(("\r\n", "\n"))
    lines = [WRONG_HEADER if batch.fault == "wrong_header" else HEADER]
    blocks = [_lines(world, submission, rng) for submission in batch.submissions]
    body = [line for block in blocks for line in block]
    if rng.random() < 0.2:
        rng.shuffle(body)
    lines += body
    if batch.fault == "oversized":
        lines += body * (UNPACKED_LIMIT // max(1, sum(map(len, body))) + 1)
    packed = gzip.compress((newline.join(lines) + newline).encode("gb18030"), compresslevel=1, mtime=0)
    if batch.fault == "unreadable":
        return packed[: len(packed) // 2]
    return packed


def digest_line(batch: Batch, packed: bytes) -> str:
    """What stands in the .sha256: hex digest, two spaces, file name."""
    digest = hashlib.sha256(packed + b"not what was sent" if batch.fault == "digest" else packed).hexdigest()
    return f"{digest}  {batch.name}\n"


def _lines(world: World, submission: Submission, rng: random.Random) -> list[str]:
    catalog = world.catalog
    filled = submission.received_at - timedelta(minutes=rng.randrange(5, 180))
    head = f"{submission.unit},{submission.stat_date},"
    tail = f",{filled:%Y-%m-%d %H:%M:%S}{submission.note},{submission.revision}"
    if not submission.figures:
        return [f"{head}实体,零报告,0{tail}"]
    lines = []
    sums: dict[str, int] = {}
    for measure, channel, value in submission.figures:
        text = csv_number(value, rng) if isinstance(value, int) and value >= 0 else str(value)
        lines.append(f"{head}{_channel(catalog, channel)},{_measure(catalog, measure)},{text}{tail}")
        known = catalog.measures.get(measure)
        if isinstance(value, int) and not (known is not None and known.kind == "survey"):
            sums[channel] = sums.get(channel, 0) + value
    written = {(measure, channel) for measure, channel, _ in submission.figures}
    for measure, channel in world.pairs(world.level.get(submission.unit, "township")):
        if (measure, channel) not in written and channel == "physical" and rng.random() < 0.05:
            lines.append(
                f"{head}{_channel(catalog, channel)},{_measure(catalog, measure)},{csv_nothing(rng)}{tail}"
            )
    if submission.totals:
        off = submission.total_off
        for channel, total in sums.items():
            lines.append(f"{head}{_channel(catalog, channel)},合计,{csv_number(total + off, rng)}{tail}")
            off = 0
    return lines


def _channel(catalog: Catalog, code: str) -> str:
    known = catalog.channels.get(code)
    return code if known is None else known.name_zh


def _measure(catalog: Catalog, code: str) -> str:
    known = catalog.measures.get(code)
    return code if known is None else known.name_zh
