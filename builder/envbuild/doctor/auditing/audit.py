"""The wheels of a lock held against what they will meet: NumPy, and the C library. Pure.

NumPy is the one that the lock installs, and the one that the image brings: Kit's finder gives that
one to whoever imports NumPy after the app has started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from envbuild.doctor import abi
from envbuild.doctor.auditing.wheels import Built, WheelFacts, numbers
from envbuild.doctor.model import Finding
from envbuild.knowledge import facts
from envbuild.lock.model import VariantLock
from envbuild.lock.overlay import CONDA
from envbuild.names import canonical_name
from envbuild.profile.model import Base
from envbuild.speech import counted

_SOURCE = "NumPy's headers and the wheel's own modules"


class _Numpy(Struct, frozen=True):
    """A NumPy that modules will meet: its version, and who brings it, for people."""

    version: str
    by: str


class _Hit(Struct, frozen=True):
    """Modules that one NumPy is bad for."""

    built: Built
    numpy: _Numpy
    verdict: abi.Verdict


def findings(lock: VariantLock, base: Base, wheels: Iterable[WheelFacts]) -> tuple[Finding, ...]:
    """What of the wheels will break in an image of a profile's base."""
    numpys = tuple(_numpys(lock, base))
    return tuple(found for wheel in wheels for found in _of_wheel(wheel, numpys, base))


def _numpys(lock: VariantLock, base: Base) -> Iterator[_Numpy]:
    """Every NumPy whose version is known, each once."""
    locked = {one.name: one.version for one in lock.packages}
    conda = {one.python: one.version for one in lock.conda_packages}
    provided = {one.name: one.version for one in lock.provided if one.by != CONDA}
    bundles = filter(None, map(facts.bundle, base.provides))
    brought = [
        version
        for row in bundles
        for name, version in row.packages.items()
        if canonical_name(name) == "numpy" and version != facts.UNKNOWN
    ]
    said: dict[str, str] = {}
    for version in (locked.get("numpy", ""), conda.get("numpy", "")):
        said.setdefault(version, "which the lock installs")
    for version in (provided.get("numpy", ""), *brought):
        said.setdefault(version, "which the image brings")
    yield from (_Numpy(version, by) for version, by in said.items() if version)


def _of_wheel(wheel: WheelFacts, numpys: tuple[_Numpy, ...], base: Base) -> Iterator[Finding]:
    if wheel.refused:
        yield _refused(wheel)
        return
    met = () if wheel.package == "numpy" else numpys  # its own modules meet itself alone
    hits = [
        _Hit(built, numpy, verdict)
        for built in wheel.built
        for numpy in met
        if (verdict := abi.verdict(built.build, numpy.version))
        and not abi.optional(built.build, (one.build for one in wheel.built), numpy.version)
    ]
    fails = [one for one in hits if one.verdict.outcome == "fails"]
    if hits:  # what cannot be imported reads no array either
        yield _of_numpy(wheel, fails or hits)
    newest = facts.glibc(base.distribution)
    for one in wheel.asked:
        if one.family == "GLIBC" and newest and numbers(one.version) > numbers(newest):
            yield _older(wheel, one.module, (one.version, newest), base.distribution)


def _of_numpy(wheel: WheelFacts, hits: list[_Hit]) -> Finding:
    """One finding for a wheel, whichever of its modules and whichever NumPys it is about."""
    hits = sorted(hits, key=lambda one: one.verdict.sure != "proven")
    first = hits[0]
    builds = tuple(dict.fromkeys(one.built for one in hits))
    met = dict.fromkeys(f"NumPy {one.numpy.version}, {one.numpy.by}" for one in hits)
    modules = sum(built.count for built in builds)
    fails = first.verdict.outcome == "fails"
    outcome = "cannot be imported under" if fails else "reads arrays wrongly under"
    old = first.built.build.generation == 1
    made = "NumPy 1" if old else f"NumPy {first.built.build.since} or newer"
    return Finding(
        id="numpy-abi" if fails else "numpy-abi-degraded",
        severity="error" if fails else "warning",
        what=f"{wheel.package} {wheel.version} {outcome} {' and '.join(met)}",
        where=tuple(f"{wheel.name}/{built.module}" for built in builds),
        why=f"{counted(modules, 'module')} of it "
        f"{'was' if modules == 1 else 'were'} compiled for {made}",
        sure=first.verdict.sure,
        expect=tuple(dict.fromkeys(text for one in hits for text in one.verdict.texts)),
        hits=(wheel.package,),
        repair=tuple(_ways(wheel, first.numpy, old=old)),
        source=_SOURCE,
    )


def _ways(wheel: WheelFacts, numpy: _Numpy, *, old: bool) -> Iterator[str]:
    image = numpy.by == "which the image brings"
    if old:
        yield f"a release of {wheel.package} that was built for NumPy 2"
        if not image:
            yield "numpy<2 among the constraints of the profile"
    else:
        yield f"an older release of {wheel.package}, which was built for NumPy {numpy.version}"
        if not image:
            yield "a newer NumPy: envbuild lock -P numpy"


def _older(wheel: WheelFacts, module: str, versions: tuple[str, str], distribution: str) -> Finding:
    wanted, newest = versions
    return Finding(
        id="library-older",
        severity="error",
        what=f"{wheel.package} {wheel.version} wants GLIBC {wanted}; {distribution} has {newest}",
        where=(f"{wheel.name}/{module}",),
        why="the loader refuses a library that asks for a newer C library than there is",
        expect=(f"version `GLIBC_{wanted}' not found (required by {module})",),
        hits=(wheel.package,),
        repair=(
            f"an older release of {wheel.package}, or a newer base.distribution with its image",
        ),
        source="the wheel's own modules",
    )


def _refused(wheel: WheelFacts) -> Finding:
    return Finding(
        id="unreadable",
        severity="error",
        what=f"{wheel.package} {wheel.version} has a wheel that is refused: {wheel.refused}",
        where=(wheel.name,),
        why="installers that read such a file in another way install something else from it",
        hits=(wheel.package,),
        repair=(f"another release of {wheel.package}",),
        source="the wheel itself",
    )
