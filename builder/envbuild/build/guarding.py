"""Whether an image that was built is what was meant, before it gets a name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from envbuild.build import leaks
from envbuild.build.leaks import Hidden
from envbuild.engines.model import ImageFacts
from envbuild.errors import EnvbuildError
from envbuild.profile.resolved import Variant
from envbuild.tools import oci


class Expected(Struct, frozen=True, kw_only=True):
    """What an image must say of itself.

    ``users`` are the ways to say who it runs as, empty where the profile leaves that to the base;
    so is ``entrypoint`` empty then, and ``command``.
    """

    labels: Mapping[str, str]
    platform: str
    workdir: str
    users: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


class RefusedError(EnvbuildError):
    """An image that was built is not what was meant: it is removed, and nothing is tagged.

    ``faults`` are what was found, one sentence each.
    """

    def __init__(self, target: str, faults: tuple[str, ...]) -> None:
        listed = "\n  ".join(("", *faults))
        super().__init__(
            f"{target}: the image was built, and is refused{listed}",
            hint="it was not tagged; what stands in templates/ may have done it",
        )
        self.faults = faults


def expected(
    variant: Variant, *, lock_digest: str, labels: tuple[tuple[str, str], ...]
) -> Expected:
    """What the image of a variant must say; ``labels`` are those that the build adds."""
    environment = variant.environment
    user = environment.user
    return Expected(
        labels={
            "io.envbuild.profile": environment.name,
            "io.envbuild.variant": variant.name,
            "io.envbuild.lock-digest": lock_digest,
            **dict(labels),
        },
        platform=variant.platform,
        workdir=environment.workdir,
        users=(user.name, str(user.uid)) if user else (),
        entrypoint=environment.entrypoint,
        command=environment.command,
    )


def in_facts(facts: ImageFacts, wanted: Expected) -> tuple[str, ...]:
    """What an engine says of an image and should not, one sentence each."""
    said = dict(facts.labels)
    found = [
        f"its label {name} is {said.get(name, 'missing')}, and should be {value}"
        for name, value in sorted(wanted.labels.items())
        if said.get(name) != value
    ]
    if facts.platform != wanted.platform:
        found.append(f"it is for {facts.platform}, and should be for {wanted.platform}")
    if wanted.users and facts.user.partition(":")[0] not in wanted.users:
        found.append(f"it runs as {facts.user or 'root'}, and should run as {wanted.users[0]}")
    if facts.workdir.rstrip("/") != wanted.workdir.rstrip("/"):
        shown = facts.workdir or "/"
        found.append(f"its working folder is {shown}, and should be {wanted.workdir}")
    for name in ("entrypoint", "command"):
        here, there = getattr(facts, name), getattr(wanted, name)
        if there and here != there:
            found.append(f"its {name} is {list(here)}, and should be {list(there)}")
    return tuple(found)


def in_saved(place: str, hidden: Hidden, *, base: tuple[str, ...], label: str) -> tuple[str, ...]:
    """What a saved image (an OCI layout, or an archive) holds and should not; ``base`` are the
    digests of what the layers of its base unpack to.

    Raises:
        InputError: it cannot be read.
    """
    with oci.opened(place, label) as image:
        ids = tuple(layer.diff_id for layer in image.layers)
        below = len(base) if ids[: len(base)] == base else 0
        return (
            *leaks.in_config(image.config, hidden),
            *leaks.in_layers(image, hidden, below=below),
        )
