"""Files by their content: ``<cache>/files/<sha256[:2]>/<sha256>/<filename>``.

Whoever takes a file out has it hashed first, so a broken disk or a hand in the cache is no more
than a file that is missing. Processes share a store: a file appears whole, by a rename.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import IO

from envbuild.errors import ToolError
from envbuild.tools.trouble import cannot_write, words

_CHUNK = 1 << 20
_POLL = 0.05
"""Seconds between two looks at whether another process has finished the same file."""

_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES, errno.ENOTSUP})
"""What says that a file cannot be in two places here, and must be copied."""


def cache_folder(environ: Mapping[str, str]) -> str:
    """Where envbuild keeps what can be had again, for all workspaces of this user."""
    home = environ.get("XDG_CACHE_HOME") or f"{environ.get('HOME', '')}/.cache"
    return f"{home}/envbuild"


def digest(path: str) -> str:
    """The sha256 of a file of any size, 64 hex digits.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    """The files below ``folder``, by their sha256 (64 hex digits). What is not there is taken over
    from the store ``beside`` where that has it (empty: there is no other)."""

    def __init__(self, folder: str, *, beside: str = "") -> None:
        self.folder = folder
        self._beside = Store(beside) if beside else None

    def find(self, sha256: str, name: str) -> str | None:
        """The path of a file, hashed a moment ago; None where there is none.

        One whose bytes are others by now is removed. ``name`` is what the file is called; it may
        have been put in under another name.
        """
        place = self._place(sha256)
        try:
            names = sorted(os.listdir(place), key=lambda found: found != name)
        except OSError:
            names = []
        for found in names:
            path = f"{place}/{found}"
            if found.startswith(".") or not os.path.isfile(path):
                continue
            with contextlib.suppress(OSError):
                if digest(path) == sha256:
                    return path if found == name else self._named(path, f"{place}/{name}")
                os.unlink(path)
        return self._taken_over(sha256, name)

    def _taken_over(self, sha256: str, name: str) -> str | None:
        found = self._beside.find(sha256, name) if self._beside and sha256 else None
        if found is None:
            return None
        path = f"{self._place(sha256)}/{_checked(name)}"
        part = f"{self._place(sha256)}/.{os.getpid()}.{threading.get_ident()}"
        try:
            place(found, part)
            os.replace(part, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(part)
        return path

    def add(self, source: str, sha256: str, name: str) -> str:
        """The path of a copy of a file whose sha256 was told (or empty: it is as it is); the same
        bytes are kept once.

        Raises:
            WrongHashError: the file has other bytes.
            ToolError: it cannot be read, or the store cannot be written.
        """
        with self.writing(sha256, name) as part:
            if part.file is None:
                return part.path
            try:
                with open(source, "rb") as file:
                    part.restart()
                    while data := file.read(_CHUNK):
                        part.write(data)
            except OSError as error:
                if error.filename == source or error.errno == errno.EISDIR:
                    raise ToolError(f"{source} cannot be read: {words(error)}") from None
                raise
            return part.finish()

    @contextlib.contextmanager
    def writing(
        self, sha256: str, name: str, *, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Part]:
        """A file that is about to come in. Others who want the same wait until it is there.

        What came is kept where the block fails, for another try to go on from. ``stop`` ends the
        wait. Without a sha256 (empty) whatever comes is taken.

        Raises:
            ToolError: the store cannot be written.
        """
        place = self._place(sha256)
        path = f"{place}/{_checked(name)}"
        try:
            os.makedirs(place, exist_ok=True)
            with _alone(f"{place}/.part", stop) as file:
                found = self.find(sha256, name) if sha256 else None
                part = Part(found or path, sha256, None if found else file, place=self._place)
                if not sha256:
                    part.restart()  # who knows of what these bytes are
                yield part
        except OSError as error:
            raise cannot_write(path, error) from None

    def _place(self, sha256: str) -> str:
        return f"{self.folder}/{sha256[:2] or 'new'}/{sha256}"

    def _named(self, path: str, wanted: str) -> str:
        """The same file under another name too, where that can be; else as it is."""
        _checked(os.path.basename(wanted))
        try:
            os.link(path, wanted)
        except OSError:
            return wanted if os.path.isfile(wanted) else path
        return wanted


class WrongHashError(Exception):
    """Bytes came, but not those that were asked for; ``found`` is their sha256."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


class Part:
    """A file on its way into the store; ``file`` is None when it is there already.

    ``size`` are the bytes that are there by now: those of an earlier try count.
    """

    def __init__(
        self, path: str, sha256: str, file: IO[bytes] | None, *, place: Callable[[str], str]
    ) -> None:
        self.path = path
        self.file = file
        self._place = place
        self._wanted = sha256
        self._hash = hashlib.sha256()
        self.size = 0
        if file is not None:
            file.seek(0)
            while data := file.read(_CHUNK):
                self._hash.update(data)
                self.size += len(data)

    def restart(self) -> None:
        """Forget what came so far."""
        assert self.file is not None  # there is nothing to write where it is there
        self.file.seek(0)
        self.file.truncate()
        self._hash, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Take some bytes."""
        assert self.file is not None
        self.file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def finish(self) -> str:
        """Give the file its place; its path.

        Raises:
            WrongHashError: it has other bytes than its name says; they are dropped.
            OSError: the disk is full.
        """
        assert self.file is not None
        found = self._hash.hexdigest()
        if self._wanted not in (found, ""):
            self.restart()
            raise WrongHashError(found)
        self.file.flush()
        os.fchmod(self.file.fileno(), 0o444)
        here, name = os.path.split(self.path)
        self.path = f"{self._place(found)}/{name}"
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        os.rename(f"{here}/.part", self.path)
        return self.path


@contextlib.contextmanager
def _alone(path: str, stop: Callable[[], bool]) -> Iterator[IO[bytes]]:
    """A file that this process alone has open to write; a killed process lets go of it."""
    while True:
        with open(path, "a+b") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if stop():
                        raise InterruptedError(errno.EINTR, "stopped while waiting") from None
                    time.sleep(_POLL)
            if _same(file, path):  # else who held it has renamed it by now
                try:
                    yield file
                finally:
                    file.flush()
                    if _same(file, path) and os.fstat(file.fileno()).st_size == 0:
                        os.unlink(path)
                return


def _same(file: IO[bytes], path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _checked(name: str) -> str:
    """A name that is one part of a path."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise ToolError(f"{name!r} is no name for a file")
    return name


def place(source: str, target: str) -> None:
    """Let a file of the store stand at a path too: linked where that can be, else copied.

    Raises:
        ToolError: it cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            import shutil  # 2 ms, where a cache stands on another disk

            shutil.copyfile(source, target)
    except OSError as error:
        raise cannot_write(target, error) from None
