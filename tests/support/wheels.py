"""Wheels of the tests, and zips whose headers say whatever a test wants them to say."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.elf import Library, written


def wheel(
    name: str, version: str, files: Mapping[str, bytes], *, tag: str = "cp311-cp311-linux_x86_64"
) -> bytes:
    """A sound wheel with these files beside its metadata; the same bytes each time."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nTag: {tag}\n".encode(),
    }
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in whole.items()]
    whole[f"{info}/RECORD"] = ("\n".join([*rows, f"{info}/RECORD,,"]) + "\n").encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in whole.items():
            one = zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0))
            one.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(one, data)
    return made.getvalue()


def numpy_1_module(*, glibc: str = "2.17") -> bytes:
    """A module of Python that was compiled against NumPy 1, as far as can be read from it."""
    text = b"\0numpy.core._multiarray_umath\0_ARRAY_API\0"
    return written(
        Library(
            demands={"libc.so.6": [f"GLIBC_{glibc}"]},
            symbols=("PyInit_m", "PyList_New"),
            sections={".rodata": text},
        )
    )


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A member. ``local`` and ``central`` replace what its two headers would say; ``between`` is
    what stands behind its content."""

    name: str = "a.py"
    data: bytes = b"x = 1\n"
    deflated: bool = True
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    between: bytes = b""

    @property
    def packed(self) -> bytes:
        """Its content as it stands in the file."""
        packing = zlib.compressobj(wbits=-15)
        return packing.compress(self.data) + packing.flush() if self.deflated else self.data

    @property
    def said(self) -> dict[str, int | bytes]:
        """What both headers say of it when they say the truth."""
        return {
            "flags": 0x800 if not self.name.isascii() else 0,
            "method": 8 if self.deflated else 0,
            "crc": zlib.crc32(self.data),
            "packed": len(self.packed),
            "size": len(self.data),
            "name": self.name.encode(),
            "extra": b"",
        }

    def description(self, *, marked: bool = True) -> bytes:
        """What may stand behind its content."""
        said = struct.pack("<LLL", zlib.crc32(self.data), len(self.packed), len(self.data))
        return b"PK\7\x08" * marked + said

    def own_header(self) -> bytes:
        """The header before its content."""
        said = {**self.said, **self.local}
        numbers = (20, 0, said["flags"], said["method"], 0, 33)
        sizes = (said["crc"], said["packed"], said["size"], len(said["name"]), len(said["extra"]))
        return (
            struct.pack("<4s2B4HL2L2H", b"PK\3\4", *numbers, *sizes) + said["name"] + said["extra"]
        )

    def entry(self, offset: int) -> bytes:
        """Its entry in the directory."""
        said = {**self.said, "mode": 0o100644, "offset": offset, "disk": 0, **self.central}
        numbers = (20, 3, 20, 0, said["flags"], said["method"], 0, 33)
        sizes = (said["crc"], said["packed"], said["size"], len(said["name"]), len(said["extra"]))
        rest = (0, said["disk"], 0, said["mode"] << 16, said["offset"])
        header = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *numbers, *sizes, *rest)
        return header + said["name"] + said["extra"]


def crafted(
    *members: Raw, before: bytes = b"", comment: bytes = b"", end: Mapping[str, int] | None = None
) -> bytes:
    """A zip of members; ``end`` replaces what its end says (``count``, ``size``, ``directory``)."""
    data, entries = before, b""
    for member in members:
        entries += member.entry(len(data))
        data += member.own_header() + member.packed + member.between
    said = {"count": len(members), "size": len(entries), "directory": len(data), **(end or {})}
    return data + entries + small_end(said, comment)


def small_end(said: Mapping[str, int], comment: bytes = b"") -> bytes:
    """An end record."""
    numbers = (0, 0, said["count"], said["count"], said["size"], said["directory"], len(comment))
    return struct.pack("<4s4H2LH", b"PK\5\6", *numbers) + comment


def large_end(place: int, said: Mapping[str, int]) -> bytes:
    """An end record of 64 bits that stands at ``place``, with its locator."""
    numbers = (44, 45, 45, 0, 0, said["count"], said["count"], said["size"], said["directory"])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *numbers)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, place, 1)
