"""Each compiled module with what it was made for, and what becomes of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from envbuild.doctor import abi, clashes
from envbuild.scan.binary import NumpyBuild
from envbuild.scan.model import Module, Scan

_RUNTIME = re.compile(r"libcudart\.so\.([0-9]+(?:\.[0-9]+)?)")
"""The CUDA runtime as the loader knows it; one that was linked in statically has no such name."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What becomes of a module under a version of NumPy that wins beside it, and the texts that
    are seen then. A module that is imported lazily fails when it is first used."""

    numpy: str
    outcome: Literal["works", "fails", "degraded"]
    texts: tuple[str, ...] = ()


class Judged(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One compiled module: the NumPy that it was built with (None: it uses none), the newest
    version of each family of symbols that it asks for (``demands``), the libraries that it needs,
    the CUDA runtimes among them, the GPUs that it has code for, and why it cannot be read."""

    path: str
    site: str
    distribution: str
    tag: str
    machine: str
    numpy: NumpyBuild | None
    demands: tuple[tuple[str, str], ...]
    needed: tuple[str, ...]
    cuda: tuple[str, ...]
    gpus: tuple[str, ...]
    outcomes: tuple[Outcome, ...] = ()
    wrong: str = ""


def judged(scan: Scan) -> Iterator[Judged]:
    """Every compiled module, in the order of their paths."""
    beside = clashes.numpys(scan)
    for one in sorted(scan.modules, key=lambda module: module.path):
        binary = one.binary
        met = beside.get((one.site, one.distribution), ()) if binary.numpy else ()
        yield Judged(
            path=one.path,
            site=one.site,
            distribution=one.distribution,
            tag=one.tag,
            machine=binary.machine,
            numpy=binary.numpy,
            demands=binary.demands,
            needed=binary.needed,
            cuda=runtimes(one),
            gpus=binary.gpus,
            outcomes=tuple(_outcome(binary.numpy, version) for version in met if binary.numpy),
            wrong=binary.wrong,
        )


def _outcome(build: NumpyBuild, numpy: str) -> Outcome:
    said = abi.verdict(build, numpy)
    if said is None:
        return Outcome(numpy=numpy, outcome="works")
    return Outcome(numpy=numpy, outcome=said.outcome, texts=said.texts)


def runtimes(module: Module) -> tuple[str, ...]:
    """The CUDA runtimes that a module is linked to: ``12``."""
    found = (_RUNTIME.fullmatch(name) for name in module.binary.needed)
    return tuple(sorted({one[1] for one in found if one}))
