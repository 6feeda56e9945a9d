"""The conda half in conda's own formats: ``@EXPLICIT`` and ``environment.yml``. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.export import words
from envbuild.lock.conda.channels import known_address
from envbuild.lock.conda.lockfile import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.export.model import Subject
    from envbuild.lock.model import CondaInput, CondaPackage
    from envbuild.lock.requirements import Pin


class Pinned(Struct, frozen=True, kw_only=True):
    """A conda package; ``channel`` is empty where there is only one to take it from."""

    package: CondaPackage
    channel: str


def explicit(subject: Subject) -> str:
    """The file for ``@EXPLICIT`` installs, as it stands in the lock folder."""
    return subject.explicit


def environment(subject: Subject) -> str:
    """``environment.yml``: conda's packages by version and build, Python's by hash, variables."""
    assert subject.locked.input.conda is not None  # the caller looks
    platform = subject.locked.input.conda.targets[0].platform
    lines = [
        f"name: {subject.profile}",
        "channels:",
        *(f"  - {scalar(channel)}" for channel in subject.locked.input.conda.channels),
        "  - nodefaults",
        "dependencies:",
        *(f"  - {scalar(_spec(one))}" for one in pinned(subject)),
    ]
    if subject.pins:
        lines += ["  - pip:", *(f"      - {scalar(_requirement(pin))}" for pin in subject.pins)]
    variables = sorted(subject.variant.environment.env.items())
    if variables:
        lines += ["variables:", *(f"  {name}: {scalar(value)}" for name, value in variables)]
    command = f"On {platform}: conda env create -f FILE"
    return words.commented(words.heading(subject, command)) + "\n".join(lines) + "\n"


def pinned(subject: Subject) -> tuple[Pinned, ...]:
    """The conda packages of the variant's platform, in the lock's order."""
    half, asked = subject.locked.conda, subject.locked.input.conda
    if half is None or asked is None:
        return ()
    lines = subject.explicit.splitlines()
    urls = {digest: url for url, _, digest in (line.partition("#sha256:") for line in lines)}
    return tuple(
        Pinned(package=package, channel=_channel(urls[package.sha256], asked))
        for package in half.packages
    )


def _channel(url: str, asked: CondaInput) -> str:
    """The channel that a package lies in, where there are several."""
    if len(asked.channels) == 1:
        return ""
    place = url.rsplit("/", 2)[0]
    return next(name for name in asked.channels if known_address(name) == place)


def _spec(one: Pinned) -> str:
    exact = f"{one.package.name}={one.package.version}={one.package.build}"
    return f"{one.channel}::{exact}" if one.channel else exact


def _requirement(pin: Pin) -> str:
    """A pin on one line: conda hands it to pip in a requirement file."""
    return " ".join((f"{pin.name}=={pin.version}", *_options(sorted(pin.hashes))))


def _options(hashes: Iterable[str]) -> Iterable[str]:
    return (f"--hash={digest}" for digest in hashes)
