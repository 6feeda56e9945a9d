"""What a shared object says about what it needs. Values only."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class NumpyBuild(Struct, frozen=True, kw_only=True):
    """The NumPy whose headers a module was compiled with.

    ``generation`` 1: it fails under NumPy 2 and newer. 2: it runs on NumPy 1 and 2, from ``since``
    on (``1.23``; empty where it does not say). ``how`` it uses NumPy: its C-API by
    ``import_array``; Cython's check of the size of types (of ``generation`` 1 also where
    ``import_array`` follows: the check comes first, and its text is seen); or pybind11 (one before
    2.12, which is ``generation`` 1, imports under NumPy 2 and then reads every dtype wrongly:
    *degraded*, and no failure). ``sure``: ``proven`` by texts that NumPy's own headers compile in,
    ``heuristic`` where it was read from machine code.
    """

    generation: Literal[1, 2]
    how: Literal["c-api", "cython", "pybind11"]
    since: str = ""
    sure: Literal["proven", "heuristic"] = "proven"


class Binary(Struct, frozen=True, kw_only=True):
    """One ELF file.

    ``machine`` is ``x86_64``, ``aarch64`` or another name; ``needed`` the libraries that it names
    (DT_NEEDED), ``runpaths`` where they are looked for first (as written, with ``$ORIGIN``),
    ``demands`` the newest version of each family that it asks of them (``("GLIBC", "2.34")``,
    ``("GLIBCXX", "3.4.30")``), ``offers`` the newest that it defines itself. ``python`` says
    whether it uses Python's C-API. ``gpus`` are the architectures that it has code for
    (``sm_90``), or PTX (``compute_90``), sorted. ``wrong`` is why it cannot be read; the rest is
    empty then.
    """

    machine: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    runpaths: tuple[str, ...] = ()
    demands: tuple[tuple[str, str], ...] = ()
    offers: tuple[tuple[str, str], ...] = ()
    python: bool = False
    numpy: NumpyBuild | None = None
    gpus: tuple[str, ...] = ()
    wrong: str = ""
