"""Alerts and dashboard: about metrics that exist, tested, and each with a page that says what to do."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from tests.repository.sources import REPOSITORY
from tests.repository.test_ops_files import program
from tests.repository.test_promises import load_everything

FOLDER = REPOSITORY / "ops" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
TEST_FILES = sorted(FOLDER.glob("*.test.yml"))
TESTS: list[dict[str, Any]] = [
    case
    for file in TEST_FILES
    for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
    for case in test["alert_rule_test"]
]
DASHBOARD: dict[str, Any] = json.loads(
    (REPOSITORY / "ops" / "grafana" / "preloved.json").read_text(encoding="utf-8")
)


def expressions_of_the_dashboard() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


def metrics_that_exist() -> set[str]:
    load_everything()
    endings = {
        "counter": ["_total"],
        "histogram": ["_bucket", "_count", "_sum"],
        "summary": ["_count", "_sum"],
    }
    return {
        family.name + ending
        for family in REGISTRY.collect()
        for ending in ["", *endings.get(family.type, [])]
    }


def metrics_named_in(expression: str) -> set[str]:
    return set(re.findall(r"\bpreloved_[a-z0-9_]+", expression))


class TestAlerts:
    def test_are_accepted_and_behave_as_their_tests_say(self) -> None:
        promtool = program("promtool", "prometheus")
        for command in (["check", "rules", "alerts.yml"], ["test", "rules", *map(str, TEST_FILES)]):
            done = subprocess.run(
                [promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr

    def test_scrape_configuration_is_accepted(self) -> None:
        promtool = program("promtool", "prometheus")
        done = subprocess.run(
            [promtool, "check", "config", "--syntax-only", "prometheus.yml"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_each_is_shown_firing(self, rule: dict[str, Any]) -> None:
        assert any(case["exp_alerts"] for case in TESTS if case["alertname"] == rule["alert"])

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_each_is_shown_silent(self, rule: dict[str, Any]) -> None:
        assert any(not case["exp_alerts"] for case in TESTS if case["alertname"] == rule["alert"])

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_each_has_a_runbook_that_names_it(self, rule: dict[str, Any]) -> None:
        assert rule["alert"] in (REPOSITORY / rule["annotations"]["runbook"]).read_text(encoding="utf-8")

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
    def test_each_is_about_metrics_that_exist(self, rule: dict[str, Any]) -> None:
        assert metrics_named_in(rule["expr"]) <= metrics_that_exist()


class TestDashboard:
    def test_is_about_metrics_that_exist(self) -> None:
        expressions = expressions_of_the_dashboard()
        assert expressions
        assert set().union(*map(metrics_named_in, expressions)) <= metrics_that_exist()

    def test_shows_every_metric_of_ours(self) -> None:
        shown = set().union(*map(metrics_named_in, expressions_of_the_dashboard()))
        bases = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in shown}
        ours = {name for name in metrics_that_exist() if name.startswith("preloved_")}
        assert {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in ours} - bases == set()

    def test_panels_do_not_overlap(self) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & taken, panel["title"]
            taken |= cells
            assert at["x"] + at["w"] <= 24
