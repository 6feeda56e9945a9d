"""What doctor foretells, held against what really happens when it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench import numpy_pairs

from envbuild.knowledge import facts
from tests.doctor.examining import findings
from tests.support import prefixes

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels are for Python 3.11"),
]

IMPORT = """\
import importlib, sys
try:
    importlib.import_module(sys.argv[1])
except BaseException as error:
    print(type(error).__name__, error)
"""


def said(site: Path, module: str) -> str:
    """What importing a module of a site says, of all that it writes."""
    environment = {"PYTHONPATH": str(site), "PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1"}
    argv = [sys.executable, "-S", "-B", "-c", IMPORT, module]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


TREES = [
    ("1.26.4", "2.2.6", "", ("numpy.lib.twodim_base", "scipy.spatial")),
    ("2.2.6", "1.26.4", "testing", ("numpy.testing",)),
    ("2.2.6", "1.26.4", "random", ("numpy.random",)),
    ("2.2.6", "1.26.4", "lib", ("numpy",)),
    ("1.26.4", "2.2.6", "lib", ("numpy",)),
    ("1.26.4", "2.2.6", "__init__.py", ("numpy",)),
    ("1.26.4", "1.24.4", "core", ("numpy",)),
]


@pytest.mark.parametrize(("below", "above", "part", "modules"), TREES)
def test_a_mixed_tree_says_what_was_foretold(
    tmp_path: Path, below: str, above: str, part: str, modules: tuple[str, ...]
) -> None:
    site = prefixes.conda_prefix(tmp_path)
    prefixes.numpy_over(site, below, above, *filter(None, [part]))
    (one,) = findings(tmp_path)
    assert (one.id, one.severity) == ("numpy-mixed-tree", "error")
    assert len(one.expect) == len(modules)
    if "scipy.spatial" in modules:
        prefixes.put(site, "scipy==1.11.4")
    for text, module in zip(one.expect, modules, strict=True):
        assert text in " ".join(said(site, module).split())


def test_numpy_1_over_numpy_2_is_silent_and_found(tmp_path: Path) -> None:
    site = prefixes.conda_prefix(tmp_path)
    prefixes.numpy_over(site, "2.2.6", "1.26.4")
    (one,) = findings(tmp_path)
    assert (one.id, one.expect) == ("numpy-mixed-tree", ())
    for module in ("numpy", "numpy.testing", "numpy.random", "numpy.ma", "numpy.lib.recfunctions"):
        assert said(site, module) == ""


def test_a_module_of_numpy_1_says_what_was_foretold(tmp_path: Path) -> None:
    site = prefixes.conda_prefix(tmp_path)
    prefixes.put(site, "numpy==2.2.6", "scipy==1.11.4")
    found = findings(tmp_path)
    (one,) = (each for each in found if each.id == "numpy-abi")
    heard = " ".join((said(site, "scipy.linalg") + said(site, "scipy.spatial")).split())
    assert len(one.expect) == 3
    assert [text for text in one.expect if text not in heard] == []


@pytest.mark.parametrize(
    ("site", "bundle"), [("2.2.6", "1.26.0"), ("1.26.4", "1.26.0"), ("2.0.2", "2.2.6")]
)
def test_the_facts_about_pairs_are_what_happens(site: str, bundle: str) -> None:
    copies = {one: prefixes.unpacked(f"numpy=={one}") for one in (site, bundle)}
    found, known = numpy_pairs.mixed(copies, site, bundle), facts.numpy_pair(site, bundle)
    assert known is not None
    assert dict(found.fails) == known.fails
    if not known.fails:
        assert found.foreign == known.foreign
