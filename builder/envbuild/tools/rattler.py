"""py-rattler: loading it, running its work from any thread, stopping it, and ending after it."""

from __future__ import annotations

import atexit
import functools
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from envbuild.tools import typed
from envbuild.tools.conda import Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from rattler import MatchSpec, RepoDataRecord

_Result = TypeVar("_Result")

_LINGER = 0.05
"""Seconds to wait at the interpreter's end: a thread of the library that is still in Python then
crashes the process after all work is done (PyO3/pyo3-async-runtimes#40: 5 of 200 runs without)."""

_POLL = 0.05
"""Seconds between two looks whether somebody wants to stop."""

_PASSING = (
    "error sending request",
    "HTTP status server error",
    "HTTP status client error (429",
    "connection closed before message completed",
    "connection reset",
    "error decoding response body",
    "a coalesced request failed",
)
"""Words of py-rattler 0.28 for what another try may cure."""

_stopped = threading.Event()


class StoppedError(Exception):
    """Somebody called :func:`stop_all`."""


def stop_all() -> None:
    """End every call that is under way; later ones end at once."""
    _stopped.set()


def pause(seconds: float) -> None:
    """Wait.

    Raises:
        StoppedError: somebody wants to stop.
    """
    if _stopped.wait(seconds):
        raise StoppedError


@functools.cache
def library() -> ModuleType:
    """py-rattler, imported when it is first wanted: 80 ms."""
    import rattler

    atexit.register(_linger)
    return rattler


def _linger() -> None:
    time.sleep(_LINGER)


def let_go() -> bool:
    """Whether the library was used: then the process must end by ``os._exit``, and need not wait
    for the library's threads."""
    atexit.unregister(_linger)
    return library.cache_info().currsize > 0


def passing(text: str) -> bool:
    """Whether what the library says of a failure may be cured by another try."""
    return any(sign in text for sign in _PASSING)


def run(work: Callable[[], Awaitable[_Result]], timeout: float) -> _Result:
    """The result of some work, unless it is stopped or takes longer than ``timeout`` seconds.

    Raises:
        StoppedError: it was stopped.
        TimeoutError: it took too long.
    """
    import asyncio  # 30 ms that nobody needs who only stops

    async def watched() -> _Result:
        task = asyncio.ensure_future(work())
        deadline = time.monotonic() + timeout
        try:
            while not (await asyncio.wait((task,), timeout=_POLL))[0]:
                if _stopped.is_set():
                    raise StoppedError
                if time.monotonic() > deadline:
                    raise TimeoutError
            return task.result()
        finally:
            task.cancel()

    if _stopped.is_set():
        raise StoppedError
    return asyncio.run(watched())


def is_panic(error: Exception) -> bool:
    """Whether an error is a bug of the library: its type stands in none of its modules."""
    return type(error).__name__ == "RustPanic"


def spec(text: str) -> MatchSpec:
    """A match specification, read as conda reads it.

    Raises:
        ValueError: it is none; the message says what is wrong with it.
    """
    made: Callable[..., MatchSpec] = library().MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return made(text, strict=False)
    except InvalidMatchSpecError as error:
        raise ValueError(f"{text}: {error}") from None


class _Json(Struct, frozen=True, kw_only=True):
    """What is read of a record's own JSON."""

    name: str
    version: str
    build: str
    subdir: str
    depends: tuple[str, ...] = ()
    md5: str | None = None
    sha256: str | None = None
    purls: tuple[str, ...] | None = None


def record(found: RepoDataRecord, names: Mapping[str, str] | None = None) -> Record:
    """A record of the library as a value; ``names`` are channels by their address."""
    read = typed.decode(found.to_json(), _Json)
    channel = str(found.channel).rstrip("/")
    return Record(
        name=read.name,
        version=read.version,
        build=read.build,
        subdir=read.subdir,
        url=str(found.url),
        channel=(names or {}).get(channel, channel),
        depends=read.depends,
        md5=read.md5 or "",
        sha256=read.sha256 or "",
        purls=read.purls or (),
    )
