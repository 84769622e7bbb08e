"""Division lists and mappings as files: what is read, what is resolved and named, what is refused with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from etl.divisions import DivisionListError
from etl.divisions.division_list import read_division_list
from etl.divisions.mapping import read_mapping
from etl.settings import DIVISIONS_FILE

HEAD = "code,name,level,parent_code\n"
PROVINCE = "440000000000,广东省,province,\n"
GUANGZHOU = "440100000000,广州市,city,440000000000\n440103000000,荔湾区,county,440100000000\n"
DONGGUAN = "441900000000,东莞市,city,440000000000\n"
AS_COUNTY = "441900000000,东莞市,county,441900000000\n"
STREET = "441900003000,东城街道,township,441900000000\n"


def list_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_real_list_is_read_as_it_is_without_remarks_even_when_strict() -> None:
    made = read_division_list(DIVISIONS_FILE, strict=True)
    with gzip.open(DIVISIONS_FILE, "rt", encoding="utf-8-sig") as stream:
        lines = stream.read().splitlines()
    assert [",".join(row) for row in made.table.itertuples(index=False)] == lines[1:]
    assert made.remarks == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,name,level\n", "line 1 must be code,name,level,parent_code"),
        (HEAD, "no division below the header"),
        (HEAD + "4400,广东省,province,\n", "the code is not 12 digits: 1 line(s), first 2"),
        (HEAD + PROVINCE + "441900000000, ,city,440000000000\n", "the name is empty: 1 line(s), first 3"),
        (HEAD + PROVINCE + "441900000000,东莞市,town,440000000000\n", "the level is none of province"),
        (HEAD + PROVINCE + STREET, "the parent is not in the list: 1 line(s), first 3"),
        (
            HEAD + PROVINCE + DONGGUAN + STREET.replace("441900000000\n", "441900003000\n"),
            "not of a higher level",
        ),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_no_list_is_refused_with_its_line(text: str, said: str, strict: bool, tmp_path: Path) -> None:
    with pytest.raises(DivisionListError) as refused:
        read_division_list(list_file(tmp_path, text), strict=strict)
    assert said in str(refused.value)


def test_a_file_that_is_no_csv_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "list.csv.gz"
    file.write_bytes(gzip.compress((HEAD + PROVINCE).encode())[:-12])
    with pytest.raises(DivisionListError, match="not a readable CSV file"):
        read_division_list(file)


def test_a_city_listed_again_as_the_county_it_lacks_counts_as_the_city_and_keeps_what_is_below(
    tmp_path: Path,
) -> None:
    text = HEAD + PROVINCE + GUANGZHOU + AS_COUNTY + DONGGUAN + STREET
    made = read_division_list(list_file(tmp_path, text))
    rows = made.table.set_index("code")
    assert rows.index.is_unique
    assert rows.loc["441900000000"].tolist() == ["东莞市", "city", "440000000000"]
    assert rows.loc["441900003000", "parent_code"] == "441900000000"
    assert len(made.remarks) == 2
    assert made.remarks[0].startswith(
        "line 5: code 441900000000 (county 东莞市) stands in line 6 too (city 东莞市)"
    )
    assert made.remarks[1].startswith(
        "line 7: 1 division(s) of level township stand directly below 441900000000"
    )


def test_of_lines_of_one_code_and_level_the_first_counts_and_each_other_is_named(tmp_path: Path) -> None:
    twice = STREET + STREET.replace("东城", "西城") + STREET
    made = read_division_list(list_file(tmp_path, HEAD + PROVINCE + DONGGUAN + twice))
    assert made.table.set_index("code").loc["441900003000", "name"] == "东城街道"
    assert [remark.split(":")[0] for remark in made.remarks] == ["line 5", "line 6", "line 4"]


def test_a_county_with_nothing_below_it_is_named_and_stays(tmp_path: Path) -> None:
    below = "440103001000,沙面街道,township,440103000000\n"
    text = HEAD + PROVINCE + GUANGZHOU + below + "440199000000,空置县,county,440100000000\n"
    made = read_division_list(list_file(tmp_path, text))
    assert "440199000000" in set(made.table["code"])
    assert made.remarks == (
        "line 6: county 440199000000 空置县 has no division below it: a placeholder, in force as listed.",
    )


def test_a_list_that_ends_at_one_level_has_no_placeholders(tmp_path: Path) -> None:
    assert read_division_list(list_file(tmp_path, HEAD + PROVINCE + GUANGZHOU), strict=True).remarks == ()


def test_strict_refuses_everything_doubtful_and_names_every_line(tmp_path: Path) -> None:
    text = HEAD + PROVINCE + DONGGUAN + AS_COUNTY + STREET
    with pytest.raises(DivisionListError) as refused:
        read_division_list(list_file(tmp_path, text), strict=True)
    words = str(refused.value)
    assert "2 doubtful place(s)" in words
    assert "\nline 4: code 441900000000" in words
    assert "\nline 5: 1 division(s) of level township" in words


# --- mappings ---------------------------------------------------------------------------------------------------

OLD, KEPT, NEW, OTHER = "371302001001", "371302001002", "371302001003", "371302001004"
BEFORE, AFTER = {OLD, KEPT}, {KEPT, NEW, OTHER}


def mapping_file(tmp_path: Path, *rows: str) -> Path:
    return list_file(tmp_path, "\n".join(["kind,from_code,to_code,share,note", *rows]) + "\n")


@pytest.mark.parametrize(
    "rows",
    [
        [f"recoded,{OLD},{NEW},,"],
        [f"moved,{OLD},{NEW},,"],
        [f"renamed,{KEPT},{KEPT},,更名"],
        [f"merged,{OLD},{KEPT},,"],
        [f"removed,{OLD},,,"],
        [f"added,,{NEW},,"],
        [f"split,{OLD},{NEW},0.25,", f"split,{OLD},{OTHER},0.75,"],
        [f"split,{KEPT},{KEPT},0.9,", f"split,{KEPT},{NEW},0.1,"],
    ],
)
def test_a_sound_mapping_is_read(rows: list[str], tmp_path: Path) -> None:
    assert len(read_mapping(mapping_file(tmp_path, *rows), BEFORE, AFTER)) == len(rows)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([f"eaten,{OLD},{NEW},,"], "line 2: the kind 'eaten' is none of"),
        ([f"removed,{OLD},,,", f"recoded,{NEW},{OTHER},,"], f"line 3: {NEW} was not in force before"),
        ([f"recoded,{OLD},{OLD},,"], f"line 2: {OLD} is not in the new list"),
        ([f"recoded,{OLD},{KEPT},,"], "write merged"),
        ([f"merged,{KEPT},{NEW},,"], f"{KEPT} is in the new list still"),
        ([f"merged,{KEPT},{KEPT},,"], "cannot be merged into itself"),
        ([f"added,,{KEPT},,"], f"{KEPT} was in force before"),
        ([f"removed,{OLD},{NEW},,"], "removed needs no to_code"),
        ([f"recoded,,{NEW},,"], "recoded needs a from_code"),
        ([f"recoded,{OLD},{NEW},0.5,"], "only a split has a share"),
        ([f"split,{OLD},{NEW},,", f"split,{OLD},{OTHER},1,"], "line 2: the share '' is not a number"),
        ([f"split,{OLD},{NEW},60%,"], "the share '60%' is not a number"),
        ([f"split,{OLD},{NEW},NaN,"], "the share 'NaN' is not a number"),
        (
            [f"split,{OLD},{NEW},0.6,", f"split,{OLD},{OTHER},0.3,"],
            "lines 2, 3: the shares of 371302001001 add up to 0.9",
        ),
        ([f"split,{OLD},{NEW},0.5,", f"split,{OLD},{NEW},0.5,"], "a part of 371302001001 stands twice"),
        (
            [f"merged,{OLD},{KEPT},,", f"recoded,{OLD},{NEW},,"],
            "lines 2, 3: 371302001001 has more than one fate",
        ),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_its_line(
    rows: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DivisionListError) as refused:
        read_mapping(mapping_file(tmp_path, *rows), BEFORE, AFTER)
    assert said in str(refused.value)


def test_a_mapping_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DivisionListError, match="line 1 must be kind,from_code,to_code,share,note"):
        read_mapping(list_file(tmp_path, "from,to\n"), BEFORE, AFTER)
