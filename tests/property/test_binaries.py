"""Properties of reading ELF files: what was written is read, others read the same, broken ones end."""

from __future__ import annotations

import random
import time
from pathlib import Path

import msgspec
import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from hypothesis import given
from hypothesis import strategies as st
from tests.support.broken import broken
from tests.support.elf import TYPES, Library, amd_check, arm_check, container, written

from envbuild.scan.binary import Binary
from envbuild.scan.compiled import binaries, dynamic
from envbuild.scan.compiled.elf import Elf
from envbuild.scan.sources.content import Held

pytestmark = pytest.mark.property

NAMES = st.from_regex(r"lib[a-z]{1,12}\.so(\.[0-9]{1,2})?", fullmatch=True)
NUMBERS = st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 9))
FORMS = st.sampled_from([(64, "<"), (64, ">"), (32, "<"), (32, ">")])


@st.composite
def libraries(draw: st.DrawFn) -> Library:
    width, order = draw(FORMS)
    number = NUMBERS.map(lambda one: "FAMILY_" + ".".join(map(str, one)))
    return Library(
        width=width,
        order=order,
        soname=draw(NAMES),
        needed=draw(st.lists(NAMES, max_size=20, unique=True)),
        runpath=draw(st.sampled_from(["", "$ORIGIN", "/a:/b"])),
        demands=draw(st.dictionaries(NAMES, st.lists(number, min_size=1, max_size=5), max_size=5)),
        offers=draw(st.lists(number, max_size=5)),
        symbols=draw(st.lists(st.sampled_from(["malloc", "PyList_New", "Py_Exit"]), max_size=3)),
        headers=draw(st.booleans()),
    )


def newest(names: list[str]) -> tuple[tuple[str, str], ...]:
    numbers = [[int(part) for part in one.removeprefix("FAMILY_").split(".")] for one in names]
    return (("FAMILY", ".".join(map(str, max(numbers)))),) if numbers else ()


@given(libraries())
def test_what_was_written_is_read(library: Library):
    found = binaries.read(Held(written(library)))
    assert found == Binary(
        machine="x86_64",
        soname=library.soname,
        needed=tuple(library.needed),
        runpaths=tuple(filter(None, library.runpath.split(":"))),
        demands=newest([one for versions in library.demands.values() for one in versions]),
        offers=newest(list(library.offers)),
        python=any(symbol.startswith("Py") for symbol in library.symbols),
    )


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(data: bytes):
    binaries.read(Held(data))
    binaries.read(Held(b"\x7fELF\x02\x01\x01" + data))


RICH = Library(
    soname="libx.so",
    needed=("libc.so.6", "libm.so.6"),
    runpath="$ORIGIN",
    demands={"libc.so.6": ("GLIBC_2.17", "GLIBC_2.34"), "libm.so.6": ("GLIBC_2.29",)},
    offers=("X_1", "X_2"),
    symbols=("PyInit_x",),
    sections={
        ".rodata": TYPES,
        ".text": amd_check(96),
        ".nv_fatbin": container((2, 80, 0, 40), (2, 90, 0, 40)),
    },
)
BASES = [
    written(RICH),
    written(msgspec.structs.replace(RICH, headers=False)),
    written(
        msgspec.structs.replace(
            RICH, machine="aarch64", sections={".rodata": TYPES, ".text": arm_check(32)}
        )
    ),
    written(msgspec.structs.replace(RICH, width=32, order=">", machine="ppc64")),
]


@pytest.mark.parametrize("seed", range(4))
def test_broken_files_are_read_to_an_end(seed: int):
    chance = random.Random(seed)
    for _ in range(250):
        data = broken(chance.choice(BASES), chance)
        started = time.process_time()
        found = binaries.read(Held(data))
        assert time.process_time() - started < 1
        msgspec.json.encode(found)  # every text can be written
        assert not found.wrong or found == Binary(wrong=found.wrong)


def real() -> list[Path]:
    """The compiled modules of this very environment."""
    site = Path(msgspec.__file__).parents[1]
    return sorted(path for path in site.rglob("*.so") if path.stat().st_size < 4_000_000)


def test_real_modules_are_read_as_pyelftools_reads_them():
    modules = real()
    assert len(modules) > 10
    for path in modules:
        with path.open("rb") as file:
            expected = told(ELFFile(file))
        assert dynamic.read(Elf(Held(path.read_bytes())))[:5] == expected, path


def told(elf: ELFFile) -> tuple[object, ...]:
    """What pyelftools says: soname, libraries, paths, versions asked for, versions offered."""
    tags = [tag for one in elf.iter_sections(type="SHT_DYNAMIC") for tag in tags_of(one)]
    asked = [
        aux.name
        for section in elf.iter_sections(type="SHT_GNU_verneed")
        if isinstance(section, GNUVerNeedSection)
        for _, auxiliaries in section.iter_versions()
        for aux in auxiliaries
        if not aux["vna_flags"] & 2
    ]
    offered = [
        next(iter(auxiliaries)).name
        for section in elf.iter_sections(type="SHT_GNU_verdef")
        if isinstance(section, GNUVerDefSection)
        for version, auxiliaries in section.iter_versions()
        if not version["vd_flags"] & 1
    ]
    paths = [tag.runpath for tag in tags if tag.entry.d_tag == "DT_RUNPATH"]
    paths = paths or [tag.rpath for tag in tags if tag.entry.d_tag == "DT_RPATH"]
    return (
        next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), ""),
        tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
        tuple(one for path in paths for one in path.split(":") if one),
        dynamic._newest(asked),
        dynamic._newest(offered),
    )


def tags_of(section: object) -> list[object]:
    assert isinstance(section, DynamicSection)
    return list(section.iter_tags())
