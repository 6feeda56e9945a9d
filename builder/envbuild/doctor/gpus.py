"""Code for the GPUs of this machine in the modules that compute on them.

CUDA's rule: compiled code (``sm_86``) runs on GPUs of the same major version and no lower minor
one; PTX (``compute_90``) is compiled by the driver for any GPU that is not older. What ends in a
letter is for one GPU (``sm_90a``) or for one family (``sm_100f``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from envbuild.doctor import commands
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding, Gpu
from envbuild.knowledge import facts
from envbuild.scan.model import Module, Scan, Site
from envbuild.scan.winners import winners
from envbuild.speech import counted

_NAME = re.compile(r"(sm|compute)_([0-9]+)([0-9])([af]?)")

_TORCH = "torch"
"""What computes on nothing but its own code: without any for a GPU, nothing runs on it. Others may
choose among what they have, or compile what they need."""

_SHOWN = 8

_SOURCE = "CUDA C++ Programming Guide, compute capabilities; berkeley-humanoid-lite#49"


def findings(case: Case) -> tuple[Finding, ...]:
    """The packages without code for a GPU that the driver shows; nothing without a driver."""
    if case.driver is None:
        return ()
    gpus = {one.architecture: one for one in case.driver.gpus if one.architecture}
    return tuple(
        found for gpu in gpus.values() for found in _of_gpu(case.scan, gpu, _compiled(case.scan))
    )


def runs(built: Iterable[str], gpu: str) -> bool:
    """Whether code for one of these architectures (``sm_86``, ``compute_90``) runs on a GPU."""
    wanted = _NAME.fullmatch(gpu)
    return wanted is None or any(_fits(one, wanted) for one in map(_NAME.fullmatch, built) if one)


def _fits(built: re.Match[str], gpu: re.Match[str]) -> bool:
    mine, theirs = (int(built[2]), int(built[3])), (int(gpu[2]), int(gpu[3]))
    if built[4] == "a":
        return mine == theirs
    if built[1] == "compute" and not built[4]:
        return mine <= theirs
    return mine[0] == theirs[0] and mine[1] <= theirs[1]


def _compiled(scan: Scan) -> dict[str, dict[str, list[Module]]]:
    """The modules with code for GPUs that some launcher takes, by site and distribution."""
    found: dict[str, dict[str, list[Module]]] = {}
    for one in scan.modules:
        if one.binary.gpus and one.distribution:
            found.setdefault(one.site, {}).setdefault(one.distribution, []).append(one)
    for site, owners in found.items():
        for name in [name for name in owners if not _taken(scan, site, name)]:
            del owners[name]
    return found


def _taken(scan: Scan, site: str, name: str) -> bool:
    """Whether some launcher takes this copy; of what is no known distribution, nobody knows."""
    won = winners(scan, name)
    copies = [one for each in won for one in (each.before, each.after) if one]
    return not copies or any(one.site == site for one in copies)


def _of_gpu(
    scan: Scan, gpu: Gpu, compiled: dict[str, dict[str, list[Module]]]
) -> Iterator[Finding]:
    for path, owners in compiled.items():
        without = {
            name: modules
            for name, modules in owners.items()
            if not runs({one for each in modules for one in each.binary.gpus}, gpu.architecture)
        }
        site = scan.site(path)
        if without and site:
            yield _finding(scan, site, gpu, without)


def _finding(scan: Scan, site: Site, gpu: Gpu, without: dict[str, list[Module]]) -> Finding:
    """One finding of a site: what is compiled for one CUDA fails for one reason."""
    fails = _TORCH in without
    first = _TORCH if fails else min(without)
    built = sorted({one for each in without[first] for one in each.binary.gpus}, key=_number)
    names = sorted(without, key=lambda name: (name != first, name))
    others = f" and {counted(len(names) - 1, 'other package')}" if len(names) > 1 else ""
    texts = ["no kernel image is available for execution on the device"]
    if fails:
        texts.insert(0, f"{gpu.name} with CUDA capability {gpu.architecture} is not compatible")
    return Finding(
        id="gpu-code-missing",
        severity="error" if fails else "warning",
        what=f"{_said(scan, site, first)}{others} {'have' if others else 'has'} no code for "
        f"{gpu.name} ({gpu.architecture})",
        where=tuple(one.path for name in names for one in without[name])[:_SHOWN],
        why=f"compiled for {', '.join(built)}: the first computation on the GPU fails",
        sure="proven" if fails else "heuristic",
        expect=tuple(texts),
        hits=tuple(_said(scan, site, name) for name in names),
        repair=tuple(_repair(scan, site, gpu)),
        source=_SOURCE,
    )


def _said(scan: Scan, site: Site, name: str) -> str:
    every = (one for one in scan.distributions if (one.site, one.name) == (site.path, name))
    return next((f"{name} {one.version}" for one in every), name)


def _number(architecture: str) -> tuple[int, str]:
    found = _NAME.fullmatch(architecture)
    return (int(found[2] + found[3]) if found else 0, architecture)


def _repair(scan: Scan, site: Site, gpu: Gpu) -> Iterator[str]:
    if site.kind in commands.BUNDLED:
        yield f"a release of the product that is made for {gpu.architecture}"
        return
    floor = facts.gpu_floor(gpu.architecture) or facts.gpu_floor(f"{gpu.architecture[:-1]}0")
    if floor:
        yield (
            f"builds for CUDA {floor.cuda} or newer, of the versions that are there: the other "
            "packages are compiled for them"
        )
    version = next(_releases(scan, gpu), None)
    if version:
        yield commands.pip(site, f"install torch=={version}")


def _releases(scan: Scan, gpu: Gpu) -> Iterator[str]:
    """The torch releases of the public index with code for a GPU, the oldest first: it is nearest
    to what is there."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(scan.system.machine, "")
    for build in facts.torch_builds():
        if build.architecture == architecture and runs(build.gpus, gpu.architecture):
            yield build.version
