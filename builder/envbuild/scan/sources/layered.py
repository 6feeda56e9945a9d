"""Images and containers' roots as trees, read from tars. Nothing is unpacked or run.

Layers are read from the top to the bottom, so that of each file only what is seen in the end is
looked into. What is looked into lies in memory, where it is large in a scratch file.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import IO

from envbuild.errors import InputError
from envbuild.scan.sources.collecting import OTHER, TEXTS, TOO_LONG, Collector, Found, examined
from envbuild.scan.sources.content import Content, Held, OnDisk
from envbuild.scan.sources.laying import Brought, Cover, Leaf
from envbuild.scan.sources.wanted import NOTHING, Want, Wish, wanted
from envbuild.scan.tree import Entry, Tree
from envbuild.tools import overlaid, tars, tarstreams
from envbuild.tools.oci import SavedImage
from envbuild.tools.tarstreams import Tar
from envbuild.tools.trouble import cannot_write, words

_HELD = 8 * 1024 * 1024
"""Bytes of a file that is held in memory."""

_SPOOLED = 16 * 1024 * 1024 * 1024
"""Bytes of a file that is written to a scratch file; the largest libraries have a tenth of it."""

Opener = Callable[[], AbstractContextManager[IO[bytes]]]


def image(saved: SavedImage, wish: Wish, scratch: str) -> Tree:
    """What is seen in an image, with whiteouts applied. ``scratch`` is a folder for large files.

    Raises:
        InputError: a layer is missing, damaged or no tar, or there is more than can be held.
        ToolError: the scratch folder cannot be written.
    """
    laid = _Laid(wish, scratch)
    for layer in reversed(saved.layers):
        label = f"{saved.label}: the layer {layer.path}"
        laid.add(functools.partial(saved.opened, layer), label)
    return laid.tree()


def rootfs(path: str, label: str, wish: Wish, scratch: str) -> Tree:
    """What is in a tar of a whole root, as ``docker export`` writes it, plain or packed.

    Raises:
        InputError: it is missing, damaged or no tar, or there is more than can be held.
        ToolError: the scratch folder cannot be written.
    """
    laid = _Laid(wish, scratch)
    try:
        laid.add(lambda: _opened(path), label, whiteouts=False)
    except FileNotFoundError:
        raise InputError(f"{label} does not exist") from None
    except OSError as error:
        raise InputError(f"{label} cannot be read: {words(error)}") from None
    return laid.tree()


def _opened(path: str) -> IO[bytes]:
    return open(path, "rb")


class _Laid:
    """The layers so far, the uppermost first."""

    def __init__(self, wish: Wish, scratch: str) -> None:
        self._wish = wish
        self._scratch = scratch
        self._held = 0
        self._collector = Collector()
        self._collector.folder("/", {})
        self._cover = Cover(self._collector.folders)
        self._below: dict[str, dict[str, Want]] = {}
        """What hard links lead to that is in none of the layers so far: their paths by it."""

    def add(self, opener: Opener, label: str, *, whiteouts: bool = True) -> None:
        """Lay a layer below those so far. ``opener`` may be called twice."""
        brought = Brought()
        with opener() as file, tarstreams.opened(file, label) as tar:
            for entry in tar.entries():
                self._enter(brought, tar, entry, whiteouts=whiteouts)
        again = self._unread(brought)
        if again:
            with opener() as file, tarstreams.opened(file, label) as tar:
                for entry in tar.entries():
                    if entry.start in again:
                        leaf, wants = again[entry.start]
                        leaf.found |= self._read(tar, entry, wants)
        self._resolve(brought)
        self._take(brought)

    def tree(self) -> Tree:
        """The tree of all layers."""
        for target, links in self._below.items():
            self._lost(links, target)
        return self._collector.tree(("/",))

    def _enter(self, brought: Brought, tar: Tar, entry: tars.Entry, *, whiteouts: bool) -> None:
        """Take one entry of a layer."""
        hidden = overlaid.hidden_by(entry.path) if whiteouts else None
        if hidden is not None:
            brought.hide(f"/{hidden.path}", folder=hidden.folder)
            return
        path = f"/{entry.path}"
        if path == "/":
            return
        if entry.kind == "folder":
            brought.folder(path)
        elif entry.kind == "hard link":
            target = f"/{entry.link}"
            known = brought.leaf(target) or Leaf(
                entry=Entry("file"), below=target, lost=brought.replaces(target)
            )
            brought.link(path, known)
        else:
            brought.put(path, self._leaf(tar, entry, path))

    def _leaf(self, tar: Tar, entry: tars.Entry, path: str) -> Leaf:
        if entry.kind == "link":
            return Leaf(entry=Entry("link", 0, entry.link))
        if entry.kind != "file":
            return Leaf(entry=OTHER)
        wants = self._wants(path)
        found = self._read(tar, entry, wants) if wants else {}
        return Leaf(entry=Entry("file", entry.size), start=entry.start, found=found)

    def _wants(self, path: str) -> set[Want]:
        """What is wanted of a file of this layer: by its own path, where that is seen, and by those
        of hard links in the layers above."""
        wants = {*self._below.get(path, {}).values()}
        if self._cover.shows(path):
            wants.add(wanted(path, self._wish))
        return wants - {NOTHING}

    def _read(self, tar: Tar, entry: tars.Entry, wants: set[Want]) -> dict[Want, Found]:
        """Look into a file, once for each of what is wanted."""
        if entry.sparse:
            return dict.fromkeys(wants, Found(why="it is stored without its holes"))
        if entry.size > _SPOOLED and tar.descriptor is None:
            return dict.fromkeys(wants, Found(why=f"it has {entry.size:,} bytes, too many"))
        with self._content(tar, entry) as content:
            return {want: self._examined(content, want) for want in wants}

    def _examined(self, content: Content, want: Want) -> Found:
        """Look into a file. Of a layer, more texts may come than are seen in the end."""
        if want.text and self._held > TEXTS:
            return Found(why=TOO_LONG)
        found = examined(content, want)
        self._held += len(found.text or b"")
        return found

    @contextlib.contextmanager
    def _content(self, tar: Tar, entry: tars.Entry) -> Iterator[Content]:
        if entry.size <= _HELD:
            yield Held(b"".join(tar.pieces(entry)))
        elif tar.descriptor is not None:
            yield OnDisk(tar.descriptor, entry.size, offset=entry.data)
        else:
            with _spooled(tar.pieces(entry), self._scratch) as file:
                yield OnDisk(file.fileno(), entry.size)

    def _unread(self, brought: Brought) -> Mapping[int, tuple[Leaf, set[Want]]]:
        """What hard links want of files that were not looked into for it when they came: of those
        that are hidden themselves, or not wanted by their own path. By where they begin."""
        found: dict[int, tuple[Leaf, set[Want]]] = {}
        for path, leaf in brought.links.items():
            wants = self._wants(path) - leaf.found.keys()
            if wants and leaf.start >= 0:
                found.setdefault(leaf.start, (leaf, set()))[1].update(wants)
        return found

    def _resolve(self, brought: Brought) -> None:
        """Give the hard links of upper layers what this layer has at their targets."""
        for target, links in [*self._below.items()]:
            leaf = brought.leaf(target)
            if leaf is None and not (brought.removes(target) or brought.replaces(target)):
                continue
            del self._below[target]
            if leaf is None:
                self._lost(links, target)
                continue
            for path, want in links.items():
                self._collector.replace(path, leaf.entry)
                self._tell(brought, path, leaf, want=want)

    def _take(self, brought: Brought) -> None:
        """Put what is seen of a layer into the tree."""
        for folder, names, leaves in brought.visible(self._cover):
            self._collector.folder(folder, names)
            for name, leaf in leaves.items():
                path = f"{folder.rstrip('/')}/{name}"
                self._tell(brought, path, leaf, want=wanted(path, self._wish))
        self._cover.add(brought)

    def _tell(self, brought: Brought, path: str, leaf: Leaf, *, want: Want) -> None:
        """Put what is known of a file into the tree; of one that is further below, later."""
        if leaf.below and (leaf.lost or brought.removes(leaf.below)):
            self._lost({path: want}, leaf.below)
        elif leaf.below:
            self._below.setdefault(leaf.below, {})[path] = want
        elif want in leaf.found:
            self._collector.found(path, leaf.found[want])

    def _lost(self, links: Mapping[str, Want], target: str) -> None:
        for path in links:
            self._collector.trouble(path, f"it is a hard link to {target}, which is not there")


@contextlib.contextmanager
def _spooled(pieces: Iterator[bytes], scratch: str) -> Iterator[IO[bytes]]:
    """A file that is gone with its last reader."""
    path = f"{scratch}/{os.urandom(8).hex()}"
    try:
        file = open(path, "w+b", buffering=0)  # noqa: SIM115 (closed below)
        os.unlink(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    with file:
        for piece in pieces:
            _write(file.fileno(), piece, path)
        yield file


def _write(descriptor: int, data: bytes, path: str) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise cannot_write(path, error) from None
