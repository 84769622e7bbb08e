"""Kept: pages that were made before and still hold: what many people look at is made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

MOST_BYTES = 64 * 1024 * 1024


@dataclass
class Kept:
    """Pages by what they are pages of, each with the state that it was made in: in another state it does not hold.
    At most `most` bytes; those asked for longest ago go first."""

    most: int = MOST_BYTES
    _pages: OrderedDict[Hashable, tuple[object, bytes]] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, state: object) -> bytes | None:
        """The page, if it was made in this state."""
        with self._lock:
            found = self._pages.get(key)
            if found is None or found[0] != state:
                return None
            self._pages.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, state: object, page: bytes) -> None:
        """Keep a page in place of what was kept under the key."""
        with self._lock:
            if key in self._pages:
                self._bytes -= len(self._pages.pop(key)[1])
            self._pages[key] = state, page
            self._bytes += len(page)
            while self._bytes > self.most:
                self._bytes -= len(self._pages.popitem(last=False)[1][1])
