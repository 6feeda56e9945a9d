"""README's two commands, in a clean Debian that has Python and nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.workspace import UNREACHED, solved

if TYPE_CHECKING:
    from .conftest import Engine

pytestmark = [pytest.mark.container, pytest.mark.network]

ROOT = Path(__file__).parents[2]


def command(mark: str) -> str:
    """A command of README between two marks."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"<!-- {mark} -->\n```sh\n(.+?)\n```\n<!-- /{mark} -->", text, re.DOTALL)
    assert found, f"README has no command marked {mark}"
    return found[1]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed and changed files of this checkout, as a fresh clone would hold them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    target = tmp_path_factory.mktemp("clone") / "envbuild"
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
            (target / name).chmod((ROOT / name).stat().st_mode)
    return target


_REGISTRIES = re.compile(
    r"^#   - .*|^ARG [A-Z]+_IMAGE=.*|.*lock-digest=.*|[0-9a-f]{64}", re.MULTILINE
)
"""What a Dockerfile says of the answers of registries and archives, and digests that cover that."""


def snapshot(folder: Path) -> dict[str, object]:
    """Every file of the outputs by name, without what depends on which registries answered."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("lockfiles", "Dockerfiles")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }
    told = solved(found)
    for path, data in found.items():
        name = path.rpartition("/")[2]
        if name.startswith("Dockerfile") and not name.endswith(".dockerignore"):
            told[path] = _REGISTRIES.sub("", data.decode())
        elif name == "packages.txt":
            told[path] = [line.partition("=")[0] for line in data.decode().splitlines()]
    return told


def run(engine: Engine, debian: str, clone: Path, script: str) -> str:
    """Run a shell line in the clean container, in the clone."""
    from .conftest import index_options

    return engine(
        "run",
        "--rm",
        *index_options(),
        f"--env=ENVBUILD_MIRRORS={UNREACHED}",
        f"--volume={clone}:/src/checkout",
        "--workdir=/src/checkout",
        debian,
        "sh",
        "-euc",
        script,
    )


def test_the_main_job_makes_the_committed_locks_and_dockerfiles(
    engine: Engine, debian: str, clone: Path
) -> None:
    before = snapshot(clone)
    assert before
    said = run(engine, debian, clone, command("main-job"))
    assert snapshot(clone) == before, said
    checked = run(
        engine,
        debian,
        clone,
        ".venv/bin/envbuild lock --check && .venv/bin/envbuild render --check",
    )
    assert "fresh" in checked


def test_the_tests_pass(engine: Engine, debian: str, clone: Path) -> None:
    """Those that need nothing but Python: with all others, CI runs the same command itself."""
    chosen = "export PYTEST_ADDOPTS='tests/unit tests/golden tests/cli tests/container'; "
    said = run(engine, debian, clone, chosen + command("tests"))
    assert re.search(r"\d+ passed", said.splitlines()[-1]), said[-3000:]
