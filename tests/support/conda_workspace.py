"""A workspace whose profiles live in conda, with conda settings of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.support.workspace import Folder

VARIANT = "linux-amd64-cpu"

_PROFILE = """\
schema: 1
name: {name}
summary: A profile of the tests
as-of: {as_of}
accept-eula: false
base:
  image: docker.io/library/ubuntu:22.04
  distribution: ubuntu-22.04
conda:
  channels: [{channels}]
{packages}{more}python:
  version: "{python}"
  source: conda
  prefix: /opt/env
{requirements}variants:
{variants}"""


def _listed(key: str, items: Iterable[str], indent: str = "  ") -> str:
    rows = "".join(f"\n{indent}  - {json.dumps(item)}" for item in items)
    return f"{indent}{key}:{rows or ' []'}\n"


class CondaFolder(Folder):
    """A workspace with settings and caches of its own; no channel is known before `mirror`."""

    def __init__(self, root: Path, **environment: str) -> None:
        super().__init__(root, **environment)
        self.environment |= {
            "CONDARC": str(root / "condarc"),
            "RATTLER_CACHE_DIR": str(root / "rattler"),
        }
        self.settings: dict[str, Any] = {"remote_backoff_factor": 0.02}
        self._write()

    def mirror(self, name: str, url: str) -> None:
        """Read a channel from an address."""
        self.settings.setdefault("mirrored_channels", {})[name] = [url]
        self._write()

    def setting(self, key: str, value: object) -> None:
        """A key of the conda settings."""
        self.settings[key] = value
        self._write()

    def _write(self) -> None:
        (self.root / "condarc").write_text(yaml.safe_dump(self.settings))

    def conda_profile(
        self,
        name: str,
        *packages: str,
        channels: Iterable[str] = ("world",),
        requirements: Iterable[str] = (),
        variants: Iterable[str] = (VARIANT,),
        more: Iterable[str] = (),
        as_of: str = "2026-01-01T00:00:00Z",
        python: str = "3.11",
    ) -> Path:
        """Write a profile; ``more`` are lines under conda."""
        path = self.root / "envs" / f"{name}.yaml"
        path.write_text(
            _PROFILE.format(
                name=name,
                as_of=as_of,
                channels=", ".join(map(json.dumps, channels)),
                packages=_listed("packages", packages),
                more="".join(f"  {line}\n" for line in more),
                python=python,
                requirements=_listed("requirements", requirements),
                variants="".join(f"  {one}: {{}}\n" for one in variants),
            )
        )
        return path

    def header(self, profile: str = "one") -> dict[str, Any]:
        """What ``envbuild.lock.json`` says."""
        found: dict[str, Any] = json.loads(self.locked(profile)["envbuild.lock.json"])
        return found

    def conda_lock(self, profile: str = "one", prefix: str = "") -> dict[str, Any]:
        """What ``conda-lock.yml`` says."""
        found: dict[str, Any] = yaml.safe_load(self.locked(profile)[f"{prefix}conda-lock.yml"])
        return found

    def versions(
        self, profile: str = "one", platform: str = "linux-64", prefix: str = ""
    ) -> dict[str, str]:
        """The version of each conda package of a platform."""
        rows = self.conda_lock(profile, prefix)["package"]
        return {row["name"]: row["version"] for row in rows if row["platform"] == platform}
