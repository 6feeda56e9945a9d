"""Hostile values in every text field that reaches a Dockerfile, through the command line.

Each is refused with its place, or it comes back as it was and changes no instruction.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import pytest
import yaml

from envbuild.cli.main import run
from envbuild.render.dockerfile import parse
from envbuild.render.words import cut, unquote
from tests.support import conda_packages
from tests.support.conda_workspace import CondaFolder
from tests.support.index import PackageIndex, serving
from tests.support.workspace import Folder

HOSTILE = {
    "newline": "a\nRUN touch /owned",
    "carriage-return": "a\rRUN touch /owned",
    "quotes": 'it\'s "quoted"',
    "command": "$(touch /owned)`touch /owned`",
    "variable": "${HOME}",
    "leading-dash": "--privileged",
    "comment": "# nothing",
    "continuation": "ends with \\",
    "unicode": "ünï\u202ecode\u2028RUN x",
    "nul": "a\x00b",
    "long": "x" * 10_000,
    "template": "{{ 7 * 7 }}{% raw %}",
}

PROFILE = {
    "schema": 1,
    "name": "one",
    "summary": "A profile with everything",
    "as-of": "2026-01-01T00:00:00Z",
    "accept-eula": False,
    "base": {
        "image": "nvcr.io/nvidia/cuda:12.6.3-base-ubuntu22.04",
        "build-image": "nvcr.io/nvidia/cuda:12.6.3-devel-ubuntu22.04",
        "distribution": "ubuntu-22.04",
    },
    "apt": ["libgomp1"],
    "python": {
        "version": "3.11",
        "source": "image",
        "interpreter": "/usr/bin/python3",
        "prefix": "/opt/venv",
        "requirements": ["delta"],
        "build-constraints": ["setuptools<81"],
        "build-from-source": [
            {
                "package": "epsilon",
                "reason": "it could be",
                "apt": ["g++"],
                "needs": ["library"],
                "environment": {"FLAGS": "-O2"},
            }
        ],
    },
    "files": [{"source": "hello.py", "path": "/opt/hello.py", "mode": "0755"}],
    "git": [
        {
            "name": "source",
            "url": "https://github.com/x/y",
            "ref": "main",
            "commit": "0" * 40,
            "path": "/opt/source",
            "subdirectory": "python",
            "install": "pip",
            "apt": ["git-lfs"],
        },
        {
            "name": "library",
            "url": "https://github.com/x/z",
            "commit": "1" * 40,
            "path": "/opt/library",
            "install": "cmake",
            "options": ["-DX=ON"],
        },
    ],
    "env": {"SOME": "value"},
    "user": {"name": "robot", "uid": 1234, "create": True},
    "workdir": "/workspace",
    "entrypoint": ["/opt/venv/bin/python"],
    "command": ["-V"],
    "variants": {"linux-amd64-cpu": {}},
}

RECORDS = [
    conda_packages.record("python", "3.11.9"),
    conda_packages.record("pip", "24.0", depends=("python",), subdir="noarch"),
]
"""All that the conda channel holds; no channel of another name is there."""

FIELDS = [
    ("name",),
    ("summary",),
    ("base", "digest"),
    ("python", "build-from-source", 0, "apt", 0),
    ("python", "build-from-source", 0, "needs", 0),
    ("python", "build-from-source", 0, "environment", "FLAGS"),
    ("files", 0, "source"),
    ("files", 0, "path"),
    ("files", 0, "mode"),
    ("git", 1, "url"),
    ("git", 1, "path"),
    ("base", "image"),
    ("base", "build-image"),
    ("apt", 0),
    ("python", "version"),
    ("python", "interpreter"),
    ("python", "prefix"),
    ("python", "build-constraints", 0),
    ("git", 0, "name"),
    ("git", 0, "url"),
    ("git", 0, "ref"),
    ("git", 0, "commit"),
    ("git", 0, "path"),
    ("git", 0, "subdirectory"),
    ("git", 0, "apt", 0),
    ("git", 1, "options", 0),
    ("env", "SOME"),
    ("user", "name"),
    ("workdir",),
    ("entrypoint", 0),
    ("command", 0),
    ("conda", "channels", 0),
    ("conda", "packages", 0),
    ("conda", "virtual-packages", "__glibc"),
]
NO_LOCK: dict[tuple[str, tuple[str | int, ...]], tuple[int, str]] = {
    ("quotes", ("conda", "packages", 0)): (1, "conda: a specification cannot be read\n"),
    ("long", ("conda", "packages", 0)): (1, "satisfies every specification\n"),
    ("long", ("conda", "channels", 0)): (3, "does not hold what a channel must\n"),
}
"""What has the form of a word, and is refused by the conda solver: status and cause."""

KEYS = [
    ("env",),
    ("python", "build-from-source", 0, "environment"),
    ("conda", "virtual-packages"),
]
"""Mappings whose names reach a Dockerfile too."""


def plain(field: tuple[str | int, ...]) -> dict[str, object]:
    """The profile; for a field of conda, one whose Python comes from there."""
    profile = copy.deepcopy(PROFILE)
    if field[0] == "conda":
        python: dict[str, object] = profile["python"]  # type: ignore[assignment]
        python |= {"source": "conda", "prefix": "/opt/conda/envs/one"}
        del python["interpreter"]
        profile["conda"] = {
            "channels": ["conda-forge"],
            "packages": ["python=3.11"],
            "virtual-packages": {"__glibc": "2.35"},
        }
    return profile


def altered(field: tuple[str | int, ...], value: str) -> dict[str, object]:
    """The profile with one field replaced."""
    profile = plain(field)
    holder(profile, field[:-1])[field[-1]] = value
    return profile


def holder(profile: dict[str, object], path: tuple[str | int, ...]) -> dict[str | int, object]:
    place: object = profile
    for step in path:
        place = place[step]  # type: ignore[index]
    return place  # type: ignore[return-value]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    root = tmp_path_factory.mktemp("hostile")
    conda_packages.channel(root / "channels/conda-forge", RECORDS)
    with serving(PackageIndex().add("delta", "1.0")) as index:
        made = CondaFolder(root / "ws", UV_DEFAULT_INDEX=index.url)
        made.setting("channel_alias", (root / "channels").as_uri())
        (made.root / "envs/hello.py").write_text("print('hello')\n")
        write(made, PROFILE)
        for command in ("lock", "render"):
            done = made.run(command)
            assert done.returncode == 0, done.stderr
        yield made


def write(folder: Folder, profile: dict[str, object]) -> None:
    text = yaml.safe_dump(profile, allow_unicode=True, sort_keys=False, width=20_000)
    (folder.root / "envs/one.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))


def render(folder: Folder) -> tuple[int, str, str]:
    """``envbuild render --stdout`` in this process: exit status, Dockerfile, messages."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run(["-C", str(folder.root), "--color", "never", "render", "--stdout", "one"])
    return status, out.getvalue(), err.getvalue()


def shape(dockerfile: str) -> list[str]:
    return [instruction.keyword for instruction in parse(dockerfile)]


def variables(dockerfile: str) -> dict[str, str]:
    """What ENV sets, as a builder reads it."""
    (found,) = (i for i in parse(dockerfile) if i.keyword == "ENV")
    words = (unquote(word, {}) for word in cut(found.arguments))
    return dict(word.split("=", 1) for word in words)


@pytest.fixture(scope="module")
def shapes(folder: Folder) -> dict[bool, list[str]]:
    """The instructions of the harmless profile, by whether its Python comes from conda."""
    found = {}
    for conda, field in ((True, ("conda",)), (False, ("name",))):
        write(folder, plain(field))
        assert folder.run("lock").returncode == 0
        found[conda] = shape(refused_or_rendered(folder))
    return found


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: ".".join(map(str, field)))
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_value_is_refused_or_harmless(
    folder: Folder, shapes: dict[bool, list[str]], field: tuple[str | int, ...], kind: str
) -> None:
    write(folder, altered(field, HOSTILE[kind]))
    said = refused_or_rendered(folder, NO_LOCK.get((kind, field)))
    if said:
        assert shape(said) == shapes[field[0] == "conda"]
    if said and field == ("env", "SOME"):
        assert variables(said)["SOME"] == HOSTILE[kind]


@pytest.mark.parametrize("field", KEYS, ids=lambda field: ".".join(map(str, field)))
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_is_refused(folder: Folder, field: tuple[str | int, ...], kind: str) -> None:
    profile = plain(field)
    holder(profile, field)[HOSTILE[kind]] = "value"
    write(folder, profile)
    assert refused_or_rendered(folder) == ""


def refused_or_rendered(folder: Folder, no_lock: tuple[int, str] | None = None) -> str:
    """The Dockerfile; nothing where the profile was refused, with a place in it.

    ``no_lock``: it may be that the solver refuses it, with this status and this cause.
    """
    status, said, message = render(folder)
    if "lock is stale" in message:
        before = folder.locked("one")
        done = folder.run("lock")
        if no_lock and done.returncode:
            assert done.returncode == no_lock[0]
            cause = next(line for line in done.stderr.splitlines(True) if "/linux-amd64" in line)
            assert cause.startswith("error: one/linux-amd64-cpu: conda: ")
            assert cause.endswith(no_lock[1])
            assert done.stdout == ""
            assert folder.locked("one") == before
            assert render(folder)[:2] == (status, said) == (2, "")
            return ""
        assert done.returncode == 0, done.stderr
        status, said, message = render(folder)
    if status != 0:
        assert status == 2, message
        assert "envs/one.yaml:" in message
        assert said == ""
    return said


def test_the_profile_itself_renders(folder: Folder) -> None:
    write(folder, PROFILE)
    said = refused_or_rendered(folder)
    assert shape(said) == shape((folder.root / "Dockerfiles/one/Dockerfile").read_text())
