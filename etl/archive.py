"""The landing archive: bytes kept as they were received, named by their content.

Beside them it keeps documents, named by people: what was found out about the bytes, and can be made from them again.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import fsspec
from fsspec.implementations.local import LocalFileSystem

UNFINISHED = ".unfinished"
"""Folder of what is being written."""


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
            self._write(key, parts)
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

    def write_document(self, name: str, body: bytes) -> None:
        """Keep a document below `documents/`, in place of the one that had the name."""
        self._write(f"{self._root}/documents/{name}", [body])

    def read_documents(self, folder: str) -> dict[str, bytes]:
        """The documents of a folder below `documents/`, by name, in order of it; none when it is not there."""
        self._filesystem.invalidate_cache()
        root = f"{self._root}/documents/{folder}"
        try:
            found = sorted(self._filesystem.ls(root, detail=False))
        except FileNotFoundError:
            return {}
        return {path.rpartition("/")[2]: self._filesystem.cat_file(path) for path in found}

    def document_folders(self, folder: str) -> list[str]:
        """Names of the folders in a folder below `documents/`."""
        self._filesystem.invalidate_cache()
        try:
            found = self._filesystem.ls(f"{self._root}/documents/{folder}", detail=False)
        except FileNotFoundError:
            return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def drop_documents(self, folder: str) -> None:
        """Delete a folder below `documents/` with what is in it."""
        self._filesystem.rm(f"{self._root}/documents/{folder}", recursive=True)

    def drop_unfinished(self, before: datetime) -> None:
        """Delete what writers that were killed had begun before a time (with its zone)."""
        with suppress(FileNotFoundError):
            for each in self._filesystem.ls(f"{self._root}/{UNFINISHED}", detail=True):
                if each["mtime"] < before.timestamp():
                    self._filesystem.rm_file(each["name"])

    def _write(self, path: str, parts: Sequence[bytes]) -> None:
        """An object appears under its name only when it is whole: object stores see to that themselves; in a folder it
        is written beside and renamed. A writer that fails leaves nothing, one that is killed nothing with a name."""
        if not isinstance(self._filesystem, LocalFileSystem):
            self._put_at(path, parts)
            return
        beside = f"{self._root}/{UNFINISHED}/{uuid.uuid4().hex}"
        for folder in (beside, path):
            self._filesystem.makedirs(folder.rpartition("/")[0], exist_ok=True)
        try:
            self._put_at(beside, parts)
            self._filesystem.mv(beside, path)
        except BaseException:
            with suppress(FileNotFoundError):
                self._filesystem.rm_file(beside)
            raise

    def _put_at(self, path: str, parts: Sequence[bytes]) -> None:
        with self._filesystem.open(path, "wb") as target:
            for part in parts:
                target.write(part)

    def _key(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
