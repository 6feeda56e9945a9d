"""Solving conda environments with py-rattler, from any thread.

Channels are read from the addresses that the caller gives and from nowhere else: what a channel's
own metadata names as further channels is not followed (CEP 42).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from envbuild.tools import rattler
from envbuild.tools.conda import Access, Failure, Kind, Record, Request, Virtual

if TYPE_CHECKING:
    from rattler import Gateway, GenericVirtualPackage, MatchSpec, RepoDataRecord, Subdir

TIMEOUT = 900.0
"""Seconds for one solution, channels included; conda-forge from an empty cache takes 5."""

_TIMED_OUT = ("operation timed out",)


class Solver:
    """Solves requests; what was read of a channel is kept for the next."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._turn = threading.Lock()
        self._made: Gateway | None = None

    def solve(self, request: Request) -> tuple[Record, ...] | Failure:
        """Every package of the environment, sorted by name; or why there is none."""
        try:
            specs = [rattler.spec(text) for text in request.specs]
            constraints = [rattler.spec(text) for text in request.constraints]
        except ValueError as error:
            return Failure(kind="input", text=str(error))
        return self._patiently(request, lambda: self._solve(request, specs, constraints))

    def names(self, request: Request, *, own: bool = False) -> dict[str, tuple[str, ...]]:
        """Every package that each channel has for the platform; ``own``: without noarch.

        Nothing of a channel that cannot be read.
        """
        places = (request.platform,) if own else (request.platform, "noarch")
        found: dict[str, tuple[str, ...]] = {}
        for channel in request.channels:
            try:
                found[channel.name] = self._listed(channel.url, places, TIMEOUT)
            except _unreadable():
                continue
        return found

    def _patiently(
        self, request: Request, work: Callable[[], Awaitable[tuple[Record, ...]]]
    ) -> tuple[Record, ...] | Failure:
        """The result of some work, tried again where the network failed."""
        pause = self._access.pause
        for left in reversed(range(self._access.retries + 1)):
            found = self._once(request, work)
            if not (left and isinstance(found, Failure) and found.kind == "network"):
                break
            try:
                rattler.pause(pause)
            except rattler.StoppedError:
                return Failure(kind="interrupted", text="stopped")
            pause *= 2
            self._made = None  # it remembers that a channel could not be read
        return found

    def _once(
        self, request: Request, work: Callable[[], Awaitable[tuple[Record, ...]]]
    ) -> tuple[Record, ...] | Failure:
        rattler.library()
        from rattler.exceptions import GatewayError, InvalidChannelError, SolverError

        try:
            return rattler.run(work, TIMEOUT)
        except rattler.StoppedError:
            return Failure(kind="interrupted", text="stopped")
        except TimeoutError:
            return Failure(kind="timeout", text=f"no answer after {TIMEOUT:.0f} s")
        except SolverError as error:
            return Failure(kind="unsatisfiable", text=str(error))
        except InvalidChannelError as error:
            return Failure(kind="input", text=str(error))
        except GatewayError as error:
            # alone: two that wait for one page get one error, and only the first its reason
            return Solver(self._access).blamed(request, str(error))
        except Exception as error:
            if not rattler.is_panic(error):
                raise
            return Failure(kind="internal", text=str(error))

    def _kind(self, text: str) -> Kind:
        if self._access.offline:
            return "offline"
        if any(sign in text for sign in _TIMED_OUT):
            return "timeout"
        return "network" if rattler.passing(text) else "data"

    def blamed(self, request: Request, text: str) -> Failure:
        """A failure to read channels, with the channel and the subdir to blame.

        The library does not say them, so each is asked by itself; first for its names, then for
        its records.
        """
        places = [
            (channel, subdir)
            for channel in request.channels
            for subdir in (request.platform, "noarch")
        ]
        for look in (self._look, functools.partial(self._look, names=request.specs)):
            for channel, subdir in places:
                try:
                    look(channel.url, (subdir,))
                except _unreadable() as error:
                    own = str(error) or text
                    kind = "timeout" if isinstance(error, TimeoutError) else self._kind(own)
                    return Failure(kind=kind, text=own, channel=channel.name, subdir=subdir)
        return Failure(kind=self._kind(text), text=text)

    def _look(self, url: str, places: tuple[str, ...], names: tuple[str, ...] = ()) -> None:
        """Read a part of a channel: what packages it has, or the records of some."""
        if not names:
            self._listed(url, places, self._access.timeout * 2.0)
            return

        async def work() -> None:
            bare = sorted({name for name in map(_bare, names) if name})
            await self._gateway().query([url], _subdirs(places), bare, channel_relations="disabled")

        rattler.run(work, self._access.timeout * 2.0)

    def _listed(self, url: str, places: tuple[str, ...], timeout: float) -> tuple[str, ...]:
        async def work() -> list[str]:
            gateway = self._gateway()
            found = await gateway.names([url], _subdirs(places), channel_relations="disabled")
            return [name.normalized for name in found]

        return tuple(sorted(rattler.run(work, timeout)))

    async def _solve(
        self, request: Request, specs: list[MatchSpec], constraints: list[MatchSpec]
    ) -> tuple[Record, ...]:
        found = await rattler.library().solve(
            sources=[channel.url for channel in request.channels],
            specs=specs,
            constraints=constraints,
            gateway=self._gateway(),
            platforms=_subdirs((request.platform, "noarch")),
            virtual_packages=[_virtual(one) for one in request.virtual],
            locked_packages=await self._kept(request),
            exclude_newer=datetime.fromisoformat(request.as_of) if request.as_of else None,
            channel_relations="disabled",
        )
        names = {channel.url.rstrip("/"): channel.name for channel in request.channels}
        return tuple(
            sorted((rattler.record(one, names) for one in found), key=lambda one: one.name)
        )

    async def _kept(self, request: Request) -> list[RepoDataRecord]:
        """The records to keep, as the channels describe them now; what is gone is not kept."""
        if not request.keep:
            return []
        wanted = {(one.name, one.sha256) for one in request.keep}
        found = await self._gateway().query(
            [channel.url for channel in request.channels],
            _subdirs((request.platform, "noarch")),
            sorted({one.name for one in request.keep}),
            recursive=False,
            channel_relations="disabled",
        )
        every = (record for records in found for record in records)
        return [one for one in every if (one.name.normalized, _hex(one.sha256)) in wanted]

    def _gateway(self) -> Gateway:
        with self._turn:
            if self._made is None:
                library, access = rattler.library(), self._access
                action = "force-cache-only" if access.offline else "cache-or-fetch"
                self._made = library.Gateway(
                    cache_dir=f"{access.cache}/repodata",
                    default_config=library.SourceConfig(
                        cache_action="no-cache" if access.refresh else action
                    ),
                    client=library.Client.default_client(max_retries=0, timeout=access.timeout),
                )
            return self._made


def _unreadable() -> tuple[type[Exception], ...]:
    """What it means that a channel cannot be read."""
    rattler.library()
    from rattler.exceptions import GatewayError, InvalidChannelError

    return (GatewayError, InvalidChannelError, TimeoutError, rattler.StoppedError)


def _bare(spec: str) -> str:
    """The name in a specification."""
    name = rattler.spec(spec).name
    return str(name.normalized) if name else ""


def _subdirs(names: tuple[str, ...]) -> list[Subdir]:
    return [rattler.library().Subdir(name) for name in names]


def _virtual(one: Virtual) -> GenericVirtualPackage:
    library = rattler.library()
    made: GenericVirtualPackage = library.GenericVirtualPackage(
        library.PackageName(one.name), library.Version(one.version), library.BuildString(one.build)
    )
    return made


def _hex(digest: bytes | None) -> str:
    return digest.hex() if digest else ""
