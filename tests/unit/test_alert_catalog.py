"""What is declared about alerts, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.catalog import CatalogError, load_catalog
from etl.settings import SHIPPED_CATALOG

SHIPPED: list[dict[str, Any]] = [
    entry
    for file in sorted((SHIPPED_CATALOG / "alerts").glob("*.yaml"))
    for entry in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def load(folder: Path, entries: list[dict[str, Any]], recipients: list[dict[str, Any]] | None = None) -> Any:
    for name, content in (("alerts", entries), ("recipients", recipients or [])):
        (folder / name).mkdir()
        (folder / name / "all.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return load_catalog(folder)


def changed(code: str, **changes: Any) -> list[dict[str, Any]]:
    assert code in {entry["code"] for entry in SHIPPED}
    return [entry | changes if entry["code"] == code else entry for entry in SHIPPED]


def test_the_shipped_ladder_is_the_one_of_the_domain() -> None:
    ladder = [(each.code, each.after, each.workdays, each.tell) for each in load_catalog(None).rounds()]
    assert ladder == [
        ("due", "due", 0, "unit"),
        ("cutoff", "cutoff", 0, "township"),
        ("county_centre", "cutoff", 0, "province"),
        ("duty", "cutoff", 0, "duty"),
        ("workday_1", "cutoff", 1, "county"),
        ("workday_2", "cutoff", 2, "city"),
        ("workday_3", "cutoff", 3, "province"),
    ]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (changed("due", workdays=1), "workdays count from the cut-off"),
        (changed("due", tell="hamlet"), "tell"),
        (changed("delivery", calendar="everyday"), "no working days"),
        (changed("delivery", calendar="moon"), "names moon"),
        (changed("delivery", duty=["nobody"]), "names nobody"),
        (changed("delivery", all_clear_at=["17:00", "12:00"]), "ascending"),
        (changed("delivery", channels=["pigeon"]), "channels"),
        (changed("delivery", colour="red"), "colour is not known"),
        (changed("missing", body_zh="{recipient}: {who}"), "who cannot be filled in"),
        (changed("missing", subject_zh="{count"), "braces"),
        ([entry for entry in SHIPPED if entry["code"] != "delivery"], "kind delivery was expected"),
        ([entry for entry in SHIPPED if entry["code"] != "cleared"], "code cleared was expected"),
        ([entry for entry in SHIPPED if entry["kind"] != "round"], "kind round was expected"),
    ],
)
def test_a_ladder_that_is_not_whole_or_names_what_is_not_there_is_refused(
    tmp_path: Path, entries: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(CatalogError, match=words):
        load(tmp_path, entries)


def test_a_recipient_of_the_interface_stays_valid_and_a_robot_needs_its_connection(tmp_path: Path) -> None:
    plain = {
        "id": "justice-371302",
        "name": "兰山区司法局",
        "division": "371302000000",
        "email": "duty@example.org",
        "webhook": "https://hook.example.org/x",
        "escalates_to": "province",
    }
    province = {"id": "province", "name": "省厅", "robot": "dingtalk", "robot_conn_id": "pls_robot"}
    catalog = load(tmp_path, SHIPPED, [plain, province])
    order = catalog.delivery().channels
    assert catalog.recipients["justice-371302"].channels(order) == ["email", "webhook"]
    assert catalog.recipients["province"].channels(order) == ["robot"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"robot": "dingtalk"}, "robot and robot_conn_id"),
        ({"robot_conn_id": "x"}, "robot and robot_conn_id"),
        ({"webhook_conn_id": "x"}, "add the key webhook"),
        ({"robot": "fax", "robot_conn_id": "x"}, "robot"),
    ],
)
def test_a_recipient_with_half_a_channel_is_refused(tmp_path: Path, keys: dict[str, str], words: str) -> None:
    with pytest.raises(CatalogError, match=words):
        load(tmp_path, SHIPPED, [{"id": "a", "name": "甲", **keys}])
