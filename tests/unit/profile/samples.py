"""Profiles as text, and problems as the lines that a user reads."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError, Problem
from envbuild.profile.resolve import Source, resolve

BASE = """\
schema: 1
name: base
summary: A base
base:
  image: ubuntu:22.04
  distribution: ubuntu-22.04
python:
  version: 3.10
  source: uv
  prefix: /opt/base
  requirements: [numpy, torch==2.7.0]
variants:
  linux-amd64-cu128: {}
"""


def sources(**texts: str) -> dict[str, Source]:
    """Profiles in one folder, by name."""
    return {
        name: Source(name=name, file=f"envs/{name}.yaml", text=text) for name, text in texts.items()
    }


def said(problems: tuple[Problem, ...]) -> list[str]:
    """Each problem with its place and hint."""
    return [f"{problem} // {problem.hint}" for problem in problems]


def refused(name: str, **texts: str) -> list[str]:
    """What is said against a profile."""
    with pytest.raises(InputError) as caught:
        resolve(name, sources(**texts))
    return said(caught.value.problems)


def changed(old: str, new: str) -> str:
    """The base with one piece of text replaced."""
    assert BASE.count(old) == 1, old
    return BASE.replace(old, new)
