"""What the metadata of a package says of its licence. Nothing is guessed."""

from __future__ import annotations

import re
import tarfile

from envbuild.tools import packing, rattler

_LARGEST = 1 << 20
"""Bytes of metadata that are read."""

_PKG_INFO = re.compile(r"[^/]+/PKG-INFO")

_LONGEST = 200
"""Characters of a statement; what is longer is the text of a licence, not its name."""

_PREFIX = "License :: "
_GENERAL = frozenset({"OSI Approved", "DFSG approved", "Other/Proprietary License"})
"""Classifiers that name no licence, or say no more than that it is another."""

_NOTHING = frozenset({"", "unknown", "none", "other"})


def of_metadata(data: bytes) -> str:
    """The licence in the ``METADATA`` of a Python package: its ``License-Expression`` (an SPDX
    expression), else its ``License``, else its classifiers; empty where none of them names one."""
    head = data.partition(b"\n\n")[0].decode("utf-8", "replace").replace("\r\n", "\n")
    fields: dict[str, list[str]] = {}
    key = ""
    for line in head.split("\n"):
        if line[:1] in (" ", "\t"):
            if key:
                fields[key][-1] += f"\n{line}"
            continue
        key, colon, value = line.partition(":")
        key = key.lower() if colon else ""
        if key:
            fields.setdefault(key, []).append(value.strip())
    for key in ("license-expression", "license"):
        found = plain(fields.get(key, [""])[0])
        if found:
            return found
    named = (one.removeprefix(_PREFIX) for one in fields.get("classifier", ()) if _PREFIX in one)
    names = (one.removeprefix("OSI Approved :: ") for one in named if one not in _GENERAL)
    return " / ".join(sorted(set(names)))


def plain(text: str) -> str:
    """A statement of one line; empty for the whole text of a licence, and for one that says
    nothing."""
    text = text.strip()
    if "\n" in text or len(text) > _LONGEST or text.lower() in _NOTHING:
        return ""
    return text


def of_source(path: str) -> str:
    """The licence in the ``PKG-INFO`` of a source distribution (a tar); empty where there is none,
    or the file cannot be read."""
    try:
        with (
            open(path, "rb") as file,
            packing.plain(file) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as tar,
        ):
            for member in tar:
                if _PKG_INFO.fullmatch(member.name) and member.isreg():
                    found = tar.extractfile(member)
                    return of_metadata(found.read(_LARGEST)) if found else ""
    except (*packing.DAMAGE, tarfile.TarError, OSError):
        return ""
    return ""


def of_conda(path: str) -> str:
    """The licence in the ``index.json`` of a conda package; empty where it says none, or cannot be
    read."""
    try:
        found = rattler.library().IndexJson.from_package_archive(path)
    except (RuntimeError, OSError, ValueError):
        return ""
    return plain(found.license or "")
