"""Whether the torch of a lock has code for the GPUs of the profile, or whether nobody knows."""

from __future__ import annotations

import json

import pytest

from tests.support.index import PackageIndex
from tests.support.workspace import Folder

RUNTIME = "nvidia-cuda-runtime-cu12"


@pytest.fixture
def world(index: PackageIndex) -> PackageIndex:
    """torch of the public index, of a vendor, and one that no fact is about."""
    for version in ("2.7.0", "2.8.0+cu128", "2.8.99", "2.9.0"):
        index.add("torch", version, requires=(RUNTIME,))
    return index.add(RUNTIME, "12.8.90")


def ask(folder: Folder, requirement: str, gpus: str) -> None:
    path = folder.profile("one", requirement)
    path.write_text(f"{path.read_text()}hardware:\n  gpus: [{gpus}]\n")


def unknown(folder: Folder) -> list[dict[str, str]]:
    header = json.loads(folder.read("lockfiles/one/envbuild.lock.json"))
    found: list[dict[str, str]] = header["variants"]["linux-amd64-cu128"].get("unknown", [])
    return found


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("version", ["2.9.0", "2.8.0+cu128"])
def test_a_gpu_that_torch_has_no_code_for(folder: Folder, version: str) -> None:
    """What the profile says is refused before anything is solved."""
    ask(folder, f"torch=={version}", "sm_61, sm_90")
    done = folder.run("lock")
    assert done.returncode == 2
    assert "envs/one.yaml:17:10: error: torch 2." in done.stderr
    assert "has no code for sm_61 [torch-of-gpu]" in done.stderr
    assert "the rules refuse one" in done.stderr


def test_a_gpu_that_the_resolved_torch_has_no_code_for(folder: Folder, world: PackageIndex) -> None:
    """Which torch another package brings is known only once all is solved."""
    world.add("learner", "1.0", requires=("torch==2.9.0",))
    ask(folder, "learner", "sm_61, sm_90")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "envs/one.yaml:17:10: error: torch 2.9.0 has no code for sm_61" in done.stderr
    assert "for sm_90" not in done.stderr
    assert not folder.locked("one")


@pytest.mark.usefixtures("world")
def test_a_gpu_that_it_has_code_for(folder: Folder) -> None:
    ask(folder, "torch==2.8.0+cu128", "sm_120")
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert "not known" not in done.stderr
    assert unknown(folder) == []


@pytest.mark.usefixtures("world")
def test_a_torch_that_no_fact_is_about(folder: Folder) -> None:
    ask(folder, "torch==2.8.99", "sm_120")
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    question = "whether torch 2.8.99 has code for sm_120"
    assert f"not known: {question} (no fact says" in done.stderr
    assert [row["what"] for row in unknown(folder)] == [question]
    before = folder.locked("one")
    assert folder.run("lock").returncode == 0
    assert folder.locked("one") == before


@pytest.mark.usefixtures("world")
def test_the_torch_of_an_image_is_another_build_than_the_public_one(folder: Folder) -> None:
    path = folder.profile("one", "torch")
    provided = "  distribution: ubuntu-22.04\n  provides: [isaac-sim-5-1-0]\n"
    text = path.read_text().replace("  distribution: ubuntu-22.04\n", provided)
    path.write_text(f"{text}hardware:\n  gpus: [sm_120]\n")
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert [row["what"] for row in unknown(folder)] == [
        "whether the image's torch 2.7.0+cu128 has code for sm_120"
    ]


@pytest.mark.usefixtures("world")
def test_without_gpus_there_is_no_question(folder: Folder) -> None:
    folder.profile("one", "torch==2.8.99")
    assert folder.run("lock").returncode == 0
    assert unknown(folder) == []
