"""What installed distributions ask for, where it holds for their Python. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from msgspec import Struct
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envbuild.knowledge import rulebook
from envbuild.knowledge.conditions import Condition
from envbuild.names import canonical_name
from envbuild.scan.model import Distribution

_NEEDS_NUMPY_2 = "numpy-2-wanted"
"""The rule that lists who asks for NumPy 2, and from which version on."""

_TURNED = {">": "<=", ">=": "<"}


class Wish(Struct, frozen=True, kw_only=True):
    """A requirement without its marker: ``name`` is canonical, ``versions`` a specifier set
    (empty: any)."""

    name: str
    versions: str

    @property
    def text(self) -> str:
        """As it is written: ``numpy<2.3.0,>=2``."""
        return f"{self.name}{self.versions}"


def wishes(one: Distribution, python: str, machine: str = "") -> Iterator[Wish]:
    """What a distribution asks for under a Python (``3.11``; empty: not known) on Linux, without
    its extras. What cannot be read asks for nothing."""
    for line in one.requires:
        parsed = _parsed(line)
        if parsed and (parsed[1] is None or _holds(parsed[1], python, machine)):
            yield parsed[0]


@functools.lru_cache(maxsize=4096)
def _parsed(line: str) -> tuple[Wish, Marker | None] | None:
    try:
        found = Requirement(line)
    except (InvalidRequirement, RecursionError):  # of brackets in brackets
        return None
    wish = Wish(name=canonical_name(found.name), versions=str(found.specifier))
    return wish, found.marker


def _holds(marker: Marker, python: str, machine: str) -> bool:
    try:
        return marker.evaluate(dict(_environment(python or "3.11", machine or "x86_64")))
    except (ValueError, KeyError, RecursionError):
        return False


@functools.cache
def _environment(python: str, machine: str) -> Mapping[str, str]:
    return {
        "extra": "",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


@functools.lru_cache(maxsize=4096)
def admits(versions: str, version: str) -> bool:
    """Whether a specifier set admits a version; what is no version fits only where any does."""
    try:
        return SpecifierSet(versions).contains(Version(version), prereleases=True)
    except ValueError:  # InvalidVersion, and numbers of thousands of digits
        return not versions


def pin(wish: Wish) -> str:
    """The one version that a requirement leaves; empty where it leaves several."""
    pins = [one for one in SpecifierSet(wish.versions) if one.operator in ("==", "===")]
    return pins[0].version if pins and not pins[0].version.endswith(".*") else ""


def with_numpy_1(name: str) -> str:
    """The bound under which a package does without NumPy 2 (``<=4.11.0.86``); empty: not known."""
    book = rulebook.shipped().rules
    for text in _pulled(book[_NEEDS_NUMPY_2].rule.when) if _NEEDS_NUMPY_2 in book else ():
        wish = Requirement(text)
        if canonical_name(wish.name) == name:
            return ",".join(
                f"{_TURNED[one.operator]}{one.version}"
                for one in wish.specifier
                if one.operator in _TURNED
            )
    return ""


def _pulled(condition: Condition) -> Iterator[str]:
    """Every wish of a condition, those inside it first."""
    for inner in (*condition.all_, *condition.any_):
        yield from _pulled(inner)
    yield from condition.pulls


def floor(wish: Wish) -> tuple[int, int] | None:
    """The first two numbers of the lowest version that a requirement admits; None: it has none."""
    lowest = [one for one in SpecifierSet(wish.versions) if one.operator in (">=", ">", "==", "~=")]
    try:
        versions = [Version(one.version.removesuffix(".*")) for one in lowest]
    except ValueError:
        return None
    return max(((one.major, one.minor) for one in versions), default=None)
