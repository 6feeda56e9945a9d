"""The NumPy that a module was compiled for: by texts, and by the size of a dtype in its code."""

from __future__ import annotations

import pytest

from envbuild.scan.binary import NumpyBuild
from envbuild.scan.compiled import numpyabi
from envbuild.scan.compiled.elf import Elf
from envbuild.scan.sources.content import Held
from tests.support.elf import TYPES, Data, Library, amd_check, arm_check, written

OLD = (
    b"\0numpy.core._multiarray_umath\0_ARRAY_API\0_ARRAY_API not found\0"
    b"module compiled against ABI version 0x%x but this version of numpy is 0x%x\0"
    b"module compiled against API version 0x%x but this version of numpy is 0x%x\0"
)
NEW = (
    b"\0numpy._core._multiarray_umath\0numpy.core._multiarray_umath\0_ARRAY_API\0"
    b"module compiled against ABI version 0x%x but this version of numpy is 0x%x\0"
    b"module was compiled against NumPy C-API version 0x%x (NumPy 1.23) but the running NumPy has"
    b" C-API version 0x%x. Check the section C-API incompatibility\0"
)
PYBIND = (
    b"\0pybind11 numpy support requires pybind11's own copy\0numpy.core.multiarray\0_ARRAY_API\0"
)


def build(**sections: Data) -> NumpyBuild | None:
    return of(Library(sections={f".{name}": data for name, data in sections.items()}))


def of(library: Library) -> NumpyBuild | None:
    return numpyabi.build(Elf(Held(written(library))))


def test_headers_of_numpy_1_are_known_by_what_they_lack():
    assert build(rodata=OLD) == NumpyBuild(generation=1, how="c-api")


def test_headers_of_numpy_2_say_since_which_numpy_the_module_runs():
    assert build(rodata=NEW) == NumpyBuild(generation=2, how="c-api", since="1.23")


def test_an_old_module_of_cython_fails_by_its_check_which_comes_first():
    assert build(rodata=OLD + TYPES) == NumpyBuild(generation=1, how="cython")
    assert build(rodata=NEW + TYPES) == NumpyBuild(generation=2, how="c-api", since="1.23")


def test_cythons_own_import_array_comes_before_its_check():
    text = b"failed to import (auto-generated because you didn't call 'numpy.import_array()' after"
    assert build(rodata=OLD + TYPES + text) == NumpyBuild(generation=1, how="c-api")


@pytest.mark.parametrize("name", ["rodata", "data", "rodata.str1.8", "lrodata"])
def test_texts_are_found_in_every_section_that_has_some(name: str):
    assert of(Library(sections={f".{name}": OLD})) is not None


@pytest.mark.parametrize("name", ["data.rel.ro", "debug_str", "comment", "nv_fatbin"])
def test_texts_elsewhere_are_none(name: str):
    assert of(Library(sections={f".{name}": OLD})) is None


def test_a_file_without_sections_is_searched_by_segment():
    assert of(Library(sections={".rodata": NEW}, headers=False)) == NumpyBuild(
        generation=2, how="c-api", since="1.23"
    )


@pytest.mark.parametrize(("width", "order"), [(64, ">"), (32, "<")])
def test_texts_are_the_same_on_every_machine(width: int, order: str):
    library = Library(machine="arm", width=width, order=order, sections={".rodata": OLD})
    assert of(library) == NumpyBuild(generation=1, how="c-api")


def test_a_text_that_lies_across_two_pieces_is_found():
    for cut in (1, 30, 100):
        padding = b"." * ((4 << 20) - cut)
        assert build(rodata=padding + NEW) == NumpyBuild(generation=2, how="c-api", since="1.23")


def test_pybind11_tells_whether_it_knows_numpy_2():
    assert build(rodata=PYBIND) == NumpyBuild(generation=1, how="pybind11")
    assert build(rodata=PYBIND + b"NumpyVersion\0") == NumpyBuild(generation=2, how="pybind11")


def test_a_module_with_an_old_pybind11_and_the_c_api_of_numpy_1_fails():
    assert build(rodata=PYBIND + OLD) == NumpyBuild(generation=1, how="c-api")


def test_a_module_with_an_old_pybind11_and_the_c_api_of_numpy_2_is_degraded():
    assert build(rodata=PYBIND + NEW) == NumpyBuild(generation=1, how="pybind11")


def test_a_module_that_names_numpy_only_uses_none():
    assert build(rodata=b"\0import numpy as np\0_ARRAY_API\0") is None
    assert build(rodata=b"nothing at all") is None


@pytest.mark.parametrize(("size", "generation"), [(96, 1), (32, 2), (88, 2)])
@pytest.mark.parametrize(("machine", "code"), [("x86_64", amd_check), ("aarch64", arm_check)])
def test_the_size_of_a_dtype_tells_where_there_is_no_text(machine, code, size, generation):
    library = Library(machine=machine, sections={".rodata": TYPES, ".text": code(size)})
    assert of(library) == NumpyBuild(generation=generation, how="cython", sure="heuristic")


@pytest.mark.parametrize(("machine", "code"), [("x86_64", amd_check), ("aarch64", arm_check)])
def test_without_sections_the_code_is_what_may_be_executed(machine, code):
    library = Library(
        machine=machine, sections={".rodata": TYPES, ".text": code(96)}, headers=False
    )
    assert of(library) == NumpyBuild(generation=1, how="cython", sure="heuristic")


@pytest.mark.parametrize(("machine", "code"), [("x86_64", amd_check), ("aarch64", arm_check)])
def test_a_size_that_is_none_of_numpys_says_nothing(machine, code):
    assert of(Library(machine=machine, sections={".rodata": TYPES, ".text": code(64)})) is None


@pytest.mark.parametrize(("machine", "code"), [("x86_64", amd_check), ("aarch64", arm_check)])
def test_of_several_sizes_the_one_beside_the_name_counts(machine, code):
    # Cython checks Python's own bool and complex in the same way; both have 32 bytes.
    library = Library(machine=machine, sections={".rodata": TYPES, ".text": code(96, beside=32)})
    assert of(library) == NumpyBuild(generation=1, how="cython", sure="heuristic")


def far_page(addresses):
    """AArch64 code whose page is taken long before the rest of the address is added."""
    code = arm_check(96)(addresses)
    place = next(n for n in range(0, len(code), 4) if code[n + 3] & 0x9F == 0x90)
    nothing = bytes.fromhex("1f2003d5")
    return (
        code[: place - 160]
        + code[place : place + 4]
        + code[place - 156 : place]
        + nothing
        + code[place + 4 :]
    )


def test_a_page_that_was_taken_far_away_is_taken_for_the_right_one():
    library = Library(machine="aarch64", sections={".rodata": TYPES, ".text": far_page})
    assert of(library) == NumpyBuild(generation=1, how="cython", sure="heuristic")


@pytest.mark.parametrize(("machine", "code"), [("x86_64", amd_check), ("aarch64", arm_check)])
def test_a_size_beside_another_name_says_nothing(machine, code):
    texts = b"otherone" + TYPES  # the code takes the address of what stands before the name
    assert of(Library(machine=machine, sections={".rodata": texts, ".text": code(96)})) is None


def test_code_of_other_machines_is_not_guessed_at():
    assert (
        of(Library(machine="s390x", order=">", sections={".rodata": TYPES, ".text": amd_check(96)}))
        is None
    )
