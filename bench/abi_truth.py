"""What importing them does: wheels in folders of their own, beside each NumPy in turn."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.engine import CACHE

from bench.abi_wheels import BESIDE

UV = str(Path(sys.executable).parent / "uv")
IMPORTING = str(Path(__file__).parent / "abi_importing.py")
_MODULE = re.compile(r"(?!lib)([^.]+)(\.cpython-311-x86_64-linux-gnu|\.abi3)?\.so")


class Laboratory:
    """A folder with every wheel in a folder of its own, and what their imports came to; without
    one, it is beside what the tests keep.

    Nothing is done twice: what is installed and what was measured stays for the next time.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder or CACHE / "abi"
        self._beside = self._installed("beside", BESIDE)

    def wheel(self, asked: str) -> Path:
        """The folder of a wheel, as ``name==version``, with what belongs to it behind."""
        return self._installed(asked.replace("==", "-").replace(" ", "_"), asked.split())

    def numpy(self, version: str) -> Path:
        """The folder of a NumPy; ``latest`` is the newest one of the index."""
        asked = "numpy" if version == "latest" else f"numpy=={version}"
        return self._installed(f"numpy-{version}", [asked])

    def outcomes(self, asked: str, numpy: str) -> Mapping[str, str]:
        """By module: what :mod:`bench.abi_importing` says of it."""
        wheel, numpys = self.wheel(asked), self.numpy(numpy)
        kept = self._folder / "truth" / f"{wheel.name}+numpy-{release(numpys)}.json"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(json.dumps(_imported((wheel, numpys, self._beside), modules(wheel))))
        found: dict[str, str] = json.loads(kept.read_text())
        return found

    def _installed(self, name: str, wanted: tuple[str, ...] | list[str]) -> Path:
        place = self._folder / name
        asked = place / ".asked"
        if not asked.exists() or asked.read_text() != " ".join(wanted):
            options = ("--quiet", "--no-deps", "--no-cache", "--only-binary=:all:")
            where = ("--python", sys.executable, "--target", str(place))
            argv = (UV, "pip", "install", *options, *where, *wanted)
            subprocess.run(argv, check=True)
            asked.write_text(" ".join(wanted))
        return place


def release(site: Path) -> str:
    """The version of the NumPy in a folder."""
    (found,) = site.glob("numpy-*.dist-info")
    return found.name.removeprefix("numpy-").removesuffix(".dist-info")


def modules(site: Path) -> list[tuple[str, str]]:
    """The extension modules below a folder by dotted name, with their paths, and its packages."""
    return sorted({**dict(_packages(site)), **dict(_extensions(site))}.items())


def _extensions(site: Path) -> Iterator[tuple[str, str]]:
    for path in site.rglob("*.so"):
        found = _MODULE.fullmatch(path.name)
        folders = path.parent.relative_to(site).parts
        if found and all(part.isidentifier() for part in folders):
            yield ".".join((*folders, found[1])), str(path)


def _packages(site: Path) -> Iterator[tuple[str, str]]:
    for path in site.glob("*/__init__.py"):
        yield path.parent.name, str(path)


def _imported(sites: tuple[Path, ...], wanted: list[tuple[str, str]]) -> Mapping[str, str]:
    argv = (sys.executable, "-I", "-S", IMPORTING, ":".join(map(str, sites)))
    done = subprocess.run(
        argv, input=json.dumps(wanted), check=True, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())
