"""The system that a tree lives in, and the conda packages of its prefixes. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import Counter

import msgspec

from envbuild.scan.linked.host import Host
from envbuild.scan.model import CondaPackage, System
from envbuild.scan.tree import Tree
from envbuild.tools import layers, typed

_RELEASES = ("/etc/os-release", "/usr/lib/os-release")
_LIBC = re.compile(r"(?:.*/)?libc(?:\.so\.6|-\d+\.\d+\.so)")
_CACHE = re.compile(r"/pkgs(?:/|$)")
"""conda's cache: what lies in it is not installed."""


class _Record(msgspec.Struct):
    name: str
    version: str = ""
    build: str = ""


def system(tree: Tree, host: Host | None) -> System:
    """The system of a tree: its own where it is a whole one, else this machine's.

    ``machine`` is that of most of its modules; without any, this machine's.
    """
    release = next((text for text in map(tree.text, _RELEASES) if text), "")
    whole = "/" in tree.roots and bool(release)
    debian = _debian(tree) if whole else ()
    machines = Counter(one.machine for one in tree.modules.values() if one.machine)
    here = host.machine if host is not None and not whole else ""
    most = max(machines, key=lambda name: (machines[name], name == here, name), default=here)
    known = host.glibc if host is not None else ""
    return System(
        release=_release(release),
        glibc=_glibc(tree, debian) if whole else known,
        machine=most,
        whole=whole,
        debian=debian,
    )


def _release(text: str) -> str:
    """``ubuntu 24.04``: ID and VERSION_ID of an os-release."""
    fields = dict(line.strip().partition("=")[::2] for line in text.splitlines() if "=" in line)
    values = (fields.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID"))
    return " ".join(filter(None, values))


def _glibc(tree: Tree, debian: tuple[tuple[str, str], ...]) -> str:
    for path, binary in tree.modules.items():
        if _LIBC.fullmatch(path) and path.startswith(("/lib", "/usr/lib")):
            offered = dict(binary.offers).get("GLIBC", "")
            if offered:
                return offered
    version = re.match(r"(?:\d+:)?(\d+\.\d+)", dict(debian).get("libc6", ""))
    return version[1] if version else ""


def _debian(tree: Tree) -> tuple[tuple[str, str], ...]:
    """Name and version of each Debian package; an image without dpkg has a file for each."""
    parts = [f"/var/lib/dpkg/status.d/{name}" for name in tree.names("/var/lib/dpkg/status.d")]
    found: set[tuple[str, str]] = set()
    for path in ("/var/lib/dpkg/status", *parts):
        data = tree.texts.get(tree.place(path).path, b"")
        found.update((one.name, one.version) for one in layers.debian_packages(data))
    return tuple(sorted(found))


def conda(tree: Tree) -> tuple[CondaPackage, ...]:
    """The packages of every conda prefix, as its records say them; of one that cannot be read,
    as its name does."""
    found = []
    for folder in tree.folders:
        prefix, name = posixpath.split(folder)
        if name == "conda-meta" and not _CACHE.search(prefix):
            for record in tree.names(folder):
                stem, suffix = posixpath.splitext(record)
                parts = stem.rsplit("-", 2)
                said = _record(tree.texts.get(f"{folder}/{record}", b""))
                if suffix == ".json" and (said or len(parts) == 3):
                    said = said or _Record(*parts)
                    found.append(
                        CondaPackage(
                            name=said.name, version=said.version, build=said.build, prefix=prefix
                        )
                    )
    return tuple(sorted(found))


def _record(data: bytes) -> _Record | None:
    try:
        return typed.decode(data, _Record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
