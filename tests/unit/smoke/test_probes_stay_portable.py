"""The probes are started by an image's own interpreter: old Python, the standard library alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from envbuild.smoke import running

PROBES = sorted((Path(running.__file__).parent / "probes").glob("*.py"))

ALLOWED = sys.stdlib_module_names


@pytest.mark.parametrize("path", PROBES, ids=lambda path: path.name)
def test_a_probe_is_written_in_python_3_9_with_the_standard_library(path: Path):
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {one.name.partition(".")[0] for one in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert (node.module or "").partition(".")[0] in ALLOWED
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, "a probe imports the probes beside it alone"


def test_there_are_probes():
    assert {"supervise.py", "child.py", "static.py"} <= {path.name for path in PROBES}
