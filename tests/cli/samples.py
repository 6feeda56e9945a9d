"""Small profiles that lock in an instant, wholly: they ask for no package, so no index is asked,
and give the digest of their image, so no registry is."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import Said, process

DIGEST = f"sha256:{'5' * 64}"
PROFILE = """\
schema: 1
name: {name}
summary: A profile of the tests
as-of: 2026-01-01T00:00:00Z
base:
  image: ubuntu:24.04
  digest: {digest}
  distribution: ubuntu-24.04
python:
  version: "3.12"
  source: image
  interpreter: /usr/bin/python3
  prefix: /opt/{name}
variants:
  linux-amd64-cpu: {{}}
"""


def profile(root: Path, name: str, *, folder: str = "envs", more: str = "") -> Path:
    """Write a profile."""
    path = root / folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PROFILE.format(name=name, digest=DIGEST) + more)
    return path


def envbuild(root: Path, *arguments: str) -> Said:
    """Run envbuild as a process, with a cache of its own."""
    return process(list(arguments), root, {"UV_CACHE_DIR": str(root / ".cache")})


def locked(root: Path, *names: str) -> None:
    """Write profiles, lock them and render them."""
    for name in names:
        profile(root, name)
    for stage in (("lock", "--offline"), ("render",)):
        said = envbuild(root, *stage)
        assert said.exit == 0, said.stderr
