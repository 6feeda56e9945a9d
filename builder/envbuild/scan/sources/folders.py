"""Folders of this machine as a tree. No link is followed, and nothing but plain files is opened.

Others may write while it is read. A folder is opened by its path and must then be the one that was
listed (device and inode); a file is opened in the folder that is open. So what is put in the place
of either leads nowhere, and a link that comes above a folder is noticed before anything is listed.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator

from envbuild.scan.sources.collecting import CHANGED, FOLDER, OTHER, Collector, Found, examined
from envbuild.scan.sources.content import OnDisk
from envbuild.scan.sources.wanted import NOTHING, Want, Wish, wanted
from envbuild.scan.tree import Entry, Tree
from envbuild.tools.trouble import words

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Without waiting: a pipe may have come in the place of a file."""

_SYSTEM = frozenset({"dev", "proc", "run", "sys"})
"""What the kernel shows, or what is gone tomorrow: left out below a root where it is mounted."""

_SWAPPED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ESTALE})
"""What opening says when something else stands there than was listed."""


def read(roots: Iterable[str], wish: Wish) -> Tree:
    """The tree of some folders; each is absolute and no link itself.

    A root within another one is read once. What cannot be read, or changes while it is, is told as
    a trouble, and a root that is not there as missing.

    Raises:
        InputError: there is more than can be held (:class:`Collector`).
    """
    collector = Collector()
    reader = _Reader(collector, wish)
    outer = _outer(roots)
    missing = tuple(root for root in outer if not reader.read(root))
    return collector.tree(tuple(one for one in outer if one not in missing), missing=missing)


def _outer(roots: Iterable[str]) -> tuple[str, ...]:
    """The roots in one spelling, without those that lie in others; in the order of their paths."""
    found: list[str] = []
    for path in sorted({_spelled(root) for root in roots}, key=lambda path: path.split("/")):
        last = found[-1].rstrip("/") if found else None
        if last is None or not path.startswith(f"{last}/"):
            found.append(path)
    return tuple(found)


def _spelled(path: str) -> str:
    """In one spelling. Two slashes in front are one here, and ``..`` would need its links."""
    return "/" + posixpath.normpath(path).lstrip("/")


class _Reader:
    """Reads folder by folder, so deep as Linux takes a path."""

    def __init__(self, collector: Collector, wish: Wish) -> None:
        self._collector = collector
        self._wish = wish
        self._linked: dict[tuple[int, int, Want], Found] = {}

    def read(self, root: str) -> bool:
        """Read a root; False where nothing is there."""
        try:
            status = os.stat(root, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            self._collector.trouble(root, words(error))
            return True
        if not stat.S_ISDIR(status.st_mode):
            self._collector.trouble(root, "it is no folder")
            return True
        todo = [(root, status)]
        while todo:
            path, was = todo.pop()
            for name, found in self._folder(path, was):
                below = posixpath.join(path, name)
                mounted = path == root and found.st_dev != status.st_dev
                if not (mounted and name in _SYSTEM):
                    todo.append((below, found))
        return True

    def _folder(self, path: str, was: os.stat_result) -> list[tuple[str, os.stat_result]]:
        """Read a folder; the folders in it, the last one first."""
        try:
            descriptor = os.open(path, _OPEN_FOLDER)
        except OSError as error:
            self._collector.trouble(path, _why(error))
            return []
        try:
            if not _same(was, os.fstat(descriptor)):
                self._collector.trouble(path, CHANGED)
                return []
            return self._listed(path, descriptor)
        except OSError as error:
            self._collector.trouble(path, _why(error))
            return []
        finally:
            os.close(descriptor)

    def _listed(self, path: str, descriptor: int) -> list[tuple[str, os.stat_result]]:
        names: dict[str, Entry] = {}
        below: list[tuple[str, os.stat_result]] = []
        for name, status in self._entries(path, descriptor):
            if stat.S_ISDIR(status.st_mode):
                names[name] = FOLDER
                below.append((name, status))
            elif stat.S_ISREG(status.st_mode):
                names[name] = Entry("file", status.st_size)
                self._file(posixpath.join(path, name), name, status, folder=descriptor)
            elif stat.S_ISLNK(status.st_mode):
                names[name] = self._link(posixpath.join(path, name), name, folder=descriptor)
            else:
                names[name] = OTHER
        self._collector.folder(path, names)
        return below[::-1]

    def _entries(self, path: str, descriptor: int) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(descriptor) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            try:
                yield entry.name, entry.stat(follow_symlinks=False)
            except OSError as error:
                self._collector.trouble(posixpath.join(path, entry.name), _why(error))

    def _link(self, path: str, name: str, *, folder: int) -> Entry:
        try:
            return Entry("link", 0, os.readlink(name, dir_fd=folder))
        except OSError as error:
            self._collector.trouble(path, CHANGED if error.errno == errno.EINVAL else _why(error))
            return OTHER

    def _file(self, path: str, name: str, status: os.stat_result, *, folder: int) -> None:
        want = wanted(path, self._wish)
        if want is NOTHING:
            return
        key = (status.st_dev, status.st_ino, want)
        found = self._linked.get(key) or _looked_into(name, status, want, folder=folder)
        if status.st_nlink > 1:  # its other names are read with it
            self._linked[key] = found
        self._collector.found(path, found)


def _looked_into(name: str, status: os.stat_result, want: Want, *, folder: int) -> Found:
    try:
        descriptor = os.open(name, _OPEN_FILE, dir_fd=folder)
    except OSError as error:
        return Found(why=_why(error))
    try:
        before = os.fstat(descriptor)
        if not (stat.S_ISREG(before.st_mode) and _same(status, before)):
            return Found(why=CHANGED)
        if want.module and not want.digest:
            # Little is read of a module, here and there; the system would read on behind each part.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        found = examined(OnDisk(descriptor, before.st_size), want)
        after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            return Found(why=CHANGED)  # half of it may be old, and half new
        return found
    finally:
        os.close(descriptor)


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _why(error: OSError) -> str:
    return CHANGED if error.errno in _SWAPPED else words(error)
