"""What conda packages would link into a prefix, read before anything is linked.

py-rattler links a path that leads out of the prefix, and aborts the whole process at an absolute
one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.tools import proc, rattler, typed
from envbuild.tools.conda import Record

_TIMEOUT = 3600.0
"""Seconds to read the lists of all packages."""

_LINKS = 40
"""Links that one path may lead through, as Linux allows."""


class Archive(Struct, frozen=True, kw_only=True):
    """A package that was read and fits its record; ``path`` is where it lies."""

    record: Record
    path: str


def refused(record: Record, why: str) -> ToolError:
    """The error for a package that is not linked, with its channel and subdir."""
    named = f"{record.name} {record.version} ({record.build})"
    place = f"{record.subdir} of the channel {record.channel}" if record.channel else record.subdir
    said = proc.masked(f"conda package {named}, {place}: {why}")
    return ToolError(said, hint="nothing was installed")


def refuse_escapes(archives: tuple[Archive, ...]) -> None:
    """Refuse a package that is another one, and a path that leads out of the prefix, by itself or
    through a link of any package.

    Raises:
        ToolError: with the path.
    """
    contents = rattler.run(lambda: _contents(archives), _TIMEOUT)
    for archive, content in zip(archives, contents, strict=True):
        why = _escape(content) or _other(archive.record, content.index)
        if why:
            raise refused(archive.record, why)
    links = frozenset(os.path.normpath(link) for one in contents for link in one.links)
    if not any(True for content in contents for _ in _through(content, links)):
        return
    targets: dict[str, str] = {}
    for archive, content in zip(archives, contents, strict=True):
        if content.links:
            targets |= _read_targets(archive, content.site)
    for archive, content in zip(archives, contents, strict=True):
        for place, path, link in _through(content, links):
            if _leaves(place, targets):
                why = f"its path {path!r} leads through the link {link!r} out of the prefix"
                raise refused(archive.record, why)


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
    links, and the names of its commands. ``site`` is where the modules of a package for every
    Python go; empty for other packages."""

    index: _Index
    paths: tuple[str, ...]
    links: tuple[str, ...]
    commands: tuple[str, ...]
    site: str = ""


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
        raise refused(archive.record, f"it is no conda package: {error}") from None
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
    return msgspec.structs.replace(
        content,
        paths=tuple(_place(path, site) for path in content.paths),
        links=tuple(_place(path, site) for path in content.links),
        site=site,
    )


def _place(path: str, site: str) -> str:
    if path.startswith("python-scripts/"):
        return f"bin/{path.removeprefix('python-scripts/')}"
    return f"{site}{path.removeprefix('site-packages')}" if _in_site(path) else path


def _in_site(path: str) -> bool:
    return path == "site-packages" or path.startswith("site-packages/")


def _other(record: Record, said: _Index) -> str:
    if (record.name, record.version, record.build) == (said.name, said.version, said.build):
        return ""
    return f"it says that it is {said.name} {said.version} ({said.build})"


def _escape(content: _Contents) -> str:
    """Why a package is refused by itself; empty where nothing in it leads out of the prefix."""
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
    return ""


def _through(content: _Contents, links: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """The folders that a package's paths lie in and that are reached through a link: the folder, a
    path in it, and the link. Every folder once: they repeat."""
    places = {os.path.dirname(path): path for path in content.paths}
    commands = {f"bin/{command}": command for command in content.commands}
    for place, path in (*places.items(), *commands.items()):
        normal = os.path.normpath(place) if place else ""
        link = next((one for one in _upwards(normal) if one in links), None)
        if link is not None:
            yield normal, path, link


def _read_targets(archive: Archive, site: str) -> dict[str, str]:
    return rattler.run(lambda: _targets(archive, site), _TIMEOUT)


async def _targets(archive: Archive, site: str) -> dict[str, str]:
    """Where the symbolic links of a package lead, by their paths in a prefix."""
    rattler.library()
    from rattler.package_streaming import PackageArchive

    found = {}
    opened = await PackageArchive.from_path(archive.path)
    async for entry in opened.stream():
        if entry.is_symlink:
            path = os.path.normpath(_place(entry.name, site) if site else entry.name)
            found[path] = entry.link_target or "/"
    return found


def _leaves(place: str, targets: Mapping[str, str]) -> bool:
    """Whether a path of a prefix leads out of it, link by link."""
    for _ in range(_LINKS):
        link = next((one for one in reversed([*_upwards(place)]) if one in targets), None)
        if link is None:
            return False
        target, rest = targets[link], place[len(link) + 1 :]
        if target.startswith("/"):
            return True
        place = os.path.normpath(os.path.join(os.path.dirname(link), target, rest))
        if place == ".." or place.startswith("../"):
            return True
    return True


def _upwards(path: str) -> Iterable[str]:
    while path:
        yield path
        path = os.path.dirname(path)
