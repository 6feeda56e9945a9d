"""The stand-in for micromamba: it links what has the right hash, and refuses the rest."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import conda_real, micromamba
from tests.support.engine import CACHE

pytestmark = [pytest.mark.network]

CHANNEL = "https://conda.anaconda.org/conda-forge/"
ALIAS = "importlib_metadata-8.5.0-0"


@pytest.fixture
def explicit(tmp_path: Path) -> Path:
    """A list of two packages, whose archives lie in the package cache already."""
    channel = conda_real.real_channel(CACHE)
    (tmp_path / "pkgs").mkdir()
    lines = ["@EXPLICIT"]
    (abi,) = channel.glob("noarch/python_abi-*.conda")
    for archive in (abi, channel / f"noarch/{ALIAS}.conda"):
        (tmp_path / "pkgs" / archive.name).symlink_to(archive)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        lines.append(f"{CHANNEL}noarch/{archive.name}#sha256:{digest}")
    file = tmp_path / "explicit.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


def create(tmp_path: Path, explicit: Path) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "micromamba"
    micromamba.write(program)
    return subprocess.run(
        [
            sys.executable, program, "create", "--yes", "--no-rc", "--offline", "--root-prefix",
            tmp_path / "root", "--prefix", tmp_path / "env", "--file", explicit,
        ],
        env={**os.environ, "CONDA_PKGS_DIRS": str(tmp_path / "pkgs")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip


def test_packages_are_linked(tmp_path: Path, explicit: Path) -> None:
    done = create(tmp_path, explicit)
    assert done.returncode == 0, done.stderr
    records = sorted(path.name for path in (tmp_path / "env/conda-meta").glob("*.json"))
    assert [name.partition("-")[0] for name in records] == ["importlib_metadata", "python_abi"]


def test_another_hash_is_refused(tmp_path: Path, explicit: Path) -> None:
    text = explicit.read_text()
    explicit.write_text(f"{text[:-3]}{'0' if text[-3] != '0' else '1'}{text[-2:]}")
    done = create(tmp_path, explicit)
    assert done.returncode == 1
    assert f"Checksum mismatch for {ALIAS}.conda" in done.stderr
    assert not (tmp_path / "env").exists()


def test_what_is_not_there_is_not_fetched_when_offline(tmp_path: Path, explicit: Path) -> None:
    (tmp_path / f"pkgs/{ALIAS}.conda").unlink()
    done = create(tmp_path, explicit)
    assert done.returncode == 1
    assert f"{ALIAS}.conda is not in the cache" in done.stderr
