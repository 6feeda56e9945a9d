"""What a resolution must be before it may become a lock. Pure.

A resolver knows version bounds, not binaries: it writes a CPU-only torch for a GPU machine, or
one without code for that GPU, and calls it solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.errors import Problem
from envbuild.knowledge import facts
from envbuild.lock.model import Unknown
from envbuild.names import canonical_name, requirement_name

if TYPE_CHECKING:
    from envbuild.lock.model import Provided, SolverInput
    from envbuild.lock.requirements import Pin
    from envbuild.profile.resolved import Variant

_CUDA_RUNTIMES = ("nvidia-cuda-runtime", "cuda-toolkit", "cuda-bindings")


def problems(
    variant: Variant,
    asked: SolverInput,
    added: tuple[Pin, ...],
    *,
    provided: tuple[Provided, ...] = (),
) -> tuple[Problem, ...]:
    """Everything that forbids this lock, each with the line of the profile that it concerns."""
    versions = {pin.name: pin.version for pin in added}
    brought = {row.name: row.version for row in provided}
    found = [
        *_gpus(variant),
        *_numpy(variant, asked, versions=versions, brought=brought),
        *_torch(variant, versions),
        *_provided_torch(variant, brought),
        *_coverage(variant, _torch_code(variant, versions=versions, brought=brought)),
        *_companions(variant, versions, brought),
    ]
    return tuple(found)


def _gpus(variant: Variant) -> list[Problem]:
    """GPUs that this CUDA cannot make code for, whatever runs on it."""
    if variant.cuda is None:
        return []
    cuda = f"{variant.cuda[0]}.{variant.cuda[1]}"
    found = []
    for index, gpu in enumerate(variant.environment.hardware.gpus):
        floor = facts.gpu_floor(f"{gpu[:-1]}0") or facts.gpu_floor(gpu)
        if floor and variant.cuda < tuple(int(part) for part in floor.cuda.split(".")):
            found.append(
                Problem(
                    message=f"CUDA {cuda} makes no code for {gpu}: {floor.cuda} is the first",
                    mark=variant.marks.get(("hardware", "gpus", index)),
                    hint=f"make the variant cu{floor.cuda.replace('.', '')} or newer",
                )
            )
    return found


def _numpy(
    variant: Variant,
    asked: SolverInput,
    *,
    versions: Mapping[str, str],
    brought: Mapping[str, str],
) -> list[Problem]:
    numpy = versions.get("numpy") or brought.get("numpy")
    if not numpy:
        return []
    found = [
        Problem(
            message=f"NumPy {numpy} was resolved; the profile's policy is {bound}",
            mark=variant.marks.get(("python", "overrides")),
            hint="an override sets the policy aside: remove it, or change the policy",
        )
        for bound in (*asked.requirements, *asked.constraints)
        if requirement_name(bound) == "numpy" and not _satisfies(numpy, bound)
    ]
    bundled = _bundled_numpy(versions)
    if bundled and bundled != numpy:
        found.append(
            Problem(
                message=f"NumPy {numpy} was resolved; this Isaac Sim works on {bundled} alone",
                mark=variant.marks.get(("python", "requirements")),
                hint=f"let it resolve to numpy=={bundled}: two copies of NumPy cannot live in it",
            )
        )
    return found


def _bundled_numpy(versions: Mapping[str, str]) -> str | None:
    """The NumPy of the Isaac Sim that these packages install, when there is one and it is known."""
    kernel = versions.get("isaacsim-kernel")
    if kernel is None:
        return None
    bundle = facts.bundle("isaac-sim-" + "-".join(kernel.split(".")[:3]))
    version = bundle.packages.get("numpy") if bundle else None
    return None if version == "unknown" else version


def _satisfies(version: str, requirement: str) -> bool:
    if requirement.partition("==")[2] == version:
        return True
    from packaging.requirements import Requirement

    return Requirement(requirement).specifier.contains(version, prereleases=True)


def _torch(variant: Variant, versions: Mapping[str, str]) -> list[Problem]:
    torch = versions.get("torch")
    if torch is None or variant.cuda is None:
        return []
    mark = variant.marks.get(("python", "requirements"))
    release, _, local = torch.partition("+")
    if local == variant.accelerator:
        return []  # a build of the vendor's index that says so itself
    build = facts.torch_build(release, variant.architecture)
    wanted = f"{variant.cuda[0]}.{variant.cuda[1]}"
    has_runtime = any(name.startswith(_CUDA_RUNTIMES) for name in versions)
    if (build and build.cuda is None) or not has_runtime:
        first = facts.first_cuda_torch(variant.architecture)
        hint = (
            f"the first torch with CUDA there is {first.version} ({first.cuda})" if first else None
        )
        message = f"torch {torch} for {variant.platform} has no CUDA; {variant.name} needs {wanted}"
        return [Problem(message=message, mark=mark, hint=hint)]
    if build is None:
        return []
    if build.cuda != wanted:
        message = f"torch {torch} is built for CUDA {build.cuda}; {variant.name} says {wanted}"
        name = f"linux-{variant.architecture}-cu{(build.cuda or '').replace('.', '')}"
        hint = f"call the variant {name}, or ask for another torch"
        return [Problem(message=message, mark=mark, hint=hint)]
    return []


class _TorchCode(Struct, frozen=True, kw_only=True):
    """A torch in words, and the GPU architectures that it has code for; ``gpus`` empty: nobody
    has looked into this build."""

    name: str
    gpus: tuple[str, ...]


def _torch_code(
    variant: Variant, *, versions: Mapping[str, str], brought: Mapping[str, str]
) -> _TorchCode | None:
    """What is known of the torch of a variant, locked or the image's own; None without one.

    The facts are about the builds of the public index: another local version is another build.
    """
    locked = "torch" in versions
    if variant.cuda is None or not (locked or "torch" in brought):
        return None
    version = versions["torch"] if locked else brought["torch"]
    release, _, local = version.partition("+")
    if not locked:
        local = local or ", ".join(sorted(_torch_builds(variant)))
    build = facts.torch_build(release, variant.architecture)
    public = f"cu{(build.cuda or '').replace('.', '')}" if build else ""
    same = local == public or (locked and not local)
    name = "torch" if locked else "the image's torch"
    return _TorchCode(
        name=f"{name} {release}{'+' if local else ''}{local}".rstrip(),
        gpus=build.gpus if build and same else (),
    )


def _coverage(variant: Variant, code: _TorchCode | None) -> list[Problem]:
    """GPUs of the profile that torch has no code for."""
    return [
        Problem(
            message=f"{code.name} has no code for {gpu}",
            mark=variant.marks.get(("hardware", "gpus", index)),
            hint=f"it covers {', '.join(code.gpus)}",
        )
        for index, gpu in enumerate(variant.environment.hardware.gpus)
        if code and code.gpus and not covers(code.gpus, gpu)
    ]


def unknowns(
    variant: Variant, *, versions: Mapping[str, str], brought: Mapping[str, str]
) -> tuple[Unknown, ...]:
    """What the checks could not answer for want of facts: nobody should take it for a yes.

    ``versions`` are those of the locked packages, ``brought`` those of the image's (empty where
    not known), by name.
    """
    gpus = variant.environment.hardware.gpus
    code = _torch_code(variant, versions=versions, brought=brought)
    if not gpus or code is None or code.gpus:
        return ()
    what = f"whether {code.name} has code for {', '.join(gpus)}"
    return (Unknown(what=what, why="no fact says what this build of torch was compiled for"),)


def covers(built: tuple[str, ...], gpu: str) -> bool:
    """Whether code for one of ``built`` runs on ``gpu``.

    CUDA's rule for compiled code: the same major version, and no later minor than the GPU's.
    """
    wanted = int(gpu.removeprefix("sm_"))
    numbers = (int(name.removeprefix("sm_")) for name in built)
    return any(n // 10 == wanted // 10 and n <= wanted for n in numbers)


def _provided_torch(variant: Variant, brought: Mapping[str, str]) -> list[Problem]:
    if "torch" not in brought or variant.cuda is None:
        return []
    builds = _torch_builds(variant)
    if not builds or variant.accelerator in builds:
        return []
    built = ", ".join(sorted(builds))
    return [
        Problem(
            message=f"the image brings a torch for {built}; the variant is {variant.name}",
            mark=variant.marks.get(("base", "provides")),
            hint=f"call the variant linux-{variant.architecture}-{built}",
        )
    ]


def _torch_builds(variant: Variant) -> set[str]:
    """The local versions of the torch that the image brings, as far as they are known."""
    bundles = (facts.bundle(name) for name in variant.environment.base.provides)
    return {bundle.torch_build for bundle in bundles if bundle and bundle.torch_build}


def _companions(
    variant: Variant, versions: Mapping[str, str], brought: Mapping[str, str]
) -> list[Problem]:
    torch = versions.get("torch") or brought.get("torch")
    if not torch:
        return []
    found = []
    for row in facts.companions(torch.partition("+")[0]):
        name = requirement_name(row.requirement)
        version = versions.get(canonical_name(name))
        if version and not _satisfies(version, row.requirement):
            found.append(
                Problem(
                    message=f"{name} {version} does not work with torch {torch}: "
                    f"{row.requirement} does",
                    mark=variant.marks.get(("python", "requirements")),
                    hint=f"pin torch=={torch} in the profile: its companions then follow",
                )
            )
    return found
