"""A package that is built from source into an environment, with what builds it from the index."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conda.conftest import real
from tests.install.conftest import Lab

__all__ = ["real"]  # a fixture of another folder

pytestmark = pytest.mark.network

BUILD = """\
  build-from-source: [{package: antlr4-python3-runtime, reason: no wheel}]
  build-constraints: [setuptools<81]
  requirements:"""
SMOKE = """\
smoke:
  - name: grammar
    imports: [antlr4]
"""


def test_a_package_is_built_into_the_environment(real: Path, tmp_path: Path) -> None:
    usual = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_"))}
    lab = Lab(tmp_path / "ws")
    lab.environment |= {"HOME": os.environ["HOME"], **usual}
    lab.write("numpy=1.26.4", requirements=("antlr4-python3-runtime==4.9.3",))
    path = lab.root / "envs/one.yaml"
    path.write_text(path.read_text().replace("  requirements:", BUILD, 1) + SMOKE)
    lab.mirror("world", real.as_uri())
    lab.lock()
    done = lab.made()
    assert "checked: grammar: antlr4 imported" in done.stderr
    start = (lab.prefix / "bin/pygrun").read_text().splitlines()[:2]  # a long path is the second's
    assert f"{lab.prefix}/bin/python" in "".join(start)
