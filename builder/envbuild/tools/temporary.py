"""Temporary files and folders, removed at the end of what they were made for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping

from envbuild.tools.trouble import cannot_write


@contextlib.contextmanager
def beside(path: str) -> Iterator[str]:
    """A name beside ``path`` for a folder that is to become it; what is there in the end is
    removed, so rename it in time.

    Raises:
        ToolError: the folder above cannot be made.
    """
    folder = f"{path}.envbuild-{os.urandom(4).hex()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        yield folder
    finally:
        if os.path.lexists(folder):
            remove_tree(folder, quietly=True)


@contextlib.contextmanager
def scratch(files: Mapping[str, str]) -> Iterator[str]:
    """A temporary folder with these text files, removed at the end; its absolute path.

    Raises:
        ToolError: it cannot be written.
    """
    place = _place()
    folder = f"{place}/envbuild-{os.urandom(8).hex()}"
    handle = -1
    try:
        os.mkdir(folder, 0o700)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # a file system without locks has none to forget either
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        for name, text in files.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        _let_go(folder, handle)
        raise cannot_write(place, error) from None
    try:
        yield folder
    finally:
        _let_go(folder, handle)


def _place() -> str:
    return os.path.abspath(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 (names by chance)


def _let_go(folder: str, handle: int) -> None:
    _remove_flat(folder)
    if handle >= 0:
        os.close(handle)


_SCRATCH = re.compile(r"envbuild-[0-9a-f]{16}")
_NEW = 60.0
"""Seconds in which a folder may be made and not yet held."""


def forget_killed(leaving: Callable[[str], None] = lambda _: None) -> None:
    """Remove the folders of :func:`scratch` that killed processes of this user have left: those
    that nobody holds. ``leaving`` is given each before it goes. What cannot be removed stays."""
    place = _place()
    try:
        names = [name for name in os.listdir(place) if _SCRATCH.fullmatch(name)]
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            _forget(f"{place}/{name}", leaving)


def _forget(folder: str, leaving: Callable[[str], None]) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        seen = os.fstat(handle)
        new = abs(time.time() - seen.st_mtime) < _NEW and not os.listdir(folder)
        if seen.st_uid == os.geteuid() and not new:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leaving(folder)
            remove_tree(folder, quietly=True)
    finally:
        os.close(handle)


_BESIDE = re.compile(r".+\.envbuild-[0-9a-f]{8}")


def forget_beside(folder: str) -> None:
    """Remove what :func:`beside` has named below a folder that nobody else works in, and what is
    left of it. What cannot be removed stays."""
    for place, folders, names in os.walk(folder):
        left = [name for name in (*folders, *names) if _BESIDE.fullmatch(name)]
        folders[:] = [name for name in folders if name not in left]
        for name in left:
            path = f"{place}/{name}"
            if os.path.isdir(path) and not os.path.islink(path):
                remove_tree(path, quietly=True)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(path)


def _remove_flat(folder: str) -> None:
    """Remove a folder of files, ten times as fast as one of anything; errors do not matter."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
        return
    remove_tree(folder, quietly=True)


def remove_tree(folder: str, *, quietly: bool = False) -> None:
    """Remove a folder and all that is in it; ``quietly``: as far as that is possible."""
    import shutil  # 2 ms, with its compressions: not before something is to be removed

    shutil.rmtree(folder, ignore_errors=quietly)
