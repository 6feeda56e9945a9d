"""What an archive says of a suite (``Release``) and of its packages (``Packages``). Pure.

Signatures are not verified here: apt does that when it installs, and refuses a version that the
signed archive does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from envbuild.lock.apt.sources import Source, paragraphs

_FORMS = (".xz", ".gz", ".bz2", "")
_LARGEST = 1 << 30
"""Bytes of an unpacked index that are read; all of Debian has a twentieth of it."""


class IndexFile(Struct, frozen=True, kw_only=True):
    """A file of an archive: its path below the suite, its sha256 (64 hex digits), its bytes."""

    path: str
    sha256: str
    size: int


class Release(Struct, frozen=True, kw_only=True):
    """What a suite says of itself.

    ``date`` as RFC 3339 in UTC. ``snapshots`` is the address of its old states, with
    ``@SNAPSHOTID@`` in it, or empty. ``rank``: 2 where its packages are taken as a matter of
    course, 1 where only those are that are there already (backports), 0 where none is.
    """

    origin: str
    version: str
    codename: str
    suite: str
    date: str
    snapshots: str
    by_hash: bool
    rank: int
    separate_all: bool
    files: Mapping[str, IndexFile]

    @property
    def name(self) -> str:
        """What the archive calls itself: ``Debian 12.15 bookworm``."""
        return " ".join(filter(None, (self.origin, self.version, self.codename or self.suite)))


def release(text: str) -> Release:
    """A ``Release`` or ``InRelease``.

    Raises:
        ValueError: it is none, or says no date.
    """
    from email.utils import parsedate_to_datetime  # 10 ms

    fields = next(paragraphs(_unsigned(text)), {})
    moment = parsedate_to_datetime(fields.get("date", ""))
    moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    listed = (row.split() for row in fields.get("sha256", "").splitlines())
    files = {
        row[2]: IndexFile(path=row[2], sha256=row[0], size=int(row[1]))
        for row in listed
        if len(row) == 3 and re.fullmatch("[0-9a-f]{64}", row[0]) and row[1].isdigit()
    }
    snapshots = fields.get("snapshots", "")
    return Release(
        origin=fields.get("origin", ""),
        version=fields.get("version", ""),
        codename=fields.get("codename", ""),
        suite=fields.get("suite", ""),
        date=rfc3339(moment),
        snapshots=snapshots if "@SNAPSHOTID@" in snapshots else "",
        by_hash=fields.get("acquire-by-hash", "") == "yes",
        rank=_rank(fields),
        separate_all="all" in fields.get("architectures", "").split()
        and fields.get("no-support-for-architecture-all") != "Packages",
        files=files,
    )


def snapshot_id(moment: str) -> str:
    """A moment as apt's ``--snapshot`` takes it: ``20260212T000000Z``."""
    return moment.replace("-", "").replace(":", "")


def rfc3339(moment: datetime) -> str:
    """A moment in UTC as a lock has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _rank(fields: Mapping[str, str]) -> int:
    if fields.get("notautomatic", "no") != "yes":
        return 2
    return 1 if fields.get("butautomaticupgrades", "no") == "yes" else 0


def _unsigned(text: str) -> str:
    """What stands inside a clear signature (RFC 4880, 7); a plain text as it is."""
    begin = "-----BEGIN PGP SIGNED MESSAGE-----"
    if not text.startswith(begin):
        return text
    body = text.partition("\n\n")[2].partition("\n-----BEGIN PGP SIGNATURE-----")[0]
    return re.sub(r"^- ", "", body, flags=re.MULTILINE)


def indexes(found: Release, source: Source, architecture: str) -> tuple[IndexFile, ...]:
    """The lists of packages for an architecture that a suite has, in their smallest form."""
    kinds = [f"binary-{architecture}", *(["binary-all"] if found.separate_all else [])]
    stems = [f"{one}/{kind}/Packages" for one in source.components for kind in kinds] or [
        "Packages"
    ]
    best = (
        next(
            (found.files[f"{stem}{form}"] for form in _FORMS if f"{stem}{form}" in found.files),
            None,
        )
        for stem in stems
    )
    return tuple(one for one in best if one is not None)


def unpacked(data: bytes, path: str) -> bytes:
    """An index as plain text.

    Raises:
        ValueError: it is not packed as its name says, cut off, or too large.
    """
    import bz2
    import lzma
    import zlib

    try:
        if path.endswith(".xz"):
            return _limited(lzma.LZMADecompressor(), data)
        if path.endswith(".bz2"):
            return _limited(bz2.BZ2Decompressor(), data)
        if path.endswith(".gz"):
            return _limited(zlib.decompressobj(wbits=31), data)
    except (lzma.LZMAError, OSError, EOFError, zlib.error) as error:
        raise ValueError(str(error)) from None
    return data


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _limited(unpacker: _Unpacker, data: bytes) -> bytes:
    whole = unpacker.decompress(data, _LARGEST)
    if not unpacker.eof:
        raise ValueError("it is cut off, or too large")
    return whole


def versions(text: bytes, names: Iterable[str]) -> dict[str, list[str]]:
    """Every version of some packages that a list of packages has."""
    wanted = b"|".join(re.escape(name.encode()) for name in sorted(set(names)))
    found: dict[str, list[str]] = {}
    for match in re.finditer(rb"^Package: *(" + wanted + rb")[ \t]*$", text, re.MULTILINE):
        start = text.rfind(b"\n\n", 0, match.start()) + 1
        end = text.find(b"\n\n", match.end())
        stanza = text[start : end if end >= 0 else len(text)]
        version = re.search(rb"^Version: *(\S+)", stanza, re.MULTILINE)
        if version:
            found.setdefault(match[1].decode(), []).append(version[1].decode())
    return found


def installed(status: str) -> dict[str, str]:
    """The versions of what dpkg's status file says is installed."""
    return {
        fields["package"]: fields["version"]
        for fields in paragraphs(status)
        if {"package", "version"} <= fields.keys()
        and fields.get("status", "install ok installed").endswith(" installed")
    }
