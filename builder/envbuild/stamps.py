"""Stamps: what a check depended on, so that the same check need not be done again.

A stamp is a text file in ``.envbuild/stamps/<stage>/<profile>``: the identity of the program, then
``<sha256>  <path>`` for every file that the answer depended on (``-`` for one that was not there;
of a folder, the names in it); behind ``> `` stands what the answer said of the profile.
It is a cache: without it a check takes longer, never ends differently. Only cheap modules of the
standard library are imported here: this is the whole of ``--check`` when nothing has changed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time

FOLDER = ".envbuild/stamps"
_ABSENT = "-"
_SAID = "> "
_ENDING = ".yaml"
_FOLDERS = {
    "check": ("lockfiles",),
    "lock": ("lockfiles",),
    "render": ("lockfiles", "Dockerfiles"),
    "rules": (),
}
"""Whose contents a check of each stage looks at: a file too many counts, and so does what a killed
process left there (:mod:`envbuild.tools.files`)."""

_STARTED = time.time_ns()
_TICK = 5_000_000
"""Nanoseconds by which a file system's clock may lag behind (Linux: one tick, 1 to 4 ms)."""

_identity: list[str] = []
_writers: dict[tuple[str, str], Stamps] = {}


def identity() -> str:
    """The program that answers, in a line.

    It has the version, the names, sizes and times of envbuild's own files, and the times of the
    folders that hold installed packages: a new jinja2 may render other text.
    """
    if not _identity:
        _identity.append(_identified())
    return _identity[0]


def _identified() -> str:
    from envbuild import __version__

    state = hashlib.sha256()
    waiting = [os.path.dirname(os.path.abspath(__file__))]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in sorted(found, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        waiting.append(entry.path)
                elif entry.name.endswith((".py", _ENDING)):
                    seen = entry.stat()
                    state.update(f"{entry.path} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    for place in sys.path:
        if place.endswith(("site-packages", "dist-packages")) and os.path.isdir(place):
            state.update(f"{place} {os.stat(place).st_mtime_ns}\n".encode())
    return f"envbuild {__version__} {state.hexdigest()}"


def digest(path: str) -> str:
    """The sha256 of a file, of the names in a folder, or the mark of absence."""
    try:
        if os.path.isdir(path):
            data = "\n".join(sorted(os.listdir(path))).encode()
        else:
            with open(path, "rb") as file:
                data = file.read()
    except OSError:
        return _ABSENT
    return hashlib.sha256(data).hexdigest()


class Stamps:
    """The stamps of one stage of a workspace; each file is read once.

    ``program`` is :func:`identity` where it is not given; ``started`` the moment at which the
    program began, in nanoseconds since the epoch.
    """

    def __init__(
        self, root: str, stage: str, *, program: str = "", started: int = _STARTED
    ) -> None:
        self._root = root
        self._stage = stage
        self._program = program or identity()
        self._started = started
        self._digests: dict[str, str] = {}
        self._changes: dict[str, int] = {}
        self._folder = ""
        self._own: dict[str, str] | None = None

    def fresh(self, profile: str) -> bool:
        """Whether the last good answer about a profile still stands."""
        first, *lines = self._read(profile).splitlines() or [""]
        files = (line for line in lines if not line.startswith(_SAID))
        return first == self._program and all(self._unmoved(line) for line in files)

    def said(self, profile: str) -> str:
        """What the last good answer said of a profile; mostly nothing."""
        lines = self._read(profile).splitlines()
        return "".join(line[len(_SAID) :] for line in lines if line.startswith(_SAID))

    def write(self, profile: str, paths: tuple[str, ...], *, said: str = "") -> None:
        """Remember a good answer, the line that it said, and the files that it depended on;
        failing to is no error.

        ``paths`` are relative to the root or absolute; what is not there is noted as absent. A
        file that was touched since the program began may have been read before or after the
        change: nothing is remembered then.
        """
        folders = (f"{folder}/{profile}" for folder in _FOLDERS[self._stage])
        noted = sorted({*paths, *folders})
        latest = max(self._changed(path) for path in noted)
        if latest > self._started - _TICK:
            return
        told = [f"{_SAID}{said}"] if said else []
        lines = [self._program, *told, *(f"{self._digest(path)}  {path}" for path in noted)]
        text = "\n".join(lines) + "\n"
        try:
            if self._read(profile) != text:
                self._put(profile, text)
        except OSError:
            return  # a read-only workspace can be checked, only not faster the next time

    def _read(self, profile: str) -> str:
        """A stamp as it stands; empty where there is none that can be read."""
        try:
            with open(f"{self._root}/{FOLDER}/{self._stage}/{profile}", encoding="utf-8") as file:
                return file.read()
        except (OSError, ValueError):
            return ""

    def _put(self, profile: str, text: str) -> None:
        from envbuild.tools.turns import private_folder

        self._folder = self._folder or private_folder(self._root, f"stamps/{self._stage}")
        temporary = f"{self._folder}/.{profile}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, f"{self._folder}/{profile}")

    def _changed(self, path: str) -> int:
        """When a file was last changed or put in its place, in nanoseconds; 0 for no file."""
        known = self._changes.get(path)
        if known is None:
            try:
                known = os.stat(os.path.join(self._root, path)).st_ctime_ns
            except OSError:
                known = 0
            self._changes[path] = known
        return known

    def _unmoved(self, line: str) -> bool:
        wanted, _, path = line.partition("  ")
        return self._digest(path) == wanted and not self._shadowed(path)

    def _digest(self, path: str) -> str:
        known = self._digests.get(path)
        if known is None:
            known = self._digests[path] = digest(os.path.join(self._root, path))
        return known

    def _shadowed(self, path: str) -> bool:
        """Whether a profile of the workspace has taken the name of a shipped one since then."""
        if not (path.endswith(_ENDING) and path.startswith(f"{shipped_folder()}/envs/")):
            return False
        if self._own is None:
            self._own = profiles(self._root) or {}
        return os.path.basename(path).removesuffix(_ENDING) in self._own


def write(root: str, stage: str, profile: str, *, paths: tuple[str, ...], said: str = "") -> None:
    """:meth:`Stamps.write`, for one profile after the other: what they share is read once."""
    key = (root, stage)
    if key not in _writers:
        _writers[key] = Stamps(root, stage)
    _writers[key].write(profile, paths, said=said)


def profiles(root: str) -> dict[str, str] | None:
    """The profiles below ``root/envs`` by name, as paths relative to ``root``; none is read.

    None when two files have one name, or a folder cannot be read: for the slow way to explain.
    """
    found: dict[str, str] = {}
    waiting = ["envs"]
    while waiting:
        folder = waiting.pop()
        entries = _entries(f"{root}/{folder}")
        if entries is None:
            return None
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.name.endswith(_ENDING):
                name = entry.name.removesuffix(_ENDING)
                if name in found:
                    return None
                found[name] = path
    return found


def leftovers(root: str, known: dict[str, str]) -> bool:
    """Whether a folder of a profile lies here that is none of the known ones."""
    folders = (f"{root}/{folder}" for folder in _FOLDERS["render"])
    entries = (entry for folder in folders for entry in _entries(folder) or ())
    return any(entry.name not in known and entry.is_dir() for entry in entries)


def _entries(folder: str) -> list[os.DirEntry[str]] | None:
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError:
        return None


def shipped_folder() -> str:
    """Where the shipped ``envs`` and ``templates`` stand.

    Inside the wheel, or the checkout's own top level when envbuild runs from one.
    """
    package = os.path.dirname(os.path.abspath(__file__))
    data = f"{package}/data"
    return data if os.path.isdir(data) else os.path.dirname(os.path.dirname(package))
