"""The alert rules fire on what they are for and on nothing else; rules and dashboard name only metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.stack import PROJECT

MONITORING = PROJECT / "local" / "monitoring"
METRIC = re.compile(r"\bpls_\w+")


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian package prometheus); CI installs it")
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    assert len(found) == 10
    return found


def exported() -> set[str]:
    """Names as they are exposed; counters end in _total."""
    source = (PROJECT / "etl" / "metrics.py").read_text()
    found = re.findall(r'(Gauge|Counter)MetricFamily\(\s*"(pls_\w+)"', source)
    assert len(found) > 10
    return {name + "_total" * (kind == "Counter") for kind, name in found}


def test_the_rules_fire_and_are_silent_as_recorded(promtool: str) -> None:
    ended = subprocess.run(
        [promtool, "test", "rules", "rules_test.yml"], cwd=MONITORING, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "SUCCESS" in ended.stdout


def test_a_rule_that_fires_on_nothing_is_found_out(promtool: str, tmp_path: Path) -> None:
    for name in ("rules.yml", "rules_test.yml"):
        text = (MONITORING / name).read_text()
        (tmp_path / name).write_text(text.replace("> 20 * 3600", "> 20 * 36000"))
    ended = subprocess.run(
        [promtool, "test", "rules", "rules_test.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "PlsWatchSilent" in ended.stderr


def test_every_rule_is_seen_to_fire_and_to_be_silent() -> None:
    tests = yaml.safe_load((MONITORING / "rules_test.yml").read_text())["tests"]
    asked = [question for test in tests for question in test["alert_rule_test"]]
    names = {rule["alert"] for rule in rules()}
    assert {each["alertname"] for each in asked if each["exp_alerts"]} == names
    assert {each["alertname"] for each in asked if not each["exp_alerts"]} == names


def test_rules_and_dashboard_name_only_metrics_that_exist() -> None:
    board = json.loads((MONITORING / "grafana" / "dashboard.json").read_text())
    asked = [rule["expr"] for rule in rules()]
    shown = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(shown) > 10
    named = set(METRIC.findall("\n".join(asked + shown)))
    assert named <= exported(), named - exported()


def test_every_alert_says_in_chinese_what_it_is_and_where_to_look() -> None:
    for rule in rules():
        words = rule["annotations"]
        assert re.search(r"[\u4e00-\u9fff]", words["summary"]), rule["alert"]
        assert re.search(r"查看|写入", words["description"]), rule["alert"]


def test_the_panels_do_not_overlap() -> None:
    board = json.loads((MONITORING / "grafana" / "dashboard.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
