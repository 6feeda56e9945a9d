"""Which files of the locked packages an image needs, and getting them.

An index has many wheels of a version; the one that pip would take in the image is wanted. uv names
addresses and hashes, and the choice is made here by the tags of the image's Python and platform:
only what the lock has a hash of counts. What was chosen once holds for ever, since the lock has
the hashes, so a store that has all files needs neither uv nor an index.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.lock import pylock, uv
from envbuild.speech import counted
from envbuild.tools.addresses import filename
from envbuild.tools.archives import address
from envbuild.tools.downloads import Got, Wanted

if TYPE_CHECKING:
    from packaging.tags import Tag

    from envbuild.build.supply import Supply
    from envbuild.lock.requirements import Pin
    from envbuild.tools.proc import Outcome

_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""The older names of ``manylinux_2_N`` (PEP 600)."""

_OLDEST = {"x86_64": 5, "aarch64": 17}
"""The first ``manylinux_2_N`` of a machine (PEP 599, PEP 600)."""

_SHOWN = 4


class Chosen(Struct, frozen=True, kw_only=True):
    """A file that a package is installed or built from. ``name`` is the file's; ``url`` is empty
    in an answer that was kept: addresses change, and may hold what opens doors."""

    package: str
    version: str
    name: str
    sha256: str
    url: str = ""
    size: int | None = None

    def wanted(self) -> Wanted:
        """What is to be fetched."""
        what = f"{self.package} {self.version}"
        return Wanted(url=self.url, sha256=self.sha256, name=self.name, what=what, size=self.size)


# --- Choosing ------------------------------------------------------------------------------------


def supported(python: str, platform: str) -> dict[Tag, int]:
    """The tags that pip takes in an image, the best with the lowest number.

    ``platform`` is uv's (``x86_64-manylinux_2_35``): the newest C library that the image's
    distribution is known to have.
    """
    from packaging import tags

    machine, _, newest = platform.partition("-manylinux_2_")
    platforms = []
    for minor in range(int(newest), _OLDEST[machine] - 1, -1):
        platforms.append(f"manylinux_2_{minor}_{machine}")
        platforms += [f"{_LEGACY[minor]}_{machine}"] if minor in _LEGACY else []
    platforms.append(f"linux_{machine}")
    numbers = tuple(int(part) for part in python.split(".")[:2])
    interpreter = "cp" + "".join(map(str, numbers))
    ordered = [
        *tags.cpython_tags(numbers, [interpreter], platforms),
        *tags.compatible_tags(numbers, interpreter, platforms),
    ]
    return {tag: rank for rank, tag in reversed(list(enumerate(ordered)))}


def choose(
    package: pylock.Package, hashes: AbstractSet[str], ranks: Mapping[Tag, int]
) -> tuple[Chosen, ...]:
    """The wheel that pip takes, of those that ``hashes`` (``sha256:…``) allow; all that are equally
    good, none where none fits."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    best: dict[tuple[int, tuple[int, str]], dict[str, Chosen]] = {}
    for file in package.wheels:
        found = _chosen(package, file)
        if not found or f"sha256:{found.sha256}" not in hashes:
            continue
        try:
            _, _, build, tags = parse_wheel_filename(found.name)
        except InvalidWheelFilename:
            continue
        fitting = [ranks[tag] for tag in tags if tag in ranks]
        if fitting:
            key = (-min(fitting), build or (-1, ""))
            best.setdefault(key, {}).setdefault(found.name, found)
    return tuple(best[max(best)].values()) if best else ()


def choose_source(package: pylock.Package, hashes: AbstractSet[str]) -> tuple[Chosen, ...]:
    """The source distribution, if its hash is among ``hashes``."""
    found = _chosen(package, package.sdist) if package.sdist else None
    return (found,) if found and f"sha256:{found.sha256}" in hashes else ()


def _chosen(package: pylock.Package, file: pylock.File) -> Chosen | None:
    """The file with its name; None for one without sha256."""
    url = file.url or address(file.path)
    digest = file.hashes.get("sha256", "")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        return None
    return Chosen(
        package=package.name,
        version=package.version,
        name=filename(url),
        sha256=digest,
        url=url,
        size=file.size,
    )


# --- Getting -------------------------------------------------------------------------------------


def locked(
    question: pylock.Question, pins: Iterable[Pin], supply: Supply
) -> dict[str, tuple[Got, ...]]:
    """The files of every pin, by package: its wheel, or the source distribution of those that
    ``question`` has as sources.

    Raises:
        ToolError: uv or the index does not answer, or has other files than the lock.
    """
    listed = tuple(pins)
    by_package: dict[str, tuple[Got, ...]] = {}
    key = _key(question, listed)
    answer = functools.partial(_named, question, listed, supply)
    for one, got in kept(key, answer, supply, what="the locked files"):
        by_package[one.package] = (*by_package.get(one.package, ()), got)
    return by_package


def known(
    question: pylock.Question, pins: Iterable[Pin], supply: Supply
) -> tuple[Chosen, ...] | None:
    """Which files :func:`locked` gets, where they were chosen before; their addresses are empty."""
    return supply.answers.recall(_key(question, tuple(pins)), tuple[Chosen, ...])


def named(question: pylock.Question, pins: Iterable[Pin], supply: Supply) -> tuple[Chosen, ...]:
    """Which files :func:`locked` gets, with their addresses; none is fetched.

    Raises:
        ToolError: uv or the index does not answer, or has other files than the lock.
    """
    listed = tuple(pins)
    chosen = _named(question, listed, supply)
    _remember(_key(question, listed), chosen, supply)
    return chosen


def _key(question: pylock.Question, pins: tuple[Pin, ...]) -> object:
    return ("locked", 1, question, {pin.name: sorted(set(pin.hashes)) for pin in pins})


def _named(question: pylock.Question, pins: tuple[Pin, ...], supply: Supply) -> tuple[Chosen, ...]:
    ranks = supported(question.python, question.platform)
    packages = {package.name: package for package in ask(question, supply)}
    chosen: list[Chosen] = []
    wrong: list[str] = []
    for pin in pins:
        package = packages.get(pin.name, pylock.Package(name=pin.name))
        hashes = frozenset(pin.hashes)
        if pin.name in question.sources:
            found = choose_source(package, hashes)
        else:
            found = choose(package, hashes, ranks)
        chosen += found
        wrong += [] if found else [f"{pin.name} {pin.version}"]
    if wrong:
        raise ToolError(
            f"the package index holds other files than the lock: {_some(wrong)}",
            hint="name the index that the lock was made with, or lock again",
        )
    return tuple(chosen)


def kept(
    key: object, answer: Callable[[], tuple[Chosen, ...]], supply: Supply, *, what: str
) -> Iterator[tuple[Chosen, Got]]:
    """Each file of an answer: of the one that was kept for ``key``, while the store has all of it;
    else of a new one.

    Raises:
        ToolError: what :func:`ask` raises, or a file cannot be had.
    """
    known = supply.answers.recall(key, tuple[Chosen, ...])
    there = supply.present(one.wanted() for one in known) if known is not None else ()
    if known is not None and all(there):
        yield from zip(known, (got for got in there if got), strict=True)
        return
    missing = [one for one, got in zip(known or (), there, strict=True) if not got]
    try:
        chosen = answer()
        files = supply.fetch((one.wanted() for one in chosen), what)
    except ToolError as error:
        if missing and supply.access.offline:
            raise _offline(missing) from error
        raise
    _remember(key, chosen, supply)
    yield from zip(chosen, files, strict=True)


def _remember(key: object, chosen: tuple[Chosen, ...], supply: Supply) -> None:
    bare = tuple(msgspec.structs.replace(one, url="") for one in chosen)
    supply.answers.remember(key, bare)


def _offline(missing: list[Chosen]) -> ToolError:
    named = _some(f"{one.package} {one.version} ({one.name})" for one in missing)
    return ToolError(
        f"not in the cache, and the network is off: {named}",
        hint="without --offline they are fetched",
    )


_WHY = {
    "offline": ("the cache does not hold where the locked files are", "without --offline"),
    "network": ("the package index does not answer", "UV_DEFAULT_INDEX names another one"),
    "unsatisfiable": (
        "the package index no longer has what is wanted",
        "name the index that the lock was made with, or lock again",
    ),
}
"""What a failure of uv means here, and what helps."""


def ask(question: pylock.Question, supply: Supply) -> tuple[pylock.Package, ...]:
    """The packages with their files, as uv finds them.

    Raises:
        UnsatisfiableError: there is no such package.
        ToolError: uv or the index does not answer.
    """
    count = len(question.pins or question.requirements)
    supply.live(f"asking the index for the files of {counted(count, 'package')} ...")
    try:
        return pylock.packages(pylock.ask(question, supply.uv(), supply.runner))
    except pylock.RefusedError as error:
        raise _failed(error.outcome) from None


class UnsatisfiableError(ToolError):
    """The index has nothing that fits."""


def _failed(outcome: Outcome) -> ToolError:
    failure = uv.failure(outcome)
    kind = "unsatisfiable" if failure.kind in ("not-found", "build") else failure.kind
    message, hint = _WHY.get(kind, ("uv does not say where the files are", ""))
    error = UnsatisfiableError if kind == "unsatisfiable" else ToolError
    return error(message, hint=hint or None, command=outcome.command.text(), output=failure.text)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return f"{', '.join(listed[:_SHOWN])}{more}"
