"""This machine's libraries, out of its loader's cache."""

from __future__ import annotations

import struct

import pytest

from envbuild.scan.linked import host

X86, ARM, I386 = 0x0303, 0x0A03, 0x0003
ENTRIES = [
    (X86, "libGL.so.1", "/lib/x86_64-linux-gnu/libGL.so.1"),
    (I386, "libGL.so.1", "/lib/i386-linux-gnu/libGL.so.1"),
    (ARM, "libz.so.1", "/lib/aarch64-linux-gnu/libz.so.1"),
]
LIBRARIES = {"libGL.so.1": "/lib/x86_64-linux-gnu/libGL.so.1"}


def cache(entries: list[tuple[int, str, str]] = ENTRIES) -> bytes:
    """As ldconfig writes it (glibc, dl-cache.h)."""
    start, names, table = 48 + 24 * len(entries), b"", b""
    for kind, *texts in entries:
        places = []
        for text in texts:
            places.append(start + len(names))
            names += text.encode() + b"\0"
        table += struct.pack("<iIIIQ", kind, *places, 0, 0)
    head = struct.pack("<20sIIIIIII", b"glibc-ld.so.cache1.1", len(entries), len(names), *[0] * 5)
    return head + table + names


def test_the_libraries_of_a_machine() -> None:
    assert dict(host.cached(cache(), "x86_64")) == LIBRARIES
    assert dict(host.cached(cache(), "aarch64")) == {"libz.so.1": ENTRIES[2][2]}
    assert dict(host.cached(cache(), "riscv64")) == {}


def test_the_new_form_behind_the_old_one() -> None:
    old = b"ld.so-1.7.0\0" + struct.pack("<I", 1) + bytes(16)
    assert dict(host.cached(old + cache(), "x86_64")) == LIBRARIES


@pytest.mark.parametrize("data", [b"", b"glibc-ld.so.cache1.1", b"x" * 100])
def test_what_is_no_cache(data: bytes) -> None:
    assert dict(host.cached(data, "x86_64")) == {}


def test_a_damaged_cache() -> None:
    whole = cache()
    for length in range(len(whole)):
        assert len(dict(host.cached(whole[:length], "x86_64"))) <= 1
    many = whole.replace(struct.pack("<I", 3), struct.pack("<I", 0xFFFFFFFF), 1)
    assert LIBRARIES.items() <= dict(host.cached(many, "x86_64")).items()


def test_this_machine() -> None:
    here = host.read()
    assert "libc.so.6" in here.libraries
    assert dict(here.offers)["GLIBC"] == here.glibc
    assert here.glibc.startswith("2.")
