"""Parcel: the files of an issued version on their way, and how a delivery fails."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHUNK = 1_000_000


class DeliveryFailed(Exception):
    """A delivery that did not succeed, in Chinese and without secrets. is_final: the same again would be refused."""

    def __init__(self, words: str, *, is_final: bool) -> None:
        super().__init__(words)
        self.is_final = is_final


@dataclass(frozen=True)
class Parcel:
    """The files of a version: those that the manifest names, and it last. place: the folder below a target's own."""

    issue_id: int
    title: str
    division_name: str
    period: str
    version: int
    place: tuple[str, ...]
    folder: Path
    files: tuple[dict[str, Any], ...]

    def __post_init__(self) -> None:
        for name in (*self.place, *(each["name"] for each in self.files)):
            if name != Path(name).name or name in ("", ".", ".."):
                raise DeliveryFailed(f"文件名不合规：{name!r:.80}", is_final=True)


def digest(chunks: Iterator[bytes]) -> dict[str, Any]:
    """Bytes and SHA-256 of what was read back."""
    found, size = hashlib.sha256(), 0
    for chunk in chunks:
        found.update(chunk)
        size += len(chunk)
    return {"bytes": size, "sha256": found.hexdigest()}


def chunks_of(opened: Any) -> Iterator[bytes]:
    """What an open file holds, a chunk at a time."""
    while chunk := opened.read(CHUNK):
        yield chunk
