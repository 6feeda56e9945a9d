"""The disk of a night: where the engine keeps its images, and how large they become."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from envbuild.build import records
from envbuild.engines import calling, finding, leftover
from envbuild.errors import EnvbuildError
from envbuild.nightly import relocking, room
from envbuild.nightly.room import Disk, Room, Wanted
from envbuild.tools import files, proc, references, store
from envbuild.tools.net import NetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envbuild.cli.night_options import Options
    from envbuild.engines.model import Engine
    from envbuild.history.model import Night
    from envbuild.lock.model import ImagePin
    from envbuild.nightly.model import Subject, Target

_PLACES = {
    "podman": ("info", "--format", "{{.Store.GraphRoot}}"),
    "docker": ("info", "--format", "{{.DockerRootDir}}"),
    "buildah": ("info",),
}
"""How each engine says where its images are."""


def of_night(
    options: Options, subjects: Sequence[Subject], nights: Sequence[Night], *, root: str
) -> tuple[Room, tuple[str, ...]]:
    """The room for the images of a night, and what is to be said of it.

    Raises:
        ToolError: the disk cannot hold them, or the budget.
    """
    building = "build" in options.asked.wishes.stages
    targets = [(one, target) for one in subjects for target in one.targets if not target.left_out]
    if not building or not targets:
        return Room((), None, None, free=room.free), ()
    disk = _disk(options.asked.wishes.engine)
    sizes = _known(nights)
    ask = _Registry(options)
    wanted = [_wanted(subject, target, sizes, ask=ask, root=root) for subject, target in targets]
    notes = room.refuse(wanted, disk, options.disk)
    return Room(wanted, disk, options.disk, free=room.free), notes


def forget_killed(wanted: str, *, since: float) -> None:
    """Remove what killed builds have left in the engine since then (seconds since 1970)."""
    environ = dict(os.environ)
    engine = _engine(wanted, environ)
    if engine is not None:
        leftover.remove(engine, since=since, runner=proc.run, environ=environ)


def _engine(wanted: str, environ: Mapping[str, str]) -> Engine | None:
    """Who builds; None where nobody can: the first build says why, of each profile."""
    try:
        cache = f"{store.cache_folder(environ)}/engines"
        return finding.find(wanted, environ, proc.run, cache=cache)
    except EnvbuildError:
        return None


def _disk(wanted: str) -> Disk | None:
    """Where the engine keeps its images; None where it does not say so, or they are not here."""
    environ = dict(os.environ)
    engine = _engine(wanted, environ)
    if engine is None:
        return None
    place = _place(engine, environ)
    if not place or not os.path.isdir(place):
        return None
    return Disk(place=place, what=engine.name, free=room.free(place))


def _place(engine: Engine, environ: Mapping[str, str]) -> str:
    said = calling.call(engine, _PLACES[engine.name], runner=proc.run, environ=environ)
    if said.code:
        return ""
    if engine.name != "buildah":
        return said.stdout.strip()
    try:
        return str(json.loads(said.stdout)["store"]["GraphRoot"])
    except (ValueError, KeyError, TypeError):
        return ""


def _known(nights: Sequence[Night]) -> dict[tuple[str, str], int]:
    """The sizes of images as the last nights made them."""
    return {
        (profile.profile, one.variant): one.image.size
        for night in nights
        for profile in night.profiles
        for one in profile.variants
        if one.image and one.image.size
    }


def _wanted(
    subject: Subject,
    target: Target,
    sizes: Mapping[tuple[str, str], int],
    *,
    ask: _Registry,
    root: str,
) -> Wanted:
    name = subject.profile
    scratch = f"{root}/.envbuild/nightly/work/{name}"
    made = records.read(scratch, name, target.variant)
    before = made or records.read(root, name, target.variant)
    size = sizes.get((name, target.variant), 0) or (before.size if before else 0)
    pin = _base(subject, target.variant)
    base = pin.reference if pin else name
    bound = 0 if size or pin is None else ask.size(pin, target.platform.rpartition("/")[2])
    return Wanted(
        profile=name,
        variant=target.variant,
        base=base,
        size=size or bound,
        at_least=bool(bound),
        there=made is not None,
    )


def _base(subject: Subject, variant: str) -> ImagePin | None:
    lock = relocking.committed(subject.snapshot)
    part = lock.header.variants.get(variant) if lock and lock.header else None
    return part.image("base") if part else None


class _Registry:
    """Asks registries how large base images are, each once."""

    def __init__(self, options: Options) -> None:
        self._mirrors = references.mirrors(options.mirrors, os.environ)
        self._offline = "--offline" in options.asked.wishes.lock_words
        self._known: dict[tuple[str, str], int] = {}
        self._manifest: Callable[[str, str], int] | None = None

    def size(self, pin: ImagePin, architecture: str) -> int:
        """The bytes of an image's layers as they are fetched, less than they take on the disk; 0
        where nobody says it."""
        reference = f"{pin.reference}@{pin.digest}" if pin.digest else pin.reference
        asked = (reference, architecture)
        if self._offline:
            return 0
        if asked not in self._known:
            self._known[asked] = self._asked(*asked)
        return self._known[asked]

    def _asked(self, reference: str, architecture: str) -> int:
        from envbuild.tools.logins import Logins
        from envbuild.tools.net import Http
        from envbuild.tools.registry import Registry

        environ = dict(os.environ)
        registry = Registry(Http(environ), Logins(environ, _read, proc.run), self._mirrors)
        try:
            found = registry.manifest(reference, architecture)
        except (NetError, EnvbuildError):
            return 0
        return sum(layer.size for layer in found.layers)


def _read(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None
