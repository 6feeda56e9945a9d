"""A library is said to be missing, or too old, only where that is known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from envbuild.scan.binary import Binary
from envbuild.scan.installed import modules
from envbuild.scan.linked import libraries
from envbuild.scan.linked.host import Host
from envbuild.scan.model import Lacking, Newer, Site, System
from envbuild.scan.tree import Tree
from tests.support.scanned import Link, tree

SITE = "/env/lib/python3.11/site-packages"
MODULE = f"{SITE}/a/_c.abi3.so"
WHOLE = System(machine="x86_64", whole=True, glibc="2.35")
FOLDER = System(machine="x86_64", glibc="2.35")
HOST = Host(
    machine="x86_64",
    glibc="2.35",
    libraries=frozenset({"libstdc++.so.6", "libGL.so.1"}),
    offers=(("GLIBC", "2.35"), ("GLIBCXX", "3.4.29"), ("CXXABI", "1.3.13")),
)
Demands = tuple[tuple[str, str], ...]


def elf(
    *needed: str,
    demands: Demands = (),
    offers: Demands = (),
    runpaths: tuple[str, ...] = (),
    machine: str = "x86_64",
    soname: str = "",
) -> Binary:
    return Binary(
        machine=machine,
        needed=needed,
        demands=demands,
        offers=offers,
        runpaths=runpaths,
        soname=soname,
        python=True,
    )


def scanned(binaries: Mapping[str, Binary], files: Mapping[str, object] | None = None) -> Tree:
    roots = ("/",)
    return tree(files or {}, modules=binaries, roots=roots)  # type: ignore[arg-type]


def lacking(
    binaries: Mapping[str, Binary],
    files: Mapping[str, object] | None = None,
    *,
    system: System = WHOLE,
    host: Host | None = None,
) -> list[str]:
    return [one.library for one in found(scanned(binaries, files), system, host)]


def found(here: Tree, system: System, host: Host | None = None) -> tuple[Lacking, ...]:
    known = [Site(path=SITE, real=SITE, kind="site")]
    owners = dict.fromkeys(here.modules, "a")
    return libraries.lacking(here, modules.find(here, known, owners), system, host)


def newer(
    binaries: Mapping[str, Binary],
    files: Mapping[str, object] | None = None,
    *,
    system: System = WHOLE,
    host: Host | None = None,
) -> tuple[Newer, ...]:
    here = scanned(binaries, files)
    known = [Site(path=SITE, real=SITE, kind="site")]
    return libraries.newer(here, modules.find(here, known, {}), system, host)


def test_what_nobody_has() -> None:
    here = scanned({MODULE: elf("libGL.so.1", "libc.so.6")})
    assert found(here, WHOLE) == (
        Lacking(library="libGL.so.1", needed_by=(MODULE,), count=1, distributions=("a",)),
    )


def test_eight_modules_are_told_of_many() -> None:
    many = {f"{SITE}/a/{letter}.abi3.so": elf("libx.so.1") for letter in "abcdefghij"}
    (one,) = found(scanned(many), WHOLE)
    assert (len(one.needed_by), one.count) == (8, 10)


@pytest.mark.parametrize(
    "name",
    [
        "libc.so.6",
        "libpthread.so.0",
        "ld-linux-x86-64.so.2",
        "libpython3.11.so.1.0",
        "libcuda.so.1",
        "libnvidia-ml.so.1",
        "libnvoptix.so.1",
        "libGLX_nvidia.so.0",
        "",
    ],
)
def test_what_the_interpreter_or_the_driver_brings(name: str) -> None:
    assert lacking({MODULE: elf(name)}) == []


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/a.libs/libx.so.1",
        f"{SITE}/nvidia/x/lib/libx.so.1",
        "/isaac-sim/kit/plugins/libx.so.1",
        "/usr/lib/x86_64-linux-gnu/libx.so.1",
    ],
)
def test_what_any_folder_of_the_tree_has(path: str) -> None:
    assert lacking({MODULE: elf("libx.so.1")}, {path: 1}) == []
    assert lacking({MODULE: elf("libx.so.1")}, {path: Link("libx.so.1.2")}) == ["libx.so.1"]
    there = {path: Link("libx.so.1.2"), f"{path}.2": 1}
    assert lacking({MODULE: elf("libx.so.1")}, there) == []


def test_a_library_that_calls_itself_so() -> None:
    other = {"/opt/libx-1.2.so": elf(soname="libx.so.1")}
    assert lacking({MODULE: elf("libx.so.1"), **other}) == []


def test_the_libraries_of_a_conda_prefix_are_its_own() -> None:
    conda = {"/conda/conda-meta/history": 1, "/conda/lib/libx.so.1": 1}
    assert lacking({MODULE: elf("libx.so.1")}, conda) == ["libx.so.1"]
    own = {"/env/conda-meta/history": 1, "/env/lib/libx.so.1": 1}
    assert lacking({MODULE: elf("libx.so.1")}, own) == []


def test_conda_s_cache_is_not_looked_into() -> None:
    assert lacking({MODULE: elf("libx.so.1")}, {"/conda/pkgs/x-1/lib/libx.so.1": 1}) == [
        "libx.so.1"
    ]


def test_a_folder_has_what_this_machine_has() -> None:
    binaries = {MODULE: elf("libGL.so.1", "libEGL.so.1")}
    assert lacking(binaries, system=FOLDER, host=HOST) == ["libEGL.so.1"]
    assert lacking(binaries, host=HOST) == ["libEGL.so.1", "libGL.so.1"]  # a whole one does not


def test_nothing_is_said_of_what_lives_nowhere_known() -> None:
    binaries = {MODULE: elf("libGL.so.1", demands=(("GLIBC", "9.0"),))}
    assert lacking(binaries, system=System(machine="x86_64")) == []
    assert newer(binaries, system=System(machine="x86_64")) == ()


def test_another_machine_is_not_judged_by_this_one() -> None:
    binaries = {MODULE: elf("libGL.so.1", machine="aarch64")}
    assert lacking(binaries, system=System(machine="aarch64"), host=HOST) == []
    assert lacking(binaries, system=WHOLE) == []


def test_a_library_named_by_its_path() -> None:
    assert lacking({MODULE: elf("/opt/x/libx.so")}) == ["/opt/x/libx.so"]
    assert lacking({MODULE: elf("/opt/x/libx.so")}, {"/opt/x/libx.so": 1}) == []


def test_a_plugin_that_nobody_imports_is_not_judged() -> None:
    plugin = Binary(machine="x86_64", needed=("libmpi.so.40",))
    assert lacking({f"{SITE}/a/libplugin.so": plugin}) == []


def test_what_a_module_is_linked_with_is_judged_too() -> None:
    plain = Binary(machine="x86_64", needed=("libmpi.so.40",))
    binaries = {MODULE: elf("libmine.so"), f"{SITE}/a/lib/libmine.so": plain}
    (one,) = found(scanned(binaries), WHOLE)
    assert (one.library, one.needed_by, one.distributions) == (
        "libmpi.so.40",
        (f"{SITE}/a/lib/libmine.so",),
        ("a",),
    )


def test_libraries_that_need_each_other_are_judged_once() -> None:
    ring = {f"{SITE}/a/l{n}.so": elf(f"l{1 - n}.so", "gone.so") for n in (0, 1)}
    (one,) = found(scanned({MODULE: elf("l0.so"), **ring}), WHOLE)
    assert one.count == 2


@pytest.mark.parametrize(
    "names",
    [
        ("torchio/_ffmpeg4.so", "torchio/_ffmpeg6.so"),
        ("a/_x4.cpython-311-x86_64-linux-gnu.so", "a/_x5.cpython-311-x86_64-linux-gnu.so"),
        ("numba/np/ufunc/tbbpool.cpython-311-x86_64-linux-gnu.so",),
    ],
)
def test_what_a_package_can_do_without(names: tuple[str, ...]) -> None:
    assert lacking({f"{SITE}/{name}": elf("libx.so.1") for name in names}) == []


@pytest.mark.parametrize("folder", ["isaacsim/exts/a.b", "isaacsim/kit/data/Kit/x/6.0/exts/3/a"])
def test_an_extension_of_kit_gets_its_libraries_from_others(folder: str) -> None:
    binary = elf("libusd_tf.so", demands=(("GLIBC", "2.99"),))
    assert lacking({f"{SITE}/{folder}/bindings/_b.abi3.so": binary}) == []
    assert lacking({f"{SITE}/{folder}/pip_prebundle/b.abi3.so": binary}) == ["libusd_tf.so"]
    assert len(newer({f"{SITE}/{folder}/bindings/_b.abi3.so": binary})) == 1


def test_one_module_for_several_pythons_is_no_alternative() -> None:
    names = ("_x.cpython-310-x86_64-linux-gnu.so", "_x.cpython-311-x86_64-linux-gnu.so")
    assert lacking({f"{SITE}/a/{name}": elf("libx.so.1") for name in names}) == ["libx.so.1"]


def test_a_file_that_could_not_be_read_is_not_judged() -> None:
    assert lacking({MODULE: Binary(wrong="no ELF file", needed=("libx.so.1",))}) == []


def test_a_newer_glibc_is_asked_for() -> None:
    binaries = {
        MODULE: elf(demands=(("GLIBC", "2.38"),)),
        f"{SITE}/b.abi3.so": elf(demands=(("GLIBC", "2.36"),)),
        f"{SITE}/c.abi3.so": elf(demands=(("GLIBC", "2.4"),)),
    }
    assert newer(binaries) == (
        Newer(
            family="GLIBC",
            wanted="2.38",
            found="2.35",
            library="libc.so.6",
            needed_by=(MODULE, f"{SITE}/b.abi3.so"),
            count=2,
        ),
    )


CXX = "libstdc++.so.6"
ASKS = elf(CXX, demands=(("GLIBCXX", "3.4.30"), ("CXXABI", "1.3.13"), ("GCC", "9.0")))


def test_this_machine_s_libstdcxx_is_too_old() -> None:
    (one,) = newer({MODULE: ASKS}, system=FOLDER, host=HOST)
    assert (one.family, one.wanted, one.found, one.library) == ("GLIBCXX", "3.4.30", "3.4.29", CXX)


@pytest.mark.parametrize(
    ("path", "files", "runpaths"),
    [
        ("/env/lib/libstdc++.so.6", {"/env/conda-meta/history": 1}, ()),
        ("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", {}, ()),
        ("/opt/gcc/lib/libstdc++.so.6", {"/etc/ld.so.conf.d/a.conf": "# x\n/opt/gcc/lib\n"}, ()),
        (f"{SITE}/a/lib/libstdc++.so.6", {}, ("$ORIGIN/lib",)),
        (f"{SITE}/a/lib/libstdc++.so.6", {}, ("${ORIGIN}/../a/lib",)),
    ],
)
def test_the_libstdcxx_that_is_loaded(path: str, files: dict, runpaths: tuple[str, ...]) -> None:
    asks = elf(CXX, demands=ASKS.demands, runpaths=runpaths)
    (one,) = newer({MODULE: asks, path: elf(offers=(("GLIBCXX", "3.4.28"),))}, files)
    assert (one.found, one.library) == ("3.4.28", path)
    assert newer({MODULE: asks, path: elf(offers=(("GLIBCXX", "3.4.30"),))}, files) == ()


def test_conda_s_comes_before_this_machine_s() -> None:
    binaries = {MODULE: ASKS, "/env/lib/libstdc++.so.6.0.33": elf(offers=(("GLIBCXX", "3.4.33"),))}
    files = {"/env/conda-meta/history": 1, "/env/lib/libstdc++.so.6": Link("libstdc++.so.6.0.33")}
    assert newer(binaries, files, system=FOLDER, host=HOST) == ()


def test_a_library_whose_versions_are_not_known_is_not_judged() -> None:
    assert newer({MODULE: ASKS}) == ()
    assert newer({MODULE: elf("libstdc++-1a2b.so.6", demands=ASKS.demands)}, host=HOST) == ()
    glibc = {MODULE: elf(demands=(("GLIBC", "9.0"),))}
    assert newer(glibc, system=System(machine="x86_64", whole=True)) == ()
