"""What a check says of hostile, huge and broken input, through the command line."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import pytest

from envbuild.cli.main import run

PROFILE = """\
schema: 1
name: one
summary: A profile of the tests
base:
  image: ubuntu:24.04
  distribution: ubuntu-24.04
python:
  version: "3.12"
  source: uv
  prefix: /opt/one
  requirements: [pandas]
variants:
  linux-amd64-cpu: {}
"""
RULE = """\
schema: 1
rules:
  - id: no-pandas
    severity: error
    title: pandas is not ours
    when: { requires: [pandas] }
    message: no {package} here
    why: we have polars
    fix: [polars]
    evidence: { source: our handbook, date: 2026-01-31, confidence: claimed }
"""


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "one.yaml").write_text(PROFILE)
    (tmp_path / "knowledge" / "rules").mkdir(parents=True)
    return tmp_path


def check(workspace, *arguments):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run(["-C", str(workspace), "check", *arguments])
    return status, out.getvalue(), err.getvalue()


def rule(workspace, text, name="own.yaml"):
    data = text if isinstance(text, bytes) else text.encode()
    (workspace / "knowledge" / "rules" / name).write_bytes(data)


def test_nothing_is_found(workspace):
    assert check(workspace) == (0, "", "1 profile: nothing found\n")


def test_an_own_rule_refuses(workspace):
    rule(workspace, RULE)
    status, out, err = check(workspace)
    assert (status, err) == (1, "1 profile: 1 error\n")
    assert out.startswith("envs/one.yaml:11:18: error: no pandas here [no-pandas]\n  why: we have")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "knowledge/rules/own.yaml:1:1: error: the file is empty"),
        ("- a\n", "knowledge/rules/own.yaml:1:1: error: expected keys and values"),
        ("schema: 2\nrules: []\n", "knowledge/rules/own.yaml:1:1: error: schema: expected 1"),
        ("schema: 1\n", "knowledge/rules/own.yaml:1:1: error: rules is missing"),
        ("\tschema: 1\n", "knowledge/rules/own.yaml:1:1: error: a tab indents this line"),
        (b"\xff\xfes\x00", "knowledge/rules/own.yaml"),
        ("x" * 2_000_000, "knowledge/rules/own.yaml:1:1: error: 2000000 characters are too many"),
        ("a: " + "[" * 100, "knowledge/rules/own.yaml:1:23: error: nested more than 20 levels"),
        (RULE.replace("no {package}", "no\\npackage").replace("message: ", 'message: "').replace(
            " here\n", ' here"\n'
        ), "own.yaml:7:5: error: rules.message: a control character (U+000A)"),
        (RULE.replace("no-pandas", "No Pandas"), "own.yaml:3:5: error: rules.id: expected a name of"),
        (RULE.replace("2026-01-31", "today"), "own.yaml:10:"),
        (RULE.replace("{ requires", "{ not: { requires").replace("] }", "] } }", 1), ""),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_read(workspace, text, said):
    rule(workspace, text)
    status, out, err = check(workspace)
    if not said:  # a condition that only denies something finds no package to name
        said = "error: {package} has no value here"
    assert (status, out) == (2, "")
    assert said in err


def test_conditions_in_each_other_have_a_depth_that_ends(workspace):
    deep = "{ not: " * 15 + "{ requires: [pandas] }" + " }" * 15
    rule(workspace, RULE.replace("{ requires: [pandas] }", deep).replace("{package}", "pandas"))
    assert check(workspace)[0] == 0
    rule(workspace, RULE.replace("{ requires: [pandas] }", "{ not: " * 40))
    status, _, err = check(workspace)
    assert status == 2
    assert "nested more than 20 levels" in err


def test_a_rule_file_that_is_a_folder_is_walked(workspace):
    (workspace / "knowledge" / "rules" / "deep").mkdir()
    rule(workspace, RULE, "deep/own.yaml")
    assert check(workspace)[0] == 1


def test_a_template_in_a_rule_stays_text(workspace):
    rule(
        workspace,
        RULE.replace("no {package} here", "'{{ 7 * 7 }} {0.__class__} ${HOME} {package}'"),
    )
    status, out, _ = check(workspace)
    assert (status, "{{ 7 * 7 }} {0.__class__} ${HOME} pandas" in out) == (2, False)
    rule(workspace, RULE.replace("no {package} here", "'{{ 7 * 7 }} {package} {}'"))
    status, out, _ = check(workspace)
    assert (status, "{{ 7 * 7 }} pandas {}" in out) == (1, True)


def test_a_finding_moves_no_cursor(workspace):
    rule(workspace, RULE.replace("no {package} here", "'a \u202e b'"))
    assert "a ? b" in check(workspace)[1]


def test_json_and_sarif_hold_the_same_findings(workspace):
    rule(workspace, RULE)
    plain = json.loads(check(workspace, "--json")[1])
    (made,) = json.loads(check(workspace, "--sarif")[1])["runs"]
    assert [one["rule"] for one in plain["findings"]] == [one["ruleId"] for one in made["results"]]
    assert made["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == "pandas is not ours"


def test_a_lock_that_cannot_be_read_is_not_looked_at(workspace):
    folder = workspace / "lockfiles" / "one"
    folder.mkdir(parents=True)
    (folder / "envbuild.lock.json").write_text("{")
    assert check(workspace)[0] == 0


def test_a_thousand_profiles(workspace):
    for number in range(1000):
        text = PROFILE.replace("name: one", f"name: p{number}")
        (workspace / "envs" / f"p{number}.yaml").write_text(text)
    assert check(workspace, "--quiet") == (0, "", "")
