"""Why a package is in a lock: who asks for it, up to the profile, and who else has a say. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from envbuild.lock.conda.inputs import spec_name
from envbuild.lock.model import CondaPackage, Lock, LockedPackage, VariantLock
from envbuild.lock.overlay import CONDA, PROFILE
from envbuild.lock.pins import exact
from envbuild.lock.places import Places
from envbuild.names import canonical_name, requirement_name
from envbuild.profile.resolved import ResolvedProfile

_BUNDLE = "bundle"
_DEEPEST = 100
"""Links of a chain that are followed; real chains have a dozen."""

Status = Literal["locked", "provided", "conda", "apt", "excluded", "absent"]


class Asker(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks for a package, and who asks for that one in turn, up to the profile.

    ``by`` is ``profile``, ``bundle`` (the image brings it) or a package. ``text`` is how it is
    asked: the profile's own line, or the bounds. ``again``: who asks for it stands elsewhere in
    the same tree.
    """

    by: str
    version: str = ""
    text: str = ""
    place: str = ""
    again: bool = False
    askers: tuple[Asker, ...] = ()


class Speaker(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who else has a say in the package: ``text`` is what is said, ``reason`` why.

    ``place`` is ``file:line:column`` in the profile, or the id of a rule.
    """

    kind: Literal[
        "constraint",
        "override",
        "exclude",
        "no-deps",
        "metadata",
        "companion",
        "bundle",
        "conda",
        "apt",
        "source-build",
        "placeholder",
        "rule",
    ]
    text: str
    place: str = ""
    reason: str = ""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds for some variants: ``version`` empty where it is not known or not locked."""

    variants: tuple[str, ...]
    status: Status
    version: str = ""
    integrity: str = ""
    asked: tuple[Asker, ...] = ()
    held: tuple[Speaker, ...] = ()


class Why(Struct, frozen=True, kw_only=True):
    """Every answer, equal ones once; ``near`` are names like the one that was not found."""

    profile: str
    package: str
    answers: tuple[Answer, ...]
    near: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether some variant has the package, from wherever it comes."""
        return any(answer.status not in ("excluded", "absent") for answer in self.answers)


def why(
    profile: ResolvedProfile,
    lock: Lock,
    package: str,
    *,
    rules: Mapping[str, Iterable[tuple[str, str]]],
) -> Why:
    """Who brings ``package`` into the lock of a profile and who limits it.

    ``rules`` are, by variant, the rules that are about the package: id and what each says.
    """
    name = canonical_name(package)
    named = {variant.name: variant for variant in profile.variants}
    found: dict[Answer, list[str]] = {}
    for variant, locked in lock.variants.items():
        about = rules.get(variant, ())
        spoken = tuple(Speaker(kind="rule", text=text, place=rule) for rule, text in about)
        answer = _Reader(locked, Places.of(named.get(variant)), name).answer(spoken)
        found.setdefault(answer, []).append(variant)
    answers = tuple(
        msgspec.structs.replace(answer, variants=tuple(variants))
        for answer, variants in found.items()
    )
    result = Why(profile=profile.name, package=name, answers=answers)
    if result.found:
        return result
    known = sorted({name for locked in lock.variants.values() for name in _names(locked)})
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    return msgspec.structs.replace(result, near=tuple(other for other in near if other != name))


def _names(locked: VariantLock) -> Iterator[str]:
    yield from (package.name for package in locked.packages)
    yield from (row.name for row in locked.provided)
    yield from map(requirement_name, locked.input.bundle)
    yield from (name for one in locked.conda_packages for name in _conda_called(one))
    yield from (text.partition("=")[0] for text in locked.input.apt)


def _conda_called(package: CondaPackage) -> tuple[str, ...]:
    """The names by which a conda package may be asked for: its own, and Python's."""
    return tuple(filter(None, (canonical_name(package.name), package.python)))


class _Reader:
    """Reads one variant's lock about one package."""

    def __init__(self, locked: VariantLock, places: Places, name: str) -> None:
        self._locked = locked
        self._places = places
        self._name = name
        self._packages = {package.name: package for package in locked.packages}
        self._provided = {row.name: row for row in locked.provided}
        self._bundle = {requirement_name(text): text for text in locked.input.bundle}
        called = (one for one in locked.conda_packages if name in _conda_called(one))
        self._of_conda = next(called, None)

    def answer(self, rules: tuple[Speaker, ...]) -> Answer:
        package = self._packages.get(self._name)
        held = (*self._speakers(), *rules)
        if package:
            return Answer(
                variants=(),
                status="locked",
                version=package.version,
                integrity=package.integrity,
                asked=self._chains(),
                held=held,
            )
        status = self._status(held)
        version = self._of_conda.version if status == "conda" and self._of_conda else ""
        if status == "provided":
            row = self._provided.get(self._name)
            brought = self._bundle.get(self._name, "").partition("==")[2]
            version = (row.version if row else "") or brought
        return Answer(variants=(), status=status, version=version, asked=self._chains(), held=held)

    def _status(self, held: tuple[Speaker, ...]) -> Status:
        if self._of_conda and self._name not in self._bundle:
            return "conda"
        if self._name in self._provided or self._name in self._bundle:
            return "provided"
        kinds = {speaker.kind for speaker in held}
        if "exclude" in kinds:
            return "excluded"
        return "apt" if "apt" in kinds else "absent"

    # --- Who asks ---------------------------------------------------------------------------

    def _chains(self) -> tuple[Asker, ...]:
        return self._above(self._name, self._first_askers(), depth=0)

    def _first_askers(self) -> Mapping[str, str]:
        """For each package of the tree, whom it asks for where it is met first, near the top."""
        first = {self._name: ""}
        waiting = [self._name]
        for name in waiting:
            for by in self._asking(name):
                if by not in first:
                    first[by] = name
                    waiting.append(by)
        return first

    def _asking(self, name: str) -> tuple[str, ...]:
        """The packages that ask for a package, sorted."""
        package, row = self._packages.get(name), self._provided.get(name)
        by = {request.by for request in package.requested} if package else set()
        by |= {row.by} if row else set()
        return tuple(sorted(by & (self._packages.keys() | self._provided.keys())))

    def _above(self, name: str, first: Mapping[str, str], *, depth: int) -> tuple[Asker, ...]:
        package = self._packages.get(name)
        bounds = {r.by: r.bounds for r in package.requested} if package else {}
        found = [*self._profile_lines(name, package), *self._image_lines(name)]
        for by in self._asking(name):
            here = first.get(by) == name and depth < _DEEPEST
            found.append(
                Asker(
                    by=by,
                    version=self._version(by),
                    text=bounds.get(by, ""),
                    again=not here,
                    askers=self._above(by, first, depth=depth + 1) if here else (),
                )
            )
        return tuple(found)

    def _version(self, name: str) -> str:
        package, row = self._packages.get(name), self._provided.get(name)
        return package.version if package else row.version if row else ""

    def _profile_lines(self, name: str, package: LockedPackage | None) -> Iterator[Asker]:
        asks = package is not None and any(by.by == PROFILE for by in package.requested)
        row = self._provided.get(name)
        if not asks and not (row and row.by == CONDA):
            return
        for text in self._locked.input.requirements:
            if requirement_name(text) == name:
                yield Asker(by=PROFILE, text=text, place=self._places.requirement(text))

    def _image_lines(self, name: str) -> Iterator[Asker]:
        row = self._provided.get(name)
        if row and row.by == _BUNDLE:
            yield Asker(by=_BUNDLE, text=self._places.bundles, place=self._places.base)

    # --- Who else has a say -----------------------------------------------------------------

    def _speakers(self) -> Iterator[Speaker]:
        asked, places = self._locked.input, self._places
        for text in self._about(asked.constraints):
            yield Speaker(kind="constraint", text=text, place=places.constraint(text))
        for row in self._locked.relaxations:
            if requirement_name(row.requirement) == self._name:
                place = places.relaxation(row.kind, row.requirement)
                yield Speaker(kind=row.kind, text=row.requirement, place=place, reason=row.reason)
        for text in self._about(asked.companions):
            pin, place = self._torch()
            yield Speaker(kind="companion", text=text, place=place, reason=f"fits {pin}")
        for text in (*self._about(asked.bundle), *self._about(asked.provided)):
            words = text if "=" in text else f"{text} (its version is not known)"
            yield Speaker(kind="bundle", text=words, place=places.base, reason=places.bundles)
        yield from self._conda()
        yield from self._system()
        if self._name in asked.source_builds:
            place, reason = places.source_build(self._name)
            yield Speaker(kind="source-build", text="built from source", place=place, reason=reason)
        if self._name in asked.stubs:
            text = "the public index holds a placeholder; the vendor's index has the package"
            yield Speaker(kind="placeholder", text=text)

    def _conda(self) -> Iterator[Speaker]:
        """The profile's line for conda, and what the index demands of conda's package."""
        own = self._of_conda.name if self._of_conda else self._name
        for text in self._locked.input.conda.packages if self._locked.input.conda else ():
            if spec_name(text) == own:
                yield Speaker(kind="conda", text=text, place=self._places.conda(text))
        for one in self._locked.conda.demands if self._locked.conda else ():
            if one.package == own:
                by = ", ".join(one.by)
                yield Speaker(kind="conda", text=f"{one.package} {one.bounds}", reason=f"for {by}")

    def _about(self, texts: Iterable[str]) -> Iterator[str]:
        return (text for text in texts if requirement_name(text) == self._name)

    def _system(self) -> Iterator[Speaker]:
        for name in self._locked.input.apt:
            if canonical_name(name) == self._name:
                text = exact(self._locked.apt, name)
                yield Speaker(kind="apt", text=text, place=self._places.apt(name))
        for package in self._locked.packages:
            if self._name in map(canonical_name, package.system):
                text = f"{package.name} needs it to be built"
                yield Speaker(kind="apt", text=text)

    def _torch(self) -> tuple[str, str]:
        """The line that says which torch it is, and its place."""
        asked, places = self._locked.input, self._places
        lists = (
            (asked.requirements, places.requirement),
            (asked.overrides, places.override),
            (asked.constraints, places.constraint),
            (asked.bundle, lambda _: places.base),
        )
        for texts, place in lists:
            for text in texts:
                if text.startswith("torch=="):
                    return text, place(text)
        return "torch", ""
