"""Real wheels: SciPy for NumPy 1 beside NumPy 2 is refused, SciPy for NumPy 2 is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.workspace import Folder

pytestmark = pytest.mark.network


@pytest.fixture
def ours(tmp_path: Path) -> Folder:
    """A workspace that asks the index of the user's own settings, with an empty cache."""
    return Folder(tmp_path, **{**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")})


def beside_numpy_2(ours: Folder, scipy: str) -> None:
    path = ours.profile("one", scipy, "numpy==2.2.6")
    override = '  overrides: [{ requirement: numpy==2.2.6, reason: "a test" }]\n'
    path.write_text(path.read_text().replace("variants:", f"{override}variants:"))


def test_what_was_built_for_numpy_1_is_refused_beside_numpy_2(ours: Folder) -> None:
    beside_numpy_2(ours, "scipy==1.11.4")
    done = ours.run("lock", "--audit")
    assert done.returncode == 1
    assert "one: scipy 1.11.4 cannot be imported under NumPy 2.2.6" in done.stderr
    assert not (ours.root / "lockfiles").exists()


def test_what_was_built_for_numpy_2_passes(ours: Folder) -> None:
    beside_numpy_2(ours, "scipy==1.15.3")
    done = ours.run("lock", "--audit")
    assert done.returncode == 0, done.stderr
    assert ours.run("check").returncode == 0
