"""Where everything stands in a history, folder or branch alike, and what its files say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from envbuild.errors import InputError
from envbuild.history import judging, sealing
from envbuild.history.blobs import DIGEST
from envbuild.history.model import Night
from envbuild.history.sealing import BrokenError
from envbuild.history.store import Kept, OtherNightError, Read
from envbuild.tools import garbage

NIGHTS = "nights"
_ENDING = ".json"

Kind = Literal["logs", "locks"]
KINDS: Mapping[Kind, str] = {"logs": ".txt", "locks": ".tar"}
"""The folders of what nights name by digest, and how the names of their files end."""

_BLOB = re.compile(r"(logs|locks)/([0-9a-f]{2})/(\2[0-9a-f]{62})\.(txt|tar)(\.zst)?")


def night_path(name: str) -> str:
    """The path of a night by its id."""
    return f"{NIGHTS}/{name}{_ENDING}"


def night_of(file: str) -> str | None:
    """The id of the night that a file of :data:`NIGHTS` holds; None where its name is no id."""
    name = file.removesuffix(_ENDING)
    return name if file.endswith(_ENDING) and judging.ID.fullmatch(name) else None


def blob_path(kind: Kind, digest: str) -> str:
    """The path of a lock or a log; ``digest`` is one that was checked."""
    digits = digest.removeprefix("sha256:")
    return f"{kind}/{digits[:2]}/{digits}{KINDS[kind]}"


def blob_of(path: str) -> str | None:
    """The digest of the lock or log at a path; None where there is none of ours."""
    found = _BLOB.fullmatch(path)
    return f"sha256:{found[3]}" if found else None


def kinds(night: Night) -> dict[str, Kind]:
    """What a night names by digest, and which kind it is."""
    found: dict[str, Kind] = {}
    for profile in night.profiles:
        for stage in judging.stages_of(profile):
            found[stage.log] = "logs"
    for profile in night.profiles:
        found[profile.lock] = "locks"
    return {digest: kind for digest, kind in found.items() if DIGEST.fullmatch(digest)}


def placed(night: Night, blobs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The paths and bytes of what a night brings.

    Raises:
        ValueError: the night does not name one of them.
    """
    known = kinds(night)
    foreign = blobs.keys() - known.keys()
    if foreign:
        raise ValueError(f"the night {night.id} does not name {sorted(foreign)}")
    return {blob_path(known[digest], digest): data for digest, data in blobs.items()}


def refuse_other(name: str, ours: bytes, theirs: bytes) -> None:
    """Let the same night pass.

    Raises:
        OtherNightError: it is another one.
    """
    if ours != theirs:
        raise OtherNightError(
            f"the history holds another night {name} already",
            hint="a night is never rewritten: give the new one an id of its own",
        )


def missing(place: str) -> InputError:
    """The error for a place that holds something, but no history."""
    return InputError(
        f"{place} is no history: it holds no nights",
        hint="name a new folder, or git:BRANCH with a new branch",
    )


def kept(read: Read) -> Kept:
    """The nights of what was read, and what is broken."""
    nights, broken = [], list(read.broken)
    with garbage.paused():
        for name, data in read.files.items():
            try:
                nights.append(sealing.unsealed(data, name))
            except BrokenError as error:
                broken.append(f"{night_path(name)}: {error}")
    return Kept(nights=judging.ordered(nights), broken=tuple(sorted(broken)))


def doomed(read: Read, keep: int) -> tuple[dict[str, str], frozenset[str]]:
    """What a pruning takes: ids of nights with their names; and the digests that the rest names.

    What cannot be read stays, and so does everything that it names.

    Raises:
        InputError: fewer than one night is to be kept.
    """
    if keep < 1:
        raise InputError("at least one night must be kept", hint="--keep 30")
    oldest_first = kept(read).nights
    names = {night.name: None for night in judging.together(oldest_first)}
    going = set(list(names)[:-keep])
    ids = {night.id: night.name for night in oldest_first if night.name in going}
    staying: Iterable[bytes] = (data for name, data in read.files.items() if name not in ids)
    return ids, frozenset().union(*map(sealing.named, staying))


def names_of(ids: Mapping[str, str]) -> tuple[str, ...]:
    """The names of nights by the order of their ids."""
    return tuple(dict.fromkeys(ids[name] for name in sorted(ids)))
