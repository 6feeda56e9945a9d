"""Reading and writing files: all of a folder's new files, or none of them."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping

from envbuild.errors import InputError, Mark, Problem, ToolError
from envbuild.tools.temporary import remove_tree
from envbuild.tools.trouble import cannot_write, words
from envbuild.tools.turns import alone

_STAGING = ".envbuild-new"
_COMMITTED = ".envbuild-commit"
_REMOVALS = ".envbuild-remove"

# --- Reading -------------------------------------------------------------------------------------


def read_if_exists(path: str, *, label: str | None = None) -> bytes | None:
    """The bytes of a file; None when there is none. ``label`` is what messages call it.

    Raises:
        InputError: it is there and cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{label or path} cannot be read: {words(error)}") from None


def read_bytes(path: str, *, label: str | None = None) -> bytes:
    """The bytes of a file.

    Raises:
        InputError: it is missing or cannot be read.
    """
    data = read_if_exists(path, label=label)
    if data is None:
        raise InputError(f"{label or path} does not exist")
    return data


def names(path: str, *, label: str) -> list[str]:
    """What a folder holds, sorted; nothing where there is none.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sorted(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(f"{label} cannot be read: {words(error)}") from None


def read_text(path: str, *, label: str | None = None) -> str:
    """The text of a UTF-8 file, as it is (no line ends are changed).

    Raises:
        InputError: it is missing, cannot be read, or is not UTF-8.
    """
    data = read_bytes(path, label=label)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[: error.start].rpartition(b"\n")[2].decode()) + 1
        problem = Problem(
            message=f"byte 0x{data[error.start]:02x} is not UTF-8",
            mark=Mark(label or path, line, column),
            hint="save the file as UTF-8",
        )
        raise InputError(f"{label or path} is not text", problems=(problem,)) from None


def sha256(path: str) -> str:
    """The sha256 of a file, 64 hex digits.

    Raises:
        InputError: it is missing or cannot be read.
    """
    return hashlib.sha256(read_bytes(path)).hexdigest()


# --- Writing a folder ----------------------------------------------------------------------------


def write_tree(folder: str, files: Mapping[str, bytes], *, remove: Iterable[str] = ()) -> bool:
    """Write files of a folder, all or nothing; False when every byte stands there already.

    The new files are staged beside the old ones and made durable; one rename commits them; then
    each takes its place and ``remove`` goes. A process that is killed leaves the folder old, or
    in a state that :func:`recover` completes.

    Raises:
        InputError: a path leads out of the folder.
        ToolError: the disk is full or the folder cannot be written; the old files are whole.
    """
    removals = tuple(remove)
    for path in (*files, *removals):
        _check_place(folder, path)
    recover(folder)
    if not any(_work(folder, files, removals)):
        return False
    existed = os.path.isdir(folder)
    try:
        os.makedirs(folder, exist_ok=True)
        with alone(folder):
            _finish(folder)
            _stage(folder, *_work(folder, files, removals))
            os.rename(f"{folder}/{_STAGING}", f"{folder}/{_COMMITTED}")
            _finish(folder)
    except BaseException as error:
        _give_up(folder, existed=existed)
        if isinstance(error, OSError):
            raise cannot_write(folder, error) from None
        raise
    return True


def recover(folder: str) -> None:
    """Complete a commit that a killed process left, or drop what it had not committed.

    What a living process is writing at this moment is waited for. Call it before reading a folder.

    Raises:
        ToolError: the folder cannot be written, or the other process does not come to an end.
    """
    if not (os.path.lexists(f"{folder}/{_STAGING}") or os.path.lexists(f"{folder}/{_COMMITTED}")):
        return
    try:
        with alone(folder):
            _finish(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None


def _give_up(folder: str, *, existed: bool) -> None:
    """After an error or Ctrl-C: complete what was committed, drop what was not."""
    with contextlib.suppress(OSError, ToolError):
        recover(folder)
    if not existed:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _work(
    folder: str, files: Mapping[str, bytes], removals: tuple[str, ...]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files whose bytes differ, and the removals that are there to be removed."""
    changed = {path: data for path, data in files.items() if _current(f"{folder}/{path}") != data}
    return changed, tuple(path for path in removals if os.path.lexists(f"{folder}/{path}"))


def _current(path: str) -> bytes | None:
    """The bytes of a plain file; a link counts as no file, so that it is replaced, not followed."""
    return None if os.path.islink(path) else read_if_exists(path)


def _check_place(folder: str, path: str) -> None:
    parts = path.split("/")
    if "" in parts or "." in parts or ".." in parts or "\0" in path:
        raise InputError(f"{path!r} is not a path inside {folder}")
    place = folder
    for part in parts[:-1]:
        place = f"{place}/{part}"
        if os.path.islink(place):
            raise ToolError(
                f"{place} is a symbolic link, and envbuild does not write through it",
                hint="put a folder there, or remove it",
            )
        if os.path.lexists(place) and not os.path.isdir(place):
            raise ToolError(f"{place} is a file, and a folder must be there", hint="move it away")


def _stage(folder: str, files: Mapping[str, bytes], removals: tuple[str, ...]) -> None:
    staging = f"{folder}/{_STAGING}"
    places = {staging}
    os.mkdir(staging)
    for path, data in files.items():
        places.add(os.path.dirname(f"{staging}/{path}"))
        _write(f"{staging}/{path}", data)
    if removals:
        _write(f"{staging}/{_REMOVALS}", "\0".join(removals).encode())
    for place in places:
        _sync(place)


def _finish(folder: str) -> None:
    """Move what is committed into place, then drop what is not."""
    committed = f"{folder}/{_COMMITTED}"
    if os.path.isdir(committed):
        _sync(folder)
        removals = (read_if_exists(f"{committed}/{_REMOVALS}") or b"").decode()
        for place, _, names in os.walk(committed):
            inner = os.path.relpath(place, committed)
            target = folder if inner == "." else f"{folder}/{inner}"
            os.makedirs(target, exist_ok=True)
            for name in names:
                if name != _REMOVALS:
                    os.replace(f"{place}/{name}", f"{target}/{name}")
        for path in filter(None, removals.split("\0")):
            _remove(folder, path)
        _sync(folder)
        remove_tree(committed)
    if os.path.lexists(f"{folder}/{_STAGING}"):
        remove_tree(f"{folder}/{_STAGING}")


def _remove(folder: str, path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{folder}/{path}")
    while path := os.path.dirname(path):
        try:
            os.rmdir(f"{folder}/{path}")
        except OSError:
            return  # it still holds something


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(path: str, data: bytes) -> None:
    """Write a file anew with the permissions that it has; what is linked to the old one keeps it.

    Raises:
        ToolError: it cannot be written.
    """
    beside = f"{path}.envbuild-new"
    try:
        mode = os.stat(path).st_mode
        with open(beside, "wb") as file:
            file.write(data)
        os.chmod(beside, mode)
        os.replace(beside, path)
    except OSError as error:
        raise cannot_write(path, error) from None
