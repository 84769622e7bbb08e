"""A list of the size and with the traits of the whole country's: 665,276 lines, four cities without counties whose
codes occur again, and a county that never reports. The names and most codes are made up."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from etl.divisions import DayDivisions, DivisionListError
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, divisions_site

pytestmark = [pytest.mark.integration, pytest.mark.slow]
LINES = 665_276
WITHOUT_COUNTIES = {"441900": "东莞市", "442000": "中山市", "460400": "儋州市", "620200": "嘉峪关市"}
KINMEN = "350527000000,金门县,county,350500000000"
SUMMER = date(2026, 6, 1)


def national_lines(total: int = LINES) -> list[str]:
    """Lines below the header: 31 provinces, 10 cities each, 9 counties, 12 townships, and villages up to the total."""
    lines, townships = [], []
    for province in [
        11,
        12,
        13,
        14,
        15,
        21,
        22,
        23,
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
    ]:
        lines.append(f"{province}0000000000,第{province}省,province,")
        for city in range(1, 11):
            code = f"{province}{city:02}00000000"
            lines.append(f"{code},第{city}市,city,{province}0000000000")
            for county in range(1, 10):
                above = f"{province}{city:02}{county:02}000000"
                lines.append(f"{above},第{county}县,county,{code}")
                for township in range(100, 112):
                    townships.append(f"{above[:6]}{township}000")
                    lines.append(f"{townships[-1]},第{township}镇,township,{above}")
    lines += [KINMEN]
    for prefix, name in WITHOUT_COUNTIES.items():
        city = f"{prefix}000000"
        lines = [line for line in lines if not line.startswith(prefix[:4])]
        townships = [code for code in townships if not code.startswith(prefix[:4])]
        lines += [f"{city},{name},city,{prefix[:2]}0000000000", f"{city},{name},county,{city}"]
        for township in range(3, 35):
            townships.append(f"{prefix}{township:03}000")
            lines.append(f"{townships[-1]},第{township}街道,township,{city}")
    lines.append("441900000000,东莞市,county,441900000000")
    village = 0
    while len(lines) < total:
        number, place = divmod(village, len(townships))
        lines.append(f"{townships[place][:9]}{number + 1:03},第{number}村委会,village,{townships[place]}")
        village += 1
    return lines


@pytest.fixture(scope="module")
def national(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = national_lines()
    assert len(lines) == LINES
    codes = [line[:12] for line in lines]
    assert len(set(codes)) == LINES - 5
    file = tmp_path_factory.mktemp("national") / "divisions.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8", compresslevel=1) as stream:
        stream.write("code,name,level,parent_code\n" + "\n".join(lines) + "\n")
    return file


@pytest.fixture(scope="module")
def site(server: ServerAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DivisionsSite]:
    with divisions_site(server, tmp_path_factory.mktemp("site"), area="440000000000") as made:
        yield made


def line_of(row: str, nth: int = 0) -> int:
    return [number for number, line in enumerate(national_lines(), start=2) if line == row][nth]


def test_strict_names_each_line_that_is_wrong_and_loads_nothing(national: Path, site: DivisionsSite) -> None:
    with pytest.raises(DivisionListError) as refused:
        site.load(national, strict=True)
    words = str(refused.value).splitlines()
    named = {int(line.split()[1].rstrip(":,")): line for line in words[1:]}
    again = "441900000000,东莞市,county,441900000000"
    assert "code 441900000000 (county 东莞市)" in named[line_of(again)]
    assert "code 441900000000 (county 东莞市)" in named[line_of(again, 1)]
    assert "金门县 has no division below it" in named[line_of(KINMEN)]
    for prefix, name in WITHOUT_COUNTIES.items():
        assert f"code {prefix}000000" in named[line_of(f"{prefix}000000,{name},county,{prefix}000000")]
        skipped = named[line_of(f"{prefix}003000,第3街道,township,{prefix}000000")]
        assert (
            f"32 division(s) of level township stand directly below {prefix}000000 (city {name})" in skipped
        )
    assert len(words) == 1 + 5 + 4 + 1
    assert site.frame("SELECT 1 FROM core.division").empty


def test_the_list_of_the_country_loads_every_doubtful_line_named_and_its_successor_too(
    national: Path, site: DivisionsSite
) -> None:
    loaded = site.load(national)
    assert (loaded.listed, len(loaded.remarks)) == (LINES - 5, 10)
    levels = site.values("SELECT level, count(*) FROM core.division_period GROUP BY level")
    assert sum(levels.values()) == LINES - 5
    dongguan = site.frame(
        "SELECT level, division_name FROM core.division_period JOIN core.division USING (division_id)"
        " WHERE division_code = '441900000000'"
    )
    assert dongguan.to_numpy().tolist() == [["city", "东莞市"]]
    with site.engine.connect() as conn:
        divisions = DayDivisions(conn, SUMMER, [line[:12] for line in national_lines()])
    inside = divisions.inside(["441900000000"], ["village"])
    villages = sum(line.startswith("441900") and ",village," in line for line in national_lines())
    assert int(inside.sum()) == villages > 500
    assert divisions.table.loc["350527000000", "level"] == "county", "金门县 stays, and nobody expects it"

    lines = national_lines()
    first_village = next(line for line in lines if ",village," in line)
    lines.remove(first_village)
    lines.append(first_village.replace(first_village[:12], f"{first_village[:9]}999"))
    file = site.write("code,name,level,parent_code", "\n".join(lines))
    again = site.load(file, SUMMER)
    assert (again.opened, again.closed, again.counts()) == (1, 1, {"recoded": 1})
