"""Folders that stand in for an image's, and the static probes asked about them."""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

from envbuild.smoke.probes import static


def install(site: Path, name: str, version: str, files: dict[str, bytes] | None = None) -> Path:
    """A package as pip leaves it."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = site / f"{stem}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    rows = []
    written = files or {f"{name.replace('-', '_')}/__init__.py": b"x = 1\n"}
    for path, data in written.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(data)
        rows.append((path, data))
    rows.append((f"{stem}.dist-info/METADATA", (metadata / "METADATA").read_bytes()))
    lines = [f"{path},{_sha256(data)},{len(data)}" for path, data in rows]
    (metadata / "RECORD").write_text("\n".join([*lines, f"{stem}.dist-info/RECORD,,"]) + "\n")
    return metadata


def _sha256(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def numpy_copy(site: Path, version: str, *, old: bool = False) -> None:
    files = {"numpy/__init__.py": b"", "numpy/version.py": f'version = "{version}"\n'.encode()}
    if old:
        files["numpy/version.py"] = b"from ._version import get_versions\n"
        files["numpy/_version.py"] = f'json = """ "version": "{version}" """\n'.encode()
    install(site, "numpy", version, files)


def asked(checks: tuple[str, ...], monkeypatch, *path: Path, **values):
    monkeypatch.setattr(sys, "path", [str(one) for one in path])
    plan = {
        "packages": {},
        "provided": {},
        "bundled_sites": [],
        "numpy": "",
        "simulator": False,
        "cores": [],
        "preset": [],
        **values,
    }
    return {one["check"]: one for one in static.run({"checks": checks, **plan})}
