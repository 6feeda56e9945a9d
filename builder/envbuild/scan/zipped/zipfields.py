"""The parts of a zip's headers that can be read by themselves: names and extra fields. Pure."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from envbuild.errors import InputError

LARGE = 0xFFFFFFFF
"""What stands in 32 bits for a number that is said elsewhere in 64."""

_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_DRIVE = re.compile(r"[A-Za-z]:")


def refusal(label: str, why: str, name: str = "") -> InputError:
    """The error for a zip, or for one of its members."""
    said = f"{label}: {name!r} {why}" if name else f"{label} {why}"
    return InputError(said, hint="get the file anew; if it stays so, tell who published it")


def name_of(raw: bytes, *, utf8: bool, label: str) -> str:
    """The name of a member from its bytes; ``utf8``: it says to be UTF-8.

    Raises:
        InputError: it leads out of the folder that it is unpacked to, means different things on
            different systems, or is read as another text by other readers.
    """
    try:
        name = raw.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError:
        shown = raw.decode("utf-8", "backslashreplace")
        raise refusal(label, "has a name in an unknown alphabet", shown) from None
    parts = name.removesuffix("/").split("/")
    if "\\" in name or not name.isprintable():
        raise refusal(label, "has a name with a forbidden character", name)
    if name.startswith("/") or _DRIVE.match(name):
        raise refusal(label, "has an absolute name", name)
    if ".." in parts:
        raise refusal(label, "has a name that leads out of its folder", name)
    if "" in parts or "." in parts:
        raise refusal(label, "has a name that can be written in two ways", name or "(empty)")
    return name


def extra(data: bytes, raw: bytes, *, label: str, name: str) -> tuple[int, ...]:
    """The numbers of 64 bits in the extra field of the member whose name has the bytes ``raw``.

    Raises:
        InputError: it cannot be read, or names the member otherwise.
    """
    place, large = 0, None
    while place < len(data):
        if place + 4 > len(data):
            raise refusal(label, "has a broken extra field", name)
        kind, size = struct.unpack_from("<HH", data, place)
        field = data[place + 4 : place + 4 + size]
        place += 4 + size
        if place > len(data):
            raise refusal(label, "has a broken extra field", name)
        if kind == _ZIP64:
            if large is not None or size % 8:
                raise refusal(label, "says its size in two ways", name)
            large = struct.unpack(f"<{size // 8}Q", field)
        elif kind == _UNICODE_PATH and field[5:] != raw:
            raise refusal(label, "has two names", name)
    return large or ()


def widened(small: tuple[int, ...], large: tuple[int, ...]) -> tuple[int, ...] | None:
    """The numbers of a header, with those of 64 bits in the place of what did not fit.

    None where two readers may take different ones. Bazel says numbers in 64 bits that fit into 32;
    that is well where they are the same.
    """
    count = small.count(LARGE)
    if not count:
        return small if large == small[: len(large)] else None
    if len(large) != count:
        return None
    more = iter(large)
    return tuple(next(more) if one == LARGE else one for one in small)


def refuse_clashes(members: Iterable[tuple[str, str]], label: str) -> None:
    """Refuse two members of one name, and a file that is a folder of another; each with its kind.

    Raises:
        InputError: with the name.
    """
    kinds: dict[str, str] = {}
    for name, kind in members:
        if name in kinds:
            raise refusal(label, "is there twice", name)
        kinds[name] = kind
    good: set[str] = {""}
    for name in kinds:
        above = name.rpartition("/")[0]
        while above not in good:
            if kinds.get(above) == "file":
                raise refusal(label, "is a file and a folder", above)
            good.add(above)
            above = above.rpartition("/")[0]
