"""Which profiles and templates there are: the workspace's own, and those that envbuild ships."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from msgspec import Struct

from envbuild import stamps
from envbuild.errors import InputError, Problem
from envbuild.profile.resolve import Source
from envbuild.tools import files
from envbuild.tools.trouble import words

SHIPPED = "shipped:"
"""What a shipped file is called by in front of its path: ``shipped:envs/isaaclab.yaml``."""

_OTHER_TEMPLATES = ("ci", "report")
"""Folders of ``templates`` that make no Dockerfile."""


class Sources(Mapping[str, Source]):
    """Profiles by name; a file is read when its profile is asked for, and once."""

    def __init__(self, labels: Mapping[str, str], paths: Mapping[str, str]) -> None:
        self._labels = labels
        self._paths = paths
        self._read: dict[str, Source] = {}

    def __getitem__(self, name: str) -> Source:
        if name not in self._read:
            label = self._labels[name]
            text = files.read_text(self._paths[label], label=label)
            self._read[name] = Source(name=name, file=label, text=text)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._labels

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)


class Profiles(Struct, frozen=True, kw_only=True):
    """Every profile by name (``sources``), those that a command without names acts on
    (``default``), what messages call the file of each (``labels``, by name), and where that file
    is (``paths``, by label)."""

    sources: Mapping[str, Source]
    labels: Mapping[str, str]
    default: tuple[str, ...]
    paths: Mapping[str, str]


class Workspace(Struct, frozen=True, kw_only=True):
    """A folder with ``envs``, ``lockfiles`` and ``Dockerfiles``; ``root`` as the user gave it.

    ``shipped`` is the folder with the ``envs`` and ``templates`` that envbuild brings.
    """

    root: str
    shipped: str = ""

    def path(self, *parts: str) -> str:
        """A path inside the workspace."""
        return os.path.join(*parts) if self.root == "." else os.path.join(self.root, *parts)

    def profiles(self) -> Profiles:
        """Every profile that can be named here. A workspace's own wins over a shipped one.

        A command without names acts on the workspace's own, or on all shipped ones where it has
        none.

        Raises:
            InputError: two files of one tree have the same name, or a folder cannot be read.
        """
        own = _found(self.root)
        brought = self._brought()
        shipped = _found(brought) if brought else {}
        labels = {name: f"{SHIPPED}{path}" for name, path in shipped.items()} | own
        labels = dict(sorted(labels.items()))
        paths = {label: self.locate(label) for label in labels.values()}
        return Profiles(
            sources=Sources(labels, paths),
            labels=labels,
            default=tuple(sorted(own or shipped)),
            paths=paths,
        )

    def profile_folders(self) -> tuple[str, ...]:
        """Every folder that a profile of the workspace may stand in, relative to its root."""
        folders = [place for place, _, _ in os.walk(self.path("envs"))]
        return tuple(sorted({"envs", *(os.path.relpath(place, self.root) for place in folders)}))

    def templates(self, folder: str = "") -> dict[str, str]:
        """The templates of Dockerfiles by name, or those in a ``folder`` that makes other files
        (``ci``); a file of the workspace's ``templates`` replaces a shipped one.

        Raises:
            InputError: one cannot be read.
        """
        return {
            name: files.read_text(path, label=f"templates/{name}")
            for name, path in self._templates(folder).items()
        }

    def knowledge(self, kind: str) -> dict[str, str]:
        """The user's own books of a ``kind`` (``rules``, ``signatures``): text by label, sorted.

        They stand in the workspace's ``knowledge/<kind>/*.yaml``.

        Raises:
            InputError: one cannot be read.
        """
        folder = os.path.join("knowledge", kind)
        labels = [os.path.join(folder, name) for name in _walk(self.path(folder), ".yaml")]
        return {label: files.read_text(self.path(label), label=label) for label in labels}

    def template_files(self) -> tuple[str, ...]:
        """The files that :meth:`templates` depends on: those read, and those that would replace
        one if they were there. Relative to the workspace where they are inside it."""
        replacing = {name: os.path.join("templates", name) for name in self._templates()}
        read = {
            path for name, path in self._templates().items() if path != self.path("templates", name)
        }
        return (*sorted(replacing.values()), *sorted(read))

    def locate(self, label: str) -> str:
        """The path of a file by the name that messages call it by."""
        if label.startswith(SHIPPED):
            return os.path.join(self._shipped(), label.removeprefix(SHIPPED))
        own = self.path(label)
        if label.startswith("templates/") and not os.path.exists(own):
            return os.path.join(self._shipped(), label)
        return own

    def _shipped(self) -> str:
        return self.shipped or stamps.shipped_folder()

    def _brought(self) -> str:
        """The shipped folder; empty where the workspace itself is the one that ships."""
        shipped = self._shipped()
        same = os.path.exists(self.root) and os.path.samefile(self.root, shipped)
        return "" if same else shipped

    def _templates(self, kind: str = "") -> dict[str, str]:
        """Template names to paths. What makes no Dockerfile is no part of an image's recipe."""
        found: dict[str, str] = {}
        for root in filter(None, (self._brought(), self.root)):
            folder = os.path.join(root, "templates")
            for relative in _walk(folder, ".j2"):
                top = relative.partition("/")[0]
                if (top if top in _OTHER_TEMPLATES else "") == kind:
                    found[relative] = os.path.normpath(os.path.join(folder, relative))
        return found


def _found(root: str) -> dict[str, str]:
    """Profile names to paths relative to ``root``."""
    found = stamps.profiles(root)
    if found is not None:
        return found
    by_name: dict[str, list[str]] = {}
    for relative in _walk(os.path.join(root, "envs"), ".yaml"):
        name = os.path.basename(relative).removesuffix(".yaml")
        by_name.setdefault(name, []).append(f"envs/{relative}")
    raise InputError(
        "a profile is found by its file name, and some files share theirs",
        problems=tuple(
            Problem(message=f"{' and '.join(paths)} are both called {name!r}", hint="rename one")
            for name, paths in sorted(by_name.items())
            if len(paths) > 1
        ),
    )


def _walk(folder: str, suffix: str) -> Iterator[str]:
    """Files below a folder by their relative path, sorted; nothing when it does not exist."""

    def refuse(error: OSError) -> None:
        if error.filename != folder or not isinstance(error, FileNotFoundError):
            raise InputError(f"{os.path.normpath(error.filename)} cannot be read: {words(error)}")

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(suffix) and not name.startswith("."):
                yield os.path.relpath(os.path.join(place, name), folder)
