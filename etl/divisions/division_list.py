"""Division list: a file of code,name,level,parent_code, read and made sound, every doubtful line named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.catalog import Level
from etl.failures import Refused

COLUMNS = ["code", "name", "level", "parent_code"]
DEPTH = {level.value: depth for depth, level in enumerate(Level)}
NAMED_LINES = 5


class DivisionListError(Refused):
    """The division list cannot be loaded; the message names line and mend."""


@dataclass(frozen=True)
class DivisionList:
    """`table`: text columns code, name, level, parent_code ('' at the top), each code once; `remarks`: what was
    resolved in the file, each with its line."""

    table: pd.DataFrame
    remarks: tuple[str, ...] = ()


def read_division_list(file: Path, *, strict: bool = False) -> DivisionList:
    """Read a list (CSV or CSV.gz). Raises DivisionListError for what cannot be read as divisions.

    Doubtful lines are resolved and named, or, if strict, refused by name:
    - a code that occurs again: the line of the highest level counts, of equal ones the first. A city without counties
      is listed again, under its own code, as the county that it lacks.
    - a level that is skipped: the parent column decides, also when it names a division two levels up.
    - a county or city without any division below it, in a list that goes further down elsewhere: a placeholder. It
      stays in force; nobody expects anything of it unless a platform is declared for it.
    """
    table = read_text_table(file, COLUMNS)
    if table.empty:
        raise DivisionListError(f"{file}: no division below the header.")
    depth = table["level"].map(DEPTH)
    _refuse(
        file,
        {
            "the code is not 12 digits": ~table["code"].str.fullmatch(r"[0-9]{12}"),
            "the name is empty": table["name"].str.strip() == "",
            f"the level is none of {', '.join(DEPTH)}": depth.isna(),
        },
    )
    table = table.assign(line=np.arange(len(table)) + 2, depth=depth.astype(int))
    kept = table.sort_values(["depth", "line"]).drop_duplicates("code").sort_index()
    parent_depth = kept["parent_code"].map(kept.set_index("code")["depth"])
    has_parent = kept["parent_code"] != ""
    _refuse(
        file,
        {
            "the parent is not in the list": has_parent & parent_depth.isna(),
            "the parent is not of a higher level": has_parent & (parent_depth >= kept["depth"]),
        },
        kept["line"],
    )
    remarks = [
        *_repeated(table, kept),
        *_skipped(kept, parent_depth),
        *_placeholders(kept),
    ]
    if strict and remarks:
        raise DivisionListError(
            f"{file}: {len(remarks)} doubtful place(s), and --strict refuses them. Nothing was loaded.\n"
            + "\n".join(remarks)
        )
    return DivisionList(kept[COLUMNS].reset_index(drop=True), tuple(remarks))


def read_text_table(file: Path, columns: list[str]) -> pd.DataFrame:
    """A CSV file (UTF-8, gzipped or not) with exactly these columns, every cell as text. Raises DivisionListError."""
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DivisionListError(f"{file}: not a readable CSV file ({error}).") from None
    if list(table.columns) != columns:
        raise DivisionListError(
            f"{file}: line 1 must be {','.join(columns)}, it is {','.join(table.columns)}."
        )
    return table


def _refuse(file: Path, problems: dict[str, pd.Series[bool]], lines: pd.Series[int] | None = None) -> None:
    for words, bad in problems.items():
        if bad.any():
            numbers = np.flatnonzero(bad) + 2 if lines is None else lines[bad].to_numpy()
            first = ", ".join(map(str, numbers[:NAMED_LINES]))
            raise DivisionListError(
                f"{file}: {words}: {len(numbers)} line(s), first {first}. Nothing was loaded."
            )


def _repeated(table: pd.DataFrame, kept: pd.DataFrame) -> list[str]:
    """One remark per line left out because its code stands in the list already."""
    dropped = table[~table.index.isin(kept.index)]
    chosen = kept.set_index("code").loc[dropped["code"]]
    return [
        f"line {line}: code {code} ({level} {name}) stands in line {other_line} too ({other_level} {other_name}), "
        "which counts; this line is left out."
        for line, code, level, name, other_line, other_level, other_name in zip(
            dropped["line"],
            dropped["code"],
            dropped["level"],
            dropped["name"],
            chosen["line"],
            chosen["level"],
            chosen["name"],
            strict=True,
        )
    ]


def _skipped(kept: pd.DataFrame, parent_depth: pd.Series[float]) -> list[str]:
    """One remark per division whose children skip a level, and level of the children."""
    skipping = kept[parent_depth < kept["depth"] - 1]
    parents = kept.set_index("code").loc[skipping["parent_code"].unique()]
    remarks = []
    for code, name, above in zip(parents.index, parents["name"], parents["level"], strict=True):
        for level, lines in skipping[skipping["parent_code"] == code].groupby("level")["line"]:
            missing = ", ".join(list(DEPTH)[DEPTH[above] + 1 : DEPTH[str(level)]])
            first = ", ".join(map(str, lines.head(NAMED_LINES)))
            remarks.append(
                f"line {first}{' and on' if len(lines) > NAMED_LINES else ''}: {len(lines)} division(s) of level "
                f"{level} stand directly below {code} ({above} {name}); no {missing} between them, as listed."
            )
    return remarks


def _placeholders(kept: pd.DataFrame) -> list[str]:
    """One remark per division above the township that has none below it, where others of its level have."""
    has_children = kept["code"].isin(set(kept["parent_code"])).to_numpy()
    upper = (kept["depth"] < DEPTH[Level.TOWNSHIP]).to_numpy()
    elsewhere: npt.NDArray[np.bool_] = kept["level"].isin(set(kept.loc[has_children, "level"])).to_numpy()
    alone = kept[upper & ~has_children & elsewhere]
    return [
        f"line {line}: {level} {code} {name} has no division below it: a placeholder, in force as listed."
        for line, level, code, name in zip(
            alone["line"], alone["level"], alone["code"], alone["name"], strict=True
        )
    ]
