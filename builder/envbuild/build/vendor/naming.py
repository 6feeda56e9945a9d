"""What a file of a build context is, from the input folder that it lies in and its name. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion


class Named(Struct, frozen=True, kw_only=True):
    """A file's kind, the name and version of what it holds, and for which architecture (Debian)."""

    kind: Literal["wheel", "sdist", "conda", "deb", "python"]
    name: str
    version: str
    architecture: str = ""


def named(folder: str, filename: str) -> Named:
    """What a file is that lies in an input folder of the kind ``folder``."""
    if folder == "conda":
        return _conda(filename)
    if folder == "apt":
        return _deb(filename)
    if folder == "python":
        version = filename.removeprefix("cpython-").partition("-")[0]
        return Named(kind="python", name="python", version=version)
    return _package(filename)


def _package(filename: str) -> Named:
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except (InvalidWheelFilename, InvalidVersion):
        pass
    else:
        return Named(kind="wheel", name=str(name), version=str(version))
    try:
        own, version = parse_sdist_filename(filename)
    except (InvalidSdistFilename, InvalidVersion):
        bare = filename.removesuffix(".tar.bz2").removesuffix(".tgz")
        plain, _, text = bare.rpartition("-")  # older forms, as .tar.bz2
        return Named(kind="sdist", name=plain or bare, version=text if plain else "")
    return Named(kind="sdist", name=str(own), version=str(version))


def _conda(filename: str) -> Named:
    bare = filename.removesuffix(".conda").removesuffix(".tar.bz2")
    name, _, rest = bare.rpartition("-")
    above, _, version = name.rpartition("-")
    return Named(kind="conda", name=above or bare, version=f"{version}={rest}" if above else "")


def _deb(filename: str) -> Named:
    name, _, rest = filename.removesuffix(".deb").partition("_")
    version, _, architecture = rest.rpartition("_")
    text = version.replace("%3a", ":").replace("%3A", ":")
    return Named(kind="deb", name=name, version=text, architecture=architecture)
