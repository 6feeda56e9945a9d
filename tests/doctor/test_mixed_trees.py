"""Files of two versions of NumPy in one folder, from real wheels: each such tree is found, and
none of those that are as they were installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from envbuild.scan.installed import distributions, records
from envbuild.scan.model import Fault, Site
from envbuild.scan.sources import folders
from envbuild.scan.sources.wanted import Wish
from tests.support import prefixes

pytestmark = pytest.mark.network

WHOLE = (
    ("1.26.4", "2.2.6"),
    ("2.2.6", "1.26.4"),
    ("1.24.4", "1.26.4"),
    ("2.0.2", "2.2.6"),
    ("1.26.4", "1.26.0"),
)
PARTS = (
    ("2.2.6", "1.26.4", "testing"),
    ("2.2.6", "1.26.4", "random"),
    ("2.2.6", "1.26.4", "lib"),
    ("1.26.4", "2.2.6", "lib"),
    ("1.26.4", "2.2.6", "__init__.py"),
    ("1.26.4", "1.24.4", "core"),
    ("2.2.6", "2.3.5", "linalg"),
)
CLEAN = ("1.23.5", "1.24.4", "1.25.2", "1.26.0", "1.26.4", "2.0.2", "2.1.3", "2.2.6", "2.3.5")


def faults(site: Path) -> tuple[Fault, ...]:
    tree = folders.read([str(site)], Wish())
    sites = [Site(path=str(site), real=str(site), kind="site", python="3.11")]
    return records.faults(tree, sites, distributions.find(tree, sites))


def kinds(site: Path) -> list[str]:
    return sorted(fault.kind for fault in faults(site))


def without(site: Path, version: str) -> None:
    shutil.rmtree(site / f"numpy-{version}.dist-info")


@pytest.mark.parametrize(("below", "above"), WHOLE)
def test_one_version_copied_over_another(tmp_path: Path, below: str, above: str) -> None:
    prefixes.numpy_over(tmp_path, below, above)
    two, mixed = faults(tmp_path)
    assert (two.kind, mixed.kind) == ("two-versions", "mixed")
    assert two.distributions == tuple(f"numpy {one}" for one in sorted((below, above)))
    assert two.detail == mixed.detail == " and ".join(sorted((below, above)))
    assert mixed.count >= len(mixed.paths) > 0


@pytest.mark.parametrize(("below", "above"), WHOLE)
@pytest.mark.parametrize("left", ["below", "above"])
def test_the_same_with_the_metadata_of_one_of_them(
    tmp_path: Path, below: str, above: str, left: str
) -> None:
    prefixes.numpy_over(tmp_path, below, above)
    without(tmp_path, above if left == "below" else below)
    assert kinds(tmp_path) == ["mixed"]


@pytest.mark.parametrize(("below", "above", "part"), PARTS)
def test_a_part_of_another_version(tmp_path: Path, below: str, above: str, part: str) -> None:
    prefixes.numpy_over(tmp_path, below, above, part)
    (found,) = faults(tmp_path)
    assert found.kind == "mixed"
    assert found.distributions == (f"numpy {below}",)
    assert found.detail == f"{below} and another version"


@pytest.mark.parametrize("version", CLEAN)
def test_a_clean_tree(tmp_path: Path, version: str) -> None:
    prefixes.put(tmp_path, f"numpy=={version}")
    assert kinds(tmp_path) == []


@pytest.mark.parametrize("version", ["1.26.4", "2.2.6"])
def test_a_trimmed_tree(tmp_path: Path, version: str) -> None:
    prefixes.put(tmp_path, f"numpy=={version}")
    for folder, names, files in os.walk(tmp_path):
        for name in names:
            if name == "tests":
                shutil.rmtree(Path(folder, name))
        for name in files:
            if name.endswith((".pyi", ".h", ".a")):
                Path(folder, name).unlink()
    assert kinds(tmp_path) == []


def test_a_repacked_wheel_says_nothing(tmp_path: Path) -> None:
    prefixes.put(tmp_path, "numpy==1.26.4")
    record = tmp_path / "numpy-1.26.4.dist-info/RECORD"
    rows = [line.split(",")[0] for line in record.read_text().splitlines()]
    record.unlink()
    record.write_text("".join(f"{row},,\n" for row in rows))
    os.unlink(tmp_path / "numpy/conftest.py")
    assert kinds(tmp_path) == []


def test_one_changed_source_is_a_changed_file(tmp_path: Path) -> None:
    prefixes.put(tmp_path, "numpy==1.26.4")
    source = tmp_path / "numpy/lib/npyio.py"
    text = source.read_text()
    source.unlink()
    source.write_text(text.replace("import os", "import os\nimport pdb"))
    assert kinds(tmp_path) == ["changed"]
