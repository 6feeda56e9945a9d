"""Whether the packages of a folder are as they were installed, by their RECORD."""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .sites import Installed, packages


class Change(NamedTuple):
    """A package whose files are not those of its RECORD, or that is there twice."""

    package: Installed
    wrong: str


def changes(sites: Iterable[str]) -> tuple[list[Change], int]:
    """What is not as it was installed, and how many packages could be looked at.

    Every file is held against its size, the metadata and each ``__init__.py`` against its hash. A
    file that is missing below ``tests`` is no fault: images are trimmed. A package without RECORD
    (Debian's), or whose RECORD has no sizes (repacked wheels), says nothing.
    """
    found: list[Change] = []
    looked = 0
    for site in sites:
        installed = packages([site])
        found += _twice(installed)
        for one in installed:
            with contextlib.suppress(OSError):
                rows = _rows(one)
                looked += bool(rows)
                wrong = next(_wrong(site, rows), "")
                if wrong:
                    found.append(Change(one, wrong))
    return found, looked


def _twice(installed: list[Installed]) -> Iterator[Change]:
    first: dict[str, Installed] = {}
    for one in installed:
        before = first.setdefault(one.name, one)
        if before is not one and before.version != one.version:
            yield Change(one, f"{before.version} is recorded in the same folder")


def _rows(one: Installed) -> list[tuple[str, str, int]]:
    """Path, hash (``sha256=…`` or empty), size of each file that the RECORD says a size of."""
    path = os.path.join(one.metadata, "RECORD")
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) == 3 and row[2].isdigit()]
    return [(row[0], row[1], int(row[2])) for row in rows]


def _wrong(site: str, rows: list[tuple[str, str, int]]) -> Iterator[str]:
    for name, digest, size in rows:
        path = os.path.normpath(os.path.join(site, name))
        try:
            found = os.stat(path).st_size
        except OSError:
            if not _may_miss(name):
                yield f"{path} is missing"
            continue
        if found != size or (digest and _hashed(name) and _sha256(path) != digest):
            yield f"{path} is another file"


def _may_miss(name: str) -> bool:
    parts = name.split("/")
    return "tests" in parts or name.endswith(".pyc") or parts[0] == ".."


def _hashed(name: str) -> bool:
    return name.endswith((".dist-info/METADATA", "/__init__.py"))


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
