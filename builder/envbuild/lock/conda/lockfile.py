"""The files of a conda half, in the formats of the field. Pure.

``conda-lock.yml`` is version 1 of conda-lock's format, as conda-lock itself writes it; what its
entries do not have (builds, constraints) is in the file names and in the channel. The content hash
is conda-lock's own, so that ``conda-lock lock --check-input-hash`` agrees.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from envbuild.lock.conda import specs
from envbuild.tools.conda import Record

if TYPE_CHECKING:
    from envbuild.lock.model import CondaTarget

_HEAD = """\
# Locked by envbuild for the profile {profile}: do not edit, change the profile and lock again.
# The conda packages only, in conda-lock's format. The Python packages of the index stand beside it:
#   conda-lock install --prefix PREFIX {name}
#   PREFIX/bin/pip install --no-deps --require-hashes -r {wheels}
# Both at once, checked: envbuild install {profile} PREFIX
"""
_STAMP = 1577854800000
"""The time stamp that conda-lock gives its virtual packages; the content hash covers it."""


class Environment(Struct, frozen=True, kw_only=True):
    """What one environment file and its lock are made of: channels, specifications, and what each
    platform's machine has."""

    channels: tuple[str, ...]
    packages: tuple[str, ...]
    targets: tuple[CondaTarget, ...]


def environment_text(environment: Environment, *, profile: str, notes: Iterable[str]) -> str:
    """``environment.yml``: conda reads it, and conda-lock with its ``platforms``."""
    lines = [
        f"# Rendered by envbuild from the profile {profile}: change that, and lock again.",
        *(f"# {note}" for note in notes),
        f"name: {profile}",
        "channels:",
        *(f"  - {scalar(name)}" for name in environment.channels),
        "  - nodefaults",
        "platforms:",
        *(f"  - {target.platform}" for target in environment.targets),
        "dependencies:",
        *(f"  - {scalar(spec)}" for spec in environment.packages),
    ]
    return "\n".join(lines) + "\n"


def virtual_text(environment: Environment) -> str:
    """The virtual packages, for conda-lock's ``--virtual-package-spec``."""
    lines = ["subdirs:"]
    for target in environment.targets:
        lines += [f"  {target.platform}:", "    packages:"]
        lines += [
            f"      {name}: {scalar(f'{version} {build}'.rstrip())}"
            for name, version, build in map(virtual_parts, target.virtual_packages)
        ]
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """Text in double quotes, as every reader of YAML takes it for text."""
    import yaml  # where a file of YAML is written

    return str(yaml.safe_dump(text, default_style='"', width=float("inf"))).rstrip("\n")


def virtual_parts(text: str) -> tuple[str, str, str]:
    """Name, version and build of ``name=version`` or ``name=version=build``."""
    name, version, *build = text.split("=")
    return name, version, build[0] if build else ""


def explicit_text(records: Iterable[Record], *, platform: str) -> str:
    """A file for ``@EXPLICIT`` installs: every package by its address and its sha256 (CEP 23)."""
    ordered = sorted(records, key=lambda record: record.name)
    lines = [f"# platform: {platform}", "@EXPLICIT"]
    lines += [f"{record.url}#sha256:{record.sha256}" for record in ordered]
    return "\n".join(lines) + "\n"


def lock_text(
    environment: Environment,
    solved: Mapping[str, tuple[Record, ...]],
    *,
    head: Mapping[str, str],
    source: str,
    custom: Mapping[str, str],
) -> str:
    """``conda-lock.yml``; ``solved`` are the packages by platform.

    ``head`` names the profile, the file itself and the requirement file; ``source`` is the
    environment file, ``custom`` goes into the metadata.
    """
    import yaml

    entries = [
        _entry(record, platform) for platform, records in solved.items() for record in records
    ]
    content = {
        "version": 1,
        "metadata": {
            "content_hash": {
                target.platform: content_hash(environment, target) for target in environment.targets
            },
            "channels": [{"url": name, "used_env_vars": []} for name in environment.channels],
            "platforms": [target.platform for target in environment.targets],
            "sources": [source],
            "custom_metadata": dict(custom),
        },
        "package": sorted(entries, key=lambda entry: (entry["name"], entry["platform"])),
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return _HEAD.format(**head) + str(yaml.dump(content, Dumper=dumper, sort_keys=False))


def _entry(record: Record, platform: str) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "manager": "conda",
        "platform": platform,
        "dependencies": specs.dependencies(record.depends),
        "url": record.url,
        "hash": {"md5": record.md5, "sha256": record.sha256},
        "category": "main",
        "optional": False,
    }


def content_hash(environment: Environment, target: CondaTarget) -> str:
    """conda-lock's hash of an environment for one platform, 64 hex digits."""
    channels = [
        json.dumps({"url": name, "used_env_vars": []}, separators=(",", ":"))
        for name in environment.channels
    ]
    content = {
        "channels": channels,
        "specs": sorted(map(_dependency, environment.packages), key=lambda row: str(row["name"])),
        "virtual_package_hash": {
            "noarch": {"info": {"subdir": "noarch"}, "packages": {}},
            target.platform: {
                "info": {"subdir": target.platform},
                "packages": dict(
                    _virtual(text, target.platform) for text in target.virtual_packages
                ),
            },
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _dependency(spec: str) -> dict[str, object]:
    parsed = specs.requested(spec)
    return {
        "name": parsed["name"],
        "manager": "conda",
        "category": "main",
        "extras": [],
        "version": parsed["version"],
        "build": parsed["build"],
        "conda_channel": parsed["channel"],
        "hash": None,
    }


def _virtual(text: str, platform: str) -> tuple[str, dict[str, object]]:
    name, version, build = virtual_parts(text)
    whole = f"{build}_0" if build else "0"
    return f"{name}-{version}-{whole}.tar.bz2", {
        "name": name,
        "version": version,
        "build_string": build,
        "build_number": 0,
        "noarch": "",
        "depends": [],
        "timestamp": _STAMP,
        "package_type": "virtual_system",
        "build": whole,
        "subdir": platform,
    }
