"""Document: what HTML, PDF and the editable text are all written from."""

from __future__ import annotations

from dataclasses import dataclass

from etl.bulletin.figure import Paragraph, Source


@dataclass(frozen=True)
class Grid:
    """A table. aligns: l, c or r by column; wide: parts of the width by column; heavy: rows that stand out."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    aligns: str
    wide: tuple[int, ...]
    source: str
    heavy: frozenset[int] = frozenset()
    is_small: bool = False


@dataclass(frozen=True)
class Picture:
    """A chart: as vectors for pages, as pixels for the editable text. alt: what it shows, in words."""

    title: str
    alt: str
    svg: bytes
    png: bytes
    source: str
    width: float = 1.0


Block = Paragraph | Grid | Picture


@dataclass(frozen=True)
class Part:
    """A numbered part."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A bulletin, ready to be written."""

    title: str
    issue: str
    office: str
    addressee: str
    dated: str
    known: str
    notes: tuple[str, ...]
    lead: tuple[Paragraph, ...]
    parts: tuple[Part, ...]
    sources: tuple[Source, ...]
    name: str
