"""One question to a conda solver, for all targets of a variant, and what its answer must be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from envbuild.lock.conda.channels import Settings, known_address
from envbuild.lock.conda.lockfile import virtual_parts
from envbuild.lock.model import CondaInput, Demand
from envbuild.tools.conda import Channel, Failure, Keep, Record, Request, Virtual

Solved = Mapping[str, tuple[Record, ...]]
"""The packages of each platform, sorted by name."""


class Ask(Struct, frozen=True, kw_only=True):
    """What is to be solved: the profile's part, what the Python packages demand, what is kept (by
    platform), and the moment up to which channels are believed."""

    wanted: CondaInput
    demands: tuple[Demand, ...] = ()
    keep: Mapping[str, tuple[Keep, ...]] = {}
    as_of: str | None = None


class Trouble(Struct, frozen=True, kw_only=True):
    """Why there is no conda half: on which platform, and what the solver says. ``names`` are the
    packages that the channels have, where it helps to know them; ``empty`` are channels that have
    nothing for the platform."""

    platform: str
    failure: Failure
    names: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


SolveAll = Callable[[Ask], "Solved | Trouble"]
"""A conda solver: its answer is checked, and names the addresses that the world knows."""


class CondaSolver(Struct, frozen=True, kw_only=True):
    """A conda solver, and what tells its name with its version, as a lock says it."""

    name: Callable[[], str]
    solve: SolveAll


def request(ask: Ask, platform: str, settings: Settings) -> Request:
    """The question for one platform."""
    target = next(one for one in ask.wanted.targets if one.platform == platform)
    return Request(
        platform=platform,
        channels=tuple(map(settings.channel, ask.wanted.channels)),
        specs=tuple(_here(spec, settings) for spec in ask.wanted.packages),
        constraints=tuple(f"{demand.package} {demand.bounds}" for demand in ask.demands),
        virtual=tuple(
            Virtual(name=name, version=version, build=build or "0")
            for name, version, build in map(virtual_parts, target.virtual_packages)
        ),
        keep=ask.keep.get(platform, ()),
        as_of=ask.as_of,
    )


def _here(spec: str, settings: Settings) -> str:
    """A specification that names a channel, with the address that this is read from here."""
    channel, named, rest = spec.rpartition("::")
    return f"{settings.channel(channel).url}::{rest}" if named else spec


def checked(
    records: tuple[Record, ...], channels: tuple[Channel, ...]
) -> tuple[Record, ...] | Failure:
    """The records with the addresses that the world knows, or what is wrong with one."""
    found = []
    for record in records:
        if record.name.startswith("__"):
            continue
        named = f"{record.name} {record.version} ({record.build})"
        if not (_hex(record.sha256, 64) and _hex(record.md5, 32)):
            words = f"{named} has no sha256 and md5: nothing could be pinned by it"
            return _data(words, record)
        url = _known(record.url, channels)
        if url is None:
            return _data(f"{named} lies outside of its channel: {record.url}", record)
        found.append(msgspec.structs.replace(record, url=url))
    return tuple(found)


def _data(text: str, record: Record) -> Failure:
    return Failure(kind="data", text=text, channel=record.channel, subdir=record.subdir)


def _hex(digest: str, length: int) -> bool:
    return re.fullmatch(rf"[0-9a-f]{{{length}}}", digest) is not None


def _known(url: str, channels: tuple[Channel, ...]) -> str | None:
    """The address of a package as the world knows it; None where it lies in no channel.

    A channel's own ``base_url`` may name the world's address where a mirror was read.
    """
    for channel in channels:
        world = known_address(channel.name)
        for base in (channel.url, world):
            rest = url.removeprefix(f"{base.rstrip('/')}/")
            if rest != url and _FILE.fullmatch(rest):
                return f"{world}/{rest}"
    return None


_FILE = re.compile(
    r"(?:noarch|linux-64|linux-aarch64)/[A-Za-z0-9_][A-Za-z0-9_.+!-]*\.(?:conda|tar\.bz2)"
)
