"""One file, read whole: everything that it says, or why it says nothing."""

from __future__ import annotations

import errno
import os

import msgspec
import pytest

from envbuild.scan.binary import Binary, NumpyBuild
from envbuild.scan.compiled import binaries
from envbuild.scan.sources.content import Held, OnDisk
from tests.support.elf import Library, container, written

OLD = b"\0numpy.core._multiarray_umath\0_ARRAY_API\0"
MODULE = Library(
    needed=("libc.so.6",),
    demands={"libc.so.6": ("GLIBC_2.17",)},
    symbols=("PyInit__x", "PyList_New"),
    sections={".rodata": OLD, ".nv_fatbin": container((2, 90, 0, 64))},
)


def test_a_module_says_everything():
    assert binaries.read(Held(written(MODULE))) == Binary(
        machine="x86_64",
        needed=("libc.so.6",),
        demands=(("GLIBC", "2.17"),),
        python=True,
        numpy=NumpyBuild(generation=1, how="c-api"),
        gpus=("sm_90",),
    )


def test_what_does_not_use_python_is_not_asked_for_its_numpy():
    library = msgspec.structs.replace(MODULE, symbols=("malloc",))
    found = binaries.read(Held(written(library)))
    assert (found.python, found.numpy) == (False, None)


def test_a_file_on_the_disk_is_read_as_one_in_memory(tmp_path):
    data = written(MODULE)
    (tmp_path / "x.so").write_bytes(b"before" + data + b"behind")
    descriptor = os.open(tmp_path / "x.so", os.O_RDONLY)
    try:
        found = binaries.read(OnDisk(descriptor, len(data), offset=6))
    finally:
        os.close(descriptor)
    assert found == binaries.read(Held(data))


@pytest.mark.parametrize("data", [b"", b"INPUT(libc.so.6)", written(MODULE)[:400]])
def test_what_cannot_be_read_says_why_and_nothing_else(data: bytes):
    found = binaries.read(Held(data))
    assert found.wrong
    assert found == Binary(wrong=found.wrong)


class Failing(Held):
    def read(self, start: int, size: int) -> bytes:
        if start:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(start, size)


def test_a_disk_that_fails_is_told_and_not_raised():
    assert binaries.read(Failing(written(MODULE))).wrong == "Input/output error"


class Shrinking(Held):
    """A file that somebody else cuts off after its headers were read."""

    def read(self, start: int, size: int) -> bytes:
        return super().read(start, size) if start < 400 else b""


def test_a_file_that_is_cut_off_meanwhile_ends_quietly():
    assert binaries.read(Shrinking(written(MODULE))).machine == "x86_64"


class Counted(Held):
    """Counts what is read."""

    total = 0

    def read(self, start: int, size: int) -> bytes:
        data = super().read(start, size)
        self.total += len(data)
        return data


def test_large_sections_that_nobody_asks_about_are_not_read():
    library = msgspec.structs.replace(
        MODULE,
        sections={
            ".rodata": OLD,
            ".text": b"\x90" * 20_000_000,
            ".nv_fatbin": container((2, 80, 0, 20_000_000), (2, 90, 0, 20_000_000)),
        },
    )
    content = Counted(written(library))
    assert binaries.read(content).gpus == ("sm_80", "sm_90")
    assert content.total < 400_000
