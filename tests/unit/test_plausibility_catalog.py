"""Rules of plausibility and opening backlogs as declared: what is taken, and what is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.catalog import CatalogError, load_catalog
from etl.catalog.rules import RULES, CountLimit, Queue
from etl.settings import SHIPPED_CATALOG

SHIPPED = yaml.safe_load((SHIPPED_CATALOG / "plausibility" / "rules.yaml").read_text(encoding="utf-8"))
BACKLOG = {"code": "open_2026", "check": "completed_received", "year": 2026, "units": {"371302000000": 12}}


def changed(kind: str, /, **changes: Any) -> list[dict[str, Any]]:
    """The shipped rules with some keys of one changed; a key changed to ... is left out."""
    assert kind in [entry["kind"] for entry in SHIPPED]
    return [
        {key: value for key, value in (entry | changes).items() if value is not ...}
        if entry["kind"] == kind
        else entry
        for entry in SHIPPED
    ]


def load(tmp_path: Path, folder: str, entries: Any) -> Any:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "ours.yaml").write_text(
        yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8"
    )
    return load_catalog(tmp_path)


def test_every_kind_of_rule_is_declared_and_shipped_once() -> None:
    catalog = load_catalog(None)
    assert len(catalog.plausibility) == len(RULES) == len(SHIPPED)
    assert {type(each) for each in catalog.plausibility.values()} == set(RULES)


def test_a_rule_that_is_taken_out_is_muted(tmp_path: Path) -> None:
    catalog = load(tmp_path, "plausibility", [entry for entry in SHIPPED if entry["kind"] != "count_limit"])
    assert catalog.rule(CountLimit) is None
    assert catalog.rule(Queue) is not None


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (changed("tenfold", tial=0.1), "did you mean tail?"),
        (changed("tenfold", tail=...), "key tail is missing"),
        (changed("tenfold", tail=0.7), "key tail is 0.7"),
        (changed("tenfold", levels=["hamlet"]), "hamlet"),
        (changed("tenfold", levels=["county", "county"]), "written twice: county"),
        (changed("level_shift", ratio=0.5), "key ratio is 0.5"),
        (changed("heaping", days=400), "at most 91 were expected"),
        (changed("level_shift", recent_days=80), "recent_days + quiet_days is 94"),
        (changed("history", fewest_days=200), "fewest_days of at most days (91) was expected"),
        (changed("queue", calendar="holidays"), "calendar names holidays, which is not declared"),
        (changed("all_satisfied", dissatisfied=["disatisfied"]), "Did you mean dissatisfied?"),
        (
            changed("repeated_day", follows={"mediation_acepted": "dispute_found"}),
            "Did you mean mediation_accepted?",
        ),
        (changed("tenfold", kind="elevenfold"), "elevenfold"),
        ([*SHIPPED, SHIPPED[3]], "declared already"),
        ([entry for entry in SHIPPED if entry["kind"] != "history"], "an entry of kind history was expected"),
        ([entry for entry in SHIPPED if entry["kind"] != "queue"], "an entry of kind queue was expected"),
    ],
)
def test_a_bad_rule_is_refused_with_file_entry_key_and_mend(tmp_path: Path, entries: Any, words: str) -> None:
    with pytest.raises(CatalogError) as refused:
        load(tmp_path, "plausibility", entries)
    assert words in str(refused.value)
    assert "plausibility/ours.yaml, entry " in str(refused.value)


def test_an_opening_backlog_is_of_one_check_one_year_and_each_unit(tmp_path: Path) -> None:
    catalog = load(tmp_path, "backlogs", [BACKLOG])
    assert catalog.opening_backlog("completed_received", 2026) == {"371302000000": 12}
    assert catalog.opening_backlog("completed_received", 2027) == {}
    assert load_catalog(None).opening_backlog("completed_received", 2026) == {}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([BACKLOG | {"check": "completed_receive"}], "Did you mean completed_received?"),
        ([BACKLOG | {"check": "answers"}], "answers is not over the year to date"),
        ([BACKLOG | {"units": {"3713": 1}}], "a division code of 12 digits was expected"),
        ([BACKLOG | {"units": {"371302000000": -1}}], "-1"),
        ([BACKLOG, BACKLOG | {"code": "again"}], "the same unit stands in open_2026 and again"),
    ],
)
def test_a_bad_backlog_is_refused(tmp_path: Path, entries: Any, words: str) -> None:
    with pytest.raises(CatalogError) as refused:
        load(tmp_path, "backlogs", entries)
    assert words in str(refused.value)
