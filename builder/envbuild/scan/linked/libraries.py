"""Which libraries the Python modules of a tree ask for in vain, or in a newer version. Pure.

Judged is what Python imports, and what that is linked with: of plugins that a program may load or
not, nobody knows whether they are wanted. A library counts as there when any folder of the tree
has it, since launchers and packages load libraries by their paths before they are asked for: a
library that is said to be missing and is not would be worse than one that goes unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from envbuild.scan.binary import Binary
from envbuild.scan.linked.host import Host
from envbuild.scan.linked.shelf import Shelf
from envbuild.scan.model import Lacking, Module, Newer, System
from envbuild.scan.tree import Tree

_SHOWN = 8
"""Modules of a library that are told."""

_BY_ANY = re.compile(
    r"ld-linux.*|ld64\.so.*|linux-vdso\.so.*|libpython3.*"
    r"|lib(?:c|m|dl|rt|pthread|util|anl|resolv|nsl|mvec|BrokenLocale|nss_\w+|thread_db)\.so\.\d"
)
"""The C library's own, the loader, and what the interpreter itself has."""

_BY_DRIVER = re.compile(
    r"lib(?:cuda|cudadebugger|nvcuvid|nvoptix|nvidia-.*|GLX_nvidia|EGL_nvidia"
    r"|GLES(?:v1_CM|v2)_nvidia|vdpau_nvidia|nvrm\w*|nvbuf\w*)\.so.*"
)
"""What NVIDIA's driver brings, into a container too."""

_OPTIONAL = re.compile(
    r".*/(?:numba/np/ufunc/(?:tbb|omp)pool|cupy_backends/cuda/libs/\w+|mpi4py/MPI)\..*"
    r"|.*/torchaudio/.*_(?:sox|ffmpeg)\w*\.so"
)
"""Modules whose import their package expects to fail where a library is not installed."""

_OF_KIT = re.compile(r".*/exts[A-Za-z]*/(?!.*/pip_prebundle/).*")
"""Modules of Kit's extensions: before it imports one, it loads the libraries of those that the
extension depends on, which it may only fetch when it runs."""

_CXX = "libstdc++.so.6"
_CXX_FAMILIES = ("GLIBCXX", "CXXABI")


def lacking(
    tree: Tree, modules: Iterable[Module], system: System, host: Host | None
) -> tuple[Lacking, ...]:
    """The libraries that neither the tree nor its system has, by name.

    Nothing is said of Kit's extensions, and of a tree that is no whole system and does not live in
    one that is known (a wheel), or is for another machine.
    """
    if not _is_judged(system, host):
        return ()
    shelf = Shelf(tree)
    others = frozenset[str]() if system.whole or host is None else host.libraries
    wanting: dict[str, dict[str, str]] = {}
    plain = [one for one in modules if not _OF_KIT.fullmatch(one.path)]
    for path, binary, owner in _reached(tree, plain, shelf, machine=system.machine):
        for name in binary.needed:
            if name not in others and not _is_there(tree, shelf, name, path=path):
                wanting.setdefault(name, {})[path] = owner
    return tuple(
        Lacking(
            library=name,
            needed_by=tuple(list(paths)[:_SHOWN]),
            count=len(paths),
            distributions=tuple(sorted({owner for owner in paths.values() if owner})),
        )
        for name, paths in sorted(wanting.items())
    )


def newer(
    tree: Tree, modules: Iterable[Module], system: System, host: Host | None
) -> tuple[Newer, ...]:
    """The libraries that are older than a module asks for: the C library, and C++'s.

    C++'s is the one that its own run path leads to, the one of a conda prefix around it, or the
    system's. ``wanted`` is the newest version that one of the modules asks for.
    """
    if not _is_judged(system, host):
        return ()
    shelf = Shelf(tree)
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for path, binary, _ in _reached(tree, modules, shelf, machine=system.machine):
        cxx: tuple[str, dict[str, str]] | None = None
        for family, wanted in binary.demands:
            if family == "GLIBC":
                library, offered = "libc.so.6", system.glibc
            elif family in _CXX_FAMILIES and _CXX in binary.needed:
                cxx = cxx or _cxx(shelf, path, binary, host=None if system.whole else host)
                library, offered = cxx[0], cxx[1].get(family, "")
            else:
                continue
            if offered and _numbers(offered) < _numbers(wanted):
                found.setdefault((family, library, offered), {})[path] = wanted
    return tuple(
        Newer(
            family=family,
            wanted=max(asked.values(), key=_numbers),
            found=offered,
            library=library,
            needed_by=tuple(list(asked)[:_SHOWN]),
            count=len(asked),
        )
        for (family, library, offered), asked in sorted(found.items())
    )


def _is_judged(system: System, host: Host | None) -> bool:
    if system.whole:
        return True
    return host is not None and system.machine in ("", host.machine)


def _reached(
    tree: Tree, modules: Iterable[Module], shelf: Shelf, *, machine: str
) -> Iterator[tuple[str, Binary, str]]:
    """The modules that Python imports, then what of the tree's own they are linked with: path,
    content and owner of each, once."""
    owners = {one.path: one.distribution for one in modules}
    imported = [one for one in modules if one.tag or one.binary.python]
    alternative = _alternatives(imported)
    todo = [
        (one.path, one.distribution)
        for one in reversed(imported)
        if one.path not in alternative and not _OPTIONAL.fullmatch(one.path)
    ]
    seen = {path for path, _ in todo}
    while todo:
        path, owner = todo.pop()
        binary = tree.modules[path]
        if binary.wrong or binary.machine != machine:
            continue
        yield path, binary, owner
        for name in binary.needed:
            below = shelf.find(name, path, binary)
            if below in tree.modules and below not in seen and not shelf.is_system(below):
                seen.add(below)
                todo.append((below, owners.get(below, owner)))


def _alternatives(modules: Sequence[Module]) -> frozenset[str]:
    """Modules of one folder whose names differ in numbers alone (``_ffmpeg4.so``,
    ``_ffmpeg6.so``): their package takes the one that can be loaded."""
    families: dict[str, dict[str, list[str]]] = {}
    for one in modules:
        stem = one.path.removesuffix(".so").removesuffix(f".{one.tag}").partition(".cpython-")[0]
        families.setdefault(re.sub(r"\d+", "#", stem), {}).setdefault(stem, []).append(one.path)
    several = (stems for stems in families.values() if len(stems) > 1)
    return frozenset(path for stems in several for paths in stems.values() for path in paths)


def _is_there(tree: Tree, shelf: Shelf, name: str, *, path: str) -> bool:
    if not name or _BY_ANY.fullmatch(name) or _BY_DRIVER.fullmatch(name):
        return True
    if "/" in name:  # opened by its path: what lies outside of the tree is not known
        return tree.place(name).state != "dangling"
    return shelf.has(name, path)


def _cxx(
    shelf: Shelf, path: str, binary: Binary, *, host: Host | None
) -> tuple[str, dict[str, str]]:
    """The C++ library that a module loads, and what it offers; nothing where it is not known."""
    found = shelf.loaded(_CXX, path, binary)
    if found is not None:
        return found[0], dict(found[1].offers)
    return (_CXX, dict(host.offers)) if host is not None else ("", {})


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
