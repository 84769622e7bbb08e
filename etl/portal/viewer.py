"""Viewer: who looks at the portal, and which part of the tree is theirs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Viewer:
    """division_code: they see it and all below it; None: everything."""

    user: str
    division_code: str | None = None
