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

import msgspec
from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.tools import proc, rattler, typed
from envbuild.tools.conda import Access, Record
from envbuild.tools.trouble import cannot_write, words

if TYPE_CHECKING:
    from rattler import Client

_TOGETHER = 8
"""Packages that are fetched at a time."""

_CHUNK = 1 << 20
_TIMEOUT = 6 * 3600.0
"""Seconds for all packages together; each one's silence has a limit of its own."""

_PASSING = ("status server error", "error sending request", "error decoding", "429", "silent for")
"""Words of py-rattler 0.28 (and of ours) for what another try may cure."""


class Wanted(Struct, frozen=True, kw_only=True):
    """A package and the address that it is read from here."""

    record: Record
    url: str


class Archive(Struct, frozen=True, kw_only=True):
    """A package that was read and fits its record; ``path`` is where it lies."""

    record: Record
    path: str


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

    archives = rattler.run(work, _TIMEOUT)
    _refuse_escapes(archives, rattler.run(lambda: _contents(archives), _TIMEOUT))
    return archives


# --- Bytes ---------------------------------------------------------------------------------------


async def _one(want: Wanted, access: Access, client: Client) -> Archive:
    record = want.record
    if not (record.sha256 and record.md5):
        raise _refused(record, "the lock has no sha256 and md5 for it")
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
        raise _refused(record, f"{want.url} is not in the cache, and the network is off")
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
            passing = any(sign in str(error) for sign in _PASSING)
            if not (left and passing):
                raise _refused(want.record, str(error)) from None
        await asyncio.sleep(pause)
        pause *= 2
    raise AssertionError  # the last try has returned or raised


class _FailedError(Exception):
    """A package could not be fetched; the message is the library's."""


async def _download(url: str, path: str, silence: float, client: Client) -> tuple[str, str]:
    rattler.library()
    from rattler.package_streaming import download_to_writer

    with open(path, "wb") as file:
        writer = _Writer(file)
        task = asyncio.ensure_future(download_to_writer(client, url, writer))
        try:
            while not (await asyncio.wait((task,), timeout=0.2))[0]:
                if time.monotonic() - writer.last > silence:
                    raise _FailedError(f"{url} was silent for {silence} s")
            task.result()
        except (RuntimeError, OSError) as error:
            if isinstance(error, OSError) and error.errno:  # this disk's, not the library's
                raise
            raise _FailedError(str(error)) from None
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
        raise _refused(record, f"{path} cannot be read: {words(error)}") from None
    return sha256.hexdigest(), md5.hexdigest()


def _check(record: Record, found: tuple[str, str], url: str) -> None:
    for name, wanted, got in zip(
        ("sha256", "md5"), (record.sha256, record.md5), found, strict=True
    ):
        if wanted != got:
            raise _refused(record, f"its {name} is {got}, the lock has {wanted} ({url})")


def _refused(record: Record, why: str) -> ToolError:
    named = f"{record.name} {record.version} ({record.build})"
    place = f"{record.subdir} of the channel {record.channel}" if record.channel else record.subdir
    said = proc.masked(f"conda package {named}, {place}: {why}")
    return ToolError(said, hint="nothing was installed")


# --- Paths ---------------------------------------------------------------------------------------


class _Path(Struct, frozen=True, kw_only=True):
    path: str = msgspec.field(name="_path")
    path_type: str = "hardlink"


class _Paths(Struct, frozen=True, kw_only=True):
    paths: tuple[_Path, ...]


class _Noarch(Struct, frozen=True, kw_only=True):
    entry_points: tuple[str, ...] = ()


class _Link(Struct, frozen=True, kw_only=True):
    noarch: _Noarch = _Noarch()


class _Index(Struct, frozen=True, kw_only=True):
    name: str
    version: str
    build: str
    noarch: str | bool | None = None
    python_site_packages_path: str | None = None


class _Contents(Struct, frozen=True, kw_only=True):
    """What a package says of itself, the paths that it brings, those of them that are symbolic
    links, and the names of its commands."""

    index: _Index
    paths: tuple[str, ...]
    links: tuple[str, ...]
    commands: tuple[str, ...]


async def _contents(archives: tuple[Archive, ...]) -> tuple[_Contents, ...]:
    """What each package would link into a prefix, by the paths there."""
    found = [await _content(archive) for archive in archives]
    site = next((_site(one.index) for one in found if one.index.name == "python"), "")
    return tuple(_placed(one, site) if one.index.noarch == "python" else one for one in found)


async def _content(archive: Archive) -> _Contents:
    rattler.library()
    from rattler.package_streaming import PackageArchive

    wanted = ("info/index.json", "info/paths.json", "info/link.json", "info/files")
    try:
        opened = await PackageArchive.from_path(archive.path)
        read = await opened.read_files(wanted)
        index, paths, link, plain = (read[name] for name in wanted)
        said = typed.decode(index or b"", _Index)
        noarch = typed.decode(link, _Link).noarch if link else _Noarch()
        linked = typed.decode(paths, _Paths).paths if paths else ()
        links = tuple(one.path for one in linked if one.path_type == "softlink")
        if paths is None:  # packages of 2016 and before
            links = tuple([one.name async for one in opened.stream() if one.is_symlink])
    except (RuntimeError, OSError, msgspec.MsgspecError) as error:
        raise _refused(archive.record, f"it is no conda package: {error}") from None
    listed = (plain or b"").decode("utf-8", "replace").splitlines()
    return _Contents(
        index=said,
        paths=(*(one.path for one in linked), *links, *listed),
        links=links,
        commands=tuple(text.partition("=")[0].strip() for text in noarch.entry_points),
    )


def _site(python: _Index) -> str:
    """Where an interpreter of conda looks for packages, below its prefix."""
    minor = ".".join(python.version.split(".")[:2])
    return python.python_site_packages_path or f"lib/python{minor}/site-packages"


def _placed(content: _Contents, site: str) -> _Contents:
    """The contents of a package for every Python where the one of this prefix wants them."""

    def place(path: str) -> str:
        if path.startswith("python-scripts/"):
            return f"bin/{path.removeprefix('python-scripts/')}"
        return f"{site}{path.removeprefix('site-packages')}" if _in_site(path) else path

    return msgspec.structs.replace(
        content, paths=tuple(map(place, content.paths)), links=tuple(map(place, content.links))
    )


def _in_site(path: str) -> bool:
    return path == "site-packages" or path.startswith("site-packages/")


def _refuse_escapes(archives: tuple[Archive, ...], contents: tuple[_Contents, ...]) -> None:
    """Refuse a package that is another one, and a path that leads out of the prefix, by itself or
    through a link of any package.

    Raises:
        ToolError: with the path.
    """
    links = frozenset(os.path.normpath(link) for one in contents for link in one.links)
    for archive, content in zip(archives, contents, strict=True):
        why = _escape(content, links) or _other(archive.record, content.index)
        if why:
            raise _refused(archive.record, why)


def _other(record: Record, said: _Index) -> str:
    if (record.name, record.version, record.build) == (said.name, said.version, said.build):
        return ""
    return f"it says that it is {said.name} {said.version} ({said.build})"


def _escape(content: _Contents, links: frozenset[str]) -> str:
    """Why a package is refused; empty where nothing in it leads out of the prefix."""
    for path in content.paths:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
            return f"its path {path!r} leads out of the prefix"
    for command in content.commands:
        if not command or set(command) & set("/\\\0") or command in {".", ".."}:
            return f"its command {command!r} leads out of the prefix"
    for link in content.links:
        if os.path.normpath(link).split("/")[0] == "conda-meta":
            return f"its link {link!r} takes the place of what conda writes"
    followed = {os.path.dirname(path): path for path in content.paths}  # a folder once: they repeat
    followed |= {f"bin/{command}": command for command in content.commands}
    for place, path in followed.items():
        above = _upwards(os.path.normpath(place))
        through = next((one for one in above if one in links), None)
        if through is not None:
            return f"its path {path!r} leads through the link {through!r}"
    return ""


def _upwards(path: str) -> Iterable[str]:
    while path:
        yield path
        path = os.path.dirname(path)


def address(path: str) -> str:
    """The ``file://`` address of a path."""
    return Path(path).absolute().as_uri()
