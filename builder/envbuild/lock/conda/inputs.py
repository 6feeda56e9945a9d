"""The conda part of a profile to what the conda solver sees. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envbuild.knowledge import facts
from envbuild.lock.model import CondaInput, CondaTarget

if TYPE_CHECKING:
    from envbuild.profile.model import Conda
    from envbuild.profile.resolved import Variant

PLATFORMS = {"amd64": "linux-64", "arm64": "linux-aarch64"}
"""conda's names of the platforms, by Docker's."""

_ARCHSPEC = {"linux-64": "x86_64", "linux-aarch64": "aarch64"}
_LINUX = "5.10"
"""The kernel that conda-lock takes every machine for (its default-virtual-packages.yaml): the
host's own has no say, and no driver of this field runs on an older one."""

_SPEC = re.compile(r"(?:[^\s:]+::)?(?P<name>[A-Za-z0-9_.-]+?)(?=[=<>!~ \[]|$)")


def spec_name(spec: str) -> str:
    """The package of a conda match specification, ``channel::name>=1`` or ``name=1``."""
    found = _SPEC.match(spec)
    return found["name"].lower() if found else spec.lower()


def conda_input(variant: Variant) -> CondaInput | None:
    """What the conda solver sees of a variant; None where conda has no part in it."""
    environment = variant.environment
    conda = environment.conda
    if conda is None:
        return None
    own = PLATFORMS[variant.architecture]
    others = sorted(set(conda.platforms) - {own})
    return CondaInput(
        channels=tuple(name for name in conda.channels if name != "nodefaults"),
        packages=_packages(conda, environment.python.version),
        targets=tuple(
            CondaTarget(platform=platform, virtual_packages=_virtual(variant, conda, platform))
            for platform in (own, *others)
        ),
    )


def _packages(conda: Conda, python: str) -> tuple[str, ...]:
    """The profile's, and what every environment needs: its Python, and a pip for the other half."""
    names = {spec_name(spec) for spec in conda.packages}
    implied = {"python": f"python={python}", "pip": "pip"}
    added = [spec for name, spec in implied.items() if name not in names]
    return tuple(sorted({*conda.packages, *added}))


def _virtual(variant: Variant, conda: Conda, platform: str) -> tuple[str, ...]:
    """What the machine has: as the profile says, else as image and accelerator have it."""
    glibc = facts.glibc(variant.environment.base.distribution)
    found = {"__unix": "0", "__linux": _LINUX, "__archspec": f"1={_ARCHSPEC[platform]}"}
    found |= {"__glibc": glibc} if glibc else {}
    found |= {"__cuda": ".".join(map(str, variant.cuda))} if variant.cuda else {}
    own = platform == PLATFORMS[variant.architecture]
    for name, value in conda.virtual_packages.items():
        if name != "__archspec":
            found[name] = value
        elif own:
            found[name] = f"1={value}" if value else ""
    return tuple(f"{name}={value}" for name, value in sorted(found.items()) if value)
