"""Which profiles are touched by a change of files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

_NO_IMAGES = ("templates/ci/", "templates/report/")
"""Templates that make no Dockerfile."""


class Sources(Struct, frozen=True, kw_only=True):
    """The files of one profile: those of its ``extends`` chain, and those that it copies."""

    profile: str
    files: tuple[str, ...]


def touched(changed: Iterable[str], profiles: Iterable[Sources]) -> dict[str, str]:
    """Each profile that a change touches, with the first reason.

    ``changed`` are paths relative to the workspace. A profile depends on its own files and those
    that it extends and copies, on its lock, on what is rendered for it, and on the templates of
    Dockerfiles.
    """
    paths = sorted(set(changed))
    template = next((path for path in paths if _of_all(path)), None)
    found = {}
    for one in profiles:
        reason = next(_reasons(one, paths), None)
        if reason or template:
            found[one.profile] = f"{reason or template} changed"
    return found


def _of_all(path: str) -> bool:
    return path.startswith("templates/") and not path.startswith(_NO_IMAGES)


def _reasons(one: Sources, paths: Iterable[str]) -> Iterator[str]:
    own = (f"lockfiles/{one.profile}/", f"Dockerfiles/{one.profile}/")
    return (path for path in paths if path in one.files or path.startswith(own))
