"""What an image says of its Debian packages: its distribution, its archives, what is installed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from envbuild.lock.apt.release import installed
from envbuild.tools import cached, files, typed
from envbuild.tools.imagefiles import ImageFiles
from envbuild.tools.manifests import Manifest
from envbuild.tools.registry import Registry

_LARGEST_LAYER = 200 * 1000 * 1000
_LARGEST = 300 * 1000 * 1000
"""Bytes of layers, as they are stored, that are read of one image, the lowest first. A larger
layer is what is built on a distribution, and seldom the distribution itself."""

_RELEASE = ("etc/os-release", "usr/lib/os-release")
_LISTS = r"etc/apt/sources\.list|etc/apt/sources\.list\.d/[^/]+\.(list|sources)"
_STATUS = r"var/lib/dpkg/status(?:\.d/[^/]+)?"
_WANTED = f"{'|'.join(map(re.escape, _RELEASE))}|{_LISTS}|{_STATUS}"


class ImageSystem(Struct, frozen=True, kw_only=True):
    """What was read from an image.

    ``distribution`` is its name and version (``ubuntu 24.04``), ``lists`` are apt's files by path,
    ``installed`` the versions of its packages, ``created`` the moment at which it says that it was
    made, ``unread`` how many layers were too large to be looked at.
    """

    distribution: str
    lists: Mapping[str, str]
    installed: Mapping[str, str]
    created: str
    unread: int = 0


def read(registry: Registry, reference: str, manifest: Manifest, cache: str) -> ImageSystem:
    """What an image says; of an image that was read before, what is in the folder ``cache``.

    Raises:
        NetError: the image cannot be read.
    """
    path = f"{cache}/images/{manifest.digest.partition(':')[2]}.json"
    known = files.read_if_exists(path)
    if known is not None:
        try:
            return typed.decode(known, ImageSystem)
        except msgspec.MsgspecError:
            pass  # of another time: it is read anew
    found = ImageFiles(_WANTED)
    unread = total = 0
    for layer in manifest.layers:
        if layer.size > _LARGEST_LAYER or total + layer.size > _LARGEST:
            unread += 1
            continue
        total += layer.size
        found.add(registry.blob(reference, layer))
    texts = {path: data.decode("utf-8", "replace") for path, data in found.files.items()}
    made = ImageSystem(
        distribution=_distribution(texts),
        lists={path: text for path, text in sorted(texts.items()) if re.fullmatch(_LISTS, path)},
        installed=_installed(texts),
        created=registry.created(reference, manifest),
        unread=unread,
    )
    cached.keep(path, msgspec.json.encode(made, order="sorted"))
    return made


def _distribution(texts: Mapping[str, str]) -> str:
    text = next((texts[path] for path in _RELEASE if path in texts), "")
    fields = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
    values = (fields.get(name, "").strip("\"' \t") for name in ("ID", "VERSION_ID"))
    return " ".join(filter(None, values))


def _installed(texts: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, text in sorted(texts.items()):
        if re.fullmatch(_STATUS, path):
            found |= installed(text)
    return found
