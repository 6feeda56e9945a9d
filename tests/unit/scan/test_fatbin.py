"""The GPU architectures of embedded fatbins, and sections that lie about them."""

from __future__ import annotations

import struct

import pytest

from envbuild.scan.compiled import fatbin
from envbuild.scan.compiled.elf import Elf
from envbuild.scan.sources.content import Held
from tests.support.elf import Library, container, written

PTX, CODE = 1, 2


def architectures(data: bytes, section: str = ".nv_fatbin") -> tuple[str, ...]:
    return fatbin.architectures(Elf(Held(written(Library(sections={section: data})))))


def test_code_and_ptx_are_told_apart():
    data = container((CODE, 80, 0, 100), (CODE, 90, 0, 72), (PTX, 90, 0, 40))
    assert architectures(data) == ("compute_90", "sm_80", "sm_90")


def test_architectures_are_sorted_as_numbers_and_named_once():
    data = container((CODE, 120, 0, 8), (CODE, 90, 0, 8), (CODE, 90, 0, 8))
    assert architectures(data) == ("sm_90", "sm_120")


def test_code_for_one_architecture_or_one_family_only_says_so():
    data = container((CODE, 90, 1 << 20, 8), (CODE, 100, 1 << 21, 8), (CODE, 90, 0x11, 8))
    assert architectures(data) == ("sm_90", "sm_90a", "sm_100f")


def test_containers_stand_one_behind_the_other_with_padding_between():
    one, other = container((CODE, 75, 0, 13)), container((CODE, 86, 0, 8))
    assert architectures(one + bytes(-len(one) % 8) + bytes(4096) + other) == ("sm_75", "sm_86")


def test_relocatable_fatbins_are_read_too():
    assert architectures(container((CODE, 87, 0, 8)), "__nv_relfatbin") == ("sm_87",)


def test_kinds_of_code_that_are_not_known_are_left_out():
    assert architectures(container((8, 90, 0, 8), (CODE, 90, 0, 8))) == ("sm_90",)


def test_many_large_entries_are_hopped_over():
    data = container(*((CODE, 50 + number, 0, 100_000) for number in range(40)))
    assert len(architectures(data)) == 40


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x50\xed\x55\xba",
        b"no fatbin at all, but long enough to be one",
        bytes(200_000),
        struct.pack("<IHHQ", 0xBA55ED50, 1, 0, 100) * 10,
        struct.pack("<IHHQ", 0xBA55ED50, 1, 16, 0) * 10_000,
    ],
)
def test_what_is_no_fatbin_has_no_architectures(data: bytes):
    assert architectures(data) == ()


def test_sizes_that_lie_end_the_reading():
    good = container((CODE, 80, 0, 8))
    beyond = struct.pack("<IHHQ", 0xBA55ED50, 1, 16, 1 << 63)
    assert architectures(good + beyond + container((CODE, 90, 0, 8))[16:]) == ("sm_80", "sm_90")
    entry = struct.pack("<HHIQ12xI8xQ", CODE, 1, 64, (1 << 64) - 1, 70, 0)
    assert architectures(struct.pack("<IHHQ", 0xBA55ED50, 1, 16, 100) + entry.ljust(64)) == (
        "sm_70",
    )
    small = struct.pack("<HHIQ12xI8xQ", CODE, 1, 0, 0, 70, 0)
    assert architectures(struct.pack("<IHHQ", 0xBA55ED50, 1, 16, 100) + small.ljust(64)) == ()
