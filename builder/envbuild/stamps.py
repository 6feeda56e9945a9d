"""Stamps: what a check depended on, so that the same check need not be done again.

A stamp is a text file in ``.envbuild/stamps/<stage>/<profile>``: the identity of the program, then
``<sha256>  <path>`` for every file that the answer depended on (``-`` for one that was not there).
It is a cache: without it a check takes longer, never ends differently. Only cheap modules of the
standard library are imported here: this is the whole of ``--check`` when nothing has changed.
"""

from __future__ import annotations

import hashlib
import os

FOLDER = ".envbuild/stamps"
_ABSENT = "-"


def identity() -> str:
    """The program that answers: its version, and the names, sizes and times of its own files."""
    from envbuild import __version__

    package = os.path.dirname(os.path.abspath(__file__))
    state = hashlib.sha256()
    waiting = [package]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in sorted(found, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        waiting.append(entry.path)
                elif entry.name.endswith((".py", ".yaml")):
                    seen = entry.stat()
                    state.update(f"{entry.path} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return f"envbuild {__version__} {state.hexdigest()}"


def digest(path: str) -> str:
    """The sha256 of a file, or the mark of absence."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return _ABSENT


def fresh(root: str, stage: str, profile: str, program: str) -> bool:
    """Whether the last good answer about a profile still stands."""
    try:
        with open(f"{root}/{FOLDER}/{stage}/{profile}", encoding="utf-8") as file:
            first, *lines = file.read().splitlines()
    except (OSError, ValueError):
        return False
    if first != program:
        return False
    for line in lines:
        wanted, _, path = line.partition("  ")
        if digest(os.path.join(root, path)) != wanted:
            return False
    return True


def write(root: str, stage: str, profile: str, program: str, paths: tuple[str, ...]) -> None:
    """Remember a good answer and the files that it depended on; a failure to write is no error.

    ``paths`` are relative to ``root`` or absolute.
    """
    lines = [program, *(f"{digest(os.path.join(root, path))}  {path}" for path in sorted(paths))]
    folder = f"{root}/{FOLDER}/{stage}"
    temporary = f"{folder}/.{profile}.{os.getpid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        ignore = f"{root}/.envbuild/.gitignore"
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="utf-8") as file:
                file.write("*\n")
        with open(temporary, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.replace(temporary, f"{folder}/{profile}")
    except OSError:
        return  # a read-only workspace can be checked, only not faster the next time


def names(root: str) -> tuple[str, ...]:
    """The profiles of a workspace by file name, without reading them; sorted."""
    found = []
    for _, folders, listed in os.walk(f"{root}/envs"):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [n[:-5] for n in listed if n.endswith(".yaml") and not n.startswith(".")]
    return tuple(sorted(found))
