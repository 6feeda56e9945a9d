"""envbuild run in this process, or as a process of its own."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from envbuild.__main__ import main

ENVBUILD = str(Path(sys.executable).parent / "envbuild")
_PLAIN_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""The superuser may write what is read-only; without this right it is as anybody else."""


@dataclass
class Said:
    """What a command line answered."""

    exit: int
    stdout: str
    stderr: str


def environment(root: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a command: nothing of the user's own settings but the path to programs."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(root / ".home")}
    return {**kept, "COLUMNS": "80", "LC_ALL": "C.UTF-8", **(more or {})}


class Streams:
    """stdout and stderr of one command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in _NAMES}
        for name, stream in self._streams.items():
            monkeypatch.setattr(sys, name, stream)

    def text(self, name: str) -> str:
        stream = self._streams[name]
        stream.flush()
        buffer = stream.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


_NAMES = ("stdout", "stderr")


def inside(
    arguments: list[str],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: Mapping[str, str] | None = None,
) -> Said:
    """Run a command line in this process, as the console script does but for the end."""
    variables = environment(root, more)
    with monkeypatch.context() as patch:
        for name in set(os.environ) - {"PYTEST_CURRENT_TEST"}:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.chdir(root)
        patch.setattr(sys, "argv", ["envbuild", *arguments])
        streams = Streams(patch)
        try:
            status = main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        return Said(status, streams.text("stdout"), streams.text("stderr"))


@cache
def _can_give_up_rights() -> bool:
    if shutil.which(_PLAIN_RIGHTS[0]) is None:
        return False
    return subprocess.run([*_PLAIN_RIGHTS, "true"], check=False).returncode == 0


def process(
    arguments: list[str],
    root: Path,
    more: Mapping[str, str] | None = None,
    *,
    plain_rights: bool = False,
) -> Said:
    """Run a command line as a process."""
    prefix = _PLAIN_RIGHTS if plain_rights and os.geteuid() == 0 else ()
    if prefix and not _can_give_up_rights():
        pytest.skip("not run: the superuser may write anywhere, and cannot give that up here")
    done = subprocess.run(
        [*prefix, ENVBUILD, *arguments],
        cwd=root,
        env=environment(root, more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
