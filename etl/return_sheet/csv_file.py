"""Return sheet of a CSV: the sender's lines, each with what is said of it in a last column 审核意见."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import defaultdict

from etl.catalog import Platform
from etl.return_sheet.opinions import SUM, Problem, Returned, words_of
from etl.sources import Unreadable
from etl.sources.base import REVIEW, read_options
from etl.sources.cells import name_key, tidy
from etl.sources.csv_files import CsvOptions, unpacked
from etl.sources.personal import mask

STARTS_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠]")
_NUMBER_OR_DASH = re.compile(r"\s*(?:[+-]?[0-9][0-9,]*(?:\.[0-9]*)?|[-—]+)\s*")


def mark_csv(sheet: Returned, platform: Platform) -> bytes | None:
    """The sender's lines, each with its 审核意见 in the last column; None when they cannot be read, or when something
    to say has no line. What is of a unit stands at its first line, what is of the whole file at the first of all.

    A line keeps its number of cells, so that one that does not fit the header still does not.
    """
    options = read_options(CsvOptions, platform)
    opinions: dict[int, list[Problem]] = defaultdict(list)
    for opinion in sheet.opinions:
        opinions[opinion.line].append(opinion.problem)
    for place in sheet.sums:
        opinions[int(place.rpartition(":")[2])].append(SUM)
    written = io.StringIO()
    try:
        text = unpacked(sheet.pulled.parts)
        is_crlf = text.partition(b"\n")[0].endswith(b"\r")
        writer = csv.writer(written, lineterminator="\r\n" if is_crlf else "\n")
        source = io.TextIOWrapper(io.BytesIO(text), encoding=options.encoding, newline="")
        reader = csv.reader(source, strict=True)
        header = next(reader, [])
        at = next((at for at, name in enumerate(header) if name_key(name) == REVIEW), len(header))
        writer.writerow(_beside(header, at, REVIEW))
        line, waiting = 2, list(sheet.of_file)
        for cells in reader:
            while len(cells) > len(header) and not cells[-1]:
                cells = cells[:-1]
            for problem in [each for each in waiting if each.unit_code in ("", *map(tidy, cells)) and cells]:
                opinions[line].append(problem)
                waiting.remove(problem)
            writer.writerow(_beside(cells, at, words_of(opinions[line])) if cells else [])
            line = reader.line_num + 1
    except (Unreadable, UnicodeDecodeError, csv.Error):
        return None
    if waiting:
        return None
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(written.getvalue().encode(options.encoding, errors="replace"))
    return packed.getvalue()


def _beside(cells: list[str], at: int, words: str) -> list[str]:
    """The cells as they may be written, the words in the column of 审核意见."""
    kept = [_inert(mask(cell)) for cell in cells]
    if at < len(kept):
        kept[at] = _inert(words)
        return kept
    return [*kept, _inert(words)]


def _inert(text: str) -> str:
    """A text that no program takes for a formula; numbers and dashes stay as they are."""
    if STARTS_FORMULA.match(text) and not _NUMBER_OR_DASH.fullmatch(text):
        return f"'{text}"
    return text
