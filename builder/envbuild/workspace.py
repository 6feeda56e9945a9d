"""Which profiles and templates there are: the workspace's own, and those that envbuild ships."""

from __future__ import annotations

import os
from collections.abc import Iterator

from msgspec import Struct

from envbuild.errors import InputError, Problem
from envbuild.profile.resolve import Source
from envbuild.tools import files

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def shipped_folder() -> str:
    """The folder with the shipped ``envs`` and ``templates``: inside the wheel, or the checkout's
    own top level when envbuild runs from one."""
    data = os.path.join(_PACKAGE, "data")
    return data if os.path.isdir(data) else os.path.dirname(os.path.dirname(_PACKAGE))


class Profiles(Struct, frozen=True, kw_only=True):
    """Every profile by name (``sources``), those that a command without names acts on
    (``default``), and the path of each file as it was read (``paths``, by its label)."""

    sources: dict[str, Source]
    default: tuple[str, ...]
    paths: dict[str, str]


class Workspace(Struct, frozen=True, kw_only=True):
    """A folder with ``envs``, ``lockfiles`` and ``Dockerfiles``; ``root`` as the user gave it."""

    root: str

    def path(self, *parts: str) -> str:
        """A path inside the workspace."""
        return os.path.join(self.root, *parts)

    def profiles(self) -> Profiles:
        """Every profile that can be named here. A workspace's own wins over a shipped one.

        Raises:
            InputError: two files of one tree have the same name, or a file cannot be read.
        """
        own = _found(self.root)
        shipped_root = shipped_folder()
        same = os.path.exists(self.root) and os.path.samefile(self.root, shipped_root)
        shipped = {} if same else _found(shipped_root)
        sources: dict[str, Source] = {}
        paths: dict[str, str] = {}
        for label, tree, root in (("shipped:", shipped, shipped_root), ("", own, self.root)):
            for name, relative in tree.items():
                path = os.path.join(root, relative)
                file = f"{label}{relative}"
                sources[name] = Source(name=name, file=file, text=files.read_text(path))
                paths[file] = path
        return Profiles(
            sources=dict(sorted(sources.items())),
            default=tuple(sorted(own or shipped)),
            paths=paths,
        )

    def templates(self) -> dict[str, str]:
        """The templates by name; a file of the workspace's ``templates`` replaces a shipped one."""
        found: dict[str, str] = {}
        for root in (shipped_folder(), self.root):
            for relative in _walk(os.path.join(root, "templates"), ".j2"):
                path = os.path.join(root, "templates", relative)
                found[relative] = files.read_text(path)
        return found


def _found(root: str) -> dict[str, str]:
    """Profile names to paths below ``root``."""
    found: dict[str, str] = {}
    for relative in _walk(os.path.join(root, "envs"), ".yaml"):
        name = os.path.basename(relative).removesuffix(".yaml")
        path = f"envs/{relative}"
        if name in found:
            message = f"two profiles are called {name!r}: {found[name]} and {path}"
            raise InputError(message, problems=(Problem(message=message, hint="rename one"),))
        found[name] = path
    return found


def _walk(folder: str, suffix: str) -> Iterator[str]:
    """Files below a folder by their relative path, sorted; nothing when it does not exist."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(suffix) and not name.startswith("."):
                yield os.path.relpath(os.path.join(place, name), folder)
