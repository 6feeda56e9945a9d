"""``pylock.toml`` of shipped profiles, from the real index."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from envbuild.lock.requirements import parse

pytestmark = pytest.mark.network

ROOT = Path(__file__).parents[2]
ENVBUILD = str(Path(sys.executable).parent / "envbuild")


@pytest.mark.parametrize("profile", ["isaac-streamer", "isaaclab"])
def test_a_pylock_has_the_lock_s_packages_and_no_other_hash(profile: str) -> None:
    done = subprocess.run(
        [ENVBUILD, "-C", str(ROOT), "export", profile, "--format", "pylock"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = Pylock.from_dict(tomllib.loads(done.stdout))
    read.validate()
    files = (ROOT / "lockfiles" / profile).glob("linux-amd64-*.txt")
    pins = {pin.name: pin for file in files for pin in parse(file.read_text())}
    assert {str(one.name): str(one.version) for one in read.packages} == {
        name: pin.version for name, pin in pins.items()
    }
    for one in read.packages:
        files_of = [*(one.wheels or ()), *((one.sdist,) if one.sdist else ())]
        assert files_of
        found = {f"sha256:{file.hashes['sha256']}" for file in files_of}
        assert found <= set(pins[str(one.name)].hashes)
