"""The landing archive: bytes kept as they were received, named by their content."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from contextlib import suppress

import fsspec


class ArchiveError(Exception):
    """What the archive holds is not what was put there."""


class Archive:
    """A folder, or any fsspec URL. Objects are written once and never changed."""

    def __init__(self, url: str) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(url)

    def put(self, parts: Sequence[bytes]) -> str:
        """Keep the parts, one after the other, as one object; returns its SHA-256. Kept already: nothing is written."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        key = self._key(digest.hexdigest())
        if not self._filesystem.exists(key):
            folder, _, _ = key.rpartition("/")
            self._filesystem.makedirs(folder, exist_ok=True)
            # An object appears under its name only when it is whole, so a writer that is killed leaves none behind.
            unfinished = f"{folder}/.{uuid.uuid4().hex}"
            with self._filesystem.open(unfinished, "wb") as target:
                for part in parts:
                    target.write(part)
            self._filesystem.mv(unfinished, key)
        return digest.hexdigest()

    def get(self, sha256: str, part_sizes: Sequence[int]) -> tuple[bytes, ...]:
        """The parts of an object, checked against its digest. Raises ArchiveError when they differ or are gone."""
        try:
            body: bytes = self._filesystem.cat_file(self._key(sha256))
        except FileNotFoundError:
            raise ArchiveError(f"object {sha256} is not in the archive {self._root}") from None
        if hashlib.sha256(body).hexdigest() != sha256 or len(body) != sum(part_sizes):
            raise ArchiveError(f"object {sha256} in the archive {self._root} is damaged")
        parts, start = [], 0
        for size in part_sizes:
            parts.append(body[start : start + size])
            start += size
        return tuple(parts)

    def drop(self, sha256: str) -> None:
        """Delete an object; one that is gone already is no failure."""
        with suppress(FileNotFoundError):
            self._filesystem.rm_file(self._key(sha256))

    def _key(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
