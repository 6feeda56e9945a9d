"""A variant of a profile to what the solvers see. Pure; every problem has its place."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from envbuild.errors import InputError, Mark, Problem
from envbuild.knowledge import facts
from envbuild.lock.conda.inputs import conda_input
from envbuild.lock.model import SolverInput
from envbuild.names import canonical_name, normalise

if TYPE_CHECKING:
    from envbuild.knowledge.model import Bundle
    from envbuild.profile.model import Environment, Exclusion, Python, StaticMetadata
    from envbuild.profile.resolved import KeyPath, Variant


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """Where each normalised requirement of the profile stands, and how it was written."""

    places: dict[str, Mark]
    written: dict[str, str]


class _Reader:
    """Reads the requirement lists of one variant, keeping places and problems."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.problems: list[Problem] = []
        self.places: dict[str, Mark] = {}
        self.written: dict[str, str] = {}

    def mark(self, path: KeyPath) -> Mark | None:
        while path and path not in self.variant.marks:
            path = path[:-1]
        return self.variant.marks.get(path)

    def requirements(self, key: str, texts: Iterable[str], field: str = "") -> tuple[str, ...]:
        """The requirements of a list in their one spelling; the profile has vouched for each."""
        found = []
        for index, text in enumerate(texts):
            path: KeyPath = ("python", key, index, field) if field else ("python", key, index)
            mark = self.mark(path)
            value = normalise(text)
            if " @ " in value:
                self.refuse_address(text, mark)
            found.append(value)
            self.written.setdefault(value, text)
            if mark:
                self.places.setdefault(value, mark)
        return tuple(sorted(set(found)))

    def refuse_address(self, text: str, mark: Mark | None) -> None:
        """An address has no version and no hash of an index: nothing could be pinned by it."""
        self.problems.append(
            Problem(
                message=f"{text!r} names an address; a lock holds versions of an index",
                mark=mark,
                hint="a repository belongs under git: (with its commit), a vendor's wheels under "
                "python.indexes",
            )
        )

    def metadata(self) -> tuple[str, ...]:
        """What the profile states of packages, as canonical JSON."""
        python = self.variant.environment.python
        for index, row in enumerate(python.metadata):
            for number, text in enumerate(row.requires_dist):
                if "@" in text and " @ " in normalise(text):
                    path = ("python", "metadata", index, "requires-dist", number)
                    self.refuse_address(text, self.mark(path))
        return _metadata(python.metadata, python.no_deps)

    def bundles(self) -> tuple[Bundle, ...]:
        known = []
        for index, name in enumerate(self.variant.environment.base.provides):
            bundle = facts.bundle(name)
            if bundle is None:
                self.problems.append(
                    Problem(
                        message=f"no bundle is known by the name {name!r}",
                        mark=self.mark(("base", "provides", index)),
                        hint=f"known: {', '.join(facts.bundle_names())}",
                    )
                )
            else:
                known.append(bundle)
        return tuple(known)


def solver_input(
    variant: Variant, *, as_of: str, indexes: tuple[str, ...] = ()
) -> tuple[SolverInput, Origins]:
    """What the solvers see for ``variant`` as of a moment, asking the named vendor indexes too.

    Raises:
        InputError: with every requirement that no index can answer and every unknown bundle.
    """
    environment = variant.environment
    python = environment.python
    reader = _Reader(variant)
    bundles = reader.bundles()
    asked = tuple(sorted({i.name for i in python.indexes} & set(indexes)))
    bundle = _bundle_constraints(environment.base.provides)
    stated = _stated(reader, python)
    speakers = ("requirements", "overrides", "constraints")
    pins = (*(text for name in speakers for text in stated[name]), *bundle)
    result = SolverInput(
        **stated,
        image=_image(environment),
        python=python.version,
        platform=facts.uv_platform(variant.architecture, environment.base.distribution),
        as_of=as_of,
        bundle=bundle,
        companions=_companions(pins),
        provided=tuple(sorted({normalise(r) for b in bundles for r in b.satisfies})),
        exclude=tuple(sorted(canonical_name(e.package) for e in python.exclude)),
        source_builds=tuple(sorted(canonical_name(s.package) for s in python.build_from_source)),
        stubs=_stubs(variant, asked),
        metadata=reader.metadata(),
        indexes=asked,
        apt=tuple(sorted(environment.apt)),
        conda=conda_input(variant),
        git=tuple(sorted(f"{g.url}@{g.commit or g.ref}" for g in environment.git)),
    )
    if reader.problems:
        raise InputError("the profile cannot be locked", problems=tuple(reader.problems))
    return result, Origins(places=reader.places, written=reader.written)


def _stated(reader: _Reader, python: Python) -> dict[str, tuple[str, ...]]:
    """The requirement lists of a profile, by the names that :class:`SolverInput` has for them."""
    overrides = (row.requirement for row in python.overrides)
    return {
        "requirements": reader.requirements("requirements", python.requirements),
        "overrides": reader.requirements("overrides", overrides, "requirement"),
        "constraints": reader.requirements("constraints", python.constraints),
        "build_constraints": reader.requirements("build-constraints", python.build_constraints),
    }


def _image(environment: Environment) -> str:
    digest = environment.base.digest
    return f"{environment.base.image}@{digest}" if digest else environment.base.image


@functools.cache
def _bundle_constraints(names: tuple[str, ...]) -> tuple[str, ...]:
    """The image's packages: exact where the version is known, by name alone where it is not."""
    packages = {
        canonical_name(name): version
        for bundle in filter(None, map(facts.bundle, names))
        for name, version in bundle.packages.items()
    }
    return tuple(
        name if version == "unknown" else f"{name}=={version}"
        for name, version in sorted(packages.items())
    )


def _companions(pins: tuple[str, ...]) -> tuple[str, ...]:
    """What torch's pin asks of the packages that are compiled against it."""
    for pin in pins:
        if pin.startswith("torch=="):
            version = pin.removeprefix("torch==")
            asked = facts.companions(version.partition(" ")[0].partition("+")[0])
            return tuple(sorted(normalise(row.requirement) for row in asked))
    return ()


def _stubs(variant: Variant, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Placeholder packages of the vendor indexes that are declared and not asked."""
    patterns = [
        pattern
        for index in variant.environment.python.indexes
        if index.name not in asked
        for pattern in index.packages
    ]
    names = facts.placeholder_names()
    return tuple(sorted({n for p in patterns for n in fnmatch.filter(names, p)}))


def _metadata(
    stated: tuple[StaticMetadata, ...], no_deps: tuple[Exclusion, ...]
) -> tuple[str, ...]:
    rows: list[dict[str, object]] = [
        {
            "name": canonical_name(row.name),
            "version": row.version,
            "requires-dist": list(row.requires_dist),
            "requires-python": row.requires_python,
            "provides-extra": list(row.provides_extra),
        }
        for row in stated
    ]
    rows += [{"name": canonical_name(row.package), "requires-dist": []} for row in no_deps]
    kept = [{key: value for key, value in row.items() if value is not None} for row in rows]
    return tuple(sorted(msgspec.json.encode(row, order="sorted").decode() for row in kept))
