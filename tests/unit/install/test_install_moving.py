"""Moving an environment, holding it against its lock, and what is refused of a package."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.install import checks, python
from envbuild.install.recipe import Recipe
from envbuild.tools.proc import Command, Outcome


def line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(data)}\n"


def test_scripts_and_their_records_move(tmp_path: Path) -> None:
    folder, prefix = tmp_path / "env.envbuild-1", tmp_path / "env"
    info = folder / "lib/python3.11/site-packages/alpha-1.0.dist-info"
    for place in (folder / "bin", info):
        place.mkdir(parents=True)
    before, after = (f"#!{place}/bin/python\nmain()\n".encode() for place in (folder, prefix))
    (folder / "bin/run").write_bytes(before)
    (folder / "bin/run").chmod(0o755)
    (folder / "bin/other").write_bytes(b"#!/bin/sh\n")
    (folder / "bin/way").symlink_to("run")
    rest = "alpha.py,,\n" + line("alpha/x.py", b"x")
    (info / "RECORD").write_text(line("../../../bin/run", before) + rest)
    untouched = info.parent / "beta-1.0.dist-info"
    untouched.mkdir()
    python.relocate(str(folder), str(prefix))
    assert (folder / "bin/run").read_bytes() == after
    assert (folder / "bin/run").stat().st_mode & 0o777 == 0o755
    assert (folder / "bin/way").is_symlink()
    assert (folder / "bin/other").read_bytes() == b"#!/bin/sh\n"
    assert (info / "RECORD").read_text() == line("../../../bin/run", after) + rest
    assert sorted(path.name for path in (folder / "bin").iterdir()) == ["other", "run", "way"]
    assert list(untouched.iterdir()) == []


RECIPE = Recipe(
    profile="one",
    variant="linux-amd64-cpu",
    digest="d",
    parts=(),
    build_constraints=(),
    indexes={},
    variables={"GREETING": "hello"},
    expected={"alpha": "1.0", "beta": "2.0"},
    of_conda={"pip": "24.0", "gdb": "1.0"},
    tests=(),
    left_out=(),
)
RIGHT = {"alpha": ["1.0.0"], "beta": ["2.0"], "pip": ["24.0"]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"alpha": ["1.1"]}, ["alpha is 1.1, locked is 1.0"]),
        ({"alpha": []}, ["alpha 1.0 is missing"]),
        ({"alpha": ["1.0", "0.9"]}, ["alpha is there 2 times (1.0, 0.9)"]),
        ({"pip": ["25.0"]}, ["pip is 25.0, locked is 24.0"]),
        ({"pip": []}, []),
        ({"more": ["3"]}, ["more 3 is not in the lock"]),
        ({"beta": ["odd one"]}, ["beta is odd one, locked is 2.0"]),
    ],
)
def test_where_packages_and_lock_differ(changes: Mapping[str, list[str]], said: list[str]) -> None:
    found = {name: have for name, have in {**RIGHT, **changes}.items() if have}
    assert list(checks._drift(RECIPE, found)) == said


def test_the_python_of_the_environment_is_asked_alone() -> None:
    asked: list[Command] = []

    def runner(command: Command) -> Outcome:
        asked.append(command)
        out = '[["Alpha", "1.0"], ["beta", "2.0"]]'
        return Outcome(command=command, code=0, stdout=out, stderr="", seconds=0.0)

    said = checks.check(RECIPE, "/e", runner=runner)
    assert said == ("4 Python packages, exactly those of the lock",)
    (command,) = asked
    assert command.argv[:4] == ("/e/bin/python", "-I", "-B", "-c")
    assert dict(command.environment) == {
        "PATH": "/e/bin:/usr/bin:/bin",
        "CONDA_PREFIX": "/e",
        "LANG": "C.UTF-8",
        "GREETING": "hello",
    }


def test_a_python_that_does_not_run() -> None:
    def runner(command: Command) -> Outcome:
        return Outcome(command=command, code=127, stdout="", stderr="no", seconds=0.0, missing=True)

    with pytest.raises(ToolError, match="own Python does not run here"):
        checks.check(RECIPE, "/e", runner=runner)
