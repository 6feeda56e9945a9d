"""The committed conda locks: whole, neutral, and in the formats of others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

PROFILES = sorted(path.parent.name for path in ROOT.glob("lockfiles/*/conda-lock.yml"))
CHANNEL = "https://conda.anaconda.org/conda-forge"
READ = """\
import json, os, sys
from rattler import LockFile
from rattler.explicit_environment import ExplicitEnvironmentSpec
from pathlib import Path
records = LockFile.from_path(Path(sys.argv[1])).default_environment().conda_repodata_records()
explicit = ExplicitEnvironmentSpec.from_path(Path(sys.argv[2]))
found = {str(platform): sorted(one.url for one in listed) for platform, listed in records.items()}
print(json.dumps([found, len(explicit.packages)]), flush=True)
os._exit(0)
"""


def run(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def test_there_are_some() -> None:
    assert "isaaclab" in PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_every_entry_is_pinned_to_conda_forge_itself(profile: str) -> None:
    lock = yaml.safe_load((ROOT / "lockfiles" / profile / "conda-lock.yml").read_text())
    assert lock["metadata"]["channels"] == [{"url": "conda-forge", "used_env_vars": []}]
    assert {one["platform"] for one in lock["package"]} == set(lock["metadata"]["platforms"])
    for one in lock["package"]:
        assert re.fullmatch(rf"{CHANNEL}/({one['platform']}|noarch)/[^/]+", one["url"])
        assert re.fullmatch("[0-9a-f]{32}", one["hash"]["md5"])
        assert re.fullmatch("[0-9a-f]{64}", one["hash"]["sha256"])


def test_isaaclab_is_locked_for_two_platforms() -> None:
    lock = yaml.safe_load((ROOT / "lockfiles/isaaclab/conda-lock.yml").read_text())
    assert lock["metadata"]["platforms"] == ["linux-64", "linux-aarch64"]


@pytest.mark.parametrize("profile", PROFILES)
def test_conda_locks_own_parser_and_renderer_take_it(profile: str, tmp_path: Path) -> None:
    source = ROOT / "lockfiles" / profile / "conda-lock.yml"
    done = run(
        *("-m", "conda_lock", "render", "-k", "explicit", "-p", "linux-64", str(source)),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    rendered = (tmp_path / "conda-linux-64.lock").read_text()
    ours = (source.parent / "linux-64.explicit.txt").read_text()
    addresses = [
        {line.partition("#")[0] for line in text.splitlines() if line.startswith("https://")}
        for text in (rendered, ours)
    ]
    assert addresses[0] == addresses[1] != set()


@pytest.mark.parametrize("profile", PROFILES)
def test_rattler_reads_both_files(profile: str, tmp_path: Path) -> None:
    folder = ROOT / "lockfiles" / profile
    files = (folder / "conda-lock.yml", folder / "linux-64.explicit.txt")
    done = run("-c", READ, *map(str, files), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records, explicit = json.loads(done.stdout)
    assert len(records["linux-64"]) == explicit > 20


@pytest.mark.parametrize("profile", PROFILES)
def test_the_header_says_what_the_files_hold(profile: str) -> None:
    folder = ROOT / "lockfiles" / profile
    header = json.loads((folder / "envbuild.lock.json").read_text())
    for variant in header["variants"].values():
        half = variant["conda"]
        text = (folder / half["explicit"][0]["path"]).read_text()
        for package in half["packages"]:
            file = f"/{package['name']}-{package['version']}-{package['build']}."
            (line,) = (line for line in text.splitlines() if file in line)
            assert line.endswith(f"#sha256:{package['sha256']}")
