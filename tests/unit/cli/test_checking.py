"""What lock and render ask of the rules before they act."""

from __future__ import annotations

import pytest

from envbuild.cli import checking, common, judging
from envbuild.cli.main import Session
from envbuild.knowledge import facts, rulebook
from envbuild.workspace import Workspace

PROFILE = """\
schema: 1
name: {name}
summary: A profile of the tests
base:
  image: nvcr.io/nvidia/isaac-sim:5.1.0
  distribution: ubuntu-24.04
  provides: [isaac-sim-5-1-0]
python:
  version: {python}
  source: image
  interpreter: /isaac-sim/python.sh
accept-eula: false
entrypoint: [/isaac-sim/python.sh]
hardware:
  driver: {{ min: "570.169", below: "595" }}
contracts:
  - {{ peer: policy, role: client, transport: zmq, encoding: msgpack-npy }}
variants:
  linux-amd64-cu128: {{}}
"""


@pytest.fixture
def ask(tmp_path):
    def asked(*names, python="3.11"):
        (tmp_path / "envs").mkdir(exist_ok=True)
        for name in names:
            text = PROFILE.format(name=name, python=python)
            (tmp_path / "envs" / f"{name}.yaml").write_text(text)
        session = Session()
        session.workspace = Workspace(root=str(tmp_path))
        found = session.workspace.profiles()
        return session, found, common.chosen(found, names)

    return asked


def test_warnings_are_said_and_let_pass(ask, capsys):
    assert checking.refused(*ask("one"), locked=False) == {}
    said = capsys.readouterr().err
    assert said.startswith("envs/one.yaml:2:1: warning: PYTHONNOUSERSITE is not set")
    assert "[user-site]" in said


def test_quiet_takes_the_warnings_away(ask, capsys):
    session, found, resolved = ask("one")
    session.console.volume = -1
    assert checking.refused(session, found, resolved, locked=False) == {}
    assert capsys.readouterr().err == ""


def test_errors_are_problems_with_every_way_out(ask):
    refused = checking.refused(*ask("one", "two", python="3.10"), locked=False)
    assert refused["one"].message == "the rules refuse one"
    (first,), (second,) = (refused[name].problems for name in ("one", "two"))
    assert str(first) == (
        "envs/one.yaml:9:3: Isaac Sim 5.1.0 is made for Python 3.11; this is 3.10 [isaac-sim-python]"
    )
    assert first.hint == 'version: "3.11"'
    assert second.mark.file == "envs/two.yaml"


def test_the_answer_depends_on_peers_rules_and_facts(ask, tmp_path):
    rules = tmp_path / "knowledge" / "rules"
    rules.mkdir(parents=True)
    (rules / "own.yaml").write_text("schema: 1\nrules: []\n")
    ask("policy")
    session, found, resolved = ask("one")
    paths = judging.depends_on(session.workspace, found, resolved, locked=True)
    assert {"envs/one.yaml", "envs/policy.yaml", "knowledge/rules/own.yaml"} <= set(paths)
    assert {"knowledge/rules", "lockfiles/one/envbuild.lock.json"} <= set(paths)
    assert {*facts.facts_files(), *rulebook.rule_files()} <= set(paths)
    alone = judging.depends_on(session.workspace, found, resolved, locked=False)
    assert not [path for path in alone if path.startswith("lockfiles")]
