"""Which system a tree is, or lives in; which conda packages it has."""

from __future__ import annotations

import pytest

from envbuild.scan.binary import Binary
from envbuild.scan.linked import systems
from envbuild.scan.linked.host import Host
from envbuild.scan.model import CondaPackage, System
from tests.support.scanned import Link, tree

RELEASE = 'PRETTY_NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="24.04"\nnonsense\n'
STATUS = """\
Package: libc6
Status: install ok installed
Version: 2.39-0ubuntu8.4
Description: GNU C Library
 Package: no field

Package: gone
Status: deinstall ok config-files
Version: 1

Package: libgl1
Status: install ok installed
Version: 1.7.0
"""
HOST = Host(machine="x86_64", glibc="2.36")
X86, ARM = Binary(machine="x86_64"), Binary(machine="aarch64")


def test_an_image() -> None:
    image = tree(
        {
            "/etc/os-release": Link("../usr/lib/os-release"),
            "/usr/lib/os-release": RELEASE,
            "/var/lib/dpkg/status": STATUS,
        },
        modules={"/s/a.so": ARM},
    )
    assert systems.system(image, HOST) == System(
        release="ubuntu 24.04",
        glibc="2.39",
        machine="aarch64",
        whole=True,
        debian=(("libc6", "2.39-0ubuntu8.4"), ("libgl1", "1.7.0")),
    )


def test_the_c_library_says_it_better_than_its_package() -> None:
    libc = Binary(machine="x86_64", offers=(("GLIBC", "2.39"),))
    files = {"/etc/os-release": RELEASE, "/var/lib/dpkg/status": STATUS.replace("2.39", "2.1")}
    image = tree(files, modules={"/usr/lib/x86_64-linux-gnu/libc.so.6": libc})
    assert systems.system(image, None).glibc == "2.39"
    other = tree(files, modules={"/opt/old/libc.so.6": libc})
    assert systems.system(other, None).glibc == "2.1"


def test_an_image_without_dpkg_has_a_file_for_each_package() -> None:
    parts = {f"/var/lib/dpkg/status.d/{n}": f"Package: {n}\nVersion: 1\n" for n in ("b", "a")}
    image = tree(
        {"/etc/os-release": "ID=debian\n", **parts, "/var/lib/dpkg/status.d/a.md5sums": "x"}
    )
    assert systems.system(image, None).debian == (("a", "1"), ("b", "1"))


def test_a_folder_lives_in_this_machine() -> None:
    folder = tree({}, modules={"/env/a.so": X86}, roots=("/env",))
    assert systems.system(folder, HOST) == System(glibc="2.36", machine="x86_64")


def test_a_wheel_lives_nowhere() -> None:
    assert systems.system(tree({"/a.py": 1}), None) == System()


@pytest.mark.parametrize(
    ("binaries", "machine"),
    [
        ((ARM, ARM, X86), "aarch64"),
        ((ARM, X86), "x86_64"),
        ((), "x86_64"),
        ((Binary(wrong="no ELF file"),), "x86_64"),
    ],
)
def test_the_machine_of_most_modules(binaries: tuple[Binary, ...], machine: str) -> None:
    paths = {f"/env/{number}.so": binary for number, binary in enumerate(binaries)}
    assert systems.system(tree({}, modules=paths, roots=("/env",)), HOST).machine == machine


def test_conda_packages() -> None:
    prefix = tree(
        {
            "/env/conda-meta/numpy-1.26.4-py311_0.json": '{"name": "numpy", "version": "1.26.4", '
            '"build": "py311_0", "depends": []}',
            "/env/conda-meta/a-b-1.0-h0_0.json": "broken",
            "/env/conda-meta/unread-2-0.json": 5,
            "/env/conda-meta/history": "",
            "/env/conda-meta/strange.json": "[]",
            "/conda/pkgs/x-1-0/conda-meta/x-1-0.json": '{"name": "x"}',
        }
    )
    assert systems.conda(prefix) == (
        CondaPackage(name="a-b", version="1.0", build="h0_0", prefix="/env"),
        CondaPackage(name="numpy", version="1.26.4", build="py311_0", prefix="/env"),
        CondaPackage(name="unread", version="2", build="0", prefix="/env"),
    )
