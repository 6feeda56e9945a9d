"""The exact versions of the Debian packages of a variant, from the archives of its base image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from envbuild.lock.apt.release import snapshot_id
from envbuild.lock.apt.sources import Source, sources
from envbuild.lock.apt.versions import key
from envbuild.lock.model import AptPins
from envbuild.tools.net import NetError

if TYPE_CHECKING:
    from envbuild.lock.apt.archive import Suite
    from envbuild.lock.apt.image import ImageSystem

_ABSENT = "no archive that the base image names has it"
_OTHER = "the build image is another distribution than the base"
_DISTRIBUTIONS = ("debian", "ubuntu")


class AskSuite(Protocol):
    """Reads a source: :meth:`envbuild.lock.apt.archive.Archives.suite`."""

    def __call__(
        self, source: Source, architecture: str, *, names: Iterable[str], moment: str
    ) -> Suite:
        """What a source has of some packages."""


class AptQuestion(Struct, frozen=True, kw_only=True):
    """Which packages are wanted on the base image, and which on the image that native code is
    compiled in; for an architecture, as of a moment (RFC 3339, UTC)."""

    base: tuple[str, ...]
    build: tuple[str, ...]
    architecture: str
    moment: str

    @property
    def names(self) -> tuple[str, ...]:
        """Every package, sorted."""
        return tuple(sorted({*self.base, *self.build}))


class AptAnswer(Struct, frozen=True, kw_only=True):
    """What was found, and why the rest was not, by name. ``details`` are for people who look for
    a cause: they name hosts."""

    pins: AptPins | None = None
    why: Mapping[str, str] = {}
    details: tuple[str, ...] = ()


def none(question: AptQuestion, why: str, *details: str) -> AptAnswer:
    """An answer that knows nothing, for one reason."""
    return AptAnswer(why=dict.fromkeys(question.names, why), details=details)


def ask(
    question: AptQuestion,
    base: ImageSystem,
    build: Callable[[], ImageSystem],
    suite: AskSuite,
) -> AptAnswer:
    """The newest version that apt would choose for each package.

    What is installed already stays where it is not older: apt refuses to go back. An archive
    state that is older than the base image would not fit it, so the moment of the image counts
    where it is the later one. ``build`` reads the image that native code is compiled in; it is
    called where something stands on it.
    """
    if base.distribution.partition(" ")[0] not in _DISTRIBUTIONS:
        return none(question, "the base image is neither Debian nor Ubuntu")
    here = sources(base.lists, question.architecture)
    if not here:
        return none(question, "the base image names no archive of Debian packages")
    installed = [(question.base, base.installed)]
    foreign: frozenset[str] = frozenset()
    if question.build:
        below = build()
        installed.append((question.build, below.installed))
        if below.distribution != base.distribution:
            foreign = frozenset(question.build)
    moment = max(question.moment, base.created[:19] + "Z") if base.created else question.moment
    asked = AptQuestion(
        base=question.base, build=question.build, architecture=question.architecture, moment=moment
    )
    suites, details = _suites(asked, here, suite)
    if not suites:
        return none(question, "no archive that the base image names can be read", *details)
    found, missing = _chosen(asked.names, suites, installed, foreign=foreign)
    absent = _absent(details, base.unread)
    why = {name: missing[name] or absent for name in sorted(missing)}
    return AptAnswer(pins=_pins(found, suites, base, moment=moment), why=why, details=details)


def _suites(
    question: AptQuestion, here: Iterable[Source], suite: AskSuite
) -> tuple[tuple[Suite, ...], tuple[str, ...]]:
    """What each source says, and why some say nothing."""
    found: list[Suite] = []
    details: list[str] = []
    for source in here:
        try:
            found.append(
                suite(source, question.architecture, names=question.names, moment=question.moment)
            )
        except NetError as error:
            details.append(f"{source.place}: {error.message} ({error.detail})")
    return tuple(found), tuple(details)


def _absent(details: tuple[str, ...], unread: int) -> str:
    """Why a package may have been missed."""
    if details:
        return "an archive that the base image names cannot be read"
    return f"{_ABSENT} (layers over 200 MB were not looked at)" if unread else _ABSENT


def _chosen(
    names: Iterable[str],
    suites: Iterable[Suite],
    installed: Iterable[tuple[tuple[str, ...], Mapping[str, str]]],
    *,
    foreign: frozenset[str],
) -> tuple[dict[str, str], dict[str, str]]:
    """The version of each package; and for those that have none why, empty: nobody has it."""
    ranked = tuple(suites)
    there = tuple(installed)
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name in names:
        if name in foreign:
            missing[name] = _OTHER
            continue
        offered = [(one.release.rank, v) for one in ranked for v in one.versions.get(name, ())]
        best = max(offered, key=lambda pair: (pair[0], key(pair[1])), default=(0, ""))[1]
        held = {have[name] for wanted, have in there if name in wanted and name in have}
        newest = max({best, *held} - {""}, key=key, default="")
        if not newest:
            missing[name] = ""
        elif newest != best and len(there) > 1 and not _everywhere(name, newest, there):
            missing[name] = "installed in a version that no archive of the base image has"
        else:
            found[name] = newest
    return found, missing


def _everywhere(
    name: str, version: str, there: Iterable[tuple[tuple[str, ...], Mapping[str, str]]]
) -> bool:
    """Whether a version that no archive has is installed wherever the package is wanted."""
    return all(have.get(name) == version for wanted, have in there if name in wanted)


def _pins(
    found: Mapping[str, str], suites: tuple[Suite, ...], base: ImageSystem, *, moment: str
) -> AptPins | None:
    if not found:
        return None
    named = base.distribution.partition(" ")[0]
    own = [one for one in suites if one.release.origin.lower() == named] or list(suites)
    old = any(one.snapshot for one in suites)
    return AptPins(
        archive=own[0].release.name,
        as_of=moment if old else max(one.release.date for one in suites),
        packages=tuple(f"{name}={version}" for name, version in sorted(found.items())),
        snapshot=snapshot_id(moment) if old else "",
    )
