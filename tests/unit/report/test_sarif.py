"""Findings as SARIF."""

from __future__ import annotations

import json

import msgspec
import pytest

from envbuild.errors import Mark
from envbuild.knowledge import rulebook
from envbuild.knowledge.judge import Finding
from envbuild.report import sarif


def finding(**changes):
    value = {
        "rule": "numpy-loose",
        "severity": "warning",
        "profile": "one",
        "variants": ("linux-amd64-cpu",),
        "mark": Mark("envs/one.yaml", 7, 3),
        "message": "numpy<2 admits more",
        "why": "it mixes",
        "fixes": ("numpy==1.26.0", "none"),
        "source": "IsaacLab#4224 (read 2026-11-21)",
    }
    return Finding(**(value | changes))


def written(*findings):
    rules = (ready.rule for ready in rulebook.shipped().rules.values())
    return json.loads(msgspec.json.encode(sarif.log(findings, rules, version="1.2.3")))


def test_the_log_names_its_form_and_its_program():
    log = written()
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert run["tool"]["driver"] == {"name": "envbuild", "version": "1.2.3", "rules": []}
    assert run["results"] == []


def test_a_result_points_at_its_rule_and_its_line():
    (run,) = written(finding(rule="user-site"), finding())["runs"]
    rules, (_, result) = run["tool"]["driver"]["rules"], run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "numpy-loose"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "envs/one.yaml"}
    assert place["region"] == {"startLine": 7, "startColumn": 3}
    assert result["level"] == "warning"
    assert "suppressions" not in result


def test_a_waiver_is_a_suppression():
    (run,) = written(finding(waived="we know"))["runs"]
    assert run["results"][0]["suppressions"] == [{"kind": "inSource", "justification": "we know"}]


def test_a_finding_about_a_waiver_has_a_rule_too():
    (run,) = written(finding(rule=rulebook.WAIVER_IDLE, mark=None))["runs"]
    assert run["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == "it mixes"
    assert "locations" not in run["results"][0]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("envs/a b#c.yaml", "envs/a%20b%23c.yaml"),
        ("envs/ü.yaml", "envs/%C3%BC.yaml"),
        ("shipped:envs/isaaclab.yaml", "envs/isaaclab.yaml"),
    ],
)
def test_paths_are_references(file, uri):
    (run,) = written(finding(mark=Mark(file, 1, 1)))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


def test_the_fingerprint_outlives_lines_that_are_added_above():
    (run,) = written(finding(), finding(mark=Mark("envs/one.yaml", 9, 3)), finding(rule="x"))[
        "runs"
    ]
    one, moved, other = (row["partialFingerprints"]["envbuild/v1"] for row in run["results"])
    assert one == moved != other


def told(**changes):
    value = {
        "rule": "numpy-two-winners",
        "level": "error",
        "title": "numpy two winners",
        "why": "it mixes",
        "help": "install 1.26.0",
        "message": "two NumPys",
        "identity": "one",
    }
    return sarif.Told(**(value | changes))


def result_of(**changes):
    log = json.loads(msgspec.json.encode(sarif.written([told(**changes)], version="1")))
    return log["runs"][0]["results"][0]


def test_a_file_of_an_environment_has_no_region():
    (place,) = result_of(places=("/opt/a b/numpy",))["locations"]
    assert place == {"physicalLocation": {"artifactLocation": {"uri": "file:///opt/a%20b/numpy"}}}


def test_bytes_that_are_no_utf_8_are_those_of_the_disk():
    (place,) = result_of(places=("/a\udcff\ud800\n",), identity="\udcff")["locations"]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "file:///a%FF%ED%A0%80%0A"


def test_a_rule_is_said_once_and_results_point_at_it():
    made = sarif.written([told(rule="b"), told(rule="a"), told(rule="b", why="no")], version="1")
    (run,) = json.loads(msgspec.json.encode(made))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [(one["id"], one["fullDescription"]["text"]) for one in rules] == [
        ("a", "it mixes"),
        ("b", "it mixes"),
    ]
    assert [one["ruleIndex"] for one in run["results"]] == [1, 0, 1]
