"""What passes through the door to conda's world: requests, records, failures. Values only."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal[
    "unsatisfiable",
    "network",
    "offline",
    "data",
    "input",
    "timeout",
    "interrupted",
    "internal",
    "failed",
]


class Channel(Struct, frozen=True, kw_only=True):
    """A channel: its name as the profile has it, and the address that it is read from."""

    name: str
    url: str


class Virtual(Struct, frozen=True, kw_only=True):
    """A virtual package: what the target machine has."""

    name: str
    version: str
    build: str = "0"


class Keep(Struct, frozen=True, kw_only=True):
    """A package to keep where that is possible: its name, and the sha256 of its file."""

    name: str
    sha256: str


class Access(Struct, frozen=True, kw_only=True):
    """How channels are reached: the folder of the cache, whether the network may be used, whether
    everything is asked anew, the time limit of a request in seconds, and how often and with which
    first pause (in seconds, doubled each time) a failed request is made again."""

    cache: str
    offline: bool = False
    refresh: bool = False
    timeout: int = 60
    retries: int = 3
    pause: float = 0.5


class Request(Struct, frozen=True, kw_only=True):
    """One environment to solve for one platform (``linux-64``).

    ``specs`` must be in it, ``constraints`` hold for what is. ``as_of``: no record that is newer
    (RFC 3339, UTC).
    """

    platform: str
    channels: tuple[Channel, ...]
    specs: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    virtual: tuple[Virtual, ...] = ()
    keep: tuple[Keep, ...] = ()
    as_of: str | None = None


class Record(Struct, frozen=True, kw_only=True):
    """A conda package as a channel describes it; hashes are hex digits, empty where not given."""

    name: str
    version: str
    build: str
    subdir: str
    url: str
    channel: str = ""
    depends: tuple[str, ...] = ()
    md5: str = ""
    sha256: str = ""
    purls: tuple[str, ...] = ()


class Failure(Struct, frozen=True, kw_only=True):
    """Why there is no answer: the library's words, and the channel and subdir where one of them is
    to blame (empty where none is)."""

    kind: Kind
    text: str
    channel: str = ""
    subdir: str = ""
