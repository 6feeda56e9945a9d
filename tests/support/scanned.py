"""Trees as `envbuild.scan` reads them, made of a mapping of paths: no disk is needed."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from envbuild.scan.binary import Binary
from envbuild.scan.tree import Entry, Tree


class Link(str):
    """A link, by what it says."""

    __slots__ = ()


def tree(
    files: Mapping[str, bytes | str | Link | int],
    *,
    modules: Mapping[str, Binary] | None = None,
    roots: tuple[str, ...] = ("/",),
    digests: Mapping[str, str] | None = None,
) -> Tree:
    """A tree of absolute paths: text or bytes of a file that was read whole, a number for one of
    which only the size is known, a :class:`Link`. A path that ends in ``/`` is an empty folder.
    Modules are files by themselves."""
    folders: dict[str, dict[str, Entry]] = {root: {} for root in roots}
    texts: dict[str, bytes] = {}
    for path, content in {**dict.fromkeys(modules or {}, 1000), **files}.items():
        if path.endswith("/"):
            _folder(folders, path.rstrip("/"), roots)
            continue
        above, name = posixpath.split(path)
        _folder(folders, above, roots)
        if isinstance(content, Link):
            folders[above][name] = Entry("link", 0, str(content))
        elif isinstance(content, int):
            folders[above][name] = Entry("file", content)
        else:
            data = content.encode() if isinstance(content, str) else content
            folders[above][name] = Entry("file", len(data))
            texts[path] = data
    return Tree(
        roots=roots, folders=folders, texts=texts, modules=modules or {}, digests=digests or {}
    )


def _folder(folders: dict[str, dict[str, Entry]], path: str, roots: tuple[str, ...]) -> None:
    while path not in folders:
        folders[path] = {}
        above, name = posixpath.split(path)
        if path in roots:
            return
        _folder(folders, above, roots)
        folders[above][name] = Entry("folder")
