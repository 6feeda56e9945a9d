"""A shown profile reads back as what it shows."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from envbuild.cli.profile_text import dotted, origins, scalar, yaml_lines
from envbuild.profile.reader import read
from envbuild.profile.resolve import Source, resolve

PROFILE = """\
schema: 1
name: demo
summary: "Quotes \\" and: colons # and é"
base: {image: "ubuntu:24.04", distribution: ubuntu-24.04}
python:
  version: "3.12"
  source: uv
  prefix: /opt/demo
  requirements: ["numpy<2", "torch==2.7.0 ; platform_machine == 'x86_64'"]
  overrides:
    - {requirement: packaging==23.0, reason: "pinned: it works"}
accept-eula: false
env: {YES: "yes", NUMBER: "010", EMPTY: "", SPACES: "  a  ", DASH: "- a"}
entrypoint: [sh, -c, 'echo "$HOME" #1']
smoke:
  - {name: import, imports: [numpy], timeout: 30}
variants: {linux-amd64-cpu: {}}
"""


@pytest.mark.property
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40))
def test_a_value_reads_back_as_text_by_any_yaml_reader(value: str) -> None:
    text = f"key: {scalar(value)}\n"
    assert read(text, "a.yaml").value == {"key": value}
    assert yaml.safe_load(text) == {"key": value}


@pytest.mark.parametrize(
    "word",
    ["on", "No", "y: z", "1e5", "0x1f", "12:30", "1_000", "2026-02-01", "=", ".nan", "~", "- a"],
)
def test_words_that_yaml_reads_as_something_else_are_quoted(word: str) -> None:
    assert yaml.safe_load(f"- {scalar(word)}") == [word]


@pytest.mark.parametrize(
    "word", ["ubuntu:24.04", "numpy<2", "/opt/demo", "a sentence, with (more)", "x[extra]>=1"]
)
def test_plain_words_stay_plain(word: str) -> None:
    assert scalar(word) == word


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (17, "17")])
def test_other_values(value: object, text: str) -> None:
    assert scalar(value) == text


def test_a_whole_profile_reads_back_as_itself() -> None:
    source = Source(name="demo", file="envs/demo.yaml", text=PROFILE)
    variant = resolve("demo", {"demo": source}).variants[0]
    shown = "".join(f"{line}\n" for line, _ in yaml_lines(variant))
    again = Source(
        name="demo", file="again.yaml", text=f"{shown}variants: {{linux-amd64-cpu: {{}}}}\n"
    )
    assert resolve("demo", {"demo": again}).variants[0].environment == variant.environment


def test_every_shown_value_has_its_place() -> None:
    source = Source(name="demo", file="envs/demo.yaml", text=PROFILE)
    variant = resolve("demo", {"demo": source}).variants[0]
    found = {dotted(path): place for path, place in origins(variant).items()}
    assert found["python.overrides[0].reason"] == "envs/demo.yaml:11"
    assert found["entrypoint[2]"] == "envs/demo.yaml:14"
    assert found["workdir"] == "default"
    assert found["smoke[0].needs"] == "default"
