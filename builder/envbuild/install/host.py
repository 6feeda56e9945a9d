"""Whether this machine can hold an environment. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from envbuild.errors import InputError
from envbuild.lock.conda.lockfile import virtual_parts
from envbuild.lock.model import CondaTarget
from envbuild.profile.resolved import Variant

_MACHINES = {"amd64": ("x86_64", "amd64"), "arm64": ("aarch64", "arm64")}


def for_machine(variants: Iterable[Variant], machine: str) -> Variant:
    """The first variant that is for this machine.

    Raises:
        InputError: none of them is.
    """
    candidates = tuple(variants)
    for variant in candidates:
        if machine.lower() in _MACHINES[variant.architecture]:
            return variant
    names = " and ".join(variant.name for variant in candidates)
    verb = "is" if len(candidates) == 1 else "are"
    raise InputError(f"{names} {verb} for another machine than this one ({machine})")


def older_glibc(target: CondaTarget, here: str) -> str:
    """What to say where this machine's C library is older than the one that was locked for."""
    has = {name: version for name, version, _ in map(virtual_parts, target.virtual_packages)}
    wanted = has.get("__glibc", "")
    if not wanted or not here or _numbers(here) >= _numbers(wanted):
        return ""
    return f"this machine has glibc {here}, locked is for {wanted}: some packages may not run"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
