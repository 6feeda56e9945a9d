"""What a night names by digest: lock folders and logs, as bytes.

The digest is that of the bytes as they are here. How a history packs them is its own matter, so a
lock has one digest on every machine, whatever compresses there.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile

from envbuild.errors import InputError
from envbuild.history import cleaning
from envbuild.lock import folder
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import HEADER
from envbuild.tools import tars
from envbuild.tools.ends import ends

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

HEAD = 1 << 20
TAIL = 3 << 20
"""Bytes of a log that are kept of its beginning and of its end. What fails stands at the end, what
was asked for at the beginning."""

_LONGEST_LINE = 64 << 10
"""Bytes of a cut line that are left out so that a line, and a secret in it, is whole."""


def digest(data: bytes) -> str:
    """``sha256:`` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


# --- Locks ---------------------------------------------------------------------------------------


def lock_blob(lock: LockFolder) -> tuple[str, bytes]:
    """A whole lock folder as a tar, and its digest: equal locks give equal bytes.

    Raises:
        InputError: there is no lock in it.
    """
    if lock.header is None:
        raise InputError(f"{lock.label} holds no lock", hint="envbuild lock writes it")
    files = {**lock.texts, HEADER: folder.encode(lock.header)}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size = len(files[path])
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(files[path]))
    data = packed.getvalue()
    return digest(data), data


def lock_of(data: bytes, label: str) -> LockFolder:
    """The lock folder that :func:`lock_blob` packed; ``label`` is what messages call it.

    Raises:
        InputError: it is none, is damaged, or a newer envbuild wrote it.
    """
    stream = io.BytesIO(data)
    files: dict[str, bytes] = {}
    for entry in tars.scan(stream, label):
        if entry.kind == "file":
            files[entry.path] = data[entry.data : entry.data + entry.size]
    if HEADER not in files:
        raise InputError(f"{label} holds no lock")
    header = folder.decode(files[HEADER], f"{label}/{HEADER}")
    named = folder.named_files(header)
    texts = {path: files[path] for path in named if path in files}
    return LockFolder(label=label, header=header, texts=texts)


# --- Logs ----------------------------------------------------------------------------------------


def log_blob(path: str) -> tuple[str, bytes, int]:
    """A log as it is kept, its digest, and the bytes that it had.

    It is text in lines: terminal control is gone, secrets are masked. Of a log of more than
    4 MiB the beginning and the end are kept, and a line between says how much is missing.

    Raises:
        InputError: it cannot be read.
    """
    head, tail, size = ends(path, HEAD, TAIL)
    kept = cleaning.lines(head)
    if tail:
        begun, last = _whole_end(head), _whole_start(tail)
        missing = size - len(begun) - len(last)
        kept = cleaning.lines(begun)
        while kept and not kept[-1]:
            kept.pop()
        kept += [f"[… {missing:,} bytes of {size:,} are left out here …]", *cleaning.lines(last)]
    while kept and not kept[-1]:
        kept.pop()
    data = "".join(f"{line}\n" for line in kept).encode()
    return digest(data), data, size


def log_text(data: bytes) -> str:
    """The text of a log that :func:`log_blob` made."""
    return data.decode("utf-8", "replace")


def _whole_end(head: bytes) -> bytes:
    """The beginning of a log up to the end of a line, where one is near."""
    at = head.rfind(b"\n", max(0, len(head) - _LONGEST_LINE))
    return head if at < 0 else head[: at + 1]


def _whole_start(tail: bytes) -> bytes:
    """The end of a log from the beginning of a line, where one is near."""
    at = tail.find(b"\n", 0, _LONGEST_LINE)
    return tail if at < 0 else tail[at + 1 :]
