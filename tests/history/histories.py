"""Histories of both kinds for the tests, each in a folder of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from envbuild.history.opening import opened
from envbuild.history.store import History
from envbuild.tools import proc

NOBODY = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
"""An environment in which git knows no name of a user."""


def git(root: Path, *arguments: str) -> str:
    """Run git; what it says."""
    argv = ("git", "-C", str(root), *arguments)
    done = subprocess.run(argv, env=NOBODY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def repository(root: Path, *options: str) -> Path:
    """A new repository."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "--quiet", "--initial-branch=main", *options)
    return root


def history(kind: str, root: Path, name: str = "nightly") -> History:
    """A history that is empty: a ``folder``, or a branch of a repository (``git``)."""
    if kind == "git":
        if not (root / ".git").exists():
            repository(root)
        return opened(f"git:{name}", str(root), NOBODY, proc.run)
    return opened(name, str(root), NOBODY, proc.run)
