"""What was read of one tree of files, and the way through it. Pure.

A tree may be a folder of this machine, an image, a container's root or a wheel: what is asked of
it is the same. Paths are absolute, as who lives in the tree has them: of an image from its root,
of a folder of this machine from the machine's. A link is followed inside the tree alone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from envbuild.scan.binary import Binary

Kind = Literal["file", "folder", "link", "other"]

_HOPS = 40
"""Links that are followed one behind the other, as Linux has it."""


class Entry(Struct, frozen=True, gc=False):
    """One name in a folder. ``size`` is a file's in bytes, ``target`` what a link says."""

    kind: Kind
    size: int = 0
    target: str = ""


class Trouble(Struct, frozen=True, kw_only=True, order=True):
    """Something that could not be looked at, and why."""

    path: str
    why: str


class Place(Struct, frozen=True, kw_only=True):
    """Where a path leads. ``path`` is without links; of what is not ``here``, as far as the way
    goes. ``dangling``: nothing is there; ``outside``: it leads out of what was read; ``loop``: its
    links lead to each other."""

    path: str
    state: Literal["here", "dangling", "outside", "loop"]


class Tree(Struct, frozen=True, kw_only=True):
    """What was read.

    ``roots`` are the folders that were read (``/`` for an image or a wheel), ``folders`` what each
    folder holds by name, by its path. ``texts`` are whole small files (metadata, versions, start
    scripts), ``modules`` what the shared objects say, ``digests`` the sha256 of files (64 hex
    digits), each by path: a file that is linked is read once, under its own path. ``missing`` are
    roots that are not there, ``troubles`` what could not be read.
    """

    roots: tuple[str, ...]
    folders: Mapping[str, Mapping[str, Entry]]
    texts: Mapping[str, bytes]
    modules: Mapping[str, Binary]
    digests: Mapping[str, str] = {}
    missing: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def entry(self, path: str) -> Entry | None:
        """What stands at a path, a link as a link; None where nothing does."""
        folder, name = posixpath.split(path)
        if not name:
            return Entry("folder") if path in self.folders else None
        found = self.folders.get(folder, {}).get(name)
        return found or (Entry("folder") if path in self.folders else None)

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted; its path must be without links."""
        return tuple(sorted(self.folders.get(folder, ())))

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there, through links too."""
        place = self.place(path)
        return place.state == "here" and place.path in self.folders

    def is_file(self, path: str) -> bool:
        """Whether a file is there, through links too."""
        place = self.place(path)
        found = self.entry(place.path) if place.state == "here" else None
        return found is not None and found.kind == "file"

    def text(self, path: str) -> str | None:
        """A small file that was read, through links too, as text (what is no UTF-8 replaced)."""
        place = self.place(path)
        data = self.texts.get(place.path) if place.state == "here" else None
        return None if data is None else data.decode("utf-8", "replace")

    def place(self, path: str) -> Place:
        """Where a path leads, all links on the way followed."""
        above, _, name = path.rpartition("/")
        known = name in self.folders.get(above, ())  # then no link is on the way to the folder
        done, todo, hops = (above, [name], 0) if known else ("/", _parts(path)[::-1], 0)
        while todo:
            part = todo.pop()
            if part == "..":
                done = posixpath.dirname(done)
                continue
            here = posixpath.join(done, part)
            found = self.entry(here)
            if found is None:
                if any(root.startswith(f"{here}/") for root in self.roots):
                    done = here  # above a root: nothing is known of it but its name
                    continue
                state: Literal["dangling", "outside"] = (
                    "dangling" if self.holds(here) else "outside"
                )
                return Place(path=posixpath.join(here, *todo[::-1]), state=state)
            if found.kind == "link":
                hops += 1
                if hops > _HOPS:
                    return Place(path=path, state="loop")
                if found.target.startswith("/"):
                    done = "/"
                todo += _parts(found.target)[::-1]
                continue
            done = here
        return Place(path=done, state="here" if self.holds(done) else "outside")

    def holds(self, path: str) -> bool:
        """Whether a path lies in what was read."""
        return any(root == "/" or f"{path}/".startswith(f"{root}/") for root in self.roots)

    def matching(self, folder: str, patterns: Iterable[str]) -> Iterator[str]:
        """The paths below a folder that fit patterns, one regular expression for each further name
        (``("exts", r"omni\\..*", "pip_prebundle")``); links on the way are followed, the paths are
        as they are written."""
        first, *rest = patterns
        place = self.place(folder)
        for name in self.names(place.path) if place.state == "here" else ():
            if re.fullmatch(first, name):
                path = posixpath.join(folder, name)
                if rest:
                    yield from self.matching(path, rest)
                else:
                    yield path


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
