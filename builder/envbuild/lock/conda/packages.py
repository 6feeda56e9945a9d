"""The packages of a conda half. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from envbuild.knowledge import facts
from envbuild.lock.conda import specs
from envbuild.lock.conda.asking import Solved
from envbuild.lock.model import CondaPackage, Demand
from envbuild.tools.conda import Keep, Record


class Half(Struct, frozen=True, kw_only=True):
    """A solved conda half: the packages of the variant's own platform, and the records of all
    targets (None: as the lock's own files have them)."""

    solver: str
    packages: tuple[CondaPackage, ...]
    solved: Solved | None = None
    demands: tuple[Demand, ...] = ()

    @classmethod
    def of(cls, solved: Solved, *, own: str, solver: str) -> Half:
        """The half that a solver answered."""
        return cls(solver=solver, packages=tuple(map(_package, solved[own])), solved=solved)


class Standing(Struct, frozen=True, kw_only=True):
    """A conda half as a lock has it: ``stands`` when nothing asks for another, else its packages
    are kept where that is possible (``keep``, by platform), under the ``demands`` that were known.
    """

    half: Half | None = None
    stands: bool = False
    keep: Mapping[str, tuple[Keep, ...]] = {}
    demands: tuple[Demand, ...] = ()


def _package(record: Record) -> CondaPackage:
    return CondaPackage(
        name=record.name,
        version=record.version,
        build=record.build,
        sha256=record.sha256,
        python=specs.python_name(record.name, record.depends, record.purls, facts.conda_names()),
    )


def installed(packages: Iterable[CondaPackage]) -> tuple[str, ...]:
    """The Python packages among conda's, as exact constraints for uv.

    One whose version the index cannot know (``2025c``) is none.
    """
    named = (one for one in packages if one.python and _VERSION.fullmatch(one.version))
    return tuple(sorted(f"{one.python}=={one.version}" for one in named))


_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?")
_EXPLICIT = re.compile(r".*/(?P<name>[^/]+)-[^/-]+-[^/-]+\.(?:conda|tar\.bz2)#sha256:(?P<sha>\w+)")


def keeps(explicit: str) -> tuple[Keep, ...]:
    """The packages of an explicit file, to be kept."""
    found = filter(None, map(_EXPLICIT.fullmatch, explicit.splitlines()))
    return tuple(Keep(name=one["name"].lower(), sha256=one["sha"]) for one in found)
