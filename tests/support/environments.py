"""Small environments as files by path: conda prefixes with an Isaac Sim of tiny packages."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tests.support import image, layers

Files = dict[str, str]
"""Text by a path relative to the root. A path that begins with ``link:`` is a link to its text."""

SITE = "lib/python3.11/site-packages"
BUNDLE = f"{SITE}/isaacsim/extscache/omni.kit.pip_archive-0.0.0+d02c707b.lx64.cp311/pip_prebundle"


def installed(
    site: str,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    requires: tuple[str, ...] = (),
    installer: str = "pip",
) -> Files:
    """A distribution in a site: its files, and the metadata that pip would write."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    asks = "".join(f"Requires-Dist: {one}\n" for one in requires)
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{asks}\n",
        f"{info}/INSTALLER": f"{installer}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n",
    }
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in whole.items()]
    record = {f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"}
    return {f"{site}/{path}": text for path, text in {**whole, **record}.items()}


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def numpy(site: str, version: str, *, installer: str = "pip") -> Files:
    """NumPy: few of its files, in the folders of its version."""
    core = "core" if version.startswith("1.") else "_core"
    files = {
        "numpy/__init__.py": f"# numpy {version}\n",
        "numpy/version.py": f'version = "{version}"\n__version__ = version\n',
        f"numpy/{core}/__init__.py": f"# core of {version}\n",
        "numpy/random/__init__.py": f"# random of {version}\n",
    }
    return installed(site, "numpy", version, files, installer=installer)


def isaac_sim(*, numpy_of_site: str = "1.26.0", numpy_of_bundle: str = "1.26.0") -> Files:
    """A conda prefix with Isaac Sim 5.1.0 as pip installs it, and the NumPy that its archive
    extension brings."""
    kernel = {"isaacsim/kit/kernel/py/carb/__init__.py": "# carb\n"}
    front = {"isaacsim/__init__.py": "# isaacsim\n"}
    return {
        "conda-meta/history": "",
        "conda-meta/python-3.11.13-h9e4cc4f_0_cpython.json": json.dumps(
            {"name": "python", "version": "3.11.13", "build": "h9e4cc4f_0_cpython"}
        ),
        "bin/python3.11": "#!/bin/sh\n",
        "link:bin/python": "python3.11",
        f"{SITE}/README.txt": "This folder holds packages.\n",
        **installed(
            SITE,
            "isaacsim-kernel",
            "5.1.0.0",
            kernel,
            requires=(f"numpy=={numpy_of_bundle}",),
        ),
        **installed(SITE, "isaacsim", "5.1.0.0", front, requires=("isaacsim-kernel==5.1.0.0",)),
        **numpy(SITE, numpy_of_site),
        **numpy(BUNDLE, numpy_of_bundle),
    }


def loops() -> Files:
    """A virtual environment with links that lead to each other, to nothing, and out of it."""
    site = "lib/python3.12/site-packages"
    return {
        "pyvenv.cfg": "home = /usr/bin\nversion = 3.12.3\ninclude-system-site-packages = false\n",
        "link:bin/python": "/usr/bin/python3.12",
        **numpy(site, "2.3.1"),
        f"link:{site}/round": "about",
        f"link:{site}/about": "round",
        f"link:{site}/gone": "nowhere/at/all",
    }


ENVIRONMENTS = {
    "healthy": isaac_sim,
    "two-numpys": lambda: isaac_sim(numpy_of_site="2.2.6"),
    "loops": loops,
}


def place(name: str, path: Path) -> None:
    """Write an environment: as a folder, or where the path says so as a saved image (``.tar``), an
    OCI layout (``.oci``) or a container's root (``.rootfs``), in which it is ``/opt/lab``."""
    files = ENVIRONMENTS[name]()
    path.parent.mkdir(parents=True, exist_ok=True)
    match path.suffix:
        case ".rootfs":
            path.write_bytes(root_of(files))
        case ".oci":
            image.oci_layout(path, image.blobs([root_of(files)]))
        case ".tar":
            image.docker_archive(path, [root_of({}), root_of(files)])
        case _:
            write(files, path)


def write(files: Files, root: Path) -> None:
    """Write files and links to a folder."""
    for path, text in files.items():
        where = root / path.removeprefix("link:")
        where.parent.mkdir(parents=True, exist_ok=True)
        if path.startswith("link:"):
            where.symlink_to(text)
        else:
            where.write_text(text)


def root_of(files: Files) -> bytes:
    """A root file system as a tar: an Ubuntu with the files in ``/opt/lab``."""
    entries = [
        layers.folder("etc"),
        layers.entry("etc/os-release", b'ID=ubuntu\nVERSION_ID="24.04"\n'),
    ]
    for path, text in files.items():
        place = f"opt/lab/{path.removeprefix('link:')}"
        if path.startswith("link:"):
            entries.append(layers.link(place, text))
        else:
            entries.append(layers.entry(place, text.encode()))
    return layers.tar(*entries)
