"""All profiles of a workspace as one file for ``docker buildx bake``. Pure.

The file says what a plain ``docker build Dockerfiles/<profile>`` would be told, for every variant:
its steps fetch by themselves, from the user's own index. Values that are each user's are variables
of the file, which bake takes from the environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from envbuild.errors import InputError

NAME = "docker-bake.json"
"""One of the names that bake reads by itself."""

MARK = "Rendered by envbuild from the profiles of this workspace and their locks."

_ABOUT = (
    f"{MARK} Do not edit it: envbuild render --bake. Bake reads paths from the folder that it is"
    " called in: call it here. CA, pip and uv settings (ENVBUILD_CA, PIP_CONF, UV_TOML) and other"
    " secrets are paths; empty: there is none."
)
_OURS = re.compile(rb'\s*\{\s*"//":\s*"' + re.escape(MARK.encode()))
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
"""What bake takes in no name of a target."""

_VARIABLES = {
    "REGISTRY": "",
    "TAG": "",
    "OUTPUT": "type=docker",
    "CACHE_FROM": "",
    "CACHE_TO": "",
    "REVISION": "",
}
_COMMON = "_common"
_EVERY = "default"


class BakeImage(Struct, frozen=True, kw_only=True):
    """One variant as bake is told of it.

    ``images`` are build arguments with the images that they name, ``epoch`` seconds since 1970,
    ``secrets`` the ids that its steps mount; ``ssh``: a step takes the user's agent.
    """

    profile: str
    variant: str
    platform: str
    dockerfile: str
    images: tuple[tuple[str, str], ...]
    epoch: int
    secrets: tuple[str, ...] = ()
    ssh: bool = False

    @property
    def target(self) -> str:
        """Its name in bake; the underscore stands in no profile's or variant's name of ours."""
        return f"{_safe(self.profile)}_{_safe(self.variant)}"


def ours(data: bytes) -> bool:
    """Whether a file was rendered by envbuild, and so is its to write again."""
    return _OURS.match(data) is not None


def bake(images: Iterable[BakeImage]) -> bytes:
    """The file: a target with a matrix for each profile, and groups for all and each platform.

    Raises:
        InputError: two profiles or variants would have one name in bake.
    """
    listed = tuple(images)
    _refuse_same(listed)
    profiles: dict[str, list[BakeImage]] = {}
    for one in listed:
        profiles.setdefault(one.profile, []).append(one)
    secrets = sorted({name for one in listed for name in one.secrets})
    variables = {**_VARIABLES, **{variable(name): "" for name in secrets}}
    if any(one.ssh for one in listed):
        variables["SSH"] = ""
    made = {
        "//": _ABOUT,
        "variable": {name: {"default": value} for name, value in variables.items()},
        "group": _groups(listed),
        "target": {
            _COMMON: _common(),
            **{_safe(name): _target(name, own) for name, own in sorted(profiles.items())},
        },
    }
    return (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode()


def variable(secret: str) -> str:
    """The variable of the file that says where a secret lies."""
    return re.sub(r"[^A-Z0-9_]", "_", secret.upper())


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name)


def _refuse_same(listed: tuple[BakeImage, ...]) -> None:
    seen = {_EVERY: "the group of all", _COMMON: "what all share"}
    named = {(_safe(one.profile), one.profile) for one in listed}
    named |= {(one.target, f"{one.profile}/{one.variant}") for one in listed}
    named |= {(_group(one), f"the group of {one.platform}") for one in listed}
    for name, what in sorted(named):
        if seen.setdefault(name, what) != what:
            raise InputError(
                f"{seen[name]} and {what} are both {name!r} in {NAME}",
                hint="give one of the profiles another name",
            )


def _group(one: BakeImage) -> str:
    return f"on_{_safe(one.platform)}"


def _groups(listed: tuple[BakeImage, ...]) -> dict[str, Any]:
    groups: dict[str, list[str]] = {_EVERY: []}
    for one in sorted(listed, key=lambda one: one.target):
        groups[_EVERY].append(one.target)
        groups.setdefault(_group(one), []).append(one.target)
    return {name: {"targets": names} for name, names in groups.items()}


def _common() -> dict[str, Any]:
    """What holds for every target. No provenance, as ``envbuild build`` has none: it holds the
    moment of the build. ``bake --provenance=mode=max --sbom=true`` has both."""
    return {
        "attest": ["type=provenance,disabled=true", "type=sbom,disabled=true"],
        "output": _list("OUTPUT", "OUTPUT"),
        "labels": {"org.opencontainers.image.revision": '${REVISION == "" ? null : REVISION}'},
    }


def _target(profile: str, own: list[BakeImage]) -> dict[str, Any]:
    """A profile: one target with a matrix of its variants, which bake also takes for a group."""
    name = f"{_safe(profile)}_${{variant.target}}"
    registry = '${REGISTRY == "" ? "" : "${REGISTRY}/"}'
    tag = '${TAG == "" ? "" : "-${TAG}"}'
    secrets = sorted({name for one in own for name in one.secrets})
    made: dict[str, Any] = {
        "inherits": [_COMMON],
        "name": name,
        "matrix": {"variant": [_variant(one) for one in own]},
        "context": _plain(f"Dockerfiles/{profile}"),
        "dockerfile": "${variant.dockerfile}",
        "platforms": ["${variant.platform}"],
        "args": "${variant.args}",
        "tags": [f"{registry}{_plain(profile)}:${{variant.name}}{tag}"],
        "cache-from": _list("CACHE_FROM", f'replace(CACHE_FROM, "{{target}}", "{name}")'),
        "cache-to": _list("CACHE_TO", f'replace(CACHE_TO, "{{target}}", "{name}")'),
    }
    if secrets:
        made["secret"] = _secrets(secrets)
    if any(one.ssh for one in own):
        made["ssh"] = _list("SSH", "SSH")
    return made


def _variant(one: BakeImage) -> Mapping[str, Any]:
    arguments = {name: _plain(value) for name, value in one.images}
    return {
        "name": _plain(one.variant),
        "target": _safe(one.variant),
        "platform": one.platform,
        "dockerfile": _plain(one.dockerfile),
        "args": {**arguments, "SOURCE_DATE_EPOCH": str(one.epoch)},
    }


def _secrets(names: Iterable[str]) -> str:
    """The secrets whose variable says a path: bake ends where a file is missing, and a step that
    mounts a secret goes on without one."""
    each = ", ".join(
        f'{variable(name)} == "" ? [] : ["id={name},src=${{{variable(name)}}}"]' for name in names
    )
    return f"${{concat({each})}}"


def _list(name: str, value: str) -> str:
    """A list with one value, or an empty one while a variable is."""
    return f'${{{name} == "" ? [] : [{value}]}}'


def _plain(text: str) -> str:
    """A text in which bake expands nothing."""
    return text.replace("${", "$${").replace("%{", "%%{")
