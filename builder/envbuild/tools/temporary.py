"""Temporary files and folders, removed at the end of what they were made for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

from envbuild.tools.trouble import cannot_write


@contextlib.contextmanager
def beside(path: str) -> Iterator[str]:
    """A name beside ``path`` for a folder that is to become it; what is there in the end is
    removed, so rename it in time.

    Raises:
        ToolError: the folder above cannot be made.
    """
    folder = f"{path}.envbuild-{os.urandom(4).hex()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        yield folder
    finally:
        if os.path.lexists(folder):
            remove_tree(folder, quietly=True)


@contextlib.contextmanager
def scratch(files: Mapping[str, str]) -> Iterator[str]:
    """A temporary folder with these text files, removed at the end; its absolute path.

    Raises:
        ToolError: it cannot be written.
    """
    place = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 (a new folder with a name by chance)
    folder = f"{os.path.abspath(place)}/envbuild-{os.urandom(8).hex()}"
    try:
        os.mkdir(folder, 0o700)
        for name, text in files.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        remove_tree(folder, quietly=True)
        raise cannot_write(place, error) from None
    try:
        yield folder
    finally:
        _remove_flat(folder)


def _remove_flat(folder: str) -> None:
    """Remove a folder of files, ten times as fast as one of anything; errors do not matter."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
        return
    remove_tree(folder, quietly=True)


def remove_tree(folder: str, *, quietly: bool = False) -> None:
    """Remove a folder and all that is in it; ``quietly``: as far as that is possible."""
    import shutil  # 2 ms, with its compressions: not before something is to be removed

    shutil.rmtree(folder, ignore_errors=quietly)
