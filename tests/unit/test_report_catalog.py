"""Reports are declared: a new table is one entry, and a wrong one is refused with file, entry, key and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.catalog import CatalogError, load_catalog

ENTRY = """
- id: aid
  title: 法律援助表
  number: 公法月9表
  period_kinds: [month]
  row_levels: [province, city, county]
  of_levels: [province, city]
  columns:
    - {kind: measures, sheet: 援助, measures: [legal_aid_accepted], shows: [value, mom]}
"""


def declare(folder: Path, old: str = "", new: str = "") -> None:
    assert old in ENTRY
    (folder / "reports").mkdir()
    (folder / "reports" / "ours.yaml").write_text(ENTRY.replace(old, new), encoding="utf-8")


def test_the_shipped_reports_are_of_every_kind_of_period() -> None:
    reports = load_catalog(None).reports
    assert {kind for report in reports.values() for kind in report.period_kinds} == {
        "day", "month", "quarter", "year",
    }  # fmt: skip
    assert len({report.number for report in reports.values()}) == len(reports) == 8


def test_an_entry_in_a_folder_of_the_site_is_a_report(tmp_path: Path) -> None:
    declare(tmp_path)
    assert list(load_catalog(tmp_path).reports) == ["aid"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("legal_aid_accepted", "legal_aid_acepted", r"measure legal_aid_acepted.*Did you mean legal_aid_accepted"),
        ("legal_aid_accepted", "survey_answered", "survey.*use a group of kind satisfaction"),
        ("[month]", "[day]", "a day has no mom: delete it"),
        ("[province, city, county]", "[province, county]", "row_levels.*city is left out: add it"),
        ("[province, city]\n", "[township]\n", "a township has no rows in it"),
        ("sheet: 援助", "sheet: 援/助", "at most 31 characters"),
        ("  columns:", "  recipients: [nobody]\n  columns:", "recipient nobody, which is not declared"),
        ("  columns:", "  order: -x\n  columns:", "key order: with subtotals"),
        ("mom]}", "mum]}", "mum"),
        ("kind: measures", "kind: measure", "key kind is measure; one of"),
        ("number:", "nummer:", "key nummer is not known: did you mean number"),
        ("- {kind: measures", "- {kind: indicators, indicators: [hotline_anwer]}\n    - {kind: measures",
         "indicator hotline_anwer.*Did you mean hotline_answer"),
        ("- {kind: measures", "- {kind: evaluation, scheme: county-montly, shows: [score]}\n    - {kind: measures",
         "scheme county-montly.*Did you mean county-monthly"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_with_its_place_and_the_mend(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    declare(tmp_path, old, new)
    with pytest.raises(CatalogError, match=words) as refused:
        load_catalog(tmp_path)
    assert "ours.yaml, entry 1 (id aid)" in str(refused.value)


def test_a_sheet_too_wide_to_read_is_refused(tmp_path: Path) -> None:
    measures = list(load_catalog(None).measures)[:13]
    declare(tmp_path, "[legal_aid_accepted], shows", f"[{', '.join(measures)}], channels: true, shows")
    with pytest.raises(CatalogError, match="spread them over sheets"):
        load_catalog(tmp_path)
