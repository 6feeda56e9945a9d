"""Whether an image is still as it was built: held against the record of its build, or against an
attestation of it. Pure but for the layers of a saved image, which are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from msgspec import Struct

from envbuild.build.records import BuiltImage, settings
from envbuild.engines.model import ImageFacts
from envbuild.tools import oci, packing


class AsBuilt(Struct, frozen=True, kw_only=True):
    """An image as it came from its build, and ``source``, who says so.

    ``identities`` are what it may be known by: the digests of its configuration and of its
    manifest. ``layers`` and ``settings`` are those of :class:`envbuild.build.records.BuiltImage`.
    ``engine`` is the one that keeps it, empty where nobody says.
    """

    source: str
    lock_digest: str
    identities: tuple[str, ...]
    layers: tuple[str, ...] = ()
    settings: str = ""
    engine: str = ""


class Seen(Struct, frozen=True, kw_only=True):
    """An image as it is found: what it is known by, and what it says of itself. ``engine`` is empty
    for a saved one."""

    identities: tuple[str, ...]
    facts: ImageFacts
    engine: str = ""


def recorded(record: BuiltImage) -> AsBuilt:
    """What the record of a build says."""
    return AsBuilt(
        source="the record of its build",
        lock_digest=record.lock_digest,
        identities=tuple(filter(None, (record.identity, record.digest))),
        layers=record.layers,
        settings=record.settings,
        engine=record.engine,
    )


def differences(built: AsBuilt, seen: Seen) -> tuple[str, ...]:
    """Why an image is not the one that was built, one sentence each; nothing: it is.

    An image that another tool has written anew has another configuration: it counts as the one that
    was built while its layers and settings are. What the engine has that built it has to be the
    very same.
    """
    if set(seen.identities) & set(built.identities):
        return ()
    source = built.source
    if not built.layers or not seen.facts.layers:
        return (f"it is {_short(seen.identities)}, and {source} has {_short(built.identities)}",)
    found = tuple(_layers(built.layers, seen.facts.layers, source))
    if built.settings and settings(seen.facts) != built.settings:
        said = "labels, environment, entrypoint, command, user or working folder"
        found += (f"what it says of itself ({said}) is not what {source} has",)
    its_own = bool(built.engine) and seen.engine == built.engine
    if not found and (its_own or not built.settings):
        found = (f"its configuration is another than {source} has, with the same layers",)
    return found


def _layers(built: tuple[str, ...], seen: tuple[str, ...], source: str) -> Iterator[str]:
    same = 0
    while same < min(len(built), len(seen)) and built[same] == seen[same]:
        same += 1
    if same == len(built) == len(seen):
        return
    if same == len(built):
        more = len(seen) - same
        yield f"{more} layer{'s' if more > 1 else ''} more than {source} has: it was changed since"
    elif same == len(seen):
        yield f"it has {len(seen)} of the {len(built)} layers that {source} has"
    else:
        yield f"layer {same + 1} of {len(seen)} is another than {source} has"


def _short(identities: Iterable[str]) -> str:
    return " or ".join(one[:19] for one in identities) or "unknown"


def broken(image: oci.SavedImage) -> Iterator[str]:
    """Why a saved image is not what its own digests say, one sentence each: its configuration and
    all its layers are read.

    Raises:
        InputError: something of it cannot be read.
    """
    measured = image.measured()
    if measured != image.identity:
        yield f"its configuration has the digest {measured[:19]}, and is called {image.identity}"
    for number, layer in enumerate(image.layers, start=1):
        state = hashlib.sha256()
        with image.opened(layer) as stream:
            for piece in packing.unpacked(stream, f"{image.label}: the layer {layer.path}"):
                state.update(piece)
        found = f"sha256:{state.hexdigest()}"
        if layer.diff_id and found != layer.diff_id:
            place = f"layer {number} of {len(image.layers)}"
            yield f"{place} holds {found[:19]}, and its configuration says {layer.diff_id[:19]}"
