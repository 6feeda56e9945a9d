"""What a build would do, and why: variants, tags, build arguments, reasons. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from envbuild.build.records import BuiltImage, Origin
from envbuild.engines.model import Engine
from envbuild.errors import InputError
from envbuild.plan import Plan, Step
from envbuild.profile.resolved import Variant
from envbuild.tools.references import Mirror, mirrored

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_TAG = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?")
"""A name with a tag, as the distribution project's grammar of references has it."""

_REPOSITORY = re.compile(rf"{_HOST}(?:/{_PART})+(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?")

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY")
"""Build arguments that every builder knows by itself, and keeps out of the image."""

HERMETIC = "hermetic"
ONLINE = "online"


class Left(Struct, frozen=True, kw_only=True):
    """A variant that is not built here, and why."""

    variant: str
    reason: str


# --- Which variants ------------------------------------------------------------------------------


def chosen(
    variants: Iterable[Variant],
    named: tuple[str, ...],
    machine: str,
    *,
    builder: tuple[str, ...] = (),
) -> tuple[tuple[Variant, ...], tuple[Left, ...]]:
    """The variants to build, and those that are left out: without a name, what ``machine`` (as
    ``uname -m`` says it) can run, or what a ``builder`` has these platforms for; with names exactly
    these, whatever they are for."""
    every = tuple(variants)
    if named:
        return tuple(one for one in every if one.name in named), ()
    if builder:
        return _of_builder(every, builder)
    here = _MACHINES.get(machine.lower(), machine.lower())
    left = tuple(
        Left(
            variant=one.name,
            reason=f"for {one.platform}, and this machine is linux/{here}; "
            f"--variant {one.name} builds it all the same",
        )
        for one in every
        if one.architecture != here
    )
    return tuple(one for one in every if one.architecture == here), left


def _of_builder(
    variants: tuple[Variant, ...], platforms: tuple[str, ...]
) -> tuple[tuple[Variant, ...], tuple[Left, ...]]:
    left = (
        Left(
            variant=one.name,
            reason=f"for {one.platform}, and the builder's machines are {', '.join(platforms)}; "
            f"--variant {one.name} builds it all the same",
        )
        for one in variants
        if one.platform not in platforms
    )
    return tuple(one for one in variants if one.platform in platforms), tuple(left)


def refuse_platform(variants: Iterable[Variant], platform: str | None) -> None:
    """Refuse a platform that a variant is not for: a variant has one, which is in its lock.

    Raises:
        InputError: with the platform of the variant.
    """
    for variant in variants:
        if platform is not None and variant.platform != platform:
            raise InputError(
                f"{variant.environment.name}/{variant.name} is for {variant.platform}, "
                f"not for {platform}",
                hint="choose another variant with --variant",
            )


# --- Names ---------------------------------------------------------------------------------------


def tags(profile: str, variant: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """The names that the image is given; ``{profile}`` and ``{variant}`` in a named one stand for
    these.

    Raises:
        InputError: one is no name of an image.
    """
    filled = tuple(dict.fromkeys(filled_in(text, profile, variant) for text in named))
    for text in filled:
        if not _TAG.fullmatch(text):
            raise InputError(
                f"{text!r} is no name of an image",
                hint="as in registry.example/team/robot:1.0, in small letters",
            )
    return filled or (f"{profile}:{variant}",)


def filled_in(text: str, profile: str, variant: str) -> str:
    """The text with the names of a profile and a variant in it."""
    return text.replace("{profile}", profile).replace("{variant}", variant)


def refuse_shared(texts: Iterable[str], targets: int, *, option: str) -> None:
    """Refuse one name for several images.

    Raises:
        InputError: with the way to give each its own.
    """
    for text in texts:
        if targets > 1 and not ("{profile}" in text or "{variant}" in text):
            raise InputError(
                f"{option} {text} would be that of {targets} images",
                hint="name one PROFILE and one --variant, or write {profile} and {variant} into it",
            )


def pushed(tags: Iterable[str]) -> tuple[str, ...]:
    """The names that have a registry in them.

    Raises:
        InputError: none has one.
    """
    found = tuple(tag for tag in tags if _registry(tag))
    if not found:
        raise InputError(
            "--push needs a name with a registry in it",
            hint="--tag registry.example/{profile}:{variant}",
        )
    return found


def _registry(tag: str) -> bool:
    host, slash, _ = tag.partition("/")
    return bool(slash) and (host == "localhost" or any(c in host for c in ".:"))


def repository(text: str, *, option: str) -> str:
    """The repository of a registry, for layers.

    Raises:
        InputError: it is none.
    """
    if not _REPOSITORY.fullmatch(text):
        raise InputError(
            f"{option} takes a repository of a registry, and {text!r} is none",
            hint=f"{option} registry.example/team/cache",
        )
    return text


# --- What the build is told ----------------------------------------------------------------------


def read_from(reference: str, digest: str, mirrors: Iterable[Mirror]) -> str:
    """The image to read: that of the lock, by its digest where it has one, from its mirror."""
    place = mirrored(reference.partition("@")[0], mirrors)
    if not digest:
        return place
    above, slash, last = place.rpartition("/")  # podman takes no tag beside a digest
    return f"{above}{slash}{last.partition(':')[0]}@{digest}"


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's proxies, under the names of build arguments, in both spellings."""
    found: dict[str, str] = {}
    for name in _PROXIES:
        value = environ.get(name) or environ.get(name.lower()) or ""
        if value:
            found |= {name: value, name.lower(): value}
    return found


def epoch(as_of: str) -> int:
    """The moment of a lock (RFC 3339) in seconds since 1970: the one time that the files of an
    image have, and the same in every build of that lock."""
    return int(datetime.fromisoformat(as_of).timestamp())


# --- Why -----------------------------------------------------------------------------------------


def reasons(record: BuiltImage | None, now: Origin) -> tuple[str, ...]:
    """What has moved since an image was built; nothing: it stands."""
    if record is None:
        return ("not built here yet",)
    before = record.origin
    found = []
    if before.lock != now.lock:
        found.append("the lock has changed")
    if before.rendered != now.rendered:
        found.append("the rendered files have changed")
    if not _same_images(before.images, now.images):
        found.append("it stands on other images, or they are read from other places")
    if before.engine != now.engine:
        found.append(f"it was built by {before.engine}, and now {now.engine} builds")
    if before.network != now.network:
        was = HERMETIC if before.network == "none" else ONLINE
        found.append(f"it was built {was}")
    return tuple(found)


def _same_images(before: tuple[str, ...], now: tuple[str, ...]) -> bool:
    """Whether the images below are those of before; one that the engine does not have counts as
    unmoved, because an image that was built does not need it any more."""
    return len(before) == len(now) and all(
        old == new or old.startswith(f"{new} ") for old, new in zip(before, now, strict=True)
    )


def engine_name(engine: Engine) -> str:
    """An engine as records and messages call it: with its version, and who reads the Dockerfile
    where that may be another."""
    if engine.remote:
        if not engine.keeps:
            return f"buildx (builder {engine.remote.name})"
        return f"{engine.name} {engine.version} (buildx, builder {engine.remote.name})"
    own = engine.builder == engine.name
    return f"{engine.name} {engine.version}" + ("" if own else f" ({engine.builder})")


def build_step(target: str, why: tuple[str, ...], *, record: BuiltImage | None) -> Step:
    """The step of a build; without a reason it is left out."""
    if why:
        return Step(kind="build", target=target, action="run", reason="; ".join(why))
    known = record.reference if record else target
    reason = f"unchanged: {known} was built from the same, and is still there"
    return Step(kind="build", target=target, action="skip", reason=reason)


def left_steps(profile: str, left: Iterable[Left]) -> Plan:
    """The steps of what is not built here."""
    return tuple(
        Step(kind="build", target=f"{profile}/{one.variant}", action="skip", reason=one.reason)
        for one in left
    )


def name_steps(names: Iterable[str], pushes: Iterable[str]) -> Plan:
    """The steps after a build: the image is named, and taken to its registry."""
    passed = "when the image has passed its checks"
    return (
        *(Step(kind="tag", target=one, action="run", reason=passed) for one in names),
        *(Step(kind="push", target=one, action="run", reason="asked for") for one in pushes),
    )
