"""Several platforms and variants of one profile, and the files that they share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conda.conftest import WORLD
from tests.support import conda_packages
from tests.support.conda_packages import record
from tests.support.conda_workspace import CondaFolder

AMD, ARM, CUDA = "linux-amd64-cpu", "linux-arm64-cpu", "linux-amd64-cu128"


@pytest.fixture
def cuda(folder: CondaFolder, tmp_path: Path) -> CondaFolder:
    """The world has a tool for machines with CUDA, too."""
    rows = (
        *WORLD,
        record("torch", "2.0", build="cpu_0", depends=["tool"]),
        record("torch", "2.0", build="cuda_1", build_number=1, depends=["__cuda >=12.4", "lib"]),
    )
    folder.mirror("world", conda_packages.channel(tmp_path / "gpus", rows).as_uri())
    return folder


def test_two_platforms_stand_in_one_lock(folder: CondaFolder) -> None:
    folder.conda_profile("one", "tool", variants=(AMD, ARM))
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert [path for path in folder.locked("one") if path.endswith("conda-lock.yml")] == [
        "conda-lock.yml"
    ]
    assert folder.versions(platform="linux-64")["tool"] == "1.1"
    assert folder.versions(platform="linux-aarch64")["tool"] == "1.1"
    arm = folder.locked("one")["linux-aarch64.explicit.txt"].decode()
    assert "/linux-aarch64/tool-1.1-0.conda#sha256:" in arm
    assert "/linux-64/" not in arm


def test_a_further_platform_is_locked_beside_the_variants(folder: CondaFolder) -> None:
    folder.conda_profile("one", "tool", more=("platforms: [linux-64, linux-aarch64]",))
    assert folder.run("lock").returncode == 0
    assert folder.versions(platform="linux-aarch64")["tool"] == "1.1"
    assert folder.run("lock", "--check").returncode == 0


def test_the_platform_that_has_no_solution_is_named(folder: CondaFolder) -> None:
    folder.conda_profile("one", "app", variants=(AMD, ARM))
    done = folder.run("lock")
    assert done.returncode == 1
    assert "one/linux-arm64-cpu: conda: no set of packages for linux-aarch64" in done.stderr
    assert folder.locked("one") == {}


def test_a_variant_with_cuda_has_files_of_its_own(cuda: CondaFolder) -> None:
    cuda.conda_profile("one", "torch", variants=(AMD, CUDA))
    done = cuda.run("lock")
    assert done.returncode == 0, done.stderr
    texts = cuda.locked("one")
    assert b"torch-2.0-cpu_0.conda" in texts["linux-64.explicit.txt"]
    assert b"torch-2.0-cuda_1.conda" in texts[f"{CUDA}.linux-64.explicit.txt"]
    assert "lib" not in cuda.versions()
    assert "lib" in cuda.versions(prefix=f"{CUDA}.")
    assert b'__cuda: "12.8"' in texts[f"{CUDA}.virtual-packages.yml"]
    assert b"__cuda" not in texts["virtual-packages.yml"]


def test_a_profile_may_say_that_there_is_no_cuda(cuda: CondaFolder) -> None:
    more = ('virtual-packages: {__cuda: ""}',)
    cuda.conda_profile("one", "torch", variants=(AMD, CUDA), more=more)
    assert cuda.run("lock").returncode == 0
    assert "lib" not in cuda.versions()
    assert f"{CUDA}.conda-lock.yml" not in cuda.locked("one")


def test_the_users_own_cuda_has_no_say(cuda: CondaFolder) -> None:
    cuda.conda_profile("one", "torch")
    assert cuda.run("lock", CONDA_OVERRIDE_CUDA="12.8", CONDA_OVERRIDE_GLIBC="9.9").returncode == 0
    assert "lib" not in cuda.versions()


def test_a_variant_that_joins_leaves_the_others_files_as_they_are(cuda: CondaFolder) -> None:
    cuda.conda_profile("one", "torch")
    cuda.run("lock")
    before = cuda.locked("one")
    cuda.conda_profile("one", "torch", variants=(AMD, CUDA))
    done = cuda.run("lock")
    assert done.returncode == 0, done.stderr
    after = cuda.locked("one")
    for path in set(before) - {"envbuild.lock.json"}:
        assert after[path] == before[path], path


def test_a_variant_that_leaves_takes_its_files_with_it(cuda: CondaFolder) -> None:
    cuda.conda_profile("one", "torch", variants=(AMD, CUDA))
    cuda.run("lock")
    cuda.conda_profile("one", "torch")
    assert cuda.run("lock").returncode == 0
    assert not [path for path in cuda.locked("one") if path.startswith(CUDA)]


def test_files_follow_when_only_one_of_two_platforms_is_let_go(
    folder: CondaFolder, world: Path
) -> None:
    folder.conda_profile("one", "tool", variants=(AMD, ARM))
    folder.run("lock")
    page = world / "linux-aarch64" / "repodata.json"
    said = json.loads(page.read_text())
    said["packages.conda"]["tool-3.0-0.conda"] = record("tool", "3.0", subdir="linux-aarch64")
    page.write_text(json.dumps(said))
    assert folder.run("lock", "-P", "tool").returncode == 0
    assert folder.versions(platform="linux-aarch64")["tool"] == "3.0"
    assert folder.versions(platform="linux-64")["tool"] == "1.1"
    assert folder.run("lock", "--check").returncode == 0
