"""What doctor foretells of compiled modules and NumPy, held against importing them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.abi_truth import Laboratory, modules, release
from bench.abi_wheels import HELD_OUT, NUMPYS, TUNED
from envbuild.doctor.abi import optional, verdict
from envbuild.scan.binary import Binary, NumpyBuild
from envbuild.scan.compiled import binaries
from envbuild.scan.sources.content import OnDisk

PRECISION, RECALL = 0.99, 0.97
"""What is aimed at, over wheels and NumPys."""

WORKERS = 2

_SHARED = re.compile(r"\.so(\.\d+)*$")


class Case(NamedTuple):
    """A wheel, or one of its modules, with a NumPy. ``said`` and ``came``: how it fails by the ABI
    (``cython``, ``c-api`` or ``since``; empty: it does not)."""

    name: str
    numpy: str
    said: str
    came: str


def abi(cache: Path | None) -> str:
    """Precision and recall for "the import fails because of NumPy's ABI"."""
    laboratory = Laboratory(cache)
    sections = (("tuned on", TUNED), ("held out", HELD_OUT))
    lines = ["NumPy's ABI: what is foretold against what importing does"]
    everything: list[Case] = []
    for title, wheels in sections:
        found = _cases(laboratory, wheels)
        lines += _figures(f"{title}, {len(wheels)} wheels x {len(NUMPYS)} NumPys", found.wheels)
        lines += _figures(
            "  by module (one that imports another that fails is missed)", found.modules
        )
        lines += [f"    other reasons: {name}" for name in found.unknown]
        everything += found.wheels
    return "\n".join((*lines, *_figures("all wheels", everything), _verdict(everything)))


class Found(NamedTuple):
    """The cases of some wheels, and those whose imports fail for other reasons throughout."""

    wheels: list[Case]
    modules: list[Case]
    unknown: list[str]


def _cases(laboratory: Laboratory, wheels: Iterable[str]) -> Found:
    pairs = [(wheel, numpy) for wheel in wheels for numpy in NUMPYS]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(laboratory.numpy, NUMPYS))
        list(pool.map(laboratory.wheel, wheels))
        outcomes = list(pool.map(lambda pair: laboratory.outcomes(*pair), pairs))
    found = Found([], [], [])
    read = {wheel: dict(scanned(laboratory.wheel(wheel))) for wheel in wheels}
    for (wheel, numpy), came in zip(pairs, outcomes, strict=True):
        version = release(laboratory.numpy(numpy))
        builds = {path: one.numpy for path, one in read[wheel].items() if one.numpy}
        said = {path: _foretold(one, version) for path, one in builds.items()}
        counted = [
            said[path]
            for path, one in builds.items()
            if not optional(one, builds.values(), version)
        ]
        known = {name: _cause(how, version) for name, how in came.items() if how != "unknown"}
        if not known:
            found.unknown.append(f"{wheel} with {version}")
            continue
        failing = [how for name, how in known.items() if how != "ok" and _counts(name, how)]
        found.wheels.append(Case(wheel, version, _first(counted), _first(failing)))
        for name, path in modules(laboratory.wheel(wheel)):
            if path in read[wheel] and name in known:
                how = known[name].replace("ok", "")
                found.modules.append(Case(f"{wheel} {name}", version, said.get(path, ""), how))
    return found


def scanned(site: Path) -> Iterator[tuple[str, Binary]]:
    """Every shared object below a folder, as doctor reads it."""
    for path in shared_objects(site):
        yield path, read(path)


def shared_objects(site: Path) -> list[str]:
    """The paths of those below a folder."""
    return sorted(str(path) for path in site.rglob("*.so*") if _SHARED.search(path.name))


def read(path: str) -> Binary:
    """One of them."""
    with open(path, "rb") as file:
        descriptor = file.fileno()
        return binaries.read(OnDisk(descriptor, os.fstat(descriptor).st_size))


def _foretold(build: NumpyBuild, numpy: str) -> str:
    judged = verdict(build, numpy)
    if judged is None or judged.outcome != "fails":
        return ""
    return build.how if build.generation == 1 else "since"


def _cause(how: str, numpy: str) -> str:
    """How it failed: NumPy 1 refuses only what is too new, whichever text came of it."""
    return "since" if how == "c-api" and numpy.startswith("1.") else how


def _counts(name: str, how: str) -> bool:
    """Whether a module that fails is a failure of its wheel: one that waits for a newer NumPy is
    none as long as the package comes up without it."""
    return how != "since" or "." not in name


def _first(kinds: Iterable[str]) -> str:
    """How most of them fail."""
    counts = Counter(kind for kind in kinds if kind)
    return counts.most_common(1)[0][0] if counts else ""


def _figures(title: str, cases: list[Case]) -> list[str]:
    right = [one for one in cases if one.said and one.came]
    false = [one for one in cases if one.said and not one.came]
    missed = [one for one in cases if one.came and not one.said]
    fine = len(cases) - len(right) - len(false) - len(missed)
    same = sum(one.said == one.came for one in right)
    score = f"precision {_ratio(right, false):.3f}, recall {_ratio(right, missed):.3f}"
    texts = f"{len(right)} fail as foretold ({same} with the text foretold)"
    lines = [f"  {title}: {texts}, {fine} run as foretold; {score}"]
    lines += (f"    false alarm: {line}" for line in _grouped(false))
    return [*lines, *(f"    missed: {line}" for line in _grouped(missed))]


def _grouped(cases: Iterable[Case]) -> list[str]:
    numpys: dict[tuple[str, str], list[str]] = {}
    for one in cases:
        numpys.setdefault((one.name, one.said or one.came), []).append(one.numpy)
    return [f"{name} with {', '.join(found)} ({how})" for (name, how), found in numpys.items()]


def _ratio(right: list[Case], wrong: list[Case]) -> float:
    return len(right) / (len(right) + len(wrong)) if right or wrong else 1.0


def _verdict(cases: list[Case]) -> str:
    right = [one for one in cases if one.said and one.came]
    precision = _ratio(right, [one for one in cases if one.said and not one.came])
    recall = _ratio(right, [one for one in cases if one.came and not one.said])
    met = precision >= PRECISION and recall >= RECALL
    return f"  aim: precision >= {PRECISION}, recall >= {RECALL}: {'ok' if met else 'MISSED'}"
