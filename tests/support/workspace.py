"""A workspace in a folder, and envbuild run in it as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ENVBUILD = str(Path(sys.executable).parent / "envbuild")
UNREACHED = " ".join(f"{vendor}=127.0.0.1:9" for vendor in ("docker.io", "ghcr.io", "nvcr.io"))
"""A mirror for each vendor's registry, where nothing answers: a test that wants images names its
own registry."""

PROFILE = """\
schema: 1
name: {name}
summary: A profile of the tests
as-of: 2026-01-01T00:00:00Z
accept-eula: false
base:
  image: docker.io/library/ubuntu:22.04
  distribution: ubuntu-22.04
python:
  version: 3.11
  source: image
  interpreter: /usr/bin/python3.11
  requirements: [{requirements}]
variants:
  linux-amd64-cu128: {{}}
"""


class Folder:
    """A workspace. ``environment`` is what envbuild sees beside PATH and HOME."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.root = root
        (root / "envs").mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(root / "home"),
            "UV_CACHE_DIR": str(root / "cache"),
            "NO_COLOR": "1",
            "ENVBUILD_MIRRORS": UNREACHED,
            **environment,
        }

    def profile(self, name: str, *requirements: str) -> Path:
        """Write a small profile."""
        path = self.root / "envs" / f"{name}.yaml"
        listed = ", ".join(f'"{text}"' for text in requirements)
        path.write_text(PROFILE.format(name=name, requirements=listed))
        return path

    def fake_uv(self, script: str, *, version: str = "0.13.8") -> str:
        """Write a shell script to be taken for uv; its path, for ``ENVBUILD_UV``. It says its
        version by itself."""
        path = self.root / "fake-uv"
        says = f'[ "$1" = --version ] && echo uv {version} && exit'
        path.write_text(f"#!/bin/sh\n{says}\n{script}\n")
        path.chmod(0o755)
        return str(path)

    def start(self, *argv: str, **environment: str) -> subprocess.Popen[str]:
        """Start envbuild."""
        return subprocess.Popen(
            [ENVBUILD, *argv],
            cwd=self.root,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run envbuild to its end."""
        process = self.start(*argv, **environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def read(self, path: str) -> bytes:
        """The bytes of a file of the workspace."""
        return (self.root / path).read_bytes()

    def locked(self, profile: str) -> dict[str, bytes]:
        """Every file of a lock folder."""
        folder = self.root / "lockfiles" / profile
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def solved(files: Mapping[str, bytes]) -> dict[str, object]:
    """The files of lock folders without what depends on which registries answered."""
    found: dict[str, object] = {}
    for path, data in files.items():
        found[path] = data
        if path.endswith("envbuild.lock.json"):
            header = json.loads(data)
            del header["seal"]
            for variant in header["variants"].values():
                for key in ("images", "apt", "unpinned"):
                    variant.pop(key, None)
            found[path] = header
    return found
