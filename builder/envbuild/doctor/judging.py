"""Everything that is wrong: one finding for one cause, the worst first. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import get_args

from envbuild.doctor import (
    clashes,
    drift,
    gpus,
    integrity,
    libraries,
    mixtures,
    numpys,
    releases,
    requirements,
    shadows,
)
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding, Severity

_ROOMS = (
    numpys.findings,
    mixtures.findings,
    clashes.findings,
    shadows.findings,
    requirements.findings,
    integrity.findings,
    libraries.findings,
    gpus.findings,
    releases.findings,
    drift.findings,
)

_WORST: tuple[Severity, ...] = get_args(Severity)

_NUMPYS = frozenset({numpys.TWO_WINNERS, numpys.NOT_THE_BUNDLE})
_ABOUT_NUMPY = frozenset(
    {"numpy-equals-bundle", "numpy-loose", "numpy-2-wanted", "numpy-2-4", "bundled-otherwise"}
)
"""Rules that say of NumPy what is found more exactly in its copies."""

_ABOUT_REQUIREMENTS = frozenset({"numpy-2-wanted", "torch-companions", "bundled-otherwise"})
"""Rules that say what the metadata of the packages says too."""

_ABOUT_FILES = frozenset(
    {
        "two-versions",
        "two-owners",
        "files-changed",
        "files-missing",
        "metadata-without-files",
        "library-missing",
        "library-older",
    }
)
"""What the files of two releases in one folder look like, one by one."""


def findings(case: Case) -> tuple[Finding, ...]:
    """What everybody finds, without what another finding tells already: errors first, then by
    kind and place. An environment in which nothing is wrong has none."""
    found = [one for room in _ROOMS for one in room(case)]
    return tuple(sorted(_folded(found), key=_order))


def _order(one: Finding) -> tuple[int, str, tuple[str, ...], str]:
    return (_WORST.index(one.severity), one.id, one.where, one.what)


def _folded(found: Iterable[Finding]) -> Iterator[Finding]:
    every = list(dict.fromkeys(found))
    for one in every:
        if not any(_covers(other, one) for other in every if other is not one):
            yield one


def _covers(other: Finding, one: Finding) -> bool:
    """Whether the first tells what the second does."""
    if other.id in _NUMPYS and one.id in _ABOUT_NUMPY:
        silent = other.severity != "error" and one.id == "numpy-2-4"
        return bool(_sites(other) & _sites(one)) and not silent
    if other.id == "requirement-unmet" and one.id in _ABOUT_REQUIREMENTS:
        return bool(set(other.where) & set(one.where))
    if other.id == "release-mismatch" and one.id == "numpy-equals-bundle":
        return bool(_sites(other) & _sites(one))
    if other.id == mixtures.NUMPY_TREE and one.id in _ABOUT_FILES:
        return _of_one_folder(other, one)
    return (
        other.id == one.id == mixtures.OTHER_TREE
        and _of_one_folder(other, one)
        and _worse(other, one)
    )


def _worse(other: Finding, one: Finding) -> bool:
    return _WORST.index(other.severity) < _WORST.index(one.severity)


def _sites(one: Finding) -> set[str]:
    """The folders that the packages or metadata of a finding are in."""
    return {posixpath.dirname(path) for path in one.where}


def _of_one_folder(other: Finding, one: Finding) -> bool:
    """Whether both are about one package of one site."""
    names = {said.partition(" ")[0] for said in other.hits}
    place = posixpath.dirname(other.where[0])
    told = {said.partition(" ")[0] for said in one.hits}
    return (
        bool(told)
        and told <= names
        and any(f"{path}/".startswith(f"{place}/") for path in one.where)
    )
