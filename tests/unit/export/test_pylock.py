"""The call of uv for a pylock.toml, and what of its answer is refused; uv is a function here."""

import tomllib
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.export import pylock
from envbuild.lock.uv import Uv
from envbuild.tools.proc import Command, Outcome
from tests.support.exports import FULL, PLAIN, Locking, digest, exported

UV = Uv(
    executable="uv",
    python="/usr/bin/python3",
    environment=(("HOME", "/home/lab"),),
    configuration={"index-strategy": "first-index"},
)
SAID = Locking(
    pins={"alpha==1.0": "wheel", "beta==2": "source", "delta==4": "stub", "gamma==3": "vendor"},
    indexes=("vendor",),
)
ANSWER = """\
lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "alpha"
version = "{version}"
wheels = [{{ url = "{url}", hashes = {{ {kind} = "{digest}" }} }}]
{more}"""


def answer(**changes: str) -> str:
    fields = {
        "version": "1.0",
        "url": "https://example.com/alpha-1.0.whl",
        "kind": "sha256",
        "digest": digest("alpha==1.0 wheel"),
        "more": "",
    }
    return ANSWER.format(**fields | changes)


class Tool:
    """A uv that gives an answer, and keeps what it was asked."""

    def __init__(self, written: str = "", *, code: int = 0, stderr: str = "") -> None:
        self._written = written
        self._code = code
        self._stderr = stderr
        self.files: dict[str, str] = {}

    def __call__(self, command: Command) -> Outcome:
        folder = Path(command.cwd or "")
        self.files = {path.name: path.read_text() for path in folder.iterdir()}
        (folder / "pylock.toml").write_text(self._written)
        return Outcome(
            command=command,
            code=self._code,
            stdout="",
            stderr=self._stderr,
            seconds=0.0,
            missing=self._code == 127,
        )


def test_uv_is_asked_for_exactly_the_locked_versions_with_nothing_that_they_require() -> None:
    tool = Tool(answer())
    made = pylock.text(exported(PLAIN), UV, tool)
    assert tool.files["requirements.in"] == "alpha==1.0\n"
    assert tomllib.loads(tool.files["uv.toml"]) == {
        "index-strategy": "first-index",
        "dependency-metadata": [{"name": "alpha", "version": "1.0", "requires-dist": []}],
    }
    assert tomllib.loads(made) == tomllib.loads(answer())
    assert made.splitlines()[:4] == [
        "# Exported by envbuild from the lock of one: do not edit, export again.",
        "# For linux-amd64-cpu: Python 3.11, x86_64-manylinux_2_35, as of 2026-01-01T00:00:00Z.",
        "# It names the index that was asked: do not commit it.",
        "",
    ]


def test_the_call_has_the_lock_s_python_platform_moment_and_kinds() -> None:
    argv = list(pylock.command(exported(FULL, SAID), UV, folder="/x").argv)
    words = " ".join(argv)
    assert "--python-version 3.11 --python-platform x86_64-manylinux_2_35" in words
    assert "--exclude-newer 2026-01-01T00:00:00Z --no-deps --only-binary :all:" in words
    assert [argv[i + 1] for i, word in enumerate(argv) if word == "--no-binary"] == [
        "beta",
        "delta",
    ]
    assert "--index vendor=https://vendor.example/simple" in words
    assert "--offline" not in argv


def test_a_vendor_index_that_was_not_asked_is_not_asked_now() -> None:
    said = Locking(pins=SAID.pins)
    assert "--index" not in pylock.command(exported(FULL, said), UV, folder="/x").argv


def test_offline_is_passed_on_and_no_switch_of_the_caller() -> None:
    tool = Uv(executable="uv", python="p", environment=(), configuration={}, offline=True)
    command = pylock.command(exported(PLAIN), tool, folder="/x")
    assert "--offline" in command.argv
    assert dict(command.environment)["UV_PYTHON_DOWNLOADS"] == "never"


@pytest.mark.parametrize(
    "written",
    [
        answer(digest="f" * 64),
        answer(kind="sha512"),
        answer(version="1.1"),
        answer(more='[[packages]]\nname = "other"\nversion = "1"\n'),
        'lock-version = "1.0"\npackages = []\n',
        '[[packages]]\nname = "alpha"\nversion = "1.0"\n',
    ],
)
def test_an_answer_that_is_not_the_lock_is_refused(written: str) -> None:
    with pytest.raises(ToolError, match="the package index holds other files than the lock"):
        pylock.text(exported(PLAIN), UV, Tool(written))


@pytest.mark.parametrize("written", ["not toml", "packages = 1\n"])
def test_an_answer_that_is_no_pylock_is_refused(written: str) -> None:
    with pytest.raises(ToolError, match=r"uv's pylock\.toml cannot be read"):
        pylock.text(exported(PLAIN), UV, Tool(written))


def test_a_source_distribution_is_held_against_the_lock_too() -> None:
    said = Locking(pins={"alpha==1.0": "source"})
    good = f'[[packages]]\nname = "alpha"\nversion = "1.0"\nsdist = {{ hashes = {{ sha256 = "{digest("alpha==1.0 sdist")}" }} }}\n'
    assert "sdist" in pylock.text(exported(PLAIN, said), UV, Tool(good))
    with pytest.raises(ToolError, match=r"other files than the lock: alpha 1\.0"):
        pylock.text(exported(PLAIN, said), UV, Tool(good.replace(digest("alpha==1.0 sdist"), "0")))


def test_credentials_in_an_address_are_left_out() -> None:
    made = pylock.text(
        exported(PLAIN), UV, Tool(answer(url="https://bob:s3cret@example.com/a.whl"))
    )
    assert 'url = "https://example.com/a.whl"' in made


@pytest.mark.parametrize(
    ("code", "stderr", "message"),
    [
        (
            1,
            "because the network was disabled",
            "uv's cache does not hold what a pylock.toml names",
        ),
        (2, "error sending request", "the package index does not answer"),
        (1, "No solution found", "the package index no longer has what was locked"),
        (1, "was not found in the package registry", "the package index no longer has"),
        (2, "something else", r"uv makes no pylock\.toml"),
    ],
)
def test_why_there_is_none(code: int, stderr: str, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        pylock.text(exported(PLAIN), UV, Tool(code=code, stderr=stderr))
