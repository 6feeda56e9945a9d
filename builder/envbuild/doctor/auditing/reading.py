"""Reads the wheels that a lock names, each once.

A wheel that is here, in the store or behind a ``file:`` address, is hashed and read. One that lies
elsewhere is read in parts, where the server gives some and not too much of it is needed; else it is
fetched into the store, where a build finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from envbuild.build import wheels
from envbuild.build.supply import Supply
from envbuild.build.wheels import Chosen
from envbuild.doctor.auditing.wheels import READER, Kept, WheelFacts, facts
from envbuild.errors import InputError
from envbuild.lock import pylock
from envbuild.lock.requirements import Pin
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.zipped import wheels as scanned
from envbuild.scan.zipped.zipends import Seekable
from envbuild.speech import counted
from envbuild.tools import addresses, ranges, store
from envbuild.tools.net import Http

_WISH = Wish(hashes="none")
_TOGETHER = 4
"""Wheels that are read at a time; each may unpack a large library to the disk."""

_SMALL = 4 << 20
"""Bytes of a wheel that are rather fetched as a whole than in parts."""

_WORTH = 0.5
"""The part of a wheel up to which it is read in parts."""


class Reader(Struct, frozen=True, kw_only=True):
    """What wheels are had with, and what is kept of them."""

    supply: Supply
    kept: Kept
    http: Http

    def every(self, question: pylock.Question, pins: Iterable[Pin]) -> tuple[WheelFacts, ...]:
        """The facts of the wheel of every pin, in their order; what is built from source has none.

        Raises:
            ToolError: uv, the index or the network does not answer, or gives other files than the
                lock.
        """
        listed = tuple(pins)
        chosen = wheels.known(question, listed, self.supply)
        with ThreadPoolExecutor(_TOGETHER) as pool:
            known = dict(self._all(chosen or (), self.local, pool))
            if chosen is None or None in known.values():
                chosen = wheels.named(question, listed, self.supply)
            missing = tuple(one for one in chosen if not known.get(one.sha256))
            known |= dict(self._all(missing, self.one, pool))
        found = (known.get(one.sha256) for one in chosen)
        return tuple(one for one in found if one)

    def _all(
        self,
        chosen: Iterable[Chosen],
        read: Callable[[Chosen], WheelFacts | None],
        pool: ThreadPoolExecutor,
    ) -> Iterator[tuple[str, WheelFacts | None]]:
        """The wheels among some files by their sha256, with what ``read`` says of them."""
        those = tuple(one for one in chosen if one.name.endswith(".whl"))
        for number, found in enumerate(pool.map(read, those)):
            self.supply.live(f"reading {counted(len(those) - number, 'wheel')} ...")
            yield those[number].sha256, found

    def one(self, wheel: Chosen) -> WheelFacts:
        """The facts of one wheel: those that are kept, or read now and kept.

        Raises:
            ToolError: it cannot be had, or has other bytes than the lock says.
        """
        found = self.local(wheel)
        if not found:
            found = self._far(wheel)
            self.kept.keep(found)
        return found

    def local(self, wheel: Chosen) -> WheelFacts | None:
        """The facts of one wheel without asking anybody: those that are kept, or read now from what
        lies here; None where it does not."""
        found = self.kept.wheel(wheel, verified=True)
        if found:
            return found
        path = self._here(wheel)
        if not path:
            return self.kept.wheel(wheel, verified=False)
        found = self._read(path, wheel)
        self.kept.keep(found)
        return found

    def _here(self, wheel: Chosen) -> str:
        """Where a wheel lies on this machine with the bytes that the lock says; empty: nowhere."""
        found = self.supply.store.find(wheel.sha256, wheel.name)
        if found or not addresses.is_file(wheel.url):
            return found or ""
        path = addresses.path(wheel.url)
        try:
            return path if store.digest(path) == wheel.sha256 else ""
        except OSError:
            return ""  # fetching it says what is wrong with it

    def _far(self, wheel: Chosen) -> WheelFacts:
        """The facts of a wheel that is not here."""
        want = wheel.wanted()
        access = self.supply.access
        remote = not addresses.is_file(wheel.url) and not access.offline
        if remote and (wheel.size is None or wheel.size > _SMALL):
            part = ranges.opened(want, access, self.http)
            if part and self._pays(part, wheel):
                return self._examined(part, wheel, verified=False)
        (got,) = self.supply.fetch([want], wheel.name)
        return self._read(got.path, wheel)

    def _pays(self, part: ranges.Ranged, wheel: Chosen) -> bool:
        try:
            return scanned.needed(part, wheel.name, _WISH) < _WORTH * part.size
        except InputError:
            return False  # the whole file, whose hash is looked at, is what the lock says

    def _read(self, path: str, wheel: Chosen) -> WheelFacts:
        with open(path, "rb") as file:
            return self._examined(file, wheel, verified=True)

    def _examined(self, file: Seekable, wheel: Chosen, *, verified: bool) -> WheelFacts:
        try:
            tree = scanned.read(file, wheel.name, _WISH, sparse=not verified)
        except InputError as error:
            return WheelFacts(
                reader=READER,
                package=wheel.package,
                version=wheel.version,
                name=wheel.name,
                sha256=wheel.sha256,
                verified=verified,
                refused=error.message,
            )
        return facts(tree, wheel, verified=verified)
