"""Small environments on disk as pip leaves them, and how a tree of files looks byte for byte."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from envbuild.doctor.repair.repairing import Part, Replacement
from tests.support.wheels import wheel

PYTHON = "3.11"


def site(prefix: Path) -> Path:
    return prefix / f"lib/python{PYTHON}/site-packages"


def environment(prefix: Path) -> Path:
    """A prefix with an interpreter and no packages."""
    site(prefix).mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").write_text("an interpreter")
    (prefix / "bin/python").chmod(0o755)
    return prefix


def installed(prefix: Path, name: str, version: str, files: dict[str, str], **more: str) -> None:
    """A distribution; ``more`` are files of its metadata. Paths are relative to the site."""
    here = site(prefix)
    info = f"{name}-{version}.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/INSTALLER": "pip\n",
        **{f"{info}/{key}": text for key, text in more.items()},
    }
    rows = []
    for path, text in whole.items():
        place = here / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        rows.append(f"{path},sha256={digest.rstrip('=')},{len(text)}")
    rows.append(f"{info}/RECORD,,")
    (here / info / "RECORD").write_text("\n".join(rows) + "\n")


def numpy(prefix: Path) -> Path:
    """A prefix with NumPy 2.2.6 and SciPy, as it is after some use."""
    environment(prefix)
    installed(
        prefix,
        "numpy",
        "2.2.6",
        {
            "numpy/__init__.py": "version = '2.2.6'\n",
            "numpy/_core/__init__.py": "new = True\n",
            "numpy/_core/multiarray.so": "two\n",
            "numpy/random/__init__.py": "",
            "../../../bin/f2py": "#!old\n",
        },
        REQUESTED="",
    )
    installed(prefix, "scipy", "1.15.3", {"scipy/__init__.py": "import numpy\n"})
    here = site(prefix)
    (here / "numpy/__pycache__").mkdir()
    (here / "numpy/__pycache__/__init__.cpython-311.pyc").write_bytes(b"compiled")
    (prefix / "bin/f2py").chmod(0o755)
    for index, path in enumerate(sorted(prefix.rglob("*"))):
        os.utime(path, ns=(10**18 + index, 10**18 + index))
    os.utime(prefix, ns=(10**18, 10**18))
    return prefix


def new_numpy(folder: Path, version: str = "1.26.0") -> str:
    """The path of a small wheel of another NumPy, which has a script and data."""
    files = {
        "numpy/__init__.py": b"version = '1.26.0'\n",
        "numpy/core/__init__.py": b"old = True\n",
        "numpy/core/multiarray.so": b"one\n",
        "numpy/random/__init__.py": b"",
        f"numpy-{version}.data/scripts/conv-template": b"#!python\nprint()\n",
        f"numpy-{version}.data/data/share/doc/numpy.txt": b"words\n",
        f"numpy-{version}.dist-info/entry_points.txt": b"[console_scripts]\nf2py = numpy.f2py:main\n",
    }
    path = folder / f"numpy-{version}-cp311-cp311-manylinux_2_17_x86_64.whl"
    path.write_bytes(wheel("numpy", version, files))
    return str(path)


def replacement(prefix: Path, *, version: str = "1.26.0") -> Replacement:
    return Replacement(
        site=str(site(prefix)),
        distribution="numpy",
        version=version,
        found="2.2.6",
        python=PYTHON,
        interpreter=f"{prefix}/bin/python",
        machine="x86_64",
        glibc="2.35",
    )


def part(prefix: Path, **changes: object) -> Part:
    values = {"prefix": str(prefix), "replacements": (replacement(prefix),), **changes}
    return Part(**values)  # type: ignore[arg-type]


def looks(top: Path) -> dict[str, tuple[object, ...]]:
    """Everything about every path below a folder, and about the folder."""
    found = {}
    for path in [top, *top.rglob("*")]:
        info = path.lstat()
        if path.is_symlink():
            content: object = os.readlink(path)
        else:
            content = path.read_bytes() if path.is_file() else "folder"
        found[str(path.relative_to(top))] = (info.st_mode, info.st_mtime_ns, content)
    return found
