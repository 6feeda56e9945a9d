"""The shipped profiles against the real index: the committed locks, byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.workspace import solved

pytestmark = pytest.mark.network

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).parent / "uv")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the profiles and their locks."""
    root = tmp_path_factory.mktemp("shipped")
    for name in ("envs", "lockfiles"):
        shutil.copytree(ROOT / name, root / name)
    return root


def locks(root: Path) -> dict[str, bytes]:
    folder = root / "lockfiles"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lock(root: Path, envbuild: Path, *options: str) -> str:
    done = subprocess.run(
        [str(envbuild), "lock", "--force", *options],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_every_profile_has_a_lock() -> None:
    profiles = {path.stem for path in (ROOT / "envs").rglob("*.yaml")}
    assert {path.name for path in (ROOT / "lockfiles").iterdir()} == profiles


def test_resolving_again_gives_the_committed_bytes(workspace: Path) -> None:
    said = lock(workspace, Path(sys.executable).parent / "envbuild")
    assert solved(locks(workspace)) == solved(locks(ROOT)), said


def other_python() -> str | None:
    """Another Python that can run envbuild, if there is one: on PATH, or of pyenv."""
    mine = ".".join(map(str, sys.version_info[:2]))
    versions = [v for v in ("3.11", "3.12", "3.13", "3.14") if v != mine]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = [*map(Path, os.get_exec_path()), *sorted(pyenv.glob("*/bin"))]
    for candidate in (folder / f"python{v}" for folder in folders for v in versions):
        if candidate.is_file():
            works = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)
            if works.returncode == 0:
                return str(candidate)
    return None


def test_another_python_gives_the_same_bytes(workspace: Path, tmp_path: Path) -> None:
    python = other_python()
    if python is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have a second Python of 3.11 or newer")
        pytest.skip("there is no second Python of 3.11 or newer on this machine")
    venv = tmp_path / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", python, str(venv)], check=True)
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", str(venv / "bin/python"), str(ROOT)],
        check=True,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
    )
    lock(workspace, venv / "bin/envbuild", "--offline")
    assert solved(locks(workspace)) == solved(locks(ROOT))


def test_the_wheel_holds_profiles_templates_and_facts(tmp_path: Path) -> None:
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(ROOT)], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("envs", "templates"):
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
        assert {f"envbuild/data/{path.relative_to(ROOT)}" for path in files} <= names
    assert "envbuild/knowledge/facts/bundles.yaml" in names
    assert not any(name.startswith(("tests", "bench")) for name in names)
