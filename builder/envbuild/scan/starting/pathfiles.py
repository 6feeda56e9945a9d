"""What .pth files and editable installs put on the path of a Python."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from envbuild.scan.tree import Tree
from envbuild.tools import addresses, typed

_FINDER = re.compile(r"__editable___.*_finder\.py")
_MAPPED = re.compile(r"""['"][\w.]+['"]: *['"](/[^'"\n]+)['"]""")
"""An entry of the table of packages that setuptools writes into such a finder."""

_EDITABLE = re.compile(r"__editable__.*|_?editable.*|easy-install|_\w+", re.IGNORECASE)
"""What installers call the .pth file of an editable install, without its ending."""

_LONGEST = 1 << 20
"""Characters of one of these files that are looked at."""


class Added(NamedTuple):
    """A folder that joins the path. ``late``: a finder that is asked last finds it."""

    path: str
    kind: Literal["path", "source"]
    late: bool = False


class _Folder(msgspec.Struct):
    editable: bool = False


class _Direct(msgspec.Struct):
    url: str = ""
    dir_info: _Folder | None = None


def added(tree: Tree, site: str) -> tuple[Added, ...]:
    """What the .pth files of a site put on the path, in the order in which Python does.

    Lines that are code (``import …``) are not run; what setuptools' finders find is read from
    their tables. A folder need not be there, nor in the tree.
    """
    real = tree.place(site).path
    names = tree.names(real)
    found = [
        Added(posixpath.normpath(posixpath.join(site, line)), _kind(name))
        for name in names
        if name.endswith(".pth") and not name.startswith(".")
        for line in _lines(tree, posixpath.join(real, name))
    ]
    for name in names:
        if _FINDER.fullmatch(name):
            text = (tree.text(posixpath.join(real, name)) or "")[:_LONGEST]
            folders = {posixpath.dirname(one) for one in _MAPPED.findall(text)}
            found += [Added(one, "source", late=True) for one in sorted(folders)]
    return tuple(dict.fromkeys(found))


def linked(tree: Tree, site: str) -> tuple[str, ...]:
    """Folders that a site's .egg-link files and direct_url.json point at: sources of editable
    installs, whether or not Python finds them."""
    real = tree.place(site).path
    found: list[str] = []
    for name in tree.names(real):
        if name.endswith(".egg-link"):
            first = next(_lines(tree, posixpath.join(real, name)), "")
            found += [posixpath.normpath(first)] if first.startswith("/") else []
        elif name.endswith(".dist-info"):
            source = editable(tree, posixpath.join(real, name))
            found += [source] if source else []
    return tuple(dict.fromkeys(found))


def editable(tree: Tree, info: str) -> str | None:
    """The folder that an editable install points at, by its dist-info; None: it is none."""
    text = tree.text(posixpath.join(info, "direct_url.json"))
    if not text or '"editable"' not in text:
        return None
    try:
        said = typed.decode(text, _Direct)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if said.dir_info is None or not said.dir_info.editable:
        return None
    try:
        path = addresses.path(said.url) if addresses.is_file(said.url) else ""
    except ValueError:  # brackets that hold no address
        return None
    return posixpath.normpath(path) if path.startswith("/") else None


def _lines(tree: Tree, path: str) -> Iterator[str]:
    for line in (tree.text(path) or "")[:_LONGEST].splitlines():
        text = line.rstrip()
        if text and not text.startswith(("#", "import ", "import\t")) and "\0" not in text:
            yield text


def _kind(name: str) -> Literal["path", "source"]:
    return "source" if _EDITABLE.fullmatch(name.removesuffix(".pth")) else "path"
