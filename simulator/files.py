"""The folder tree of the township and village platforms, written so that a past day looks as it did then."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

from simulator.csv_files import csv_bytes, digest_line
from simulator.deliveries import SHANGHAI, Batch
from simulator.plan import Foreign
from simulator.workbooks import workbook_bytes
from simulator.world import World


class FileTree:
    """{folder}/{platform}/{yyyymmdd}/{file}; times of files are those of the simulated day."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self.folder = folder
        self._written: dict[Path, Batch] = {}

    def root(self, platform: str) -> Path:
        """The platform's root folder, made when it is missing."""
        root = self.folder / platform
        root.mkdir(parents=True, exist_ok=True)
        return root

    def write(self, batches: Iterable[Batch]) -> None:
        """Write every file that is not there yet or has other content; the .sha256 comes last."""
        for batch in batches:
            path = self._day_folder(batch.platform, batch.stat_date) / batch.name
            earlier = self._written.get(path)
            if earlier is batch:
                continue
            self._written[path] = batch
            if batch.family == "workbook":
                _put(path, workbook_bytes(self._world, batch), batch.received_at)
                continue
            packed = csv_bytes(self._world, batch)
            _put(path, packed, batch.received_at - timedelta(seconds=20))
            if batch.fault != "no_digest":
                digest = path.with_name(path.name + ".sha256")
                _put(digest, digest_line(batch, packed).encode(), batch.received_at)

    def write_foreign(self, foreign: Mapping[tuple[str, date], Iterable[Foreign]]) -> None:
        """Put things that are no deliveries into day folders; links lead to a file outside the root."""
        for (platform, day), things in foreign.items():
            folder = self._day_folder(platform, day)
            for thing in things:
                path = folder / thing.name
                if not thing.link:
                    _put(path, b"not a delivery", datetime.combine(day, time(12), SHANGHAI))
                    continue
                outside = self.folder.parent / "outside" / thing.name
                outside.parent.mkdir(exist_ok=True)
                outside.write_bytes(b"whoever reads this has left the root")
                path.unlink(missing_ok=True)
                path.symlink_to(os.path.relpath(outside, folder))

    def _day_folder(self, platform: str, day: date) -> Path:
        folder = self.root(platform) / f"{day:%Y%m%d}"
        folder.mkdir(exist_ok=True)
        return folder


def _put(path: Path, content: bytes, at: datetime) -> None:
    """Write under another name first, so that nobody meets half a file, then set its time."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.utime(part, (at.timestamp(), at.timestamp()))
    part.replace(path)
