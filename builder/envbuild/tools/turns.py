"""Taking turns: what only one process may do at a time. A killed process gives up its turn."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator

from envbuild.errors import ToolError
from envbuild.tools.trouble import cannot_write

PRIVATE = ".envbuild"
"""The folder of a workspace that holds only what can be made again; it ignores itself in git."""

_FOLDER_TIMEOUT = 60.0
"""Seconds that another process may take to write a folder; it needs milliseconds."""


def private_folder(workspace: str, name: str = "") -> str:
    """``<workspace>/.envbuild[/name]``, made where it is not there.

    Raises:
        OSError: it cannot be made.
    """
    folder = f"{workspace}/{PRIVATE}"
    if not os.path.isfile(f"{folder}/.gitignore"):
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/.gitignore", "w", encoding="utf-8") as file:
            file.write("*\n")
    path = f"{folder}/{name}" if name else folder
    os.makedirs(path, exist_ok=True)
    return path


@contextlib.contextmanager
def exclusive(
    path: str, *, waiting: Callable[[str], None], timeout: float = 600.0
) -> Iterator[None]:
    """Hold ``<workspace>/.envbuild/<name>``, a lock file. ``timeout`` in seconds.

    ``waiting`` is told once the number of the process that holds it.

    Raises:
        ToolError: it is still held after the timeout, or cannot be made.
    """
    try:
        private_folder(os.path.dirname(os.path.dirname(path)) or ".")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        _acquire(handle, path, waiting, timeout)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def at_once(path: str, *, what: str) -> Iterator[None]:
    """Hold ``<workspace>/.envbuild/<name>``, a lock file, where nobody else does.

    Raises:
        ToolError: another process holds it (``what`` is what it is doing), or it cannot be made.
    """
    try:
        private_folder(path.partition(f"/{PRIVATE}/")[0])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ToolError(
                f"{what} runs here already (process {_holder(handle)})",
                hint="wait until it has ended, or end it",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def released(path: str, *, waiting: Callable[[str], None], timeout: float) -> None:
    """Wait until nobody holds a file any more; ``waiting`` is told once who does. ``timeout`` in
    seconds.

    Raises:
        ToolError: it is still held after the timeout, or cannot be opened.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        _acquire(handle, path, waiting, timeout)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone(folder: str) -> Iterator[None]:
    """Be the only process that writes a folder.

    Raises:
        OSError: the folder cannot be opened.
        ToolError: another process does not come to an end with it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _acquire(handle, folder, lambda _: None, _FOLDER_TIMEOUT)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: str, waiting: Callable[[str], None], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(handle)
            if not told:
                waiting(holder)
                told = True
            if time.monotonic() > deadline:
                raise ToolError(
                    f"{path} has been held by process {holder} for more than {timeout:.0f} s",
                    hint="wait until it has ended, or end it",
                ) from None
            time.sleep(0.05)
        else:
            return


def _holder(handle: int) -> str:
    """The number that the holder wrote into the file; a folder has none."""
    try:
        return os.pread(handle, 20, 0).decode("ascii", "replace") or "unknown"
    except OSError:
        return "unknown"
