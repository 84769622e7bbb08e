"""Early sight as declared: what is taken, and what is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.catalog import Catalog, CatalogError, load_catalog
from etl.catalog.early_sight import EARLY_SIGHT
from etl.settings import SHIPPED_CATALOG

SHIPPED = yaml.safe_load((SHIPPED_CATALOG / "outlook" / "rules.yaml").read_text(encoding="utf-8"))


def changed(kind: str, /, **changes: Any) -> list[dict[str, Any]]:
    """The shipped rules with some keys of one changed."""
    assert kind in [entry["kind"] for entry in SHIPPED]
    return [entry | changes if entry["kind"] == kind else entry for entry in SHIPPED]


def load(tmp_path: Path, entries: Any) -> Catalog:
    (tmp_path / "outlook").mkdir()
    (tmp_path / "outlook" / "ours.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return load_catalog(tmp_path)


def test_estimates_and_forecasts_are_shipped() -> None:
    assert {type(each) for each in load_catalog(None).outlook.values()} == set(EARLY_SIGHT)


def test_what_is_taken_out_is_muted(tmp_path: Path) -> None:
    assert list(load(tmp_path, SHIPPED[1:]).outlook) == ["forecast"]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (changed("estimate", measures=["consultatio"]), "Did you mean consultation?"),
        (changed("forecast", measures=["population"]), "population is a stock"),
        (changed("estimate", calendar="weekends"), "weekends, which is not declared"),
        (changed("estimate", levels=["county", "village"]), "no village was expected"),
        (changed("estimate", probability=95), "key probability is 95"),
        (changed("estimate", historydays=91), "did you mean history_days?"),
        (changed("forecast", weeks=40), "fewest_weeks + origins + horizon_weeks (46) was expected"),
        (changed("forecast", kind="guess"), "key kind is guess"),
    ],
)
def test_a_bad_declaration_is_refused_with_file_entry_key_and_mend(
    tmp_path: Path, entries: Any, words: str
) -> None:
    with pytest.raises(CatalogError) as refused:
        load(tmp_path, entries)
    assert words in str(refused.value)
    assert "ours.yaml" in str(refused.value)
