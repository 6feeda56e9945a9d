"""Which files of a folder of packages belong to a distribution, as its own records say."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator

from envbuild.errors import InputError
from envbuild.names import canonical_name
from envbuild.tools import files

_INFOS = (".dist-info", ".egg-info")


def infos(site: str) -> dict[str, list[str]]:
    """The metadata in a site, by canonical name.

    Raises:
        InputError: the site cannot be read.
    """
    found: dict[str, list[str]] = {}
    for name in files.names(site, label=site):
        stem, ending = os.path.splitext(name)
        if ending in _INFOS:
            found.setdefault(canonical_name(stem.partition("-")[0]), []).append(f"{site}/{name}")
    return found


def recorded(info: str) -> Iterator[str]:
    """The paths in a RECORD, as they are written but made whole; none without a RECORD.

    Raises:
        InputError: it cannot be read.
    """
    site = os.path.dirname(info)
    data = files.read_if_exists(f"{info}/RECORD") or b""
    try:
        for row in csv.reader(data.decode("utf-8", "surrogateescape").splitlines()):
            if row and row[0]:
                yield os.path.normpath(os.path.join(site, row[0]))
    except csv.Error as error:
        raise InputError(f"{info}/RECORD cannot be read: {error}") from None


def of(site: str, distribution: str, *, without: Iterable[str]) -> set[str]:
    """Every file and link of a distribution that is there, its metadata among them. What lies
    ``without`` goes in any case, and need not say what belongs to it.

    Raises:
        InputError: its metadata does not say what belongs to it.
    """
    found: set[str] = set()
    for info in infos(site).get(distribution, ()):
        if info in without:
            continue
        if not os.path.isfile(f"{info}/RECORD"):
            raise InputError(
                f"{info} has no RECORD: what belongs to {distribution} is not known",
                hint="install it with the tool that it was installed with",
            )
        found |= {path for path in recorded(info) if _is_file(path)}
        found |= set(below(info))
    return found | set(compiled(found))


def compiled(paths: Iterable[str]) -> Iterator[str]:
    """The files that Python has compiled of modules, where there are some."""
    stems: dict[str, set[str]] = {}
    for path in paths:
        if path.endswith(".py"):
            folder, name = os.path.split(path)
            stems.setdefault(f"{folder}/__pycache__", set()).add(name.removesuffix(".py"))
    for folder, own in stems.items():
        try:
            names = [] if os.path.islink(folder) else sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if name.endswith(".pyc") and name.partition(".")[0] in own:
                yield f"{folder}/{name}"


def below(path: str) -> Iterator[str]:
    """Every file and link below a path, itself where it is one; links are not followed."""
    if _is_file(path):
        yield path
        return
    for folder, folders, names in os.walk(path):
        yield from (f"{folder}/{name}" for name in names)
        yield from (f"{folder}/{name}" for name in folders if os.path.islink(f"{folder}/{name}"))


def _is_file(path: str) -> bool:
    return os.path.islink(path) or (os.path.lexists(path) and not os.path.isdir(path))
