"""What a tree of files amounts to: a survey of its Pythons, packages, copies and libraries."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from envbuild.scan.binary import Binary
from envbuild.scan.tree import Trouble

SiteKind = Literal["site", "user", "debian", "kit", "bundle", "runtime", "path", "source"]


class Product(Struct, frozen=True, kw_only=True):
    """A product that is there: ``isaac-sim``, ``isaac-lab`` or ``gr00t``.

    ``release`` is what its own files say (``5.1.0``, empty: they say none), ``path`` its folder
    (``/isaac-sim``, ``…/site-packages/isaacsim``), ``way`` how it came there.
    """

    kind: Literal["isaac-sim", "isaac-lab", "gr00t"]
    release: str
    path: str
    way: Literal["binary", "pip", "source"]


class Site(Struct, frozen=True, kw_only=True):
    """A folder of Python packages. ``path`` is as it is reached, ``real`` without links.

    ``kind``: an interpreter's own ``site``-packages, the ``user``'s, ``debian``'s dist-packages,
    another folder that ``kit`` puts on the path, a ``bundle`` of an extension
    (``pip_prebundle``), what Kit fetched at ``runtime`` (below ``kit/data``, ``pip3-envs``), a
    folder of PYTHONPATH or a .pth file (``path``), a ``source`` of an editable install.
    ``python`` is its interpreter's version (``3.11``; empty: any), ``extension`` the folder of the
    extension that brings a bundle.
    """

    path: str
    real: str
    kind: SiteKind
    python: str = ""
    extension: str = ""


class Distribution(Struct, frozen=True, kw_only=True):
    """One copy of one distribution.

    ``name`` is canonical; ``version`` as its metadata says it, or (a copy without metadata, or
    whose files say another one) as its files do: then ``recorded`` is what the metadata says.
    ``site`` is the path of its site, ``metadata`` that of its dist-info or egg-info folder or file
    (empty: there is none), ``package`` the folder of its main module (empty: not found).
    ``requires`` are its Requires-Dist lines, ``installer`` who installed it (``pip``, ``conda``,
    ``debian``), ``editable`` where an editable install points (empty: it is none).
    """

    name: str
    version: str
    site: str
    metadata: str = ""
    package: str = ""
    recorded: str = ""
    requires: tuple[str, ...] = ()
    installer: str = ""
    editable: str = ""


class Order(Struct, frozen=True, kw_only=True):
    """Where one way of starting Python looks for packages: paths of sites, the first one wins.

    ``launcher`` is what is called (``python.sh``, ``python``, ``conda activate``, ``activate`` of
    a virtual environment, ``isaaclab.sh``), ``path`` where it is (the prefix, of an environment
    or where no interpreter was found), ``python`` the version of its interpreter. ``before``
    holds until Kit starts, ``after`` from then on: Kit's finder asks the bundles first. Without
    Kit both are the same. ``read`` says whether the order was read from the launcher's own files;
    else it is the one that is known of the release.
    """

    launcher: str
    path: str
    python: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    read: bool = True


class Winner(Struct, frozen=True, kw_only=True):
    """Which copy of a package one launcher takes, before and after Kit has started; None: none."""

    order: Order
    before: Distribution | None
    after: Distribution | None
    losers: tuple[Distribution, ...] = ()


FaultKind = Literal[
    "two-versions",  # two dist-infos of one distribution in one site
    "mixed",  # files of two versions in one package folder
    "changed",  # a file is not the one of the RECORD
    "missing",  # files of the RECORD are not there
    "no-files",  # metadata alone, no file of its RECORD
    "no-metadata",  # a package without metadata, where others have some
    "two-owners",  # a file that two distributions record, with different contents
    "dangling",  # links that lead to nothing
    "loop",  # links that lead to each other
]


class Fault(Struct, frozen=True, kw_only=True):
    """Something that is not as it was installed. ``distributions`` are those concerned, as
    ``name version``; ``paths`` some of the files (at most eight), ``count`` how many there are,
    ``detail`` what a sentence cannot say without it (the versions that are mixed)."""

    kind: FaultKind
    site: str
    distributions: tuple[str, ...]
    paths: tuple[str, ...]
    count: int
    detail: str = ""


class Module(Struct, frozen=True, kw_only=True):
    """A shared object of a site. ``distribution`` is the canonical name of who owns it (empty:
    nobody), ``tag`` the Python that its name says (``cpython-311``, ``abi3``; empty: none)."""

    path: str
    site: str
    distribution: str
    tag: str
    binary: Binary


class Lacking(Struct, frozen=True, kw_only=True):
    """A library that neither the tree nor its system has. ``needed_by`` are paths of modules (at
    most eight) and ``count`` their number; ``distributions`` who they belong to."""

    library: str
    needed_by: tuple[str, ...]
    count: int
    distributions: tuple[str, ...]


class Newer(Struct, frozen=True, kw_only=True):
    """A library that is there, but older than a module asks for: ``family`` (``GLIBCXX``),
    ``wanted`` (``3.4.30``), ``found`` (``3.4.29``), ``library`` where it was found."""

    family: str
    wanted: str
    found: str
    library: str
    needed_by: tuple[str, ...]
    count: int


class System(Struct, frozen=True, kw_only=True):
    """The system that the tree lives in. ``release`` is os-release's ID and VERSION_ID
    (``ubuntu 24.04``), ``glibc`` the version of its C library; empty: not known. ``whole`` says
    whether all of it was read (an image), so that what is not there is known to be missing."""

    release: str = ""
    glibc: str = ""
    machine: str = ""
    whole: bool = False
    debian: tuple[tuple[str, str], ...] = ()


class CondaPackage(Struct, frozen=True, kw_only=True, order=True):
    """A conda package of a prefix."""

    name: str
    version: str
    build: str
    prefix: str


class Scan(Struct, frozen=True, kw_only=True):
    """The survey of one tree. ``label`` is what messages call it; ``files`` and ``bytes`` count
    what is in it; ``outside`` are places that it refers to and that were not read (editable
    installs, .pth lines, links), and ``troubles`` what could not be read."""

    label: str
    roots: tuple[str, ...]
    products: tuple[Product, ...] = ()
    sites: tuple[Site, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    orders: tuple[Order, ...] = ()
    modules: tuple[Module, ...] = ()
    faults: tuple[Fault, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    newer: tuple[Newer, ...] = ()
    conda: tuple[CondaPackage, ...] = ()
    system: System = System()
    outside: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    files: int = 0
    bytes: int = 0

    def site(self, path: str) -> Site | None:
        """The site of a path."""
        return next((one for one in self.sites if one.path == path), None)


class Start(Struct, frozen=True, kw_only=True):
    """How Python is started where the tree is examined. ``executable`` is the interpreter that was
    named (empty: every one that is found), ``variables`` the PYTHONPATH, CONDA_PREFIX,
    VIRTUAL_ENV, HOME and PYTHONNOUSERSITE that hold there, ``path`` its sys.path where it was
    asked for it."""

    executable: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    path: tuple[str, ...] = ()
