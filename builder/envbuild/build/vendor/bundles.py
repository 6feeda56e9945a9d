"""A bare repository of one commit as a git bundle: its pack under a heading, byte for byte.

So the repository that a build takes can be had back exactly, without git, and git itself can fetch
from the bundle.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from envbuild.errors import ToolError
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.tools.store import Store

_CHUNK = 1 << 20
_PACK = b"PACK"


def heading(commit: str) -> bytes:
    """What stands before the pack in a bundle (git's format, version 2)."""
    return f"# v2 git bundle\n{commit} refs/heads/envbuild\n{commit} HEAD\n\n".encode()


def filename(name: str, commit: str) -> str:
    """The bundle's name."""
    return f"{name}-{commit[:12]}.bundle"


def make(pack: str, commit: str, store: Store, *, name: str) -> tuple[str, str, int]:
    """A bundle of a pack in the store: its path, its sha256, and the bytes of its heading.

    Raises:
        ToolError: the pack is none, or the store cannot be written.
    """
    head = heading(commit)
    digest = hashlib.sha256(head)
    try:
        with open(pack, "rb") as file:
            if file.read(len(_PACK)) != _PACK:
                raise ToolError(f"{pack} is no pack of git")
            file.seek(0)
            while data := file.read(_CHUNK):
                digest.update(data)
            sha256 = digest.hexdigest()
            with store.writing(sha256, name) as part:
                if part.file is None:
                    return part.path, sha256, len(head)
                part.restart()
                part.write(head)
                file.seek(0)
                while data := file.read(_CHUNK):
                    part.write(data)
                return part.finish(), sha256, len(head)
    except OSError as error:
        raise cannot_write(pack, error) from None
