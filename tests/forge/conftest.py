"""A small workspace in a repository, with the files of every forge."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.samples import envbuild, locked, profile

SMOKE = "smoke:\n  - name: plain\n    imports: [json, ssl]\n"

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.com")


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(root: Path, message: str = "x") -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Locked and rendered profiles: ``child`` extends ``parent``, ``alone`` stands alone."""
    root = tmp_path_factory.mktemp("forge")
    for name in ("alone", "parent", "child"):
        profile(root, name, more=SMOKE)
    (root / "envs/child.yaml").write_text(
        "schema: 1\nname: child\nsummary: One that extends\nextends: parent\n"
    )
    locked(root)
    return root


@pytest.fixture
def space(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change, in a repository."""
    root = tmp_path / "ws"
    subprocess.run(["cp", "-R", f"{made}/.", f"{root}"], check=True)
    (root / ".gitignore").write_text(".cache/\n.home/\n.envbuild/\n")
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "first")
    return root


class Write:
    """Has ``envbuild ci`` write something into the workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *arguments: str) -> Mapping[str, str]:
        said = envbuild(self.root, "ci", *arguments)
        assert said.exit == 0, said.stderr
        kept = (*self.root.glob(".github/workflows/*"), self.root / ".gitlab-ci.yml")
        found = [path for path in (*kept, *self.root.glob("slurm/**/*")) if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_text() for path in found}


@pytest.fixture
def write(space: Path) -> Write:
    return Write(space)
