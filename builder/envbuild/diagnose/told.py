"""What a log tells of the stack that wrote it: releases, Python, the copies of packages in use.

Nothing is guessed: where two releases are named with equal weight, none is taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from msgspec import Struct

from envbuild.knowledge import facts
from envbuild.knowledge.patterns import Match, machine

_MOST = 200
"""So many places of one block are looked at."""

_COPIES = 12
"""So many copies of packages are remembered."""

_SIGNS = (
    r"omni\.kit\.pip_archive-[\w.]*\+(?P<hash>[0-9a-f]{8})"
    r"|(?i:isaac-sim):(?P<image>\d+\.\d+(?:\.\d+)?)"
    r"|\bisaacsim(?:-[a-z-]+)?(?:\[[\w,]+\])?(?:==| |-)v?(?P<wheel>\d+\.\d+\.\d+)(?:\.\d+)?"
    r"|Kit/(?i:isaac-sim)/(?P<path>\d+\.\d+)"
    r"|(?i:isaac[ _-]?sim(?:\W{0,4}version)?)[\W_]{0,6}(?P<prose>\d{1,4}\.\d+\.\d+)\b"
    r"|(?P<prefix>/[^\s\"':,()]*)?/lib/python(?P<python>3\.\d+)/(?:site|dist)-packages"
    r"|(?:Driver Version: ?|driver version[: ]+)(?P<driver>\d{3}\.\d+(?:\.\d+)?)"
    r"|(?:linux/|manylinux_2_\d+_|\.l)(?P<architecture>arm64|aarch64|amd64|x86_64|a64\.|x64\.)"
)
_COPY = (
    r"(?P<folder>(?:/?[^\s\"'`:,(){{}}]*/)?(?:site-packages|dist-packages|pip_prebundle))"
    r"/(?P<package>numpy|scipy|torch|packaging|psutil)\b"
)
BUNDLED = "brought by Isaac Sim"
"""The role of a copy under pip_prebundle."""

_RANK = {"hash": 4, "image": 3, "wheel": 3, "path": 2, "prose": 1}
_SAYS = {
    "hash": "the hash of its Kit",
    "image": "its image",
    "wheel": "its wheels",
    "path": "a path of its data",
    "prose": "its name",
}
_ARCHITECTURES = {"aarch64": "arm64", "a64.": "arm64", "x86_64": "amd64", "x64.": "amd64"}


class Said(Struct, frozen=True, kw_only=True):
    """One thing that the log tells: ``isaac-sim`` is ``5.1.0``, first on a line, by what."""

    name: str
    value: str
    line: int
    by: str = ""


class Copy(Struct, frozen=True, kw_only=True):
    """A copy of a package that a path in the log names; ``role`` says whose it is."""

    package: str
    folder: str
    line: int
    role: str


class Told:
    """Collects what a log tells, place by place."""

    def __init__(self) -> None:
        self._signs = machine(_SIGNS)
        self._copy = machine(_COPY)
        self._found: dict[str, dict[str, Said]] = {}
        self._copies: dict[tuple[str, str], Copy] = {}

    def read(self, text: bytes, begin: int, limit: int, *, number: int) -> None:
        """Look at a piece of the log; ``number`` is that of the line at ``begin``."""
        counted = begin
        for match in itertools.islice(self._signs.finditer(text, begin, limit), _MOST):
            place = match.span()[0]
            number += text.count(b"\n", counted, place)
            counted = place
            self._sign(match, number)
        number -= text.count(b"\n", begin, counted)
        counted = begin
        for match in itertools.islice(self._copy.finditer(text, begin, limit), _MOST):
            place = match.span()[0]
            number += text.count(b"\n", counted, place)
            counted = place
            self._take_copy(match, number)

    def said(self) -> Mapping[str, Said]:
        """What the log tells without contradiction, by name."""
        found = {}
        for name, values in self._found.items():
            best = max(_RANK.get(one.by, 0) for one in values.values())
            chosen = [one for one in values.values() if _RANK.get(one.by, 0) == best]
            if len(chosen) == 1 or name == "prefix":
                found[name] = chosen[0]
        release = found.get("isaac-sim")
        if "python" not in found and release and "python" in self._found:
            fact = facts.fact("isaac-sim", release.value, "python")
            usual = self._found["python"].get(str(fact.value)) if fact else None
            if usual:
                found["python"] = usual
        return {
            name: Said(name=name, value=one.value, line=one.line, by=_SAYS.get(one.by, ""))
            for name, one in sorted(found.items())
        }

    def copies(self) -> tuple[Copy, ...]:
        """The copies of packages, in the order in which the log names them."""
        return tuple(self._copies.values())

    def _sign(self, match: Match, line: int) -> None:
        groups = {
            name.decode(): value.decode(errors="replace")
            for name, value in match.groupdict().items()
            if value
        }
        for kind, value in groups.items():
            if kind in _RANK:
                release = _of_kit(value) if kind == "hash" else facts.release_of("isaac-sim", value)
                if release:
                    self._note("isaac-sim", release, line, kind)
            else:
                self._note(kind, _ARCHITECTURES.get(value, value), line, "")

    def _note(self, name: str, value: str, line: int, by: str) -> None:
        values = self._found.setdefault(name, {})
        known = values.get(value)
        if len(values) < _COPIES and (known is None or _RANK.get(known.by, 0) < _RANK.get(by, 0)):
            values[value] = Said(name=name, value=value, line=line, by=by)

    def _take_copy(self, match: Match, line: int) -> None:
        groups = match.groupdict()
        folder = (groups[b"folder"] or b"").decode(errors="replace")
        package = (groups[b"package"] or b"").decode()
        if len(self._copies) < _COPIES and (package, folder) not in self._copies:
            copy = Copy(package=package, folder=folder, line=line, role=_role(folder))
            self._copies[package, folder] = copy


def _role(folder: str) -> str:
    if folder.endswith("pip_prebundle"):
        return BUNDLED
    if "/kit/python/lib/" in folder:
        return "installed later with pip, under kit/python"
    return "of the environment"


def _of_kit(digest: str) -> str | None:
    """The release whose Kit has a hash."""
    for release in facts.releases("isaac-sim"):
        fact = facts.fact("isaac-sim", release, "kit")
        if fact and str(fact.value).endswith(f".{digest}"):
            return release
    return None
