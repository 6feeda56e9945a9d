"""What of a night is done, on the disk as soon as it is: a killed night is completed from here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.history.model import Stage
from envbuild.nightly.model import Begun, Kept, Mode
from envbuild.tools import files, temporary, typed
from envbuild.tools.trouble import cannot_write

_NIGHT = "night.json"

NOTHING: Mapping[str, bytes] = {}


class Name(Struct, frozen=True, kw_only=True):
    """A stage of a profile, or of one of its variants; ``mode`` says which lock it is about."""

    profile: str
    stage: Stage
    variant: str = ""
    mode: Mode = "night"

    @property
    def stem(self) -> str:
        """How its files are called."""
        parts = (self.stage, self.variant, "committed" if self.mode == "committed" else "")
        return ".".join(filter(None, parts))


class Ledger:
    """The folder of a night that is under way. ``root`` need not exist."""

    def __init__(self, root: str) -> None:
        self.root = root

    def begun(self) -> Begun | None:
        """The night that was begun here and not finished; None where there is none, or what is
        left of it cannot be read."""
        return _read(f"{self.root}/{_NIGHT}", Begun)

    def begin(self, night: Begun) -> None:
        """Note that a night is under way, or how far it is.

        Raises:
            ToolError: it cannot be written.
        """
        files.write_tree(self.root, {_NIGHT: _encoded(night)})

    def kept(self, name: Name) -> Kept | None:
        """What stands of a stage."""
        return _read(f"{self.root}/{name.profile}/{name.stem}.json", Kept)

    def keep(self, name: Name, kept: Kept, blobs: Mapping[str, bytes] = NOTHING) -> None:
        """Note what a stage came to, with the locks that it names, at once or not at all.

        Raises:
            ToolError: it cannot be written.
        """
        packed = {_packed(digest): data for digest, data in blobs.items()}
        made = {f"{name.stem}.json": _encoded(kept), **packed}
        files.write_tree(f"{self.root}/{name.profile}", made)

    def blob(self, profile: str, digest: str) -> bytes | None:
        """A lock that a stage of a profile has named."""
        return files.read_if_exists(f"{self.root}/{profile}/{_packed(digest)}")

    def log(self, name: Name) -> str:
        """Where the log of a stage stands; what an earlier try left there goes.

        Raises:
            ToolError: it cannot be removed.
        """
        path = self.log_path(name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.lexists(path):
                os.unlink(path)
        except OSError as error:
            raise cannot_write(path, error) from None
        return path

    def log_path(self, name: Name) -> str:
        """Where the log of a stage stands, or would."""
        return f"{self.root}/{name.profile}/logs/{name.stem}.log"

    def clear(self) -> None:
        """Forget the night.

        Raises:
            ToolError: its files cannot be removed.
        """
        try:
            if os.path.lexists(self.root):
                # The name first: what is half removed is no night any more.
                if os.path.lexists(f"{self.root}/{_NIGHT}"):
                    os.unlink(f"{self.root}/{_NIGHT}")
                temporary.remove_tree(self.root)
        except OSError as error:
            raise cannot_write(self.root, error) from None


_Value = TypeVar("_Value", Begun, Kept)


def _read(path: str, kind: type[_Value]) -> _Value | None:
    try:
        data = files.read_if_exists(path)
        return typed.decode(data, kind) if data else None
    except (InputError, msgspec.MsgspecError):
        return None


def _encoded(value: Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _packed(digest: str) -> str:
    return f"{digest.removeprefix('sha256:')}.tar"
