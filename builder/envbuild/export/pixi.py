"""``pixi.toml``: a manifest with exact pins. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli_w

from envbuild.export import conda, words
from envbuild.lock.conda.inputs import PLATFORMS
from envbuild.lock.conda.lockfile import virtual_parts

if TYPE_CHECKING:
    from envbuild.export.model import Subject

_CHANNEL = "conda-forge"
"""Where pixi takes Python from when a profile has no channels: pixi knows no other source."""


def text(subject: Subject) -> str:
    """The manifest."""
    command = "As pixi.toml in a folder of its own: pixi install"
    top = words.commented(words.heading(subject, command))
    return f"{top}\n{tomli_w.dumps(_manifest(subject))}"


def _manifest(subject: Subject) -> dict[str, Any]:
    asked = subject.locked.input.conda
    manifest: dict[str, Any] = {
        "workspace": {
            "name": subject.profile,
            "channels": list(asked.channels) if asked else [_CHANNEL],
            "platforms": [PLATFORMS[subject.variant.architecture]],
        },
        "system-requirements": _machine(subject),
        "dependencies": _dependencies(subject),
        "pypi-dependencies": {pin.name: f"=={pin.version}" for pin in subject.pins},
        "activation": {"env": dict(sorted(subject.variant.environment.env.items()))},
    }
    if not manifest["activation"]["env"]:
        del manifest["activation"]
    return {key: value for key, value in manifest.items() if value}


def _dependencies(subject: Subject) -> dict[str, object]:
    if subject.locked.conda is None:
        version = subject.locked.input.python
        return {"python": f"=={version}" if version.count(".") > 1 else f"{version}.*"}
    return {one.package.name: _exact(one) for one in conda.pinned(subject)}


def _exact(one: conda.Pinned) -> dict[str, str]:
    row = {
        "version": f"=={one.package.version}",
        "build": one.package.build,
        "sha256": one.package.sha256,
    }
    return row | ({"channel": one.channel} if one.channel else {})


def _machine(subject: Subject) -> dict[str, object]:
    """What the machine must have, as far as pixi has a word for it."""
    found = machine(subject)
    rows: dict[str, object] = {
        key: found[name]
        for key, name in (("linux", "__linux"), ("cuda", "__cuda"))
        if name in found
    }
    if "__glibc" in found:
        rows["libc"] = {"family": "glibc", "version": found["__glibc"]}
    return rows


def machine(subject: Subject) -> dict[str, str]:
    """The virtual packages by name: the conda half's, else those that the Python packages were
    chosen for."""
    asked = subject.locked.input
    if asked.conda:
        parts = map(virtual_parts, asked.conda.targets[0].virtual_packages)
        return {name: build if name == "__archspec" else version for name, version, build in parts}
    _, _, tag = asked.platform.partition("-manylinux_")
    found = {"__glibc": tag.replace("_", ".")} if tag else {}
    cuda = subject.variant.cuda
    return found | ({"__cuda": ".".join(map(str, cuda))} if cuda else {})
