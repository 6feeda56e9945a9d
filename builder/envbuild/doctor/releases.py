"""Which Isaac Sim, Isaac Lab and GR00T this is, whether it is as they are known, and whether the
driver is one that they run on."""

from __future__ import annotations

from collections.abc import Iterator

from envbuild.doctor import commands, rules
from envbuild.doctor.case import Case
from envbuild.doctor.model import Driver, Finding
from envbuild.doctor.worlds import release
from envbuild.knowledge import facts
from envbuild.knowledge.model import Fact
from envbuild.knowledge.ranges import number
from envbuild.scan.model import Distribution, Product, Scan

_BLACKWELL = ("sm_100", "sm_103", "sm_110", "sm_120", "sm_121")

_CUDA_DRIVER = {"13": "580.65.06", "12": "525.60.13"}
"""The first driver that runs what was built for a major version of CUDA (release notes of CUDA
13.0 and 12.0; minor versions of one major run on it too)."""

_CUDA_SOURCE = "release notes of CUDA 13.0 and 12.0, minimum driver versions"


def findings(case: Case) -> tuple[Finding, ...]:
    """What is said of each product, of the rules that the environment breaks, and of the driver."""
    return (
        *_unknown(case.scan),
        *_otherwise(case.scan),
        *rules.findings(case),
        *(_driver(case.scan, case.driver) if case.driver else ()),
    )


def _known(found: Product) -> str | None:
    """The release as the facts name it; None where they know nothing of it."""
    name = release(found)
    return name if name in facts.releases(found.kind) else None


def _unknown(scan: Scan) -> Iterator[Finding]:
    for one in scan.products:
        if _known(one) is None and not (one.kind == "gr00t" and not one.release):
            named = commands.titled(one)
            yield Finding(
                id="release-unknown",
                severity="note",
                what=f"{named} is no release that is known"
                if one.release
                else f"the release of {named} cannot be told",
                where=(one.path,),
                why="its Python, NumPy, torch and drivers follow from the release: none of them "
                "was compared",
                sure="heuristic",
                hits=(named,),
                repair=(f"envbuild knowledge {one.kind} lists the releases that are known",),
            )


# --- What a release brings -----------------------------------------------------------------------


def _otherwise(scan: Scan) -> Iterator[Finding]:
    """Bundled copies that are not those of the release: somebody installed into the bundle, or
    the release was repacked. The copy itself is what everything else must fit."""
    for one in scan.products:
        named = _known(one)
        if one.kind != "isaac-sim" or named is None:
            continue
        for package in ("numpy", "torch"):
            fact = facts.fact(one.kind, named, package)
            for copy in _bundled(scan, one, package):
                if fact and _differs(copy.version, fact):
                    yield _bundle_finding(one, copy, fact)


def _bundled(scan: Scan, owner: Product, package: str) -> Iterator[Distribution]:
    sites = {one.path for one in scan.sites if one.kind in commands.BUNDLED}
    for one in scan.distributions:
        below = f"{one.site}/".startswith(f"{owner.path}/")
        if one.name == package and one.site in sites and below and one.version:
            yield one


def _differs(version: str, fact: Fact) -> bool:
    value = fact.value
    return isinstance(value, str) and value != facts.UNKNOWN and not same(version, value)


def _bundle_finding(owner: Product, copy: Distribution, fact: Fact) -> Finding:
    named = commands.titled(owner)
    return Finding(
        id="release-mismatch",
        severity="note",
        what=f"{named} brings {copy.name} {copy.version} here; it is known with {fact.value}",
        where=(copy.package or copy.metadata or copy.site, owner.path),
        why="its own extensions are compiled for what it was released with; what pip puts into a "
        "bundle leaves libraries of two versions behind",
        sure="heuristic",
        hits=(f"{copy.name} {copy.version}",),
        repair=(f"if somebody installed into it: install {named} again",),
        source=f"{fact.source} ({fact.confidence} {fact.date})",
    )


def same(one: str, other: str) -> bool:
    """Whether two versions are one release; a local part (``+cu128``) that one has does not
    count."""
    try:
        return number(one) == number(other)
    except ValueError:
        return one == other


# --- The driver ----------------------------------------------------------------------------------


def _driver(scan: Scan, driver: Driver) -> Iterator[Finding]:
    """The first that is true of each Isaac Sim, then what CUDA asks for."""
    said = False
    for one in scan.products:
        named = _known(one)
        found = _window(one, named, driver) if one.kind == "isaac-sim" and named else None
        if found:
            said = said or found.id == "driver-too-old"
            yield found
    if not said:
        yield from _of_cuda(scan, driver)


def _window(owner: Product, named: str, driver: Driver) -> Finding | None:
    blackwell = any(one.architecture in _BLACKWELL for one in driver.gpus)
    floor, least, below, known = (
        facts.fact(owner.kind, named, f"driver-{name}")
        for name in ("floor", "min", "below", "blackwell")
    )
    if _older(driver, floor):
        return _old(owner, driver, floor, error=True)
    if blackwell and _older(driver, known):
        return _old(owner, driver, known, error=True)
    if _older(driver, least):
        return _old(owner, driver, least, error=False)
    if below and _numbered(below) and not _older(driver, below):
        return _new(owner, driver, below)
    return None


def _numbered(fact: Fact | None) -> str:
    """The version of a fact; empty where it is not established."""
    value = fact.value if fact else ""
    return value if isinstance(value, str) and value[:1].isdigit() else ""


def _older(driver: Driver, fact: Fact | None) -> bool:
    wanted = _numbered(fact)
    return bool(wanted) and _number(driver.version) < _number(wanted)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _old(owner: Product, driver: Driver, fact: Fact | None, *, error: bool) -> Finding:
    assert fact is not None
    named = commands.titled(owner)
    return Finding(
        id="driver-too-old",
        severity="error" if error else "warning",
        what=f"{named} asks for driver {fact.value}; this is {driver.version}",
        where=(owner.path,),
        why="Kit refuses to start, or finds no device" if error else "no older one was tested",
        sure="proven" if fact.confidence == "read" else "heuristic",
        expect=("The currently installed NVIDIA graphics driver is unsupported",) if error else (),
        hits=(named,),
        repair=(f"install driver {fact.value} or newer on the machine (not in the environment)",),
        source=f"{fact.source} ({fact.confidence} {fact.date})",
    )


def _new(owner: Product, driver: Driver, below: Fact) -> Finding:
    named = commands.titled(owner)
    tested = _numbered(facts.fact(owner.kind, release(owner) or "", "driver-validated"))
    way = f"install driver {tested}, which {named} was tested with" if tested else ""
    return Finding(
        id="driver-too-new",
        severity="error",
        what=f"{named} crashes with drivers of {below.value} and newer; this is {driver.version}",
        where=(owner.path,),
        why="a driver can be too new: the renderer ends while it starts",
        sure="proven" if below.confidence == "read" else "heuristic",
        hits=(named,),
        repair=(way or f"install a driver older than {below.value}",),
        source=f"{below.source} ({below.confidence} {below.date})",
    )


def _of_cuda(scan: Scan, driver: Driver) -> Iterator[Finding]:
    """A torch whose CUDA is younger than the driver: its runtime does not start."""
    for one in scan.distributions:
        if one.name != "torch" or "+cu" not in one.version:
            continue
        major = one.version.partition("+cu")[2][:2]
        least = _CUDA_DRIVER.get(major)
        if least and _number(driver.version) < _number(least):
            yield Finding(
                id="driver-too-old",
                severity="error",
                what=f"torch {one.version} needs driver {least}; this is {driver.version}",
                where=(one.package or one.site,),
                why=f"the runtime of CUDA {major} refuses drivers of an older major version",
                expect=("The NVIDIA driver on your system is too old",),
                hits=(f"torch {one.version}",),
                repair=(
                    f"install driver {least} or newer on the machine (not in the environment)",
                    "a torch that is built for an older CUDA",
                ),
                source=_CUDA_SOURCE,
            )
