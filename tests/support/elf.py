"""ELF files as a linker would write them, of either width and byte order, and fatbins."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

BASE = 0x10000
"""Where the file is mapped to, so that addresses are no offsets."""

MACHINES = {"x86_64": 62, "aarch64": 183, "arm": 40, "s390x": 22, "ppc64": 21, "riscv64": 243}

Data = bytes | Callable[[Mapping[str, int]], bytes]
"""A section's bytes, or what makes them of the addresses of those before it and its own."""


class Library(Struct, frozen=True, kw_only=True):
    """What a shared object says. ``demands`` are versions by library, ``offers`` what it defines,
    ``weak`` versions that may be lacking, ``symbols`` names it imports or exports."""

    machine: str = "x86_64"
    width: Literal[32, 64] = 64
    order: Literal["<", ">"] = "<"
    soname: str = ""
    needed: Sequence[str] = ()
    runpath: str = ""
    rpath: str = ""
    demands: Mapping[str, Sequence[str]] = {}
    offers: Sequence[str] = ()
    weak: Sequence[str] = ()
    symbols: Sequence[str] = ()
    sections: Mapping[str, Data] = {}
    headers: bool = True


def written(library: Library) -> bytes:
    """The file."""
    return _Writer(library).whole()


class _Strings:
    def __init__(self) -> None:
        self.data = b"\0"

    def add(self, text: str) -> int:
        place = self.data.find(b"\0" + text.encode() + b"\0")
        if place >= 0:
            return place + 1
        self.data += text.encode() + b"\0"
        return len(self.data) - len(text.encode()) - 1


class _Writer:
    def __init__(self, library: Library) -> None:
        self.library = library
        self.wide = library.width == 64
        self.strings = _Strings()
        self.addresses: dict[str, int] = {}
        self.table: list[tuple[str, int, int, int]] = []  # name, flags, address, size
        self.head = (64 + 2 * 56) if self.wide else (52 + 2 * 32)
        self.body = b""

    def pack(self, wide: str, narrow: str, *values: int) -> bytes:
        return struct.pack(self.library.order + (wide if self.wide else narrow), *values)

    def section(self, name: str, data: bytes, flags: int = 2) -> int:
        self.body += bytes(-(self.head + len(self.body)) % 16)
        address = BASE + self.head + len(self.body)
        self.body += data
        self.addresses[name] = address
        self.table.append((name, flags, address, len(data)))
        return address

    def whole(self) -> bytes:
        library = self.library
        entries = [(1, self.strings.add(one)) for one in library.needed]
        for tag, text in ((14, library.soname), (29, library.runpath), (15, library.rpath)):
            if text:
                entries.append((tag, self.strings.add(text)))
        for symbol in library.symbols:
            self.strings.add(symbol)
        demands, offers = self.demands(), self.offers()
        if demands:
            address = self.section(".gnu.version_r", demands)
            entries += [(0x6FFFFFFE, address), (0x6FFFFFFF, len(library.demands))]
        if offers:
            address = self.section(".gnu.version_d", offers)
            entries += [(0x6FFFFFFC, address), (0x6FFFFFFD, len(library.offers) + 1)]
        address = self.section(".dynstr", self.strings.data)
        entries += [(5, address), (10, len(self.strings.data)), (0, 0)]
        dynamic = b"".join(self.pack("QQ", "II", *one) for one in entries)
        start = self.section(".dynamic", dynamic) - BASE
        for name, data in library.sections.items():
            own = BASE + self.head + len(self.body)
            here = {**self.addresses, name: own + -own % 16}
            made = data(here) if callable(data) else data
            self.section(name, made, 6 if name.startswith(".text") else 2)
        return self.assembled(start, len(dynamic))

    def demands(self) -> bytes:
        """Of .gnu.version_r."""
        made = b""
        for number, (library, versions) in enumerate(self.library.demands.items()):
            last = number == len(self.library.demands) - 1
            size = 16 + 16 * len(versions)
            fields = (1, len(versions), self.strings.add(library), 16, 0 if last else size)
            made += struct.pack(self.library.order + "HHIII", *fields)
            for place, version in enumerate(versions):
                flags = 2 if version in self.library.weak else 0
                behind = 0 if place == len(versions) - 1 else 16
                fields = (0, flags, 2, self.strings.add(version), behind)
                made += struct.pack(self.library.order + "IHHII", *fields)
        return made

    def offers(self) -> bytes:
        """Of .gnu.version_d: the name of the library itself first."""
        if not self.library.offers:
            return b""
        made = b""
        names = (self.library.soname, *self.library.offers)
        for number, name in enumerate(names):
            last = number == len(names) - 1
            fields = (1, 0 if number else 1, number + 1, 1, 0, 20, 0 if last else 28)
            made += struct.pack(self.library.order + "HHHHIII", *fields)
            made += struct.pack(self.library.order + "II", self.strings.add(name), 0)
        return made

    def assembled(self, dynamic: int, size: int) -> bytes:
        library, names = self.library, _Strings()
        rows = [
            (names.add(name), flags, address, size) for name, flags, address, size in self.table
        ]
        own = names.add(".shstrtab")
        text = self.head + len(self.body)
        headers = text + len(names.data)
        headers += -headers % 8
        whole = text
        ident = bytes((2 if self.wide else 1, 1 if library.order == "<" else 2, 1)) + bytes(9)
        count = len(rows) + 2 if library.headers else 0
        start = b"\x7fELF" + ident
        start += self.pack(
            "HHIQQQIHHHHHH",
            "HHIIIIIHHHHHH",
            *(3, MACHINES[library.machine], 1, 0),
            *(64 if self.wide else 52, headers if library.headers else 0, 0),
            *((64, 56, 2, 64) if self.wide else (52, 32, 2, 40)),
            *(count, max(0, count - 1)),
        )
        start += self.segment(1, 0, whole) + self.segment(2, dynamic, size)
        if not library.headers:
            return start + self.body
        made = (start + self.body + names.data).ljust(headers, b"\0")
        made += self.header(0, 0, 0, 0, 0)
        for name, flags, address, length in rows:
            made += self.header(name, 1, flags, address, length)
        return made + self.header(own, 3, 0, BASE + text, len(names.data))

    def segment(self, kind: int, offset: int, size: int) -> bytes:
        at = BASE + offset
        if self.wide:
            return self.pack("IIQQQQQQ", "", kind, 5, offset, at, at, size, size, 8)
        return self.pack("", "IIIIIIII", kind, offset, at, at, size, size, 5, 8)

    def header(self, name: int, kind: int, flags: int, address: int, size: int) -> bytes:
        offset = address - BASE if address else 0
        fields = (name, kind, flags, address, offset, size, 0, 0, 1, 0)
        return self.pack("IIQQQQIIQQ", "IIIIIIIIII", *fields)


def amd_check(size: int, *, beside: int = 64) -> Data:
    """x86-64 code that gives Cython's check a name in .rodata (``dtype``) and a size, between two
    that give it another size."""

    def code(addresses: Mapping[str, int]) -> bytes:
        padding = b"\x90" * 200
        place = addresses[".text"] + len(padding)
        distance = addresses[".rodata"] + NAME - (place + 7)
        lea = b"\x48\x8d\x15" + struct.pack("<i", distance)
        move = b"\xb9" + struct.pack("<I", size)
        call = b"\xe8" + bytes(9)
        other = b"\x90" * 7 + b"\xb9" + struct.pack("<I", beside) + call
        return padding[len(other) :] + other + lea + move + call + other + padding

    return code


def arm_check(size: int, *, beside: int = 64) -> Data:
    """AArch64 code that does the same."""

    def code(addresses: Mapping[str, int]) -> bytes:
        nothing = struct.pack("<I", 0xD503201F)
        place = addresses[".text"] + 4 * 50
        name = addresses[".rodata"] + NAME
        pages = (name >> 12) - (place >> 12)
        page = 0x90000002 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
        rest = 0x91000000 | (name & 0xFFF) << 10 | 2 << 5 | 2
        move = 0xD2800003 | size << 5
        other = nothing * 4 + struct.pack("<I", 0xD2800003 | beside << 5) + nothing * 3
        check = struct.pack("<III", page, rest, move) + nothing
        return nothing * 42 + other + check + other + nothing * 50

    return code


TYPES = (
    b"%.200s.%.200s size changed, may indicate binary incompatibility.\0numpy\0flatiter\0dtype\0"
)
"""The .rodata of a module of Cython that checks NumPy's types."""

NAME = TYPES.index(b"dtype\0")


def container(*entries: tuple[int, int, int, int]) -> bytes:
    """A fatbin of entries: kind, architecture, flags, bytes of code."""
    made = b""
    for kind, architecture, flags, size in entries:
        header = struct.pack("<HHIQ12xI8xQ", kind, 0x101, 64, size, architecture, flags)
        made += header.ljust(64, b"\0") + b"\xcc" * size
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(made)) + made
