"""``envbuild lock --solver PROGRAM``: conda-lock with a conda of the user's."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support import conda_cli
from tests.support.conda_workspace import CondaFolder

AMD, ARM = "linux-amd64-cpu", "linux-arm64-cpu"


@pytest.fixture
def shim(tmp_path: Path) -> str:
    """A program that answers as conda does."""
    return str(conda_cli.install(tmp_path / "bin"))


def program(folder: Path, text: str) -> str:
    """A shell script to be taken for conda."""
    folder.mkdir()
    path = folder / "conda"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_lock_names_the_program_and_its_version(folder: CondaFolder, shim: str) -> None:
    folder.conda_profile("one", "app")
    done = folder.run("lock", "--solver", shim)
    assert done.returncode == 0, done.stderr
    assert folder.header()["variants"][AMD]["conda"]["solver"] == f"conda {conda_cli.VERSION}"
    custom = folder.conda_lock()["metadata"]["custom_metadata"]
    assert custom["solver"] == f"conda {conda_cli.VERSION}"


def test_it_solves_as_the_embedded_one_does(folder: CondaFolder, shim: str) -> None:
    folder.conda_profile("one", "app")
    folder.run("lock")
    before = folder.conda_lock()["package"]
    done = folder.run("lock", "--solver", shim)
    assert done.returncode == 0, done.stderr
    assert folder.conda_lock()["package"] == before


def test_two_platforms_are_solved_by_it(folder: CondaFolder, shim: str) -> None:
    folder.conda_profile("one", "tool", variants=(AMD, ARM))
    done = folder.run("lock", "--solver", shim)
    assert done.returncode == 0, done.stderr
    assert folder.versions(platform="linux-aarch64")["tool"] == "1.1"


def test_a_name_is_looked_up_on_the_path(folder: CondaFolder, shim: str) -> None:
    folder.conda_profile("one", "tool")
    path = f"{Path(shim).parent}:{folder.environment['PATH']}"
    assert folder.run("lock", "--solver", "conda", PATH=path).returncode == 0


def test_a_fresh_lock_of_another_solver_is_made_anew_and_its_own_is_not(
    folder: CondaFolder, shim: str
) -> None:
    folder.conda_profile("one", "tool")
    folder.run("lock")
    assert "run" in folder.run("lock", "-n", "--solver", shim).stdout
    folder.run("lock", "--solver", shim)
    assert "unchanged" in folder.run("lock", "--solver", shim).stderr
    assert folder.run("lock", "--check").returncode == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/no/such/conda", "conda is missing: /no/such/conda"),
        ("no-such-conda", "is missing"),
    ],
)
def test_a_missing_program_is_refused_at_once(folder: CondaFolder, name: str, said: str) -> None:
    folder.conda_profile("one", "tool")
    started = time.monotonic()
    done = folder.run("lock", "--solver", name)
    assert time.monotonic() - started < 5
    assert done.returncode == 3
    assert said in done.stderr
    assert "--solver names a conda, mamba or micromamba that is installed" in done.stderr
    assert folder.locked("one") == {}


@pytest.mark.parametrize("script", ["echo hello", "exit 3", "echo conda 1.0; exit 1"])
def test_a_program_that_says_no_version_is_refused_at_once(
    folder: CondaFolder, tmp_path: Path, script: str
) -> None:
    folder.conda_profile("one", "tool")
    started = time.monotonic()
    done = folder.run("lock", "--solver", program(tmp_path / "odd", script))
    assert time.monotonic() - started < 5
    assert done.returncode == 3
    assert "does not say its version" in done.stderr
    assert folder.locked("one") == {}


def test_what_it_cannot_solve_is_a_refusal(folder: CondaFolder, shim: str) -> None:
    folder.conda_profile("one", "picky", "tool=1.1")
    done = folder.run("lock", "--solver", shim)
    assert done.returncode == 1
    assert "no set of packages for linux-64 satisfies every specification" in done.stderr
    assert "Traceback" not in done.stderr
    assert "envs/one.yaml:12:" in done.stderr
    assert folder.locked("one") == {}


@pytest.mark.parametrize(
    "answer", ["echo rubbish", "echo '{}'", "exit 1", 'echo \'{"actions": {"FETCH": []}}\'']
)
def test_rubbish_of_it_is_a_failure_in_words(
    folder: CondaFolder, tmp_path: Path, answer: str
) -> None:
    folder.conda_profile("one", "tool")
    script = f'[ "$1" = --version ] && echo conda 1.2.3 || {answer}'
    done = folder.run("lock", "--solver", program(tmp_path / "odd", script))
    assert done.returncode in (1, 3)
    assert "error: one/linux-amd64-cpu: conda:" in done.stderr
    assert folder.locked("one") == {}


def test_two_bounds_on_one_package_both_reach_it(folder: CondaFolder, shim: str) -> None:
    folder.conda_profile("one", "tool<1.1", "tool>=1.0")
    done = folder.run("lock", "--solver", shim)
    assert done.returncode == 0, done.stderr
    assert folder.versions()["tool"] == "1.0"


def test_no_folder_of_conda_lock_is_left_behind(
    folder: CondaFolder, shim: str, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    folder.conda_profile("one", "tool")
    done = folder.run("lock", "--solver", shim, TMPDIR=str(scratch))
    assert done.returncode == 0, done.stderr
    assert list(scratch.iterdir()) == []
