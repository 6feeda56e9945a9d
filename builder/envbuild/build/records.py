"""What was built here: a record for each variant, in the workspace's private folder.

A record is a cache: without it an image is built again, never another one.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from msgspec import Struct

from envbuild.engines.model import ImageFacts
from envbuild.errors import InputError
from envbuild.tools import files, typed
from envbuild.tools.trouble import cannot_write
from envbuild.tools.turns import PRIVATE, private_folder

_FOLDER = "builds"
_SETTINGS = b"envbuild-image-settings-1\n"


class Origin(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What an image was made from and by: if nothing of it moves, neither does the image.

    ``lock`` is the digest of the variant's lock, ``rendered`` that of its rendered files,
    ``images`` what the stages stand on (``BASE_IMAGE=reference``, and where that has no digest the
    identity that the engine had under it), ``engine`` the program with its version (``podman
    4.3.1``), ``network`` what the steps of the build were given.
    """

    lock: str
    rendered: str
    images: tuple[str, ...]
    engine: str
    network: Literal["none", "host"]


class BuiltImage(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One image that was built, checked and tagged.

    ``reference`` is its first tag, ``identity`` the digest of its configuration, by which
    ``engine`` knows it; ``builder`` is buildx's that built it, empty where that was the engine
    itself. ``digest`` that of its manifest where it was pushed, else empty.
    ``base_digest`` is the base image's, empty where the lock does not pin it. ``seconds`` is how
    long the engine built, ``size`` the bytes that the image takes there, ``log`` the full log's
    path, relative to the workspace. ``layers`` are the digests of what its layers unpack to, and
    ``settings`` the digest of what else it says of itself (:func:`settings`): by these an image is
    known that another tool has written anew. Both are empty in a record of an older envbuild.
    """

    profile: str
    variant: str
    reference: str
    tags: tuple[str, ...]
    identity: str
    engine: str
    lock_digest: str
    origin: Origin
    builder: str = ""
    base_digest: str = ""
    digest: str = ""
    seconds: float = 0.0
    size: int = 0
    log: str = ""
    layers: tuple[str, ...] = ()
    settings: str = ""


def settings(facts: ImageFacts) -> str:
    """``sha256:`` and the digest of what an image says of itself: labels, environment, entrypoint,
    command, user, working folder, platform."""
    said = (
        sorted(facts.labels),
        facts.environment,
        facts.entrypoint,
        facts.command,
        facts.user,
        facts.workdir.rstrip("/"),
        facts.platform,
    )
    return f"sha256:{hashlib.sha256(_SETTINGS + msgspec.json.encode(said)).hexdigest()}"


def path(root: str, profile: str, variant: str) -> str:
    """Where the record of a variant stands."""
    return f"{root}/{PRIVATE}/{_FOLDER}/{_name(profile, variant)}"


def read(root: str, profile: str, variant: str) -> BuiltImage | None:
    """What was built of a variant; None where nothing was, or an older envbuild wrote it."""
    try:
        data = files.read_if_exists(path(root, profile, variant))
        return typed.decode(data, BuiltImage) if data else None
    except (InputError, msgspec.MsgspecError):
        return None


def write(root: str, built: BuiltImage) -> None:
    """Remember an image, at once or not at all.

    Raises:
        ToolError: the workspace cannot be written.
    """
    try:
        folder = private_folder(root, _FOLDER)
    except OSError as error:
        raise cannot_write(f"{root}/{PRIVATE}/{_FOLDER}", error) from None
    data = msgspec.json.format(msgspec.json.encode(built), indent=2) + b"\n"
    files.write_tree(folder, {_name(built.profile, built.variant): data})


def _name(profile: str, variant: str) -> str:
    return f"{profile}.{variant}.json"
