"""The archive of the Python that uv installs, as a mirror of its own that the image reads.

uv names the archive, and does not say its hash: that is the one that its publisher lists beside it,
where the release or a mirror has such a list. The uv in the image holds the archive against the
hash that it knows itself, whatever was handed in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import tomli_w
from msgspec import Struct

from envbuild.errors import InputError, ToolError
from envbuild.lock import uv
from envbuild.tools import downloads, temporary, typed
from envbuild.tools.addresses import filename
from envbuild.tools.downloads import Got, Wanted
from envbuild.tools.proc import Command

if TYPE_CHECKING:
    from envbuild.build.supply import Supply

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_SECONDS = 300.0
"""Seconds for the list; it is there at once where no other uv has to be fetched for it."""

_SUMS = "SHA256SUMS"
"""The list of hashes in a release of python-build-standalone; older ones have a file an archive."""


class _Row(Struct, frozen=True):
    version: str
    url: str | None
    os: str
    arch: str
    libc: str
    implementation: str
    variant: str = "default"


class Interpreter(Struct, frozen=True, kw_only=True):
    """An archive: its release, its file's name, its sha256 (empty where it is not published)."""

    release: str
    name: str
    sha256: str
    url: str = ""

    @property
    def wanted(self) -> Wanted:
        """What is to be fetched."""
        what = f"Python {self.name.split('-')[1].partition('+')[0]}"
        return Wanted(url=self.url, sha256=self.sha256, name=self.name, what=what)


def interpreter(
    text: str, architecture: str, supply: Supply, *, mirror: str
) -> tuple[Interpreter, Got]:
    """The archive for a list file (``uv <version>``, ``python <version>``).

    The uv of that version names it: the one that is here, or one that is fetched for it.
    ``mirror`` is the user's own (``UV_PYTHON_INSTALL_MIRROR``; empty: where uv says).

    Raises:
        InputError: the list file is not one.
        ToolError: uv knows no such Python, or the archive cannot be had.
    """
    wanted = _asked(text)
    key = ("python", 1, wanted[1], wanted[2], architecture)
    known = supply.answers.recall(key, Interpreter)
    there = supply.present([known.wanted])[0] if known else None
    if known and there:
        return known, there
    found = _published(_listed(wanted[1], wanted[2], architecture, supply=supply), supply, mirror)
    (got,) = supply.fetch([found.wanted], "Python")
    found = msgspec.structs.replace(found, sha256=got.sha256, url="")
    supply.answers.remember(key, found)
    return found, got


def published(text: str, architecture: str, supply: Supply, *, mirror: str) -> Interpreter:
    """The same archive with its address, not fetched.

    Raises:
        InputError: the list file is not one.
        ToolError: uv knows no such Python.
    """
    wanted = _asked(text)
    return _published(_listed(wanted[1], wanted[2], architecture, supply=supply), supply, mirror)


def _asked(text: str) -> re.Match[str]:
    wanted = re.fullmatch(r"uv (\S+)\npython (\S+)\n", text)
    if wanted is None:
        raise InputError("python.txt does not name a uv and a Python", hint="envbuild render")
    return wanted


def _listed(other: str, version: str, architecture: str, *, supply: Supply) -> str:
    """The address of the newest release of a Python that a version of uv knows."""
    tool = supply.uv()
    argv = _program(other, tool, supply)
    argv += ["python", "list", version, "--only-downloads", "--all-versions"]
    argv += ["--all-platforms", "--all-arches", "--output-format", "json"]
    with temporary.scratch({"uv.toml": tomli_w.dumps(tool.configuration)}) as folder:
        outcome = supply.runner(
            Command(argv=tuple(argv), environment=tool.environment, cwd=folder, timeout=_SECONDS)
        )
    wanted = ("linux", _ARCHITECTURES[architecture], "gnu", "cpython", "default")
    try:
        rows = typed.decode(outcome.stdout, tuple[_Row, ...]) if outcome.code == 0 else ()
    except msgspec.MsgspecError:
        rows = ()
    fitting = [
        row
        for row in rows
        if (row.os, row.arch, row.libc, row.implementation, row.variant) == wanted and row.url
    ]
    if not fitting:
        raise ToolError(
            f"uv {other} names no Python {version} for linux/{architecture}",
            command=outcome.command.text(),
            output=outcome.stderr,
        )
    newest = max(fitting, key=lambda row: _numbers(row.version))
    assert newest.url is not None  # those without were left out
    return newest.url


def _program(wanted: str, tool: uv.Uv, supply: Supply) -> list[str]:
    """How the uv of a version is called: each version knows other releases of Python."""
    here = uv.version(tool.executable, tool.environment, supply.runner)
    if here == wanted:
        return [tool.executable]
    supply.live(f"fetching uv {wanted}, which names the Python of the image ...")
    argv = [tool.executable, "tool", "run", "--config-file", "uv.toml", "--quiet"]
    argv += ["--python", tool.python, "--from", f"uv=={wanted}"]
    return [*argv, *(["--offline"] if tool.offline else []), "uv"]


def _published(url: str, supply: Supply, mirror: str) -> Interpreter:
    """The archive at an address with the hash that stands beside it."""
    name = filename(url)
    release = filename(url.rpartition("/")[0])
    if mirror:
        url = f"{mirror.rstrip('/')}/{'/'.join(url.split('/')[-2:])}"
    sums = downloads.text(f"{url.rpartition('/')[0]}/{_SUMS}", supply.access) or ""
    rows = (line.split() for line in sums.splitlines())
    listed = {row[1].lstrip("*"): row[0] for row in rows if len(row) == 2}
    own = (downloads.text(f"{url}.sha256", supply.access) or "") if name not in listed else ""
    said = (listed.get(name) or own).strip().partition(" ")[0]
    sha256 = said if re.fullmatch(r"[0-9a-f]{64}", said) else ""
    return Interpreter(release=release, name=name, sha256=sha256, url=url)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
