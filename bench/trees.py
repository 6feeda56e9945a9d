"""A tree of the size of Isaac Sim, of real modules, for measuring how fast one is examined."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

FILES = 200_000
MODULES = 20_000
APPARENT = 20 << 30
"""What Isaac Sim 5.1's image has, rounded: files, shared objects, bytes."""

_LARGEST = 300 << 10
"""Bytes of a module that is copied: the tree must fit on a laptop. Holes make up what is missing
to ``APPARENT``, as they lie behind the last section and are never asked for."""

_EACH = 400
"""Files of one distribution or extension."""

_NUMPY = "numpy==1.26.0"
_OTHER_NUMPY = "numpy==2.2.6"


def make(root: Path, files: int = FILES, *, cache: Path) -> Path:
    """Write the tree below ``root``: a simulator that was installed by pip, with a NumPy of its
    own that Kit has fetched, and another one in the environment. The prefix.

    ``cache`` keeps two wheels of NumPy, which pip fetches from the index of the user's settings.
    """
    share = files / FILES
    site = root / "lib/python3.11/site-packages"
    bundle = site / (
        "isaacsim/kit/data/Kit/isaacsim.exp.full/5.1/exts/3/omni.kit.pip_archive-0.0.0/pip_prebundle"
    )
    for wanted, place in ((_OTHER_NUMPY, site), (_NUMPY, bundle)):
        with zipfile.ZipFile(_wheel(wanted, cache)) as wheel:
            wheel.extractall(place)
    (root / "bin").mkdir()
    (root / "bin/python3.11").write_bytes(b"")
    (root / "conda-meta").mkdir()
    templates = _templates(bundle)
    modules = round(MODULES * share)
    groups = round(files / _EACH)
    for number in range(groups):
        own = range(number * modules // groups, (number + 1) * modules // groups)
        bodies = [templates[one % len(templates)] for one in own]
        if number % 2:
            _distribution(site, number, bodies)
        else:
            _extension(site / "isaacsim/extscache", number, bodies)
    return root


def _wheel(wanted: str, cache: Path) -> Path:
    folder = cache / wanted.replace("==", "-")
    if not folder.is_dir():
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={folder}"]
        tags = ["--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_17_x86_64"]
        subprocess.run([*argv, *tags, wanted], check=True)
    return next(folder.glob("*.whl"))


def _templates(numpy: Path) -> list[bytes]:
    """Modules as they are: every fourth one uses NumPy, the others what this Python has beside."""
    with_it = [path.read_bytes() for path in _small(numpy)]
    without = [path.read_bytes() for path in _small(Path(sys.prefix))][: 3 * len(with_it)]
    return [
        with_it[place // 4 % len(with_it)] if place % 4 == 0 else without[place % len(without)]
        for place in range(4 * len(with_it))
    ]


def _small(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.so")):
        if path.is_file() and path.stat().st_size <= _LARGEST:
            yield path


def _distribution(site: Path, number: int, modules: list[bytes]) -> None:
    name = f"generated_{number}"
    rows = []
    for path, size, digest in _files(site, name, modules):
        rows.append(f"{path},sha256={digest},{size}")
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    text = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: numpy>=1.23\n\nlong\n"
    )
    (metadata / "METADATA").write_text(text)
    (metadata / "INSTALLER").write_text("pip\n")
    rows += [f"{name}-1.0.dist-info/{one},," for one in ("METADATA", "INSTALLER", "RECORD")]
    (metadata / "RECORD").write_text("\n".join(rows) + "\n")


def _extension(cache: Path, number: int, modules: list[bytes]) -> None:
    name = f"omni.generated.part{number}-1.0.{number}+69cbf6ad.lx64.r.cp311"
    for _ in _files(cache, name, modules):
        pass
    (cache / name / "config").mkdir()
    (cache / name / "config/extension.toml").write_text('[package]\nversion = "1.0.0"\n')


def _files(folder: Path, name: str, modules: list[bytes]) -> Iterator[tuple[str, int, str]]:
    """Write one package; path, size and hash (as a RECORD has it) of each file."""
    for place in range(_EACH):
        inner = f"{name}/part{place // 40}"
        (folder / inner).mkdir(parents=True, exist_ok=True)
        if place < len(modules):
            path = f"{inner}/_module{place}.cpython-311-x86_64-linux-gnu.so"
            data = modules[place]
            (folder / path).write_bytes(data)
            size = max(len(data), APPARENT // MODULES)
            os.truncate(folder / path, size)
        else:
            path = f"{inner}/{'__init__' if place % 40 == 39 else f'module{place}'}.py"
            data = f"# {path}\n".encode()
            (folder / path).write_bytes(data)
            size = len(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        yield path, size, digest
