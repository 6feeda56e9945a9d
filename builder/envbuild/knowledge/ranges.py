"""Which versions a requirement admits, as one interval: may it only be these, can it be that. Pure.

A resolver asks whether some version fits. A rule asks the opposite: whether *every* version that
still fits is one that it speaks of. ``!=`` makes a hole, and is left out: the interval is then too
wide, so a rule stays silent where it could have spoken, never the other way round.
"""

from __future__ import annotations

import functools
import re

from msgspec import Struct
from packaging.version import Version

from envbuild.names import canonical_name

_HEAD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(.*)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_BOUND = re.compile(r"\s*(===|==|!=|~=|<=|>=|<|>)\s*(\S+)\s*")


class Range(Struct, frozen=True, kw_only=True):
    """An interval of versions; None is an open end."""

    low: Version | None = None
    high: Version | None = None
    with_low: bool = True
    with_high: bool = True

    @property
    def exact(self) -> str | None:
        """The only version of the interval, where there is one."""
        return str(self.low) if self.low is not None and self.low == self.high else None

    @property
    def empty(self) -> bool:
        """Whether no version fits."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (
            self.low == self.high and not (self.with_low and self.with_high)
        )

    def within(self, other: Range) -> bool:
        """Whether there is a version here, and every one of them is in ``other``."""
        return not self.empty and self.both(other) == self

    def both(self, other: Range) -> Range:
        """The versions of both."""
        low, with_low = self.low, self.with_low
        if other.low is not None and (low is None or other.low > low):
            low, with_low = other.low, other.with_low
        elif other.low is not None and other.low == low:
            with_low = with_low and other.with_low
        high, with_high = self.high, self.with_high
        if other.high is not None and (high is None or other.high < high):
            high, with_high = other.high, other.with_high
        elif other.high is not None and other.high == high:
            with_high = with_high and other.with_high
        return Range(low=low, high=high, with_low=with_low, with_high=with_high)

    def holds(self, version: str) -> bool:
        """Whether a version is in the interval; its local part (``+cu128``) does not count."""
        found = number(version)
        return Range(low=found, high=found).within(self)


ANY = Range()


class Wanted(Struct, frozen=True, kw_only=True):
    """A requirement: the package, its extras, the versions, and when it holds at all."""

    name: str
    versions: Range
    extras: tuple[str, ...] = ()
    marker: str = ""


@functools.cache
def number(version: str) -> Version:
    """A version to compare by, without its local part.

    Raises:
        packaging.version.InvalidVersion: it is none.
    """
    return Version(version.partition("+")[0])


@functools.cache
def wanted(requirement: str) -> Wanted:
    """What a requirement asks for; a direct address admits every version.

    Raises:
        ValueError: it is no requirement, or one of its versions is none.
    """
    text, _, marker = requirement.partition(";")
    found = _HEAD.fullmatch(text)
    if found is None:
        raise ValueError(f"no package name in {requirement!r}")
    extras = tuple(
        sorted(canonical_name(one) for one in _SPACE.sub("", found[2] or "").split(",") if one)
    )
    rest = found[3].strip().removeprefix("(").removesuffix(")")
    versions = ANY if rest.startswith("@") else admitted(rest)
    return Wanted(
        name=canonical_name(found[1]), versions=versions, extras=extras, marker=marker.strip()
    )


@functools.cache
def admitted(specifiers: str) -> Range:
    """The interval of a list of specifiers: ``>=1.0,<2``; empty text admits every version.

    Raises:
        ValueError: a specifier or its version cannot be read.
    """
    found = ANY
    for part in filter(None, (part.strip() for part in specifiers.split(","))):
        bound = _BOUND.fullmatch(part)
        if bound is None:
            raise ValueError(f"{part!r} is no version specifier")
        found = found.both(_one(bound[1], bound[2]))
    return found


def _one(operator: str, version: str) -> Range:
    prefix, starred = version.removesuffix(".*"), version.endswith(".*")
    if starred and operator not in ("==", "!="):
        raise ValueError(f"{operator}{version}: a star goes with == and != alone")
    if operator == "===":
        return ANY  # compared as text: it may be no version at all
    at = number(prefix)
    match operator:
        case "!=":
            return ANY
        case "==":
            return Range(low=at, high=_next(at.release), with_high=False) if starred else _at(at)
        case "~=":
            if len(at.release) < 2:
                raise ValueError(f"~={version}: it needs two numbers")
            return Range(low=at, high=_next(at.release[:-1]), with_high=False)
        case ">=" | ">":
            return Range(low=at, with_low=operator == ">=")
    return Range(high=at, with_high=operator == "<=")


def _at(version: Version) -> Range:
    return Range(low=version, high=version)


def _next(release: tuple[int, ...]) -> Version:
    """The first version behind all that begin with these numbers."""
    return Version(".".join(map(str, (*release[:-1], release[-1] + 1))))
