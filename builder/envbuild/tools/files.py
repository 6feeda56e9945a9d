"""Reading and writing files: all of a folder's new files, or none of them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from envbuild.errors import InputError, ToolError

_STAGING = ".envbuild-new"
_COMMITTED = ".envbuild-commit"


def read_if_exists(path: str) -> bytes | None:
    """The bytes of a file; None when there is none.

    Raises:
        InputError: it is there and cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {_words(error)}") from None


def read_bytes(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        InputError: it is missing or cannot be read.
    """
    data = read_if_exists(path)
    if data is None:
        raise InputError(f"{path} does not exist")
    return data


def read_text(path: str) -> str:
    """The text of a UTF-8 file.

    Raises:
        InputError: it is missing, cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: byte {error.start}") from None


def sha256(path: str) -> str:
    """The sha256 of a file, 64 hex digits."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def write_tree(folder: str, files: Mapping[str, bytes], *, remove: Iterable[str] = ()) -> bool:
    """Write files of a folder, all or nothing; False when every byte stands there already.

    The new files are staged beside the old ones and made durable; one rename commits them; then
    each takes its place. A process that is killed leaves the folder old, or in a state that
    :func:`recover` completes.

    Raises:
        ToolError: the disk is full or the folder cannot be written; the old files are whole.
    """
    recover(folder)
    gone = tuple(path for path in remove if os.path.lexists(f"{folder}/{path}"))
    changed = {path: data for path, data in files.items() if _current(f"{folder}/{path}") != data}
    if not changed and not gone:
        return False
    staging = f"{folder}/{_STAGING}"
    try:
        for path, data in changed.items():
            _write(f"{staging}/{path}", data)
        os.makedirs(staging, exist_ok=True)
        os.rename(staging, f"{folder}/{_COMMITTED}")
    except OSError as error:
        with contextlib.suppress(OSError):
            shutil.rmtree(staging)
        raise _failed(folder, error) from None
    _complete(folder)
    for path in gone:
        os.unlink(f"{folder}/{path}")
    return True


def recover(folder: str) -> None:
    """Complete a commit that a killed process left, or drop what it had not committed."""
    try:
        if os.path.isdir(f"{folder}/{_COMMITTED}"):
            _complete(folder)
        if os.path.isdir(f"{folder}/{_STAGING}"):
            shutil.rmtree(f"{folder}/{_STAGING}")
    except OSError as error:
        raise _failed(folder, error) from None


def _complete(folder: str) -> None:
    committed = f"{folder}/{_COMMITTED}"
    for place, _, names in os.walk(committed):
        inner = os.path.relpath(place, committed)
        target = folder if inner == "." else f"{folder}/{inner}"
        os.makedirs(target, exist_ok=True)
        for name in names:
            os.replace(f"{place}/{name}", f"{target}/{name}")
    shutil.rmtree(committed)


def _current(path: str) -> bytes | None:
    return None if os.path.islink(path) else read_if_exists(path)


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _failed(path: str, error: OSError) -> ToolError:
    hint = "free some space, then run it again" if error.errno == errno.ENOSPC else None
    return ToolError(f"{path} cannot be written: {_words(error)}", hint=hint)


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


@contextlib.contextmanager
def scratch(files: Mapping[str, str]) -> Iterator[str]:
    """A temporary folder with these text files, removed at the end; its absolute path."""
    try:
        with tempfile.TemporaryDirectory(prefix="envbuild-") as folder:
            for name, text in files.items():
                with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                    file.write(text)
            yield folder
    except OSError as error:
        raise _failed(tempfile.gettempdir(), error) from None


@contextlib.contextmanager
def exclusive(
    path: str, *, waiting: Callable[[str], None], timeout: float = 600.0
) -> Iterator[None]:
    """Hold a lock file; ``waiting`` is told once who holds it. ``timeout`` in seconds.

    Raises:
        ToolError: it is still held after the timeout, or cannot be made.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _failed(path, error) from None
    try:
        _acquire(handle, path, waiting, timeout)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
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
            holder = os.pread(handle, 20, 0).decode("ascii", "replace") or "unknown"
            if not told:
                waiting(holder)
                told = True
            if time.monotonic() > deadline:
                raise ToolError(f"{path} is held by process {holder}") from None
            time.sleep(0.05)
        else:
            return
