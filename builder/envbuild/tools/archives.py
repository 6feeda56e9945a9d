"""Conda packages on this disk: fetched, and believed only after both hashes and all paths fit.

py-rattler checks no hash of a ``file://`` package, links a path that leads out of the prefix, and
aborts the whole process at an absolute one. So every package is read here first.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.tools import contents, rattler
from envbuild.tools.conda import Access, Record
from envbuild.tools.contents import Archive, refused
from envbuild.tools.trouble import cannot_write, words

if TYPE_CHECKING:
    from rattler import Client

_TOGETHER = 8
"""Packages that are fetched at a time."""

_CHUNK = 1 << 20
_TIMEOUT = 6 * 3600.0
"""Seconds for all packages together; each one's silence has a limit of its own."""


class Wanted(Struct, frozen=True, kw_only=True):
    """A package and the address that it is read from here."""

    record: Record
    url: str


def fetch(
    wanted: Iterable[Wanted], access: Access, *, done: Callable[[Record], None]
) -> tuple[Archive, ...]:
    """Every package on this disk, checked; ``done`` is told of each.

    Raises:
        ToolError: one cannot be had, is not what its hashes say, or would write outside of a
            prefix; its message names the package, its channel and its subdir.
    """
    listed = tuple(wanted)

    async def work() -> tuple[Archive, ...]:
        free = asyncio.Semaphore(_TOGETHER)
        client = rattler.library().Client.default_client(max_retries=0)

        async def one(want: Wanted) -> Archive:
            async with free:
                archive = await _one(want, access, client)
                done(want.record)
                return archive

        tasks = [asyncio.ensure_future(one(want)) for want in listed]
        try:
            return tuple(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    try:
        archives = rattler.run(work, _TIMEOUT)
    except TimeoutError:
        hours = f"{_TIMEOUT / 3600:.0f} hours"
        raise ToolError(f"the conda packages were not fetched within {hours}") from None
    contents.refuse_escapes(archives)
    return archives


# --- Bytes ---------------------------------------------------------------------------------------


async def _one(want: Wanted, access: Access, client: Client) -> Archive:
    record = want.record
    if not (record.sha256 and record.md5):
        raise refused(record, "the lock has no sha256 and md5 for it")
    parts = urlsplit(want.url)
    name = unquote(parts.path).rpartition("/")[2]
    if parts.scheme == "file":
        path = unquote(parts.path)
        _check(record, _digests(path, record), want.url)
        return Archive(record=record, path=path)
    folder = f"{access.cache}/archives/{record.sha256}"
    path = f"{folder}/{name}"
    if os.path.isfile(path):
        with contextlib.suppress(ToolError):
            _check(record, _digests(path, record), want.url)
            return Archive(record=record, path=path)
    if access.offline:
        raise refused(record, f"{want.url} is not in the cache, and the network is off")
    try:
        os.makedirs(folder, exist_ok=True)
        partial = f"{path}.{os.getpid()}.part"
        try:
            digests = await _patiently(want, partial, access, client)
            _check(record, digests, want.url)
            os.replace(partial, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial)
    except OSError as error:
        raise cannot_write(path, error) from None
    return Archive(record=record, path=path)


class _Writer:
    """A file that is hashed as it is written, and knows when something last came."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.last = time.monotonic()

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self.last = time.monotonic()
        self._sha256.update(data)
        self._md5.update(data)
        return self._file.write(data)

    def digests(self) -> tuple[str, str]:
        """sha256 and md5 of all that came."""
        return self._sha256.hexdigest(), self._md5.hexdigest()


async def _patiently(want: Wanted, path: str, access: Access, client: Client) -> tuple[str, str]:
    """Fetch a package into a file, again where the network failed; its digests."""
    pause = access.pause
    for left in reversed(range(access.retries + 1)):
        try:
            return await _download(want.url, path, access.timeout, client)
        except _FailedError as error:
            if not (left and error.passing):
                raise refused(want.record, str(error)) from None
        await asyncio.sleep(pause)
        pause *= 2
    raise AssertionError  # the last try has returned or raised


class _FailedError(Exception):
    """A package could not be fetched; ``passing``: another try may cure it."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


async def _download(url: str, path: str, silence: float, client: Client) -> tuple[str, str]:
    rattler.library()
    from rattler.package_streaming import download_to_writer

    with open(path, "wb") as file:
        writer = _Writer(file)
        task = asyncio.ensure_future(download_to_writer(client, url, writer))
        try:
            while not (await asyncio.wait((task,), timeout=0.2))[0]:
                if time.monotonic() - writer.last > silence:
                    raise _FailedError(f"{url} was silent for {silence} s", passing=True)
            task.result()
        except (RuntimeError, OSError) as error:
            if isinstance(error, OSError) and error.errno:  # this disk's, not the library's
                raise
            raise _FailedError(str(error), passing=rattler.passing(str(error))) from None
        finally:
            task.cancel()
    return writer.digests()


def _digests(path: str, record: Record) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    try:
        with open(path, "rb") as file:
            while data := file.read(_CHUNK):
                sha256.update(data)
                md5.update(data)
    except OSError as error:
        raise refused(record, f"{path} cannot be read: {words(error)}") from None
    return sha256.hexdigest(), md5.hexdigest()


def _check(record: Record, found: tuple[str, str], url: str) -> None:
    for name, wanted, got in zip(
        ("sha256", "md5"), (record.sha256, record.md5), found, strict=True
    ):
        if wanted != got:
            raise refused(record, f"its {name} is {got}, the lock has {wanted} ({url})")


def address(path: str) -> str:
    """The ``file://`` address of a path."""
    return Path(path).absolute().as_uri()
