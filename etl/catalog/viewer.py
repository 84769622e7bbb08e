"""Viewers: who may look at the portal, and which part of the tree is theirs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from etl.catalog.base import Declared, DivisionCode


class Viewer(Declared):
    """user: name in Airflow's user database or as the proxy's header gives it. division: they see it and all below it;
    null: everything. Written out even then, so that nobody sees everything by a forgotten key."""

    user: Annotated[str, Field(min_length=1, max_length=200)]
    division: DivisionCode | None
